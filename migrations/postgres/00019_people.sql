-- +goose Up
-- People who are told by mail, what was mailed to them, the links by which they answer, and what proves that a notice came.
-- Times are microseconds since 1970-01-01 UTC; 9223372036854775807 is never.

-- A mail is tried as a push is.
ALTER TABLE delivery_attempts DROP CONSTRAINT delivery_attempts_method_check;
ALTER TABLE delivery_attempts ADD CONSTRAINT delivery_attempts_method_check CHECK (method IN ('push', 'poll', 'mail'));

ALTER TABLE delivery_notices ADD COLUMN urgent boolean NOT NULL DEFAULT false; -- to people: mailed at once
ALTER TABLE delivery_notices ADD COLUMN mail text NOT NULL DEFAULT ''; -- to people: the mail that carries it
CREATE INDEX delivery_notices_of_jti ON delivery_notices (about, jti);
CREATE INDEX delivery_notices_of_mail ON delivery_notices (mail) WHERE mail <> '';

CREATE TABLE delivery_people (
    audience       text   NOT NULL PRIMARY KEY, -- contact: or officer: and an id that names nobody
    about          text   NOT NULL, -- the contact's reseller; empty for an officer
    address_sealed bytea NOT NULL, -- encrypted like the ledger's bodies
    tries          bigint NOT NULL, -- mails that failed one after the other
    next_at        bigint NOT NULL, -- when to look again
    wakes          bigint NOT NULL, -- counts what gave a reason to look
    lease          text   NOT NULL, -- who mails now
    leased_until   bigint NOT NULL
);
CREATE INDEX delivery_people_due ON delivery_people (next_at, audience);

CREATE TABLE delivery_mails (
    id         text   NOT NULL PRIMARY KEY, -- stands in its Message-ID, so one that came twice is known
    audience   text   NOT NULL,
    state      text   NOT NULL CHECK (state IN ('prepared', 'sending', 'sent', 'failed', 'refused')),
    created_at bigint NOT NULL,
    sent_at    bigint NOT NULL
);
CREATE INDEX delivery_mails_of_person ON delivery_mails (audience, created_at);

-- What was given out in a mail is kept as its digest alone.
CREATE TABLE delivery_links (
    id              text   NOT NULL PRIMARY KEY,
    digest          bytea NOT NULL UNIQUE, -- SHA-256 of the token in the link
    mail            text   NOT NULL,
    audience        text   NOT NULL,
    about           text   NOT NULL,
    created_at      bigint NOT NULL,
    expires_at      bigint NOT NULL,
    code_digest     bytea NOT NULL, -- SHA-256 of the link's id and the code that was sent apart; empty if none holds
    code_expires_at bigint NOT NULL,
    code_sent_at    bigint NOT NULL,
    codes           bigint NOT NULL, -- how many codes were sent
    guesses         bigint NOT NULL, -- how many wrong codes were tried, over all of them
    session_digest  bytea NOT NULL, -- SHA-256 of what the browser holds that showed the code; empty if none holds
    session_until   bigint NOT NULL
);
CREATE INDEX delivery_links_expiry ON delivery_links (expires_at);

CREATE TABLE delivery_proofs (
    about        text   NOT NULL, -- the reseller that was told
    jti          text   NOT NULL, -- of the statement that it was told
    channel      text   NOT NULL,
    addressed_at bigint NOT NULL,
    sent_at      bigint NOT NULL, -- 0 if only the addressing is known
    proved_at    bigint NOT NULL,
    link         text   NOT NULL, -- the link's id; empty for other channels
    contact      text   NOT NULL, -- an id that names nobody; empty for the reseller's software
    recorded     boolean NOT NULL, -- the ledger has it
    PRIMARY KEY (about, jti, channel)
);
CREATE INDEX delivery_proofs_open ON delivery_proofs (proved_at) WHERE NOT recorded;

-- +goose Down
DROP TABLE delivery_proofs;
DROP TABLE delivery_links;
DROP TABLE delivery_mails;
DROP TABLE delivery_people;
DROP INDEX delivery_notices_of_mail;
DROP INDEX delivery_notices_of_jti;
DELETE FROM delivery_notices WHERE mail <> '';
ALTER TABLE delivery_notices DROP COLUMN mail;
ALTER TABLE delivery_notices DROP COLUMN urgent;
DELETE FROM delivery_attempts WHERE method = 'mail';

-- +goose Up
-- Who hears of what the gateway decided, and what became of it. Times are microseconds since 1970-01-01 UTC;
-- 9223372036854775807 is never.
CREATE TABLE delivery_cursor (
    id        bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    next_leaf bigint NOT NULL -- entries before it were addressed
);
INSERT INTO delivery_cursor (id, next_leaf) VALUES (1, 0);

-- An audience is a reseller, by its entity identifier, or one of the provider's own systems: system: and the label of its token.
CREATE TABLE delivery_audiences (
    name          text   NOT NULL PRIMARY KEY,
    last_sequence bigint NOT NULL -- the number of its newest notice; they are counted from 1
);

CREATE TABLE delivery_notices (
    audience        text   NOT NULL,
    sequence        bigint NOT NULL,
    kind            text   NOT NULL, -- empty: an event of the stream itself
    about           text   NOT NULL,
    leaf_index      bigint NOT NULL, -- of the entry that it tells; -1 for an event of the stream itself
    digest          bytea  NOT NULL, -- of that entry
    jti             text   NOT NULL,
    token           bytea  NOT NULL, -- of an event of the stream itself; else empty, the ledger holds it
    addressed_at    bigint NOT NULL,
    state           text   NOT NULL CHECK (state IN ('waiting', 'acknowledged', 'parked', 'dropped')),
    acknowledged_at bigint NOT NULL,
    tries           bigint NOT NULL,
    err             text   NOT NULL, -- why it is parked: a code of RFC 8935, section 2.4, or the receiver's own
    description     text   NOT NULL,
    PRIMARY KEY (audience, sequence)
);
CREATE UNIQUE INDEX delivery_notices_jti ON delivery_notices (audience, jti);
CREATE UNIQUE INDEX delivery_notices_leaf ON delivery_notices (audience, leaf_index) WHERE leaf_index >= 0;
CREATE INDEX delivery_notices_waiting ON delivery_notices (audience, sequence) WHERE state = 'waiting';

CREATE TABLE delivery_attempts (
    audience text   NOT NULL,
    sequence bigint NOT NULL,
    number   bigint NOT NULL,
    at       bigint NOT NULL,
    method   text   NOT NULL CHECK (method IN ('push', 'poll')),
    status   bigint NOT NULL, -- what the receiver answered, HTTP; 0 if nobody answered
    latency  bigint NOT NULL, -- microseconds
    problem  text   NOT NULL,
    PRIMARY KEY (audience, sequence, number)
);

CREATE TABLE delivery_streams (
    id               text   NOT NULL PRIMARY KEY,
    audience         text   NOT NULL UNIQUE,
    method           text   NOT NULL CHECK (method IN ('push', 'poll')),
    endpoint         text   NOT NULL, -- of push
    authorization_sealed bytea NOT NULL, -- what the receiver wants to be shown, encrypted like the ledger's bodies; empty if nothing
    events_requested text   NOT NULL, -- JSON array; empty: whatever there is
    description      text   NOT NULL,
    status           text   NOT NULL CHECK (status IN ('enabled', 'paused', 'disabled')),
    reason           text   NOT NULL,
    created_at       bigint NOT NULL,
    verified_at      bigint NOT NULL, -- when a verification was last asked for
    tries            bigint NOT NULL, -- pushes that failed one after the other
    next_at          bigint NOT NULL, -- when to push again
    wakes            bigint NOT NULL, -- counts what gave a reason to look
    lease            text   NOT NULL, -- who pushes now
    leased_until     bigint NOT NULL
);
CREATE INDEX delivery_streams_due ON delivery_streams (next_at, id);

-- Subjects that a receiver does not want to hear of; without a row it hears of all that concern it.
CREATE TABLE delivery_removed (
    stream_id text NOT NULL,
    subject   text NOT NULL,
    PRIMARY KEY (stream_id, subject)
);

-- Access tokens that entities got for their signature (RFC 7523), and the assertions that cannot be used again.
CREATE TABLE auth_access (
    hash       bytea  NOT NULL PRIMARY KEY, -- SHA-256 of the token; the token itself is never kept
    client     text   NOT NULL,
    scope      text   NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX auth_access_expires ON auth_access (expires_at);
CREATE TABLE auth_assertions (
    hash       bytea  NOT NULL PRIMARY KEY, -- SHA-256 of client and jti
    expires_at bigint NOT NULL
);
CREATE INDEX auth_assertions_expires ON auth_assertions (expires_at);

-- +goose Down
DROP TABLE auth_assertions;
DROP TABLE auth_access;
DROP TABLE delivery_removed;
DROP TABLE delivery_streams;
DROP TABLE delivery_attempts;
DROP TABLE delivery_notices;
DROP TABLE delivery_audiences;
DROP TABLE delivery_cursor;

-- +goose Up
-- Officers: who may do what. An officer's id stands in the ledger beside what it did and never changes. What becomes of officers
-- and of their tokens is recorded in the ledger too; until it stands there it waits in auth_records. Times: microseconds UTC.
CREATE TABLE auth_officers (
    id          text NOT NULL PRIMARY KEY,
    name        text NOT NULL,
    name_key    text NOT NULL UNIQUE,
    mail        text NOT NULL,
    mail_key    text NOT NULL,
    role        text NOT NULL,
    created_at  integer NOT NULL,
    disabled_at integer NOT NULL
);
CREATE UNIQUE INDEX auth_officers_mail ON auth_officers (mail_key) WHERE mail_key <> '';
INSERT INTO auth_officers (id, name, name_key, mail, mail_key, role, created_at, disabled_at)
    SELECT replace(label, ' ', '-'), label, lower(label), '', '', 'administrator', created_at, 0 FROM auth_tokens;

ALTER TABLE auth_tokens ADD COLUMN officer text NOT NULL DEFAULT '';
ALTER TABLE auth_tokens ADD COLUMN expires_at integer NOT NULL DEFAULT 0;
ALTER TABLE auth_tokens ADD COLUMN revoked_at integer NOT NULL DEFAULT 0;
UPDATE auth_tokens SET officer = replace(label, ' ', '-');

-- Whoever is signed in signs in again, as an officer.
DROP TABLE auth_sessions;
DROP TABLE auth_links;
CREATE TABLE auth_links (
    hash       blob NOT NULL PRIMARY KEY,
    officer    text NOT NULL,
    expires_at integer NOT NULL
);
CREATE TABLE auth_sessions (
    hash       blob NOT NULL PRIMARY KEY,
    officer    text NOT NULL,
    expires_at integer NOT NULL
);
CREATE TABLE auth_records (
    jti     text NOT NULL PRIMARY KEY,
    said    text NOT NULL,
    made_at integer NOT NULL
);

-- What was answered to a request with an Idempotency-Key, encrypted, since it may hold a secret that is shown once. status is 0 while it runs.
CREATE TABLE auth_requests (
    officer  text NOT NULL,
    key_hash blob NOT NULL,
    request  blob NOT NULL,
    status   integer NOT NULL,
    kind     text NOT NULL,
    answer   blob,
    made_at  integer NOT NULL,
    PRIMARY KEY (officer, key_hash)
);
CREATE INDEX auth_requests_made ON auth_requests (made_at);

-- +goose Down
DROP TABLE auth_requests;
DROP TABLE auth_records;
DROP TABLE auth_sessions;
DROP TABLE auth_links;
CREATE TABLE auth_links (
    hash       blob NOT NULL PRIMARY KEY,
    person     text NOT NULL,
    expires_at integer NOT NULL
);
CREATE TABLE auth_sessions (
    hash       blob NOT NULL PRIMARY KEY,
    person     text NOT NULL,
    expires_at integer NOT NULL
);
ALTER TABLE auth_tokens DROP COLUMN revoked_at;
ALTER TABLE auth_tokens DROP COLUMN expires_at;
ALTER TABLE auth_tokens DROP COLUMN officer;
DROP TABLE auth_officers;

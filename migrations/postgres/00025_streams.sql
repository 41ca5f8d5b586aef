-- +goose Up
-- What a stream is signed with, who changed its status last, and what was said at each attempt.
ALTER TABLE delivery_streams ADD COLUMN algorithm text NOT NULL DEFAULT 'EdDSA' CHECK (algorithm IN ('EdDSA', 'RS256'));
ALTER TABLE delivery_streams ADD COLUMN held boolean NOT NULL DEFAULT false; -- an officer paused or disabled it: the receiver cannot undo that
ALTER TABLE delivery_attempts ADD COLUMN request text NOT NULL DEFAULT ''; -- to which host, what kind of content, of how many bytes; no address in full, no token
ALTER TABLE delivery_attempts ADD COLUMN response text NOT NULL DEFAULT ''; -- the beginning of what was answered, what was sent taken out

-- The keys that sign for streams that ask for RS256. They sign nothing else: what stands in the ledger is signed by the statement key.
CREATE TABLE delivery_keys (
    id         text   NOT NULL PRIMARY KEY, -- kid
    sealed     bytea  NOT NULL, -- PKCS #8, encrypted like the ledger's bodies
    created_at bigint NOT NULL,
    retired_at bigint NOT NULL -- when a newer one took its place; 0 while it signs
);
CREATE INDEX delivery_notices_parked ON delivery_notices (audience, sequence) WHERE state = 'parked';

-- +goose Down
DROP INDEX delivery_notices_parked;
DROP TABLE delivery_keys;
ALTER TABLE delivery_attempts DROP COLUMN response;
ALTER TABLE delivery_attempts DROP COLUMN request;
ALTER TABLE delivery_streams DROP COLUMN held;
ALTER TABLE delivery_streams DROP COLUMN algorithm;

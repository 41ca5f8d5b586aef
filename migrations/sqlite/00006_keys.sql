-- +goose Up
-- Keys over time: which were in force when. A stored SET is judged by the keys of then, so a key that was replaced or
-- taken away stays here with its end. Everything that is folded is folded again with what these tables hold now.
-- Times are microseconds since 1970-01-01 UTC; 9223372036854775807 is an end that nobody has set.
DROP TABLE registry_keys;
CREATE TABLE registry_keys (
    thumbprint        text NOT NULL PRIMARY KEY, -- RFC 7638, so that no key serves two entities, nor comes back
    entity_id         blob NOT NULL,
    entity            text NOT NULL,
    purpose           text NOT NULL CHECK (purpose IN ('statement', 'federation')),
    kid               text NOT NULL,
    jwk               blob NOT NULL,
    place             integer NOT NULL, -- in the set that it came with
    valid_from        integer NOT NULL,
    valid_until       integer NOT NULL,
    reason            text NOT NULL, -- why it ends: rotation, compromise, lost, revoked; empty while it does not
    compromised_since integer NOT NULL, -- 0 if it is not known to be
    leaf_index        integer NOT NULL -- the entry that brought it
);
CREATE INDEX registry_keys_entity ON registry_keys (entity_id, purpose, valid_until);

ALTER TABLE registry_entities ADD COLUMN key_changes integer NOT NULL DEFAULT 0; -- counts keys-changed entries
ALTER TABLE registry_entities ADD COLUMN contact_confirmed_at integer NOT NULL DEFAULT 0;
CREATE INDEX registry_entities_invitation ON registry_entities (invitation);
ALTER TABLE registry_entities DROP COLUMN jwks;
ALTER TABLE registry_entities DROP COLUMN federation_jwks;
DELETE FROM registry_entities;
UPDATE registry_cursor SET next_leaf = 0, generation = generation + 1;

-- One entity may be invited again, when all its keys are lost.
ALTER TABLE registry_invitations RENAME TO registry_invitations_before;
CREATE TABLE registry_invitations (
    token_hash  blob NOT NULL PRIMARY KEY, -- SHA-256 of the token; the token itself is never kept
    id          text NOT NULL UNIQUE,
    entity      text NOT NULL,
    name        text NOT NULL,
    country     text NOT NULL,
    contact     text NOT NULL,
    superior    text NOT NULL,
    lei         text NOT NULL,
    created_at  integer NOT NULL,
    expires_at  integer NOT NULL,
    recovery    text NOT NULL DEFAULT '', -- the recovery it belongs to, empty for a first enrolment
    approval    boolean NOT NULL DEFAULT false -- an officer must approve the enrolment
);
INSERT INTO registry_invitations (token_hash, id, entity, name, country, contact, superior, lei, created_at, expires_at)
SELECT token_hash, id, entity, name, country, contact, superior, lei, created_at, expires_at FROM registry_invitations_before;
DROP TABLE registry_invitations_before;
CREATE UNIQUE INDEX registry_invitations_entity ON registry_invitations (entity) WHERE recovery = '';

-- Enrolments that wait for an officer. One that is approved becomes a fact of the ledger.
CREATE TABLE registry_applications (
    invitation      text NOT NULL PRIMARY KEY,
    entity_id       blob NOT NULL,
    entity          text NOT NULL,
    jwks            blob NOT NULL,
    federation_jwks blob NOT NULL,
    configuration   text NOT NULL,
    received_at     integer NOT NULL,
    decision        text NOT NULL CHECK (decision IN ('', 'approved', 'refused')),
    decided_by      text NOT NULL,
    decided_at      integer NOT NULL,
    reason          text NOT NULL
);
CREATE UNIQUE INDEX registry_applications_entity ON registry_applications (entity_id) WHERE decision <> 'refused';

-- New invitations for entities whose keys are all lost: one officer proposes, another approves.
CREATE TABLE registry_recoveries (
    id          text NOT NULL PRIMARY KEY,
    entity_id   blob NOT NULL,
    reason      text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at integer NOT NULL,
    approved_by text NOT NULL,
    approved_at integer NOT NULL
);
CREATE INDEX registry_recoveries_entity ON registry_recoveries (entity_id, proposed_at);

-- Links by which a contact confirms that it is reached. That it did is a fact of the ledger.
CREATE TABLE registry_confirmations (
    token_hash blob NOT NULL PRIMARY KEY, -- SHA-256 of the token; the token itself is never kept
    id         text NOT NULL UNIQUE,
    entity_id  blob NOT NULL,
    contact    text NOT NULL,
    asked_by   text NOT NULL,
    expires_at integer NOT NULL
);

-- What an entity says of itself since its keys changed, for those whose configuration this gateway serves.
CREATE TABLE registry_configurations (
    entity_id     blob NOT NULL PRIMARY KEY,
    configuration text NOT NULL,
    received_at   integer NOT NULL
);

-- +goose Down
DROP TABLE registry_configurations;
DROP TABLE registry_confirmations;
DROP TABLE registry_recoveries;
DROP TABLE registry_applications;
DELETE FROM registry_invitations WHERE recovery <> '';
DROP INDEX registry_invitations_entity;
ALTER TABLE registry_invitations RENAME TO registry_invitations_after;
CREATE TABLE registry_invitations (
    token_hash  blob NOT NULL PRIMARY KEY, -- SHA-256 of the token; the token itself is never kept
    id          text NOT NULL UNIQUE,
    entity      text NOT NULL UNIQUE,
    name        text NOT NULL,
    country     text NOT NULL,
    contact     text NOT NULL,
    superior    text NOT NULL,
    lei         text NOT NULL,
    created_at  integer NOT NULL,
    expires_at  integer NOT NULL
);
INSERT INTO registry_invitations (token_hash, id, entity, name, country, contact, superior, lei, created_at, expires_at)
SELECT token_hash, id, entity, name, country, contact, superior, lei, created_at, expires_at FROM registry_invitations_after;
DROP TABLE registry_invitations_after;
DELETE FROM registry_entities;
DROP INDEX registry_entities_invitation;
ALTER TABLE registry_entities ADD COLUMN federation_jwks blob NOT NULL DEFAULT '';
ALTER TABLE registry_entities ADD COLUMN jwks blob NOT NULL DEFAULT '';
ALTER TABLE registry_entities DROP COLUMN contact_confirmed_at;
ALTER TABLE registry_entities DROP COLUMN key_changes;
DROP TABLE registry_keys;
CREATE TABLE registry_keys (
    thumbprint text NOT NULL PRIMARY KEY, -- RFC 7638, so that no key serves two entities
    entity     text NOT NULL
);
UPDATE registry_cursor SET next_leaf = 0, generation = generation + 1;

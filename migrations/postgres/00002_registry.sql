-- +goose Up
-- Who the entities are. registry_entities and registry_keys are folded from the ledger (entity-enrolled,
-- relationship-terminated); registry_invitations are promises that are not in the ledger yet.
-- Times are microseconds since 1970-01-01 UTC, so that both stores compare and keep them alike.
CREATE TABLE registry_cursor (
    id          bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    next_leaf   bigint NOT NULL,
    generation  bigint NOT NULL -- counts changes; every gateway process empties its cache when it moves
);
INSERT INTO registry_cursor (id, next_leaf, generation) VALUES (1, 0, 0);

CREATE TABLE registry_invitations (
    token_hash  bytea NOT NULL PRIMARY KEY, -- SHA-256 of the token; the token itself is never kept
    id          text NOT NULL UNIQUE,
    entity      text NOT NULL UNIQUE,
    name        text NOT NULL,
    country     text NOT NULL,
    contact     text NOT NULL,
    superior    text NOT NULL,
    lei         text NOT NULL,
    created_at  bigint NOT NULL,
    expires_at  bigint NOT NULL
);

CREATE TABLE registry_entities (
    id              bytea NOT NULL PRIMARY KEY, -- SHA-256 of the entity identifier
    entity          text NOT NULL UNIQUE,
    name            text NOT NULL,
    country         text NOT NULL,
    superior        text NOT NULL,
    contact         text NOT NULL,
    lei             text NOT NULL,
    tier            bigint NOT NULL,
    status          text NOT NULL CHECK (status IN ('active', 'terminated')),
    jwks            bytea NOT NULL, -- statement keys
    federation_jwks bytea NOT NULL,
    configuration   text NOT NULL, -- the self-signed entity configuration, as it came
    invitation      text NOT NULL,
    enrolled_leaf   bigint NOT NULL,
    enrolled_at     bigint NOT NULL,
    terminated_at   bigint NOT NULL DEFAULT 0
);

CREATE TABLE registry_keys (
    thumbprint text NOT NULL PRIMARY KEY, -- RFC 7638, so that no key serves two entities
    entity     text NOT NULL
);

-- +goose Down
DROP TABLE registry_keys;
DROP TABLE registry_entities;
DROP TABLE registry_invitations;
DROP TABLE registry_cursor;

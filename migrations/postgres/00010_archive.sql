-- +goose Up

-- Written programs, encrypted like the ledger's bodies. body is empty once the document was erased.
CREATE TABLE archive_documents (
    entity_id   bytea     NOT NULL CHECK (octet_length(entity_id) = 32),
    digest      bytea     NOT NULL CHECK (octet_length(digest) = 32), -- SHA-256 of the document
    media_type  TEXT      NOT NULL,
    size        bigint    NOT NULL,
    received_at bigint    NOT NULL, -- microseconds UTC
    erased_at   bigint    NOT NULL DEFAULT 0,
    body        bytea     NOT NULL,
    PRIMARY KEY (entity_id, digest)
);
ALTER TABLE archive_documents ALTER COLUMN body SET STORAGE EXTERNAL; -- what is encrypted does not compress

-- Legal holds, folded from what officers stated: what is held is not erased.
CREATE TABLE archive_holds (
    id          TEXT    PRIMARY KEY, -- jti of the officer-action that placed it
    entity_id   bytea   NOT NULL CHECK (octet_length(entity_id) = 32),
    customer    TEXT    NOT NULL, -- empty: everything of the reseller
    officer     TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    placed_at   bigint  NOT NULL, -- microseconds UTC
    ends_at     bigint  NOT NULL, -- 0: when it is released
    released_at bigint  NOT NULL DEFAULT 0
);
CREATE INDEX archive_holds_entity ON archive_holds (entity_id, id);

-- Customers whose records were erased, and up to which entry: they are not looked at again until something newer is stated.
CREATE TABLE archive_erased (
    entity_id bytea   NOT NULL CHECK (octet_length(entity_id) = 32),
    customer  TEXT    NOT NULL,
    up_to     bigint  NOT NULL, -- leaf index
    PRIMARY KEY (entity_id, customer)
);

CREATE TABLE archive_cursor (
    id        smallint PRIMARY KEY CHECK (id = 1),
    next_leaf bigint  NOT NULL,
    next_at   bigint  NOT NULL -- microseconds UTC: when customers are next looked through
);
INSERT INTO archive_cursor (id, next_leaf, next_at) VALUES (1, 0, 0);

-- +goose Down
DROP TABLE archive_cursor;
DROP TABLE archive_erased;
DROP TABLE archive_holds;
DROP TABLE archive_documents;

-- +goose Up

-- Written programs, encrypted like the ledger's bodies. body is empty once the document was erased.
CREATE TABLE archive_documents (
    entity_id   BLOB      NOT NULL CHECK (length(entity_id) = 32),
    digest      BLOB      NOT NULL CHECK (length(digest) = 32), -- SHA-256 of the document
    media_type  TEXT      NOT NULL,
    size        INTEGER   NOT NULL,
    received_at INTEGER   NOT NULL, -- microseconds UTC
    erased_at   INTEGER   NOT NULL DEFAULT 0,
    body        BLOB      NOT NULL,
    PRIMARY KEY (entity_id, digest)
);

-- Legal holds, folded from what officers stated: what is held is not erased.
CREATE TABLE archive_holds (
    id          TEXT    PRIMARY KEY, -- jti of the officer-action that placed it
    entity_id   BLOB    NOT NULL CHECK (length(entity_id) = 32),
    customer    TEXT    NOT NULL, -- empty: everything of the reseller
    officer     TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    placed_at   INTEGER NOT NULL, -- microseconds UTC
    ends_at     INTEGER NOT NULL, -- 0: when it is released
    released_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX archive_holds_entity ON archive_holds (entity_id, id);

-- Customers whose records were erased, and up to which entry: they are not looked at again until something newer is stated.
CREATE TABLE archive_erased (
    entity_id BLOB    NOT NULL CHECK (length(entity_id) = 32),
    customer  TEXT    NOT NULL,
    up_to     INTEGER NOT NULL, -- leaf index
    PRIMARY KEY (entity_id, customer)
);

CREATE TABLE archive_cursor (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    next_leaf INTEGER NOT NULL,
    next_at   INTEGER NOT NULL -- microseconds UTC: when customers are next looked through
);
INSERT INTO archive_cursor (id, next_leaf, next_at) VALUES (1, 0, 0);

-- +goose Down
DROP TABLE archive_cursor;
DROP TABLE archive_erased;
DROP TABLE archive_holds;
DROP TABLE archive_documents;

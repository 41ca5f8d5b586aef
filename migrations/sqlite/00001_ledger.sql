-- +goose Up

-- One row: the signed head of the tree. Whoever appends compares its size and sets it, in the transaction that also
-- inserts the entries, so a row of any other ledger table exists if and only if the head covers it.
CREATE TABLE ledger_head (
    id          INTEGER   PRIMARY KEY CHECK (id = 1),
    size        INTEGER   NOT NULL CHECK (size >= 0),
    checkpoint  TEXT      NOT NULL,
    accepted_at TIMESTAMP NOT NULL
);

-- Every SET, in the ledger's order. about is the ID of the entity it concerns, digest the SHA-256 of the compact JWS.
CREATE TABLE ledger_entries (
    leaf_index  INTEGER   PRIMARY KEY CHECK (leaf_index >= 0),
    accepted_at TIMESTAMP NOT NULL,
    about       BLOB      NOT NULL CHECK (length(about) = 32),
    kind        TEXT      NOT NULL,
    digest      BLOB      NOT NULL CHECK (length(digest) = 32),
    body        BLOB      NOT NULL
);
CREATE INDEX ledger_entries_about ON ledger_entries (about, leaf_index);
CREATE INDEX ledger_entries_digest ON ledger_entries (digest);

-- What was stated once: 16 bytes of the issuer's hash, then 16 bytes that stand for the jti. A table of its own, so that
-- it can be dropped by time after intake.max_age without touching an entry.
CREATE TABLE ledger_jtis (
    key        BLOB    PRIMARY KEY CHECK (length(key) = 32),
    leaf_index INTEGER NOT NULL
) WITHOUT ROWID;

-- Full tiles of 256 hashes (C2SP tlog-tiles), written once. hash is the root of the tile: an element of the level above.
CREATE TABLE ledger_tiles (
    level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 7),
    n     INTEGER NOT NULL CHECK (n >= 0),
    hash  BLOB    NOT NULL CHECK (length(hash) = 32),
    data  BLOB    NOT NULL CHECK (length(data) = 8192),
    PRIMARY KEY (level, n)
);

-- The ledger forgets nothing: an honest mistake at the sqlite3 prompt is refused here. (A dishonest one is found by the tree.)
-- +goose StatementBegin
CREATE TRIGGER ledger_entries_update BEFORE UPDATE ON ledger_entries
BEGIN SELECT RAISE(ABORT, 'UPDATE on ledger_entries: the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_entries_delete BEFORE DELETE ON ledger_entries
BEGIN SELECT RAISE(ABORT, 'DELETE on ledger_entries: the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_tiles_update BEFORE UPDATE ON ledger_tiles
BEGIN SELECT RAISE(ABORT, 'UPDATE on ledger_tiles: the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_tiles_delete BEFORE DELETE ON ledger_tiles
BEGIN SELECT RAISE(ABORT, 'DELETE on ledger_tiles: the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_head_delete BEFORE DELETE ON ledger_head
BEGIN SELECT RAISE(ABORT, 'DELETE on ledger_head: the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_head_grows BEFORE UPDATE ON ledger_head
WHEN NEW.size < OLD.size OR NEW.accepted_at < OLD.accepted_at
BEGIN SELECT RAISE(ABORT, 'UPDATE on ledger_head: the ledger is append-only'); END;
-- +goose StatementEnd

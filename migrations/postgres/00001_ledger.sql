-- +goose Up

-- One row: the signed head of the tree. Whoever appends compares its size and sets it, in the statement that also
-- inserts the entries, so a row of any other ledger table exists if and only if the head covers it.
CREATE TABLE ledger_head (
    id          smallint    PRIMARY KEY CHECK (id = 1),
    size        bigint      NOT NULL CHECK (size >= 0),
    checkpoint  text        NOT NULL,
    accepted_at timestamptz NOT NULL
);

-- Every SET, in the ledger's order. about is the ID of the entity it concerns, digest the SHA-256 of the compact JWS.
CREATE TABLE ledger_entries (
    leaf_index  bigint      PRIMARY KEY CHECK (leaf_index >= 0),
    accepted_at timestamptz NOT NULL,
    about       bytea       NOT NULL CHECK (octet_length(about) = 32),
    kind        text        NOT NULL,
    digest      bytea       NOT NULL CHECK (octet_length(digest) = 32),
    body        bytea       NOT NULL
);
CREATE INDEX ledger_entries_about ON ledger_entries (about, leaf_index);
CREATE INDEX ledger_entries_digest ON ledger_entries (digest);
-- base64url does not repay the time it takes to compress, and encrypted bodies do not compress at all.
ALTER TABLE ledger_entries ALTER COLUMN body SET STORAGE EXTERNAL;

-- What was stated once: 16 bytes of the issuer's hash, then 16 bytes that stand for the jti. A table of its own, so that
-- it can be partitioned by time and dropped after intake.max_age without touching an entry.
CREATE TABLE ledger_jtis (
    key        bytea  PRIMARY KEY CHECK (octet_length(key) = 32),
    leaf_index bigint NOT NULL
);

-- Full tiles of 256 hashes (C2SP tlog-tiles), written once. hash is the root of the tile: an element of the level above.
CREATE TABLE ledger_tiles (
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    n     bigint   NOT NULL CHECK (n >= 0),
    hash  bytea    NOT NULL CHECK (octet_length(hash) = 32),
    data  bytea    NOT NULL CHECK (octet_length(data) = 8192),
    PRIMARY KEY (level, n)
);
ALTER TABLE ledger_tiles ALTER COLUMN data SET STORAGE EXTERNAL;

-- The ledger forgets nothing: an honest mistake with psql is refused here. (A dishonest one is found by the tree.)
-- +goose StatementBegin
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %: the ledger is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_tiles_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_tiles
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_head_stays BEFORE DELETE OR TRUNCATE ON ledger_head
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_head_grows BEFORE UPDATE ON ledger_head
    FOR EACH ROW WHEN (NEW.size < OLD.size OR NEW.accepted_at < OLD.accepted_at) EXECUTE FUNCTION ledger_refuse();

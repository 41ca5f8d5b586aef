-- +goose Up

-- Which entry wraps which statement, however deep: erasing a statement erases what it was forwarded in too. Folded from the ledger,
-- from its beginning.
CREATE TABLE archive_wrapped (
    issuer_id bytea NOT NULL CHECK (length(issuer_id) = 32), -- of the statement inside
    jti       text NOT NULL,
    digest    bytea NOT NULL CHECK (length(digest) = 32), -- of the entry that wraps it
    wrapper_id bytea NOT NULL CHECK (length(wrapper_id) = 32), -- who forwarded it
    PRIMARY KEY (issuer_id, jti, digest)
);
UPDATE archive_cursor SET next_leaf = 0;

-- +goose Down
DROP TABLE archive_wrapped;

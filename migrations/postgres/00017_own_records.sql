-- +goose Up

-- What a reseller stated of itself alone (attestations with their contact and document, remediations, confirmations of orders): when
-- the first of it may have reached the end of its time. Who has no row was not looked at yet.
CREATE TABLE archive_own (
    entity_id bytea NOT NULL PRIMARY KEY CHECK (length(entity_id) = 32),
    next_at   bigint NOT NULL -- microseconds UTC
);

-- +goose Down
DROP TABLE archive_own;

-- +goose Up
-- That the gateway took submissions at a time: one row, left by whichever process was able, and none before the first start. Times are
-- microseconds since 1970-01-01 UTC: of the machine's clock, which a sandbox's does not move, and of the store's own clock at the same
-- moment. SQLite has no clock but the machine's.
CREATE TABLE outages_mark (
    id        integer NOT NULL PRIMARY KEY CHECK (id = 1),
    marked_at integer NOT NULL,
    store_at  integer NOT NULL
);

-- +goose Down
DROP TABLE outages_mark;

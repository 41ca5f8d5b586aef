-- +goose Up
-- What this database was made for: a gateway's identity never changes, and a sandbox never becomes real.
CREATE TABLE deployment (
    id         integer NOT NULL PRIMARY KEY CHECK (id = 1),
    entity     text NOT NULL,
    log_vkey   text NOT NULL,
    sandbox    boolean NOT NULL,
    clock_offset integer NOT NULL -- microseconds that a sandbox's clock runs ahead
);

-- +goose Down
DROP TABLE deployment;

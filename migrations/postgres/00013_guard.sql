-- +goose Up
-- What the guard counts: one row a statement, reserved before it is appended, so that several nodes never exceed its numbers together,
-- and confirmed by the fold. A row without a leaf index is a reservation.
CREATE TABLE docket_guard (
    jti         text COLLATE "C" NOT NULL PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('closures', 'terminations', 'findings')),
    reseller_id bytea NOT NULL,
    day         bigint NOT NULL, -- days since 1 January 1970, UTC
    at          bigint NOT NULL, -- microseconds UTC
    accounts    bigint NOT NULL, -- of customers, open with the reseller then
    leaf_index  bigint NOT NULL  -- -1 = reserved
);
CREATE INDEX docket_guard_day ON docket_guard (day, kind);
CREATE INDEX docket_guard_findings ON docket_guard (at) WHERE kind = 'findings';
CREATE INDEX docket_guard_reserved ON docket_guard (reseller_id) WHERE leaf_index < 0;

-- +goose Down
DROP TABLE docket_guard;

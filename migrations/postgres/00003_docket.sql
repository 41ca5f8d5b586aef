-- +goose Up
-- One file a reseller: its folded history and case, and when somebody must look at it again.
-- Everything here is folded from the ledger; `cipgate rebuild` drops it and folds again.
CREATE TABLE docket_cursor (
    id        bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    next_leaf bigint NOT NULL
);
INSERT INTO docket_cursor (id, next_leaf) VALUES (1, 0);

CREATE TABLE docket_files (
    id       bytea NOT NULL PRIMARY KEY, -- SHA-256 of the entity identifier
    entity   text NOT NULL UNIQUE,
    name     text NOT NULL,
    country  text NOT NULL,
    standing text NOT NULL,
    history  text NOT NULL, -- JSON
    escalation text NOT NULL, -- JSON of the case
    seen     bigint NOT NULL, -- leaf index of the newest entry about it that was folded
    next_at  bigint NOT NULL, -- microseconds UTC; 0 = judge at once; 9223372036854775807 = never
    step_what   text NOT NULL,
    step_at     bigint NOT NULL,
    step_unless text NOT NULL,
    limit_at    bigint NOT NULL
);
CREATE INDEX docket_files_next ON docket_files (next_at);
CREATE INDEX docket_files_name ON docket_files (name, id);

-- +goose Down
DROP TABLE docket_files;
DROP TABLE docket_cursor;

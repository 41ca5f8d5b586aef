-- +goose Up
-- What the provider owes an authority, folded from the ledger under the docket's cursor.
CREATE TABLE docket_obligations (
    id         text NOT NULL PRIMARY KEY,
    about_id   blob NOT NULL, -- the reseller, or the gateway
    kind       text NOT NULL,
    opened_at  integer NOT NULL,
    due_at     integer NOT NULL,
    closed_at  integer NOT NULL, -- 0 while it is open
    record     text NOT NULL
);
CREATE INDEX docket_obligations_due ON docket_obligations (due_at, id);
CREATE INDEX docket_obligations_open ON docket_obligations (due_at, id) WHERE closed_at = 0;
CREATE INDEX docket_obligations_about ON docket_obligations (about_id, due_at, id);

-- Until when an officer must call a reseller, or send a courier, so that its next step is taken at its time; the far end of time if nobody must.
ALTER TABLE docket_files ADD COLUMN call_at integer NOT NULL DEFAULT 9223372036854775807;
CREATE INDEX docket_files_call ON docket_files (call_at, id) WHERE call_at < 9223372036854775807;

-- +goose Down
DROP INDEX docket_files_call;
ALTER TABLE docket_files DROP COLUMN call_at;
DROP TABLE docket_obligations;

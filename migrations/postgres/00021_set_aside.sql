-- +goose Up
-- A file that could not be settled is set aside and tried again later: since when that is so, in microseconds UTC, and why. 0 = it is not.
ALTER TABLE docket_files ADD COLUMN failed_at bigint NOT NULL DEFAULT 0;
ALTER TABLE docket_files ADD COLUMN failure text NOT NULL DEFAULT '';
CREATE INDEX docket_files_failed ON docket_files (failed_at, id) WHERE failed_at > 0;

-- Files that are woken all at once are due at the same time: the index gives them out in order, page by page.
DROP INDEX docket_files_next;
CREATE INDEX docket_files_next ON docket_files (next_at, id);

-- The policy that was put in force last, as far as was folded; empty while none was. A gateway that runs with another one decides nothing.
ALTER TABLE docket_house ADD COLUMN policy text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE docket_house DROP COLUMN policy;
DROP INDEX docket_files_next;
CREATE INDEX docket_files_next ON docket_files (next_at);
DROP INDEX docket_files_failed;
ALTER TABLE docket_files DROP COLUMN failure;
ALTER TABLE docket_files DROP COLUMN failed_at;

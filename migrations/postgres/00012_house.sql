-- +goose Up
-- What bears on every case and is about none, folded from the entries about the gateway; how many resellers there are; and since when
-- the guard on findings holds. `cipgate rebuild` drops it and folds again.
CREATE TABLE docket_house (
    id         bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    house      text NOT NULL, -- JSON
    resellers  bigint NOT NULL, -- enrolled and not terminated
    tripped_at bigint NOT NULL -- microseconds UTC; 0 = the guard on findings holds nothing
);
INSERT INTO docket_house (id, house, resellers, tripped_at) VALUES (1, '{}', 0, 0);

-- When the first step falls due about which people are asked now; 9223372036854775807 = nobody is asked.
ALTER TABLE docket_files ADD COLUMN approval_at bigint NOT NULL DEFAULT 9223372036854775807;
ALTER TABLE docket_files ADD COLUMN step_waits text NOT NULL DEFAULT ''; -- what the next step waits for beside its time
CREATE INDEX docket_files_approval ON docket_files (approval_at, id) WHERE approval_at < 9223372036854775807;
CREATE INDEX docket_files_open ON docket_files (step_at, id) WHERE standing IN ('warned', 'restricted', 'closing');

-- +goose Down
DROP INDEX docket_files_open;
DROP INDEX docket_files_approval;
ALTER TABLE docket_files DROP COLUMN step_waits;
ALTER TABLE docket_files DROP COLUMN approval_at;
DROP TABLE docket_house;

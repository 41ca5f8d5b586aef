-- +goose Up
-- What the screener and the policy's definition of a covered training find, and what must be stated of it. Times are microseconds UTC.

-- The resellers of whom a special measure prohibits somebody, or did, and when what was stated of it is held against the hits again.
CREATE TABLE docket_prohibitions (
    reseller_id bytea NOT NULL PRIMARY KEY,
    marked      bigint NOT NULL, -- counts how often its hits or its customers' accounts may have changed
    due_at      bigint NOT NULL -- 0 = at once
);
CREATE INDEX docket_prohibitions_due ON docket_prohibitions (due_at, reseller_id);

ALTER TABLE docket_customers ADD COLUMN accounts_open bigint NOT NULL DEFAULT 0;
ALTER TABLE docket_hits ADD COLUMN customer_key bytea NOT NULL DEFAULT '\x00'; -- as in docket_customers; of a reseller its id

-- Whether the training is to be held against the definition, since it was reported, its customer changed or the definition moved.
ALTER TABLE docket_trainings ADD COLUMN to_judge bigint NOT NULL DEFAULT 1;
CREATE INDEX docket_trainings_judge ON docket_trainings (key) WHERE to_judge > 0;
CREATE TABLE docket_definition (
    id         bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    definition text NOT NULL -- that every training was, or is to be, held against
);
INSERT INTO docket_definition (id, definition) VALUES (1, '');

-- What was folded before histories held these facts is folded and screened again.
DELETE FROM docket_files;
DELETE FROM docket_customers;
DELETE FROM docket_owners;
DELETE FROM docket_accounts;
DELETE FROM docket_trainings;
DELETE FROM docket_countries;
DELETE FROM docket_hits;
DELETE FROM docket_hit_decisions;
DELETE FROM docket_measures;
UPDATE docket_cursor SET next_leaf = 0;
UPDATE docket_screening SET turn = turn + 1, next_leaf = 0, walk = '', at_key = '\x00';

-- +goose Down
DROP TABLE docket_definition;
DROP INDEX docket_trainings_judge;
ALTER TABLE docket_trainings DROP COLUMN to_judge;
ALTER TABLE docket_hits DROP COLUMN customer_key;
ALTER TABLE docket_customers DROP COLUMN accounts_open;
DROP TABLE docket_prohibitions;

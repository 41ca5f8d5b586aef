-- +goose Up
-- Every order of the gateway and what became of it, folded with the files, in the same transaction and under the same cursor. Times are
-- microseconds UTC.
CREATE TABLE docket_orders (
    jti          text COLLATE "C" NOT NULL PRIMARY KEY,
    leaf_index   bigint NOT NULL,
    reseller_id  bytea NOT NULL,
    successor_id bytea NOT NULL, -- of a hand-over who takes the customers; else empty
    case_id      text NOT NULL,
    name         text NOT NULL, -- no-new-accounts, reseller-account, customer-accounts, remaining-accounts, hand-over
    state        text NOT NULL CHECK (state IN ('open', 'confirmed', 'withdrawn')),
    due_at       bigint NOT NULL, -- by when it is to be confirmed
    record       text NOT NULL -- JSON
);
CREATE UNIQUE INDEX docket_orders_leaf ON docket_orders (leaf_index);
CREATE INDEX docket_orders_reseller ON docket_orders (reseller_id, leaf_index);
CREATE INDEX docket_orders_successor ON docket_orders (successor_id, leaf_index);
CREATE INDEX docket_orders_state ON docket_orders (state, leaf_index);
CREATE INDEX docket_orders_open ON docket_orders (due_at) WHERE state = 'open';

-- The resellers of which those below may have to be told how they stand, or no more: to be looked at.
CREATE TABLE docket_superiors (
    reseller_id bytea NOT NULL PRIMARY KEY,
    marked      bigint NOT NULL -- counts how often
);
ALTER TABLE docket_files ADD COLUMN superior_id bytea NOT NULL DEFAULT ''::bytea; -- who stands right above; empty before it is enrolled
CREATE INDEX docket_files_superior ON docket_files (superior_id, id);

-- What was folded before these facts were kept is folded again.
DELETE FROM docket_files;
DELETE FROM docket_customers;
DELETE FROM docket_owners;
DELETE FROM docket_accounts;
DELETE FROM docket_trainings;
DELETE FROM docket_countries;
DELETE FROM docket_guard;
DELETE FROM docket_obligations;
UPDATE docket_house SET house = '{}', resellers = 0, policy = '' WHERE id = 1;
UPDATE docket_cursor SET next_leaf = 0;

-- +goose Down
DROP INDEX docket_files_superior;
ALTER TABLE docket_files DROP COLUMN superior_id;
DROP TABLE docket_superiors;
DROP TABLE docket_orders;

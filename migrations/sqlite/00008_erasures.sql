-- +goose Up

-- What was erased on request or on schedule. The trigger lets a body change only where its entry is named here, and nothing else
-- of an entry ever.
CREATE TABLE ledger_erasures (
    leaf_index INTEGER   PRIMARY KEY,
    erased_at  TIMESTAMP NOT NULL
);

DROP TRIGGER ledger_entries_update;
-- +goose StatementBegin
CREATE TRIGGER ledger_entries_update BEFORE UPDATE ON ledger_entries
WHEN NEW.leaf_index IS NOT OLD.leaf_index OR NEW.accepted_at IS NOT OLD.accepted_at OR NEW.about IS NOT OLD.about
  OR NEW.kind IS NOT OLD.kind OR NEW.digest IS NOT OLD.digest
  OR NOT EXISTS (SELECT 1 FROM ledger_erasures WHERE leaf_index = OLD.leaf_index)
BEGIN SELECT RAISE(ABORT, 'UPDATE on ledger_entries: the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_erasures_update BEFORE UPDATE ON ledger_erasures
BEGIN SELECT RAISE(ABORT, 'UPDATE on ledger_erasures: the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_erasures_delete BEFORE DELETE ON ledger_erasures
BEGIN SELECT RAISE(ABORT, 'DELETE on ledger_erasures: the ledger is append-only'); END;
-- +goose StatementEnd

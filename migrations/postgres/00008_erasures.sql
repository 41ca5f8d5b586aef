-- +goose Up

-- What was erased on request or on schedule. The trigger lets a body change only where its entry is named here, and nothing else
-- of an entry ever.
CREATE TABLE ledger_erasures (
    leaf_index bigint      PRIMARY KEY,
    erased_at  timestamptz NOT NULL
);

-- +goose StatementBegin
CREATE FUNCTION ledger_refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.leaf_index, NEW.accepted_at, NEW.about, NEW.kind, NEW.digest) IS DISTINCT FROM (OLD.leaf_index, OLD.accepted_at, OLD.about, OLD.kind, OLD.digest)
        OR NOT EXISTS (SELECT FROM ledger_erasures WHERE leaf_index = OLD.leaf_index) THEN
        RAISE EXCEPTION '% on %: the ledger is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
DROP TRIGGER ledger_entries_append_only ON ledger_entries;
CREATE TRIGGER ledger_entries_append_only BEFORE DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_entries_erase_only BEFORE UPDATE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_update();
CREATE TRIGGER ledger_erasures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_erasures
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

-- +goose Up
-- What one officer proposed and another must confirm: a fold of the officers' actions in the ledger. Times: microseconds UTC.
CREATE TABLE desk_cursor (
    id        smallint NOT NULL PRIMARY KEY CHECK (id = 1),
    next_leaf bigint NOT NULL
);
INSERT INTO desk_cursor (id, next_leaf) VALUES (1, 0);
CREATE TABLE desk_proposals (
    id          text NOT NULL PRIMARY KEY,
    leaf_index  bigint NOT NULL,
    about       text NOT NULL,
    action      text NOT NULL,
    subject     text NOT NULL,
    officer     text NOT NULL,
    proposed_at bigint NOT NULL,
    closed_at   bigint NOT NULL
);
CREATE INDEX desk_proposals_open ON desk_proposals (proposed_at, id) WHERE closed_at = 0;

-- Resellers of which a finding or a case is open.
CREATE INDEX desk_cases ON docket_files (id) WHERE standing IN ('watch', 'warned', 'restricted', 'closing');

-- +goose Down
DROP INDEX desk_cases;
DROP TABLE desk_proposals;
DROP TABLE desk_cursor;

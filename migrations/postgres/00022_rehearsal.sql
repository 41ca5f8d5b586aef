-- +goose Up
-- Backtests that officers asked the gateway for. What came of each is stated in the ledger; the whole report is here. Times: microseconds UTC.
CREATE TABLE rehearsal_backtests (
    id           text NOT NULL PRIMARY KEY, -- also the jti of what is stated
    policy       text NOT NULL,
    digest       text NOT NULL, -- SHA-256 of the file, base64url
    document     text NOT NULL,
    officer      text NOT NULL,
    officer_name text NOT NULL,
    reason       text NOT NULL,
    asked_at     bigint NOT NULL,
    state        text NOT NULL, -- asked, running, done, failed
    leased_until bigint NOT NULL, -- by the machine's clock; 0 = nobody makes it
    done         bigint NOT NULL, -- resellers
    of_all       bigint NOT NULL,
    report       text NOT NULL, -- JSON; empty until it is done
    failure      text NOT NULL,
    leaf_index   bigint NOT NULL -- -1 = not stated yet
);
CREATE INDEX rehearsal_backtests_asked ON rehearsal_backtests (asked_at, id);
CREATE INDEX rehearsal_backtests_open ON rehearsal_backtests (asked_at, id) WHERE state IN ('asked', 'running');

-- What a shadow would have stated of each reseller, and what was, since it began: computed from the ledger, dropped with the shadow.
CREATE TABLE rehearsal_shadow_files (
    reseller_id bytea NOT NULL PRIMARY KEY,
    shadow      text NOT NULL, -- jti of the entry that started it
    entity      text NOT NULL,
    seen        bigint NOT NULL, -- leaf index of the last entry about the reseller that was replayed
    until       bigint NOT NULL, -- up to when it was replayed
    turns_at    bigint NOT NULL, -- when its answer turns next, nothing new being said; 0 = never
    standing    text NOT NULL,
    live        text NOT NULL, -- how it really stands
    would       text NOT NULL, -- JSON
    was         text NOT NULL  -- JSON
);

-- Where the two differed, a day at a time. A report that was told stays as it was told.
CREATE TABLE rehearsal_shadow_reports (
    shadow  text NOT NULL,
    day     text NOT NULL, -- YYYY-MM-DD, UTC
    made_at bigint NOT NULL,
    report  text NOT NULL, -- JSON
    PRIMARY KEY (shadow, day)
);

-- From which likeness of two names on, in percent, everybody on file was screened. Another policy may have another one: then all are again.
ALTER TABLE docket_screening ADD COLUMN likeness bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE docket_screening DROP COLUMN likeness;
DROP TABLE rehearsal_shadow_reports;
DROP TABLE rehearsal_shadow_files;
DROP TABLE rehearsal_backtests;

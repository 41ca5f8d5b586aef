-- +goose Up
-- Who falls under a special measure. Everything here follows from the ledger and the docket's files and customers;
-- `cipgate rebuild` drops it and screens again. Times are microseconds UTC.

-- How far screening has come. Whoever writes any of these tables moves turn, from where it was read.
CREATE TABLE docket_screening (
    id          integer NOT NULL PRIMARY KEY CHECK (id = 1),
    turn        integer NOT NULL,
    next_leaf   integer NOT NULL, -- entries before it are screened
    walk        text NOT NULL CHECK (walk IN ('', 'resellers', 'customers', 'owners')), -- what of all that is on file is screened again now
    at_key      blob NOT NULL -- the last of them that was; a zero before the first
);
INSERT INTO docket_screening (id, turn, next_leaf, walk, at_key) VALUES (1, 0, 0, '', x'00');

-- The versions of measures that are in force or will be.
CREATE TABLE docket_measures (
    leaf_index integer NOT NULL PRIMARY KEY, -- of the entry that imposed it
    measure    text NOT NULL,
    from_at    integer NOT NULL,
    until_at   integer NOT NULL,
    screened   integer NOT NULL CHECK (screened IN (0, 1, 2)), -- all that is on file: 1 = since it was imposed, 2 = since it came into force
    walking    integer NOT NULL CHECK (walking IN (0, 1, 2)) -- what screened will be when the walk is over
);

CREATE TABLE docket_hits (
    id           text NOT NULL PRIMARY KEY,
    measure_leaf integer NOT NULL,
    measure      text NOT NULL,
    list         text NOT NULL, -- with its version
    prohibits    boolean NOT NULL,
    party        text NOT NULL CHECK (party IN ('reseller', 'customer', 'owner')),
    reseller_id  blob NOT NULL,
    reseller     text NOT NULL,
    key          blob NOT NULL, -- as in docket_customers and docket_owners; of a reseller its id
    customer     text NOT NULL,
    owner        text NOT NULL,
    ground       text NOT NULL CHECK (ground IN ('country', 'name')),
    places       text NOT NULL,
    score        integer NOT NULL, -- percent
    decided      text NOT NULL CHECK (decided IN ('certain', 'hint')),
    decision     text NOT NULL CHECK (decision IN ('', 'cleared', 'confirmed')), -- an officer's
    leaf_index   integer NOT NULL, -- of the entry that says so of the party
    since_at     integer NOT NULL,
    from_at      integer NOT NULL,
    until_at     integer NOT NULL
);
CREATE INDEX docket_hits_party ON docket_hits (party, key);
CREATE INDEX docket_hits_measure ON docket_hits (measure_leaf, id);
CREATE INDEX docket_hits_reseller ON docket_hits (reseller_id, measure_leaf, id);
CREATE INDEX docket_hits_prohibited ON docket_hits (reseller_id, until_at) WHERE prohibits AND (decided = 'certain' OR decision = 'confirmed');
CREATE INDEX docket_hits_open ON docket_hits (measure_leaf, id) WHERE decided = 'hint' AND decision = '';

-- What officers said of hints. It outlives the hit, which is written anew whenever its party is screened.
CREATE TABLE docket_hit_decisions (
    hit          text NOT NULL PRIMARY KEY,
    measure_leaf integer NOT NULL,
    decision     text NOT NULL CHECK (decision IN ('cleared', 'confirmed')),
    score        integer NOT NULL, -- of the hit that the officer saw
    officer      text NOT NULL,
    decided_at   integer NOT NULL,
    leaf_index   integer NOT NULL
);
CREATE INDEX docket_hit_decisions_measure ON docket_hit_decisions (measure_leaf);

ALTER TABLE docket_files ADD COLUMN exempt_until integer NOT NULL DEFAULT 0; -- 0 = it never was
CREATE INDEX docket_files_exempt ON docket_files (id) WHERE exempt_until > 0;

-- +goose Down
DROP INDEX docket_files_exempt;
ALTER TABLE docket_files DROP COLUMN exempt_until;
DROP TABLE docket_hit_decisions;
DROP TABLE docket_hits;
DROP TABLE docket_measures;
DROP TABLE docket_screening;

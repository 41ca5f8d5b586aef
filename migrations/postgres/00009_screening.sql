-- +goose Up
-- Who falls under a special measure. Everything here follows from the ledger and the docket's files and customers;
-- `cipgate rebuild` drops it and screens again. Times are microseconds UTC.

-- How far screening has come. Whoever writes any of these tables moves turn, from where it was read.
CREATE TABLE docket_screening (
    id          bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    turn        bigint NOT NULL,
    next_leaf   bigint NOT NULL, -- entries before it are screened
    walk        text NOT NULL CHECK (walk IN ('', 'resellers', 'customers', 'owners')), -- what of all that is on file is screened again now
    at_key      bytea NOT NULL -- the last of them that was; a zero before the first
);
INSERT INTO docket_screening (id, turn, next_leaf, walk, at_key) VALUES (1, 0, 0, '', '\x00');

-- The versions of measures that are in force or will be.
CREATE TABLE docket_measures (
    leaf_index bigint NOT NULL PRIMARY KEY, -- of the entry that imposed it
    measure    text NOT NULL,
    from_at    bigint NOT NULL,
    until_at   bigint NOT NULL,
    screened   bigint NOT NULL CHECK (screened IN (0, 1, 2)), -- all that is on file: 1 = since it was imposed, 2 = since it came into force
    walking    bigint NOT NULL CHECK (walking IN (0, 1, 2)) -- what screened will be when the walk is over
);

CREATE TABLE docket_hits (
    id           text COLLATE "C" NOT NULL PRIMARY KEY,
    measure_leaf bigint NOT NULL,
    measure      text NOT NULL,
    list         text NOT NULL, -- with its version
    prohibits    boolean NOT NULL,
    party        text NOT NULL CHECK (party IN ('reseller', 'customer', 'owner')),
    reseller_id  bytea NOT NULL,
    reseller     text NOT NULL,
    key          bytea NOT NULL, -- as in docket_customers and docket_owners; of a reseller its id
    customer     text NOT NULL,
    owner        text NOT NULL,
    ground       text NOT NULL CHECK (ground IN ('country', 'name')),
    places       text NOT NULL,
    score        bigint NOT NULL, -- percent
    decided      text NOT NULL CHECK (decided IN ('certain', 'hint')),
    decision     text NOT NULL CHECK (decision IN ('', 'cleared', 'confirmed')), -- an officer's
    leaf_index   bigint NOT NULL, -- of the entry that says so of the party
    since_at     bigint NOT NULL,
    from_at      bigint NOT NULL,
    until_at     bigint NOT NULL
);
CREATE INDEX docket_hits_party ON docket_hits (party, key);
CREATE INDEX docket_hits_measure ON docket_hits (measure_leaf, id);
CREATE INDEX docket_hits_reseller ON docket_hits (reseller_id, measure_leaf, id);
CREATE INDEX docket_hits_prohibited ON docket_hits (reseller_id, until_at) WHERE prohibits AND (decided = 'certain' OR decision = 'confirmed');
CREATE INDEX docket_hits_open ON docket_hits (measure_leaf, id) WHERE decided = 'hint' AND decision = '';

-- What officers said of hints. It outlives the hit, which is written anew whenever its party is screened.
CREATE TABLE docket_hit_decisions (
    hit          text COLLATE "C" NOT NULL PRIMARY KEY,
    measure_leaf bigint NOT NULL,
    decision     text NOT NULL CHECK (decision IN ('cleared', 'confirmed')),
    score        bigint NOT NULL, -- of the hit that the officer saw
    officer      text NOT NULL,
    decided_at   bigint NOT NULL,
    leaf_index   bigint NOT NULL
);
CREATE INDEX docket_hit_decisions_measure ON docket_hit_decisions (measure_leaf);

ALTER TABLE docket_files ADD COLUMN exempt_until bigint NOT NULL DEFAULT 0; -- 0 = it never was
CREATE INDEX docket_files_exempt ON docket_files (id) WHERE exempt_until > 0;

-- +goose Down
DROP INDEX docket_files_exempt;
ALTER TABLE docket_files DROP COLUMN exempt_until;
DROP TABLE docket_hit_decisions;
DROP TABLE docket_hits;
DROP TABLE docket_measures;
DROP TABLE docket_screening;

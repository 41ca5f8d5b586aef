-- +goose Up
-- What resellers stated of their customers: folded with the files, in the same transaction and under the same cursor.
-- No page counts these rows: the counters stand in each file's history, and in docket_countries over all resellers.
-- A key is the reseller's id, and behind it the reseller's own opaque ids, with a unit separator (U+001F) between them.
CREATE TABLE docket_customers (
    key              blob NOT NULL PRIMARY KEY, -- of the customer
    reseller_id      blob NOT NULL,
    state            text NOT NULL CHECK (state IN ('verified', 'not-verified', 'unstated')),
    country          text NOT NULL, -- ISO 3166-1 alpha-2, empty if none was named
    risk_tier        text NOT NULL,
    verified_on      integer NOT NULL, -- the day as yyyymmdd; 0 unless the state is verified
    again_on         integer NOT NULL, -- verified_on of who has an open account and will have to be verified again; else 0
    unverified_since integer NOT NULL, -- microseconds UTC; 0 = nothing is open that should be verified
    record           text NOT NULL -- JSON
);
CREATE INDEX docket_customers_state ON docket_customers (reseller_id, state, key);
CREATE INDEX docket_customers_country ON docket_customers (reseller_id, country, key);
CREATE INDEX docket_customers_unverified ON docket_customers (reseller_id, unverified_since, key) WHERE unverified_since > 0;
CREATE INDEX docket_customers_again ON docket_customers (reseller_id, risk_tier, again_on, key) WHERE again_on > 0;
CREATE INDEX docket_customers_age ON docket_customers (reseller_id, risk_tier, verified_on, key) WHERE verified_on > 0;

CREATE TABLE docket_owners (
    key    blob NOT NULL PRIMARY KEY, -- of the customer and the owner
    record text NOT NULL
);

CREATE TABLE docket_accounts (
    key    blob NOT NULL PRIMARY KEY, -- of the customer and the account
    record text NOT NULL
);

CREATE TABLE docket_trainings (
    key         blob NOT NULL PRIMARY KEY, -- of the transaction
    reseller_id blob NOT NULL,
    customer    text NOT NULL,
    first_leaf  integer NOT NULL, -- of its first report: newest first is how it is listed
    record      text NOT NULL
);
CREATE INDEX docket_trainings_leaf ON docket_trainings (reseller_id, first_leaf);
CREATE INDEX docket_trainings_customer ON docket_trainings (reseller_id, customer, first_leaf);

CREATE TABLE docket_countries (
    country        text NOT NULL PRIMARY KEY,
    customers      integer NOT NULL,
    foreign_owners integer NOT NULL
);

-- What was folded before these tables were there is folded again.
DELETE FROM docket_files;
UPDATE docket_cursor SET next_leaf = 0;

-- +goose Down
DROP TABLE docket_countries;
DROP TABLE docket_trainings;
DROP TABLE docket_accounts;
DROP TABLE docket_owners;
DROP TABLE docket_customers;

-- +goose Up
-- Feeds of dates: the token in a feed's address is kept as its digest alone.
CREATE TABLE calendar_feeds (
    id         text   NOT NULL PRIMARY KEY,
    digest     bytea NOT NULL UNIQUE, -- SHA-256 of the token
    reseller   text   NOT NULL, -- entity identifier; empty: the steps of all resellers, for an officer
    made_by    text   NOT NULL, -- who asked for it
    made_at    bigint NOT NULL,
    revoked_at bigint NOT NULL -- 0 while it holds
);
CREATE INDEX calendar_feeds_made ON calendar_feeds (made_at, id);

-- What a feed last said of each date: whoever holds an older copy takes the newer one (RFC 5545, section 3.8.7.4).
CREATE TABLE calendar_events (
    uid        text   NOT NULL PRIMARY KEY,
    digest     bytea NOT NULL, -- SHA-256 of what it says
    sequence   bigint NOT NULL,
    changed_at bigint NOT NULL
);

-- +goose Down
DROP TABLE calendar_events;
DROP TABLE calendar_feeds;

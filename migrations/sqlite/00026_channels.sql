-- +goose Up
-- The channels by which a step's notice goes while nothing proves that it came. Times are microseconds since 1970-01-01 UTC, 0 for never.

-- A reseller's second contact. Its address stands here alone, and goes when an officer takes it off: the ledger names it by an id.
CREATE TABLE registry_second_contacts (
    entity_id    blob NOT NULL PRIMARY KEY CHECK (length(entity_id) = 32),
    contact_id   text   NOT NULL, -- as the ledger names it
    address      text   NOT NULL,
    confirmed_at integer NOT NULL -- folded from the ledger
);

-- One row for each channel that a step's notice may take after the first ones.
CREATE TABLE delivery_channels (
    about        text   NOT NULL, -- the reseller
    jti          text   NOT NULL, -- of the statement that it is told
    channel      text   NOT NULL CHECK (channel IN ('second-contact', 'phone', 'superior')),
    kind         text   NOT NULL,
    leaf_index   integer NOT NULL,
    digest       blob NOT NULL,
    addressed_at integer NOT NULL,
    due_at       integer NOT NULL,
    next_at      integer NOT NULL, -- when it is looked at again; 9223372036854775807 once it is settled
    state        text   NOT NULL CHECK (state IN ('due', 'taken', 'spared')),
    settled_at   integer NOT NULL,
    why          text   NOT NULL, -- why it was spared, or what it waits for
    audience     text   NOT NULL, -- who was told
    PRIMARY KEY (about, jti, channel)
);
CREATE INDEX delivery_channels_next ON delivery_channels (next_at, about, jti, due_at);

-- +goose Down
DROP TABLE delivery_channels;
DROP TABLE registry_second_contacts;

-- +goose Up
-- Who may use /v1 and the dashboard. Secrets are kept as SHA-256 only. Times: microseconds UTC.
CREATE TABLE auth_tokens (
    hash       blob NOT NULL PRIMARY KEY,
    label      text NOT NULL UNIQUE,
    created_at integer NOT NULL
);
CREATE TABLE auth_links (
    hash       blob NOT NULL PRIMARY KEY,
    person     text NOT NULL,
    expires_at integer NOT NULL
);
CREATE TABLE auth_sessions (
    hash       blob NOT NULL PRIMARY KEY,
    person     text NOT NULL,
    expires_at integer NOT NULL
);

-- +goose Down
DROP TABLE auth_sessions;
DROP TABLE auth_links;
DROP TABLE auth_tokens;

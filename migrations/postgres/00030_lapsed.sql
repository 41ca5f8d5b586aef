-- +goose Up
-- Until when the API tokens of the provider's systems are in force, folded from the ledger: nothing goes to a system whose token lapsed.
CREATE TABLE delivery_tokens (
    audience   text    NOT NULL PRIMARY KEY,
    expires_at bigint  NOT NULL, -- microseconds, by the clock on the wall; 0: never
    lapsed     boolean NOT NULL DEFAULT false
);
INSERT INTO delivery_tokens (audience, expires_at) SELECT 'system:' || label, expires_at FROM auth_tokens WHERE revoked_at = 0 AND expires_at > 0;
CREATE INDEX delivery_tokens_ends ON delivery_tokens (expires_at) WHERE NOT lapsed;

-- +goose Down
DROP TABLE delivery_tokens;

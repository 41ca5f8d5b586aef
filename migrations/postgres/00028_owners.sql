-- +goose Up
-- Whose a system's stream is, who of them was shut out, and which receivers took what they were last sent.
ALTER TABLE delivery_streams ADD COLUMN owner text NOT NULL DEFAULT ''; -- an officer's id; empty for a reseller's stream
ALTER TABLE delivery_streams ADD COLUMN proven boolean NOT NULL DEFAULT false;
UPDATE delivery_streams SET proven = true WHERE tries = 0;
UPDATE delivery_streams SET owner = COALESCE((SELECT t.officer FROM auth_tokens t WHERE t.label = substr(delivery_streams.audience, 8)), '')
    WHERE audience LIKE 'system:%';

-- Officers whose accounts are disabled, folded from the ledger: nothing goes over the streams that are theirs.
CREATE TABLE delivery_shut_out (
    officer text NOT NULL PRIMARY KEY
);
INSERT INTO delivery_shut_out (officer) SELECT id FROM auth_officers WHERE disabled_at > 0;

-- +goose Down
DROP TABLE delivery_shut_out;
ALTER TABLE delivery_streams DROP COLUMN proven;
ALTER TABLE delivery_streams DROP COLUMN owner;

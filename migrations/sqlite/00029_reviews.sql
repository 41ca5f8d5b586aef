-- +goose Up
-- When the oldest answer came that waits for an officer; 9223372036854775807 = none waits. Of files that were written before, those that may
-- have one are looked through until they are written again.
ALTER TABLE docket_files ADD COLUMN review_at integer NOT NULL DEFAULT 9223372036854775807;
UPDATE docket_files SET review_at = 0 WHERE standing NOT IN ('pending', 'good');
CREATE INDEX docket_files_review ON docket_files (review_at, id) WHERE review_at < 9223372036854775807;

-- +goose Down
DROP INDEX docket_files_review;
ALTER TABLE docket_files DROP COLUMN review_at;

-- +goose Up
-- What is written for each message and hardly ever read.
DROP INDEX message_address;
-- Whether the platform tells by a time what has been read: only then parts are
-- looked for by when they were sent.
ALTER TABLE part ADD COLUMN watched BIGINT NOT NULL DEFAULT 1;
DROP INDEX part_unread;
CREATE INDEX part_unread ON part (address_id, sent_at) WHERE watched = 1 AND state IN ('sent', 'delivered');

-- +goose Down
DROP INDEX part_unread;
ALTER TABLE part DROP COLUMN watched;
CREATE INDEX part_unread ON part (address_id, sent_at) WHERE state IN ('sent', 'delivered');
CREATE INDEX message_address ON message (address_id, id);

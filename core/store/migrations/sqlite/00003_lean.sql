-- +goose Up
-- There is one shard here, so that its lanes are found by their names.
DROP INDEX item_shard;
-- What is open and what has ended, apart: a message is in the one or the other.
DROP INDEX message_open;
DROP INDEX message_ended;
CREATE INDEX message_open ON message (state, id) WHERE state IN ('queued', 'sending');
CREATE INDEX message_ended ON message (state, changed_at) WHERE state NOT IN ('queued', 'sending');
-- Receipts for what is not ours are purged in the end.
CREATE INDEX early_receipt_at ON early_receipt (delivered_at, read_at);

-- +goose Down
DROP INDEX early_receipt_at;
DROP INDEX message_ended;
DROP INDEX message_open;
CREATE INDEX message_open ON message (address_id, id) WHERE state IN ('queued', 'sending');
CREATE INDEX message_ended ON message (state, changed_at);
CREATE INDEX item_shard ON item (shard, lane, id);

-- +goose Up
-- There is one shard here, so that its lanes are found by their names.
DROP INDEX item_shard;
-- What is open and what has ended, apart: a message is in the one or the other.
DROP INDEX message_open;
DROP INDEX message_ended;
CREATE INDEX message_open ON message (state, id) WHERE state IN ('queued', 'sending');
CREATE INDEX message_ended ON message (state, changed_at) WHERE state NOT IN ('queued', 'sending');

-- +goose Down
DROP INDEX message_ended;
DROP INDEX message_open;
CREATE INDEX message_open ON message (address_id, id) WHERE state IN ('queued', 'sending');
CREATE INDEX message_ended ON message (state, changed_at);
CREATE INDEX item_shard ON item (shard, lane, id);

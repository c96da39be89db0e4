-- +goose Up
-- Closed conversations in which a ticket may go on.
CREATE INDEX conversation_closed ON conversation (last_in_at) WHERE closed = 1 AND ticket_id <> '';

-- +goose Down
DROP INDEX conversation_closed;

-- +goose Up
-- What the desk last said of a ticket, and what it calls the customer's last entry.
ALTER TABLE conversation ADD COLUMN status     TEXT NOT NULL DEFAULT '';
ALTER TABLE conversation ADD COLUMN last_entry TEXT NOT NULL DEFAULT '';
-- A file on its way into a ticket.
ALTER TABLE ticket_call ADD COLUMN media BLOB;
CREATE INDEX ticket_call_waiting ON ticket_call (tried_at) WHERE state = 'waiting';
-- The right to act in the shop as this customer, sealed.
ALTER TABLE customer ADD COLUMN shop_token BLOB;

-- +goose Down
ALTER TABLE customer DROP COLUMN shop_token;
DROP INDEX ticket_call_waiting;
ALTER TABLE ticket_call DROP COLUMN media;
ALTER TABLE conversation DROP COLUMN last_entry;
ALTER TABLE conversation DROP COLUMN status;

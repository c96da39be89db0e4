-- +goose Up
-- How it is known that an offer to link is for the customer who gets it.
ALTER TABLE opt_in ADD COLUMN proof TEXT NOT NULL DEFAULT '';
-- The customer who has taken over everything of this one; 0: none has.
ALTER TABLE customer ADD COLUMN merged_into INTEGER NOT NULL DEFAULT 0;
-- Links that have ended are read as evidence.
CREATE INDEX link_history ON link (customer_id, id);

-- +goose Down
DROP INDEX link_history;
ALTER TABLE customer DROP COLUMN merged_into;
ALTER TABLE opt_in DROP COLUMN proof;

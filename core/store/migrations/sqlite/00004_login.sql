-- +goose Up
-- What the platform's login calls the account of a link, by which its callbacks find it.
ALTER TABLE link ADD COLUMN subject TEXT NOT NULL DEFAULT '';
CREATE INDEX link_subject ON link (channel, subject) WHERE subject <> '' AND state <> 'ended';

-- +goose Down
DROP INDEX link_subject;
ALTER TABLE link DROP COLUMN subject;

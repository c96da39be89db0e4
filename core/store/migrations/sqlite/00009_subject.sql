-- +goose Up
-- An account of a login is found in links that have ended, too: what is known by it
-- has to be forgotten there as well.
DROP INDEX link_subject;
CREATE INDEX link_subject ON link (channel, subject) WHERE subject <> '';

-- +goose Down
DROP INDEX link_subject;
CREATE INDEX link_subject ON link (channel, subject) WHERE subject <> '' AND state <> 'ended';

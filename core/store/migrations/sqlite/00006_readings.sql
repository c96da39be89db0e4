-- +goose Up
-- What was read last of things that the shop is asked for again and again: orders
-- (order), customers' lists of orders (customer), the feed of states (feed), and how far
-- links have been looked at (links).
CREATE TABLE reading (
  kind TEXT    NOT NULL,
  name TEXT    NOT NULL,
  at   INTEGER NOT NULL, -- when it is to be read again; of a feed, since when to ask
  seen BLOB,             -- what the last reading saw
  done INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE INDEX reading_due ON reading (kind, at) WHERE done = 0;
CREATE INDEX reading_at ON reading (at);

-- +goose Down
DROP TABLE reading;

-- +goose Up
-- What a store for several processes needs is here too, so that one SQL serves both.
ALTER TABLE item ADD COLUMN shard INTEGER NOT NULL DEFAULT 0;
ALTER TABLE item ADD COLUMN prio  INTEGER NOT NULL DEFAULT 1;
CREATE INDEX item_shard ON item (shard, lane, id);

-- Attempts in the order in which they were made.
CREATE TABLE attempt_new (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id INTEGER NOT NULL,
  n          INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  class      TEXT    NOT NULL,
  code       TEXT    NOT NULL,
  text       TEXT    NOT NULL
);
INSERT INTO attempt_new (id, message_id, n, at, class, code, text)
  SELECT rowid, message_id, n, at, class, code, text FROM attempt;
DROP TABLE attempt;
ALTER TABLE attempt_new RENAME TO attempt;
CREATE INDEX attempt_message ON attempt (message_id, n);

-- One row for each process that counts, so that none waits for another.
CREATE TABLE total_new (
  name TEXT    NOT NULL,
  slot INTEGER NOT NULL,
  n    INTEGER NOT NULL,
  PRIMARY KEY (name, slot)
) WITHOUT ROWID;
INSERT INTO total_new (name, slot, n) SELECT name, 0, n FROM total;
DROP TABLE total;
ALTER TABLE total_new RENAME TO total;

CREATE UNIQUE INDEX customer_uid ON customer (lower(uid));

-- +goose Down
DROP INDEX customer_uid;

CREATE TABLE total_old (
  name TEXT    PRIMARY KEY,
  n    INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO total_old (name, n) SELECT name, sum(n) FROM total GROUP BY name;
DROP TABLE total;
ALTER TABLE total_old RENAME TO total;

CREATE TABLE attempt_old (
  message_id INTEGER NOT NULL,
  n          INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  class      TEXT    NOT NULL,
  code       TEXT    NOT NULL,
  text       TEXT    NOT NULL
);
INSERT INTO attempt_old (message_id, n, at, class, code, text)
  SELECT message_id, n, at, class, code, text FROM attempt ORDER BY id;
DROP TABLE attempt;
ALTER TABLE attempt_old RENAME TO attempt;
CREATE INDEX attempt_message ON attempt (message_id, n);

DROP INDEX item_shard;
ALTER TABLE item DROP COLUMN prio;
ALTER TABLE item DROP COLUMN shard;

-- +goose Up
-- Times are Unix milliseconds, 0 for none. JSON and texts of people are kept as
-- BLOBs: bytes in, bytes out, whatever they hold.

-- The queue: one row per unsettled piece of work. A settled row is removed; what
-- became of it stands in the row it refers to.
CREATE TABLE item (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  lane     TEXT    NOT NULL,
  ref      INTEGER NOT NULL,
  due      INTEGER NOT NULL,
  step     INTEGER NOT NULL,
  mark     INTEGER NOT NULL DEFAULT 0,
  tries    INTEGER NOT NULL DEFAULT 0,
  since    INTEGER NOT NULL DEFAULT 0,
  last_try INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX item_lane ON item (lane, id);

-- Keys that can be taken once, hashed, so that they may outlive what they name.
CREATE TABLE claim (
  key   BLOB    PRIMARY KEY,
  value TEXT    NOT NULL,
  at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX claim_at ON claim (at);

-- What purges have removed and what was ever accepted, for the two sums.
CREATE TABLE total (
  name TEXT    PRIMARY KEY,
  n    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE customer (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  uid        TEXT    NOT NULL COLLATE NOCASE UNIQUE, -- shops compare uids without regard to case
  name       TEXT    NOT NULL DEFAULT '',
  locale     TEXT    NOT NULL DEFAULT '',
  preferred  BLOB,
  created_at INTEGER NOT NULL,
  closed_at  INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE shop_order (
  site        TEXT    NOT NULL,
  code        TEXT    NOT NULL,
  customer_id INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  PRIMARY KEY (site, code)
) WITHOUT ROWID;
CREATE INDEX shop_order_customer ON shop_order (customer_id, seq);

CREATE TABLE entity_rank (
  entity TEXT    PRIMARY KEY,
  rank   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE event (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id      TEXT    NOT NULL,
  source        TEXT    NOT NULL,
  type          TEXT    NOT NULL,
  time          INTEGER NOT NULL,
  site          TEXT    NOT NULL,
  data          BLOB    NOT NULL,
  customer_id   INTEGER NOT NULL DEFAULT 0,
  state         TEXT    NOT NULL,
  route         TEXT    NOT NULL DEFAULT '',
  reason        TEXT    NOT NULL DEFAULT '',
  reasons       BLOB,
  accepted_at   INTEGER NOT NULL,
  shop_tried_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX event_by_id ON event (event_id);
CREATE INDEX event_accepted ON event (accepted_at);

CREATE TABLE message (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  event_row   INTEGER NOT NULL,
  type        TEXT    NOT NULL,
  customer_id INTEGER NOT NULL,
  site        TEXT    NOT NULL,
  order_code  TEXT    NOT NULL,
  channel     TEXT    NOT NULL,
  address_id  INTEGER NOT NULL,
  route       TEXT    NOT NULL,
  reason      TEXT    NOT NULL,
  purpose     TEXT    NOT NULL,
  state       TEXT    NOT NULL,
  class       TEXT    NOT NULL DEFAULT '',
  why         TEXT    NOT NULL DEFAULT '',
  uncertain   TEXT    NOT NULL,
  human       INTEGER NOT NULL,
  reply       INTEGER NOT NULL,
  body        BLOB    NOT NULL,
  template    BLOB,
  rest        BLOB,
  fallback_of INTEGER NOT NULL DEFAULT 0,
  expires_at  INTEGER NOT NULL DEFAULT 0,
  created_at  INTEGER NOT NULL,
  changed_at  INTEGER NOT NULL,
  parts       INTEGER NOT NULL
);
CREATE INDEX message_event ON message (event_row);
CREATE INDEX message_customer ON message (customer_id, id);
CREATE INDEX message_address ON message (address_id, id);
CREATE INDEX message_order ON message (order_code, id) WHERE order_code <> '';
CREATE INDEX message_open ON message (address_id, id) WHERE state IN ('queued', 'sending');
CREATE INDEX message_ended ON message (state, changed_at);

CREATE TABLE part (
  message_id   INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  state        TEXT    NOT NULL,
  body         BLOB    NOT NULL,
  channel      TEXT    NOT NULL,
  address_id   INTEGER NOT NULL,
  platform_id  TEXT    NOT NULL DEFAULT '',
  sent_at      INTEGER NOT NULL DEFAULT 0,
  delivered_at INTEGER NOT NULL DEFAULT 0,
  read_at      INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (message_id, n)
) WITHOUT ROWID;
CREATE INDEX part_platform ON part (channel, platform_id) WHERE platform_id <> '';
CREATE INDEX part_unread ON part (address_id, sent_at) WHERE state IN ('sent', 'delivered');

CREATE TABLE attempt (
  message_id INTEGER NOT NULL,
  n          INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  class      TEXT    NOT NULL,
  code       TEXT    NOT NULL,
  text       TEXT    NOT NULL
);
CREATE INDEX attempt_message ON attempt (message_id, n);

CREATE TABLE early_receipt (
  channel      TEXT    NOT NULL,
  platform_id  TEXT    NOT NULL,
  delivered_at INTEGER NOT NULL DEFAULT 0,
  read_at      INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (channel, platform_id)
) WITHOUT ROWID;

CREATE TABLE address (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  channel     TEXT    NOT NULL,
  value       TEXT    NOT NULL,
  kind        TEXT    NOT NULL DEFAULT '',
  locale      TEXT    NOT NULL DEFAULT '',
  name        TEXT    NOT NULL DEFAULT '',
  last_in_at  INTEGER NOT NULL DEFAULT 0,
  blocked_at  INTEGER NOT NULL DEFAULT 0,
  invited_at  INTEGER NOT NULL DEFAULT 0,
  created_at  INTEGER NOT NULL,
  UNIQUE (channel, value)
);

CREATE TABLE link (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_id INTEGER NOT NULL,
  address_id  INTEGER NOT NULL,
  channel     TEXT    NOT NULL,
  state       TEXT    NOT NULL,
  purpose     TEXT    NOT NULL,
  evidence    TEXT    NOT NULL,
  consent     BLOB    NOT NULL,
  consent_ver TEXT    NOT NULL,
  site        TEXT    NOT NULL,
  order_code  TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  changed_at  INTEGER NOT NULL
);
CREATE INDEX link_customer ON link (customer_id) WHERE state <> 'ended';
-- One address belongs to one customer.
CREATE UNIQUE INDEX link_address ON link (address_id) WHERE state <> 'ended';

CREATE TABLE opt_in (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_uid TEXT    NOT NULL,
  site         TEXT    NOT NULL,
  order_code   TEXT    NOT NULL,
  locale       TEXT    NOT NULL,
  purpose      TEXT    NOT NULL,
  consent      BLOB    NOT NULL,
  consent_ver  TEXT    NOT NULL,
  channels     BLOB    NOT NULL,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL
);
CREATE INDEX opt_in_customer ON opt_in (customer_uid, order_code);

CREATE TABLE opt_in_code (
  channel   TEXT    NOT NULL,
  hash      TEXT    NOT NULL,
  opt_in_id INTEGER NOT NULL,
  PRIMARY KEY (channel, hash)
) WITHOUT ROWID;

CREATE TABLE opt_in_use (
  opt_in_id  INTEGER NOT NULL,
  channel    TEXT    NOT NULL,
  address_id INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (opt_in_id, channel)
) WITHOUT ROWID;

CREATE TABLE inbox (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  channel     TEXT    NOT NULL,
  update_id   TEXT    NOT NULL,
  address_id  INTEGER NOT NULL,
  body        BLOB    NOT NULL,
  received_at INTEGER NOT NULL,
  state       TEXT    NOT NULL,
  why         TEXT    NOT NULL DEFAULT '',
  UNIQUE (channel, update_id)
);
CREATE INDEX inbox_held ON inbox (address_id, id) WHERE state = 'held';
CREATE INDEX inbox_received ON inbox (received_at);

CREATE TABLE conversation (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_id INTEGER NOT NULL,
  site        TEXT    NOT NULL,
  order_code  TEXT    NOT NULL,
  reference   TEXT    NOT NULL,
  ticket_id   TEXT    NOT NULL DEFAULT '',
  closed      INTEGER NOT NULL DEFAULT 0,
  address_id  INTEGER NOT NULL,
  last_in_at  INTEGER NOT NULL,
  polled_at   INTEGER NOT NULL DEFAULT 0,
  created_at  INTEGER NOT NULL
);
CREATE INDEX conversation_customer ON conversation (customer_id, order_code, id);
CREATE INDEX conversation_ticket ON conversation (ticket_id) WHERE ticket_id <> '';
CREATE INDEX conversation_poll ON conversation (polled_at) WHERE closed = 0 AND ticket_id <> '';

CREATE TABLE ticket_call (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation_id INTEGER NOT NULL,
  update_id       INTEGER NOT NULL,
  text            BLOB    NOT NULL,
  state           TEXT    NOT NULL,
  uncertain       INTEGER NOT NULL DEFAULT 0,
  why             TEXT    NOT NULL DEFAULT '',
  created_at      INTEGER NOT NULL,
  tried_at        INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX ticket_call_conversation ON ticket_call (conversation_id);

CREATE TABLE pause (
  channel TEXT    PRIMARY KEY,
  until   INTEGER NOT NULL,
  why     TEXT    NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE pause;
DROP TABLE ticket_call;
DROP TABLE conversation;
DROP TABLE inbox;
DROP TABLE opt_in_use;
DROP TABLE opt_in_code;
DROP TABLE opt_in;
DROP TABLE link;
DROP TABLE address;
DROP TABLE early_receipt;
DROP TABLE attempt;
DROP TABLE part;
DROP TABLE message;
DROP TABLE event;
DROP TABLE entity_rank;
DROP TABLE shop_order;
DROP TABLE customer;
DROP TABLE total;
DROP TABLE claim;
DROP TABLE item;

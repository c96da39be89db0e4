-- +goose Up
-- Times are Unix milliseconds, 0 for none. JSON and texts of people are kept as
-- BYTEA: bytes in, bytes out, whatever they hold.

-- The queue: one row per unsettled piece of work. A settled row is removed; what
-- became of it stands in the row it refers to.
CREATE TABLE item (
  id       BIGINT  PRIMARY KEY,
  lane     TEXT    NOT NULL COLLATE "C", -- in the order of its bytes
  ref      BIGINT  NOT NULL,
  due      BIGINT  NOT NULL,
  step     BIGINT  NOT NULL,
  mark     BIGINT  NOT NULL DEFAULT 0,
  tries    BIGINT  NOT NULL DEFAULT 0,
  since    BIGINT  NOT NULL DEFAULT 0,
  last_try BIGINT  NOT NULL DEFAULT 0,
  shard    BIGINT  NOT NULL DEFAULT 0,
  prio     BIGINT  NOT NULL DEFAULT 1
);
CREATE INDEX item_lane ON item (lane, id);
CREATE INDEX item_shard ON item (shard, lane, id);

-- All ids. A transaction takes a block of so many.
CREATE SEQUENCE ids MINVALUE 1 INCREMENT BY 1024;

-- Keys that can be taken once, hashed, so that they may outlive what they name.
CREATE TABLE claim (
  key   BYTEA   PRIMARY KEY,
  value TEXT    NOT NULL,
  at    BIGINT  NOT NULL
);
CREATE INDEX claim_at ON claim (at);

-- What purges have removed and what was ever accepted, for the two sums.
-- One row for each process that counts, so that none waits for another.
CREATE TABLE total (
  name TEXT    NOT NULL,
  slot BIGINT  NOT NULL,
  n    BIGINT  NOT NULL,
  PRIMARY KEY (name, slot)
);

CREATE TABLE customer (
  id         BIGINT  PRIMARY KEY,
  uid        TEXT    NOT NULL COLLATE "C",
  name       TEXT    NOT NULL DEFAULT '',
  locale     TEXT    NOT NULL DEFAULT '',
  preferred  BYTEA,
  created_at BIGINT  NOT NULL,
  closed_at  BIGINT  NOT NULL DEFAULT 0
);
-- Shops compare uids without regard to case.
CREATE UNIQUE INDEX customer_uid ON customer (lower(uid));

CREATE TABLE shop_order (
  site        TEXT    NOT NULL,
  code        TEXT    NOT NULL,
  customer_id BIGINT  NOT NULL,
  seq         BIGINT  NOT NULL,
  PRIMARY KEY (site, code)
);
CREATE INDEX shop_order_customer ON shop_order (customer_id, seq);

CREATE TABLE entity_rank (
  entity TEXT    PRIMARY KEY,
  rank   BIGINT  NOT NULL
);

CREATE TABLE event (
  id            BIGINT  PRIMARY KEY,
  event_id      TEXT    NOT NULL,
  source        TEXT    NOT NULL,
  type          TEXT    NOT NULL,
  time          BIGINT  NOT NULL,
  site          TEXT    NOT NULL,
  data          BYTEA    NOT NULL,
  customer_id   BIGINT  NOT NULL DEFAULT 0,
  state         TEXT    NOT NULL,
  route         TEXT    NOT NULL DEFAULT '',
  reason        TEXT    NOT NULL DEFAULT '',
  reasons       BYTEA,
  accepted_at   BIGINT  NOT NULL,
  shop_tried_at BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX event_by_id ON event (event_id);
CREATE INDEX event_accepted ON event (accepted_at);

CREATE TABLE message (
  id          BIGINT  PRIMARY KEY,
  event_row   BIGINT  NOT NULL,
  type        TEXT    NOT NULL,
  customer_id BIGINT  NOT NULL,
  site        TEXT    NOT NULL,
  order_code  TEXT    NOT NULL,
  channel     TEXT    NOT NULL,
  address_id  BIGINT  NOT NULL,
  route       TEXT    NOT NULL,
  reason      TEXT    NOT NULL,
  purpose     TEXT    NOT NULL,
  state       TEXT    NOT NULL,
  class       TEXT    NOT NULL DEFAULT '',
  why         TEXT    NOT NULL DEFAULT '',
  uncertain   TEXT    NOT NULL,
  human       BIGINT  NOT NULL,
  reply       BIGINT  NOT NULL,
  body        BYTEA    NOT NULL,
  template    BYTEA,
  rest        BYTEA,
  fallback_of BIGINT  NOT NULL DEFAULT 0,
  expires_at  BIGINT  NOT NULL DEFAULT 0,
  created_at  BIGINT  NOT NULL,
  changed_at  BIGINT  NOT NULL,
  parts       BIGINT  NOT NULL
);
CREATE INDEX message_event ON message (event_row);
CREATE INDEX message_customer ON message (customer_id, id);
CREATE INDEX message_address ON message (address_id, id);
CREATE INDEX message_order ON message (order_code, id) WHERE order_code <> '';
CREATE INDEX message_open ON message (address_id, id) WHERE state IN ('queued', 'sending');
CREATE INDEX message_ended ON message (state, changed_at);

CREATE TABLE part (
  message_id   BIGINT  NOT NULL,
  n            BIGINT  NOT NULL,
  state        TEXT    NOT NULL,
  body         BYTEA    NOT NULL,
  channel      TEXT    NOT NULL,
  address_id   BIGINT  NOT NULL,
  platform_id  TEXT    NOT NULL DEFAULT '',
  sent_at      BIGINT  NOT NULL DEFAULT 0,
  delivered_at BIGINT  NOT NULL DEFAULT 0,
  read_at      BIGINT  NOT NULL DEFAULT 0,
  PRIMARY KEY (message_id, n)
);
CREATE INDEX part_platform ON part (channel, platform_id) WHERE platform_id <> '';
CREATE INDEX part_unread ON part (address_id, sent_at) WHERE state IN ('sent', 'delivered');

CREATE TABLE attempt (
  id         BIGINT  PRIMARY KEY,
  message_id BIGINT  NOT NULL,
  n          BIGINT  NOT NULL,
  at         BIGINT  NOT NULL,
  class      TEXT    NOT NULL,
  code       TEXT    NOT NULL,
  text       TEXT    NOT NULL
);
CREATE INDEX attempt_message ON attempt (message_id, n);

CREATE TABLE early_receipt (
  channel      TEXT    NOT NULL,
  platform_id  TEXT    NOT NULL,
  delivered_at BIGINT  NOT NULL DEFAULT 0,
  read_at      BIGINT  NOT NULL DEFAULT 0,
  PRIMARY KEY (channel, platform_id)
);

CREATE TABLE address (
  id          BIGINT  PRIMARY KEY,
  channel     TEXT    NOT NULL,
  value       TEXT    NOT NULL,
  kind        TEXT    NOT NULL DEFAULT '',
  locale      TEXT    NOT NULL DEFAULT '',
  name        TEXT    NOT NULL DEFAULT '',
  last_in_at  BIGINT  NOT NULL DEFAULT 0,
  blocked_at  BIGINT  NOT NULL DEFAULT 0,
  invited_at  BIGINT  NOT NULL DEFAULT 0,
  created_at  BIGINT  NOT NULL,
  UNIQUE (channel, value)
);

CREATE TABLE link (
  id          BIGINT  PRIMARY KEY,
  customer_id BIGINT  NOT NULL,
  address_id  BIGINT  NOT NULL,
  channel     TEXT    NOT NULL,
  state       TEXT    NOT NULL,
  purpose     TEXT    NOT NULL,
  evidence    TEXT    NOT NULL,
  consent     BYTEA    NOT NULL,
  consent_ver TEXT    NOT NULL,
  site        TEXT    NOT NULL,
  order_code  TEXT    NOT NULL,
  created_at  BIGINT  NOT NULL,
  changed_at  BIGINT  NOT NULL
);
CREATE INDEX link_customer ON link (customer_id) WHERE state <> 'ended';
-- One address belongs to one customer.
CREATE UNIQUE INDEX link_address ON link (address_id) WHERE state <> 'ended';

CREATE TABLE opt_in (
  id           BIGINT  PRIMARY KEY,
  customer_uid TEXT    NOT NULL,
  site         TEXT    NOT NULL,
  order_code   TEXT    NOT NULL,
  locale       TEXT    NOT NULL,
  purpose      TEXT    NOT NULL,
  consent      BYTEA    NOT NULL,
  consent_ver  TEXT    NOT NULL,
  channels     BYTEA    NOT NULL,
  created_at   BIGINT  NOT NULL,
  expires_at   BIGINT  NOT NULL
);
CREATE INDEX opt_in_customer ON opt_in (customer_uid, order_code);

CREATE TABLE opt_in_code (
  channel   TEXT    NOT NULL,
  hash      TEXT    NOT NULL,
  opt_in_id BIGINT  NOT NULL,
  PRIMARY KEY (channel, hash)
);

CREATE TABLE opt_in_use (
  opt_in_id  BIGINT  NOT NULL,
  channel    TEXT    NOT NULL,
  address_id BIGINT  NOT NULL,
  at         BIGINT  NOT NULL,
  PRIMARY KEY (opt_in_id, channel)
);

CREATE TABLE inbox (
  id          BIGINT  PRIMARY KEY,
  channel     TEXT    NOT NULL,
  update_id   TEXT    NOT NULL,
  address_id  BIGINT  NOT NULL,
  body        BYTEA    NOT NULL,
  received_at BIGINT  NOT NULL,
  state       TEXT    NOT NULL,
  why         TEXT    NOT NULL DEFAULT '',
  UNIQUE (channel, update_id)
);
CREATE INDEX inbox_held ON inbox (address_id, id) WHERE state = 'held';
CREATE INDEX inbox_received ON inbox (received_at);

CREATE TABLE conversation (
  id          BIGINT  PRIMARY KEY,
  customer_id BIGINT  NOT NULL,
  site        TEXT    NOT NULL,
  order_code  TEXT    NOT NULL,
  reference   TEXT    NOT NULL,
  ticket_id   TEXT    NOT NULL DEFAULT '',
  closed      BIGINT  NOT NULL DEFAULT 0,
  address_id  BIGINT  NOT NULL,
  last_in_at  BIGINT  NOT NULL,
  polled_at   BIGINT  NOT NULL DEFAULT 0,
  created_at  BIGINT  NOT NULL
);
CREATE INDEX conversation_customer ON conversation (customer_id, order_code, id);
CREATE INDEX conversation_ticket ON conversation (ticket_id) WHERE ticket_id <> '';
CREATE INDEX conversation_poll ON conversation (polled_at) WHERE closed = 0 AND ticket_id <> '';

CREATE TABLE ticket_call (
  id              BIGINT  PRIMARY KEY,
  conversation_id BIGINT  NOT NULL,
  update_id       BIGINT  NOT NULL,
  text            BYTEA    NOT NULL,
  state           TEXT    NOT NULL,
  uncertain       BIGINT  NOT NULL DEFAULT 0,
  why             TEXT    NOT NULL DEFAULT '',
  created_at      BIGINT  NOT NULL,
  tried_at        BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX ticket_call_conversation ON ticket_call (conversation_id);

CREATE TABLE pause (
  channel TEXT    PRIMARY KEY,
  until   BIGINT  NOT NULL,
  why     TEXT    NOT NULL
);

-- Which process works on which share of the lanes; an epoch is one ownership.
CREATE TABLE shard (
  id    INTEGER PRIMARY KEY,
  owner TEXT    NOT NULL DEFAULT '',
  epoch BIGINT  NOT NULL DEFAULT 0
);
INSERT INTO shard (id) SELECT generate_series(0, 63);

CREATE TABLE replica (
  id       TEXT    PRIMARY KEY,
  renewals BIGINT  NOT NULL,
  session  BOOLEAN NOT NULL
);

-- +goose Down
DROP TABLE replica;
DROP TABLE shard;
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
DROP SEQUENCE ids;

-- Version 1 of the broker's file.
--
-- Times named `due`, `expires_at` and `parked_at` are milliseconds of the wall clock since 1970.
-- Times named `renewed`, `until` and `at` are milliseconds of the machine's monotonic clock; they mean nothing
-- after a restart of the machine, which is why `boot` is compared when the file is opened.

CREATE TABLE boot (
    id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- One row per message in a queue. The row stays small, because it is rewritten with every change of its state.
-- Within a queue and a priority step the order is (rank, id): rank is 0, or negative for what was put back in front.
CREATE TABLE messages (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    queue       TEXT    NOT NULL,
    step        INTEGER NOT NULL,
    rank        INTEGER NOT NULL DEFAULT 0,
    state       INTEGER NOT NULL DEFAULT 0,  -- 0 ready, 1 held, 2 deferred, 3 acknowledged early and running
    holds       INTEGER NOT NULL DEFAULT 0,  -- how often it was taken; part of the tag, so that an old tag never fits
    redelivered INTEGER NOT NULL DEFAULT 0,
    holder      INTEGER,                     -- workers.id while held or running
    due         INTEGER                      -- while deferred
) STRICT;
CREATE INDEX messages_ready ON messages (queue, step, rank, id) WHERE state = 0;
CREATE INDEX messages_held ON messages (holder) WHERE holder IS NOT NULL;
CREATE INDEX messages_due ON messages (due, id) WHERE state = 2;

-- The envelope of each message; for one that was acknowledged early the meta that tells of its loss.
CREATE TABLE bodies (
    id   INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

-- Incarnations with a lease.
CREATE TABLE workers (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    incarnation TEXT    NOT NULL UNIQUE,
    node        TEXT    NOT NULL,
    lease       INTEGER NOT NULL,            -- milliseconds
    renewed     INTEGER NOT NULL
) STRICT;

-- Which queue is bound to which exchange. `until` is set for mailboxes, which go when nobody reads them any more.
CREATE TABLE bindings (
    exchange    TEXT NOT NULL,
    routing_key TEXT NOT NULL,
    queue       TEXT NOT NULL,
    until       INTEGER,
    PRIMARY KEY (exchange, routing_key, queue)
) STRICT, WITHOUT ROWID;

CREATE TABLE parked (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    queue     TEXT    NOT NULL,
    step      INTEGER NOT NULL,
    reason    TEXT    NOT NULL,
    parked_at INTEGER NOT NULL,
    node      TEXT    NOT NULL,
    body      BLOB    NOT NULL
) STRICT;

-- What was said recently to those who listened at that time: broadcasts and watched results. Trimmed by age and number.
CREATE TABLE feed (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    exchange TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    body     BLOB    NOT NULL
) STRICT;

-- Who listens to what: an exchange, or a task's result.
CREATE TABLE listeners (
    exchange TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    listener TEXT    NOT NULL,
    until    INTEGER NOT NULL,
    PRIMARY KEY (exchange, key, listener)
) STRICT, WITHOUT ROWID;
CREATE INDEX listeners_by_listener ON listeners (listener);

CREATE TABLE results (
    task_id    TEXT NOT NULL PRIMARY KEY,
    status     TEXT NOT NULL,
    meta       BLOB NOT NULL,
    expires_at INTEGER
) STRICT;
CREATE INDEX results_expiry ON results (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE groups (
    group_id   TEXT NOT NULL PRIMARY KEY,
    result     BLOB NOT NULL,
    expires_at INTEGER
) STRICT;

-- Leadership. The row stays when a lease is given up, so that the fence never falls.
CREATE TABLE leases (
    name  TEXT    NOT NULL PRIMARY KEY,
    owner TEXT    NOT NULL,
    fence INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE TABLE entries (
    space TEXT NOT NULL,
    key   TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (space, key)
) STRICT;

PRAGMA application_id = 1668051577;
PRAGMA user_version = 1;

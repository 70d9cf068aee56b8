-- Messages in the order in which they were published. "exchange" is null for one that goes straight to a queue.
CREATE TABLE messages (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    stored_at   TEXT NOT NULL,
    task        TEXT NOT NULL,
    task_id     TEXT NOT NULL,
    exchange    TEXT,
    kind        TEXT,
    routing_key TEXT NOT NULL,
    envelope    BLOB NOT NULL,
    refused     TEXT
) STRICT;

-- Kept by triggers, so that bounds cost no count.
CREATE TABLE totals (messages INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
INSERT INTO totals (messages, bytes) VALUES (0, 0);

CREATE TRIGGER added AFTER INSERT ON messages BEGIN
    UPDATE totals SET messages = messages + 1, bytes = bytes + length(new.envelope);
END;

CREATE TRIGGER deleted AFTER DELETE ON messages BEGIN
    UPDATE totals SET messages = messages - 1, bytes = bytes - length(old.envelope);
END;

PRAGMA application_id = 1668247650;
PRAGMA user_version = 1;

-- Version 3: how many holders have died with a message.

ALTER TABLE messages ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 3;

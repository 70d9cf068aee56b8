-- Version 4: chords whose results and queues are in different places.

ALTER TABLE chords ADD COLUMN call TEXT;     -- the name of the call that ends it

-- How many members a message adds to a chord; their sum is part of `chords.growth`.
CREATE TABLE chord_growth (
    group_id TEXT    NOT NULL,
    by       TEXT    NOT NULL,
    members  INTEGER NOT NULL,
    PRIMARY KEY (group_id, by)
) STRICT, WITHOUT ROWID;

-- Named calls that were published, until which time of the wall clock, in milliseconds, they are known.
CREATE TABLE calls (
    name  TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_by_end ON calls (until);

PRAGMA user_version = 4;

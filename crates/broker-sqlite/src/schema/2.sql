-- Version 2: chords, and texts that are remembered.

-- A chord from its first member, or its opening, on. `claim_until` is of the machine's monotonic clock, `expires_at` of the wall clock.
CREATE TABLE chords (
    group_id    TEXT    NOT NULL PRIMARY KEY,
    size        INTEGER,                     -- once it is open
    growth      INTEGER NOT NULL DEFAULT 0,  -- members added later
    counted     INTEGER NOT NULL DEFAULT 0,  -- rows of chord_parts
    claim       TEXT,
    claim_until INTEGER,
    over        INTEGER NOT NULL DEFAULT 0,  -- the body was called; kept for a while for those who come late
    expires_at  INTEGER
) STRICT;
CREATE INDEX chords_expiry ON chords (expires_at) WHERE expires_at IS NOT NULL;

-- Members that have ended. `place` is the index in the header, the greatest integer for none.
CREATE TABLE chord_parts (
    id       INTEGER PRIMARY KEY,
    group_id TEXT    NOT NULL,
    place    INTEGER NOT NULL,
    task_id  TEXT    NOT NULL,
    member   BLOB    NOT NULL,
    UNIQUE (group_id, place, task_id)
) STRICT;

-- Within a space the oldest are those that end first. One that is remembered again gets a new id.
CREATE TABLE remembered (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    space TEXT    NOT NULL,
    text  TEXT    NOT NULL,
    until INTEGER NOT NULL,                  -- milliseconds of the wall clock
    UNIQUE (space, text)
) STRICT;
CREATE INDEX remembered_by_end ON remembered (space, until, id);

PRAGMA user_version = 2;

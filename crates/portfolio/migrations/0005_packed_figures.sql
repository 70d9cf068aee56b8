-- A portfolio's row of analytics is bytes that the program packs and reads (a third of its text); its `payload` is `{}`. Rows
-- that have none are text still.

ALTER TABLE analytics ADD COLUMN packed BLOB;

-- The cache entries `portfolio:N:summary`, `:holdings` and `:performance`, which are made of that row when they are read: a row
-- here stands for the three. Those that lie in `cache_entries` with values of their own are served until there is one.

CREATE TABLE portfolio_caches (
  portfolio_id INTEGER PRIMARY KEY REFERENCES portfolios(id) ON DELETE CASCADE,
  version INTEGER NOT NULL, computed_at TEXT NOT NULL, expires_at TEXT NOT NULL
) STRICT;

CREATE TRIGGER portfolio_caches_removed AFTER DELETE ON portfolio_caches BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('results', 0, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

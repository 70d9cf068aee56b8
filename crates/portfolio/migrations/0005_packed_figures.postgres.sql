-- A portfolio's row of analytics is bytes that the program packs and reads (a third of its text); its `payload` is `{}`. Rows
-- that have none are text still.

ALTER TABLE analytics ADD COLUMN packed BYTEA;

-- The cache entries `portfolio:N:summary`, `:holdings` and `:performance`, which are made of that row when they are read: a row
-- here stands for the three. Those that lie in `cache_entries` with values of their own are served until there is one.

CREATE TABLE portfolio_caches (
  portfolio_id BIGINT PRIMARY KEY REFERENCES portfolios(id) ON DELETE CASCADE,
  version BIGINT NOT NULL, computed_at TIMESTAMPTZ NOT NULL, expires_at TIMESTAMPTZ NOT NULL
);

CREATE TRIGGER portfolio_caches_removed AFTER DELETE ON portfolio_caches REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('results', '0');

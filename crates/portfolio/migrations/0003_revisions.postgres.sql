-- How often what figures rest on was written, so that a run knows at a glance whether anything has changed. Counted by
-- triggers, so that nobody who writes can forget it. The first row sets one installation's counts apart from another's.

CREATE TABLE revisions (
  subject TEXT NOT NULL,
  id BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  PRIMARY KEY (subject, id)
);

INSERT INTO revisions (subject, id, revision) VALUES ('installation', 0, floor(random() * 1000000000000000)::bigint);

-- What the last refresh of each scope gave, and what it was made from.
CREATE TABLE refreshes (
  scope TEXT PRIMARY KEY,
  stamp TEXT NOT NULL,
  result TEXT NOT NULL,
  fresh_until TIMESTAMPTZ NOT NULL
);

-- Rows that were added or removed; all of a statement at once. The order keeps writers from waiting for each other in a circle.
CREATE FUNCTION count_revisions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(
    'INSERT INTO revisions (subject, id, revision) SELECT %L, %s, count(*) FROM written GROUP BY 2 ORDER BY 2
     ON CONFLICT (subject, id) DO UPDATE SET revision = revisions.revision + excluded.revision', TG_ARGV[0], TG_ARGV[1]);
  RETURN NULL;
END
$$;

-- A row that was changed: both what it belonged to and what it belongs to.
CREATE FUNCTION count_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(
    'INSERT INTO revisions (subject, id, revision) SELECT DISTINCT %L, id, 1 FROM (VALUES (($1).%s::bigint), (($2).%s::bigint)) AS named (id)
     ORDER BY 2 ON CONFLICT (subject, id) DO UPDATE SET revision = revisions.revision + 1', TG_ARGV[0], TG_ARGV[1], TG_ARGV[1])
    USING OLD, NEW;
  RETURN NULL;
END
$$;

CREATE TRIGGER transactions_added AFTER INSERT ON transactions REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('account', 'account_id');
CREATE TRIGGER transactions_removed AFTER DELETE ON transactions REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('account', 'account_id');
CREATE TRIGGER transactions_changed AFTER UPDATE ON transactions FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
  EXECUTE FUNCTION count_revision('account', 'account_id');

CREATE TRIGGER prices_added AFTER INSERT ON prices REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('asset', 'asset_id');
CREATE TRIGGER prices_removed AFTER DELETE ON prices REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('asset', 'asset_id');
CREATE TRIGGER prices_changed AFTER UPDATE ON prices FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
  EXECUTE FUNCTION count_revision('asset', 'asset_id');

CREATE TRIGGER corporate_actions_added AFTER INSERT ON corporate_actions REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('asset', 'asset_id');
CREATE TRIGGER corporate_actions_removed AFTER DELETE ON corporate_actions REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('asset', 'asset_id');
CREATE TRIGGER corporate_actions_changed AFTER UPDATE ON corporate_actions FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
  EXECUTE FUNCTION count_revision('asset', 'asset_id');

CREATE TRIGGER assets_added AFTER INSERT ON assets REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('asset', 'id');
CREATE TRIGGER assets_removed AFTER DELETE ON assets REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('asset', 'id');
CREATE TRIGGER assets_changed AFTER UPDATE OF symbol, currency, asset_class, sector, country ON assets FOR EACH ROW WHEN (OLD.symbol IS DISTINCT FROM NEW.symbol OR OLD.currency IS DISTINCT FROM NEW.currency OR OLD.asset_class IS DISTINCT FROM NEW.asset_class OR OLD.sector IS DISTINCT FROM NEW.sector OR OLD.country IS DISTINCT FROM NEW.country)
  EXECUTE FUNCTION count_revision('asset', 'id');

CREATE TRIGGER fx_rates_added AFTER INSERT ON fx_rates REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('rates', '0');
CREATE TRIGGER fx_rates_removed AFTER DELETE ON fx_rates REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('rates', '0');
CREATE TRIGGER fx_rates_changed AFTER UPDATE ON fx_rates REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('rates', '0');

CREATE TRIGGER users_added AFTER INSERT ON users REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('user', 'id');
CREATE TRIGGER users_removed AFTER DELETE ON users REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('user', 'id');
CREATE TRIGGER users_changed AFTER UPDATE OF base_currency ON users FOR EACH ROW WHEN (OLD.base_currency IS DISTINCT FROM NEW.base_currency)
  EXECUTE FUNCTION count_revision('user', 'id');

CREATE TRIGGER accounts_added AFTER INSERT ON accounts REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('account', 'id');
CREATE TRIGGER accounts_removed AFTER DELETE ON accounts REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('account', 'id');
CREATE TRIGGER accounts_changed AFTER UPDATE OF user_id, allow_short ON accounts FOR EACH ROW WHEN (OLD.user_id IS DISTINCT FROM NEW.user_id OR OLD.allow_short IS DISTINCT FROM NEW.allow_short)
  EXECUTE FUNCTION count_revision('account', 'id');

CREATE TRIGGER portfolios_added AFTER INSERT ON portfolios REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('portfolio', 'id');
CREATE TRIGGER portfolios_removed AFTER DELETE ON portfolios REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('portfolio', 'id');
CREATE TRIGGER portfolios_changed AFTER UPDATE ON portfolios FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
  EXECUTE FUNCTION count_revision('portfolio', 'id');

CREATE TRIGGER portfolio_accounts_added AFTER INSERT ON portfolio_accounts REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('portfolio', 'portfolio_id');
CREATE TRIGGER portfolio_accounts_removed AFTER DELETE ON portfolio_accounts REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('portfolio', 'portfolio_id');
CREATE TRIGGER portfolio_accounts_changed AFTER UPDATE ON portfolio_accounts FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
  EXECUTE FUNCTION count_revision('portfolio', 'portfolio_id');

CREATE TRIGGER analytics_removed AFTER DELETE ON analytics REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('results', '0');

CREATE TRIGGER cache_entries_removed AFTER DELETE ON cache_entries REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('results', '0');

-- Where a portfolio's ledger stood when it was last applied, so that later days need not apply it again. Always rebuildable.
-- `rests_on` names everything that the state was made from; a state of anything else is not used.

CREATE TABLE ledger_states (
  portfolio_id BIGINT PRIMARY KEY REFERENCES portfolios(id) ON DELETE CASCADE,
  rests_on TEXT NOT NULL,
  state BYTEA NOT NULL
);

-- What a ledger takes from an asset besides its prices: counted apart from them, because prices are written every day.

CREATE TRIGGER corporate_actions_added_facts AFTER INSERT ON corporate_actions REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('facts', 'asset_id');
CREATE TRIGGER corporate_actions_removed_facts AFTER DELETE ON corporate_actions REFERENCING OLD TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('facts', 'asset_id');
CREATE TRIGGER corporate_actions_changed_facts AFTER UPDATE ON corporate_actions FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
  EXECUTE FUNCTION count_revision('facts', 'asset_id');

CREATE TRIGGER assets_added_facts AFTER INSERT ON assets REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION count_revisions('facts', 'id');
CREATE TRIGGER assets_changed_facts AFTER UPDATE OF symbol, currency ON assets FOR EACH ROW WHEN (OLD.symbol IS DISTINCT FROM NEW.symbol OR OLD.currency IS DISTINCT FROM NEW.currency)
  EXECUTE FUNCTION count_revision('facts', 'id');

-- A price that moves to another day counts once more: else it could pass for a new one of a later day.

CREATE TRIGGER prices_moved AFTER UPDATE OF date ON prices FOR EACH ROW WHEN (OLD.date IS DISTINCT FROM NEW.date)
  EXECUTE FUNCTION count_revision('asset', 'asset_id');

-- A portfolio has one row of analytics, with the figures of all periods. The rows of single periods are made anew as that.

DELETE FROM analytics WHERE scope = 'portfolio';

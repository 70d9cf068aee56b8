-- Where a portfolio's ledger stood when it was last applied, so that later days need not apply it again. Always rebuildable.
-- `rests_on` names everything that the state was made from; a state of anything else is not used.

CREATE TABLE ledger_states (
  portfolio_id INTEGER PRIMARY KEY REFERENCES portfolios(id) ON DELETE CASCADE,
  rests_on TEXT NOT NULL,
  state BLOB NOT NULL
) STRICT;

-- What a ledger takes from an asset besides its prices: counted apart from them, because prices are written every day.

CREATE TRIGGER corporate_actions_added_facts AFTER INSERT ON corporate_actions BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('facts', NEW.asset_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER corporate_actions_removed_facts AFTER DELETE ON corporate_actions BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('facts', OLD.asset_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER corporate_actions_changed_facts AFTER UPDATE ON corporate_actions BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('facts', NEW.asset_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
  INSERT INTO revisions (subject, id, revision) SELECT 'facts', OLD.asset_id, 1 WHERE OLD.asset_id <> NEW.asset_id
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER assets_added_facts AFTER INSERT ON assets BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('facts', NEW.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER assets_changed_facts AFTER UPDATE OF symbol, currency ON assets WHEN OLD.symbol IS NOT NEW.symbol OR OLD.currency IS NOT NEW.currency BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('facts', NEW.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

-- A price that moves to another day counts once more: else it could pass for a new one of a later day.

CREATE TRIGGER prices_moved AFTER UPDATE OF date ON prices WHEN OLD.date IS NOT NEW.date BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('asset', NEW.asset_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

-- A portfolio has one row of analytics, with the figures of all periods. The rows of single periods are made anew as that.

DELETE FROM analytics WHERE scope = 'portfolio';

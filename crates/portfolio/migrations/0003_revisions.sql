-- How often what figures rest on was written, so that a run knows at a glance whether anything has changed. Counted by
-- triggers, so that nobody who writes can forget it. The first row sets one installation's counts apart from another's.

CREATE TABLE revisions (
  subject TEXT NOT NULL,
  id INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (subject, id)
) STRICT, WITHOUT ROWID;

INSERT INTO revisions (subject, id, revision) VALUES ('installation', 0, abs(random() % 1000000000000000));

-- What the last refresh of each scope gave, and what it was made from.
CREATE TABLE refreshes (
  scope TEXT PRIMARY KEY,
  stamp TEXT NOT NULL,
  result TEXT NOT NULL,
  fresh_until TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER transactions_added AFTER INSERT ON transactions BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('account', NEW.account_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER transactions_removed AFTER DELETE ON transactions BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('account', OLD.account_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER transactions_changed AFTER UPDATE ON transactions BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('account', NEW.account_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
  INSERT INTO revisions (subject, id, revision) SELECT 'account', OLD.account_id, 1 WHERE OLD.account_id <> NEW.account_id
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER prices_added AFTER INSERT ON prices BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('asset', NEW.asset_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER prices_removed AFTER DELETE ON prices BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('asset', OLD.asset_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER prices_changed AFTER UPDATE ON prices BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('asset', NEW.asset_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
  INSERT INTO revisions (subject, id, revision) SELECT 'asset', OLD.asset_id, 1 WHERE OLD.asset_id <> NEW.asset_id
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER corporate_actions_added AFTER INSERT ON corporate_actions BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('asset', NEW.asset_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER corporate_actions_removed AFTER DELETE ON corporate_actions BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('asset', OLD.asset_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER corporate_actions_changed AFTER UPDATE ON corporate_actions BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('asset', NEW.asset_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
  INSERT INTO revisions (subject, id, revision) SELECT 'asset', OLD.asset_id, 1 WHERE OLD.asset_id <> NEW.asset_id
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER assets_added AFTER INSERT ON assets BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('asset', NEW.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER assets_removed AFTER DELETE ON assets BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('asset', OLD.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER assets_changed AFTER UPDATE OF symbol, currency, asset_class, sector, country ON assets WHEN OLD.symbol IS NOT NEW.symbol OR OLD.currency IS NOT NEW.currency OR OLD.asset_class IS NOT NEW.asset_class OR OLD.sector IS NOT NEW.sector OR OLD.country IS NOT NEW.country BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('asset', NEW.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER fx_rates_added AFTER INSERT ON fx_rates BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('rates', 0, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER fx_rates_removed AFTER DELETE ON fx_rates BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('rates', 0, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER fx_rates_changed AFTER UPDATE ON fx_rates BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('rates', 0, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER users_added AFTER INSERT ON users BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('user', NEW.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER users_removed AFTER DELETE ON users BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('user', OLD.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER users_changed AFTER UPDATE OF base_currency ON users WHEN OLD.base_currency IS NOT NEW.base_currency BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('user', NEW.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER accounts_added AFTER INSERT ON accounts BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('account', NEW.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER accounts_removed AFTER DELETE ON accounts BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('account', OLD.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER accounts_changed AFTER UPDATE OF user_id, allow_short ON accounts WHEN OLD.user_id IS NOT NEW.user_id OR OLD.allow_short IS NOT NEW.allow_short BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('account', NEW.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER portfolios_added AFTER INSERT ON portfolios BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('portfolio', NEW.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER portfolios_removed AFTER DELETE ON portfolios BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('portfolio', OLD.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER portfolios_changed AFTER UPDATE ON portfolios BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('portfolio', NEW.id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER portfolio_accounts_added AFTER INSERT ON portfolio_accounts BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('portfolio', NEW.portfolio_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER portfolio_accounts_removed AFTER DELETE ON portfolio_accounts BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('portfolio', OLD.portfolio_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER portfolio_accounts_changed AFTER UPDATE ON portfolio_accounts BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('portfolio', NEW.portfolio_id, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
  INSERT INTO revisions (subject, id, revision) SELECT 'portfolio', OLD.portfolio_id, 1 WHERE OLD.portfolio_id <> NEW.portfolio_id
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER analytics_removed AFTER DELETE ON analytics BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('results', 0, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

CREATE TRIGGER cache_entries_removed AFTER DELETE ON cache_entries BEGIN
  INSERT INTO revisions (subject, id, revision) VALUES ('results', 0, 1)
    ON CONFLICT (subject, id) DO UPDATE SET revision = revision + 1;
END;

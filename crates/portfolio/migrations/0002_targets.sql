-- How a portfolio is meant to be divided. Weights and bands are shares of one, as TEXT like all decimals.

CREATE TABLE target_plans (
  portfolio_id INTEGER PRIMARY KEY REFERENCES portfolios(id) ON DELETE CASCADE,
  dimension TEXT NOT NULL CHECK (dimension IN ('class','sector','symbol')),
  minimum_trade TEXT NOT NULL DEFAULT '0',
  cash_kept TEXT NOT NULL DEFAULT '0',
  whole_shares INTEGER NOT NULL DEFAULT 1,
  updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE target_weights (
  portfolio_id INTEGER NOT NULL REFERENCES target_plans(portfolio_id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  weight TEXT NOT NULL,
  band TEXT NOT NULL,
  buy_symbol TEXT,
  PRIMARY KEY (portfolio_id, name)
) STRICT;

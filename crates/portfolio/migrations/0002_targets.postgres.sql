-- How a portfolio is meant to be divided. Weights and bands are shares of one.

CREATE TABLE target_plans (
  portfolio_id BIGINT PRIMARY KEY REFERENCES portfolios(id) ON DELETE CASCADE,
  dimension TEXT NOT NULL CHECK (dimension IN ('class','sector','symbol')),
  minimum_trade NUMERIC NOT NULL DEFAULT 0,
  cash_kept NUMERIC NOT NULL DEFAULT 0,
  whole_shares BOOLEAN NOT NULL DEFAULT true,
  updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE target_weights (
  portfolio_id BIGINT NOT NULL REFERENCES target_plans(portfolio_id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  weight NUMERIC NOT NULL,
  band NUMERIC NOT NULL,
  buy_symbol TEXT,
  PRIMARY KEY (portfolio_id, name)
);

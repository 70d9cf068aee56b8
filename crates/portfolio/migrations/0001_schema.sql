-- The whole schema. Money, quantities and rates are TEXT: canonical decimal strings (plain notation, no exponent).
-- Timestamps are UTC, RFC 3339 text ending in Z; dates are the exchange's local dates.

CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL DEFAULT '',
  base_currency TEXT NOT NULL DEFAULT 'USD' CHECK (length(base_currency) = 3),
  timezone TEXT NOT NULL DEFAULT 'UTC',
  locale TEXT NOT NULL DEFAULT 'en',
  is_active INTEGER NOT NULL DEFAULT 1,
  notification_prefs TEXT NOT NULL DEFAULT '{}',
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  custodian TEXT,
  custodian_account_no TEXT,
  currency TEXT NOT NULL CHECK (length(currency) = 3),
  allow_short INTEGER NOT NULL DEFAULT 0,
  is_active INTEGER NOT NULL DEFAULT 1,
  last_reconciled_at TEXT,
  created_at TEXT NOT NULL,
  UNIQUE (user_id, name)
) STRICT;

CREATE TABLE portfolios (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  base_currency TEXT NOT NULL CHECK (length(base_currency) = 3),
  calendar TEXT NOT NULL DEFAULT 'XNYS',
  lot_method TEXT NOT NULL DEFAULT 'fifo' CHECK (lot_method IN ('fifo','lifo','hifo','avg','specific')),
  income_mode TEXT NOT NULL DEFAULT 'ledger' CHECK (income_mode IN ('ledger','auto')),
  benchmark_asset_id INTEGER,
  risk_free_rate TEXT NOT NULL DEFAULT '0',
  is_active INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL,
  UNIQUE (user_id, name)
) STRICT;

CREATE TABLE portfolio_accounts (
  portfolio_id INTEGER NOT NULL REFERENCES portfolios(id) ON DELETE CASCADE,
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  PRIMARY KEY (portfolio_id, account_id)
) STRICT;

CREATE TABLE assets (
  id INTEGER PRIMARY KEY,
  symbol TEXT NOT NULL,
  exchange TEXT NOT NULL DEFAULT '',
  name TEXT NOT NULL DEFAULT '',
  asset_class TEXT NOT NULL DEFAULT 'equity' CHECK (asset_class IN ('equity','etf','fund','bond','crypto','fx','commodity','index','cash','other')),
  sector TEXT, country TEXT, isin TEXT, figi TEXT,
  currency TEXT NOT NULL CHECK (length(currency) = 3),
  calendar TEXT NOT NULL DEFAULT 'XNYS',
  price_decimals INTEGER NOT NULL DEFAULT 4,
  provider TEXT, provider_symbol TEXT,
  is_active INTEGER NOT NULL DEFAULT 1,
  info TEXT, info_fetched_at TEXT,
  UNIQUE (symbol, exchange)
) STRICT;
CREATE UNIQUE INDEX assets_isin ON assets(isin, exchange) WHERE isin IS NOT NULL;

CREATE TABLE transactions (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  asset_id INTEGER REFERENCES assets(id),
  type TEXT NOT NULL CHECK (type IN ('buy','sell','dividend','interest','fee','tax','deposit','withdrawal','split','transfer_in','transfer_out','fx_conversion','return_of_capital','spinoff','symbol_change','cash_in_lieu')),
  trade_date TEXT NOT NULL,
  settle_date TEXT,
  executed_at TEXT,
  quantity TEXT, price TEXT, amount TEXT,
  fee TEXT NOT NULL DEFAULT '0', tax TEXT NOT NULL DEFAULT '0',
  currency TEXT NOT NULL CHECK (length(currency) = 3),
  fx_rate TEXT,
  to_currency TEXT, to_amount TEXT, to_asset_id INTEGER REFERENCES assets(id), ratio TEXT, cost_fraction TEXT, acquired_on TEXT,
  lot_picks TEXT,
  source TEXT NOT NULL DEFAULT 'manual', external_id TEXT, link_id TEXT, note TEXT,
  created_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX transactions_external ON transactions(account_id, source, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX transactions_by_date ON transactions(account_id, trade_date, id);
CREATE INDEX transactions_by_asset ON transactions(asset_id, trade_date);

CREATE TABLE corporate_actions (
  id INTEGER PRIMARY KEY,
  asset_id INTEGER NOT NULL REFERENCES assets(id) ON DELETE CASCADE,
  ex_date TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('split','dividend')),
  value TEXT NOT NULL,
  currency TEXT, pay_date TEXT, source TEXT NOT NULL,
  UNIQUE (asset_id, ex_date, type)
) STRICT;

CREATE TABLE prices (
  asset_id INTEGER NOT NULL REFERENCES assets(id) ON DELETE CASCADE,
  date TEXT NOT NULL,
  open TEXT, high TEXT, low TEXT, close TEXT NOT NULL,
  volume INTEGER,
  adjusted INTEGER NOT NULL DEFAULT 0,
  source TEXT NOT NULL, fetched_at TEXT NOT NULL,
  PRIMARY KEY (asset_id, date)
) STRICT;

CREATE TABLE quotes (
  asset_id INTEGER PRIMARY KEY REFERENCES assets(id) ON DELETE CASCADE,
  price TEXT NOT NULL, previous_close TEXT, session TEXT NOT NULL CHECK (session IN ('pre','regular','post','closed')),
  quoted_at TEXT NOT NULL, source TEXT NOT NULL, fetched_at TEXT NOT NULL
) STRICT;

CREATE TABLE fx_rates (
  base TEXT NOT NULL, quote TEXT NOT NULL, date TEXT NOT NULL,
  rate TEXT NOT NULL, source TEXT NOT NULL,
  PRIMARY KEY (base, quote, date)
) STRICT;

CREATE TABLE provider_cache (
  provider TEXT NOT NULL, cache_key TEXT NOT NULL,
  etag TEXT, last_modified TEXT, fetched_at TEXT NOT NULL, next_allowed_at TEXT, last_error TEXT,
  PRIMARY KEY (provider, cache_key)
) STRICT;

CREATE TABLE snapshots (
  id INTEGER PRIMARY KEY,
  portfolio_id INTEGER NOT NULL REFERENCES portfolios(id) ON DELETE CASCADE,
  snapshot_date TEXT NOT NULL,
  base_currency TEXT NOT NULL,
  nav TEXT NOT NULL, cash TEXT NOT NULL, invested TEXT NOT NULL,
  cost_basis TEXT NOT NULL, unrealised TEXT NOT NULL, realised_to_date TEXT NOT NULL, income_to_date TEXT NOT NULL, fees_to_date TEXT NOT NULL,
  inflow TEXT NOT NULL, outflow TEXT NOT NULL,
  day_return REAL, twr_to_date REAL,
  stale_prices INTEGER NOT NULL DEFAULT 0,
  input_hash TEXT NOT NULL,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  UNIQUE (portfolio_id, snapshot_date)
) STRICT;

CREATE TABLE snapshot_positions (
  snapshot_id INTEGER NOT NULL REFERENCES snapshots(id) ON DELETE CASCADE,
  asset_id INTEGER NOT NULL REFERENCES assets(id),
  quantity TEXT NOT NULL, price TEXT NOT NULL, price_date TEXT NOT NULL, fx TEXT NOT NULL,
  value_base TEXT NOT NULL, cost_base TEXT NOT NULL, weight REAL,
  PRIMARY KEY (snapshot_id, asset_id)
) STRICT;

CREATE TABLE analytics (
  scope TEXT NOT NULL CHECK (scope IN ('portfolio','user','global')),
  scope_id INTEGER NOT NULL,
  period TEXT NOT NULL,
  as_of TEXT NOT NULL,
  payload TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  computed_at TEXT NOT NULL,
  PRIMARY KEY (scope, scope_id, period)
) STRICT;

CREATE TABLE statements (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  custodian TEXT NOT NULL, as_of TEXT NOT NULL, period_start TEXT,
  sections TEXT NOT NULL,
  source_file TEXT, content_hash TEXT NOT NULL, imported_at TEXT NOT NULL,
  UNIQUE (account_id, as_of, content_hash)
) STRICT;

CREATE TABLE statement_lines (
  id INTEGER PRIMARY KEY,
  statement_id INTEGER NOT NULL REFERENCES statements(id) ON DELETE CASCADE,
  line_no INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('transaction','position','cash')),
  date TEXT, settle_date TEXT, type TEXT, symbol TEXT, isin TEXT,
  quantity TEXT, price TEXT, amount TEXT, currency TEXT, external_id TEXT, description TEXT,
  UNIQUE (statement_id, line_no)
) STRICT;

CREATE TABLE reconciliations (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  statement_id INTEGER NOT NULL REFERENCES statements(id),
  as_of TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('matched','timing_only','breaks','error')),
  counts TEXT NOT NULL, tolerances TEXT NOT NULL, input_hash TEXT NOT NULL,
  task_id TEXT, created_at TEXT NOT NULL,
  UNIQUE (account_id, statement_id, input_hash)
) STRICT;

CREATE TABLE reconciliation_matches (
  id INTEGER PRIMARY KEY,
  reconciliation_id INTEGER NOT NULL REFERENCES reconciliations(id) ON DELETE CASCADE,
  rule TEXT NOT NULL, transaction_ids TEXT NOT NULL, line_ids TEXT NOT NULL,
  quantity_delta TEXT NOT NULL, amount_delta TEXT NOT NULL, date_delta_days INTEGER NOT NULL, explanation TEXT NOT NULL
) STRICT;

CREATE TABLE reconciliation_breaks (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  fingerprint TEXT NOT NULL,
  type TEXT NOT NULL, severity TEXT NOT NULL CHECK (severity IN ('info','low','medium','high')),
  status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open','acknowledged','resolved','auto_resolved')),
  symbol TEXT, currency TEXT, transaction_ids TEXT NOT NULL, line_ids TEXT NOT NULL,
  ledger_value TEXT, statement_value TEXT, difference TEXT, detail TEXT NOT NULL, explanation TEXT NOT NULL,
  first_seen INTEGER NOT NULL REFERENCES reconciliations(id), last_seen INTEGER NOT NULL REFERENCES reconciliations(id),
  opened_at TEXT NOT NULL, closed_at TEXT, note TEXT,
  UNIQUE (account_id, fingerprint)
) STRICT;
CREATE INDEX breaks_open ON reconciliation_breaks(account_id, status);

CREATE TABLE notifications (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  type TEXT NOT NULL CHECK (type IN ('info','warning','alert')),
  subject TEXT NOT NULL, message TEXT NOT NULL, data TEXT NOT NULL DEFAULT '{}',
  dedupe_key TEXT, created_at TEXT NOT NULL, read_at TEXT
) STRICT;
CREATE UNIQUE INDEX notifications_dedupe ON notifications(user_id, dedupe_key) WHERE dedupe_key IS NOT NULL;

CREATE TABLE notification_deliveries (
  notification_id INTEGER NOT NULL REFERENCES notifications(id) ON DELETE CASCADE,
  channel TEXT NOT NULL CHECK (channel IN ('in_app','email','webhook','push')),
  status TEXT NOT NULL CHECK (status IN ('pending','sent','failed','skipped')),
  attempts INTEGER NOT NULL DEFAULT 0, last_error TEXT, sent_at TEXT,
  PRIMARY KEY (notification_id, channel)
) STRICT;

CREATE TABLE user_actions (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  action_id TEXT NOT NULL UNIQUE,
  action TEXT NOT NULL, payload TEXT NOT NULL DEFAULT '{}',
  occurred_at TEXT NOT NULL, processed_at TEXT, outcome TEXT
) STRICT;
CREATE INDEX user_actions_time ON user_actions(occurred_at);

CREATE TABLE metrics_5m (
  bucket TEXT NOT NULL, metric TEXT NOT NULL, label TEXT NOT NULL DEFAULT '', value REAL NOT NULL,
  PRIMARY KEY (bucket, metric, label)
) STRICT;

CREATE TABLE report_artifacts (
  id INTEGER PRIMARY KEY,
  user_id INTEGER REFERENCES users(id) ON DELETE CASCADE,
  kind TEXT NOT NULL, format TEXT NOT NULL CHECK (format IN ('json','csv','pdf','html')),
  period_start TEXT, period_end TEXT,
  path TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, input_hash TEXT NOT NULL, task_id TEXT,
  created_at TEXT NOT NULL, expires_at TEXT
) STRICT;
CREATE INDEX report_artifacts_user ON report_artifacts(user_id, kind, created_at);

CREATE TABLE cache_entries (
  key TEXT PRIMARY KEY, value BLOB NOT NULL, content_type TEXT NOT NULL DEFAULT 'application/json',
  version INTEGER NOT NULL, user_id INTEGER, computed_at TEXT NOT NULL, expires_at TEXT NOT NULL, hits INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX cache_entries_expiry ON cache_entries(expires_at);

CREATE TABLE backups (
  id INTEGER PRIMARY KEY, scope TEXT NOT NULL, path TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, row_counts TEXT NOT NULL,
  verified INTEGER NOT NULL, created_at TEXT NOT NULL
) STRICT;

CREATE TABLE health_samples (
  id INTEGER PRIMARY KEY, checked_at TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('healthy','degraded','unhealthy')), checks TEXT NOT NULL
) STRICT;

CREATE TABLE task_locks (
  key TEXT PRIMARY KEY, owner TEXT NOT NULL, acquired_at TEXT NOT NULL, expires_at TEXT NOT NULL
) STRICT;

CREATE TABLE task_runs (
  task_id TEXT PRIMARY KEY, name TEXT NOT NULL, queue TEXT NOT NULL, state TEXT NOT NULL, worker TEXT,
  args TEXT NOT NULL, started_at TEXT, finished_at TEXT, duration_ms INTEGER, retries INTEGER NOT NULL DEFAULT 0, error TEXT
) STRICT;
CREATE INDEX task_runs_finished ON task_runs(finished_at);

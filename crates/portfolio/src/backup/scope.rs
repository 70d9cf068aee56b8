//! Which tables a backup holds.

use serde::{Deserialize, Serialize};

/// Which tables a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of them.
    Full,
    /// People, instruments, transactions and statements: what nobody else has.
    Ledger,
    /// Instruments, prices, rates: what providers have too.
    MarketData,
    /// Users, accounts, portfolios.
    Config,
}

use Scope::{Config, Ledger, MarketData};

/// Every table that is backed up with the scopes beside `full` that hold it; each after those that it refers to.
pub(crate) const TABLES: &[(&str, &[Scope])] = &[
    ("users", &[Ledger, Config]),
    ("accounts", &[Ledger, Config]),
    ("portfolios", &[Ledger, Config]),
    ("portfolio_accounts", &[Ledger, Config]),
    ("target_plans", &[Ledger, Config]),
    ("target_weights", &[Ledger, Config]),
    ("assets", &[Ledger, MarketData]),
    ("transactions", &[Ledger]),
    ("corporate_actions", &[Ledger, MarketData]),
    ("prices", &[MarketData]),
    ("quotes", &[MarketData]),
    ("fx_rates", &[MarketData]),
    ("provider_cache", &[MarketData]),
    ("snapshots", &[]),
    ("snapshot_positions", &[]),
    ("analytics", &[]),
    ("portfolio_caches", &[]),
    ("statements", &[Ledger]),
    ("statement_lines", &[Ledger]),
    ("reconciliations", &[]),
    ("reconciliation_matches", &[]),
    ("reconciliation_breaks", &[]),
    ("notifications", &[]),
    ("notification_deliveries", &[]),
    ("user_actions", &[]),
    ("metrics_5m", &[]),
    ("report_artifacts", &[]),
    ("cache_entries", &[]),
    ("health_samples", &[]),
    ("task_runs", &[]),
];

/// Tables that speak of this installation's present and mean nothing elsewhere.
#[cfg(test)]
pub(crate) const LEFT_OUT: &[&str] = &[
    "backups",
    "task_locks",
    "revisions",
    "refreshes",
    "ledger_states",
    "_sqlx_migrations",
];

impl Scope {
    const ALL: [Scope; 4] = [Scope::Full, Ledger, MarketData, Config];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Full => "full",
            Ledger => "ledger",
            MarketData => "market_data",
            Config => "config",
        }
    }

    /// The scope of this name.
    pub fn parse(name: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    /// Its tables, each after those that it refers to.
    pub(super) fn tables(self) -> impl Iterator<Item = &'static str> {
        let held = move |scopes: &[Scope]| self == Scope::Full || scopes.contains(&self);
        TABLES
            .iter()
            .filter(move |(_, scopes)| held(scopes))
            .map(|(table, _)| *table)
    }
}

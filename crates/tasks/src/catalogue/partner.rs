//! Value Partner's tasks.

use super::{Limits, Retry, Spec};
use crate::arguments::{Field, Kind, Place, Preset};

/// The tolerances of a reconciliation.
const TOLERANCES: &[Field] = &[
    Field::decimal("amount_abs"),
    Field::decimal("amount_rel"),
    Field::decimal("quantity_abs"),
    Field::decimal("price_rel"),
    Field::int("date_days").min(0),
    Field::int("group_max").min(1),
    Field::int("group_candidates").min(1),
    Field::decimal("soft_rel"),
    Field::int("settle_days").min(0),
];

/// Reconciles every account that has a statement.
pub const RECONCILE_ALL_ACCOUNTS: Spec = Spec {
    fields: &[
        Field::past_date("as_of"),
        Field::path("statement_dir", Place::Statements),
    ],
    limits: Limits::LONG,
    ..Spec::normal(
        "app.tasks.reconciliation.reconcile_all_accounts",
        "reconciliation",
    )
};

/// Compares one ledger with one statement.
pub const RECONCILE_ACCOUNT: Spec = Spec {
    fields: &[
        Field::id("account_id").required(),
        Field::id("user_id").required(),
        Field::id("statement_id"),
        Field::past_date("as_of"),
        Field::record("tolerances", TOLERANCES, false),
    ],
    ..Spec::normal(
        "app.tasks.reconciliation.reconcile_account",
        "reconciliation",
    )
};

/// Counts what reconciling every account gave; called by that task's chord only.
pub const SUMMARISE_RECONCILIATIONS: Spec = Spec {
    fields: &[
        Field::any("results").required(),
        Field::any("accounts").required(),
        Field::int("no_statement").min(0).required(),
        Field::any("failed_imports").required(),
        Field::text("group_id").required(),
    ],
    ..Spec::normal(
        "app.tasks.reconciliation.summarise_reconciliations",
        "reconciliation",
    )
};

/// Prices, actions and rates of everything active.
pub const SYNC_MARKET_DATA: Spec = Spec {
    fields: &[
        Field::list("symbols", &Kind::Symbol(false)),
        Field::flag("full"),
        Field::flag("include_fx").or(Preset::Bool(true)),
    ],
    limits: Limits::LONG,
    ..Spec::normal("app.tasks.reconciliation.sync_market_data", "market_data")
};

/// Counts what it is given.
pub const PROCESS_DATA: Spec = Spec {
    fields: &[Field::any("data").required()],
    limits: Limits::MINUTE,
    retry: Retry::NONE,
    ..Spec::normal("app.tasks.process_data", "default")
};

pub(super) const TASKS: &[Spec] = &[
    RECONCILE_ALL_ACCOUNTS,
    RECONCILE_ACCOUNT,
    SYNC_MARKET_DATA,
    PROCESS_DATA,
];

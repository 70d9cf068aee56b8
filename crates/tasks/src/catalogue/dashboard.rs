//! The Financial Dashboard's tasks.

use super::{Limits, Spec};
use crate::arguments::{Bounds, Field, Kind, Preset};

/// A symbol that must look like one.
const SYMBOL: Kind = Kind::Symbol(true);
/// Whole numbers of days.
const WINDOW: Kind = Kind::Int(Bounds {
    min: Some(1),
    max: None,
});

/// The periods that figures have names for.
pub const PERIODS: &[&str] = &[
    "1d", "wtd", "mtd", "qtd", "ytd", "1w", "1m", "3m", "6m", "1y", "3y", "5y", "max",
];

/// Daily bars of some symbols.
pub const FETCH_MARKET_DATA: Spec = Spec {
    aliases: &["backend.tasks.market_data.fetch_market_data"],
    fields: &[
        Field::list("symbols", &SYMBOL).min(1).max(500).required(),
        Field::date("start"),
        Field::date("end"),
        Field::int("days").min(1).max(36_500).or(Preset::Int(365)),
        Field::text("provider"),
        Field::flag("force"),
    ],
    ordered: Some(("start", "end")),
    ..Spec::normal("fetch_market_data", "market_data")
};

/// Quotes of what portfolios hold.
pub const UPDATE_PORTFOLIO_PRICES: Spec = Spec {
    aliases: &["backend.tasks.market_data.update_portfolio_prices"],
    fields: &[
        Field::ids("portfolio_ids"),
        Field::list("symbols", &Kind::Symbol(false)),
        Field::flag("market_hours_only"),
        Field::flag("extended_hours"),
    ],
    ..Spec::normal("update_portfolio_prices", "market_data")
};

/// What is known about one symbol.
pub const FETCH_ASSET_INFO: Spec = Spec {
    aliases: &["backend.tasks.market_data.fetch_asset_info"],
    fields: &[
        Field::symbol("symbol", true).required(),
        Field::int("max_age_hours").min(0).or(Preset::Int(24)),
    ],
    limits: Limits::MINUTE,
    ..Spec::normal("fetch_asset_info", "market_data")
};

/// A user's figures on demand.
pub const CALCULATE_PORTFOLIO_PERFORMANCE: Spec = Spec {
    aliases: &["backend.tasks.portfolio.calculate_portfolio_performance"],
    fields: &[
        Field::id("user_id").required(),
        Field::int("days_back")
            .min(1)
            .max(36_500)
            .or(Preset::Int(30)),
        Field::id("portfolio_id"),
        Field::symbol("benchmark", false),
        Field::list("periods", &Kind::Choice(PERIODS)),
        Field::date("start"),
        Field::date("end"),
        Field::list("rolling", &WINDOW).or(Preset::Ints(&[63, 252])),
    ],
    ordered: Some(("start", "end")),
    ..Spec::normal("calculate_portfolio_performance", "analytics")
};

/// Each portfolio's value after a session.
pub const CREATE_PORTFOLIO_SNAPSHOT: Spec = Spec {
    aliases: &["backend.tasks.portfolio.create_portfolio_snapshot"],
    fields: &[
        Field::id("user_id"),
        Field::id("portfolio_id"),
        Field::past_date("snapshot_date"),
        Field::flag("force"),
    ],
    ..Spec::normal("create_portfolio_snapshot", "analytics")
};

/// What a portfolio report can be about.
pub const PORTFOLIO_REPORTS: &[&str] = &[
    "comprehensive",
    "performance",
    "holdings",
    "income",
    "tax",
    "reconciliation",
];

/// A user's report.
pub const GENERATE_PORTFOLIO_REPORT: Spec = Spec {
    aliases: &[
        "backend.tasks.portfolio.generate_portfolio_report",
        "finflow.core.tasks.generate_portfolio_report",
    ],
    fields: &[
        Field::id("user_id").required(),
        Field::choice("report_type", PORTFOLIO_REPORTS).or(Preset::Text("comprehensive")),
        Field::date("start"),
        Field::date("end"),
        Field::list("formats", &Kind::Choice(&["pdf", "html", "csv", "json"]))
            .or(Preset::Texts(&["pdf"])),
        Field::id("portfolio_id"),
        Field::flag("notify").or(Preset::Bool(true)),
    ],
    ordered: Some(("start", "end")),
    ..Spec::normal("generate_portfolio_report", "low_priority")
};

/// Repairs what has gaps.
pub const WEEKLY_PORTFOLIO_MAINTENANCE: Spec = Spec {
    fields: &[
        Field::int("rebuild_days")
            .min(0)
            .max(3_650)
            .or(Preset::Int(10)),
        Field::flag("dry_run"),
    ],
    limits: Limits::LONG,
    ..Spec::normal("weekly_portfolio_maintenance", "maintenance")
};

pub(super) const TASKS: &[Spec] = &[
    FETCH_MARKET_DATA,
    UPDATE_PORTFOLIO_PRICES,
    FETCH_ASSET_INFO,
    CALCULATE_PORTFOLIO_PERFORMANCE,
    CREATE_PORTFOLIO_SNAPSHOT,
    GENERATE_PORTFOLIO_REPORT,
    WEEKLY_PORTFOLIO_MAINTENANCE,
];

//! `celeriac finance attribution`: portfolios beside their targets, or beside a mix of indices.

use jiff::civil::Date;
use portfolio::analytics::{Issue, Period, View, view, view_with_plan};
use portfolio::attribution::linked::LinkedAttribution;
use portfolio::attribution::{Effects, Group};
use portfolio::decimal::Decimal;
use portfolio::store::Store;
use portfolio::targets::{Dimension, Target, TargetPlan};
use serde::Serialize;
use service::Exit;

use super::performance::{period, told};
use super::targets::{WhoseArgs, dimension, group, weighted};
use crate::context::Context;
use crate::error::Error;
use crate::output;
use crate::summary::percent;

/// What is compared.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  celeriac finance attribution -u 1 --period ytd
  celeriac finance attribution -u 1 --portfolio 1 --by class equity=60:SPY bond=40:AGG
  celeriac finance attribution -u 1 --by symbol AAPL=50 IBM=50 --start 2011-12-31 --end 2012-12-31
Without a mix each portfolio is compared with its targets (celeriac finance targets).
The mix is rebalanced every day; what it leaves of 100 is cash. Allocation comes from
holding more or less of a group, selection from other assets within it, interaction
from both at once. They add up to the active return; a rest is profit of days on
which hardly anything was held.")]
pub(crate) struct AttributionArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    /// What the mix names
    #[arg(long, value_name = "WHAT", default_value = "class", value_parser = dimension())]
    by: Dimension,
    /// A mix to compare with, in per cent, each with the symbol whose prices and dividends it follows
    #[arg(value_name = "NAME=PERCENT[:SYMBOL]", value_parser = component)]
    mix: Vec<Target>,
    /// The range
    #[arg(long, value_name = "PERIOD", default_value = "1y", value_parser = period)]
    period: Period,
    /// The opening day instead; its value is where the range starts
    #[arg(long, value_name = "DATE", value_parser = super::day, conflicts_with = "period")]
    start: Option<Date>,
    /// The last day; the last completed session unless given
    #[arg(long, value_name = "DATE", value_parser = super::day)]
    end: Option<Date>,
}

/// A group of the mix as it is typed.
fn component(text: &str) -> Result<Target, String> {
    let (name, weight, symbol) = weighted(text, "equity=60:SPY")?;
    if symbol == Some("") {
        return Err("must name a symbol behind the colon, such as equity=60:SPY".to_owned());
    }
    Ok(Target {
        name,
        weight,
        band: Decimal::ZERO,
        buy: symbol.map(str::to_uppercase),
    })
}

impl AttributionArgs {
    /// The mix as a plan that was followed exactly.
    fn plan(&self) -> TargetPlan {
        let targets = self.mix.iter().map(|target| Target {
            name: group(self.by, &target.name),
            ..target.clone()
        });
        TargetPlan {
            dimension: self.by,
            minimum_trade: Decimal::ZERO,
            cash_kept: Decimal::ZERO,
            whole_shares: false,
            targets: targets.collect(),
        }
    }

    async fn view(&self, store: &Store) -> Result<View, Error> {
        let WhoseArgs { user, portfolio } = self.whose;
        if self.mix.is_empty() {
            return Ok(view(store, user, portfolio, self.end).await?);
        }
        let plan = self.plan();
        plan.check()?;
        Ok(view_with_plan(store, user, portfolio, self.end, &plan).await?)
    }
}

/// A portfolio with its attribution.
#[derive(Debug, Serialize)]
struct Attributed {
    portfolio_id: i64,
    portfolio: String,
    #[serde(flatten)]
    found: LinkedAttribution,
}

/// Attributes, and prints what was found.
pub(super) async fn attribution(
    store: &Store,
    args: AttributionArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let view = args.view(store).await?;
    args.start
        .map_or(Ok(()), |start| view.check_opening(start))?;
    let (mut all, mut issues): (Vec<Attributed>, Vec<Issue>) = Default::default();
    for viewed in &view.portfolios {
        let opening = args.period.start(viewed.as_of());
        match view.attribution(viewed, args.start.unwrap_or(opening)) {
            Ok(found) => all.extend(found.map(|found| Attributed {
                portfolio_id: viewed.row().id,
                portfolio: viewed.row().name.clone(),
                found,
            })),
            Err(issue) => issues.push(issue),
        }
    }
    if context.json {
        output::json(&all);
    } else if all.is_empty() && issues.is_empty() {
        output::line(NOTHING);
    } else {
        all.iter().for_each(explain);
    }
    Ok(told(&issues))
}

const NOTHING: &str = "no portfolio has targets: name a mix such as equity=60:SPY bond=40:AGG, or use celeriac finance targets set";

const HEADERS: [&str; 9] = [
    "group",
    "share",
    "in the mix",
    "return",
    "in the mix",
    "allocation",
    "selection",
    "interaction",
    "sum",
];

fn explain(one: &Attributed) {
    let LinkedAttribution {
        from,
        to,
        attribution,
        rest,
        sides,
    } = &one.found;
    let share = |value: f64| percent(Some(value));
    output::line(&format!(
        "{} from {from} to {to}: {}, the mix {}, active return {}",
        one.portfolio,
        share(attribution.portfolio_return),
        share(attribution.benchmark_return),
        share(attribution.active_return),
    ));
    let groups = sides.iter().map(|(name, group)| {
        let effects = attribution.groups.get(name).copied().unwrap_or_default();
        row(name, Some(group), effects)
    });
    let totals = [row("total", None, attribution.totals)];
    let rows = groups.chain(totals).collect();
    output::table(&HEADERS, rows, "there is nothing to compare");
    if rest.abs() >= SMALLEST {
        output::line(&format!("rest: {}", share(*rest)));
    }
}

/// What is shown at all.
const SMALLEST: f64 = 0.000_05;

fn row(name: &str, sides: Option<&Group>, effects: Effects) -> Vec<String> {
    let Effects {
        allocation,
        selection,
        interaction,
    } = effects;
    let sum = allocation + selection + interaction;
    let sides = |of: fn(&Group) -> f64| percent(sides.map(of));
    let mut cells = vec![
        name.to_owned(),
        sides(|group| group.portfolio_weight),
        sides(|group| group.benchmark_weight),
        sides(|group| group.portfolio_return),
        sides(|group| group.benchmark_return),
    ];
    cells.extend([allocation, selection, interaction, sum].map(|effect| percent(Some(effect))));
    cells
}

//! `celeriac finance targets`: how portfolios are meant to be divided, and the trades that bring them there.

mod shown;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::Timestamp;
use jiff::civil::Date;
use portfolio::analytics::owned_portfolio;
use portfolio::decimal::{Decimal, RATE};
use portfolio::store::Store;
use portfolio::targets::{Dimension, Target, TargetPlan};
use service::Exit;

use crate::context::Context;
use crate::error::Error;
use crate::output;

/// What is done with targets.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Examples:
  celeriac finance targets set -u 1 --portfolio 1 --by class equity=60 bond=30:3 --buy bond=AGG
  celeriac finance targets set -u 1 --portfolio 1 --by symbol AAPL=40 IBM=40 --cash 5000
  celeriac finance targets propose -u 1
  celeriac finance targets propose -u 1 --deposit 1000
Shares are of what the targets name together with cash, less the cash that is kept;
holdings that no target names are left alone. Weights below 100 in all leave cash.
Nothing is proposed while every group is within its band.")]
pub(crate) enum TargetsArgs {
    /// Say how a portfolio is meant to be divided
    Set(SetArgs),
    /// Show how portfolios are meant to be divided
    Show(WhoseArgs),
    /// Propose the trades that bring portfolios back to their targets
    Propose(ProposeArgs),
    /// Forget a portfolio's targets
    Remove(OneArgs),
}

/// One portfolio.
#[derive(Debug, clap::Args)]
pub(crate) struct OneArgs {
    /// Whose portfolio
    #[arg(long, short, value_name = "ID")]
    user: i64,
    /// Which portfolio
    #[arg(long, value_name = "ID")]
    portfolio: i64,
}

/// One portfolio, or all of a user's.
#[derive(Debug, clap::Args)]
pub(crate) struct WhoseArgs {
    /// Whose portfolios
    #[arg(long, short, value_name = "ID")]
    pub(super) user: i64,
    /// Only this portfolio
    #[arg(long, value_name = "ID")]
    pub(super) portfolio: Option<i64>,
}

/// A plan.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    one: OneArgs,
    /// What the targets name
    #[arg(long, value_name = "WHAT", default_value = "class", value_parser = dimension())]
    by: Dimension,
    /// Shares in per cent, such as equity=60; with a band in percentage points, such as equity=60:5
    #[arg(value_name = "NAME=PERCENT[:BAND]", required = true, value_parser = target)]
    targets: Vec<Typed>,
    /// The band of targets that say none, in percentage points
    #[arg(long, value_name = "POINTS", default_value = "5", value_parser = share)]
    band: Decimal,
    /// What is bought for a group; in proportion to what is held unless given. May be given several times
    #[arg(long = "buy", value_name = "NAME=SYMBOL", value_parser = pair)]
    buys: Vec<(String, String)>,
    /// Leave out trades of less, in the portfolio's currency
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    minimum_trade: Decimal,
    /// Cash that is never invested, in the portfolio's currency
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    cash: Decimal,
    /// Fractions of shares can be traded
    #[arg(long)]
    fractions: bool,
}

/// What a proposal is for.
#[derive(Debug, clap::Args)]
pub(crate) struct ProposeArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    /// The day of the prices; the last completed session unless given
    #[arg(long, value_name = "DATE", value_parser = super::day)]
    as_of: Option<Date>,
    /// Where to put this much new money, in the portfolio's currency; nothing is sold then
    #[arg(long, value_name = "AMOUNT", value_parser = above_zero)]
    deposit: Option<Decimal>,
}

fn decimal(text: &str) -> Result<Decimal, String> {
    let parsed = text.trim().parse::<Decimal>();
    parsed.map_err(|error| error.to_string())
}

fn above_zero(text: &str) -> Result<Decimal, String> {
    let amount = decimal(text)?;
    let good = amount.is_positive().then_some(amount);
    good.ok_or_else(|| "must be above zero".to_owned())
}

/// Per cent as a share.
pub(super) fn share(text: &str) -> Result<Decimal, String> {
    let share = decimal(text)?.div(Decimal::from_int(100), RATE);
    share.map_err(|error| error.to_string())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "must be such as bond=AGG".to_owned())?;
    Ok((name.trim().to_owned(), value.trim().to_uppercase()))
}

/// A target as it is typed.
#[derive(Clone, Debug)]
struct Typed {
    name: String,
    weight: Decimal,
    band: Option<Decimal>,
}

fn target(text: &str) -> Result<Typed, String> {
    let (name, weight, band) = weighted(text, "equity=60 or equity=60:5")?;
    let band = band.map(share).transpose()?;
    Ok(Typed { name, weight, band })
}

/// A name, its share, and what is behind the colon, if there is one.
pub(super) fn weighted<'t>(
    text: &'t str,
    example: &str,
) -> Result<(String, Decimal, Option<&'t str>), String> {
    let (name, rest) = text
        .rsplit_once('=')
        .ok_or_else(|| format!("must be such as {example}"))?;
    let (weight, more) = match rest.split_once(':') {
        Some((weight, more)) => (weight, Some(more.trim())),
        None => (rest, None),
    };
    Ok((name.trim().to_owned(), share(weight)?, more))
}

/// What the names of groups are, by its name.
pub(super) fn dimension() -> impl TypedValueParser<Value = Dimension> {
    PossibleValuesParser::new(Dimension::ALL.map(Dimension::as_str))
        .map(|name| Dimension::parse(&name).expect("only names of dimensions are possible"))
}

/// The name of a group as it is stored.
pub(super) fn group(dimension: Dimension, typed: &str) -> String {
    match dimension {
        Dimension::Symbol => typed.to_uppercase(),
        Dimension::Class => typed.to_lowercase(),
        Dimension::Sector => typed.to_owned(),
    }
}

impl SetArgs {
    fn plan(&self) -> Result<TargetPlan, Error> {
        let name = |typed: &str| group(self.by, typed);
        let targets = self.targets.iter().map(|typed| Target {
            name: name(&typed.name),
            weight: typed.weight,
            band: typed.band.unwrap_or(self.band),
            buy: None,
        });
        let mut plan = TargetPlan {
            dimension: self.by,
            minimum_trade: self.minimum_trade,
            cash_kept: self.cash,
            whole_shares: !self.fractions,
            targets: targets.collect(),
        };
        for (group, symbol) in &self.buys {
            let group = name(group);
            let found = plan.targets.iter_mut().find(|target| target.name == group);
            let missing = || Error::Usage(format!("--buy {group}: there is no such target"));
            found.ok_or_else(missing)?.buy = Some(symbol.clone());
        }
        Ok(plan)
    }
}

pub(super) async fn run(
    store: &Store,
    args: TargetsArgs,
    context: &Context,
) -> Result<Exit, Error> {
    match args {
        TargetsArgs::Set(args) => set(store, &args, context).await,
        TargetsArgs::Show(whose) => shown::show(store, &whose, context).await,
        TargetsArgs::Propose(args) => shown::propose(store, args, context).await,
        TargetsArgs::Remove(one) => remove(store, &one).await,
    }
}

async fn set(store: &Store, args: &SetArgs, context: &Context) -> Result<Exit, Error> {
    let row = owned_portfolio(store, args.one.user, args.one.portfolio).await?;
    let plan = args.plan()?;
    plan.check()?;
    for symbol in plan.symbols() {
        super::asset(store, symbol).await?;
    }
    store.put_targets(row.id, &plan, Timestamp::now()).await?;
    let whose = WhoseArgs {
        user: args.one.user,
        portfolio: Some(row.id),
    };
    shown::show(store, &whose, context).await
}

async fn remove(store: &Store, one: &OneArgs) -> Result<Exit, Error> {
    let row = owned_portfolio(store, one.user, one.portfolio).await?;
    let there = store.remove_targets(row.id).await?;
    let what = if there {
        "forgotten"
    } else {
        "there were none"
    };
    output::line(&format!("targets of {}: {what}", row.name));
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_typed_in_per_cent_and_kept_exactly() {
        let typed = target("equity = 60.5:2.25").unwrap();
        assert_eq!(typed.name, "equity");
        assert_eq!(typed.weight.to_string(), "0.605");
        assert_eq!(typed.band.unwrap().to_string(), "0.0225");
        assert_eq!(target("bond=40").unwrap().band, None);
        for bad in ["equity", "equity=much", "equity=60:", "equity=NaN"] {
            target(bad).unwrap_err();
        }
    }
}

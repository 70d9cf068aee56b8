//! `celeriac finance targets`: how portfolios are meant to be divided, and the trades that bring them there.

use jiff::Timestamp;
use jiff::civil::Date;
use portfolio::analytics::{View, Viewed, owned_portfolio, view};
use portfolio::decimal::{Decimal, RATE};
use portfolio::store::Store;
use portfolio::targets::{Aim, Dimension, Proposal, Side, Target, TargetPlan};
use reports::format::amount;
use serde::Serialize;
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
    user: i64,
    /// Only this portfolio
    #[arg(long, value_name = "ID")]
    portfolio: Option<i64>,
}

/// A plan.
#[derive(Debug, clap::Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    one: OneArgs,
    /// What the targets name
    #[arg(long, value_name = "WHAT", default_value = "class", value_parser = ["class", "sector", "symbol"])]
    by: String,
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
    #[arg(long, value_name = "DATE")]
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
fn share(text: &str) -> Result<Decimal, String> {
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
    let (name, rest) = text
        .rsplit_once('=')
        .ok_or_else(|| "must be such as equity=60 or equity=60:5".to_owned())?;
    let (weight, band) = match rest.split_once(':') {
        Some((weight, band)) => (weight, Some(share(band)?)),
        None => (rest, None),
    };
    Ok(Typed {
        name: name.trim().to_owned(),
        weight: share(weight)?,
        band,
    })
}

impl SetArgs {
    fn plan(&self) -> Result<TargetPlan, Error> {
        let dimension = Dimension::parse(&self.by).unwrap_or(Dimension::Class);
        let name = |name: &str| match dimension {
            Dimension::Symbol => name.to_uppercase(),
            Dimension::Class => name.to_lowercase(),
            Dimension::Sector => name.to_owned(),
        };
        let targets = self.targets.iter().map(|typed| Target {
            name: name(&typed.name),
            weight: typed.weight,
            band: typed.band.unwrap_or(self.band),
            buy: None,
        });
        let mut plan = TargetPlan {
            dimension,
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
        TargetsArgs::Show(whose) => show(store, &whose, context).await,
        TargetsArgs::Propose(args) => propose(store, args, context).await,
        TargetsArgs::Remove(one) => remove(store, &one).await,
    }
}

async fn set(store: &Store, args: &SetArgs, context: &Context) -> Result<Exit, Error> {
    let row = owned_portfolio(store, args.one.user, args.one.portfolio).await?;
    let plan = args.plan()?;
    plan.check()?;
    let assets = store.asset_ids().await?;
    if let Some(symbol) = plan.symbols().find(|symbol| !assets.contains_key(*symbol)) {
        return Err(Error::NotFound(format!(
            "there is no asset {symbol}; celeriac finance fetch-market-data -s {symbol} adds it"
        )));
    }
    store.put_targets(row.id, &plan, Timestamp::now()).await?;
    let whose = WhoseArgs {
        user: args.one.user,
        portfolio: Some(row.id),
    };
    show(store, &whose, context).await
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

/// A portfolio with its plan.
#[derive(Debug, Serialize)]
struct Planned<'v> {
    portfolio_id: i64,
    portfolio: &'v str,
    currency: String,
    #[serde(flatten)]
    plan: &'v TargetPlan,
}

async fn show(store: &Store, whose: &WhoseArgs, context: &Context) -> Result<Exit, Error> {
    let view = view(store, whose.user, whose.portfolio, None).await?;
    let planned = view.portfolios.iter().filter_map(|viewed| {
        let row = viewed.row();
        Some(Planned {
            portfolio_id: row.id,
            portfolio: &row.name,
            currency: row.base_currency.to_string(),
            plan: view.targets.get(&row.id)?,
        })
    });
    let planned: Vec<Planned<'_>> = planned.collect();
    if context.json {
        output::json(&planned);
        return Ok(Exit::Ok);
    }
    let headers = ["portfolio", "by", "group", "target", "band", "buys"];
    let rows = planned.iter().flat_map(|one| {
        let targets = one.plan.targets.iter();
        targets.map(|target| {
            vec![
                one.portfolio.to_owned(),
                one.plan.dimension.as_str().to_owned(),
                target.name.clone(),
                percent(target.weight),
                percent(target.band),
                target.buy.clone().unwrap_or_default(),
            ]
        })
    });
    output::table(&headers, rows.collect(), NOTHING);
    for one in &planned {
        let TargetPlan {
            minimum_trade,
            cash_kept,
            whole_shares,
            ..
        } = one.plan;
        let shares = if *whole_shares {
            "whole shares"
        } else {
            "fractions too"
        };
        output::line(&format!(
            "{}: {cash_kept} {} of cash kept, trades from {minimum_trade} {}, {shares}",
            one.portfolio, one.currency, one.currency
        ));
    }
    Ok(Exit::Ok)
}

const NOTHING: &str = "no portfolio has targets: celeriac finance targets set";

/// A portfolio with its proposal.
#[derive(Debug, Serialize)]
struct Proposed {
    portfolio_id: i64,
    portfolio: String,
    #[serde(flatten)]
    proposal: Proposal,
}

async fn propose(store: &Store, args: ProposeArgs, context: &Context) -> Result<Exit, Error> {
    let whose = &args.whose;
    let view = view(store, whose.user, whose.portfolio, args.as_of).await?;
    let aim = args.deposit.map_or(Aim::Rebalance, Aim::Deposit);
    let (mut proposed, mut exit) = (Vec::new(), Exit::Ok);
    for viewed in &view.portfolios {
        match one(&view, viewed, aim) {
            Ok(found) => proposed.extend(found),
            Err(error) => {
                eprintln!("portfolio {}: {}: {error}", viewed.row().id, error.code());
                exit = Exit::Failure;
            }
        }
    }
    if context.json {
        output::json(&proposed);
    } else if proposed.is_empty() {
        output::line(NOTHING);
    } else {
        proposed.iter().for_each(explain);
    }
    Ok(exit)
}

fn one(
    view: &View,
    viewed: &Viewed,
    aim: Aim,
) -> Result<Option<Proposed>, portfolio::ledger::LedgerError> {
    let proposal = view.proposal(viewed, aim)?;
    Ok(proposal.map(|proposal| Proposed {
        portfolio_id: viewed.row().id,
        portfolio: viewed.row().name.clone(),
        proposal,
    }))
}

fn explain(proposed: &Proposed) {
    let Proposed {
        portfolio,
        proposal,
        ..
    } = proposed;
    let currency = proposal.currency;
    let money = |value| amount(value, currency);
    output::line(&format!(
        "{portfolio} on {}: {} to divide by {}, {} in cash of which {} kept",
        proposal.as_of,
        money(proposal.divided),
        proposal.dimension.as_str(),
        money(proposal.cash + proposal.deposit),
        money(proposal.cash_kept),
    ));
    let groups = proposal.groups.iter().map(|group| {
        vec![
            group.name.clone(),
            money(group.value),
            percent(group.weight),
            percent(group.target),
            percent(group.drift),
            if group.out_of_band { "out" } else { "in" }.to_owned(),
            money(group.value_after),
        ]
    });
    let headers = [
        "group",
        "value",
        "share",
        "target",
        "drift",
        "band",
        "after trades",
    ];
    output::table(&headers, groups.collect(), "there is nothing to divide");
    let trades = proposal.trades.iter().map(|trade| {
        let side = match trade.side {
            Side::Buy => "buy",
            Side::Sell => "sell",
        };
        let stale = trade
            .stale_days
            .map(|days| format!("price is {days} days old"));
        vec![
            side.to_owned(),
            trade.quantity.to_string(),
            trade.symbol.clone(),
            format!("{} {}", trade.price, trade.currency),
            money(trade.amount_base),
            stale.unwrap_or_default(),
        ]
    });
    let headers = ["trade", "quantity", "symbol", "price", "amount", "note"];
    output::table(&headers, trades.collect(), "nothing to trade");
    for left in &proposal.left_out {
        let what = left.symbol.as_ref().unwrap_or(&left.group);
        let (amount, why) = (money(left.amount_base), left.reason.text());
        output::line(&format!("no trade for {amount} of {what}: {why}"));
    }
    output::line(&format!("cash afterwards: {}", money(proposal.cash_after)));
}

/// A share in per cent, to two places.
fn percent(share: Decimal) -> String {
    crate::summary::percent(Some(share.to_f64()))
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

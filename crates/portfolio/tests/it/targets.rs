//! Target allocation: what is proposed in which case, and plans are kept.

mod any_plan;

use calendar::Calendar;
use jiff::civil::{Date, date};
use portfolio::Error;
use portfolio::carried::Carried;
use portfolio::decimal::Decimal;
use portfolio::fx::RateTable;
use portfolio::ledger::{AccountId, Entry, IncomeMode, Kind, LotMethod, Rules};
use portfolio::market::{Asset, AssetIx, Market};
use portfolio::series::{Walk, WalkRequest};
use portfolio::targets::{Aim, Dimension, Proposal, Reason, Target, TargetPlan};

use crate::generated::money;
use crate::world::{Server, World, now, on_both_servers};

const DAY: Date = date(2024, 3, 1);
const CLASSES: [&str; 4] = ["equity", "bond", "fund", "crypto"];

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// One holding: price in cents, thousandths of a unit.
#[derive(Clone, Debug)]
struct Holding {
    class: usize,
    pounds: bool,
    price: i64,
    held: i64,
}

impl Holding {
    fn quantity(&self) -> Decimal {
        let held = Decimal::from_int(self.held);
        held.div(Decimal::from_int(1000), 3).unwrap()
    }

    fn asset(&self, index: usize) -> Asset {
        let currency = if self.pounds { "GBP" } else { "USD" };
        Asset {
            id: i64::try_from(index).unwrap(),
            symbol: format!("A{index}"),
            currency: currency.parse().unwrap(),
            class: CLASSES[self.class].to_owned(),
            sector: (self.class != 3).then(|| format!("sector {}", index % 2)),
            country: None,
            closes: Carried::new(vec![(DAY, money(self.price))]),
            actions: Vec::new(),
        }
    }
}

/// The proposal for these holdings and this cash in cents.
fn propose(holdings: &[Holding], cash: i64, plan: &TargetPlan, aim: Aim) -> Proposal {
    plan.check().unwrap();
    let assets = holdings.iter().enumerate();
    let rates = [("USD", "1.0853"), ("GBP", "0.8561")].map(|(code, rate)| {
        (
            code.parse().unwrap(),
            Carried::new(vec![(DAY, decimal(rate))]),
        )
    });
    let market = Market::new(
        assets
            .map(|(index, holding)| holding.asset(index))
            .collect(),
        RateTable::new(rates.into_iter().collect()),
    );
    let mut deposit = Entry::new(1, AccountId(1), Kind::Deposit, DAY);
    deposit.amount = Some(money(cash));
    let mut entries = vec![deposit];
    for (index, holding) in holdings.iter().enumerate().filter(|(_, one)| one.held > 0) {
        let id = i64::try_from(index).unwrap() + 2;
        let mut entry = Entry::new(id, AccountId(1), Kind::TransferIn, DAY);
        entry.asset = Some(AssetIx(index));
        entry.quantity = Some(holding.quantity());
        entry.amount = Some(Decimal::ONE);
        entries.push(entry);
    }
    let request = WalkRequest {
        market: &market,
        rules: Rules {
            base: "USD".parse().unwrap(),
            method: LotMethod::Fifo,
            income: IncomeMode::Ledger,
            short_accounts: Default::default(),
        },
        entries: entries.into(),
        calendar: &Calendar::named("24/7").unwrap(),
        starts: Vec::new(),
        to: DAY,
    };
    let walk = Walk::run(request).unwrap().unwrap();
    Proposal::of(plan, &walk, aim).unwrap()
}

fn holding(class: usize, price: i64, held: i64) -> Holding {
    Holding {
        class,
        pounds: false,
        price,
        held: held * 1000,
    }
}

pub(crate) fn target(name: &str, weight: &str, buy: Option<&str>) -> Target {
    Target {
        name: name.to_owned(),
        weight: decimal(weight),
        band: decimal("0.05"),
        buy: buy.map(str::to_owned),
    }
}

pub(crate) fn plan(dimension: Dimension, targets: Vec<Target>) -> TargetPlan {
    TargetPlan {
        dimension,
        minimum_trade: Decimal::ZERO,
        cash_kept: Decimal::ZERO,
        whole_shares: true,
        targets,
    }
}

/// Side, symbol, quantity and amount.
fn trades(proposal: &Proposal) -> Vec<String> {
    let trades = proposal.trades.iter();
    let shown = trades.map(|trade| {
        let side = format!("{:?}", trade.side).to_lowercase();
        format!(
            "{side} {} {} for {}",
            trade.quantity, trade.symbol, trade.amount_base
        )
    });
    shown.collect()
}

#[test]
fn what_is_out_of_its_band_brings_everything_back() {
    // 8,000 in shares, 2,000 in bonds, nothing in cash; 60 : 40 is wanted.
    let holdings = [holding(0, 8_000, 100), holding(1, 5_000, 40)];
    let targets = vec![target("equity", "0.6", None), target("bond", "0.4", None)];
    let proposal = propose(
        &holdings,
        1,
        &plan(Dimension::Class, targets),
        Aim::Rebalance,
    );
    assert_eq!(
        trades(&proposal),
        ["sell 24 A0 for 1920", "buy 38 A1 for 1900"]
    );
    assert!(proposal.groups.iter().all(|group| group.out_of_band));
    assert_eq!(proposal.groups[0].drift.round(4), decimal("0.2"));
    assert_eq!(proposal.cash_after, decimal("20.01"));
}

#[test]
fn within_the_bands_nothing_is_traded() {
    let holdings = [holding(0, 6_400, 100), holding(1, 3_600, 100)];
    let targets = vec![target("equity", "0.6", None), target("bond", "0.4", None)];
    let proposal = propose(
        &holdings,
        1,
        &plan(Dimension::Class, targets),
        Aim::Rebalance,
    );
    assert!(proposal.is_balanced());
    assert_eq!(trades(&proposal), [""; 0]);
}

#[test]
fn a_deposit_goes_where_most_is_missing_and_nothing_is_sold() {
    let holdings = [holding(0, 8_000, 100), holding(1, 5_000, 40)];
    let targets = vec![target("A0", "0.6", None), target("A1", "0.4", None)];
    let plan = plan(Dimension::Symbol, targets);
    let proposal = propose(&holdings, 500_000, &plan, Aim::Deposit(decimal("1000")));
    // 16,000 are divided: A0 is meant to be 9,600, A1 6,400. 1,600 and 4,400 are missing, 1,000 is there.
    assert_eq!(trades(&proposal), ["buy 3 A0 for 240", "buy 14 A1 for 700"]);
    assert_eq!(proposal.cash_after, decimal("5060"));
}

#[test]
fn cash_that_is_kept_stays_and_untargeted_holdings_are_left_alone() {
    let holdings = [holding(0, 10_000, 10), holding(3, 100_000, 5)];
    let mut plan = plan(Dimension::Class, vec![target("equity", "1", None)]);
    plan.cash_kept = decimal("500");
    let proposal = propose(&holdings, 250_000, &plan, Aim::Rebalance);
    assert_eq!(proposal.untargeted, decimal("5000"));
    assert_eq!(proposal.divided, decimal("3000"));
    assert_eq!(trades(&proposal), ["buy 20 A0 for 2000"]);
    assert_eq!(proposal.cash_after, decimal("500"));
}

#[test]
fn a_group_without_holdings_is_bought_by_its_symbol_or_named() {
    let holdings = [holding(0, 10_000, 10), holding(1, 4_000, 0)];
    let targets = |buy| vec![target("equity", "0.5", None), target("bond", "0.5", buy)];
    let propose = |buy| {
        let plan = plan(Dimension::Class, targets(buy));
        propose(&holdings, 1, &plan, Aim::Rebalance)
    };
    assert_eq!(
        trades(&propose(Some("A1"))),
        ["sell 4 A0 for 400", "buy 10 A1 for 400"]
    );
    let reason = |proposal: Proposal| proposal.left_out[0].reason;
    assert_eq!(reason(propose(None)), Reason::NothingHeld);
    assert_eq!(reason(propose(Some("A9"))), Reason::UnknownSymbol);
}

#[test]
fn plans_that_cannot_be_followed_are_refused() {
    let refused = |plan: TargetPlan| match plan.check().unwrap_err() {
        Error::InvalidArgument { field, rule, .. } => format!("{field} {rule}"),
        other => panic!("{other}"),
    };
    let of = |targets| plan(Dimension::Class, targets);
    assert_eq!(refused(of(vec![])), "targets must name at least one");
    let heavy = vec![target("etf", "0.6", None), target("fx", "0.5", None)];
    assert_eq!(
        refused(of(heavy)),
        "weights must not add up to more than 100 %"
    );
    let twice = vec![target("etf", "0.6", None), target("etf", "0.1", None)];
    assert_eq!(refused(of(twice)), "name must be named once");
    assert_eq!(
        refused(of(vec![target("etf", "-0.1", None)])),
        "weight must be from 0 to 100 %"
    );
    let cash = refused(of(vec![target("cash", "0.1", None)]));
    assert!(cash.contains("cash is what the weights leave"), "{cash}");
    let mut poor = of(vec![target("etf", "0.1", None)]);
    poor.cash_kept = decimal("-1");
    assert_eq!(refused(poor), "cash_kept must not be negative");
}

on_both_servers!(plans_are_kept_and_replaced);

async fn plans_are_kept_and_replaced(server: Server) {
    let world = World::empty(server).await;
    let user = world.user("a@b.c").await;
    let ledger = "account,date,type,currency\n";
    let id = world.portfolio(user, "Main", false, ledger).await;
    assert!(world.store.targets(&[id]).await.unwrap().is_empty());
    let mut first = plan(
        Dimension::Class,
        vec![
            target("bond", "0.4", Some("AGG")),
            target("equity", "0.55", None),
        ],
    );
    first.cash_kept = decimal("250.5");
    world.store.put_targets(id, &first, now()).await.unwrap();
    let again = world.open_again().await;
    assert_eq!(again.targets(&[id, 99]).await.unwrap()[&id], first);

    let mut second = plan(Dimension::Symbol, vec![target("AAPL", "1", None)]);
    second.whole_shares = false;
    world.store.put_targets(id, &second, now()).await.unwrap();
    assert_eq!(world.store.targets(&[id]).await.unwrap()[&id], second);
    let bad = plan(Dimension::Symbol, Vec::new());
    world.store.put_targets(id, &bad, now()).await.unwrap_err();
    assert_eq!(world.store.targets(&[id]).await.unwrap()[&id], second);
    assert!(world.store.remove_targets(id).await.unwrap());
    assert!(!world.store.remove_targets(id).await.unwrap());
    assert!(world.store.targets(&[id]).await.unwrap().is_empty());
}

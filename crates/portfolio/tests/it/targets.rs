//! Target allocation: proposals add up, overspend nothing and sell nothing that is not there; plans are kept.

use calendar::Calendar;
use jiff::civil::{Date, date};
use portfolio::Error;
use portfolio::carried::Carried;
use portfolio::decimal::Decimal;
use portfolio::fx::RateTable;
use portfolio::ledger::{AccountId, Entry, IncomeMode, Kind, LotMethod, Rules};
use portfolio::market::{Asset, AssetIx, Market};
use portfolio::series::{Walk, WalkRequest};
use portfolio::targets::{Aim, Dimension, Proposal, Reason, Side, Target, TargetPlan};
use proptest::prelude::*;

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

fn target(name: &str, weight: &str, buy: Option<&str>) -> Target {
    Target {
        name: name.to_owned(),
        weight: decimal(weight),
        band: decimal("0.05"),
        buy: buy.map(str::to_owned),
    }
}

fn plan(dimension: Dimension, targets: Vec<Target>) -> TargetPlan {
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
    assert_eq!(refused(of(heavy)), "weight must not add up to more than 1");
    let twice = vec![target("etf", "0.6", None), target("etf", "0.1", None)];
    assert_eq!(refused(of(twice)), "name must be named once");
    assert_eq!(
        refused(of(vec![target("etf", "-0.1", None)])),
        "weight must be from 0 to 1"
    );
    let cash = refused(of(vec![target("cash", "0.1", None)]));
    assert!(cash.contains("cash is what the weights leave"), "{cash}");
    let mut poor = of(vec![target("etf", "0.1", None)]);
    poor.cash_kept = decimal("-1");
    assert_eq!(refused(poor), "cash_kept must not be negative");
}

fn holdings() -> impl Strategy<Value = Vec<Holding>> {
    let one = (0..4usize, any::<bool>(), 1..200_000i64, 0..400_000i64);
    let one = one.prop_map(|(class, pounds, price, held)| Holding {
        class,
        pounds,
        price,
        held,
    });
    proptest::collection::vec(one, 1..7)
}

fn plans() -> impl Strategy<Value = TargetPlan> {
    let weights =
        proptest::collection::vec((0..100i64, 0..10i64, proptest::option::of(0..7usize)), 7);
    let bounds = (0..100_000i64, 0..500_000i64, any::<bool>(), 0..3usize);
    (weights, bounds).prop_map(|(weights, (minimum, kept, whole, dimension))| {
        let dimension = Dimension::ALL[dimension];
        let names: Vec<String> = match dimension {
            Dimension::Class => CLASSES.map(str::to_owned).to_vec(),
            Dimension::Sector => vec!["sector 0".to_owned(), "sector 1".to_owned()],
            Dimension::Symbol => (0..7).map(|index| format!("A{index}")).collect(),
        };
        let mut left = 100;
        let named = names.into_iter().zip(weights);
        let targets = named.map(|(name, (weight, band, buy))| {
            let weight = weight.min(left);
            left -= weight;
            Target {
                name,
                weight: money(weight),
                band: money(band),
                buy: buy.map(|index| format!("A{index}")),
            }
        });
        TargetPlan {
            dimension,
            targets: targets.collect(),
            minimum_trade: money(minimum),
            cash_kept: money(kept),
            whole_shares: whole,
        }
    })
}

/// What holds for every proposal.
fn adds_up(proposal: &Proposal, plan: &TargetPlan, holdings: &[Holding]) {
    let sum = |side| {
        let trades = proposal
            .trades
            .iter()
            .filter(move |trade| trade.side == side);
        trades.map(|trade| trade.amount_base).sum::<Decimal>()
    };
    let (bought, sold) = (sum(Side::Buy), sum(Side::Sell));
    assert_eq!(
        proposal.cash_after,
        proposal.cash + proposal.deposit + sold - bought
    );
    let after: Decimal = proposal.groups.iter().map(|group| group.value_after).sum();
    if !proposal.groups.is_empty() {
        assert_eq!(
            after + proposal.cash_after + proposal.untargeted,
            proposal.nav + proposal.deposit
        );
    }
    if bought.is_positive() {
        assert!(proposal.cash_after >= plan.cash_kept, "cash is kept");
    }
    for trade in &proposal.trades {
        assert!(trade.quantity.is_positive() && trade.amount_base >= plan.minimum_trade);
        let index: usize = trade.symbol[1..].parse().unwrap();
        let whole = plan.whole_shares && holdings[index].class < 2;
        let closes = trade.side == Side::Sell && trade.quantity == holdings[index].quantity();
        assert!(
            !whole || closes || trade.quantity.trunc() == trade.quantity,
            "{trade:?}"
        );
        if trade.side == Side::Sell {
            assert!(trade.quantity <= holdings[index].quantity(), "{trade:?}");
        }
    }
}

/// No group passes its target, and none moves away from it.
fn comes_closer(proposal: &Proposal) {
    for group in &proposal.groups {
        let (before, after) = (
            group.target_value - group.value,
            group.target_value - group.value_after,
        );
        assert!(after.abs() <= before.abs(), "{group:?}");
        assert!(!(before.is_positive() && after.is_negative()), "{group:?}");
        assert!(!(before.is_negative() && after.is_positive()), "{group:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn rebalancing_adds_up(holdings in holdings(), cash in 1..2_000_000i64, mut plan in plans()) {
        for target in &mut plan.targets {
            // Bought beside its group, a symbol would not bring the group closer.
            target.buy = None;
        }
        let proposal = propose(&holdings, cash, &plan, Aim::Rebalance);
        adds_up(&proposal, &plan, &holdings);
        comes_closer(&proposal);
        prop_assert!(!proposal.is_balanced() || proposal.trades.is_empty());
    }

    #[test]
    fn deposits_are_never_overspent(holdings in holdings(), cash in 1..2_000_000i64, plan in plans(), new in 1..1_000_000i64) {
        let deposit = money(new);
        let proposal = propose(&holdings, cash, &plan, Aim::Deposit(deposit));
        adds_up(&proposal, &plan, &holdings);
        prop_assert!(proposal.trades.iter().all(|trade| trade.side == Side::Buy));
        prop_assert!(proposal.cash_after >= proposal.cash);
    }

    #[test]
    fn what_can_be_divided_meets_its_target(holdings in holdings(), cash in 1..2_000_000i64, mut plan in plans()) {
        plan.whole_shares = false;
        plan.minimum_trade = Decimal::ZERO;
        for target in &mut plan.targets {
            target.buy = None;
        }
        let proposal = propose(&holdings, cash, &plan, Aim::Rebalance);
        // A millionth of each unit may be missing, and what rounding takes off.
        let slack: Decimal = holdings.iter().map(|one| money(one.price)).sum();
        let slack = slack.mul(decimal("0.00001"), 8).unwrap() + decimal("0.0001");
        let skipped = |name: &str| proposal.left_out.iter().any(|left| left.group == name);
        let complete = proposal.left_out.is_empty() && !proposal.is_balanced();
        for group in proposal.groups.iter().filter(|group| complete && !skipped(&group.name)) {
            let off = (group.target_value - group.value_after).abs();
            prop_assert!(off <= slack, "{group:?} is off by {off}, {slack} allowed");
        }
    }
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

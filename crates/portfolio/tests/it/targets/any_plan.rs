//! Whatever the plan and the holdings: proposals add up, overspend nothing, sell nothing that is not there, and come closer.

use portfolio::decimal::Decimal;
use portfolio::targets::{Aim, Dimension, Proposal, Side, Target, TargetPlan};
use proptest::prelude::*;

use super::{CLASSES, Holding, decimal, propose};
use crate::generated::money;

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

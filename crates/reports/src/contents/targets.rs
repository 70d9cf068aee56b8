//! Target allocation: where the value lies beside where it is meant to lie, and the trades that bring it there.

use portfolio::decimal::Decimal;
use portfolio::targets::{GroupDrift, LeftOut, Proposal, Side, Trade};

use super::section;
use crate::document::{Block, Table};
use crate::format::{amount, money, percent, price, quantity};
use crate::subject::Subject;

pub(super) fn blocks(subject: &Subject<'_>) -> Vec<Block> {
    let Some(proposal) = &subject.targets else {
        return Vec::new();
    };
    if proposal.groups.is_empty() {
        return section("Target allocation", Err("There is nothing to divide."));
    }
    let mut table = Table::new(
        &["Group"],
        &["Value", "Share", "Target", "Band", "Drift", "After trades"],
    );
    let groups = proposal.groups.iter();
    table.rows = groups.map(|group| line(group, proposal)).collect();
    let mut blocks = section("Target allocation", Ok(table));
    blocks.push(Block::Note(note(proposal)));
    blocks.extend(trades(proposal));
    blocks
}

fn line(group: &GroupDrift, proposal: &Proposal) -> Vec<String> {
    let share = |share: Decimal| percent(Some(share.to_f64()));
    vec![
        group.name.clone(),
        money(group.value, proposal.currency),
        share(group.weight),
        share(group.target),
        share(group.band),
        share(group.drift),
        money(group.value_after, proposal.currency),
    ]
}

/// What was divided, and whether anything is to be done.
fn note(proposal: &Proposal) -> String {
    let whole = format!(
        "Shares are of {}: holdings with a target and cash, less {} that is kept.",
        amount(proposal.divided, proposal.currency),
        amount(proposal.cash_kept, proposal.currency),
    );
    let verdict = if proposal.is_balanced() {
        "Every group is within its band."
    } else {
        "At least one group is out of its band. Trades are at the last known prices, without their costs."
    };
    format!("{whole} {verdict}")
}

fn trades(proposal: &Proposal) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !proposal.trades.is_empty() {
        let value = format!("Amount in {}", proposal.currency);
        let mut table = Table::new(
            &["Trade", "Symbol", "Group"],
            &["Quantity", "Price", "Currency", &value],
        );
        let trades = proposal.trades.iter();
        table.rows = trades.map(|one| trade(one, proposal)).collect();
        blocks = section("Proposed trades", Ok(table));
    }
    let left_out = proposal.left_out.iter();
    blocks.extend(left_out.map(|one| Block::Note(left(one, proposal))));
    blocks
}

fn trade(trade: &Trade, proposal: &Proposal) -> Vec<String> {
    let side = match trade.side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    };
    vec![
        side.to_owned(),
        trade.symbol.clone(),
        trade.group.clone(),
        quantity(trade.quantity),
        price(&trade.price),
        trade.currency.to_string(),
        money(trade.amount_base, proposal.currency),
    ]
}

fn left(one: &LeftOut, proposal: &Proposal) -> String {
    let what = one.symbol.as_deref().unwrap_or(&one.group);
    let change = amount(one.amount_base, proposal.currency);
    format!("No trade for {change} of {what}: {}.", one.reason.text())
}

//! Where the profit of the period came from: prices, dividends and currencies, holding by holding.

use portfolio::gains::Split;

use super::section;
use crate::document::{Block, Table};
use crate::format::money;
use crate::subject::Subject;

pub(super) fn blocks(subject: &Subject<'_>) -> Vec<Block> {
    let (gains, base) = (&subject.gains, subject.closing.base);
    if gains.by_holding.is_empty() && gains.total.is_zero() {
        return section("Where the profit came from", Err("There was no profit."));
    }
    let line = |name: &str, split: &Split| {
        let Split {
            price,
            dividends,
            currency,
            total,
        } = *split;
        let amounts = [price, dividends, currency, total].map(|amount| money(amount, base));
        std::iter::once(name.to_owned()).chain(amounts).collect()
    };
    let mut table = Table::new(&["Holding"], &["Price", "Dividends", "Currency", "Sum"]);
    let holdings = gains.by_holding.iter();
    table.rows = holdings
        .map(|(symbol, split)| line(symbol, split))
        .collect();
    table.total = Some(line("Holdings", &gains.holdings));
    let mut blocks = section("Where the profit came from", Ok(table));
    let cash = &gains.cash;
    blocks.push(Block::Note(format!(
        "In {base}. Beside the holdings: interest {}, fees {}, taxes {}, currencies on cash {}. All together: {}.",
        money(cash.interest, base),
        money(-cash.fees, base),
        money(-cash.taxes, base),
        money(cash.currency, base),
        money(gains.total, base),
    )));
    blocks
}

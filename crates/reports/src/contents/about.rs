//! The last section: how the figures are meant.

use super::section;
use crate::document::Block;
use crate::subject::Subject;

/// Each sentence stands for itself.
const SENTENCES: [&str; 4] = [
    "The time-weighted return leaves out when money came and went: money in counts from the start of its day, money out until the end. \
     The money-weighted return (XIRR) is the yearly rate at which deposits and withdrawals grow to the closing value.",
    "Volatility and ratios are annual and rest on daily returns; a drawdown is the fall from the highest value reached before. Value at \
     risk and expected shortfall are those of the days of the period, at 95 %.",
    "Amounts are rounded to the smallest unit of their currency, half to even, after everything was computed exactly; sums may \
     therefore differ from the sum of what is shown.",
    "Past returns say nothing about future ones. A dash stands for a figure that is not defined.",
];

pub(super) fn blocks(_: &Subject<'_>) -> Vec<Block> {
    let [first, rest @ ..] = SENTENCES;
    let mut blocks = section("About these figures", Err(first));
    blocks.extend(rest.map(|sentence| Block::Note(sentence.to_owned())));
    blocks
}

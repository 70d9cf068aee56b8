//! The first page: key figures, value, drawdown and allocation.

use portfolio::returns::{CASH, Returns};

use super::series::{drawdowns, values};
use crate::chart::{BLUE, PALE_BLUE, PALE_RED, RED, TimeChart, bars, over_time};
use crate::document::{Block, Figure};
use crate::format::{amount, percent, ratio};
use crate::subject::Subject;

/// As wide as the text of a page.
pub(super) const WIDTH: f32 = 499.0;

pub(super) fn blocks(subject: &Subject<'_>) -> Vec<Block> {
    let mut blocks = vec![Block::Figures(figures(subject))];
    blocks.extend(undefined(subject));
    blocks.extend(value(subject));
    blocks.extend(drawdown(subject));
    blocks.extend(allocation(subject));
    blocks
}

fn figures(subject: &Subject<'_>) -> Vec<Figure> {
    let (period, closing) = (&subject.figures, &subject.closing);
    let stats = period.stats.as_ref();
    let deepest = stats.and_then(|stats| Some(stats.max_drawdown.as_ref()?.depth));
    let figure = |label, value| Figure { label, value };
    vec![
        figure("Net asset value (NAV)", amount(closing.nav, closing.base)),
        figure("Time-weighted return (TWR)", percent(period.twr)),
        figure("Money-weighted return (XIRR)", percent(period.mwr.rate)),
        figure(
            "Unrealised gain",
            amount(closing.unrealised_gain_base, closing.base),
        ),
        figure(
            "Volatility, annual",
            percent(stats.and_then(|stats| stats.volatility)),
        ),
        figure("Deepest drawdown", percent(deepest)),
        figure("Sharpe ratio", ratio(stats.and_then(|stats| stats.sharpe))),
        figure(
            "Realised gain in period",
            amount(period.realised_gain_base, closing.base),
        ),
    ]
}

/// Why returns are missing.
fn undefined(subject: &Subject<'_>) -> Option<Block> {
    let reason = subject.figures.twr_reason.as_ref()?;
    Some(Block::Note(format!(
        "Returns are undefined: the portfolio's equity was not positive on {}.",
        reason.date
    )))
}

fn value(subject: &Subject<'_>) -> Option<Block> {
    let chart = TimeChart {
        width: WIDTH,
        height: 130.0,
        line: BLUE,
        ground: PALE_BLUE,
        from_zero: false,
        label: compact,
    };
    Some(Block::Chart {
        caption: format!("Net asset value in {}", subject.closing.base),
        drawing: over_time(&values(&subject.window), chart)?,
    })
}

fn drawdown(subject: &Subject<'_>) -> Option<Block> {
    let returns = Returns::of(&subject.window);
    let values = returns.unbroken()?;
    let chart = TimeChart {
        width: WIDTH,
        height: 90.0,
        line: RED,
        ground: PALE_RED,
        from_zero: true,
        label: |value| format!("{:.0} %", value * 100.0),
    };
    let days = drawdowns(subject.window.from, &returns.dates, values);
    Some(Block::Chart {
        caption: "Drawdown from the highest value reached before".to_owned(),
        drawing: over_time(&days, chart)?,
    })
}

fn allocation(subject: &Subject<'_>) -> Option<Block> {
    let allocation = subject.closing.allocation.as_ref()?;
    let named = allocation.asset.iter().map(|(symbol, share)| {
        let name = match symbol.strip_prefix(CASH) {
            Some(rest) => format!("Cash {}", rest.trim_start_matches(':')),
            None => symbol.to_string(),
        };
        (name.trim_end().to_owned(), *share)
    });
    Some(Block::Chart {
        caption: "Allocation, share of net asset value".to_owned(),
        drawing: bars(&named.collect::<Vec<_>>(), WIDTH)?,
    })
}

/// Large numbers short: `1.2 m`, `850 k`.
fn compact(value: f64) -> String {
    let size = value.abs();
    let (scaled, unit) = match size {
        1e9.. => (value / 1e9, " bn"),
        1e6.. => (value / 1e6, " m"),
        1e4.. => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let text = format!("{scaled:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn axis_values_are_short() {
        assert_eq!(compact(1_250_000.0), "1.25 m");
        assert_eq!(compact(850_000.0), "850 k");
        assert_eq!(compact(-20_000.0), "-20 k");
        assert_eq!(compact(100.0), "100");
        assert_eq!(compact(0.0), "0");
    }
}

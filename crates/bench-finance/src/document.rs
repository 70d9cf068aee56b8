//! The finance part of docs/benchmarks.md, between two marks; the rest of the page is left alone.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use comfy_table::{Table, presets};

use crate::figures::{Figure, Figures, Measure};
use crate::peers::workspace;

const OPEN: &str = "<!-- finance -->";
const CLOSE: &str = "<!-- /finance -->";

pub(crate) fn print(figures: &Figures) {
    for (title, rows) in tables(figures) {
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .add_rows(&rows);
        println!("\n{title}\n{table}");
    }
}

/// Writes the part; it must be on the page already.
pub(crate) fn write(figures: &Figures) -> anyhow::Result<()> {
    let path: PathBuf = workspace().join("docs/benchmarks.md");
    let page = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let (before, rest) = page
        .split_once(OPEN)
        .with_context(|| format!("{} has no {OPEN}", path.display()))?;
    let (_, after) = rest
        .split_once(CLOSE)
        .with_context(|| format!("{} has no {CLOSE}", path.display()))?;
    std::fs::write(
        &path,
        format!("{before}{OPEN}\n{}{CLOSE}{after}", part(figures)),
    )?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

fn part(figures: &Figures) -> String {
    let size = figures.size;
    let mut text = format!(
        "{} portfolios of {} positions on {} days, {} assets, {} ledger rows; {} cores. Medians of {}.\n",
        size.portfolios,
        size.positions,
        size.days,
        size.assets,
        size.rows(),
        figures.cores,
        figures.repetitions
    );
    for (title, rows) in tables(figures) {
        let columns = rows[0].len();
        writeln!(text, "\n### {title}\n\n| {} |", rows[0].join(" | ")).expect(WRITES);
        writeln!(text, "| --- {}|", "| --: ".repeat(columns - 1)).expect(WRITES);
        for row in &rows[1..] {
            writeln!(text, "| {} |", row.join(" | ")).expect(WRITES);
        }
    }
    text
}

const WRITES: &str = "writing to a string does not fail";

/// Titles with rows; the first row names the columns.
fn tables(figures: &Figures) -> [(&'static str, Vec<Vec<String>>); 2] {
    [
        ("Finance: ours", ours(figures)),
        (
            "Finance: figures from memory beside others",
            beside(figures),
        ),
    ]
}

fn ours(figures: &Figures) -> Vec<Vec<String>> {
    let mut rows = vec![
        [
            "what",
            "seconds",
            "aim",
            "reached",
            "CPU seconds",
            "peak memory MiB",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    rows.extend(
        figures
            .ours
            .iter()
            .map(|(measure, figure)| row(*measure, *figure)),
    );
    rows
}

fn row(measure: Measure, figure: Figure) -> Vec<String> {
    let reached = measure.aim().map(|aim| figure.seconds <= aim);
    let reached = reached.map_or("", |reached| if reached { "yes" } else { "**no**" });
    let aim = measure.aim().map(|aim| format!("{aim:.1}"));
    vec![
        measure.title().to_owned(),
        format!("{:.2}", figure.seconds),
        aim.unwrap_or_default(),
        reached.to_owned(),
        format!("{:.2}", figure.cpu),
        (figure.peak >> 20).to_string(),
    ]
}

/// In time of the processors, so that neither their number nor what else they do matters.
fn beside(figures: &Figures) -> Vec<Vec<String>> {
    let mine = figures
        .ours
        .iter()
        .find(|(measure, _)| *measure == Measure::Figures);
    let Some((_, mine)) = mine else {
        return Vec::new();
    };
    let mine = mine.cpu * 1e3 / figures.size.portfolios as f64;
    let peers = [
        ("pandas and quantstats", figures.peers.quantstats),
        ("numpy, one by one", figures.peers.numpy),
        ("numpy, all at once", figures.peers.batch),
        (
            "loop in C: values and some figures, no ledger",
            figures.peers.limit,
        ),
    ];
    let mut rows = vec![
        ["what", "CPU ms per portfolio", "to ours"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.push(vec![
        "Celeriac".to_owned(),
        format!("{mine:.3}"),
        "1.0 ×".to_owned(),
    ]);
    for (name, taken) in peers {
        let cells = taken.map_or(["–".to_owned(), "–".to_owned()], |taken| {
            [format!("{taken:.3}"), format!("{:.1} ×", taken / mine)]
        });
        rows.push([vec![name.to_owned()], cells.to_vec()].concat());
    }
    rows
}

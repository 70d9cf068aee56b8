//! Figures from memory: ledgers and prices are there, nothing is read or written.

use std::sync::Arc;

use jiff::civil::Date;
use portfolio::engine::{Columns, Outline, value};
use portfolio::figures::{Breakdown, PeriodFigures, ReturnSettings};
use portfolio::ledger::{Entry, IncomeMode, LotMethod, Rules};
use portfolio::market::AssetIx;
use portfolio::series::WalkRequest;

use crate::figures::{Began, Figure};
use crate::load::Load;

/// Portfolios that a thread takes at a time.
const BATCH: usize = 4;

/// What it takes to put the prices into columns.
pub(crate) fn columns(load: &Load) -> anyhow::Result<Figure> {
    let (_, figure) = columns_of(load)?;
    Ok(figure)
}

/// What it takes to compute every portfolio's figures since inception, broken down so far.
pub(crate) fn figures(load: &Load, breakdown: Breakdown) -> anyhow::Result<Figure> {
    let (columns, _) = columns_of(load)?;
    let began = Began::now()?;
    let done = on_every_core(&load.ledgers, |ledgers| {
        figures_of(load, &columns, ledgers, breakdown)
    })?;
    anyhow::ensure!(
        done == load.ledgers.len(),
        "{done} of {} portfolios had figures",
        load.ledgers.len()
    );
    began.figure()
}

fn columns_of(load: &Load) -> anyhow::Result<(Columns, Figure)> {
    let began = Began::now()?;
    let columns = Columns::build(
        &load.market,
        &load.calendar,
        load.last_day(),
        "USD".parse()?,
    );
    Ok((columns, began.figure()?))
}

fn figures_of(
    load: &Load,
    columns: &Columns,
    ledgers: &[Arc<[Entry]>],
    breakdown: Breakdown,
) -> anyhow::Result<usize> {
    let outlines: Result<Vec<_>, _> = ledgers
        .iter()
        .map(|ledger| Outline::of(request(load, ledger)))
        .collect();
    let outlines: Vec<Outline<'_>> = outlines?.into_iter().flatten().collect();
    let settings = ReturnSettings {
        benchmark: Some(load.market.benchmark(AssetIx(0))),
        breakdown,
        ..ReturnSettings::default()
    };
    let mut done = 0;
    for valued in value(columns, outlines) {
        anyhow::ensure!(valued.is_sound(), "the load is made for floats");
        let figures = PeriodFigures::of(&valued.outline.end, &valued.span(Date::MIN), settings);
        done += usize::from(figures.stats.is_some() && figures.mwr.rate.is_some());
    }
    Ok(done)
}

fn request<'l>(load: &'l Load, ledger: &Arc<[Entry]>) -> WalkRequest<'l> {
    WalkRequest {
        market: &load.market,
        rules: Rules {
            base: "USD".parse().expect("USD is a currency"),
            method: LotMethod::Fifo,
            income: IncomeMode::Ledger,
            short_accounts: Default::default(),
        },
        entries: Arc::clone(ledger),
        calendar: &load.calendar,
        starts: Vec::new(),
        to: load.last_day(),
    }
}

fn on_every_core<T: Sync>(
    items: &[T],
    work: impl Fn(&[T]) -> anyhow::Result<usize> + Sync,
) -> anyhow::Result<usize> {
    let cores = std::thread::available_parallelism()?.get();
    let batches: Vec<&[T]> = items.chunks(BATCH).collect();
    let share = batches.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = batches
            .chunks(share)
            .map(|own| {
                scope.spawn(move || {
                    own.iter()
                        .map(|batch| work(batch))
                        .sum::<anyhow::Result<usize>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .map_err(|_| anyhow::anyhow!("a thread panicked"))?
            })
            .sum()
    })
}

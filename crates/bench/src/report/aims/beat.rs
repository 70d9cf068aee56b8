//! Aims for a scheduler with very many entries.

use super::{Aim, ours};
use crate::beat::BeatRun;
use crate::figures::Figures;
use crate::report::format::whole;
use crate::setup::Store;

const START_S: f64 = 5.0;
const PER_S: f64 = 10_000.0;
const GROWTH_PERCENT: f64 = 1.0;
const FAILOVER_S: f64 = 2.0;
/// The part of a rate that may be missing: its slots begin and end between the looks.
const EDGE: f64 = 0.99;

pub(super) fn aims(figures: &Figures) -> [Aim; 4] {
    let row = ours(&figures.beat, Store::Redis);
    let run = row.and_then(|row| row.runs.first());
    let entries = whole(run.map(|run| run.figures.entries as f64));
    let median = |figure: fn(&BeatRun) -> f64| row.and_then(|row| row.median(figure));
    let seconds = |figure: fn(&BeatRun) -> Option<f64>| {
        row.and_then(|row| row.median(|run| figure(run).unwrap_or(f64::INFINITY)))
    };
    [
        Aim::at_most(
            format!("start of beat with {entries} entries"),
            START_S,
            seconds(|run| run.start_s),
        )
        .unit(" s", 2),
        Aim::at_least(
            format!("tasks sent by beat with {entries} entries, {PER_S} being due a second"),
            PER_S * EDGE,
            median(|run| run.per_s),
        )
        .unit(" /s", 0),
        Aim::at_most(
            format!("growth of the memory of beat with {entries} entries while it sends"),
            GROWTH_PERCENT,
            median(|run| (run.end_mib / run.start_mib - 1.0) * 100.0),
        )
        .unit(" %", 2),
        Aim::at_most(
            format!("failover of beat with {entries} entries"),
            FAILOVER_S,
            seconds(|run| run.failover_s),
        )
        .unit(" s", 2),
    ]
}

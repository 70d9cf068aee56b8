//! A run of everything: the database once, then each measurement several times, each in a process of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use portfolio::figures::Breakdown;

use crate::figures::{Figure, Figures, Measure};
use crate::load::{Load, Size};
use crate::{database, memory, peers, reconcile, refresh};

/// Measures everything and returns medians.
pub(crate) async fn run(size: Size, repetitions: usize) -> anyhow::Result<Figures> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("load.db");
    eprintln!("writing the reference load to a database");
    database::write(&Load::make(size)?, &database).await?;
    let mut ours = Vec::new();
    for measure in Measure::all() {
        eprintln!("measuring: {}", measure.title());
        let figures: anyhow::Result<Vec<Figure>> = (0..repetitions)
            .map(|_| apart(measure, size, &database))
            .collect();
        ours.push((measure, median(figures?)));
    }
    eprintln!("measuring the peers");
    Ok(Figures {
        size,
        cores: std::thread::available_parallelism()?.get(),
        repetitions,
        peers: peers::measure(),
        ours,
    })
}

/// One measurement in a process of its own.
fn apart(measure: Measure, size: Size, database: &Path) -> anyhow::Result<Figure> {
    let name = clap::ValueEnum::to_possible_value(&measure).context("every measure has a name")?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("one")
        .arg(name.get_name())
        .arg(database)
        .args(size.options())
        .stderr(Stdio::inherit());
    let output = command.output()?;
    anyhow::ensure!(
        output.status.success(),
        "the measurement ended with {}",
        output.status
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// One measurement in this process.
pub(crate) async fn one(measure: Measure, size: Size, database: &Path) -> anyhow::Result<Figure> {
    let days = size.sessions()?;
    let (last, before) = (days[days.len() - 1], days[days.len() - 2]);
    match measure {
        Measure::Columns => memory::columns(&Load::make(size)?),
        Measure::Figures => memory::figures(&Load::make(size)?, Breakdown::None),
        Measure::Breakdowns => memory::figures(&Load::make(size)?, Breakdown::Everything),
        Measure::Refresh => refresh::run(database, last, true).await,
        Measure::NewDay => {
            database::hold_back(database, last).await?;
            refresh::run(database, before, true).await?;
            database::bring(database).await?;
            refresh::run(database, last, false).await
        }
        Measure::Prices => refresh::prices(database, size).await,
        Measure::Snapshots => refresh::snapshots(database, last).await,
        Measure::Reconcile => reconcile::measure(),
        Measure::Nothing => {
            refresh::run(database, last, false).await?;
            refresh::run(database, last, false).await
        }
    }
}

fn median(mut figures: Vec<Figure>) -> Figure {
    figures.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    figures[figures.len() / 2]
}

//! One measurement after the other, each in a lab of its own. One that fails is named, and takes nothing from the others.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::figures::{Figures, Part};
use crate::lab::Lab;
use crate::measurement::Measurement;
use crate::size::Size;

/// How long one measurement may take for each repetition.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Measures; what there is so far is shown to `keep` after each measurement.
///
/// # Errors
/// When nothing can be measured at all, or `keep` fails.
pub(crate) fn measure(
    measurements: &[Measurement],
    size: &Size,
    keep: impl Fn(&Figures) -> anyhow::Result<()>,
) -> anyhow::Result<Figures> {
    if cfg!(debug_assertions) {
        eprintln!("warning: built without optimisation, the figures are of no use: add --release");
    }
    let mut figures = Figures::new(Lab::open()?.machine()?);
    for measurement in measurements {
        let begin = Instant::now();
        let result = one(*measurement, size, &mut figures);
        let error = result.err().map(|error| format!("{error:#}"));
        let what = measurement.name();
        if let Some(error) = &error {
            eprintln!("{what} failed: {error}");
        }
        figures.parts.push(Part {
            what,
            seconds: begin.elapsed().as_secs_f64(),
            error,
        });
        keep(&figures)?;
    }
    Ok(figures)
}

/// Measures in a new lab; a panic, as that of a server which does not start, is an error like any other.
fn one(measurement: Measurement, size: &Size, figures: &mut Figures) -> anyhow::Result<()> {
    let patience = PATIENCE * u32::try_from(size.reps)?;
    let measure = || {
        let lab = Lab::open()?;
        let run = async { timeout(patience, measurement.run(&lab, size, figures)).await };
        let ended = Runtime::new()?.block_on(run);
        ended.with_context(|| format!("it did not end within {patience:?}"))?
    };
    catch_unwind(AssertUnwindSafe(measure)).unwrap_or_else(|panic| Err(anyhow!(text_of(&*panic))))
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "it panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_tells_its_text() {
        let panic = catch_unwind(|| panic!("no server on port {}", 1)).unwrap_err();
        assert_eq!(text_of(&*panic), "no server on port 1");
        let panic = catch_unwind(|| panic!("no server")).unwrap_err();
        assert_eq!(text_of(&*panic), "no server");
    }
}

//! Questions about the process's memory.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::{Map, Value};

use super::{Answer, Panel};
use crate::Failure;

/// Samples that are kept for `memdump`.
const SAMPLES: usize = 1_000;
/// Samples that `memdump` shows unless told otherwise.
const SHOWN: i64 = 10;
/// Celery's units, largest first.
const UNITS: [(f64, &str); 4] = [
    (1_099_511_627_776.0, "TB"),
    (1_073_741_824.0, "GB"),
    (1_048_576.0, "MB"),
    (1_024.0, "KB"),
];

/// What `memsample` was told since the last `memdump`.
#[derive(Debug, Default)]
pub(crate) struct Samples(Mutex<VecDeque<String>>);

impl Samples {
    fn lock(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn memsample(panel: &Panel, _: &Map) -> Answer {
    let Some(now) = resident() else {
        return Ok(Value::Null);
    };
    let mut taken = panel.samples.lock();
    if taken.len() == SAMPLES {
        taken.pop_front();
    }
    taken.push_back(now.clone());
    Ok(now.into())
}

pub(super) fn memdump(panel: &Panel, arguments: &Map) -> Answer {
    let shown = arguments.get("samples").and_then(Value::as_i64);
    let shown = usize::try_from(shown.unwrap_or(SHOWN)).unwrap_or(1).max(1);
    let taken = std::mem::take(&mut *panel.samples.lock());
    let every = taken.len().div_ceil(shown).max(1);
    let mut text = String::new();
    if !taken.is_empty() {
        text.push_str("- rss (sample):\n");
    }
    for sample in taken.iter().step_by(every) {
        text.push_str(&format!("-    > {sample},\n"));
    }
    let now = resident().unwrap_or_else(|| "unknown".to_owned());
    text.push_str(&format!("- rss (end): {now}.\n"));
    Ok(text.into())
}

/// Celery draws Python's objects, where the library for it is installed. There are none here; this is what it answers without.
pub(super) fn objgraph(_: &Panel, _: &Map) -> Answer {
    let why = "Requires the objgraph library";
    Err(Failure::builtin("ImportError", vec![why.into()]))
}

/// The memory that this process has in use, for people.
fn resident() -> Option<String> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(human_bytes(kilobytes * 1_024.0))
}

/// Celery's `humanbytes`: five significant digits in the largest unit that fits.
fn human_bytes(bytes: f64) -> String {
    match UNITS.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{}{unit}", five_digits(bytes / size)),
        None => format!("{bytes}b"),
    }
}

fn five_digits(number: f64) -> String {
    let before = number.trunc().to_string().len();
    let text = format!("{number:.*}", 5_usize.saturating_sub(before));
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_celerys() {
        assert_eq!(human_bytes(72_347_648.0), "68.996MB");
        assert_eq!(human_bytes(2_048.0), "2KB");
        assert_eq!(human_bytes(1_073_741_824.0 * 1.5), "1.5GB");
        assert_eq!(human_bytes(12.0), "12b");
    }
}

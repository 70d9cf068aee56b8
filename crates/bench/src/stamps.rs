//! The file in which the `bench.stamp` task notes when it was sent and when it started.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use tokio::time::{Instant, sleep};

/// The environment variable that names the file to the worker.
pub(crate) const VARIABLE: &str = "BENCH_STAMPS";

/// How often the file is looked at while waiting.
const LOOK: Duration = Duration::from_millis(20);

/// Seconds of the wall clock since 1970, as Python's `time.time()`.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("the clock stands after 1970").as_secs_f64()
}

/// One run of the task; seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stamp {
    /// Before the publish call.
    pub(crate) sent: f64,
    /// The first statement of the task.
    pub(crate) started: f64,
}

/// The file of one trial.
#[derive(Debug)]
pub(crate) struct Stamps(PathBuf);

impl Stamps {
    /// The file in this folder.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self(folder.join("stamps.txt"))
    }

    /// Its path, for the worker.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// All stamps so far.
    pub(crate) fn read(&self) -> Vec<Stamp> {
        // Before the first task there is no file.
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        text.split_inclusive('\n').filter_map(parse).collect()
    }

    /// All stamps as soon as there are this many.
    pub(crate) async fn wait_for(
        &self,
        count: usize,
        deadline: Duration,
    ) -> anyhow::Result<Vec<Stamp>> {
        let end = Instant::now() + deadline;
        loop {
            let stamps = self.read();
            if stamps.len() >= count {
                return Ok(stamps);
            }
            ensure!(
                Instant::now() < end,
                "{} of {count} tasks started within {deadline:?}",
                stamps.len()
            );
            sleep(LOOK).await;
        }
    }

    /// Forgets all stamps. The worker keeps the file open for appending and goes on in it.
    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        fs::write(&self.0, "").with_context(|| format!("cannot empty {}", self.0.display()))
    }
}

/// A whole line; `None` for one that is still being written.
fn parse(line: &str) -> Option<Stamp> {
    let (sent, started) = line.strip_suffix('\n')?.split_once(' ')?;
    Some(Stamp {
        sent: sent.parse().ok()?,
        started: started.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_when_it_is_whole() {
        assert_eq!(
            parse("1.5 2.25\n"),
            Some(Stamp {
                sent: 1.5,
                started: 2.25
            })
        );
        assert_eq!(parse("1.5 2.2"), None);
    }
}

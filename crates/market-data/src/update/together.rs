//! Several assets at a time, until all are done or time is up.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use portfolio::progress::Progress;

use super::{OnProgress, Stop};

/// Assets that are asked about at the same time.
const TOGETHER: usize = 4;
/// How often it is asked whether time is up.
const LOOK: Duration = Duration::from_millis(250);

/// Does the work a few pieces at a time and gives each end to `each`. When `stop` says so, what is under way is dropped;
/// returns the places of the pieces that did not end.
pub(super) async fn together<W: Future>(
    work: Vec<W>,
    phase: &'static str,
    progress: OnProgress<'_>,
    stop: Stop<'_>,
    mut each: impl FnMut(usize, W::Output) -> portfolio::Result<()>,
) -> portfolio::Result<BTreeSet<usize>> {
    let total = work.len() as u64;
    let mut left: BTreeSet<usize> = (0..work.len()).collect();
    let numbered = work.into_iter().enumerate();
    let numbered = numbered.map(|(place, work)| async move { (place, work.await) });
    let mut ended = stream::iter(numbered).buffer_unordered(TOGETHER);
    loop {
        let current = total - left.len() as u64;
        progress(Progress {
            phase,
            current,
            total,
        });
        let next = tokio::select! {
            biased;
            () = stopped(stop) => return Ok(left),
            next = ended.next() => next,
        };
        let Some((place, output)) = next else {
            return Ok(left);
        };
        each(place, output)?;
        left.remove(&place);
    }
}

/// Ends when `stop` says so.
async fn stopped(stop: Stop<'_>) {
    while !stop() {
        tokio::time::sleep(LOOK).await;
    }
}

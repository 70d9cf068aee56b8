//! How long to wait before the next try: 50 ms at first, doubled up to 5 s, with jitter so that many clients do not come at once.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// The waiting times of one outage.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::up_to(LONGEST)
    }
}

impl Backoff {
    /// Waits no longer than this at a time, nor longer than usual.
    pub(crate) fn up_to(longest: Duration) -> Self {
        let longest = longest.min(LONGEST);
        Self {
            next: FIRST.min(longest),
            longest,
        }
    }

    /// Waits. Between half of the time and all of it.
    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.advance()).await;
    }

    fn advance(&mut self) -> Duration {
        let pause = self.next.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.next = (self.next * 2).min(self.longest);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_no_further() {
        let mut backoff = Backoff::default();
        for expected in [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000] {
            let expected = Duration::from_millis(expected);
            let pause = backoff.advance();
            assert!(
                pause >= expected / 2 && pause <= expected,
                "{pause:?} is not about {expected:?}"
            );
        }
    }
}

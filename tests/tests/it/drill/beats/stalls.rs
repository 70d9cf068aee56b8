//! How long the machine itself stood still: what else runs there makes every beat late, and nobody should take that for beat's fault, nor
//! beat's fault for that. Only told, never left out of a figure.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(10);
/// A thread that comes later than this was kept waiting.
const LONG: Duration = Duration::from_millis(250);

/// What a thread saw that only wanted to wake every ten milliseconds and write a byte to a file.
#[derive(Debug, Default)]
pub struct Stalls {
    count: usize,
    all: Duration,
    longest: Duration,
}

/// A watch that goes on.
pub struct Watch {
    over: Arc<AtomicBool>,
    watching: JoinHandle<Stalls>,
}

pub fn watch(file: &Path) -> Watch {
    let mut file = File::create(file).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&over);
    Watch {
        over,
        watching: thread::spawn(move || {
            let mut stalls = Stalls::default();
            while !until.load(Ordering::Relaxed) {
                let slept = Instant::now();
                thread::sleep(TICK);
                file.write_all(b".").unwrap();
                stalls.note(slept.elapsed().saturating_sub(TICK));
            }
            stalls
        }),
    }
}

impl Watch {
    pub fn end(self) -> Stalls {
        self.over.store(true, Ordering::Relaxed);
        self.watching.join().unwrap()
    }
}

impl Stalls {
    fn note(&mut self, late: Duration) {
        self.longest = self.longest.max(late);
        if late > LONG {
            self.count += 1;
            self.all += late;
        }
    }
}

impl fmt::Display for Stalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a thread of this machine was kept waiting {} times for more than {LONG:?}, {:?} in all, {:?} at most",
            self.count, self.all, self.longest
        )
    }
}

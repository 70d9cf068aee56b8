//! Where the writers of all processes queue before they ask SQLite for its write lock.
//!
//! SQLite makes a waiting writer sleep and try again, for longer each time, so under load some wait for hundreds of
//! milliseconds. A lock of the kernel on the bell's file wakes the next writer at once. It only orders those who wait: SQLite's own lock
//! still decides, so that passing without it, when its holder is stuck, is safe.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// This process's place in the queue.
#[derive(Debug)]
pub(crate) struct Turnstile {
    path: PathBuf,
    /// Locked while this process is through, unless it had to wait.
    file: Option<File>,
    patience: Duration,
    /// Alive as long as a thread waits. One that was given up is not joined by another.
    waiting: Weak<()>,
}

/// Held while a process is through; dropping it lets the next one through.
#[derive(Debug)]
pub(crate) enum Passage<'t> {
    /// At once.
    Free(&'t File),
    /// After waiting. The file is only kept for its lock, which ends when it is closed.
    Waited { _locked: File },
    /// Without a lock.
    Unordered,
}

impl Turnstile {
    /// `patience`: how long to wait for a holder that may be stuck.
    pub(crate) fn new(path: PathBuf, patience: Duration) -> Self {
        Self {
            file: open(&path),
            path,
            patience,
            waiting: Weak::new(),
        }
    }

    /// Waits for its turn, but not for ever.
    pub(crate) fn pass(&mut self) -> Passage<'_> {
        if self.waiting.strong_count() > 0 {
            return Passage::Unordered;
        }
        if let Some(file) = &self.file
            && file.try_lock().is_ok()
        {
            return Passage::Free(file);
        }
        let alive = Arc::new(());
        self.waiting = Arc::downgrade(&alive);
        let locked = wait_in_thread(self.path.clone(), alive);
        match locked.recv_timeout(self.patience) {
            Ok(locked) => Passage::Waited { _locked: locked },
            Err(_) => Passage::Unordered,
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if let Self::Free(file) = self
            && let Err(error) = file.unlock()
        {
            tracing::warn!(%error, "the turnstile stays closed until this process waits for it itself");
        }
    }
}

fn open(path: &Path) -> Option<File> {
    let open = OpenOptions::new().read(true).write(true).open(path);
    open.inspect_err(|error| tracing::warn!(%error, "writers of several processes are not ordered"))
        .ok()
}

/// A thread of its own, since the kernel's wait cannot be given up.
fn wait_in_thread(path: PathBuf, alive: Arc<()>) -> Receiver<File> {
    let (locked, receiver) = sync_channel(1);
    let wait = move || {
        let outcome = open(&path).filter(|file| file.lock().is_ok());
        // Whoever gets the file must find no thread waiting.
        drop(alive);
        if let Some(file) = outcome {
            // If nobody waits any more the file is closed here, which lets the next one through.
            locked.send(file).ok();
        }
    };
    // A thread that cannot be had drops the sender, and the caller passes unordered.
    std::thread::Builder::new()
        .name("turnstile".to_owned())
        .spawn(wait)
        .ok();
    receiver
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_waiting_process_passes_when_the_other_is_through() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let turnstile = || Turnstile::new(file.path().to_owned(), LONG);
        let (mut first, mut second) = (turnstile(), turnstile());
        let passage = first.pass();
        assert!(matches!(passage, Passage::Free(_)));
        std::thread::scope(|scope| {
            let waited = scope.spawn(|| matches!(second.pass(), Passage::Waited { .. }));
            drop(passage);
            waited.join().unwrap();
        });
        assert!(matches!(first.pass(), Passage::Free(_)));
    }

    #[test]
    fn a_stuck_holder_is_passed_by() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let turnstile = |patience| Turnstile::new(file.path().to_owned(), patience);
        let (mut stuck, mut other) = (turnstile(LONG), turnstile(Duration::from_millis(5)));
        let passage = stuck.pass();
        for _ in 0..2 {
            assert!(matches!(other.pass(), Passage::Unordered));
        }
        drop(passage);
    }
}

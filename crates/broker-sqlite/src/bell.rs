//! The bell: how one process wakes the others without anybody polling the database.
//!
//! A small file beside the database holds one number per kind of news. After a commit the writer changes the number
//! of each kind that the commit had news of; the kernel tells every process that watches the file, and each compares
//! the numbers with those it saw last. A ring that is lost (a process killed between its commit and its ring) is
//! covered by those who wait: they look again after a second whatever happens.

mod watcher;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::{Result, SqliteError};

/// How long anybody waits for the bell at most before looking anyway.
pub(crate) const LOOK_ANYWAY: Duration = Duration::from_secs(1);

/// A kind of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Messages are ready.
    Ready,
    /// The feed has grown.
    Feed,
    /// A message was deferred.
    Deferred,
}

const KINDS: usize = 3;
const WIDTH: usize = size_of::<u64>();

/// The news of one transaction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rings([bool; KINDS]);

impl Rings {
    pub(crate) fn add(&mut self, news: News) {
        self.0[news as usize] = true;
    }

    fn kinds(self) -> impl Iterator<Item = usize> {
        (0..KINDS).filter(move |kind| self.0[*kind])
    }
}

/// One process's end of the bell.
#[derive(Debug)]
pub(crate) struct Bell {
    path: PathBuf,
    file: File,
    heard: [watch::Sender<u64>; KINDS],
}

impl Bell {
    /// Opens the bell beside the database and begins to listen.
    pub(crate) fn open(
        database: &Path,
        tasks: &TaskTracker,
        closed: CancellationToken,
    ) -> Result<Arc<Self>> {
        let path = path_beside(database);
        let open = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path);
        let file = open.map_err(|source| SqliteError::Bell {
            path: path.clone(),
            source,
        })?;
        let bell = Arc::new(Self {
            path,
            file,
            heard: std::array::from_fn(|_| watch::Sender::new(0)),
        });
        bell.reserve_room()?;
        tasks.spawn(closed.run_until_cancelled_owned(watcher::listen(bell.clone())));
        Ok(bell)
    }

    /// The bell's file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Tells everybody, this process included. A bell that cannot be rung only makes others wait until they look anyway.
    pub(crate) fn ring(&self, rings: Rings) {
        for kind in rings.kinds() {
            let written = self
                .file
                .write_all_at(&stamp().to_ne_bytes(), (kind * WIDTH) as u64);
            if let Err(error) = written {
                tracing::debug!(%error, path = %self.path.display(), "the bell cannot be rung");
            }
        }
    }

    /// Hears of this kind of news from now on. Subscribe before looking, then nothing is missed in between.
    pub(crate) fn hear(&self, news: News) -> watch::Receiver<u64> {
        self.heard[news as usize].subscribe()
    }

    /// Compares the numbers with those seen last and wakes those who wait for the kinds that changed.
    fn compare(&self) {
        let mut bytes = [0; KINDS * WIDTH];
        if self.file.read_exact_at(&mut bytes, 0).is_err() {
            return;
        }
        for (number, heard) in bytes.chunks_exact(WIDTH).zip(&self.heard) {
            let number = u64::from_ne_bytes(
                number
                    .try_into()
                    .expect("chunks_exact gives chunks of this width"),
            );
            heard.send_if_modified(|seen| std::mem::replace(seen, number) != number);
        }
    }

    /// Gives the file its full size once, so that ringing needs no space on a full disk.
    fn reserve_room(&self) -> Result<()> {
        let length = (KINDS * WIDTH) as u64;
        let grow = |file: &File| match file.metadata()?.len() {
            found if found < length => file.set_len(length),
            _ => Ok(()),
        };
        grow(&self.file).map_err(|source| SqliteError::Bell {
            path: self.path.clone(),
            source,
        })
    }
}

fn path_beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".bell");
    path.into()
}

/// A number that no other ring is likely to write.
fn stamp() -> u64 {
    let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
    high ^ low
}

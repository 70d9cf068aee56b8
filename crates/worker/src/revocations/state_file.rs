//! `--statedb`: revokes and the clock in a file, written anew and put in place at once, so that a kill at any moment leaves a whole one.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use protocol::{Codec, Limits, Map, Value};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::WorkerError;
use crate::engine::Engine;

/// Says that a file is one of ours.
const FORMAT: &str = "celeriac worker state 1";
/// The shortest time between two writes.
const PAUSE: Duration = Duration::from_millis(500);

/// The file of one worker.
#[derive(Clone, Debug)]
pub(crate) struct StateFile(PathBuf);

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Takes over what the file says. A file that is not there is an empty one.
    ///
    /// # Errors
    /// When it cannot be read, or is not ours: it is not to be overwritten then.
    pub(crate) fn load(&self, engine: &Engine) -> Result<(), WorkerError> {
        let bytes = match std::fs::read(&self.0) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(self.failed(source)),
        };
        let state = Codec::Json.decode(&bytes, &Limits::default());
        let state = state.map_err(|error| self.failed(io::Error::other(error)))?;
        if state.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(self.failed(io::Error::other("it was not written by this program")));
        }
        let revoked = state
            .get("revoked")
            .and_then(Value::as_list)
            .unwrap_or_default();
        info!(path = %self.0.display(), revoked = revoked.len(), "state restored");
        engine
            .revocations
            .add(revoked.iter().filter_map(Value::as_str));
        if let Some(stamps) = state.get("revoked_stamps").and_then(Value::as_map) {
            engine.revocations.add_stamps(stamps);
        }
        engine
            .client
            .clock()
            .adjust(state.get("clock").and_then(Value::as_i64));
        Ok(())
    }

    /// Writes the file whenever something was revoked, and once more at the end.
    pub(crate) async fn keep(self, engine: Arc<Engine>, stop: CancellationToken) {
        let mut changes = engine.revocations.changes();
        loop {
            let over = tokio::select! {
                Ok(()) = changes.changed() => false,
                () = stop.cancelled() => true,
            };
            self.save(&engine).await;
            if over {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn save(&self, engine: &Engine) {
        let (path, state) = (self.0.clone(), state(engine));
        let written = tokio::task::spawn_blocking(move || write(&path, &state)).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                error!(%error, path = %self.0.display(), "the worker's state is not saved")
            }
            Err(error) => error!(%error, "the worker's state is not saved"),
        }
    }

    fn failed(&self, source: io::Error) -> WorkerError {
        WorkerError::StateFile {
            path: self.0.clone(),
            source,
        }
    }
}

fn state(engine: &Engine) -> Value {
    let mut state = Map::from_iter([("format", FORMAT)]);
    let clock = engine.client.clock().forward();
    state.insert("clock", i64::try_from(clock).unwrap_or(i64::MAX));
    state.insert("revoked", engine.revocations.fresh_ids());
    state.insert("revoked_stamps", engine.revocations.stamps());
    Value::Map(state)
}

/// The new file takes the old one's place in one step, when it is on the disk.
fn write(path: &Path, state: &Value) -> io::Result<()> {
    let text = Codec::Json.encode(state).map_err(io::Error::other)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(&text)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

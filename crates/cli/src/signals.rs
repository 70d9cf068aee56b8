//! The signals that end a command that runs until it is told to stop. What services do on signals is not here.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Error;

/// The signals that end a program.
#[derive(Debug)]
pub(crate) struct Signals([Signal; 4]);

impl Signals {
    pub(crate) fn listen() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(service::Error::program);
        Ok(Self([
            listen(SignalKind::terminate())?,
            listen(SignalKind::interrupt())?,
            listen(SignalKind::quit())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    /// Returns at the next one. Cancel-safe.
    pub(crate) async fn next(&mut self) {
        let [terminate, interrupt, quit, hangup] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = quit.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

//! Signals: the first TERM or INT ends warm, a second one or QUIT ends cold. It owns the meaning of signals, not
//! what ending means.

use std::io::Read;

use tokio::signal::unix::{Signal, SignalKind, signal};
use worker::Shutdown;

use crate::Error;

/// The variable that tells a program that its standard input is held open by the service manager: when it ends,
/// the manager is gone, and the program ends warm.
pub const SUPERVISED: &str = "CELERIAC_SUPERVISED";

/// Listens to the process's signals from now on; must be called inside the runtime.
///
/// # Errors
/// When the system gives no signal handlers.
pub fn listen() -> Result<Shutdown, Error> {
    let shutdown = Shutdown::new();
    let kinds = [
        SignalKind::terminate(),
        SignalKind::interrupt(),
        SignalKind::quit(),
    ];
    let [terminate, interrupt, quit] = kinds.map(|kind| signal(kind).map_err(Error::program));
    tokio::spawn(watch_signals(
        shutdown.clone(),
        terminate?,
        interrupt?,
        quit?,
    ));
    if std::env::var_os(SUPERVISED).is_some() {
        watch_manager(shutdown.clone());
    }
    Ok(shutdown)
}

fn ask_warm(shutdown: &Shutdown) {
    if shutdown.is_requested() {
        tracing::warn!("second signal: cold shutdown, what runs is given back");
        shutdown.cold.cancel();
    } else {
        tracing::info!("warm shutdown: finishing what runs; a second signal ends cold");
        shutdown.warm.cancel();
    }
}

fn ask_cold(shutdown: &Shutdown) {
    tracing::warn!("SIGQUIT: cold shutdown, what runs is given back");
    shutdown.cold.cancel();
}

async fn watch_signals(
    shutdown: Shutdown,
    mut terminate: Signal,
    mut interrupt: Signal,
    mut quit: Signal,
) {
    while !shutdown.cold.is_cancelled() {
        tokio::select! {
            _ = terminate.recv() => ask_warm(&shutdown),
            _ = interrupt.recv() => ask_warm(&shutdown),
            _ = quit.recv() => ask_cold(&shutdown),
        }
    }
}

/// Reads on a thread of its own: a read that never ends must not keep the runtime from ending.
fn watch_manager(shutdown: Shutdown) {
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        let mut input = std::io::stdin();
        while matches!(input.read(&mut buffer), Ok(1..)) {}
        tracing::warn!("the service manager is gone: warm shutdown");
        shutdown.warm.cancel();
    });
}

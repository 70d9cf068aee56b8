//! Signals: what each of them asks for, as Celery's workers understand them. It owns the meaning of signals, not
//! what ending means.

mod escalation;

use std::io::{IsTerminal, Read};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use worker::Shutdown;

use crate::{Error, Exit};
use escalation::{Ask, Escalation};

/// The variable that tells a program that its standard input is held open by the service manager: when it ends,
/// the manager is gone, and the program ends warm.
pub const SUPERVISED: &str = "CELERIAC_SUPERVISED";

/// Celery's variable: `SIGQUIT` makes TERM mean what QUIT means.
const REMAP_SIGTERM: &str = "REMAP_SIGTERM";

/// What the process's signals ask for.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// TERM, INT and QUIT: to end.
    pub shutdown: Shutdown,
    /// HUP: to begin anew with the same arguments after a warm end. Whoever asks for an end, before or after, takes it back.
    restart: Arc<AtomicBool>,
    /// USR1: to say what is being done. Each signal is one notification.
    pub report: Arc<Notify>,
}

/// Listens to the process's signals from now on; must be called inside the runtime.
///
/// # Errors
/// When the system gives no signal handlers.
pub fn listen() -> Result<Signals, Error> {
    let signals = Signals::default();
    tokio::spawn(watch_endings(signals.clone(), Endings::open()?));
    tokio::spawn(watch_others(
        signals.clone(),
        open(SignalKind::hangup())?,
        open(SignalKind::user_defined1())?,
    ));
    if std::env::var_os(SUPERVISED).is_some() {
        watch_manager(signals.shutdown.clone());
    }
    Ok(signals)
}

fn open(kind: SignalKind) -> Result<Signal, Error> {
    signal(kind).map_err(Error::program)
}

/// The signals that end.
struct Endings {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Endings {
    fn open() -> Result<Self, Error> {
        Ok(Self {
            terminate: open(SignalKind::terminate())?,
            interrupt: open(SignalKind::interrupt())?,
            quit: open(SignalKind::quit())?,
        })
    }

    async fn next(&mut self, escalation: &mut Escalation) -> Ask {
        tokio::select! {
            _ = self.terminate.recv() => escalation.terminate(),
            _ = self.interrupt.recv() => escalation.interrupt(),
            _ = self.quit.recv() => escalation.quit(),
        }
    }
}

async fn watch_endings(signals: Signals, mut endings: Endings) {
    let remapped = std::env::var(REMAP_SIGTERM).is_ok_and(|to| to == "SIGQUIT");
    let mut escalation = Escalation::new(remapped);
    loop {
        signals.carry_out(endings.next(&mut escalation).await);
    }
}

async fn watch_others(signals: Signals, mut hangup: Signal, mut report: Signal) {
    loop {
        tokio::select! {
            _ = hangup.recv() => signals.hang_up(),
            _ = report.recv() => signals.report.notify_one(),
        }
    }
}

impl Signals {
    /// Whether the program is to begin anew when it has ended.
    pub(crate) fn wants_restart(&self) -> bool {
        self.restart.load(Ordering::Relaxed)
    }

    fn carry_out(&self, ask: Ask) {
        self.restart.store(false, Ordering::Relaxed);
        match ask {
            Ask::Warm => {
                tracing::info!(
                    "warm shutdown: finishing what runs; SIGQUIT, or Ctrl-C again, ends sooner"
                );
                self.shutdown.warm.cancel();
            }
            Ask::Soft => {
                tracing::warn!(
                    "cold shutdown: what runs is given back, at the latest after worker_soft_shutdown_timeout"
                );
                self.shutdown.soft.cancel();
            }
            Ask::Cold => {
                tracing::warn!(
                    "cold shutdown at once; once more ends the process without giving anything back"
                );
                self.shutdown.cold.cancel();
            }
            Ask::Exit => {
                tracing::error!(
                    "ending at once: what this process holds is ready again when its lease has run out"
                );
                process::exit(Exit::Failure.code().into());
            }
        }
    }

    /// A terminal that goes away ends what runs in it; a program without one is asked to begin anew.
    fn hang_up(&self) {
        if std::io::stdout().is_terminal() {
            tracing::info!("the terminal is gone: warm shutdown");
        } else if self.shutdown.is_requested() {
            return tracing::warn!("SIGHUP: the program ends already and does not begin anew");
        } else {
            tracing::info!(
                "SIGHUP: finishing what runs, then beginning anew with the same arguments"
            );
            self.restart.store(true, Ordering::Relaxed);
        }
        self.shutdown.warm.cancel();
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

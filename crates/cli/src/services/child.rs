//! One service: its process is started, watched, started again with growing pauses, and stopped.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use service::{Exit, SUPERVISED, Shutdown};
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::lines::Printer;

/// The first pause before a restart; it doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);
/// A process that ran this long was healthy: its pauses begin anew.
const HEALTHY: Duration = Duration::from_secs(60);
/// How long a process may take to give back its tasks after a cold stop, before it is killed.
const COLD: Duration = Duration::from_secs(10);
/// How long the last lines of an ended process are waited for.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How to start one service.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) printer: Printer,
    /// Notified after each line of what tasks print.
    pub(super) printed: Arc<Notify>,
}

/// How a service's last process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// As asked, with success.
    Clean,
    /// As asked, but not with success.
    Failed,
    /// By itself, and starting it again would not help: its settings or command line are wrong.
    Hopeless(Exit),
}

impl Launch {
    /// Keeps the service running until it is asked to stop or cannot be helped.
    pub(super) async fn keep_running(self, stop: Shutdown) -> Ended {
        let mut pause = FIRST;
        loop {
            let started = Instant::now();
            let ended = self.run_once(&stop).await;
            if stop.is_requested() {
                return self.stopped(ended);
            }
            if let Some(exit) = hopeless(&ended) {
                self.printer
                    .say(&format!("ended ({}); not started again", describe(&ended)));
                return Ended::Hopeless(exit);
            }
            if started.elapsed() >= HEALTHY {
                pause = FIRST;
            }
            self.printer.say(&format!(
                "ended ({}); starting again in {pause:?}",
                describe(&ended)
            ));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.requested() => return Ended::Clean,
            }
            pause = (pause * 2).min(LONGEST);
        }
    }

    fn stopped(&self, ended: std::io::Result<ExitStatus>) -> Ended {
        let clean = ended.as_ref().is_ok_and(ExitStatus::success);
        if !clean {
            self.printer.say(&format!("stopped ({})", describe(&ended)));
        }
        if clean { Ended::Clean } else { Ended::Failed }
    }

    async fn run_once(&self, stop: &Shutdown) -> std::io::Result<ExitStatus> {
        let (mut child, pumps) = self.spawn()?;
        // Held open on purpose: its end tells the service that the manager is gone.
        let _input = child.stdin.take();
        let status = wait(&mut child, stop).await;
        for pump in pumps {
            // A grandchild may hold the pipe open for ever.
            let _ = tokio::time::timeout(LAST_LINES, pump).await;
        }
        status
    }

    fn spawn(&self) -> std::io::Result<(Child, [JoinHandle<()>; 2])> {
        let (output, output_writer) = std::io::pipe()?;
        let (log, log_writer) = std::io::pipe()?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env(SUPERVISED, "1")
            // systemd's business is with the manager.
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .env_remove("WATCHDOG_PID")
            .stdin(Stdio::piped())
            .stdout(output_writer)
            .stderr(log_writer)
            // Ctrl-C in a terminal reaches the manager alone, which then asks each service once.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (printer, printed) = (self.printer.clone(), self.printed.clone());
        let pumps = [
            tokio::task::spawn_blocking(move || Printer::copy_output(output, &printed)),
            tokio::task::spawn_blocking(move || printer.copy_log(log)),
        ];
        Ok((child, pumps))
    }
}

/// Waits for the end; passes a warm stop on as TERM, a soft one as QUIT and a cold one as QUIT again, and kills what then still runs.
async fn wait(child: &mut Child, stop: &Shutdown) -> std::io::Result<ExitStatus> {
    tokio::select! {
        status = child.wait() => return status,
        () = stop.requested() => {}
    }
    if !stop.is_hurried() {
        send(child, Signal::SIGTERM);
        tokio::select! {
            status = child.wait() => return status,
            () = stop.hurried() => {}
        }
    }
    if !stop.cold.is_cancelled() {
        send(child, Signal::SIGQUIT);
        tokio::select! {
            status = child.wait() => return status,
            () = stop.cold.cancelled() => {}
        }
    }
    send(child, Signal::SIGQUIT);
    if let Ok(status) = tokio::time::timeout(COLD, child.wait()).await {
        return status;
    }
    child.kill().await?;
    child.wait().await
}

fn send(child: &Child, signal: Signal) {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(id) = id {
        // It may have ended by itself in this instant.
        let _ = kill(Pid::from_raw(id), signal);
    }
}

fn hopeless(ended: &std::io::Result<ExitStatus>) -> Option<Exit> {
    match ended {
        Ok(status) => [Exit::Usage, Exit::Configuration]
            .into_iter()
            .find(|exit| status.code() == Some(i32::from(exit.code()))),
        Err(_) => Some(Exit::Failure),
    }
}

fn describe(ended: &std::io::Result<ExitStatus>) -> String {
    match ended {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::Color;
    use super::*;

    fn launch(script: &str) -> Launch {
        Launch {
            program: PathBuf::from("/bin/sh"),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            environment: Vec::new(),
            printer: Printer::new("test", 4, Color::of(0)),
            printed: Arc::default(),
        }
    }

    #[tokio::test]
    async fn a_wrong_configuration_is_not_started_again() {
        let ended = launch("exit 78").keep_running(Shutdown::new()).await;
        assert_eq!(ended, Ended::Hopeless(Exit::Configuration));
        let missing = Launch {
            program: PathBuf::from("/nonexistent"),
            ..launch("")
        };
        assert_eq!(
            missing.keep_running(Shutdown::new()).await,
            Ended::Hopeless(Exit::Failure)
        );
    }

    #[tokio::test]
    async fn a_warm_stop_is_a_term() {
        let stop = Shutdown::new();
        let folder = tempfile::TempDir::new().unwrap();
        let up = folder.path().join("up");
        let script = format!(
            "trap 'exit 0' TERM; : > '{}'; while :; do sleep 0.01; done",
            up.display()
        );
        let running = tokio::spawn(launch(&script).keep_running(stop.clone()));
        testkit::wait_until(Duration::from_secs(20), || async { up.exists() }).await;
        stop.warm.cancel();
        assert_eq!(running.await.unwrap(), Ended::Clean);
    }

    #[tokio::test]
    async fn a_service_that_ends_is_started_again() {
        let stop = Shutdown::new();
        let folder = tempfile::TempDir::new().unwrap();
        let log = folder.path().join("log");
        let running = tokio::spawn(
            launch(&format!("echo x >> '{}'", log.display())).keep_running(stop.clone()),
        );
        let twice =
            || async { std::fs::read_to_string(&log).is_ok_and(|text| text.lines().count() >= 2) };
        testkit::wait_until(Duration::from_secs(20), twice).await;
        stop.warm.cancel();
        assert_eq!(running.await.unwrap(), Ended::Clean);
    }
}

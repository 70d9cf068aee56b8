//! The beats of the drill: each with a clock and a line to the broker of its own. Tables, if there are any, are reached by all.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use testkit::{Process, Proxy, RedisServer, Signal, bin, wait_until};
use tokio::time::sleep;

use crate::drill::PATIENCE;

/// What happens to a leader.
#[derive(Clone, Copy, Debug)]
pub enum Hazard {
    Kill,
    Freeze,
    CutOff,
}

/// From the moment that a leader was struck to the moment that another one was seen to lead.
#[derive(Clone, Copy, Debug)]
pub struct Failover {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Failover {
    pub fn took(&self) -> Duration {
        Duration::try_from(self.to.duration_since(self.from)).unwrap()
    }
}

struct Player {
    process: Process,
    line: Proxy,
    clock: i64,
}

/// All of them.
pub struct Cast<'a> {
    redis: &'a RedisServer,
    tables: Option<String>,
    folder: PathBuf,
    players: Vec<Player>,
}

impl<'a> Cast<'a> {
    /// Starts a beat for each clock and waits until one leads and all others know that.
    pub async fn start(
        redis: &'a RedisServer,
        tables: Option<String>,
        folder: &Path,
        clocks: &[i64],
    ) -> Self {
        let mut cast = Self {
            redis,
            tables,
            folder: folder.to_owned(),
            players: Vec::new(),
        };
        for clock in clocks {
            let line = Proxy::start(redis.address()).await;
            let process = cast.beat(&line, *clock);
            cast.players.push(Player {
                process,
                line,
                clock: *clock,
            });
        }
        cast.wait_for_leader().await;
        cast
    }

    fn beat(&self, line: &Proxy, clock: i64) -> Process {
        let mut command = Command::new(bin("celeriac-beat"));
        command
            .current_dir(&self.folder)
            .env("CELERY_BROKER_URL", format!("redis://{}/0", line.address()))
            .args(["--config", "celeriac.toml", "-l", "INFO"])
            .args(["--clock-offset", &clock.to_string()])
            .envs(
                self.tables
                    .iter()
                    .map(|url| ("CELERIAC_BEAT_DATABASE_URL", url)),
            );
        Process::spawn(&mut command)
    }

    /// The name of whoever holds the lease.
    fn holder(&self) -> Option<String> {
        let held = self.redis.cli(&["GET", "celeriac.lease:celeriac.beat"]);
        let (_, name) = held.trim().split_once(' ')?;
        Some(name.to_owned())
    }

    /// Which of the players leads, and under which name.
    fn leader(&self) -> Option<(usize, String)> {
        let name = self.holder()?;
        let says = format!("leading name={name} ");
        let is_it = |player: &Player| player.process.output().contains(&says);
        Some((self.players.iter().position(is_it)?, name))
    }

    /// A leader that loses its lease while it is looked for is no leader.
    async fn wait_for_leader(&self) -> (usize, String) {
        let found = RefCell::new(None);
        wait_until(PATIENCE, async || {
            *found.borrow_mut() = self.leader();
            found.borrow().is_some()
        })
        .await;
        found.into_inner().expect("it was waited for")
    }

    /// Disturbs the leader; returns when another one held the lease.
    pub async fn strike(&mut self, hazard: Hazard, away: Duration) -> Failover {
        let (place, name) = self.wait_for_leader().await;
        let (from, struck) = (Timestamp::now(), Instant::now());
        match hazard {
            Hazard::Kill => self.players[place].process.kill(),
            Hazard::Freeze => self.players[place].process.signal(Signal::SIGSTOP),
            Hazard::CutOff => self.players[place].line.stall(),
        }
        let is_other = |holder: Option<String>| holder.is_some_and(|holder| holder != name);
        wait_until(PATIENCE, async || is_other(self.holder())).await;
        let to = Timestamp::now();
        sleep(away.saturating_sub(struck.elapsed())).await;
        self.bring_back(place, hazard);
        Failover { from, to }
    }

    fn bring_back(&mut self, place: usize, hazard: Hazard) {
        let player = &mut self.players[place];
        match hazard {
            Hazard::Kill => {
                let Player { line, clock, .. } = self.players.remove(place);
                let process = self.beat(&line, clock);
                self.players.push(Player {
                    process,
                    line,
                    clock,
                });
            }
            Hazard::Freeze => player.process.signal(Signal::SIGCONT),
            Hazard::CutOff => player.line.resume(),
        }
    }

    /// Ends all of them.
    pub async fn stop(mut self) {
        for player in &mut self.players {
            player.process.terminate();
            let status = player.process.wait_exit(PATIENCE).await;
            assert!(status.success(), "{}", player.process.output());
        }
    }
}

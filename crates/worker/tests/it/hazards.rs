//! Tasks that hang, crash and eat memory; only a child process survives them, or rather its worker does.

use std::time::{Duration, Instant};

use protocol::State;
use serde::{Deserialize, Serialize};
use worker::{Context, Outcome, RetryPolicy, Task, TaskOptions};

/// Tells the process that it runs in.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WhichProcess {}

impl Task for WhichProcess {
    const NAME: &'static str = "demo.which_process";
    type Output = i64;
    async fn run(self, _: &Context) -> Result<i64, Outcome> {
        Ok(std::process::id().into())
    }
}

/// Computes without end and without awaiting anything, after it has stored that it begins.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Spin {
    pub(crate) seconds: f64,
    pub(crate) asks: bool,
}

impl Task for Spin {
    const NAME: &'static str = "demo.spin";
    type Output = ();
    async fn run(self, ctx: &Context) -> Result<(), Outcome> {
        ctx.update_state(State::Custom("SPINNING".to_owned()), 0)
            .await?;
        let end = Instant::now() + Duration::from_secs_f64(self.seconds);
        while Instant::now() < end {
            if self.asks {
                ctx.check()?;
            }
            std::hint::black_box(0);
        }
        Ok(())
    }
}

/// Computes for some seconds without awaiting anything, and tells the thread that it runs on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hog {
    pub(crate) seconds: f64,
}

impl Task for Hog {
    const NAME: &'static str = "demo.hog";
    type Output = String;
    async fn run(self, _: &Context) -> Result<String, Outcome> {
        std::thread::sleep(Duration::from_secs_f64(self.seconds));
        Ok(std::thread::current().name().unwrap_or_default().to_owned())
    }
}

/// Takes memory and keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hoard {
    pub(crate) mebibytes: usize,
}

impl Task for Hoard {
    const NAME: &'static str = "demo.hoard";
    type Output = ();
    async fn run(self, _: &Context) -> Result<(), Outcome> {
        std::mem::forget(vec![1_u8; self.mebibytes << 20]);
        Ok(())
    }
}

/// Takes ever more memory.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Devour {}

impl Task for Devour {
    const NAME: &'static str = "demo.devour";
    type Output = ();
    async fn run(self, _: &Context) -> Result<(), Outcome> {
        loop {
            std::mem::forget(vec![1_u8; 1 << 20]);
            // Slow enough for a machine with little memory, and busy all the same.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Ends in the way it is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Crash {
    how: String,
}

impl Crash {
    pub(crate) fn by(how: &str) -> Self {
        Self {
            how: how.to_owned(),
        }
    }
}

impl Task for Crash {
    const NAME: &'static str = "demo.crash";
    type Output = String;
    fn options() -> TaskOptions {
        TaskOptions {
            retry: RetryPolicy {
                default_retry_delay: 0,
                ..RetryPolicy::default()
            },
            ..TaskOptions::default()
        }
    }
    async fn run(self, ctx: &Context) -> Result<String, Outcome> {
        match self.how.as_str() {
            "raise" => Err(Outcome::fail("ValueError", "no")),
            "panic" => panic!("as it was told"),
            "reject" => Err(Outcome::reject("no thanks", false)),
            "retry" if ctx.retries() == 0 => Err(ctx.retry().countdown(Duration::ZERO).into()),
            "retry" => Ok(format!("retried {}", ctx.retries())),
            "replace" => Err(Outcome::Replace(Box::new(
                protocol::Signature::new("demo.add").args(vec![20_i64.into(), 22_i64.into()]),
            ))),
            "progress" => {
                ctx.progress(7).await?;
                Ok("stored".to_owned())
            }
            "kill once" if ctx.retries() > 0 => Ok(format!("survived {}", ctx.retries())),
            "kill" | "kill once" => {
                nix::sys::signal::kill(
                    nix::unistd::Pid::this(),
                    nix::sys::signal::Signal::SIGKILL,
                )?;
                Ok(String::new())
            }
            "abort" => std::process::abort(),
            _ => std::process::exit(3),
        }
    }
}

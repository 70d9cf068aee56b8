//! The machine that the figures were taken on, and the versions of what was measured.

use anyhow::Context as _;
use procfs::{CpuInfo, Current as _, Meminfo};
use serde::{Deserialize, Serialize};
use testkit::RedisServer;

use crate::celery::Celery;

/// Facts about the machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// What the processors call themselves.
    pub(crate) cpu: String,
    /// Processors this program may use.
    pub(crate) cores: usize,
    /// Main memory in GiB.
    pub(crate) memory_gib: f64,
    /// The kernel's release.
    pub(crate) kernel: String,
    /// The Redis server's version.
    pub(crate) redis: String,
    /// Python Celery's version, if it is installed.
    pub(crate) celery: Option<String>,
}

impl Machine {
    /// Looks at the machine.
    pub(crate) fn look(redis: &RedisServer, celery: Option<&Celery>) -> anyhow::Result<Self> {
        let cpus = CpuInfo::current()?;
        let kernel = procfs::sys::kernel::Version::current()?;
        let bytes = Meminfo::current()?.mem_total;
        Ok(Self {
            cpu: cpus.model_name(0).unwrap_or("unknown").to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: bytes as f64 / f64::from(1 << 30),
            kernel: format!("{}.{}.{}", kernel.major, kernel.minor, kernel.patch),
            redis: redis_version(redis).context("the Redis server does not tell its version")?,
            celery: celery.map(|celery| celery.version().to_owned()),
        })
    }
}

fn redis_version(redis: &RedisServer) -> Option<String> {
    let info = redis.cli(&["INFO", "server"]);
    let version = info
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"))?;
    Some(version.trim().to_owned())
}

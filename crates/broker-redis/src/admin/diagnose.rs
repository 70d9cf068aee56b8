//! What is good and what is dangerous about a server's settings. A question that the server refuses to answer is itself a finding.

use std::collections::HashMap;

use ::broker::{Advice, Result, Severity};
use jiff::Timestamp;
use redis::Pipeline;

use super::command;
use crate::RedisBroker;
use crate::broker::major_minor;

/// Clocks that differ by more than this make `expires` and ETAs from Python visibly early or late.
const CLOCK_TOLERANCE_MS: i64 = 2_000;
/// Held messages beyond this mean that something is stuck.
const MANY_HELD: u64 = 100_000;

pub(super) async fn diagnose(broker: &RedisBroker) -> Result<Vec<Advice>> {
    let info: String = broker
        .ask("read the server's state", redis::cmd("INFO"))
        .await?;
    let info = Fields::read(&info);
    let settings = settings(broker).await;
    let mut advice = vec![
        version(&info),
        role(&info),
        eviction(&info),
        persistence(&info, &settings),
        last_write(&info),
    ];
    advice.extend([
        idle_limit(&settings),
        clock(broker).await?,
        tracking(broker).await,
        held(broker).await?,
    ]);
    Ok(advice)
}

/// The lines of `INFO`.
struct Fields(HashMap<String, String>);

impl Fields {
    fn read(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| line.split_once(':'));
        Self(
            pairs
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

fn advice(subject: &str, severity: Severity, found: impl Into<String>, remedy: &str) -> Advice {
    Advice {
        subject: subject.to_owned(),
        severity,
        found: found.into(),
        remedy: remedy.to_owned(),
    }
}

fn version(info: &Fields) -> Advice {
    let found = info.get("redis_version");
    match major_minor(found) {
        Some(version) if version >= (6, 2) => advice("version", Severity::Fine, found, ""),
        _ => advice(
            "version",
            Severity::Problem,
            found,
            "install Redis 6.2 or newer",
        ),
    }
}

fn role(info: &Fields) -> Advice {
    match info.get("role") {
        "master" => advice("role", Severity::Fine, "primary", ""),
        role => advice(
            "role",
            Severity::Problem,
            role,
            "point the URL at the primary: a replica accepts no writes",
        ),
    }
}

fn eviction(info: &Fields) -> Advice {
    let policy = info.get("maxmemory_policy");
    let remedy = "set maxmemory-policy noeviction: any other policy deletes queues and results when memory is short";
    match (policy, info.get("maxmemory")) {
        ("noeviction", _) => advice("maxmemory-policy", Severity::Fine, policy, ""),
        (_, "0") => advice(
            "maxmemory-policy",
            Severity::Hint,
            format!("{policy}, but no maxmemory is set"),
            remedy,
        ),
        _ => advice("maxmemory-policy", Severity::Problem, policy, remedy),
    }
}

fn persistence(info: &Fields, settings: &HashMap<String, String>) -> Advice {
    let remedy = "set appendonly yes (and appendfsync always to lose nothing at all)";
    match (
        info.get("aof_enabled"),
        settings.get("save").map(String::as_str),
    ) {
        ("1", _) => advice("persistence", Severity::Fine, "append-only file", ""),
        (_, Some("")) => advice(
            "persistence",
            Severity::Problem,
            "none: a restart loses every task and result",
            remedy,
        ),
        _ => advice(
            "persistence",
            Severity::Hint,
            "snapshots at most: a restart loses what came after the last one",
            remedy,
        ),
    }
}

fn last_write(info: &Fields) -> Advice {
    let failed = ["rdb_last_bgsave_status", "aof_last_write_status"]
        .into_iter()
        .find(|name| info.get(name) == "err");
    match failed {
        None => advice("last write to disk", Severity::Fine, "ok", ""),
        Some(name) => advice(
            "last write to disk",
            Severity::Problem,
            format!("{name} is err"),
            "free disk space and look at the server's log",
        ),
    }
}

/// The settings that matter. Managed servers refuse `CONFIG`; then nothing is known.
async fn settings(broker: &RedisBroker) -> HashMap<String, String> {
    let mut pipeline = Pipeline::new();
    for name in ["timeout", "save"] {
        pipeline.cmd("CONFIG").arg("GET").arg(name);
    }
    let answers: Vec<HashMap<String, String>> = broker
        .ask_all("read the server's settings", &pipeline)
        .await
        .unwrap_or_default();
    answers.into_iter().flatten().collect()
}

fn idle_limit(settings: &HashMap<String, String>) -> Advice {
    match settings.get("timeout").map(String::as_str) {
        Some("0") => advice("timeout", Severity::Fine, "idle connections are kept", ""),
        Some(seconds) => advice(
            "timeout",
            Severity::Hint,
            format!("idle connections are closed after {seconds} s"),
            "set timeout 0; idle workers would reconnect again and again",
        ),
        None => advice(
            "timeout",
            Severity::Hint,
            "the server does not tell its settings (CONFIG GET)",
            "make sure that timeout is 0",
        ),
    }
}

async fn clock(broker: &RedisBroker) -> Result<Advice> {
    let (seconds, micros): (i64, i64) = broker
        .ask("read the server's clock", redis::cmd("TIME"))
        .await?;
    let difference = Timestamp::now().as_millisecond() - (seconds * 1_000 + micros / 1_000);
    let found = format!("{difference} ms between this machine and the server");
    Ok(match difference.abs() <= CLOCK_TOLERANCE_MS {
        true => advice("clock", Severity::Fine, found, ""),
        false => advice(
            "clock",
            Severity::Problem,
            found,
            "synchronise the clocks (NTP): ETAs and expiry are told in wall-clock time",
        ),
    })
}

async fn tracking(broker: &RedisBroker) -> Advice {
    let mut on = command("CLIENT", "TRACKING");
    on.arg("ON").arg("OPTIN");
    let mut off = command("CLIENT", "TRACKING");
    off.arg("OFF");
    let mut pipeline = Pipeline::new();
    pipeline.add_command(on).add_command(off);
    match broker
        .ask_all::<String>("try client tracking", &pipeline)
        .await
    {
        Ok(_) => advice("client tracking", Severity::Fine, "available", ""),
        Err(error) => advice(
            "client tracking",
            Severity::Hint,
            error.to_string(),
            "allow CLIENT TRACKING; without it workers look for messages 20 times a second",
        ),
    }
}

async fn held(broker: &RedisBroker) -> Result<Advice> {
    let mut pipeline = Pipeline::new();
    pipeline.cmd("HLEN").arg(&broker.keys.unacked);
    pipeline.cmd("ZCARD").arg(&broker.keys.eta);
    let counts: Vec<u64> = broker.ask_all("count held messages", &pipeline).await?;
    let (all, deferred) = (
        counts.first().copied().unwrap_or(0),
        counts.get(1).copied().unwrap_or(0),
    );
    let running = all.saturating_sub(deferred);
    let found = format!("{running} held by workers, {deferred} waiting for their time");
    Ok(match running > MANY_HELD {
        false => advice("held messages", Severity::Fine, found, ""),
        true => advice(
            "held messages",
            Severity::Hint,
            found,
            "look for workers that hold without finishing; Python workers' messages return after visibility_timeout",
        ),
    })
}

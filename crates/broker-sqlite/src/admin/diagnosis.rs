//! What an operator should know about the file and the disk it is on.

use broker::{Advice, Severity};

use crate::error::Result;
use crate::options::Synchronous;
use crate::reads::operator as reads;
use crate::room;
use crate::store::Store;

/// Free space below which the disk is worth a hint.
const TIGHT: u64 = 1 << 30;

/// A write-ahead log over this size says that something keeps it from being cut.
const LARGE_LOG: u64 = 256 << 20;

pub(super) async fn diagnose(store: &Store) -> Result<Vec<Advice>> {
    let mut advice = vec![
        version(store).await?,
        journal_mode(store).await?,
        synchronous(store.options().synchronous),
        integrity(store).await?,
        log_size(store),
    ];
    advice.extend(free_space(store));
    Ok(advice)
}

async fn version(store: &Store) -> Result<Advice> {
    Ok(fine("SQLite", reads::sqlite_version(&store.readers).await?))
}

async fn journal_mode(store: &Store) -> Result<Advice> {
    let mode = reads::journal_mode(&store.readers).await?;
    Ok(match mode.as_str() {
        "wal" => fine("journal_mode", mode),
        _ => {
            let remedy =
                "put the file on a local disk: a write-ahead log needs memory that processes share";
            advise(Severity::Problem, "journal_mode", mode, remedy)
        }
    })
}

fn synchronous(synchronous: Synchronous) -> Advice {
    match synchronous {
        Synchronous::Full => fine(
            "synchronous",
            "full: what is confirmed survives a power cut",
        ),
        Synchronous::Normal => advise(
            Severity::Hint,
            "synchronous",
            "normal: what is confirmed survives the death of every process, but not a power cut",
            "add ?synchronous=full to the URL if a power cut must lose nothing; it is slower",
        ),
    }
}

async fn integrity(store: &Store) -> Result<Advice> {
    let found = reads::quick_check(&store.readers).await?;
    Ok(match found.as_str() {
        "ok" => fine("integrity", found),
        _ => advise(
            Severity::Problem,
            "integrity",
            found,
            "stop all processes, keep a copy of the file, and try `sqlite3 FILE .recover`",
        ),
    })
}

fn log_size(store: &Store) -> Advice {
    let bytes = std::fs::metadata(store.log()).map_or(0, |log| log.len());
    let found = format!("{} MB", bytes >> 20);
    match bytes {
        0..LARGE_LOG => fine("write-ahead log", found),
        _ => advise(
            Severity::Hint,
            "write-ahead log",
            found,
            "look for a program that keeps a long read transaction open on the file",
        ),
    }
}

/// Nothing where the system does not say.
fn free_space(store: &Store) -> Option<Advice> {
    let (free, kept) = room::free_and_kept(store.options().path())?;
    let found = format!("{} MB free", free >> 20);
    let remedy = "free space on the disk: when it is full, publishing fails and workers wait";
    Some(if free < kept {
        advise(Severity::Problem, "disk", found, remedy)
    } else if free < TIGHT {
        advise(Severity::Hint, "disk", found, remedy)
    } else {
        fine("disk", found)
    })
}

fn fine(subject: &str, found: impl Into<String>) -> Advice {
    advise(Severity::Fine, subject, found, "")
}

fn advise(severity: Severity, subject: &str, found: impl Into<String>, remedy: &str) -> Advice {
    Advice {
        subject: subject.to_owned(),
        severity,
        found: found.into(),
        remedy: remedy.to_owned(),
    }
}

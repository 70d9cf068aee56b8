//! The write-ahead log: bounded under load, cut after a burst, and no end of the disk while another program reads for long.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use broker::{Broker, Consumer, ErrorKind, Settled, Settlement, Verdict};
use broker_sqlite::{SqliteBroker, SqliteOptions};
use rusqlite::Connection;
use tokio::time::sleep;

use crate::support::{DEADLINE, consumer, new_file, open, open_with, publish};

const LEASE: Duration = Duration::from_secs(30);
const BATCH: usize = 500;

/// What SQLite writes into the log before a commit finds it long, and the largest transaction on top.
const BOUND: u64 = 48 << 20;

/// A log after a burst.
const SHORT: u64 = 4 << 20;

fn log_of(file: &Path) -> PathBuf {
    file.with_extension("db-wal")
}

fn bytes(log: &Path) -> u64 {
    std::fs::metadata(log).unwrap().len()
}

/// Sends messages through the file; returns how long the log has been at most.
async fn send_through(broker: &SqliteBroker, log: &Path, messages: usize) -> u64 {
    let consumer = consumer(broker, LEASE).await;
    let (mut longest, mut taken) = (0, 0);
    for first in (0..messages).step_by(BATCH) {
        let batch = (first..first + BATCH).map(|number| publish(&number.to_string(), 1_000));
        broker.publish(batch.collect()).await.unwrap();
        taken += acknowledge(&*consumer).await;
        longest = longest.max(bytes(log));
    }
    assert_eq!(taken, messages);
    longest
}

async fn acknowledge(consumer: &dyn Consumer) -> usize {
    let held = consumer.reserve(BATCH).await.unwrap();
    let acks = held.into_iter();
    let acks = acks.map(|delivery| Settlement::new(delivery.tag, Verdict::Ack));
    let settled = consumer.settle(acks.collect()).await.unwrap();
    assert!(settled.iter().all(|settled| *settled == Settled::Done));
    settled.len()
}

async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < deadline, "{what}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn stays_bounded(messages: usize) {
    let (_folder, file) = new_file();
    let (broker, log) = (open(&file).await, log_of(&file));
    let longest = send_through(&broker, &log, messages).await;
    assert!(longest < BOUND, "{longest} bytes");
    assert!(longest > SHORT, "nothing to cut: {longest} bytes");
    wait_until("the log is cut", async || bytes(&log) <= SHORT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_bounded_under_load_and_cut_afterwards() {
    stays_bounded(20_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make test-long"]
async fn the_log_is_bounded_over_a_million_messages() {
    stays_bounded(1_000_000).await;
}

/// What was taken can still be settled, and everything goes on when the reader has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_reader_ends_publishing_but_not_settling() {
    let (_folder, file) = new_file();
    let broker = open_with(SqliteOptions::new(&file).with_max_log(8 << 20)).await;
    let consumer = consumer(&broker, LEASE).await;
    let reader = Connection::open(&file).unwrap();
    let look = "BEGIN; SELECT count(*) FROM messages";
    reader.execute_batch(look).unwrap();

    let batch = || (0..100).map(|number| publish(&number.to_string(), 10_000));
    let error = loop {
        match broker.publish(batch().collect()).await {
            Ok(()) => assert!(bytes(&log_of(&file)) < 16 << 20, "not refused"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    assert!(
        error.to_string().contains("one long transaction"),
        "{error}"
    );
    assert!(acknowledge(&*consumer).await > 0);

    reader.execute_batch("COMMIT").unwrap();
    wait_until("publishing goes on", async || {
        broker.publish(batch().collect()).await.is_ok()
    })
    .await;
}

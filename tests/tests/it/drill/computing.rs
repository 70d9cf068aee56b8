//! Async tasks that compute on the threads of the runtime, which renew the lease as well: nothing is taken for dead.

use testkit::{RedisServer, TempDir, wait_until};

use super::PATIENCE;
use super::fleet::Fleet;
use super::journal::Journal;

/// Too short for one run to be noticed as one that keeps a thread to itself.
const MILLISECONDS: u64 = 300;

/// A second worker watches, and would take over what the first one seems to have left.
async fn every_task_runs_once(lease: &str, slots: usize, tasks: usize) {
    let redis = RedisServer::start();
    let settings = [("CELERIAC_LEASE_SECONDS", lease.to_owned())];
    let mut fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &settings);
    fleet.send_as(&["compute"], tasks, MILLISECONDS);
    fleet.start_worker_with(slots);
    let begun = async || !Journal::read(&fleet.journal()).0.is_empty();
    wait_until(PATIENCE, begun).await;
    fleet.start_worker_with(1);
    let finished = async || {
        fleet
            .client(&["unsuccessful", &tasks.to_string()])
            .is_empty()
    };
    wait_until(PATIENCE, finished).await;
    let output = fleet.output();
    fleet.stop().await;
    let journal = Journal::read(&fleet.journal());
    assert_eq!(journal.finished(), tasks);
    let repeated: Vec<_> = journal.repeated().collect();
    assert!(repeated.is_empty(), "{repeated:?}\n{output}");
    for sign in ["lease", "refused", "no longer held"] {
        assert!(!output.contains(sign), "{sign}:\n{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_slots_the_lease_outlives_runs_that_compute_one_after_the_other() {
    every_task_runs_once("2", 2, 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_many_slots_the_lease_outlives_all_runs_together() {
    let cores = std::thread::available_parallelism().unwrap().get();
    // The runs that one thread would have to itself take longer than the lease.
    every_task_runs_once("4", 20 * cores, 40 * cores).await;
}

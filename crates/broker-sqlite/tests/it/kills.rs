//! Processes killed with SIGKILL at any instant: what was confirmed stays, and what had not started runs once.

use std::collections::{BTreeMap, HashSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use broker::{Admin, Broker, ResultBackend, Settled, Settlement, Verdict};
use protocol::{State, TaskMeta};
use testkit::{Process, wait_until};
use tokio::time::sleep;

use crate::support::{DEADLINE, consumer, given_file, id_of, new_file, open, publish, spawn};

const LEASE: Duration = Duration::from_secs(2);
const TASKS: usize = 600;
const KILLS: usize = 20;
const WORKERS: usize = 3;

/// One start of a task, as the worker writes it down before it runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Start {
    process: u32,
    redelivered: bool,
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_workers_lose_nothing_and_repeat_only_what_had_started() {
    let (_folder, file) = new_file();
    let broker = open(&file).await;
    let ids: Vec<String> = (0..TASKS).map(|number| format!("task-{number}")).collect();
    broker
        .publish(ids.iter().map(|id| publish(id, 100)).collect())
        .await
        .unwrap();

    let mut workers: Vec<Process> = (0..WORKERS)
        .map(|_| spawn("kills::worker_process", &file))
        .collect();
    let mut killed = HashSet::new();
    for kill in 0..KILLS {
        let victim = kill % WORKERS;
        let process = workers[victim].pid();
        let busy = || async {
            starts(&file)
                .values()
                .flatten()
                .filter(|start| start.process == process)
                .count()
                > 4
        };
        wait_until(DEADLINE, busy).await;
        workers[victim].kill();
        killed.insert(process);
        workers[victim] = spawn("kills::worker_process", &file);
    }

    let results = broker.results().unwrap();
    let all_done = || async {
        let metas = results.fetch(&ids).await.unwrap();
        metas.iter().all(|meta| {
            meta.as_ref()
                .is_some_and(|meta| meta.status == State::Success)
        })
    };
    wait_until(DEADLINE, all_done).await;
    let emptied = || async {
        broker
            .workers()
            .await
            .unwrap()
            .iter()
            .all(|worker| worker.held == Some(0))
    };
    wait_until(DEADLINE, emptied).await;
    assert_eq!(broker.depth(&["q".to_owned()]).await.unwrap()[0].ready(), 0);
    check_starts(&starts(&file), &ids, &killed);
    drop(workers);
    broker.close().await;
}

/// Every task started; each start but the last was in a process that was killed, and the later ones knew of it.
fn check_starts(starts: &BTreeMap<String, Vec<Start>>, ids: &[String], killed: &HashSet<u32>) {
    let mut repeated = 0;
    for id in ids {
        let (last, earlier) = starts
            .get(id)
            .and_then(|starts| starts.split_last())
            .expect("every task started");
        assert!(
            earlier.iter().all(|start| killed.contains(&start.process)),
            "{id} ran twice: {earlier:?} {last:?}"
        );
        assert!(
            earlier.is_empty() || last.redelivered,
            "{id} was not marked as redelivered"
        );
        let processes: HashSet<u32> = earlier
            .iter()
            .chain([last])
            .map(|start| start.process)
            .collect();
        assert_eq!(
            processes.len(),
            earlier.len() + 1,
            "{id} started twice in one process"
        );
        repeated += earlier.len();
    }
    assert!(
        repeated <= killed.len(),
        "a worker runs one task at a time, so a kill interrupts one at most"
    );
    println!(
        "kill drill: {} tasks, {} kills, 0 lost, {repeated} interrupted runs repeated",
        ids.len(),
        killed.len()
    );
}

/// Every start so far, by task.
fn starts(file: &Path) -> BTreeMap<String, Vec<Start>> {
    let log = std::fs::read_to_string(file.with_extension("log")).unwrap_or_default();
    let mut starts: BTreeMap<String, Vec<Start>> = BTreeMap::new();
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let start = Start {
            process: words[1].parse().unwrap(),
            redelivered: words[2] == "true",
        };
        starts.entry(words[0].to_owned()).or_default().push(start);
    }
    starts
}

/// Takes several messages at once and runs them one after the other, so that a kill finds some that had not started.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process that other tests start"]
async fn worker_process() {
    let file = given_file();
    let broker = open(&file).await;
    let consumer = consumer(&broker, LEASE).await;
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file.with_extension("log"))
        .unwrap();
    loop {
        for delivery in consumer.reserve(4).await.unwrap() {
            let (id, process) = (id_of(&delivery), std::process::id());
            let line = format!("{id} {process} {}\n", delivery.redelivered);
            log.write_all(line.as_bytes()).unwrap();
            // The task's work.
            sleep(Duration::from_millis(2)).await;
            let store = Some(TaskMeta::new(id, State::Success, i64::from(process).into()));
            let settlement = Settlement {
                store,
                ..Settlement::new(delivery.tag, Verdict::Ack)
            };
            let settled = consumer.settle(vec![settlement]).await.unwrap();
            if settled != [Settled::Done] {
                // Held up beyond its lease by a busy machine: the task is another's now, which the log would
                // show as a second run that nobody was killed for.
                panic!("the settlement was {settled:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_publishers_lose_nothing_that_was_confirmed() {
    let (_folder, file) = new_file();
    let broker = open(&file).await;
    let mut confirmed = HashSet::new();
    for _ in 0..10 {
        let mut publisher = spawn("kills::publisher_process", &file);
        publisher
            .wait_for_line(
                |line| line.starts_with("confirmed") && line.ends_with("-5"),
                DEADLINE,
            )
            .await;
        publisher.kill();
        let lines = publisher.lines();
        confirmed.extend(
            lines
                .iter()
                .filter_map(|line| Some(line.text.strip_prefix("confirmed ")?.to_owned())),
        );
    }
    let stored = stored_batches(&broker).await;
    for batch in &confirmed {
        assert!(
            stored.contains_key(batch),
            "{batch} was confirmed and is gone"
        );
    }
    assert!(
        stored.values().all(|count| *count == BATCH),
        "a batch was stored in part: {stored:?}"
    );
    println!(
        "publishers killed 10 times: {} batches confirmed, {} stored, none in part",
        confirmed.len(),
        stored.len()
    );
}

const BATCH: usize = 10;

/// How many messages of each batch are in the queue.
async fn stored_batches(broker: &broker_sqlite::SqliteBroker) -> BTreeMap<String, usize> {
    let mut batches = BTreeMap::new();
    for raw in broker.peek("q", usize::MAX).await.unwrap() {
        let message = protocol::Message::from_envelope(&raw, &protocol::Limits::default()).unwrap();
        let id = message.headers.id.unwrap();
        *batches
            .entry(id.rsplit_once('/').unwrap().0.to_owned())
            .or_default() += 1;
    }
    batches
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process that other tests start"]
async fn publisher_process() {
    let broker = open(&given_file()).await;
    for number in 0.. {
        let batch = format!("{}-{number}", std::process::id());
        let messages = (0..BATCH)
            .map(|message| publish(&format!("{batch}/{message}"), 100))
            .collect();
        broker.publish(messages).await.unwrap();
        println!("confirmed {batch}");
    }
}

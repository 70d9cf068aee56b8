//! What the tests have in common: files, messages, consumers, and this test program as a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use broker::{
    Broker, Consumer, ConsumerParams, Delivery, Notice, Publish, QueueOrder, ResultPolicy, Route,
};
use broker_sqlite::{SqliteBroker, SqliteOptions};
use bytes::Bytes;
use protocol::{Limits, Message, TimeLimit};
use testkit::{Process, TempDir};
use tokio::sync::mpsc;

/// How long anything may take on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Names the file for a process that a test starts.
const FILE: &str = "BROKER_SQLITE_TEST_FILE";

/// A folder of its own, and a file in it that does not exist yet.
pub(crate) fn new_file() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("broker.db");
    (folder, file)
}

pub(crate) async fn open(file: &Path) -> Arc<SqliteBroker> {
    open_with(SqliteOptions::new(file)).await
}

pub(crate) async fn open_with(options: SqliteOptions) -> Arc<SqliteBroker> {
    SqliteBroker::connect(options, Some(ResultPolicy::default()))
        .await
        .unwrap()
}

pub(crate) async fn consumer(broker: &SqliteBroker, lease: Duration) -> Arc<dyn Consumer> {
    consumer_with(broker, lease, mpsc::channel(64).0).await
}

pub(crate) async fn consumer_with(
    broker: &SqliteBroker,
    lease: Duration,
    notices: mpsc::Sender<Notice>,
) -> Arc<dyn Consumer> {
    let params = ConsumerParams {
        node: format!("test@{}", std::process::id()),
        queues: vec!["q".to_owned()],
        order: QueueOrder::RoundRobin,
        lease,
        visibility_timeout: Duration::from_secs(3600),
        limits: Limits::default(),
        notices,
    };
    broker.consumer(params).await.unwrap()
}

pub(crate) fn publish(id: &str, size: usize) -> Publish {
    let mut message = Message {
        content_type: "application/json".to_owned(),
        content_encoding: "utf-8".to_owned(),
        body: Bytes::from(vec![b' '; size]),
        ..Message::default()
    };
    message.headers.task = Some("test.task".to_owned());
    message.headers.id = Some(id.to_owned());
    message.headers.timelimit = Some(TimeLimit::default());
    Publish {
        message,
        route: Route::queue("q"),
    }
}

pub(crate) fn id_of(delivery: &Delivery) -> String {
    delivery
        .message
        .as_ref()
        .unwrap()
        .headers
        .id
        .clone()
        .unwrap()
}

/// Starts this test program again, to run one of its ignored tests on a file.
pub(crate) fn spawn(test: &str, file: &Path) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(FILE, file);
    Process::spawn(&mut command)
}

/// The file that the test which started this process gave it.
pub(crate) fn given_file() -> PathBuf {
    std::env::var_os(FILE)
        .expect("this is a process for other tests to start")
        .into()
}

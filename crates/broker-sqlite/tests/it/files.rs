//! Files that are missing, foreign, newer or out of reach: a clear error, and nothing is touched.

use std::path::Path;

use broker::{Broker, BrokerError, ErrorKind};
use broker_sqlite::{SqliteBroker, SqliteOptions};
use rusqlite::Connection;

use crate::support::{new_file, open, publish};

async fn refusal(file: &Path, options: &str) -> BrokerError {
    let options: SqliteOptions = format!("sqlite:{}{options}", file.display())
        .parse()
        .unwrap();
    SqliteBroker::connect(options, None).await.unwrap_err()
}

#[track_caller]
fn assert_says(error: &BrokerError, kind: ErrorKind, part: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(part), "{error}");
}

fn execute(file: &Path, sql: &str) {
    Connection::open(file).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_missing_folder_is_created() {
    let (folder, _) = new_file();
    let file = folder.path().join("new/folder/broker.db");
    open(&file).await;
    assert!(file.exists());
}

#[tokio::test]
async fn a_missing_file_is_named_when_it_must_exist() {
    let (_folder, file) = new_file();
    assert_says(
        &refusal(&file, "?mode=rw").await,
        ErrorKind::NotFound,
        "there is no broker file at",
    );
    assert!(!file.exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let (folder, file) = new_file();
    std::fs::write(&file, "a file").unwrap();
    let error = refusal(&file.join("broker.db"), "").await;
    assert_says(&error, ErrorKind::NotFound, "cannot create the folder");
    assert_says(
        &refusal(folder.path(), "").await,
        ErrorKind::NotFound,
        "unable to open database file",
    );
}

/// The kernel's own file system takes no new folders, not even from root.
#[tokio::test]
async fn a_disk_that_accepts_no_writes_is_named() {
    let error = refusal(Path::new("/sys/celeriac/broker.db"), "").await;
    assert_says(
        &error,
        ErrorKind::ReadOnly,
        "cannot create the folder /sys/celeriac",
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let (_folder, file) = new_file();
    let text = "this is a letter, not a database ".repeat(100);
    std::fs::write(&file, &text).unwrap();
    assert_says(
        &refusal(&file, "").await,
        ErrorKind::Corrupt,
        "is not a SQLite database",
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let (_folder, file) = new_file();
    execute(&file, "CREATE TABLE prices (day TEXT)");
    let before = std::fs::read(&file).unwrap();
    assert_says(
        &refusal(&file, "").await,
        ErrorKind::Invalid,
        "but not a broker's",
    );
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_folder, file) = new_file();
    open(&file).await;
    execute(&file, "PRAGMA user_version = 999");
    assert_says(
        &refusal(&file, "").await,
        ErrorKind::Invalid,
        "has schema version 999",
    );
}

#[tokio::test]
async fn a_damaged_file_is_told_from_a_failing_disk() {
    let (_folder, file) = new_file();
    let broker = open(&file).await;
    broker
        .publish(
            (0..100)
                .map(|number| publish(&number.to_string(), 1000))
                .collect(),
        )
        .await
        .unwrap();
    broker.close().await;
    drop(broker);
    let mut bytes = std::fs::read(&file).unwrap();
    // The first page names the tables; everything in them is overwritten.
    bytes[4096..].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let error = refusal(&file, "").await;
    assert_says(
        &error,
        ErrorKind::Corrupt,
        "keep a copy, and try `sqlite3 FILE .recover`",
    );
}

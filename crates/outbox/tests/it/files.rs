//! Files that are no outbox, or no longer one.

use outbox::{Outbox, OutboxError, OutboxOptions};
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;

use crate::support::Stage;

#[tokio::test]
async fn a_damaged_file_is_an_error_that_says_what_to_do() {
    let stage = Stage::new();
    let ids: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (outbox, sender) = stage.with_waiting(&ids).await;
    drop((outbox, sender));
    let path = stage.options().path;
    // Everything out of the write-ahead log and into the file.
    let url = format!("sqlite://{}", path.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    connection.execute(checkpoint).await.unwrap();
    connection.close().await.unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    assert!(bytes.len() > 40_000, "{}", bytes.len());
    for (place, byte) in bytes.iter_mut().enumerate().skip(4_096) {
        *byte = (place % 251) as u8;
    }
    std::fs::write(&path, bytes).unwrap();
    let error = Outbox::open(stage.options()).await.unwrap_err();
    assert!(matches!(error, OutboxError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("move it away"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_something_else_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "these are notes, and no database at all".repeat(10)).unwrap();
    let error = Outbox::open(OutboxOptions::new(&text)).await.unwrap_err();
    assert!(matches!(error, OutboxError::Damaged { .. }), "{error:?}");
    assert!(
        std::fs::read_to_string(&text)
            .unwrap()
            .starts_with("these are notes")
    );
}

#[tokio::test]
async fn a_folder_that_is_missing_is_made() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a/b/outbox.db");
    let outbox = Outbox::open(OutboxOptions::new(&path)).await.unwrap();
    assert!(path.exists() && outbox.list(10).await.unwrap().is_empty());
}

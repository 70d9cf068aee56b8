#![allow(clippy::unwrap_used)]

use jiff::Timestamp;

use super::database::options;
use super::{NewUser, Store, sqlite_file};
use crate::backup::{LEFT_OUT, TABLES};
use crate::error::Error;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn user(email: &str) -> NewUser<'_> {
    NewUser {
        email,
        display_name: "",
        base_currency: "USD".parse().unwrap(),
    }
}

#[tokio::test]
async fn a_missing_file_is_said_and_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.db");
    let error = Store::open(&path).await.unwrap_err();
    assert!(matches!(error, Error::DatabaseMissing(_)));
    assert!(error.to_string().contains("create it first"));
    assert!(!path.exists());
}

#[test]
fn files_are_named_by_path_or_url_and_nothing_else_is_a_file() {
    let file = |url| {
        sqlite_file(url)
            .unwrap()
            .map(|path| path.to_str().unwrap().to_owned())
    };
    for url in [
        "data/finance.db",
        "sqlite:data/finance.db",
        "sqlite://data/finance.db",
    ] {
        assert_eq!(file(url).unwrap(), "data/finance.db", "{url}");
    }
    assert_eq!(file("sqlite:///srv/finance.db").unwrap(), "/srv/finance.db");
    assert_eq!(file("postgres://host/finance"), None);
    for url in [
        "",
        "sqlite:",
        "sqlite://",
        "mysql://ada:secret@host/finance",
    ] {
        let error = sqlite_file(url).unwrap_err().to_string();
        assert!(error.contains("must be postgresql://"), "{url}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_folder_is_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::create(folder.path()).await.unwrap_err().to_string();
    assert!(error.contains("name a file in it"), "{error}");
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    Store::create(&path).await.unwrap().close().await;
    let store = Store::connect(&path, options(&path).read_only(true))
        .await
        .unwrap();
    let error = store.put_user(&user("a@b.c"), NOW).await.unwrap_err();
    assert!(matches!(error, Error::DatabaseReadOnly { .. }), "{error}");
    assert!(error.to_string().contains("write access"));
    let error = Store::create("/proc/none/p.db").await.unwrap_err();
    assert!(matches!(error, Error::DatabaseReadOnly { .. }), "{error}");
}

#[tokio::test]
async fn a_full_disk_is_said_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let store = Store::create(&path).await.unwrap();
    store.put_user(&user("first@b.c"), NOW).await.unwrap();
    store.close().await;
    let small = Store::connect(&path, options(&path).pragma("max_page_count", "1"))
        .await
        .unwrap();
    let long = format!("{}@b.c", "x".repeat(200_000));
    let error = small.put_user(&user(&long), NOW).await.unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("free space"));
    assert_eq!(small.users().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    std::fs::write(&path, "date,close\n".repeat(500)).unwrap();
    let error = Store::open(&path).await.unwrap_err();
    assert!(matches!(error, Error::DatabaseDamaged { .. }), "{error}");
}

#[tokio::test]
async fn opening_twice_migrates_once_and_keeps_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let store = Store::create(&path).await.unwrap();
    let first = store.put_user(&user("a@b.c"), NOW).await.unwrap();
    let again = Store::open(&path).await.unwrap();
    assert_eq!(again.put_user(&user("a@b.c"), NOW).await.unwrap(), first);
}

#[tokio::test]
async fn every_table_is_backed_up_or_left_out_on_purpose() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path().join("portfolio.db"))
        .await
        .unwrap();
    let select = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let rows = store.sql(select).all().await.unwrap();
    for name in rows.iter().map(|row| row.get::<String>("name")) {
        let listed = TABLES.iter().any(|(table, _)| *table == name);
        let left_out = LEFT_OUT.contains(&name.as_str());
        assert!(listed != left_out, "{name} must be in one of the two lists");
    }
}

//! Backups of real databases, and what comes back of them.

use std::fs;
use std::path::{Path, PathBuf};

use portfolio::Error;
use portfolio::analytics::{RefreshRequest, refresh};
use portfolio::backup::{BackupRequest, Manifest, Scope, inspect, prune, restore, write};
use portfolio::store::{Channel, NewNotification, Store};
use serde_json::json;
use tempfile::TempDir;

use crate::world::{Server, World, now, on_both_servers};

/// A portfolio with its figures, and rows with bytes, floats and JSON.
async fn sample(server: Server) -> World {
    let world = World::empty(server).await;
    let asset = world.asset("IBM").await;
    let prices: String = (1..=28)
        .map(|day| format!("2013-02-{day:02},{}.5\n", 200 + day))
        .collect();
    world.prices(asset, &format!("date,close\n{prices}")).await;
    let user = world.user("owner@example.com").await;
    let ledger = "account,type,date,symbol,quantity,price,amount,currency\n\
        Growth,deposit,2013-02-01,,,,100000,USD\nGrowth,buy,2013-02-04,IBM,10.0001,203.79,,USD\n";
    world.portfolio(user, "Growth", false, ledger).await;
    let request = RefreshRequest {
        as_of: Some("2013-02-28".parse().unwrap()),
        ..RefreshRequest::new("test")
    };
    let refreshed = refresh(&world.store, &request, &mut |_| {}, &|| false).await;
    assert_eq!(refreshed.unwrap().data.portfolios_failed, 0);
    let new = NewNotification {
        user_id: user,
        kind: "info",
        subject: "Łucja 漢",
        message: "line\nline",
        data: &json!({"a": [1, 2.5, null]}),
        dedupe_key: "k",
        channels: &[Channel::InApp, Channel::Email],
    };
    world.store.add_notification(&new, now()).await.unwrap();
    world
}

fn request(folder: &Path, scope: Scope, compress: bool) -> BackupRequest {
    BackupRequest {
        scope,
        folder: folder.to_owned(),
        compress,
        verify: true,
        task_id: None,
    }
}

async fn backup(store: &Store, folder: &Path, scope: Scope) -> Manifest {
    let wanted = request(folder, scope, true);
    write(store, &wanted, &mut |_| {}, &|| false).await.unwrap()
}

/// All rows as lines in an order of their own.
async fn rows(store: &Store) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let plain = request(folder.path(), Scope::Full, false);
    let manifest = write(store, &plain, &mut |_| {}, &|| false).await.unwrap();
    let text = fs::read_to_string(&manifest.path).unwrap();
    let mut lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    let end = lines.pop().unwrap();
    assert!(end.contains("sha256"), "{end}");
    lines.sort();
    lines
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

on_both_servers!(what_was_backed_up_comes_back);

async fn what_was_backed_up_comes_back(server: Server) {
    let world = sample(server).await;
    let folder = TempDir::new().unwrap();
    let manifest = backup(&world.store, folder.path(), Scope::Full).await;
    assert!(manifest.verified);
    for table in ["prices", "transactions", "analytics", "cache_entries"] {
        assert!(manifest.row_counts[table] > 0, "{table}: {manifest:?}");
    }
    assert_eq!(manifest.row_counts["notification_deliveries"], 2);
    assert_eq!(
        inspect(&manifest.path).unwrap().row_counts(),
        manifest.row_counts
    );
    assert_eq!(names(folder.path()).len(), 2, "a backup and its manifest");

    let other = World::empty(server).await;
    let restored = restore(&other.store, &manifest.path, false, &mut |_| {})
        .await
        .unwrap();
    assert_eq!(restored.row_counts, manifest.row_counts);
    assert!(!restored.replaced);
    assert_eq!(rows(&other.store).await, rows(&world.store).await);
    // New rows get new ids.
    let next = other.user("next@example.com").await;
    assert_eq!(
        next,
        i64::try_from(manifest.row_counts["users"]).unwrap() + 1
    );
}

#[tokio::test]
async fn a_backup_of_one_server_is_restored_into_the_other_and_back() {
    let folder = TempDir::new().unwrap();
    let first = sample(Server::Sqlite).await;
    let manifest = backup(&first.store, folder.path(), Scope::Full).await;
    let second = World::empty(Server::Postgres).await;
    restore(&second.store, &manifest.path, false, &mut |_| {})
        .await
        .unwrap();
    let manifest = backup(&second.store, folder.path(), Scope::Full).await;
    let third = World::empty(Server::Sqlite).await;
    restore(&third.store, &manifest.path, false, &mut |_| {})
        .await
        .unwrap();
    // PostgreSQL writes JSON and times in its own way, so their meaning is compared by it.
    let fourth = World::empty(Server::Postgres).await;
    let manifest = backup(&third.store, folder.path(), Scope::Full).await;
    restore(&fourth.store, &manifest.path, false, &mut |_| {})
        .await
        .unwrap();
    assert_eq!(rows(&second.store).await, rows(&fourth.store).await);
}

on_both_servers!(rows_are_replaced_only_when_that_is_asked_for);

async fn rows_are_replaced_only_when_that_is_asked_for(server: Server) {
    let world = sample(server).await;
    let folder = TempDir::new().unwrap();
    let full = backup(&world.store, folder.path(), Scope::Full).await;
    let ledger = backup(&world.store, folder.path(), Scope::Ledger).await;
    let before = rows(&world.store).await;
    world.user("late@example.com").await;
    let changed = rows(&world.store).await;
    for (path, force) in [(&full.path, false), (&ledger.path, true)] {
        let error = restore(&world.store, path, force, &mut |_| {})
            .await
            .unwrap_err();
        assert!(matches!(error, Error::NotEmpty { .. }), "{error}");
        assert_eq!(rows(&world.store).await, changed);
    }
    let restored = restore(&world.store, &full.path, true, &mut |_| {})
        .await
        .unwrap();
    assert!(restored.replaced);
    assert_eq!(rows(&world.store).await, before);

    let other = World::empty(server).await;
    for scope in [Scope::Ledger, Scope::MarketData, Scope::Config] {
        let part = backup(&world.store, folder.path(), scope).await;
        assert!(!part.row_counts.contains_key("analytics"), "{part:?}");
    }
    let restored = restore(&other.store, &ledger.path, false, &mut |_| {})
        .await
        .unwrap();
    assert_eq!(
        restored.row_counts["transactions"],
        full.row_counts["transactions"]
    );
}

/// A copy of a backup without its manifest, changed.
fn spoilt(manifest: &Manifest, name: &str, change: impl Fn(&mut Vec<u8>)) -> PathBuf {
    let path = manifest.path.with_file_name(name);
    let mut bytes = fs::read(&manifest.path).unwrap();
    change(&mut bytes);
    fs::write(&path, bytes).unwrap();
    path
}

#[tokio::test]
async fn a_file_that_cannot_be_trusted_changes_nothing() {
    let world = sample(Server::Sqlite).await;
    let folder = TempDir::new().unwrap();
    let packed = backup(&world.store, folder.path(), Scope::Full).await;
    let plain = request(folder.path(), Scope::Full, false);
    let plain = write(&world.store, &plain, &mut |_| {}, &|| false)
        .await
        .unwrap();
    let replace = |from: &'static str, to: &'static str| {
        move |bytes: &mut Vec<u8>| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            assert!(text.contains(from));
            *bytes = text.replacen(from, to, 1).into_bytes();
        }
    };
    let cases = [
        (
            "half.zst",
            spoilt(&packed, "half.zst", |bytes| bytes.truncate(bytes.len() / 2)),
            "cut short",
        ),
        (
            "bit.zst",
            spoilt(&packed, "bit.zst", |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }),
            "damaged",
        ),
        (
            "half",
            spoilt(&plain, "half", |bytes| bytes.truncate(bytes.len() / 2)),
            "cut short",
        ),
        (
            "end",
            spoilt(&plain, "end", |bytes| {
                let end = bytes.len() - 1;
                bytes.truncate(end);
            }),
            "cut short",
        ),
        (
            "more",
            spoilt(&plain, "more", |bytes| bytes.extend_from_slice(b"x")),
            "checksum",
        ),
        (
            "word",
            spoilt(&plain, "word", replace("Growth", "Grewth")),
            "checksum",
        ),
        (
            "newer",
            spoilt(
                &plain,
                "newer",
                replace("\"schema_version\":", "\"schema_version\":9"),
            ),
            "newer program",
        ),
        (
            "table",
            spoilt(
                &plain,
                "table",
                replace("\"name\":\"users\"", "\"name\":\"sqlite_master\""),
            ),
            "unknown table",
        ),
        (
            "other",
            spoilt(&plain, "other", |bytes| *bytes = b"date,close\n".to_vec()),
            "no backup",
        ),
        ("empty", spoilt(&plain, "empty", Vec::clear), "cut short"),
    ];
    let before = rows(&world.store).await;
    for (name, path, said) in cases {
        let error = restore(&world.store, &path, true, &mut |_| {})
            .await
            .unwrap_err();
        assert!(error.to_string().contains(said), "{name}: {error}");
        assert_eq!(rows(&world.store).await, before, "{name}");
    }
    // With its manifest, a file that was cut is told apart from one that was changed.
    let bytes = fs::read(&packed.path).unwrap();
    for (keep, said) in [
        (bytes.len() - 9, "bytes are left"),
        (bytes.len(), "SHA-256"),
    ] {
        let mut bytes = bytes[..keep].to_vec();
        bytes[keep - 1] ^= 1;
        fs::write(&packed.path, bytes).unwrap();
        let error = inspect(&packed.path).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_backup_that_is_stopped_or_cannot_be_written_leaves_nothing() {
    let world = sample(Server::Sqlite).await;
    let folder = TempDir::new().unwrap();
    let wanted = request(folder.path(), Scope::Full, true);
    let stopped = write(&world.store, &wanted, &mut |_| {}, &|| true).await;
    assert!(matches!(stopped, Err(Error::Stopped)));
    assert_eq!(names(folder.path()), [""; 0]);
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let wanted = request(&file.join("below"), Scope::Full, true);
    let error = write(&world.store, &wanted, &mut |_| {}, &|| false)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::FileWrite { .. }), "{error}");
}

#[tokio::test]
async fn a_task_that_is_run_again_finds_the_backup_that_it_had_finished() {
    let world = World::empty(Server::Sqlite).await;
    let folder = TempDir::new().unwrap();
    let wanted = |task: &str| BackupRequest {
        task_id: Some(task.to_owned()),
        ..request(folder.path(), Scope::Config, true)
    };
    let mut ids = Vec::new();
    for task in ["a", "a", "b"] {
        let manifest = write(&world.store, &wanted(task), &mut |_| {}, &|| false).await;
        ids.push(world.store.add_backup(&manifest.unwrap()).await.unwrap());
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
    let backups = names(folder.path());
    assert_eq!(backups.len(), 4, "two backups and their manifests");
    let first = folder.path().join(&backups[0]);
    fs::write(&first, "damaged").unwrap();
    let again = write(&world.store, &wanted("a"), &mut |_| {}, &|| false).await;
    assert_ne!(again.unwrap().path, first);
}

#[tokio::test]
async fn the_newest_verified_backups_are_kept() {
    let world = World::empty(Server::Sqlite).await;
    let folder = TempDir::new().unwrap();
    let mut paths = Vec::new();
    for verify in [true, true, false, true, false] {
        let wanted = BackupRequest {
            verify,
            ..request(folder.path(), Scope::Config, true)
        };
        let manifest = write(&world.store, &wanted, &mut |_| {}, &|| false)
            .await
            .unwrap();
        assert_eq!(manifest.verified, verify);
        world.store.add_backup(&manifest).await.unwrap();
        paths.push(manifest.path);
    }
    let keep = |keep| prune(&world.store, Scope::Config, folder.path(), keep);
    assert!(keep(3).await.unwrap().is_empty());
    assert_eq!(keep(2).await.unwrap(), [paths[0].clone()]);
    assert_eq!(keep(1).await.unwrap(), [paths[2].clone(), paths[1].clone()]);
    assert_eq!(
        names(folder.path()).len(),
        4,
        "two backups and their manifests"
    );
    assert_eq!(world.store.backups("config").await.unwrap().len(), 2);
}

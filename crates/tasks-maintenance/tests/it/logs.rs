//! `cleanup_old_logs` by name.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use crate::support::System;

const NAME: &str = "finflow.core.tasks.cleanup_old_logs";

fn log(system: &System, name: &str, days: u64) {
    let folder = system.data.path().join("logs");
    fs::create_dir_all(&folder).unwrap();
    let file = File::create(folder.join(name)).unwrap();
    let age = Duration::from_secs(days * 86_400);
    file.set_modified(SystemTime::now() - age).unwrap();
}

#[tokio::test]
async fn old_logs_are_compressed_and_deleted() {
    let system = System::start().await;
    for (name, days) in [("new.log", 1), ("middle.log", 10), ("old.log", 40)] {
        log(&system, name, days);
    }
    let result = system.run(system.call(NAME)).await;
    assert_eq!(result["status"], "success");
    let data = &result["data"];
    assert_eq!(
        (&data["scanned"], &data["compressed"], &data["deleted"]),
        (&3.into(), &1.into(), &1.into())
    );
    assert!(system.data.path().join("logs/middle.log.gz").is_file());
    assert!(!system.data.path().join("logs/old.log").exists());
}

#[tokio::test]
async fn arguments_are_checked_before_any_work() {
    let system = System::start().await;
    log(&system, "old.log", 40);
    let outside = tempfile::TempDir::new().unwrap();
    let outside = outside.path().to_str().unwrap();
    let bad = [
        ("days", system.call(NAME).kwarg("days", 0)),
        ("days", system.call(NAME).kwarg("days", 3_651)),
        (
            "compress_after_days",
            system.call(NAME).kwarg("compress_after_days", 0),
        ),
        ("log_dir", system.call(NAME).kwarg("log_dir", outside)),
        ("log_dir", system.call(NAME).kwarg("log_dir", "../..")),
        ("log_dir", system.call(NAME).kwarg("log_dir", "nowhere")),
    ];
    for (field, call) in bad {
        let (kind, text) = system.fails(call).await;
        assert_eq!(kind, "InvalidArgument", "{text}");
        assert!(text.contains(&format!("{field} = ")), "{text}");
    }
    assert!(system.data.path().join("logs/old.log").exists());
}

//! Canvas sent from here on a Python worker, and groups saved on either side.

use std::fs;

use testkit::{Process, Python, RedisServer, TempDir};

use super::{PATIENCE, python, script, scripts};
use crate::drill::fleet::Fleet;

const TREES: &str = "40";

async fn python_worker(url: &str) -> Process {
    let worker = python(url).spawn_worker(&scripts(), "trees", &["-P", "prefork", "-c", "2"]);
    worker
        .wait_for_line(|line| line.contains(" ready."), PATIENCE)
        .await;
    worker
}

/// Which trees there are shows in the file; some are in every run.
fn trees(folder: &TempDir) -> String {
    let random = Python::find()
        .env("CELERY_BROKER_URL", "memory://")
        .env("CELERY_RESULT_BACKEND", "cache+memory://")
        .run_file(&scripts().join("trees.py"), &["make", "7", TREES]);
    let always = r#"{"chunks": [7, 3]}
{"chain": [{"note": "a"}, {"group": [{"note": "b"}, {"note": "c"}]}, {"note": "d"}, {"note": "e"}]}
{"chord": [[{"group": [{"note": "a"}, {"note": "b"}]}], {"group": [{"note": "c"}, {"note": "d"}]}]}
{"chord": [[{"chain": [{"note": "a"}, {"group": [{"note": "b"}, {"note": "c"}]}]}, {"note": "d"}], {"note": "e"}]}
{"chord": [[], {"note": "a"}]}
{"chain": [{"group": []}, {"note": "a"}, {"group": []}, {"note": "b"}]}
"#;
    let file = folder.path().join("trees.jsonl");
    fs::write(&file, format!("{always}{random}")).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn canvas_from_here_gives_on_a_python_worker_what_canvas_from_python_gives() {
    let redis = RedisServer::start();
    let fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &[]);
    let _worker = python_worker(&redis.url()).await;
    let folder = TempDir::new().unwrap();
    let trees = trees(&folder);
    let theirs = script(&redis.url(), "trees.py", &["run", &trees]);
    let ours = fleet.client(&["trees", &trees]);
    let lines = |text: &str| {
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect::<Vec<serde_json::Value>>()
    };
    let (ours, theirs) = (lines(&ours), lines(&theirs));
    let trees = fs::read_to_string(&trees).unwrap();
    assert_eq!(trees.lines().count(), ours.len());
    for ((tree, ours), theirs) in trees.lines().zip(&ours).zip(&theirs) {
        assert_eq!(ours, theirs, "{tree}");
        assert!(ours.get("value").is_some(), "{tree}: {ours}");
    }
    println!("{} canvas trees gave the same from both sides", ours.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_saved_on_one_side_are_restored_on_the_other() {
    let redis = RedisServer::start();
    let fleet = Fleet::new(redis.url(), TempDir::new().unwrap(), &[]);
    let _worker = python_worker(&redis.url()).await;
    let expected = r#"[["a"], ["b"]]"#;

    let ours = fleet.client(&["group-save"]);
    let restored = script(&redis.url(), "trees.py", &["restore", ours.trim()]);
    assert_eq!(restored.trim(), expected);

    let theirs = script(&redis.url(), "trees.py", &["save"]);
    let restored = fleet.client(&["group-restore", theirs.trim()]);
    assert_eq!(restored.trim(), expected);
}

//! The program itself, on a file broker: it sends, it remembers, it ends on a signal.

use std::fs;
use std::process::Command;
use std::time::Duration;

use testkit::{Process, TempDir};

const DEADLINE: Duration = Duration::from_secs(60);

const SETTINGS: &str = r#"
broker_url = "sqlite:celeriac.db"

[beat_schedule.often]
task = "tests.task"
schedule = 1

[beat_schedule.broken]
task = "tests.task"
schedule = "0 4 * * 7"
"#;

fn start(folder: &TempDir) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_celeriac-beat"));
    Process::spawn(
        command
            .current_dir(folder.path())
            .args(["--config", "celeriac.toml"]),
    )
}

async fn line_with(process: &Process, part: &str) {
    process
        .wait_for_line(|line| line.contains(part), DEADLINE)
        .await;
}

#[tokio::test]
async fn the_program_sends_and_ends_on_a_signal() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("celeriac.toml"), SETTINGS).unwrap();
    let mut first = start(&folder);
    line_with(&first, "schedule entry \"broken\", field schedule").await;
    line_with(&first, "sending due task").await;
    first.terminate();
    assert!(
        first.wait_exit(DEADLINE).await.success(),
        "{}",
        first.output()
    );
    let mut second = start(&folder);
    line_with(&second, "sending due task").await;
    second.kill();
    let mut third = start(&folder);
    line_with(&third, "sending due task").await;
    third.terminate();
    assert!(
        third.wait_exit(DEADLINE).await.success(),
        "{}",
        third.output()
    );
}

#[tokio::test]
async fn the_program_follows_its_settings_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("celeriac.toml");
    fs::write(&path, SETTINGS).unwrap();
    let mut beat = start(&folder);
    line_with(&beat, "sending due task").await;
    fs::write(&path, "beat_schedule = nonsense").unwrap();
    line_with(&beat, "the schedule stays as it was").await;
    let added = SETTINGS.replace("beat_schedule.often", "beat_schedule.added");
    fs::write(&path, added).unwrap();
    line_with(&beat, "sending due task entry=added").await;
    beat.terminate();
    assert!(beat.wait_exit(DEADLINE).await.success());
}

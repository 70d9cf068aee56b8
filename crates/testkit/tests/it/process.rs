//! Children: output, signals, ends.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use testkit::{Process, Signal, Stream, wait_until};

const DEADLINE: Duration = Duration::from_secs(30);

fn shell(script: &str) -> Process {
    Process::spawn(Command::new("sh").args(["-c", script]))
}

#[tokio::test]
async fn both_streams_are_captured_line_by_line() {
    let mut process = shell("echo out; echo err >&2; exit 3");
    let status = process.wait_exit(DEADLINE).await;
    assert_eq!(status.code(), Some(3));
    for (text, stream) in [("out", Stream::Stdout), ("err", Stream::Stderr)] {
        process.wait_for_line(|line| line == text, DEADLINE).await;
        let line = process.lines().into_iter().find(|line| line.text == text);
        assert_eq!(line.unwrap().stream, stream);
    }
}

#[tokio::test]
#[should_panic(expected = "its output ended")]
async fn a_line_that_cannot_come_any_more_is_not_waited_for() {
    let process = shell("echo something else");
    process.wait_for_line(|line| line == "this", DEADLINE).await;
}

#[tokio::test]
async fn terminate_reaches_a_handler() {
    let mut process = shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done");
    process.wait_for_line(|line| line == "up", DEADLINE).await;
    process.terminate();
    assert!(process.wait_exit(DEADLINE).await.success());
    process.wait_for_line(|line| line == "bye", DEADLINE).await;
}

#[tokio::test]
async fn a_signal_ends_a_child_that_has_no_handler() {
    let mut process = shell("exec sleep 1000");
    assert!(process.is_running());
    process.signal(Signal::SIGQUIT);
    let status = process.wait_exit(DEADLINE).await;
    assert_eq!(status.signal(), Some(Signal::SIGQUIT as i32));
}

#[tokio::test]
async fn dropping_kills_the_grandchildren_too() {
    let process = shell("sleep 1000 & echo $!; wait");
    let grandchild = process
        .wait_for_line(|line| !line.is_empty(), DEADLINE)
        .await;
    let state = format!("/proc/{grandchild}/stat");
    assert!(std::path::Path::new(&state).exists());
    drop(process);
    wait_until(DEADLINE, async || is_dead(&state)).await;
}

/// Gone, or a zombie that nobody has collected yet.
fn is_dead(state: &str) -> bool {
    std::fs::read_to_string(state).map_or(true, |text| text.contains(") Z "))
}

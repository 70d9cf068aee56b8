//! Watching: lines, snapshots, and the screen on a real terminal.

use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;
use testkit::{Process, RedisServer};

use crate::pty::Pty;
use crate::sandbox::{PATIENCE, Sandbox, stderr};

const TASK: &str = "dashboard.tasks.debug_task";

fn screen(sandbox: &Sandbox, arguments: &[&str], columns: u16, rows: u16) -> Pty {
    let program = Path::new(env!("CARGO_BIN_EXE_celeriac"));
    let mut command = sandbox.std_command(program, arguments);
    command.env("TERM", "xterm-256color");
    Pty::spawn(command, columns, rows)
}

async fn call_until(sandbox: &Sandbox, process: &Process, text: &str) -> String {
    sandbox.run(&["call", TASK, "--queue", "default"]).success();
    process
        .wait_for_line(|line| line.contains(text), PATIENCE)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_a_line() {
    let sandbox = Sandbox::new();
    let _worker = sandbox
        .spawn_worker(&["-Q", "default", "-n", "w1@test", "-E"])
        .await;
    let dump = sandbox.spawn(&["events", "--dump"]);
    let json = sandbox.spawn(&["events", "--dump", "--json"]);
    for process in [&dump, &json] {
        process
            .wait_for_line(|line| line.contains("loadavg"), PATIENCE)
            .await;
    }
    let line = call_until(&sandbox, &dump, "task succeeded: ").await;
    assert!(line.starts_with("w1@test ["), "{line}");
    assert!(line.contains(&format!("{TASK}(")), "{line}");
    let line = json
        .wait_for_line(|line| line.contains("task-succeeded"), PATIENCE)
        .await;
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["hostname"], "w1@test");
    assert!(event["runtime"].is_number());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_camera_takes_snapshots() {
    let sandbox = Sandbox::new();
    let _worker = sandbox
        .spawn_worker(&["-Q", "default", "-n", "w1@test", "-E"])
        .await;
    let camera = sandbox.spawn(&["events", "--camera", "-F", "0.2"]);
    camera
        .wait_for_line(|line| line.contains("w1@test"), PATIENCE)
        .await;
    let line = call_until(&sandbox, &camera, "SUCCESS").await;
    let snapshot: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(snapshot["totals"]["SUCCESS"], 1);
    assert_eq!(snapshot["workers"][0]["alive"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_shows_a_task_and_gives_the_terminal_back() {
    let (sandbox, server) = (Sandbox::new(), RedisServer::start());
    let url = server.url();
    sandbox.file("celeriac.toml", &format!("broker_url = '{url}'\n"));
    let _worker = sandbox
        .spawn_worker(&["-Q", "default", "-n", "w1@test"])
        .await;
    let mut screen = screen(&sandbox, &["events"], 80, 24);
    screen.shows("● w1@test").await;
    screen.shows("press e to switch them on").await;
    assert!(screen.is_taken());
    screen.press("e");
    screen.shows("w1@test: task events enabled").await;
    screen.press("\r");

    sandbox.run(&["call", TASK, "--queue", "default"]).success();
    screen.shows("SUCCESS").await;
    screen.press("/debug_task\r");
    screen.shows("with \"debug_task\"").await;
    screen.press("\r");
    screen.shows("kwargs").await;
    screen.press("q");
    screen.press("c");
    screen.shows("Revoke this task?").await;
    screen.press("y");
    screen.shows("w1@test: tasks {").await;
    screen.press("q");
    screen.press("q");
    assert!(screen.wait_exit().await.success());
    assert!(!screen.is_taken());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_gives_the_terminal_back_too() {
    let sandbox = Sandbox::new();
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let mut screen = screen(&sandbox, &["events"], 120, 40);
        screen.shows("no worker has sent an event yet").await;
        screen.signal(signal);
        assert!(screen.wait_exit().await.success());
        assert!(!screen.is_taken());
    }
}

#[test]
fn without_a_terminal_the_screen_is_refused() {
    let text = stderr(&Sandbox::new().run(&["events"]).code(64));
    assert!(text.contains("use --dump"), "{text}");
}

#[test]
fn a_dump_ends_when_its_reader_has_gone() {
    let sandbox = Sandbox::new();
    let program = env!("CARGO_BIN_EXE_celeriac");
    let script = sandbox.script(
        "pipe",
        &format!("'{program}' events --camera -F 0.05 | head -1"),
    );
    let mut shell = std::process::Command::new("sh");
    let shell = shell.arg(script).current_dir(sandbox.path());
    let output = shell.output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);
}

use crate::pty::Pty;
use crate::sandbox::{Sandbox, stderr, stdout};

const SCHEDULE: &str = r#"
result_expires = 0
[beat_schedule.nightly]
task = "proj.nightly"
schedule = "0 2 * * *"
[beat_schedule.often]
task = "proj.often"
schedule = 30
"#;

#[test]
fn entries_and_next_runs_are_shown() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", SCHEDULE);
    let entries = sandbox.json(&["schedule", "list"]);
    let names: Vec<_> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["often", "nightly"], "soonest first");
    let runs = sandbox.json(&["schedule", "next", "-n", "3"]);
    let tasks: Vec<_> = runs
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["task"].as_str().unwrap())
        .collect();
    assert_eq!(tasks.len(), 3);
    assert!(tasks.contains(&"proj.often"));
    let table = stdout(&sandbox.run(&["schedule", "next"]).success());
    assert!(
        table.contains("proj.nightly") || table.contains("proj.often"),
        "{table}"
    );
}

#[test]
fn a_wrong_entry_is_shown_and_the_others_go_on() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "celeriac.toml",
        &format!("{SCHEDULE}[beat_schedule.wrong]\ntask = 't'\nschedule = '61 * * * *'\n"),
    );
    let table = stdout(&sandbox.run(&["schedule", "list"]).code(1));
    assert!(table.contains("never: "), "{table}");
    assert!(table.contains("proj.nightly"), "{table}");
}

#[test]
fn without_a_schedule_it_says_so() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", "result_expires = 0\n");
    let table = stdout(&sandbox.run(&["schedule", "list"]).success());
    assert!(table.contains("nothing is scheduled"), "{table}");
}

#[test]
fn questions_are_answered_line_by_line() {
    let questions = r#"{"spec": "0 9 * * mon-fri", "tz": "Europe/London", "last_run_at": "2026-11-20T09:00:00Z", "now": "2026-11-21T12:00:00Z", "deadline": null}
no question
{"spec": {"market": "XNYS", "at": "close+30"}, "last_run_at": "2026-11-24T12:00:00Z", "now": "2026-11-27T18:30:00Z"}
{"spec": {"clocked": "2026-11-20T12:00:00Z"}, "last_run_at": "2026-11-20T12:00:00Z", "now": "2026-11-21T12:00:00Z"}"#;
    let run = Sandbox::new()
        .command(&["schedule", "check"])
        .write_stdin(questions)
        .assert();
    let answers: Vec<serde_json::Value> = stdout(&run.code(1))
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        answers[0],
        serde_json::json!({"is_due": false, "next": 162_000.0})
    );
    assert!(answers[1]["error"].is_string());
    // Thanksgiving has no session, and the day after is a short one.
    assert_eq!(
        answers[2],
        serde_json::json!({"is_due": true, "next": 270_000.0})
    );
    assert_eq!(
        answers[3],
        serde_json::json!({"is_due": false, "next": null})
    );
}

fn names(sandbox: &Sandbox) -> Vec<String> {
    let entries = sandbox.json(&["schedule", "list"]);
    let names = entries.as_array().unwrap().iter();
    names
        .map(|entry| entry["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn entries_on_the_broker_are_added_changed_and_deleted() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", SCHEDULE);
    let add = [
        "schedule",
        "add",
        "report",
        "--task",
        "proj.report",
        "--schedule",
        "0 6 * * *",
    ];
    sandbox
        .run(&[&add[..], &["--timezone", "Europe/London"]].concat())
        .success();
    let doubled = stderr(&sandbox.run(&add).code(64));
    assert!(doubled.contains("already"), "{doubled}");
    assert_eq!(names(&sandbox).len(), 3);
    let policy = r#"{"overlap": "skip", "max_runs": 3}"#;
    sandbox
        .run(&["schedule", "edit", "report", "--policy", policy])
        .success();
    let shown = sandbox.json(&["schedule", "show", "report"]);
    assert_eq!(shown["task"], "proj.report");
    assert_eq!(
        shown["policy"],
        "skipped while the last run goes on, at most 3 runs"
    );
    assert_eq!(shown["next"].as_array().unwrap().len(), 10);
    sandbox.run(&["schedule", "disable", "nightly"]).success();
    assert_eq!(
        sandbox.json(&["schedule", "show", "nightly"])["enabled"],
        false
    );
    let own = stderr(&sandbox.run(&["schedule", "delete", "nightly"]).code(64));
    assert!(own.contains("beat_schedule"), "{own}");
    sandbox.run(&["schedule", "delete", "report"]).success();
    sandbox.run(&["schedule", "show", "report"]).code(1);
    assert_eq!(names(&sandbox), ["often", "nightly"]);
}

#[test]
fn nonsense_is_not_written() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", "result_expires = 0\n");
    let refused = |options: &[&str], word: &str| {
        let add = ["schedule", "add", "wrong", "--task", "t"];
        let text = stderr(&sandbox.run(&[&add[..], options].concat()).code(64));
        assert!(text.contains(word), "{text}");
    };
    refused(&["--schedule", "30 2 31 2 *"], "never occurs");
    refused(&["--schedule", "61 * * * *"], "minute");
    refused(&["--schedule", "10", "--timezone", "Mars/Base"], "timezone");
    refused(&["--schedule", "10", "--args", "[1"], "--args");
    refused(
        &[
            "--schedule",
            "10",
            "--policy",
            r#"{"overlap": "sometimes"}"#,
        ],
        "overlap",
    );
    refused(&[], "schedule");
    assert!(names(&sandbox).is_empty());
}

#[test]
fn the_preview_marks_clock_changes() {
    let sandbox = Sandbox::new();
    let add = [
        "schedule",
        "add",
        "daily",
        "--task",
        "t",
        "--schedule",
        "30 1 * * *",
    ];
    sandbox
        .run(&[&add[..], &["--timezone", "Europe/London"]].concat())
        .success();
    let runs = sandbox.json(&["schedule", "preview", "daily", "-n", "366"]);
    let changes: Vec<i64> = runs
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|run| run["clock_change"].as_i64())
        .collect();
    assert_eq!(changes.len(), 2, "twice a year");
    assert_eq!(
        changes.iter().sum::<i64>(),
        0,
        "forward and back: {changes:?}"
    );
    let table = stdout(
        &sandbox
            .run(&["schedule", "preview", "daily", "-n", "366"])
            .success(),
    );
    assert!(table.contains("clocks go forward by 60 min"), "{table}");
}

fn ready(sandbox: &Sandbox) -> u64 {
    let overview = sandbox.json(&["queues"]);
    let queues = overview["queues"].as_object().unwrap().values();
    queues.map(|queue| queue["ready"].as_u64().unwrap()).sum()
}

#[test]
fn an_entry_is_sent_now_and_its_past_slots_once() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", SCHEDULE);
    sandbox.run(&["schedule", "run-now", "nightly"]).success();
    assert_eq!(ready(&sandbox), 1);
    let range = [
        "--from",
        "2026-10-01T00:00:00Z",
        "--to",
        "2026-10-10T12:00:00Z",
    ];
    let backfill = [&["schedule", "backfill", "nightly"][..], &range].concat();
    let plan = sandbox.json(&[&backfill[..], &["--dry-run"]].concat());
    assert_eq!(plan["missing"].as_array().unwrap().len(), 10);
    assert_eq!(ready(&sandbox), 1, "a dry run sends nothing");
    sandbox.run(&backfill).success();
    assert_eq!(ready(&sandbox), 11);
    let again = sandbox.json(&backfill);
    assert_eq!(
        (
            again["missing"].as_array().unwrap().len(),
            again["sent"].as_array().unwrap().len()
        ),
        (0, 10)
    );
    assert_eq!(ready(&sandbox), 11, "each slot once");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_is_broken_on_a_screen_of_80_columns() {
    let sandbox = Sandbox::new();
    let task = "finflow.core.tasks.refresh_portfolio_analytics";
    let schedule =
        format!("[beat_schedule.nightly-refresh]\ntask = '{task}'\nschedule = '0 2 * * *'\n");
    sandbox.file("celeriac.toml", &schedule);
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_celeriac"));
    for (command, word) in [(["schedule", "list"], task), (["schedule", "next"], task)] {
        let mut screen = Pty::spawn(sandbox.std_command(program, &command), 80, 60);
        assert!(screen.wait_exit().await.success());
        screen.shows(word).await;
    }
}

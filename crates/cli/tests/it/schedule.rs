use crate::sandbox::{Sandbox, stdout};

const SCHEDULE: &str = r#"
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
    let table = stdout(&Sandbox::new().run(&["schedule", "list"]).success());
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

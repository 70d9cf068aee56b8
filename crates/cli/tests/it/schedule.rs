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

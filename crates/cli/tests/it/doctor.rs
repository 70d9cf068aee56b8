use crate::sandbox::{Sandbox, stderr, stdout};

#[test]
fn a_sound_broker_is_fine() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", "worker_timer = 'mine'\n");
    let findings = sandbox.json(&["doctor"]);
    let find = |subject: &str| {
        let mut all = findings.as_array().unwrap().iter();
        all.find(|finding| finding["subject"] == subject)
            .unwrap()
            .clone()
    };
    assert_eq!(find("connection")["severity"], "fine");
    assert_eq!(find("workers")["severity"], "hint");
    assert_eq!(find("worker_timer")["severity"], "hint");
    let table = stdout(&sandbox.run(&["doctor"]).success());
    assert!(table.contains("what to change"), "{table}");
}

#[test]
fn a_broker_that_is_not_there_is_69() {
    let sandbox = Sandbox::new();
    let url = format!("redis://:hunter2@127.0.0.1:{}/0", testkit::free_port());
    let text = stderr(&sandbox.run(&["doctor", "--broker", &url]).code(69));
    assert!(text.contains("cannot open redis://"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn a_file_that_is_no_database_is_told() {
    let sandbox = Sandbox::new();
    sandbox.file("text.db", &"not a database ".repeat(100));
    let text = stderr(
        &sandbox
            .run(&["queues", "--broker", "sqlite:text.db"])
            .code(1),
    );
    assert!(text.contains("text.db"), "{text}");
}

#[test]
fn a_file_that_must_exist_and_does_not_is_told() {
    let text = stderr(
        &Sandbox::new()
            .run(&["queues", "--broker", "sqlite:none.db?mode=rw"])
            .code(1),
    );
    assert!(text.contains("none.db"), "{text}");
}

#[test]
fn settings_that_only_a_later_command_would_refuse_are_found() {
    let sandbox = Sandbox::new();
    let wrong = "[task_routes]\na = 5\n[celeriac_services.w]\nqueues = ['q']\n[beat_schedule.e]\ntask = 't'\nschedule = '61 * * * *'\n";
    sandbox.file("celeriac.toml", wrong);
    let table = stdout(&sandbox.run(&["doctor", "--json"]).code(1));
    for part in ["task_routes", "`celeriac_services`, w", "\"found\": \"e: "] {
        assert!(table.contains(part), "{part} is missing: {table}");
    }
}

#[test]
fn a_new_broker_is_told() {
    let sandbox = Sandbox::new();
    let text = stderr(&sandbox.run(&["queues"]).success());
    assert!(text.contains("data/celeriac.db was not there"), "{text}");
    assert_eq!(stderr(&sandbox.run(&["queues"]).success()), "");
}

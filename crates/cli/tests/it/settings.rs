use serde_json::Value;

use crate::sandbox::{Sandbox, stderr, stdout};

fn find<'a>(settings: &'a Value, name: &str) -> &'a Value {
    settings
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == name)
        .unwrap()
}

#[test]
fn values_are_shown_with_their_source_and_secrets_masked() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "celeriac.yaml",
        "broker_url: redis://user:hunter2@host/1\nworker_timer: mine\n",
    );
    sandbox.file(".env", "CELERY_TIMEZONE=Europe/Paris\n");
    let settings = sandbox.json(&["settings"]);
    assert_eq!(
        find(&settings, "broker_url")["value"],
        "redis://user:********@host/1"
    );
    assert_eq!(
        find(&settings, "timezone")["source"],
        "CELERY_TIMEZONE in .env"
    );
    assert_eq!(find(&settings, "task_acks_late")["value"], true);
    assert!(
        find(&settings, "worker_timer")["ignored"]
            .as_str()
            .is_some()
    );

    let table = stdout(&sandbox.run(&["settings"]).success());
    assert!(table.contains("Europe/Paris"), "{table}");
    assert!(!table.contains("hunter2"), "{table}");
    assert!(
        !table.contains("task_acks_late"),
        "only what differs from the defaults: {table}"
    );
    let chosen = stdout(&sandbox.run(&["settings", "acks_late"]).success());
    assert!(chosen.contains("task_acks_late"), "{chosen}");
}

#[test]
fn a_misspelt_setting_refuses_the_start() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", "worker_concurency = 4\n");
    let text = stderr(&sandbox.run(&["queues"]).code(78));
    assert!(
        text.contains("unknown setting `worker_concurency`"),
        "{text}"
    );
    assert!(
        text.contains("did you mean `worker_concurrency`?"),
        "{text}"
    );
}

#[test]
fn a_named_file_must_exist() {
    let sandbox = Sandbox::new();
    let text = stderr(
        &sandbox
            .run(&["--config", "other.toml", "settings"])
            .code(78),
    );
    assert!(text.contains("other.toml"), "{text}");
}

#[test]
fn the_command_line_wins() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", "broker_url = 'sqlite:one.db'\n");
    let settings = sandbox.json(&["settings", "--broker", "sqlite:two.db"]);
    assert_eq!(find(&settings, "broker_url")["value"], "sqlite:two.db");
    assert_eq!(find(&settings, "broker_url")["source"], "option --broker");
}

#[test]
fn a_name_that_no_setting_has_is_told() {
    let text = stdout(&Sandbox::new().run(&["settings", "nosuch"]).success());
    assert_eq!(text, "no setting's name contains nosuch\n");
}

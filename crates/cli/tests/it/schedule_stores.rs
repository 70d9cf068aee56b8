//! Entries in the tables of django-celery-beat, and those that other schedulers leave behind.

use serde_json::{Value, json};
use testkit::{Python, RedisServer};

use crate::sandbox::{Sandbox, stderr, stdout};

const TABLES: &str = "celeriac_beat_database_url = 'sqlite:beat.db'\n";

/// Celery's settings as JSON; one entry has a schedule that we do not know.
const CELERY: &str = r#"{"broker_url": "redis://localhost", "CELERY_BEAT_SCHEDULE": {
    "nightly": {"task": "proj.nightly", "schedule": {"__type__": "crontab", "minute": "0", "hour": "2"}, "args": null},
    "often": {"task": "proj.often", "schedule": 30.0, "options": {"queue": "low"}},
    "tides": {"task": "proj.tides", "schedule": {"__type__": "tide", "port": "Dover"}}
}}"#;

const REDBEAT: &str = r#"
import datetime, warnings
warnings.simplefilter("ignore")
from celery import Celery
from celery.schedules import crontab, schedule
from redbeat import RedBeatSchedulerEntry
from redbeat.schedules import rrule
app = Celery(broker=URL)
app.conf.redbeat_redis_url = URL
nightly = RedBeatSchedulerEntry("nightly", "proj.nightly", crontab(hour=2, minute=0), args=[1], options={"queue": "low"}, app=app)
nightly.save()
next(nightly)
RedBeatSchedulerEntry("often", "proj.often", schedule(30), enabled=False, app=app).save()
RedBeatSchedulerEntry("ruled", "proj.ruled", rrule("DAILY", dtstart=datetime.datetime(2026, 1, 1)), app=app).save()
RedBeatSchedulerEntry("dated", "proj.dated", schedule(30), kwargs={"on": datetime.datetime(2026, 1, 1)}, app=app).save()
"#;

fn find<'a>(rows: &'a Value, name: &str) -> &'a Value {
    let found = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == name);
    found.unwrap_or(&Value::Null)
}

fn failing(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let output = sandbox.run(&[arguments, &["--json"]].concat()).code(1);
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

#[test]
fn entries_in_the_tables_are_added_changed_and_deleted() {
    let sandbox = Sandbox::new();
    sandbox.file("celeriac.toml", TABLES);
    let missing = stderr(&sandbox.run(&["schedule", "list"]).failure());
    assert!(missing.contains("create-tables"), "{missing}");
    sandbox.run(&["schedule", "create-tables"]).success();
    sandbox.run(&["schedule", "create-tables"]).success();

    let add = [
        "schedule",
        "add",
        "tick",
        "--task",
        "proj.tick",
        "--schedule",
        "30",
        "--policy",
        r#"{"jitter": 5}"#,
    ];
    let added = stdout(&sandbox.run(&add).success());
    assert!(added.contains("tables in beat.db"), "{added}");
    sandbox
        .run(&["schedule", "edit", "tick", "--args", "[1]"])
        .success();
    sandbox.run(&["schedule", "disable", "tick"]).success();
    let rows = sandbox.json(&["schedule", "list"]);
    assert_eq!(find(&rows, "tick")["enabled"], false);
    sandbox.run(&["schedule", "enable", "tick"]).success();
    let shown = sandbox.json(&["schedule", "show", "tick"]);
    assert_eq!(shown["args"], json!([1]));
    assert_eq!(shown["policy"], "jitter 5s");
    sandbox.run(&["schedule", "run-now", "tick"]).success();
    let wrong = ["schedule", "edit", "tick", "--schedule", "30 2 *"];
    assert!(stderr(&sandbox.run(&wrong).failure()).contains("schedule"));
    sandbox.run(&["schedule", "delete", "tick"]).success();
    assert_eq!(
        find(&sandbox.json(&["schedule", "list"]), "tick"),
        &Value::Null
    );
}

#[test]
fn a_schedule_of_celerys_settings_is_taken_over() {
    let sandbox = Sandbox::new();
    sandbox.file("conf.json", CELERY);
    let plan = failing(&sandbox, &["migrate-schedule", "conf.json", "--dry-run"]);
    assert_eq!(find(&plan, "nightly")["schedule"], "0 2 * * * [UTC]");
    assert_eq!(
        find(&sandbox.json(&["schedule", "list"]), "nightly"),
        &Value::Null
    );

    let done = failing(&sandbox, &["migrate-schedule", "conf.json"]);
    assert_eq!(find(&done, "often")["outcome"], "new");
    let problem = find(&done, "tides")["problem"].as_str().unwrap();
    assert!(problem.contains("tide cannot be expressed"), "{problem}");
    let rows = sandbox.json(&["schedule", "list"]);
    assert_eq!(find(&rows, "often")["task"], "proj.often");
    let again = failing(&sandbox, &["migrate-schedule", "conf.json"]);
    assert_eq!(
        find(&again, "often")["outcome"],
        "is there already, left as it is"
    );
    let again = failing(&sandbox, &["migrate-schedule", "conf.json", "--replace"]);
    assert_eq!(find(&again, "often")["outcome"], "replaced");
}

#[test]
fn redbeats_entries_are_taken_over_into_the_tables() {
    let (sandbox, server) = (Sandbox::new(), RedisServer::start());
    sandbox.file("celeriac.toml", TABLES);
    let url = server.url();
    let _ = Python::find().run(sandbox.path(), &format!("URL = {url:?}\n{REDBEAT}"));
    sandbox.run(&["schedule", "create-tables"]).success();

    let done = failing(&sandbox, &["migrate-schedule", &url]);
    assert_eq!(done.as_array().unwrap().len(), 4, "{done}");
    for (name, part) in [
        ("ruled", "type rrule"),
        ("dated", "kwargs: an object of type datetime"),
    ] {
        let problem = find(&done, name)["problem"].as_str().unwrap();
        assert!(problem.contains(part), "{problem}");
    }
    let rows = sandbox.json(&["schedule", "list"]);
    let nightly = find(&rows, "nightly");
    assert_eq!(nightly["schedule"], "0 2 * * *");
    assert_eq!(
        nightly["total_run_count"], 1,
        "it goes on after its last run: {nightly}"
    );
    assert!(nightly["last_run_at"].is_string());
    assert_eq!(find(&rows, "often")["enabled"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_whose_task_no_worker_has_is_marked() {
    let sandbox = Sandbox::new();
    let schedule = "[beat_schedule.known]\ntask = 'celery.backend_cleanup'\nschedule = 30\n\
                    [beat_schedule.lost]\ntask = 'proj.lost'\nschedule = 30\n";
    sandbox.file("celeriac.toml", schedule);
    let rows = sandbox.json(&["schedule", "list"]);
    assert_eq!(
        find(&rows, "lost")["unknown_task"],
        false,
        "nobody knows without a worker"
    );
    let _worker = sandbox.spawn_worker(&["-Q", "default"]).await;
    let rows = sandbox.json(&["schedule", "list"]);
    assert_eq!(find(&rows, "lost")["unknown_task"], true);
    assert_eq!(find(&rows, "known")["unknown_task"], false);
    let table = stdout(&sandbox.run(&["schedule", "show", "lost"]).success());
    assert!(table.contains("no running worker has this task"), "{table}");
}

#[test]
fn results_that_expire_in_a_file_are_cleaned_up_daily() {
    let sandbox = Sandbox::new();
    let rows = sandbox.json(&["schedule", "list"]);
    let cleanup = find(&rows, "celery.backend_cleanup");
    assert_eq!(cleanup["schedule"], "0 4 * * *");
    sandbox.file("celeriac.toml", "result_expires = 0\n");
    assert_eq!(sandbox.json(&["schedule", "list"]), json!([]));
    let own = "[beat_schedule.'celery.backend_cleanup']\ntask = 'celery.backend_cleanup'\nschedule = 30\n";
    sandbox.file("celeriac.toml", own);
    let rows = sandbox.json(&["schedule", "list"]);
    assert_eq!(
        rows.as_array().unwrap().len(),
        1,
        "one's own comes first: {rows}"
    );
    let server = RedisServer::start();
    sandbox.file("celeriac.toml", "");
    let rows = sandbox.json(&["schedule", "list", "-b", &server.url()]);
    assert_eq!(rows, json!([]), "Redis deletes by itself");
}

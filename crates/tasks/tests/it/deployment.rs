//! The settings that are delivered against the specification's table of schedules and the catalogue.

use std::path::Path;

use serde_json::{Value, json};
use tasks::catalogue::{ALL, Spec, named};

use crate::catalogue::specified;

/// The delivered settings as JSON.
fn settings() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/celeriac.toml");
    let table: toml::Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
    serde_json::to_value(table).unwrap()
}

#[test]
fn every_entry_of_the_schedule_is_delivered() {
    let (settings, table) = (settings(), specified("beat.json"));
    let entries = table["entries"].as_array().unwrap();
    let delivered = settings["beat_schedule"].as_object().unwrap();
    assert_eq!(delivered.len(), entries.len());
    for entry in entries {
        let name = entry["entry"].as_str().unwrap();
        let found = &delivered[name];
        assert_eq!(found["task"], entry["task"], "{name}");
        assert_eq!(found["options"]["queue"], entry["queue"], "{name}");
        assert_eq!(
            found["options"].get("expires"),
            entry.get("expires_s"),
            "{name}"
        );
        assert_eq!(found.get("kwargs"), entry.get("kwargs"), "{name}");
        assert_eq!(schedule(found), entry["schedule"], "{name}");
        assert!(named(entry["task"].as_str().unwrap()).is_some(), "{name}");
    }
}

/// An entry's schedule in the table's words.
fn schedule(entry: &Value) -> Value {
    match &entry["schedule"] {
        Value::Number(seconds) => json!({"type": "interval", "seconds": seconds}),
        Value::String(crontab) => self::crontab(crontab, entry),
        market => {
            let mut market = market.clone();
            let fields = market.as_object_mut().unwrap();
            let calendar = fields.remove("market").unwrap();
            if let Some(every) = fields.remove("every") {
                let minutes = if every == "1h" { 60 } else { 30 };
                fields.insert("every_minutes".to_owned(), minutes.into());
            }
            fields.insert("calendar".to_owned(), calendar);
            fields.insert("type".to_owned(), "market".into());
            fields.insert("tz".to_owned(), "America/New_York".into());
            market
        }
    }
}

fn crontab(text: &str, entry: &Value) -> Value {
    let zone = entry.get("timezone").cloned().unwrap_or("UTC".into());
    let mut found = json!({"type": "crontab", "tz": zone});
    let names = [
        "minute",
        "hour",
        "day_of_month",
        "month_of_year",
        "day_of_week",
    ];
    for (name, field) in names.into_iter().zip(text.split(' ')) {
        // The table leaves out what holds always, except a minute.
        if field != "*" || name == "minute" {
            found[name] = field.into();
        }
    }
    found
}

#[test]
fn every_name_has_its_route_and_every_queue_its_worker() {
    let settings = settings();
    let consumed: Vec<&Value> = settings["celeriac_services"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|service| service["queues"].as_array().into_iter().flatten())
        .collect();
    let specs: Vec<&Spec> = ALL.iter().flat_map(|tasks| tasks.iter()).collect();
    for spec in specs {
        for name in [spec.name].iter().chain(spec.aliases) {
            // The site has its own queue for finflow's task.
            let queue = if *name == "apps.main.tasks.health_check" {
                "default"
            } else {
                spec.queue
            };
            assert_eq!(route(&settings, name), queue, "{name}");
            assert!(
                consumed.contains(&&Value::from(queue)),
                "nobody consumes {queue}"
            );
        }
    }
}

fn route(settings: &Value, name: &str) -> String {
    let routes = settings["task_routes"].as_object().unwrap();
    let pattern = name.rfind('_').map(|at| format!("{}_*", &name[..at]));
    let found = routes.get(name).or_else(|| routes.get(&pattern.unwrap()));
    found.unwrap_or_else(|| panic!("no route for {name}"))["queue"]
        .as_str()
        .unwrap()
        .to_owned()
}

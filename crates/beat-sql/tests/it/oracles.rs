//! The recorded fire times of the finance schedules: each is stored as an entry, and fires as the tables give it again.

use beat::{Source, Store};
use protocol::to_value;

use crate::place::Place;
use crate::recorded::{self, Case};

async fn every_schedule_fires_as_recorded(place: Place, on: &str) {
    let (tables, cases) = (place.tables(), recorded::cases());
    for case in &cases {
        let setting = to_value(&case.setting()).unwrap();
        tables.put(case.id(), &setting).await.unwrap();
    }
    let stored = place.tables().load().await.unwrap();
    assert!(stored.problems.is_empty(), "{:?}", stored.problems);
    let entry = |case: &Case| stored.entries.iter().find(|entry| entry.name == case.id());
    for case in &cases {
        case.check(entry(case).unwrap());
    }
    println!("oracle schedules.json on {on}: {} cases", cases.len());
}

#[tokio::test]
async fn every_schedule_fires_as_recorded_on_sqlite() {
    every_schedule_fires_as_recorded(Place::sqlite().created().await, "SQLite").await;
}

#[tokio::test]
async fn every_schedule_fires_as_recorded_on_postgres() {
    every_schedule_fires_as_recorded(Place::postgres().created().await, "PostgreSQL").await;
}

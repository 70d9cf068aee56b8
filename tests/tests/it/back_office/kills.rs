//! `kill -9` in the middle of every task, then the same task again: the database, the files, the results and what people
//! were told are those of a system in which nobody was killed.
//!
//! The scenes play in lanes side by side, each in two systems of its own.

mod evidence;
mod play;
mod scenes;
mod stage;
mod trap;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use testkit::Postgres;

use super::system::{System, specified_tasks};
use play::play;
use scenes::{LANES, Scene};
use stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn kills_in_the_middle_of_every_task_leave_what_undisturbed_runs_leave() {
    drill(System::start()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
#[ignore = "takes minutes: make drill-finance"]
async fn long_kills_in_the_middle_of_every_task_on_postgres_leave_what_undisturbed_runs_leave() {
    drill(System::start_on(&Arc::new(Postgres::start()))).await;
}

async fn drill(template: System) {
    let stage = Stage::prepare(template).await;
    let lanes = (0..).zip(LANES);
    let played = lanes.map(|(lane, scenes)| {
        let stage = stage.clone();
        tokio::spawn(compare(stage, lane, scenes))
    });
    let mut kills = 0;
    let mut differences = Vec::new();
    for lane in join_all(played).await {
        let (killed, found) = lane.unwrap();
        kills += killed;
        differences.extend(found);
    }
    println!("{kills} kills amid {} tasks", LANES.concat().len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Plays a lane undisturbed and with kills; returns the number of kills and what differs afterwards.
async fn compare(stage: Stage, lane: usize, scenes: &'static [Scene]) -> (usize, Vec<String>) {
    let (undisturbed, killed) = tokio::join!(
        play(&stage, format!("undisturbed-{lane}"), scenes, false),
        play(&stage, format!("killed-{lane}"), scenes, true),
    );
    let kills = scenes.iter().map(|scene| scene.kills.len()).sum();
    (kills, undisturbed.differences(&killed))
}

#[test]
fn every_task_is_killed_at_least_once() {
    let scenes = LANES.concat();
    let killed: BTreeSet<&str> = scenes
        .iter()
        .filter(|scene| !scene.kills.is_empty())
        .map(|scene| scene.task)
        .collect();
    for task in specified_tasks() {
        let name = task["name"].as_str().unwrap();
        assert!(killed.contains(name), "{name}");
    }
}

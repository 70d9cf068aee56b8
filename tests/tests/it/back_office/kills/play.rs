//! Playing scenes one after the other in one system, with or without kills.

use client::{AsyncResult, Client, ClientOptions};
use protocol::{TaskMeta, Value};
use serde_json::{Value as Json, json};
use testkit::wait_until;

use super::evidence::Evidence;
use super::scenes::Scene;
use super::stage::Stage;
use super::trap::Trap;
use super::trap::server::continue_ids;
use crate::back_office::database::Database;
use crate::back_office::system::{PATIENCE, System, queue_of, settings};

/// Returns what the system holds in the end.
pub async fn play(stage: &Stage, name: String, scenes: &[Scene], kill: bool) -> Evidence {
    let mut system = stage.system(&name);
    let backends = service::open(&settings(&system)).await.unwrap();
    let client = Client::new(backends, ClientOptions::default());
    system.start_worker().await;
    let mut results = Vec::new();
    for scene in scenes {
        if let Database::Server(server, name) = &system.database {
            continue_ids(server, name);
        }
        let sent = if kill {
            killed(&mut system, &client, scene).await
        } else {
            send(&client, scene).await
        };
        let meta = sent.wait(PATIENCE).await.unwrap();
        // What follows from it has ended too before the next one begins.
        wait_until(PATIENCE, async || system.messages() == 0).await;
        results.push((scene.task, ending(&meta)));
    }
    Evidence::of(stage, &system, &name, results)
}

fn ending(meta: &TaskMeta) -> Json {
    let all = serde_json::to_value(meta.to_map()).unwrap();
    json!({"status": all["status"], "result": all["result"]})
}

/// Sends the task, kills its worker at each of its moments, and starts it again.
async fn killed(system: &mut System, client: &Client, scene: &Scene) -> AsyncResult<Value> {
    let id = scene.task;
    let mut sent = None;
    for moment in scene.kills {
        system.kill_worker();
        let trap = Trap::set(system, id, *moment).await;
        system.start_worker().await;
        if sent.is_none() {
            sent = Some(send(client, scene).await);
        }
        trap.sprung().await;
        system.kill_worker();
        // In a trap nothing ends by itself: a kill that came too late would show nothing.
        assert_ne!(system.messages(), 0, "{id} had ended before {moment:?}");
        trap.remove().await;
    }
    system.start_worker().await;
    sent.unwrap()
}

/// The id is the task's name, so that the same call in another system is the same task.
async fn send(client: &Client, scene: &Scene) -> AsyncResult<Value> {
    let arguments: Json = serde_json::from_str(scene.arguments).unwrap();
    let call = client.task::<Value>(scene.task).kwargs(&arguments);
    let call = call.queue(queue_of(scene.task)).task_id(scene.task);
    call.send().await.unwrap()
}

//! Children that are replaced: after their tasks, their memory, or a restart of the pool.

use protocol::{Map, Value};
use worker::WorkerSettings;

use super::{is_alive, prefork, spinning};
use crate::commands::{ask, said};
use crate::hazards::{Hoard, WhichProcess};
use crate::support::{Bench, DEADLINE, eventually};

#[tokio::test]
async fn children_are_replaced_after_their_tasks_or_their_memory() {
    let bench = Bench::new();
    let after_two = WorkerSettings {
        worker_max_tasks_per_child: Some(2),
        ..prefork(1)
    };
    let worker = bench.worker(after_two).await;
    let mut pids = Vec::new();
    for _ in 0..4 {
        pids.push(bench.run(WhichProcess {}).await);
    }
    assert!(pids[0] == pids[1] && pids[2] == pids[3] && pids[1] != pids[2]);
    worker.stop().await;
    let bounded = WorkerSettings {
        worker_max_memory_per_child: Some(200 << 10),
        ..prefork(1)
    };
    let worker = bench.worker(bounded).await;
    let first = bench.run(WhichProcess {}).await;
    bench.run(Hoard { mebibytes: 10 }).await;
    assert_eq!(bench.run(WhichProcess {}).await, first);
    bench.run(Hoard { mebibytes: 250 }).await;
    assert_ne!(bench.run(WhichProcess {}).await, first);
    worker.stop().await;
}

#[tokio::test]
async fn a_restarted_pool_has_new_children() {
    let bench = Bench::new();
    let restarting = WorkerSettings {
        worker_pool_restarts: true,
        ..prefork(1)
    };
    let worker = bench.worker(restarting).await;
    let first = bench.run(WhichProcess {}).await;
    let restart = || ask(&bench, "pool_restart", Map::new());
    assert_eq!(said(&restart().await), ("ok", "reload started"));
    eventually("the idle child ends", || async {
        (!is_alive(first)).then_some(())
    })
    .await;
    let (running, second) = spinning(&bench, 0.5).await;
    assert_eq!(said(&restart().await), ("ok", "reload started"));
    running.get(DEADLINE).await.unwrap();
    assert_ne!(bench.run(WhichProcess {}).await, second);
    let modules = Map::from_iter([("modules", Value::List(vec!["proj.tasks".into()]))]);
    let refused = ask(&bench, "pool_restart", modules).await;
    let text = r#"ModuleNotFoundError("No module named 'proj'")"#;
    assert_eq!(said(&refused), ("error", text));
    worker.stop().await;
}

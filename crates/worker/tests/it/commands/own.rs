//! Commands that an application adds to Celery's.

use super::*;

async fn with_commands(bench: &Bench) -> Running {
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let registry: Registry = registry()
        .control_command("remember", move |arguments| {
            let heard = Arc::clone(&heard);
            async move {
                heard
                    .lock()
                    .unwrap()
                    .push(arguments.get("what").cloned().unwrap_or_default());
                Ok(Value::List(heard.lock().unwrap().clone()))
            }
        })
        .control_command("refuse", |_| async {
            Err(Failure::builtin("ValueError", vec!["not today".into()]))
        })
        .control_command("panic", |_| async { panic!("on purpose") })
        .control_command("hang", |_| std::future::pending());
    bench.worker_with(registry, settings(1)).await
}

#[tokio::test]
async fn an_application_has_commands_of_its_own() {
    let bench = Bench::new();
    let worker = with_commands(&bench).await;
    let remember = || ask(&bench, "remember", arguments([("what", "this".into())]));
    assert_eq!(remember().await, vec!["this"].into());
    assert_eq!(remember().await, vec!["this", "this"].into());
    worker.stop().await;
}

#[tokio::test]
async fn commands_that_fail_panic_or_hang_do_the_worker_no_harm() {
    let bench = Bench::new();
    let worker = with_commands(&bench).await;
    let control = bench.client.control();
    for _ in 0..20 {
        control.request("hang", Map::new()).send().await.unwrap();
    }
    for _ in 0..5 {
        let refused = ask(&bench, "refuse", Map::new()).await;
        assert_eq!(said(&refused).0, "error");
        let panicked = ask(&bench, "panic", Map::new()).await;
        assert!(
            said(&panicked).1.starts_with("RuntimeError"),
            "{panicked:?}"
        );
    }
    assert_eq!(said(&ask(&bench, "ping", Map::new()).await), ("ok", "pong"));
    assert_eq!(bench.run(Add { x: 1, y: 1 }).await, 2);
    worker.stop().await;
}

#[tokio::test]
async fn a_command_with_celerys_name_is_refused_at_the_start() {
    let bench = Bench::new();
    let registry = registry().control_command("ping", |_| async { Ok(Value::Null) });
    let params = worker::WorkerParams {
        client: bench.client.clone(),
        registry,
        settings: settings(1),
        hooks: Vec::new(),
        ready: None,
    };
    let refused = worker::Worker::new(params).unwrap_err().to_string();
    assert_eq!(refused, "control command \"ping\" is there already");
}

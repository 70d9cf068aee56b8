//! What an application gives its tasks.

use serde::{Deserialize, Serialize};
use worker::{Context, Outcome, Registry, SendTask, Task};

use crate::support::{Bench, DEADLINE, settings};

#[derive(Debug)]
struct Greeting(&'static str);

#[derive(Debug, Serialize, Deserialize)]
struct Greet;

impl Task for Greet {
    const NAME: &'static str = "demo.greet";
    type Output = Option<String>;
    async fn run(self, ctx: &Context) -> Result<Self::Output, Outcome> {
        Ok(ctx
            .state::<Greeting>()
            .map(|greeting| greeting.0.to_owned()))
    }
}

#[tokio::test]
async fn a_task_reaches_the_applications_state_by_its_type() {
    let bench = Bench::new();
    let registry = Registry::new()
        .state(Greeting("hello"))
        .state(7_i64)
        .task::<Greet>();
    let worker = bench.worker_with(registry, settings(1)).await;
    let greeted = bench.client.send(Greet).await.unwrap();
    assert_eq!(
        greeted.get(DEADLINE).await.unwrap().as_deref(),
        Some("hello")
    );
    worker.stop().await;

    let worker = bench
        .worker_with(Registry::new().task::<Greet>(), settings(1))
        .await;
    let greeted = bench.client.send(Greet).await.unwrap();
    assert_eq!(greeted.get(DEADLINE).await.unwrap(), None);
    worker.stop().await;
}

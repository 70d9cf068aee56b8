//! The conformance suite: on a plain server with results fused into settlements, and through a unix socket with a key prefix and
//! results split off.

use std::sync::Arc;

use async_trait::async_trait;
use broker::conformance::{
    Harness, Instance, exercise_admin, exercise_broker, exercise_coordinator, exercise_results,
};
use broker::{Backends, ResultPolicy, SplitResults};
use broker_redis::{RedisBroker, RedisOptions, RedisResults};
use bytes::Bytes;
use testkit::RedisServer;

/// Results with settlements, plain TCP.
struct Fused;

/// A prefix in front of everything, a unix socket, results stored separately.
struct Prefixed;

struct RedisInstance {
    server: RedisServer,
    prefix: &'static str,
    backends: Backends,
}

#[async_trait]
impl Harness for Fused {
    async fn fresh(&self, policy: ResultPolicy) -> Box<dyn Instance> {
        let server = RedisServer::start();
        let options = crate::support::options(&server.url());
        let broker = RedisBroker::connect_with_results(options.clone(), &options, policy.clone())
            .await
            .unwrap();
        let results = RedisResults::connect(options, policy).await.unwrap();
        let backends = Backends {
            admin: broker.clone(),
            coordinator: broker.clone(),
            broker,
            results: Some(results),
        };
        Box::new(RedisInstance {
            server,
            prefix: "",
            backends,
        })
    }
}

#[async_trait]
impl Harness for Prefixed {
    async fn fresh(&self, policy: ResultPolicy) -> Box<dyn Instance> {
        let server = RedisServer::start();
        let given = serde_json::json!({"global_keyprefix": "app[1]:"});
        let options = RedisOptions::parse(&server.unix_url(), given.as_object().unwrap()).unwrap();
        let broker = RedisBroker::connect(options.clone()).await.unwrap();
        let results = RedisResults::connect(options, policy).await.unwrap();
        let split = Arc::new(SplitResults::new(broker.clone(), results.clone()));
        let backends = Backends {
            admin: broker.clone(),
            coordinator: broker,
            broker: split,
            results: Some(results),
        };
        Box::new(RedisInstance {
            server,
            prefix: "app[1]:",
            backends,
        })
    }
}

#[async_trait]
impl Instance for RedisInstance {
    fn backends(&self) -> Backends {
        self.backends.clone()
    }

    async fn publish_raw(&self, queue: &str, raw: Bytes) {
        // The command line takes no raw bytes, so the value goes through a connection of the test's own.
        crate::raw::push(&self.server, &format!("{}{queue}", self.prefix), &raw).await;
    }

    async fn expire_lease(&self, incarnation: &str) {
        let workers = format!("{}celeriac.workers", self.prefix);
        let members = self.server.cli(&["ZRANGE", &workers, "0", "-1"]);
        let member = members
            .lines()
            .find(|member| member.starts_with(incarnation))
            .expect("the incarnation has a lease");
        // What the sweep does when it finds a lease that has ended.
        self.server.cli(&["ZREM", &workers, member]);
        self.server.cli(&[
            "ZADD",
            &format!("{}celeriac.dead", self.prefix),
            "0",
            member,
        ]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_a_broker() {
    exercise_broker(Fused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_a_result_backend() {
    exercise_results(Fused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_a_coordinator() {
    exercise_coordinator(Fused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_has_an_admin_side() {
    exercise_admin(Fused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixed_redis_with_split_results_is_a_broker() {
    exercise_broker(Prefixed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixed_redis_has_an_admin_side() {
    exercise_admin(Prefixed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixed_redis_is_a_coordinator() {
    exercise_coordinator(Prefixed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixed_redis_is_a_result_backend() {
    exercise_results(Prefixed).await;
}

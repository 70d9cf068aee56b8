//! A client of the test's own, beside the one under test.

use redis::aio::MultiplexedConnection;
use testkit::RedisServer;

pub(crate) async fn connection(server: &RedisServer) -> MultiplexedConnection {
    let path = server
        .unix_url()
        .trim_start_matches("redis+socket://")
        .to_owned();
    let client = redis::Client::open(format!("redis+unix://{path}")).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// Puts a payload at the back of a list.
pub(crate) async fn push(server: &RedisServer, list: &str, payload: &[u8]) {
    call::<i64>(server, &["LPUSH".as_bytes(), list.as_bytes(), payload]).await;
}

/// Any command.
pub(crate) async fn call<T: redis::FromRedisValue>(server: &RedisServer, words: &[&[u8]]) -> T {
    let mut command = redis::Cmd::new();
    for word in words {
        command.arg(*word);
    }
    command
        .query_async(&mut connection(server).await)
        .await
        .unwrap()
}

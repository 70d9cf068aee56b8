//! What it costs the server that a client has results, or waits for many of them.

use std::time::Duration;

use broker::{Backends, ResultBackend, ResultPolicy};
use broker_redis::RedisResults;
use client::{Client, ClientOptions};
use protocol::{ResultTuple, State, TaskMeta, Value};
use testkit::RedisServer;
use tokio::task::JoinSet;

use crate::support::{DEADLINE, eventually, open, options};

const MANY: usize = 10_000;
/// Long enough for ten thousand on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);

async fn client_on(server: &RedisServer) -> Client {
    let results = RedisResults::connect(options(&server.url()), ResultPolicy::default());
    let broker = open(server).await;
    let backends = Backends {
        admin: broker.clone(),
        coordinator: broker.clone(),
        broker,
        results: Some(results.await.unwrap()),
    };
    Client::new(backends, ClientOptions::default())
}

fn results(client: &Client) -> &dyn ResultBackend {
    client.backends().results.as_deref().unwrap()
}

fn ids() -> Vec<String> {
    (0..MANY).map(|number| format!("id-{number}")).collect()
}

fn succeeded(id: &String) -> TaskMeta {
    TaskMeta::new(id, State::Success, Value::from(id.as_str()))
}

/// Calls of all commands, or of one, since the server's counts began; its own question left out.
fn calls(server: &RedisServer, only: Option<&str>) -> u64 {
    let stats = server.cli(&["INFO", "commandstats"]);
    let counted = stats.lines().filter_map(|line| {
        let (name, figures) = line.strip_prefix("cmdstat_")?.split_once(':')?;
        let own = ["info", "config|resetstat", "config"].contains(&name);
        let wanted = only.map_or(!own, |only| only == name);
        let calls = figures.strip_prefix("calls=")?.split(',').next()?;
        wanted.then(|| calls.parse::<u64>().unwrap())
    });
    counted.sum()
}

/// Connections that are subscribed to something, and to how many channels in all.
fn subscribers(server: &RedisServer) -> (usize, usize) {
    let list = server.cli(&["CLIENT", "LIST"]);
    let channels = list.lines().filter_map(|line| {
        let count = line.split(' ').find_map(|field| field.strip_prefix("sub="));
        count?.parse::<usize>().ok().filter(|count| *count > 0)
    });
    let channels: Vec<usize> = channels.collect();
    (channels.len(), channels.iter().sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_there_is_had_with_one_command() {
    let server = RedisServer::start();
    let client = client_on(&server).await;
    let id = "id-1".to_owned();
    results(&client).store(vec![succeeded(&id)]).await.unwrap();
    server.cli(&["CONFIG", "RESETSTAT"]);
    let value: String = client.result(&id).get(DEADLINE).await.unwrap();
    assert_eq!(value, id);
    assert_eq!((calls(&server, Some("mget")), calls(&server, None)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_results_of_a_group_are_awaited_over_one_subscription() {
    let server = RedisServer::start();
    let client = client_on(&server).await;
    let members = ids().into_iter().map(ResultTuple::task).collect();
    let group = ResultTuple::group("group", members);
    results(&client)
        .save_group("group", Value::from(&group))
        .await
        .unwrap();
    let group = client
        .restore_group::<String>("group")
        .await
        .unwrap()
        .unwrap();
    server.cli(&["CONFIG", "RESETSTAT"]);
    let waiting = tokio::spawn(async move { group.join(PATIENCE).await });
    eventually(async || subscribers(&server) == (1, MANY)).await;
    // A thousand channels in each, however many connections there are: linear.
    assert_eq!(calls(&server, Some("subscribe")), (MANY / 1_000) as u64);
    results(&client)
        .store(ids().iter().map(succeeded).collect())
        .await
        .unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), ids());
    eventually(async || subscribers(&server) == (0, 0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_who_wait_for_one_result_each_share_a_connection_and_its_commands() {
    let server = RedisServer::start();
    let client = client_on(&server).await;
    server.cli(&["CONFIG", "RESETSTAT"]);
    let mut waiting = JoinSet::new();
    for id in ids() {
        let result = client.result::<String>(&id);
        waiting.spawn(async move { (id, result.get(PATIENCE).await) });
    }
    eventually(async || subscribers(&server) == (1, MANY)).await;
    let commands = calls(&server, Some("subscribe"));
    println!("{MANY} waits took {commands} SUBSCRIBE commands");
    assert!(commands < MANY as u64 / 4, "{commands} commands");
    results(&client)
        .store(ids().iter().map(succeeded).collect())
        .await
        .unwrap();
    while let Some(had) = waiting.join_next().await {
        let (id, value) = had.unwrap();
        assert_eq!(value.unwrap(), id);
    }
    eventually(async || subscribers(&server) == (0, 0)).await;
}

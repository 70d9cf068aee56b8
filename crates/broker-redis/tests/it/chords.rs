//! Chords, as far as only Redis has them: members that others wrote, keys that are none, and what it costs the server.

use broker::{
    Broker, ChordPart, ChordStore, Consumer, Counted, Delivery, Effects, NewChord, ResultBackend,
    ResultPolicy, Settled, Settlement, Verdict,
};
use broker_redis::{RedisBroker, RedisResults};
use protocol::{Compression, State, TaskMeta, Value};
use testkit::RedisServer;

use crate::raw;
use crate::support::{consumer, id, open, options, take, to_queue};

fn part(task_id: &str, group_index: Option<i64>) -> ChordPart {
    ChordPart {
        group_id: "g".to_owned(),
        task_id: task_id.to_owned(),
        group_index,
        state: State::Success,
        result: Value::from(task_id),
    }
}

fn chord(size: u64) -> Vec<NewChord> {
    vec![NewChord {
        group_id: "g".to_owned(),
        size,
        header: None,
    }]
}

async fn results(server: &RedisServer, policy: ResultPolicy) -> std::sync::Arc<RedisResults> {
    RedisResults::connect(options(&server.url()), policy)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_an_older_celery_wrote_counts() {
    let server = RedisServer::start();
    let results = results(&server, ResultPolicy::default()).await;
    results.open_chords(chord(3)).await.unwrap();
    let member = r#"[1, "old", "SUCCESS", [1, "ü"]]"#;
    server.cli(&["ZADD", "celery-taskset-meta-g.j", "1", member]);
    let last = r#"[1, "placeless", "SUCCESS", null]"#;
    server.cli(&["ZADD", "celery-taskset-meta-g.j", "+inf", last]);
    let counted = results.count_part(part("new", Some(0)), "token").await;
    assert_eq!(counted.unwrap(), Counted::Complete);
    let parts = results.chord_parts("g").await.unwrap().parts;
    let places: Vec<_> = parts
        .iter()
        .map(|part| (part.task_id.as_str(), part.group_index))
        .collect();
    assert_eq!(
        places,
        [("new", Some(0)), ("old", Some(1)), ("placeless", None)]
    );
    assert_eq!(parts[1].result, Value::List(vec![1.into(), "ü".into()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_are_kept_as_they_end_come_in_that_order() {
    let server = RedisServer::start();
    let policy = ResultPolicy {
        chord_ordered: false,
        compression: Some(Compression::from_name("gzip").unwrap()),
        ..ResultPolicy::default()
    };
    let results = results(&server, policy).await;
    results.open_chords(chord(2)).await.unwrap();
    for (task_id, index) in [("late", 1), ("early", 0)] {
        results
            .count_part(part(task_id, Some(index)), "token")
            .await
            .unwrap();
    }
    let parts = results.chord_parts("g").await.unwrap().parts;
    assert_eq!(parts, [part("late", None), part("early", None)]);
    assert_eq!(server.cli(&["TYPE", "celery-taskset-meta-g.j"]), "list");
}

/// Held messages of these tasks.
async fn held(
    broker: &RedisBroker,
    task_ids: &[&str],
) -> (std::sync::Arc<dyn Consumer>, Vec<Delivery>) {
    let batch = task_ids.iter().map(|id| to_queue("q", id)).collect();
    broker.publish(batch).await.unwrap();
    let consumer = consumer(broker, &["q"]).await;
    let held = take(&*consumer, task_ids.len()).await;
    (consumer, held)
}

fn settlement(delivery: &Delivery, effects: Effects) -> Settlement {
    Settlement {
        store: Some(TaskMeta::new(id(delivery), State::Success, Value::Null)),
        effects: Some(Box::new(effects)),
        ..Settlement::new(delivery.tag.clone(), Verdict::Ack)
    }
}

fn counting(delivery: &Delivery) -> Effects {
    Effects {
        count: Some(part(&id(delivery), None)),
        ..Effects::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_belongs_to_no_chord_is_left_alone_and_spoils_no_other_settlement() {
    let odd = [
        (".j", ["SET", "text", ""]),
        (".d", ["RPUSH", "item", ""]),
        (".s", ["SET", "no number", ""]),
        (".t", ["HSET", "field", "value"]),
        (".c", ["SADD", "member", ""]),
    ];
    for (suffix, [verb, first, second]) in odd {
        let server = RedisServer::start();
        let broker = open(&server).await;
        let (consumer, held) = held(&broker, &["a", "b"]).await;
        let key = format!("celery-taskset-meta-g{suffix}");
        let words = [verb, &key, first, second];
        server.cli(&words[..words.len() - usize::from(second.is_empty())]);
        let plain = Effects::default();
        let batch = vec![
            settlement(&held[0], counting(&held[0])),
            settlement(&held[1], plain),
        ];
        let settled = consumer.settle(batch).await.unwrap();
        assert_eq!(settled, [Settled::Impossible, Settled::Done], "{suffix}");
        let results = results(&server, ResultPolicy::default()).await;
        let stored = results.fetch(&["a".to_owned(), "b".to_owned()]).await;
        let stored: Vec<bool> = stored.unwrap().iter().map(Option::is_some).collect();
        assert_eq!(stored, [false, true], "{suffix}");
        assert_eq!(server.cli(&["HLEN", "unacked"]), "1", "it is still held");
        let counted = results.count_part(part("c", None), "token").await;
        let error = counted.unwrap_err().to_string();
        assert!(error.contains(&key), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_success_is_kept_by_effects_and_nothing_is_counted_twice_for_it() {
    let server = RedisServer::start();
    let policy = ResultPolicy {
        compression: Some(Compression::from_name("gzip").unwrap()),
        ..ResultPolicy::default()
    };
    let results = results(&server, policy.clone()).await;
    let options = options(&server.url());
    let broker = RedisBroker::connect_with_results(options.clone(), &options, policy)
        .await
        .unwrap();
    let stored = [
        ("a", State::Started),
        ("done", State::Success),
        ("open", State::Retry),
    ];
    let metas = stored.map(|(id, state)| TaskMeta::new(id, state, Value::Null));
    results.store(metas.to_vec()).await.unwrap();
    results.open_chords(chord(1)).await.unwrap();
    let (consumer, held) = held(&broker, &["a"]).await;
    let failed = ["done", "open"].map(|id| TaskMeta::new(id, State::Failure, Value::Null));
    let effects = Effects {
        metas: failed.to_vec(),
        grow: vec![("other".to_owned(), 1)],
        ..counting(&held[0])
    };
    let settled = consumer.settle(vec![settlement(&held[0], effects.clone())]);
    assert_eq!(settled.await.unwrap(), [Settled::Complete]);
    let effects = Effects {
        count: None,
        finish: vec!["g".to_owned()],
        ..effects
    };
    let settled = consumer.settle(vec![settlement(&held[0], effects)]);
    assert_eq!(settled.await.unwrap(), [Settled::Done]);
    let ids: Vec<String> = ["a", "done", "open"].map(String::from).to_vec();
    let fetched = results.fetch(&ids).await.unwrap();
    let states: Vec<State> = fetched
        .into_iter()
        .flatten()
        .map(|meta| meta.status)
        .collect();
    assert_eq!(states, [State::Success, State::Success, State::Failure]);
    assert_eq!(server.cli(&["GET", "celery-taskset-meta-g.c"]), "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_members_left_stays_only_if_it_is_asked_for() {
    let server = RedisServer::start();
    let broker = open(&server).await;
    let results = results(&server, ResultPolicy::default()).await;
    for (keep_parts, left) in [(true, "1"), (false, "0")] {
        results.open_chords(chord(1)).await.unwrap();
        let (consumer, held) = held(&broker, &["a"]).await;
        let settled = consumer.settle(vec![settlement(&held[0], counting(&held[0]))]);
        assert_eq!(settled.await.unwrap(), [Settled::Complete]);
        let effects = Effects {
            finish: vec!["g".to_owned()],
            keep_parts,
            ..Effects::default()
        };
        let settled = consumer.settle(vec![settlement(&held[0], effects)]);
        assert_eq!(settled.await.unwrap(), [Settled::Done]);
        assert_eq!(server.cli(&["EXISTS", "celery-taskset-meta-g.j"]), left);
        assert_eq!(server.cli(&["EXISTS", "celery-taskset-meta-g.s"]), "0");
        assert_eq!(server.cli(&["GET", "celery-taskset-meta-g.c"]), "done");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn big_members_are_read_in_slices() {
    const BYTES: usize = 5 << 20;
    const MEMBERS: i64 = 5;
    let server = RedisServer::start();
    let results = results(&server, ResultPolicy::default()).await;
    let text = "x".repeat(BYTES);
    for index in 0..MEMBERS {
        let big = ChordPart {
            result: Value::from(text.as_str()),
            ..part(&index.to_string(), Some(index))
        };
        results.count_part(big, "token").await.unwrap();
    }
    server.cli(&["CONFIG", "RESETSTAT"]);
    let parts = results.chord_parts("g").await.unwrap().parts;
    assert!(parts.iter().all(|part| part.result.as_str() == Some(&text)));
    assert_eq!(parts.len(), usize::try_from(MEMBERS).unwrap());
    let stats = server.cli(&["INFO", "commandstats"]);
    let scripts = stats
        .lines()
        .find(|line| line.starts_with("cmdstat_evalsha:"));
    // Two big members fill a slice; the last slice is empty.
    assert!(scripts.unwrap().contains("calls=4,"), "{stats}");
}

/// Fills a chord as workers of an older Celery would, many members at once.
async fn fill(server: &RedisServer, members: u64) {
    let mut connection = raw::connection(server).await;
    let places: Vec<u64> = (0..members).collect();
    for chunk in places.chunks(10_000) {
        let mut command = redis::cmd("ZADD");
        command.arg("celery-taskset-meta-g.j");
        for place in chunk {
            let member = format!(r#"[1, "task-{place:06}", "SUCCESS", {place}]"#);
            command.arg(place).arg(member);
        }
        let _: u64 = command.query_async(&mut connection).await.unwrap();
    }
}

/// The longest that one command kept the server busy, in microseconds, of those that took more than a millisecond.
async fn longest_command(server: &RedisServer) -> u64 {
    let entries: Vec<redis::Value> = raw::call(server, &[b"SLOWLOG", b"GET", b"1000"]).await;
    let duration = |entry: redis::Value| {
        let fields: Vec<redis::Value> = redis::from_redis_value(entry).unwrap();
        redis::from_redis_value::<u64>(fields[2].clone()).unwrap()
    };
    entries.into_iter().map(duration).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_members_are_joined_in_slices() {
    const MEMBERS: u64 = 100_000;
    let server = RedisServer::start();
    let results = results(&server, ResultPolicy::default()).await;
    results.open_chords(chord(MEMBERS + 1)).await.unwrap();
    fill(&server, MEMBERS).await;
    server.cli(&["CONFIG", "SET", "slowlog-log-slower-than", "1000"]);
    server.cli(&["SLOWLOG", "RESET"]);
    server.cli(&["CONFIG", "RESETSTAT"]);
    let counted = results.count_part(part("last", None), "token").await;
    assert_eq!(counted.unwrap(), Counted::Complete);
    let parts = results.chord_parts("g").await.unwrap().parts;
    let in_order = parts
        .iter()
        .zip(0..)
        .all(|(part, place)| part.group_index == Some(place) || part.task_id == "last");
    assert!(in_order && parts.len() as u64 == MEMBERS + 1);
    assert!(results.finish_chord("g", "token").await.unwrap());
    let stats = server.cli(&["INFO", "commandstats"]);
    let scripts = stats
        .lines()
        .find(|line| line.starts_with("cmdstat_evalsha:"));
    // One counts, 101 read, one finds no more, one finishes.
    assert!(scripts.unwrap().contains("calls=104,"), "{stats}");
    println!(
        "a chord of {MEMBERS}: the longest command took {} us of the server",
        longest_command(&server).await
    );
}

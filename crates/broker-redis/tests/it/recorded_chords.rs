//! Chords as Celery 5.7 was recorded counting them: after every member our keys are those that the recorded commands leave.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use broker::{ChordPart, ChordStore, Counted, NewChord, ResultPolicy};
use broker_redis::RedisResults;
use protocol::{ChordMember, Codec, Limits};
use redis::aio::MultiplexedConnection;
use serde_json::Value;
use testkit::RedisServer;

use crate::raw;
use crate::support::options;

const GROUP: &str = "celery-taskset-meta-";
/// Lifetimes may differ by the time that a test takes.
const TTL_TOLERANCE_MS: i64 = 60_000;

fn cases() -> Vec<Value> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/fixtures");
    let file = testkit::load_json("CELERIAC_VECTORS", &fixtures, "worker_redis");
    file["cases"].as_array().unwrap().clone()
}

/// The commands on a chord's keys, as far as they write.
fn chord_writes(case: &Value) -> Vec<Vec<String>> {
    let commands = case["commands"].as_array().into_iter().flatten();
    let words = commands.filter_map(|command| {
        let words = command["args"].as_array()?;
        words
            .iter()
            .map(|word| word.as_str().map(str::to_owned))
            .collect::<Option<Vec<String>>>()
    });
    let writes = ["SET", "DEL", "ZADD", "RPUSH", "SADD", "EXPIRE", "INCRBY"];
    words
        .filter(|words| writes.contains(&words[0].as_str()) && words[1].starts_with(GROUP))
        .collect()
}

/// What a recorded command means for the seam.
enum Step {
    Open(NewChord),
    Count(ChordPart),
    Finish(String),
}

/// The group and what is behind its key.
fn split(key: &str) -> (&str, &str) {
    let rest = key.strip_prefix(GROUP).unwrap();
    rest.split_once('.').unwrap_or((rest, ""))
}

fn step(words: &[String]) -> Option<Step> {
    let (group_id, suffix) = split(&words[1]);
    let group_id = group_id.to_owned();
    match (words[0].as_str(), suffix) {
        ("SET", "s") => Some(Step::Open(NewChord {
            group_id,
            size: words[2].parse().unwrap(),
            header: None,
        })),
        ("ZADD", "j") => Some(Step::Count(part(
            group_id,
            &words[3],
            words[2].parse().ok(),
        ))),
        ("RPUSH", "j") => Some(Step::Count(part(group_id, &words[2], None))),
        ("SET", "c") if words[2] == "done" => Some(Step::Finish(group_id)),
        _ => None,
    }
}

fn part(group_id: String, member: &str, group_index: Option<i64>) -> ChordPart {
    let member = ChordMember::decode(member.as_bytes(), &Codec::Json, &Limits::default()).unwrap();
    ChordPart {
        group_id,
        task_id: member.task_id,
        group_index,
        state: member.state,
        result: member.result,
    }
}

/// A list's members carry no index; the name that they were counted under does.
fn with_index(mut part: ChordPart, writes: &[Vec<String>]) -> ChordPart {
    let prefix = format!("{}:", part.task_id);
    let names = writes.iter().filter(|words| words[0] == "SADD");
    let index = names
        .filter_map(|words| words[2].strip_prefix(&prefix))
        .next();
    part.group_index = index.and_then(|index| index.parse().ok());
    part
}

/// The server with ours in database 0 and what was recorded in database 1.
struct Databases {
    ours: MultiplexedConnection,
    celerys: MultiplexedConnection,
}

impl Databases {
    async fn of(server: &RedisServer) -> Self {
        let mut celerys = raw::connection(server).await;
        let () = words(&["SELECT", "1"])
            .query_async(&mut celerys)
            .await
            .unwrap();
        let ours = raw::connection(server).await;
        Self { ours, celerys }
    }

    /// Writes what was recorded, as it is.
    async fn replay(&mut self, recorded: &[String]) {
        let recorded = words(recorded);
        let _: redis::Value = recorded.query_async(&mut self.celerys).await.unwrap();
    }
}

fn words<S: AsRef<str>>(words: &[S]) -> redis::Cmd {
    let mut command = redis::Cmd::new();
    words.iter().for_each(|word| {
        command.arg(word.as_ref());
    });
    command
}

/// Content, type included, and lifetime of every key of a group.
async fn dump(
    connection: &mut MultiplexedConnection,
    group_id: &str,
) -> BTreeMap<String, (String, i64)> {
    let mut keys = BTreeMap::new();
    for suffix in ["", ".j", ".t", ".s", ".d", ".c"] {
        let key = format!("{GROUP}{group_id}{suffix}");
        let kind: String = words(&["TYPE", &key])
            .query_async(connection)
            .await
            .unwrap();
        let read = match kind.as_str() {
            "none" => continue,
            "string" => words(&["GET", &key]),
            "zset" => words(&["ZRANGE", &key, "0", "-1", "WITHSCORES"]),
            "list" => words(&["LRANGE", &key, "0", "-1"]),
            "set" => words(&["SORT", &key, "ALPHA"]),
            other => panic!("{key} is a {other}"),
        };
        let content: redis::Value = read.query_async(connection).await.unwrap();
        let ttl = words(&["PTTL", &key])
            .query_async(connection)
            .await
            .unwrap();
        keys.insert(key, (format!("{content:?}"), ttl));
    }
    keys
}

async fn assert_same(databases: &mut Databases, case: &Value, group_id: &str) {
    let (ours, celerys) = (
        dump(&mut databases.ours, group_id).await,
        dump(&mut databases.celerys, group_id).await,
    );
    let contents = |keys: &BTreeMap<String, (String, i64)>| -> Vec<(String, String)> {
        keys.iter()
            .map(|(key, (content, _))| (key.clone(), content.clone()))
            .collect()
    };
    assert_eq!(contents(&ours), contents(&celerys), "{}", case["id"]);
    for (key, (_, ttl)) in &ours {
        let difference = ttl - celerys[key].1;
        assert!(
            difference.abs() < TTL_TOLERANCE_MS,
            "{} {key} lives {ttl} ms, Celery's {} ms",
            case["id"],
            celerys[key].1
        );
    }
}

/// Carries out what the commands of this case mean, and compares; returns how many members were counted.
async fn compare(databases: &mut Databases, results: &RedisResults, case: &Value) -> usize {
    let writes = chord_writes(case);
    let token = |group: &str| {
        let claim = writes.iter().find(|words| {
            words[0] == "SET" && split(&words[1]) == (group, "c") && words[2] != "done"
        });
        claim.map_or_else(|| "token".to_owned(), |words| words[2].clone())
    };
    let mut compared = 0;
    let mut claimed = BTreeSet::new();
    for (at, words) in writes.iter().enumerate() {
        databases.replay(words).await;
        // Celery ends a chord that failed by forgetting its size; the next member would find it so. Ours end alike.
        let failed = words[0] == "DEL" && words.len() == 2 && words[1].ends_with(".s");
        assert!(
            !failed || claimed.contains(split(&words[1]).0),
            "{}",
            case["id"]
        );
        match step(words) {
            None => continue,
            Some(Step::Open(chord)) => results.open_chords(vec![chord]).await.unwrap(),
            Some(Step::Finish(group)) => {
                assert!(results.finish_chord(&group, &token(&group)).await.unwrap());
                assert_same(databases, case, &group).await;
            }
            Some(Step::Count(part)) => {
                let part = with_index(part, &writes);
                let group = part.group_id.clone();
                let rest = following(&writes[at + 1..], &group);
                for words in rest {
                    databases.replay(words).await;
                }
                let completes = rest.iter().any(|words| words[1].ends_with(".c"));
                let counted = results.count_part(part, &token(&group)).await.unwrap();
                let expected = if completes {
                    Counted::Complete
                } else {
                    Counted::Open
                };
                assert_eq!(counted, expected, "{}", case["id"]);
                if completes {
                    claimed.insert(group.clone());
                }
                assert_same(databases, case, &group).await;
                compared += 1;
            }
        }
    }
    compared
}

/// What the script that counted a member wrote after the member: up to the next step of this chord.
fn following<'w>(writes: &'w [Vec<String>], group_id: &str) -> &'w [Vec<String>] {
    let of_the_script = |words: &Vec<String>| {
        split(&words[1]).0 == group_id
            && matches!(words[0].as_str(), "SADD" | "EXPIRE" | "SET")
            && step(words).is_none()
    };
    let end = writes.iter().position(|words| !of_the_script(words));
    &writes[..end.unwrap_or(writes.len())]
}

#[tokio::test(flavor = "multi_thread")]
async fn our_keys_are_celerys_after_every_member() {
    let server = RedisServer::start();
    let mut databases = Databases::of(&server).await;
    let (mut chords, mut members) = (0, 0);
    for case in cases() {
        let kind = case["kind"].as_str().unwrap();
        let is_list = kind == "enc_list_chord";
        if !is_list && !kind.starts_with("chord_") {
            continue;
        }
        let policy = ResultPolicy {
            chord_ordered: !is_list,
            ..ResultPolicy::default()
        };
        let results = RedisResults::connect(options(&server.url()), policy)
            .await
            .unwrap();
        members += compare(&mut databases, &results, &case).await;
        chords += 1;
    }
    println!("{members} members of {chords} recorded chords counted as Celery counted them");
    assert!(chords >= 40 && members >= 120, "{chords} {members}");
}

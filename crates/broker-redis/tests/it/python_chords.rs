//! Chords with members on both sides: real Python Celery sends them and runs its part, ours are settled here.

use std::time::Duration;

use broker::{
    ChordPart, ChordStore, Effects, ResultBackend, ResultPolicy, Settled, Settlement, Verdict,
};
use broker_redis::RedisResults;
use protocol::{ResultTuple, State, TaskMeta, Value};

use crate::python_stage::PythonStage;
use crate::support::{DEADLINE, consumer, eventually, open, options, take};

/// `ours` is a queue that no Python worker reads.
const APP: &str = r#"
import os
from celery import Celery, chord, group
from celery.result import GroupResult

app = Celery("chords", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])

@app.task
def add(x, y):
    return x + y

@app.task
def total(numbers):
    return sum(numbers)

def send():
    header = [add.s(1, 10).set(queue="ours"), add.s(2, 20)]
    print(chord(header)(total.s()).id)
"#;

fn stage() -> PythonStage {
    PythonStage::new("chords", APP)
}

async fn results(stage: &PythonStage) -> std::sync::Arc<RedisResults> {
    RedisResults::connect(options(&stage.server.url()), ResultPolicy::default())
        .await
        .unwrap()
}

/// Takes our member and settles it with its result and its count.
async fn run_ours(stage: &PythonStage) -> (Settled, String) {
    let broker = open(&stage.server).await;
    let consumer = consumer(&broker, &["ours"]).await;
    let delivery = take(&*consumer, 1).await.remove(0);
    let headers = &delivery.message.as_ref().unwrap().headers;
    let group_id = headers.group.clone().unwrap();
    let (task_id, result) = (headers.id.clone().unwrap(), Value::from(11));
    let part = ChordPart {
        group_id: group_id.clone(),
        task_id: task_id.clone(),
        group_index: headers.group_index,
        state: State::Success,
        result: result.clone(),
    };
    let settlement = Settlement {
        store: Some(TaskMeta::new(task_id, State::Success, result)),
        effects: Some(Box::new(Effects {
            count: Some(part),
            ..Effects::default()
        })),
        ..Settlement::new(delivery.tag, Verdict::Ack)
    };
    (
        consumer.settle(vec![settlement]).await.unwrap()[0],
        group_id,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_worker_joins_a_chord_whose_other_member_ran_here() {
    let stage = stage();
    let body = stage.run("send()");
    assert_eq!(run_ours(&stage).await.0, Settled::Done);
    let _worker = stage.start_worker().await;
    let results = results(&stage).await;
    let mut stream = results.watch(vec![body]).await.unwrap();
    let meta = tokio::time::timeout(DEADLINE, stream.next()).await;
    let meta = meta.expect("the body ends in time").unwrap();
    assert_eq!((meta.status, meta.result), (State::Success, 33.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_member_is_ours_after_a_python_worker_counted() {
    let stage = stage();
    stage.run("send()");
    let worker = stage.start_worker().await;
    let server = &stage.server;
    let counted = "celery-taskset-meta-*.d";
    eventually(async || !server.cli(&["--scan", "--pattern", counted]).is_empty()).await;
    drop(worker);
    let (settled, group_id) = run_ours(&stage).await;
    assert_eq!(settled, Settled::Complete);
    let parts = results(&stage).await.chord_parts(&group_id).await.unwrap();
    let values: Vec<Value> = parts.parts.into_iter().map(|part| part.result).collect();
    assert_eq!(values, [Value::from(11), 22.into()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_restored_on_the_other_side() {
    let stage = stage();
    let results = results(&stage).await;
    let members = vec![ResultTuple::task("a"), ResultTuple::task("b")];
    let group = ResultTuple::group("rust", members);
    results
        .save_group("rust", Value::from(&group))
        .await
        .unwrap();
    let printed = stage.run(
        "print(GroupResult.restore('rust', app=app).as_tuple() == (('rust', None), [(('a', None), None), (('b', None), None)]))\n\
         GroupResult('python', [app.AsyncResult('c')]).save(backend=app.backend)",
    );
    assert_eq!(printed, "True");
    let restored = results.restore_group("python").await.unwrap().unwrap();
    let restored = ResultTuple::from_value(restored).unwrap();
    assert_eq!(
        restored,
        ResultTuple::group("python", vec![ResultTuple::task("c")])
    );
    let ttl = |id: &str| {
        stage
            .server
            .cli(&["TTL", &format!("celery-taskset-meta-{id}")])
    };
    let ttls = ["rust", "python"].map(|id| ttl(id).parse::<u64>().unwrap());
    assert!(
        ttls.iter().all(|ttl| Duration::from_secs(*ttl) > DEADLINE),
        "{ttls:?}"
    );
    results.forget_group("python").await.unwrap();
    let printed = stage.run("print(GroupResult.restore('python', app=app))");
    assert_eq!(printed, "None");
}

//! Composite signatures, read from the recorded messages and built anew.

use protocol::{Canvas, Map, Signature, Value};

use crate::vectors::{Counts, assert_same, cases, list, text};

#[test]
fn every_composite_signature_reads_and_writes_as_recorded() {
    let mut counts = Counts::default();
    for case in &cases("producer_redis") {
        for message in list(case, "messages") {
            let found = replay_all(message.get("decoded").unwrap().get("body").unwrap(), case);
            if found > 0 {
                counts.add(case, found);
            }
        }
    }
    counts.print("producer_redis", "composite signatures");
}

/// Replays every composite signature anywhere in a value.
fn replay_all(value: &Value, case: &Value) -> usize {
    match value {
        Value::List(items) => items.iter().map(|item| replay_all(item, case)).sum(),
        Value::Map(map) => {
            let inner: usize = map.iter().map(|(_, value)| replay_all(value, case)).sum();
            let kind = map.get("subtask_type").and_then(Value::as_str);
            inner + kind.map_or(0, |_| replay(value, case))
        }
        _ => 0,
    }
}

fn replay(value: &Value, case: &Value) -> usize {
    let signature = Signature::from_value(value.clone()).unwrap();
    let canvas = signature.canvas().unwrap();
    assert_ne!(canvas, Canvas::Task, "{}", text(case, "id"));
    let built = canvas.clone().into_signature().unwrap();
    assert_eq!(
        (&built.task, &built.subtask_type),
        (&signature.task, &signature.subtask_type)
    );
    assert_eq!(built.canvas().unwrap(), canvas);
    assert_same(&signature.into_value(), value, case);
    1
}

fn add() -> Signature {
    Signature::new("demo.add").args(vec![Value::Int(1)])
}

#[test]
fn every_kind_comes_back_the_same() {
    let it = vec![Value::List(vec![Value::Int(1), Value::Int(2)])];
    for canvas in [
        Canvas::Chain(vec![add(), add()]),
        Canvas::Group(vec![add()]),
        Canvas::Chord {
            header: vec![add()],
            body: Box::new(add()),
            kwargs: Map::new(),
        },
        Canvas::Chunks {
            task: Box::new(add()),
            it: it.clone(),
            n: 3,
        },
        Canvas::Map {
            task: Box::new(add()),
            it: it.clone(),
        },
        Canvas::Starmap {
            task: Box::new(add()),
            it,
        },
    ] {
        let signature = canvas.clone().into_signature().unwrap();
        let read = Signature::from_value(signature.into_value()).unwrap();
        assert_eq!(read.canvas().unwrap(), canvas);
    }
    assert_eq!(add().canvas().unwrap(), Canvas::Task);
}

#[test]
fn a_chord_header_may_be_a_list() {
    let mut signature = Signature::new("celery.chord")
        .kwarg("header", vec![add(), add()])
        .kwarg("body", add());
    signature.subtask_type = Some("chord".to_owned());
    let Canvas::Chord { header, .. } = signature.canvas().unwrap() else {
        panic!("not a chord")
    };
    assert_eq!(header, [add(), add()]);
}

#[test]
fn a_list_of_one_group_is_no_group() {
    let group = Canvas::Group(vec![add(), add()]).into_signature().unwrap();
    let header = |header: Value| {
        let mut signature = Signature::new("celery.chord")
            .kwarg("header", header)
            .kwarg("body", add());
        signature.subtask_type = Some("chord".to_owned());
        match signature.canvas().unwrap() {
            Canvas::Chord { header, .. } => header.len(),
            other => panic!("not a chord: {other:?}"),
        }
    };
    assert_eq!(header(group.clone().into()), 2);
    assert_eq!(header(vec![group].into()), 1);
    assert_eq!(header(add().into()), 1);
}

#[test]
fn a_small_signature_is_enough_and_a_wrong_one_is_named() {
    let small = Value::Map(Map::from_iter([("task", "t")]));
    assert_eq!(Signature::from_value(small).unwrap(), Signature::new("t"));
    let wrong = Value::Map(Map::from_iter([
        ("task", Value::from("t")),
        ("args", Value::Int(1)),
    ]));
    assert_eq!(Signature::from_value(wrong).unwrap_err().path(), "args");
    let mut chain = Signature::new("celery.chain").kwarg("tasks", vec![Value::Int(1)]);
    chain.subtask_type = Some("chain".to_owned());
    assert_eq!(chain.canvas().unwrap_err().path(), "kwargs.tasks[0]");
}

#[test]
fn earlier_results_come_first_unless_immutable() {
    let mut signature = add();
    signature.prepend([Value::Int(9)]);
    assert_eq!(signature.args, [Value::Int(9), Value::Int(1)]);
    signature.immutable = true;
    signature.prepend([Value::Int(7)]);
    assert_eq!(signature.args.len(), 2);
}

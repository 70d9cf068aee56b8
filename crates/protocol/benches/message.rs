//! Task messages and result metas: to the bytes that Redis keeps, and back.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use protocol::{Accept, Codec, Limits, Message, State, TaskMessage, TaskMeta, TaskRequest, Value};

const ID: &str = "0b4bb3ea-8b7c-4d7d-9b6c-6d2f2f8f1f6a";
/// Arguments of a large message: as many numbers, and a text of so many bytes.
const NUMBERS: i64 = 1_000;
const TEXT: usize = 10_000;

fn small() -> TaskMessage {
    TaskMessage {
        args: vec![Value::from(1), Value::from(2)],
        origin: Some("gen1@host".to_owned()),
        ..TaskMessage::new("bench.add", ID)
    }
}

fn large() -> TaskMessage {
    let numbers: Vec<Value> = (0..NUMBERS).map(Value::from).collect();
    TaskMessage {
        args: vec![Value::from(numbers), Value::from("x".repeat(TEXT))],
        ..small()
    }
}

fn encode(message: TaskMessage) -> Vec<u8> {
    let message = message.encode(Codec::Json, None).unwrap();
    message.to_envelope().unwrap()
}

fn decode(bytes: &[u8], limits: &Limits) -> TaskRequest {
    let message = Message::from_envelope(bytes, limits).unwrap();
    TaskRequest::from_message(&message, &Accept::default(), limits).unwrap()
}

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("message");
    let limits = Limits::default();
    for (size, message) in [("small", small()), ("large", large())] {
        group.bench_function(format!("encode_{size}"), |bencher| {
            bencher.iter_batched(|| message.clone(), encode, criterion::BatchSize::SmallInput);
        });
        let bytes = encode(message);
        group.bench_function(format!("decode_{size}"), |bencher| {
            bencher.iter(|| decode(black_box(&bytes), &limits));
        });
    }
    group.finish();
}

fn metas(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("meta");
    let meta = TaskMeta::new(ID, State::Success, Value::from(3));
    group.bench_function("encode", |bencher| {
        bencher.iter(|| black_box(&meta).encode(Codec::Json, None).unwrap());
    });
    let bytes = meta.encode(Codec::Json, None).unwrap();
    let limits = Limits::default();
    group.bench_function("decode", |bencher| {
        bencher.iter(|| TaskMeta::decode(black_box(&bytes), &Codec::Json, &limits).unwrap());
    });
    group.finish();
}

criterion_group!(benches, messages, metas);
criterion_main!(benches);

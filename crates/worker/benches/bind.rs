//! Binding the arguments of a call to a task's fields.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use protocol::{Map, Value};
use serde::Deserialize;
use worker::{Arguments, bind};

#[derive(Deserialize)]
#[allow(dead_code, reason = "only bound, never read")]
struct Reconcile {
    account_id: i64,
    user: String,
    tolerance: f64,
    dry_run: Option<bool>,
}

fn values() -> [(&'static str, Value); 4] {
    [
        ("account_id", Value::from(17)),
        ("user", Value::from("somebody")),
        ("tolerance", Value::from(0.01)),
        ("dry_run", Value::from(true)),
    ]
}

fn positional() -> Arguments {
    Arguments {
        args: values().map(|(_, value)| value).to_vec(),
        kwargs: Map::new(),
    }
}

fn keyword() -> Arguments {
    let named = values().map(|(name, value)| (name.to_owned(), value));
    Arguments {
        args: Vec::new(),
        kwargs: named.into_iter().collect(),
    }
}

fn binding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bind");
    for (kind, arguments) in [("positional", positional()), ("keyword", keyword())] {
        group.bench_function(kind, |bencher| {
            bencher.iter_batched(
                || arguments.clone(),
                |arguments| bind::<Reconcile>("bench.reconcile", arguments).unwrap(),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, binding);
criterion_main!(benches);

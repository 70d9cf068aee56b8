//! The next run of a crontab.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::hint::black_box;

use beat::schedule::{Crontab, CrontabSpec, find_zone};
use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;

/// Minute, hour, day of month, month, weekday.
const LINES: [(&str, &str); 3] = [
    ("every_5_minutes", "*/5 * * * *"),
    ("weekdays", "30 17 * * mon-fri"),
    ("29_february", "0 0 29 2 *"),
];

fn crontabs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("crontab");
    let zone = find_zone("America/New_York").unwrap();
    let last: Timestamp = "2026-01-16T22:30:00Z".parse().unwrap();
    for (name, line) in LINES {
        let crontab = Crontab::new(CrontabSpec::from_line(line).unwrap()).unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter(|| crontab.next_after(black_box(last), &zone).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, crontabs);
criterion_main!(benches);

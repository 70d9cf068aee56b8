//! Chains, groups and chords of the drill's tasks, of every pool in turn. Each task has its own number, and its id names it.

use client::canvas::typed::group;
use client::canvas::{Nothing, Step};
use client::{Client, ClientError, TaskError};
use tests::{Gather, Record, RecordInChild, RecordOnThread};
use worker::Task;

use crate::commands::record;

/// Tasks of a chain.
const STEPS: usize = 3;
/// Tasks of a group, and of a chord's header.
const MEMBERS: usize = 4;

/// Hands out the numbers.
struct Numbers<'a> {
    journal: &'a str,
    milliseconds: u64,
    next: usize,
}

impl Numbers<'_> {
    fn record(&mut self) -> Record {
        self.next += 1;
        record(self.journal, self.next - 1, self.milliseconds)
    }

    fn step(&mut self) -> Step<Nothing, usize> {
        let record = self.record();
        let id = id(&record);
        let name = match record.number % 3 {
            0 => Record::NAME,
            1 => RecordOnThread::NAME,
            _ => RecordInChild::NAME,
        };
        Step::of(name, &record).task_id(id)
    }

    fn steps(&mut self, count: usize) -> Vec<Step<Nothing, usize>> {
        (0..count).map(|_| self.step()).collect()
    }
}

fn id(record: &Record) -> String {
    format!("drill-{}", record.number)
}

/// Sends this many chains, groups and chords, and prints how many tasks they are.
pub(crate) async fn send(
    client: &Client,
    journal: &str,
    count: usize,
    milliseconds: u64,
) -> Result<(), TaskError> {
    let mut numbers = Numbers {
        journal,
        milliseconds,
        next: 0,
    };
    for _ in 0..count {
        let steps = numbers.steps(STEPS).into_iter();
        let chain = steps.reduce(|chain, step| chain.then(step));
        chain.expect("a chain has steps").apply(client).await?;
        group(numbers.steps(MEMBERS)).apply(client).await?;
        send_chord(client, &mut numbers).await?;
    }
    println!("{}", numbers.next);
    Ok(())
}

async fn send_chord(client: &Client, numbers: &mut Numbers<'_>) -> Result<(), ClientError> {
    let expected: Vec<usize> = (numbers.next..numbers.next + MEMBERS).collect();
    let header = group(numbers.steps(MEMBERS));
    let record = numbers.record();
    let id = id(&record);
    let body = Gather {
        members: Vec::new(),
        expected,
        record,
    };
    let body: Step<_, usize> = Step::partial(Gather::NAME, &body).task_id(id);
    header.then(body).apply(client).await?;
    Ok(())
}

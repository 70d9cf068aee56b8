//! What the drill's client can do.

use std::time::Duration;

use client::{Client, ClientError, TaskError};
use protocol::{Codec, Limits, State, TaskMeta, Value};
use tests::{Compute, Echo, Kill, Record, RecordLarge};
use worker::{SendTask, Task};

use crate::{flows, trees};

pub(crate) async fn run(client: &Client, words: &[&str]) -> Result<(), TaskError> {
    match *words {
        ["send", journal, count, milliseconds] => {
            let task = |number| record(journal, number, parse(milliseconds));
            send(client, 0, parse(count), task).await
        }
        ["send-from", first, journal, count, milliseconds] => {
            let task = |number| record(journal, number, parse(milliseconds));
            send(client, parse(first), parse(count), task).await
        }
        ["large", journal, count, milliseconds] => {
            let task = |number| RecordLarge {
                record: record(journal, number, parse(milliseconds)),
                payload: RecordLarge::payload_of(number),
            };
            send(client, 0, parse(count), task).await
        }
        ["compute", journal, count, milliseconds] => {
            let task = |number| Compute(record(journal, number, parse(milliseconds)));
            send(client, 0, parse(count), task).await
        }
        ["flows", journal, count, milliseconds] => {
            flows::send(client, journal, parse(count), parse(milliseconds)).await
        }
        ["unsuccessful", count] => unsuccessful(client, parse(count)).await,
        ["later", journal, number, seconds] => {
            later(client, journal, parse(number), parse(seconds)).await
        }
        ["kill", journal, number] => kill(client, journal, parse(number)).await,
        ["echo", json] => echo(client, json).await,
        ["lost", count] => lost(client, parse(count)).await,
        ["trees", file] => trees::run(client, file).await,
        ["group-save"] => trees::save(client).await,
        ["group-restore", id] => trees::restore(client, id).await,
        _ => panic!("unknown arguments {words:?}"),
    }
}

fn parse<T: std::str::FromStr<Err = std::num::ParseIntError>>(text: &str) -> T {
    text.parse().expect("the drill passes numbers")
}

pub(crate) fn record(journal: &str, number: usize, milliseconds: u64) -> Record {
    Record {
        number,
        journal_path: journal.into(),
        milliseconds,
    }
}

/// Sends tasks that are numbered from `first` on, in one batch.
async fn send<T: Task>(
    client: &Client,
    first: usize,
    count: usize,
    task: impl Fn(usize) -> T,
) -> Result<(), TaskError> {
    let call = |number| {
        client
            .call(task(number))
            .task_id(format!("drill-{number}"))
            .build()
    };
    let calls = (first..first + count)
        .map(call)
        .collect::<Result<Vec<_>, _>>()?;
    client.send_all(calls).await?;
    Ok(())
}

async fn later(
    client: &Client,
    journal: &str,
    number: usize,
    seconds: u64,
) -> Result<(), TaskError> {
    client
        .call(record(journal, number, 0))
        .countdown(Duration::from_secs(seconds))
        .send()
        .await?;
    Ok(())
}

async fn kill(client: &Client, journal: &str, number: usize) -> Result<(), TaskError> {
    let task = Kill {
        journal_path: journal.into(),
        number,
    };
    let call = client.call(task).task_id(format!("drill-{number}"));
    call.send().await?;
    Ok(())
}

async fn echo(client: &Client, json: &str) -> Result<(), TaskError> {
    let value = Codec::Json
        .decode(json.as_bytes(), &Limits::default())
        .expect("the drill passes JSON");
    let back: Value = client
        .send(Echo { value })
        .await?
        .get(Duration::from_secs(60))
        .await?;
    let bytes = Codec::Json
        .encode(&back)
        .expect("a value that came by JSON goes by JSON");
    println!("{}", String::from_utf8_lossy(&bytes));
    Ok(())
}

/// Prints the number, the state and the exception of each task that is not stored as SUCCESS.
async fn unsuccessful(client: &Client, count: usize) -> Result<(), TaskError> {
    for (number, meta) in metas(client, count).await?.into_iter().enumerate() {
        let state = meta
            .as_ref()
            .map_or(State::Pending, |meta| meta.status.clone());
        if state != State::Success {
            let exception = meta.and_then(|meta| meta.exception());
            println!("{number} {state} {exception:?}");
        }
    }
    Ok(())
}

async fn metas(client: &Client, count: usize) -> Result<Vec<Option<TaskMeta>>, TaskError> {
    let ids: Vec<String> = (0..count).map(|number| format!("drill-{number}")).collect();
    let results = client
        .backends()
        .results
        .clone()
        .ok_or(ClientError::NoResultBackend)?;
    Ok(results.fetch(&ids).await.expect("the results can be read"))
}

async fn lost(client: &Client, count: usize) -> Result<(), TaskError> {
    let metas = metas(client, count).await?;
    for (number, meta) in metas.iter().enumerate() {
        let exception = meta.as_ref().and_then(|meta| meta.exception());
        if exception.is_some_and(|exception| exception.exc_type == "WorkerLostError") {
            println!("{number}");
        }
    }
    Ok(())
}

//! A worker with the drill's tasks.

use std::convert::Infallible;
use std::process::ExitCode;

use tests::{
    Compute, Echo, Fail, Gather, Kill, Record, RecordInChild, RecordLarge, RecordOnThread, Slot,
};
use worker::Registry;

fn main() -> ExitCode {
    tests::note_parent();
    service::worker_main("drill-worker", |_| {
        Ok::<_, Infallible>(
            Registry::new()
                .task::<Record>()
                .blocking::<RecordOnThread>()
                .prefork::<RecordInChild>()
                .task::<RecordLarge>()
                .task::<Compute>()
                .task::<Gather>()
                .task::<Slot>()
                .task::<Echo>()
                .task::<Fail>()
                .task::<Kill>(),
        )
    })
}

//! The tasks of the drill worker, shared by the worker and the client that sends them. The tests themselves
//! are in `tests/it`.

mod tasks;

pub use tasks::{
    Compute, Echo, Fail, Gather, Kill, Record, RecordInChild, RecordLarge, RecordOnThread, Slot,
    note_parent,
};

//! The chord seam: who of a chord's members has ended, and who may call its body.
//!
//! A chord is open from [`ChordStore::open_chords`] on; its members count themselves with [`ChordStore::count_part`], each once however
//! often it is redelivered. Whoever counts the last one gets a claim: a lock with a name and an end, so that one joins at a time and
//! another may when the first has died. Calling the body is the worker's; so are the rules of Celery's chord errors.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use protocol::{State, Value};

use crate::{Publish, Result};

/// How long a call of a chord is known to have been published: longer than any worker is frozen, or a member comes again.
pub const CALL_MEMORY: Duration = Duration::from_secs(86_400);

/// A chord to open: how many members must end before its body is called.
#[derive(Clone, Debug, PartialEq)]
pub struct NewChord {
    /// The header's group id.
    pub group_id: String,
    /// How many members must end.
    pub size: u64,
    /// Of a header with groups in it: its result tuple, saved where [`ResultBackend::restore_group`](crate::ResultBackend::restore_group)
    /// reads it.
    pub header: Option<Value>,
}

/// A member of a chord that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ChordPart {
    /// The header's group id.
    pub group_id: String,
    /// The member's task id.
    pub task_id: String,
    /// Its place in the header.
    pub group_index: Option<i64>,
    /// The state it ended in.
    pub state: State,
    /// Its value, or the exception map.
    pub result: Value,
}

/// What is known of a chord.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChordParts {
    /// The members that have ended, by [`group_index`](ChordPart::group_index), those without one last. A backend that keeps members as
    /// they end (Celery's `result_chord_ordered` off) gives them in that order and without an index.
    pub parts: Vec<ChordPart>,
    /// The saved header.
    pub header: Option<Value>,
}

/// What the end of a chord calls.
#[derive(Clone, Debug)]
pub struct ChordCall {
    /// The header's group id.
    pub group_id: String,
    /// The messages of the body.
    pub publish: Vec<Publish>,
    /// The call's name: the messages are dropped if some settlement has published a call of this name within [`CALL_MEMORY`]. Without
    /// one they are always published. [`SplitResults`](crate::SplitResults) names calls; elsewhere the chord ends in the same step.
    pub once: Option<String>,
}

/// What came of counting a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// More members are to come, or the chord is not open.
    Open,
    /// This was the last; the claim is the caller's.
    Complete,
    /// The chord is complete, and somebody else's claim is alive.
    Claimed,
    /// The body was called already.
    Over,
}

/// A store of chords. A token names who claims: any text that nobody else uses.
#[async_trait]
pub trait ChordStore: Send + Sync + fmt::Debug {
    /// Whether members can count themselves here. If not, chords need `celery.chord_unlock`.
    fn joins_chords(&self) -> bool {
        true
    }

    /// Opens chords. One that is opened again begins anew, as a signature that is applied twice does; members that were counted stay.
    async fn open_chords(&self, chords: Vec<NewChord>) -> Result<()>;

    /// So many members more must end, because of `by`: a message, however often it is delivered. What it has added before, it adds no
    /// longer, so repeating this changes nothing.
    async fn grow_chord(&self, group_id: &str, members: u32, by: &str) -> Result<()>;

    /// Counts a member, once for its task id and index, and claims the chord when it is complete.
    async fn count_part(&self, part: ChordPart, token: &str) -> Result<Counted>;

    /// The members that have ended, and the header.
    async fn chord_parts(&self, group_id: &str) -> Result<ChordParts>;

    /// Holds the token's claim for as long as a new one lasts, or takes one that has run out while the chord is open;
    /// `None` when it is somebody else's or the chord is over. The output names the call that ends the chord: it is the first token that
    /// held the chord here since it was opened, so whoever joins after a crash learns the name that the dead one had.
    async fn hold_chord(&self, group_id: &str, token: &str) -> Result<Option<String>>;

    /// Ends a chord whose claim is the token's, or has run out while the chord is open: its members are forgotten, and for a while
    /// those that come late are told that it is over. `false`, and nothing done, otherwise.
    async fn finish_chord(&self, group_id: &str, token: &str) -> Result<bool>;
}

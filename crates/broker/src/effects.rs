//! What a settlement writes besides its own meta and messages: the other tasks and the chords that its task takes along.

use protocol::TaskMeta;

use crate::{ChordPart, NewChord};

/// What else is written in a settlement's one step, if its tag is still held.
///
/// The order is: the claims of `finish`, the settlement's own meta, `count`, which finds the chords as `grow` leaves them; if that does
/// not end the settlement (see [`Settled::Complete`](crate::Settled::Complete)) then `grow`, `metas`, `open`, the messages, the
/// verdict, and `finish`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// Metas of other tasks: the rest of a failed chain, the body of a failed chord. A SUCCESS is not overwritten.
    pub metas: Vec<TaskMeta>,
    /// Chords to open before their members are published.
    pub open: Vec<NewChord>,
    /// Chords by group id, and how many members more they get. With [`Verdict::Keep`](crate::Verdict::Keep) they may get them twice if
    /// the connection breaks meanwhile: such a settlement is repeated, and the message is still held. A task that adds members to its
    /// own chord is counted in the same settlement, so that it is never the last.
    pub grow: Vec<(String, u32)>,
    /// Chords by group id that are claimed under this settlement's tag and end now.
    pub finish: Vec<String>,
    /// What members have left of these chords stays until it expires, as Celery leaves that of a chord that has failed. Only readers
    /// of Redis can see the difference.
    pub keep_parts: bool,
    /// This task, as a member of a chord that has ended.
    pub count: Option<ChordPart>,
}

impl Effects {
    /// How many members more a chord gets.
    pub fn growth_of(&self, group_id: &str) -> u64 {
        let grown = self.grow.iter().filter(|(chord, _)| chord == group_id);
        grown.map(|(_, members)| u64::from(*members)).sum()
    }
}

//! Chords: opened, grown, counted, claimed and finished. Every count looks at one row of `chords`, however many members there are.

use broker::Counted;
use bytes::Bytes;

use super::{Operation, Tx};
use crate::clock::{steady_ms, wall_ms};
use crate::error::Result;
use crate::sql;

/// Chords that have expired are as good as not there. Parameters: group, now.
const FORGET_EXPIRED: &str = "DELETE FROM chords WHERE group_id = ?1 AND expires_at <= ?2";
const FORGET_PARTS: &str = "DELETE FROM chord_parts WHERE group_id = ?1";
const OPEN: &str = "\
INSERT INTO chords (group_id, size, expires_at) VALUES (?1, ?2, ?3)
ON CONFLICT (group_id) DO UPDATE SET
    size = excluded.size, expires_at = excluded.expires_at, claim = NULL, claim_until = NULL, call = NULL, over = 0";
const GROW: &str = "\
INSERT INTO chords (group_id, growth, expires_at) VALUES (?1, ?2, ?3)
ON CONFLICT (group_id) DO UPDATE SET growth = growth + excluded.growth, expires_at = excluded.expires_at";
const FORGET_GROWTH: &str = "DELETE FROM chord_growth WHERE group_id = ?1";
const GROWTH: &str = "SELECT members FROM chord_growth WHERE group_id = ?1 AND by = ?2";
const NOTE_GROWTH: &str =
    "INSERT OR REPLACE INTO chord_growth (group_id, by, members) VALUES (?1, ?2, ?3)";
const NAME_CALL: &str =
    "UPDATE chords SET call = coalesce(call, ?2) WHERE group_id = ?1 RETURNING call";
const IS_OVER: &str = "SELECT EXISTS (SELECT 1 FROM chords WHERE group_id = ?1 AND over)";
const ADD_PART: &str = "\
INSERT INTO chord_parts (group_id, place, task_id, member) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
/// The output is whether the chord is complete if it gets so many members more (?4), null while it is not open.
const COUNT: &str = "\
INSERT INTO chords (group_id, counted, expires_at) VALUES (?1, ?2, ?3)
ON CONFLICT (group_id) DO UPDATE SET counted = counted + excluded.counted, expires_at = excluded.expires_at
RETURNING counted >= size + growth + ?4";
const KEEP_HEADER: &str = "UPDATE groups SET expires_at = ?2 WHERE group_id = ?1";
pub(super) const SAVE_HEADER: &str =
    "INSERT OR REPLACE INTO groups (group_id, result, expires_at) VALUES (?1, ?2, ?3)";
/// The token's claim is renewed; one that has run out, or was never made, is taken while the chord is open.
const HOLD: &str = "\
UPDATE chords SET claim = ?2, claim_until = ?3 + ?4
WHERE group_id = ?1 AND NOT over AND (expires_at IS NULL OR expires_at > ?5)
  AND (claim = ?2 AND claim_until > ?3 OR size IS NOT NULL AND (claim IS NULL OR claim_until <= ?3))";
const FINISH: &str = "\
UPDATE chords SET size = NULL, growth = 0, counted = 0, claim = NULL, claim_until = NULL, call = NULL, over = 1, expires_at = ?2 WHERE group_id = ?1";

/// How long what is kept, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChordTerms {
    /// `None`: for ever.
    pub(crate) lifetime: Option<i64>,
    /// `None`: for ever.
    pub(crate) header: Option<i64>,
    pub(crate) claim: i64,
    pub(crate) memory: i64,
}

fn from_now(lifetime: Option<i64>) -> Option<i64> {
    lifetime.map(|lifetime| wall_ms().saturating_add(lifetime))
}

/// A chord to open.
#[derive(Clone, Debug)]
pub(crate) struct EncodedChord {
    pub(crate) group_id: String,
    pub(crate) size: i64,
    pub(crate) header: Option<Bytes>,
}

/// A member to count.
#[derive(Clone, Debug)]
pub(crate) struct EncodedPart {
    pub(crate) group_id: String,
    pub(crate) task_id: String,
    pub(crate) place: i64,
    pub(crate) member: Bytes,
}

fn forget_expired(tx: &mut Tx<'_>, group_id: &str) -> Result<()> {
    if sql::execute(tx.conn, FORGET_EXPIRED, (group_id, wall_ms()))? > 0 {
        forget_parts(tx, group_id)?;
    }
    Ok(())
}

fn forget_parts(tx: &mut Tx<'_>, group_id: &str) -> Result<()> {
    for forget in [FORGET_PARTS, FORGET_GROWTH] {
        sql::execute(tx.conn, forget, [group_id])?;
    }
    Ok(())
}

pub(crate) fn open(tx: &mut Tx<'_>, chord: &EncodedChord, terms: ChordTerms) -> Result<()> {
    forget_expired(tx, &chord.group_id)?;
    let (group_id, expires_at) = (&chord.group_id, from_now(terms.lifetime));
    sql::execute(tx.conn, OPEN, (group_id, chord.size, expires_at))?;
    if let Some(header) = &chord.header {
        sql::execute(tx.conn, SAVE_HEADER, (group_id, &header[..], expires_at))?;
    }
    Ok(())
}

pub(crate) fn grow(tx: &mut Tx<'_>, group_id: &str, members: i64, terms: ChordTerms) -> Result<()> {
    forget_expired(tx, group_id)?;
    let expires_at = from_now(terms.lifetime);
    sql::execute(tx.conn, GROW, (group_id, members, expires_at))?;
    Ok(())
}

/// Makes a chord as much larger as a message adds members to it now; what the message added before, it adds no longer.
fn grow_by(
    tx: &mut Tx<'_>,
    group_id: &str,
    members: i64,
    by: &str,
    terms: ChordTerms,
) -> Result<()> {
    forget_expired(tx, group_id)?;
    let before: Option<(i64,)> = sql::first(tx.conn, GROWTH, (group_id, by))?;
    let more = members - before.map_or(0, |(before,)| before);
    if more == 0 {
        return Ok(());
    }
    sql::execute(tx.conn, NOTE_GROWTH, (group_id, by, members))?;
    grow(tx, group_id, more, terms)
}

/// Counts a member of a chord that gets `added` more in the same step.
pub(crate) fn count(
    tx: &mut Tx<'_>,
    part: &EncodedPart,
    added: i64,
    token: &str,
    terms: ChordTerms,
) -> Result<Counted> {
    forget_expired(tx, &part.group_id)?;
    let (is_over,) = sql::one(tx.conn, IS_OVER, [&part.group_id])?;
    if is_over {
        return Ok(Counted::Over);
    }
    Ok(match add(tx, part, added, terms)? {
        None | Some(false) => Counted::Open,
        Some(true) if hold(tx, &part.group_id, token, terms)? => Counted::Complete,
        Some(true) => Counted::Claimed,
    })
}

/// Whether the chord is complete with this member, if it gets `added` more; `None` when it is not open.
fn add(tx: &mut Tx<'_>, part: &EncodedPart, added: i64, terms: ChordTerms) -> Result<Option<bool>> {
    let EncodedPart {
        group_id,
        task_id,
        place,
        member,
    } = part;
    let new = sql::execute(tx.conn, ADD_PART, (group_id, place, task_id, &member[..]))? > 0;
    if let (Some(_), Some(header)) = (terms.lifetime, terms.header) {
        sql::execute(tx.conn, KEEP_HEADER, (group_id, from_now(Some(header))))?;
    }
    let expires_at = from_now(terms.lifetime);
    let (complete,) = sql::one(tx.conn, COUNT, (group_id, new, expires_at, added))?;
    Ok(complete)
}

/// Renews the token's claim or takes one that is free; `false` when it is neither.
pub(crate) fn hold(
    tx: &mut Tx<'_>,
    group_id: &str,
    token: &str,
    terms: ChordTerms,
) -> Result<bool> {
    let claim = (group_id, token, steady_ms(), terms.claim, wall_ms());
    Ok(sql::execute(tx.conn, HOLD, claim)? > 0)
}

/// As [`hold`]; the output is the name of the call that ends the chord.
fn hold_and_name(
    tx: &mut Tx<'_>,
    group_id: &str,
    token: &str,
    terms: ChordTerms,
) -> Result<Option<String>> {
    if !hold(tx, group_id, token, terms)? {
        return Ok(None);
    }
    let (name,) = sql::one(tx.conn, NAME_CALL, (group_id, token))?;
    Ok(Some(name))
}

/// Ends a chord that the token holds or may hold; `false` when it may not.
pub(crate) fn finish(
    tx: &mut Tx<'_>,
    group_id: &str,
    token: &str,
    terms: ChordTerms,
) -> Result<bool> {
    if !hold(tx, group_id, token, terms)? {
        return Ok(false);
    }
    forget_parts(tx, group_id)?;
    sql::execute(tx.conn, FINISH, (group_id, from_now(Some(terms.memory))))?;
    Ok(true)
}

/// Deletes chords that have expired.
pub(crate) fn expire(tx: &mut Tx<'_>) -> Result<()> {
    let expired = "DELETE FROM chords WHERE expires_at <= ? RETURNING group_id";
    for (group_id,) in sql::all::<(String,)>(tx.conn, expired, [wall_ms()])? {
        forget_parts(tx, &group_id)?;
    }
    Ok(())
}

/// Makes a chord larger because of a message.
#[derive(Debug)]
pub(crate) struct Grow {
    pub(crate) group_id: String,
    pub(crate) members: u32,
    pub(crate) by: String,
    pub(crate) terms: ChordTerms,
}

impl Operation for Grow {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        grow_by(
            tx,
            &self.group_id,
            self.members.into(),
            &self.by,
            self.terms,
        )
    }
}

/// Whose claim on which chord.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) group_id: String,
    pub(crate) token: String,
    pub(crate) terms: ChordTerms,
}

/// Holds a chord; the output is the name of its call.
#[derive(Debug)]
pub(crate) struct Hold(pub(crate) Claim);

impl Operation for Hold {
    type Output = Option<String>;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Option<String>> {
        hold_and_name(tx, &self.0.group_id, &self.0.token, self.0.terms)
    }
}

/// Ends a chord; the output is whether that was possible.
#[derive(Debug)]
pub(crate) struct Finish(pub(crate) Claim);

impl Operation for Finish {
    type Output = bool;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        finish(tx, &self.0.group_id, &self.0.token, self.0.terms)
    }
}

/// Opens chords.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) chords: Vec<EncodedChord>,
    pub(crate) terms: ChordTerms,
}

impl Operation for Open {
    type Output = ();

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for chord in &self.chords {
            open(tx, chord, self.terms)?;
        }
        Ok(())
    }
}

/// Counts a member.
#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) part: EncodedPart,
    pub(crate) token: String,
    pub(crate) terms: ChordTerms,
}

impl Operation for Count {
    type Output = Counted;

    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Counted> {
        count(tx, &self.part, 0, &self.token, self.terms)
    }
}

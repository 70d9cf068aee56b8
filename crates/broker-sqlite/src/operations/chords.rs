//! Chords: opened, grown, counted, claimed and finished. Every count looks at one row of `chords`, however many members there are.

use async_trait::async_trait;
use broker::Counted;
use bytes::Bytes;

use super::{Operation, Tx};
use crate::clock::{steady_ms, wall_ms};
use crate::error::Result;

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
const SAVE_HEADER: &str =
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

async fn forget_expired(tx: &mut Tx<'_>, group_id: &str) -> Result<()> {
    let forget = sqlx::query(FORGET_EXPIRED).bind(group_id).bind(wall_ms());
    if forget.execute(&mut *tx.conn).await?.rows_affected() > 0 {
        forget_parts(tx, group_id).await?;
    }
    Ok(())
}

async fn forget_parts(tx: &mut Tx<'_>, group_id: &str) -> Result<()> {
    for forget in [FORGET_PARTS, FORGET_GROWTH] {
        let forget = sqlx::query(forget).bind(group_id);
        forget.execute(&mut *tx.conn).await?;
    }
    Ok(())
}

pub(crate) async fn open(tx: &mut Tx<'_>, chord: &EncodedChord, terms: ChordTerms) -> Result<()> {
    forget_expired(tx, &chord.group_id).await?;
    let open = sqlx::query(OPEN).bind(&chord.group_id).bind(chord.size);
    open.bind(from_now(terms.lifetime))
        .execute(&mut *tx.conn)
        .await?;
    if let Some(header) = &chord.header {
        let save = sqlx::query(SAVE_HEADER)
            .bind(&chord.group_id)
            .bind(&header[..]);
        save.bind(from_now(terms.lifetime))
            .execute(&mut *tx.conn)
            .await?;
    }
    Ok(())
}

pub(crate) async fn grow(
    tx: &mut Tx<'_>,
    group_id: &str,
    members: i64,
    terms: ChordTerms,
) -> Result<()> {
    forget_expired(tx, group_id).await?;
    let grow = sqlx::query(GROW).bind(group_id).bind(members);
    grow.bind(from_now(terms.lifetime))
        .execute(&mut *tx.conn)
        .await?;
    Ok(())
}

/// Makes a chord as much larger as a message adds members to it now; what the message added before, it adds no longer.
async fn grow_by(
    tx: &mut Tx<'_>,
    group_id: &str,
    members: i64,
    by: &str,
    terms: ChordTerms,
) -> Result<()> {
    forget_expired(tx, group_id).await?;
    let before = sqlx::query_scalar(GROWTH).bind(group_id).bind(by);
    let before: Option<i64> = before.fetch_optional(&mut *tx.conn).await?;
    let more = members - before.unwrap_or_default();
    if more == 0 {
        return Ok(());
    }
    let note = sqlx::query(NOTE_GROWTH).bind(group_id).bind(by);
    note.bind(members).execute(&mut *tx.conn).await?;
    grow(tx, group_id, more, terms).await
}

/// Counts a member of a chord that gets `added` more in the same step.
pub(crate) async fn count(
    tx: &mut Tx<'_>,
    part: &EncodedPart,
    added: i64,
    token: &str,
    terms: ChordTerms,
) -> Result<Counted> {
    forget_expired(tx, &part.group_id).await?;
    let is_over = sqlx::query_scalar(IS_OVER).bind(&part.group_id);
    if is_over.fetch_one(&mut *tx.conn).await? {
        return Ok(Counted::Over);
    }
    Ok(match add(tx, part, added, terms).await? {
        None | Some(false) => Counted::Open,
        Some(true) if hold(tx, &part.group_id, token, terms).await? => Counted::Complete,
        Some(true) => Counted::Claimed,
    })
}

/// Whether the chord is complete with this member, if it gets `added` more; `None` when it is not open.
async fn add(
    tx: &mut Tx<'_>,
    part: &EncodedPart,
    added: i64,
    terms: ChordTerms,
) -> Result<Option<bool>> {
    let add = sqlx::query(ADD_PART).bind(&part.group_id).bind(part.place);
    let add = add.bind(&part.task_id).bind(&part.member[..]);
    let new = i64::from(add.execute(&mut *tx.conn).await?.rows_affected() > 0);
    if let (Some(_), Some(header)) = (terms.lifetime, terms.header) {
        let keep = sqlx::query(KEEP_HEADER).bind(&part.group_id);
        keep.bind(from_now(Some(header)))
            .execute(&mut *tx.conn)
            .await?;
    }
    let count = sqlx::query_scalar(COUNT).bind(&part.group_id).bind(new);
    let count = count.bind(from_now(terms.lifetime)).bind(added);
    Ok(count.fetch_one(&mut *tx.conn).await?)
}

/// Renews the token's claim or takes one that is free; `false` when it is neither.
pub(crate) async fn hold(
    tx: &mut Tx<'_>,
    group_id: &str,
    token: &str,
    terms: ChordTerms,
) -> Result<bool> {
    let hold = sqlx::query(HOLD).bind(group_id).bind(token);
    let hold = hold.bind(steady_ms()).bind(terms.claim).bind(wall_ms());
    Ok(hold.execute(&mut *tx.conn).await?.rows_affected() > 0)
}

/// As [`hold`]; the output is the name of the call that ends the chord.
async fn hold_and_name(
    tx: &mut Tx<'_>,
    group_id: &str,
    token: &str,
    terms: ChordTerms,
) -> Result<Option<String>> {
    if !hold(tx, group_id, token, terms).await? {
        return Ok(None);
    }
    let name = sqlx::query_scalar(NAME_CALL).bind(group_id).bind(token);
    Ok(Some(name.fetch_one(&mut *tx.conn).await?))
}

/// Ends a chord that the token holds or may hold; `false` when it may not.
pub(crate) async fn finish(
    tx: &mut Tx<'_>,
    group_id: &str,
    token: &str,
    terms: ChordTerms,
) -> Result<bool> {
    if !hold(tx, group_id, token, terms).await? {
        return Ok(false);
    }
    forget_parts(tx, group_id).await?;
    let finish = sqlx::query(FINISH)
        .bind(group_id)
        .bind(from_now(Some(terms.memory)));
    finish.execute(&mut *tx.conn).await?;
    Ok(true)
}

/// Deletes chords that have expired.
pub(crate) async fn expire(tx: &mut Tx<'_>) -> Result<()> {
    let expired = sqlx::query_scalar("DELETE FROM chords WHERE expires_at <= ? RETURNING group_id");
    let expired: Vec<String> = expired.bind(wall_ms()).fetch_all(&mut *tx.conn).await?;
    for group_id in expired {
        forget_parts(tx, &group_id).await?;
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

#[async_trait]
impl Operation for Grow {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        grow_by(
            tx,
            &self.group_id,
            self.members.into(),
            &self.by,
            self.terms,
        )
        .await
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

#[async_trait]
impl Operation for Hold {
    type Output = Option<String>;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Option<String>> {
        hold_and_name(tx, &self.0.group_id, &self.0.token, self.0.terms).await
    }
}

/// Ends a chord; the output is whether that was possible.
#[derive(Debug)]
pub(crate) struct Finish(pub(crate) Claim);

#[async_trait]
impl Operation for Finish {
    type Output = bool;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        finish(tx, &self.0.group_id, &self.0.token, self.0.terms).await
    }
}

/// Opens chords.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) chords: Vec<EncodedChord>,
    pub(crate) terms: ChordTerms,
}

#[async_trait]
impl Operation for Open {
    type Output = ();

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for chord in &self.chords {
            open(tx, chord, self.terms).await?;
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

#[async_trait]
impl Operation for Count {
    type Output = Counted;

    async fn apply(&mut self, tx: &mut Tx<'_>) -> Result<Counted> {
        count(tx, &self.part, 0, &self.token, self.terms).await
    }
}

//! The chord seam on Redis: Celery's keys, so that Python workers count the same chords, and either side joins them.

use async_trait::async_trait;
use broker::{ChordPart, ChordParts, ChordStore, Counted, NewChord, Result, ResultBackend};
use protocol::ChordMember;
use redis::{Cmd, FromRedisValue, Pipeline, Value};

use super::RedisResults;
use crate::error::invalid;
use crate::script;

/// Members of one slice, and bytes after which it takes no more: what one call keeps the server busy with.
const SLICE: usize = 1_000;
const SLICE_BYTES: usize = 8 << 20;
/// Chords that are opened in one round trip.
const CHUNK: usize = 256;

impl RedisResults {
    fn chord_call(&self, verb: &str) -> Cmd {
        let mut command = script::CHORD.on::<&str>(&[]);
        self.writer.terms().add_to(&mut command).arg(verb);
        command
    }

    async fn call_chord<T: FromRedisValue>(&self, action: &str, command: Cmd) -> Result<T> {
        match self.link.call(action, command).await? {
            Value::Array(reason) => {
                let (reason,): (String,) = self.read(action, Value::Array(reason))?;
                Err(invalid(format!("cannot {action}: {reason}")))
            }
            answer => self.read(action, answer),
        }
    }

    fn read<T: FromRedisValue>(&self, action: &str, answer: Value) -> Result<T> {
        redis::from_redis_value(answer).map_err(|error| self.link.explain(action, error.into()))
    }

    /// What comes of a call by whom a chord is claimed.
    async fn claimed<T: FromRedisValue>(
        &self,
        verb: &str,
        group_id: &str,
        token: &str,
    ) -> Result<T> {
        let mut command = self.chord_call(verb);
        command.arg(self.writer.group_key(group_id)).arg(token);
        self.call_chord("claim a chord", command).await
    }

    /// The members from a place on.
    async fn slice(&self, group_id: &str, first: usize) -> Result<Vec<ChordPart>> {
        let action = "read a chord";
        let mut command = script::PARTS.on(&[format!("{}.j", self.writer.group_key(group_id))]);
        command.arg(first).arg(SLICE).arg(SLICE_BYTES);
        let answer = self.link.call(action, command).await?;
        let found: Vec<(Vec<u8>, f64)> = self.read(action, answer)?;
        found
            .into_iter()
            .map(|(member, score)| self.part(group_id, &member, score))
            .collect()
    }

    fn part(&self, group_id: &str, member: &[u8], score: f64) -> Result<ChordPart> {
        let member =
            ChordMember::decode(member, &self.writer.policy().codec, self.writer.limits())?;
        Ok(ChordPart {
            group_id: group_id.to_owned(),
            task_id: member.task_id,
            // An index is a small whole number; infinity stands for none.
            group_index: score.is_finite().then_some(score as i64),
            state: member.state,
            result: member.result,
        })
    }
}

#[async_trait]
impl ChordStore for RedisResults {
    async fn open_chords(&self, chords: Vec<NewChord>) -> Result<()> {
        let action = "open a chord";
        let items = chords.into_iter().map(|chord| self.writer.open_item(chord));
        for chunk in items.collect::<Result<Vec<_>>>()?.chunks(CHUNK) {
            let mut pipeline = Pipeline::new();
            for item in chunk {
                let mut command = self.chord_call("open");
                item.add_to(&mut command);
                pipeline.add_command(command);
            }
            let fail = |error| self.link.explain(action, error);
            for answer in self.link.try_send(&pipeline).await.map_err(fail)? {
                answer.extract_error().map_err(fail)?;
            }
        }
        Ok(())
    }

    async fn grow_chord(&self, group_id: &str, members: u32, by: &str) -> Result<()> {
        let mut command = self.chord_call("grow_by");
        let key = self.writer.group_key(group_id);
        command.arg(key).arg(members).arg(by);
        self.call_chord("grow a chord", command).await
    }

    async fn count_part(&self, part: ChordPart, token: &str) -> Result<Counted> {
        let mut command = self.chord_call("count");
        self.writer.part_item(part)?.add_to(&mut command).arg(token);
        let counted: String = self
            .call_chord("count a member of a chord", command)
            .await?;
        Ok(match counted.as_str() {
            "complete" => Counted::Complete,
            "claimed" => Counted::Claimed,
            "over" => Counted::Over,
            _ => Counted::Open,
        })
    }

    /// In slices, which is safe: members of a chord that is complete stay as they are.
    async fn chord_parts(&self, group_id: &str) -> Result<ChordParts> {
        let mut parts = Vec::new();
        loop {
            let slice = self.slice(group_id, parts.len()).await?;
            if slice.is_empty() {
                let header = self.restore_group(group_id).await?;
                return Ok(ChordParts { parts, header });
            }
            parts.extend(slice);
        }
    }

    async fn hold_chord(&self, group_id: &str, token: &str) -> Result<Option<String>> {
        self.claimed("name", group_id, token).await
    }

    async fn finish_chord(&self, group_id: &str, token: &str) -> Result<bool> {
        self.claimed("finish", group_id, token).await
    }
}

//! The stages of a settlement whose results are on another server. Each stage takes out of the batch what it ends.
//!
//! A chord ends last: were it to end before its body is published, a crash in between would lose the body. Whoever then joins again
//! learns from the claim how the call was named, and the broker drops a call of a name that it knows. Growth is noted with the message
//! that it comes from, so that a message which is delivered again adds what it adds now.

use std::future::Future;
use std::time::Duration;

use protocol::TaskMeta;
use tokio::time::sleep;

use super::members::{Growth, Members};
use crate::{
    Consumer, Counted, NewChord, Result, ResultBackend, Settled, Settlement, Tag, Verdict,
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Settlements that are under way, with their places in the batch.
type Open = Vec<(usize, Settlement)>;

/// Carries out a batch.
pub(super) struct Settling<'a> {
    pub(super) consumer: &'a dyn Consumer,
    pub(super) results: &'a dyn ResultBackend,
    pub(super) members: &'a Members,
    /// What came of each, as far as it is known.
    pub(super) outcome: Vec<Settled>,
}

impl Settling<'_> {
    pub(super) async fn run(mut self, batch: Vec<Settlement>) -> Result<Vec<Settled>> {
        let mut open: Open = batch.into_iter().enumerate().collect();
        open = self.held(open).await?;
        open = self.claimed(open).await?;
        self.store_own(&mut open).await?;
        open = self.counted(open).await?;
        self.store_effects(&mut open).await?;
        self.settle(open).await?;
        Ok(self.outcome)
    }

    /// Those whose tags are held, as far as they write results.
    async fn held(&mut self, open: Open) -> Result<Open> {
        let writes = |one: &Settlement| {
            one.store.is_some() || one.effects.is_some() || !self.members.growth(one).is_empty()
        };
        let questions: Vec<_> = open
            .iter()
            .filter(|(_, one)| writes(one))
            .map(|(_, one)| Settlement::new(one.tag.clone(), Verdict::Keep))
            .collect();
        if questions.is_empty() {
            return Ok(open);
        }
        let mut answers = self.consumer.settle(questions).await?.into_iter();
        let goes_on = |one: &Settlement| !writes(one) || answers.next() == Some(Settled::Done);
        Ok(retain(open, goes_on))
    }

    /// Those that have the claims of all chords that they end.
    async fn claimed(&mut self, open: Open) -> Result<Open> {
        let mut claimed = Vec::with_capacity(open.len());
        for (place, mut one) in open {
            match self.hold_all(&mut one).await? {
                true => claimed.push((place, one)),
                false => self.outcome[place] = Settled::Claimed,
            }
        }
        Ok(claimed)
    }

    /// Holds the chords that end, and names what they call; `false` when one is somebody else's.
    async fn hold_all(&self, one: &mut Settlement) -> Result<bool> {
        let chords = one.effects.iter().flat_map(|effects| &effects.finish);
        let mut began_before = false;
        for group_id in chords {
            let token = one.tag.as_str();
            let Some(name) = persist(|| self.results.hold_chord(group_id, token)).await? else {
                return Ok(false);
            };
            began_before |= name != token;
            for call in one
                .calls
                .iter_mut()
                .filter(|call| call.group_id == *group_id)
            {
                call.once = Some(format!("{group_id}:{name}"));
            }
        }
        if let Some(effects) = one.effects.as_mut().filter(|_| began_before) {
            effects.open = self.unopened(std::mem::take(&mut effects.open)).await?;
        }
        Ok(true)
    }

    /// Without the chords that have members which have ended: whoever held the claim before has opened them and published the members, and
    /// opened again they would begin anew.
    async fn unopened(&self, chords: Vec<NewChord>) -> Result<Vec<NewChord>> {
        let mut unopened = Vec::with_capacity(chords.len());
        for chord in chords {
            let known = persist(|| self.results.chord_parts(&chord.group_id)).await?;
            if known.parts.is_empty() {
                unopened.push(chord);
            }
        }
        Ok(unopened)
    }

    async fn store_own(&self, open: &mut Open) -> Result<()> {
        let metas = open.iter_mut().filter_map(|(_, one)| one.store.take());
        store(self.results, metas.collect()).await
    }

    /// Those whose count does not end them.
    async fn counted(&mut self, open: Open) -> Result<Open> {
        let mut counted = Vec::with_capacity(open.len());
        for (place, mut one) in open {
            let part = one
                .effects
                .as_mut()
                .and_then(|effects| effects.count.take());
            self.grow(&one).await?;
            let answer = match part {
                None => Counted::Open,
                Some(part) => {
                    let token = one.tag.as_str();
                    persist(|| self.results.count_part(part.clone(), token)).await?
                }
            };
            match answer {
                Counted::Open | Counted::Over => counted.push((place, one)),
                Counted::Complete => self.outcome[place] = Settled::Complete,
                Counted::Claimed => self.outcome[place] = Settled::Claimed,
            }
        }
        Ok(counted)
    }

    /// Chords grow before a member is counted that adds to its own.
    async fn grow(&self, one: &Settlement) -> Result<()> {
        for growth in self.members.growth(one) {
            let Growth {
                group_id,
                members,
                by,
            } = &growth;
            persist(|| self.results.grow_chord(group_id, *members, by)).await?;
        }
        Ok(())
    }

    async fn store_effects(&self, open: &mut Open) -> Result<()> {
        for effects in open.iter_mut().filter_map(|(_, one)| one.effects.as_mut()) {
            store(self.results, std::mem::take(&mut effects.metas)).await?;
            if !effects.open.is_empty() {
                persist(|| self.results.open_chords(effects.open.clone())).await?;
            }
        }
        Ok(())
    }

    async fn settle(&mut self, open: Open) -> Result<()> {
        let (mut ends, mut rest) = (Vec::new(), Vec::new());
        for (place, mut one) in open {
            let finish = one.effects.take().map(|effects| effects.finish);
            ends.push((place, one.tag.clone(), finish.unwrap_or_default()));
            rest.push(one);
        }
        if rest.is_empty() {
            return Ok(());
        }
        let settled = self.consumer.settle(rest).await?;
        for ((place, tag, finish), settled) in ends.into_iter().zip(settled) {
            self.outcome[place] = settled;
            // Where nobody knows whether the body was published, the claim runs out: whoever runs the task again then joins.
            if settled == Settled::Done {
                self.finish(&tag, &finish).await;
            }
        }
        Ok(())
    }

    /// The settlement is carried out, so what fails here fails nobody; the chord then stays until it expires.
    async fn finish(&self, tag: &Tag, chords: &[String]) {
        for group_id in chords {
            let finished = persist(|| self.results.finish_chord(group_id, tag.as_str())).await;
            if let Err(error) = finished {
                tracing::error!(group_id, %error, "a chord whose body was called cannot be ended");
            }
        }
    }
}

fn retain(open: Open, mut goes_on: impl FnMut(&Settlement) -> bool) -> Open {
    open.into_iter().filter(|(_, one)| goes_on(one)).collect()
}

/// Stores and waits through outages, since the messages stay held meanwhile.
pub(super) async fn store(results: &dyn ResultBackend, metas: Vec<TaskMeta>) -> Result<()> {
    if metas.is_empty() {
        return Ok(());
    }
    persist(|| results.store(metas.clone())).await.map(drop)
}

async fn persist<T, F: Future<Output = Result<T>>>(mut attempt: impl FnMut() -> F) -> Result<T> {
    let mut pause = FIRST_PAUSE;
    loop {
        match attempt().await {
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "results cannot be written, trying again");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

//! A settlement's effects, and chords, as they lie in the file.

use std::time::Duration;

use broker::{ChordPart, Effects, NewChord, ResultPolicy, Tag};
use protocol::ChordMember;

use super::encode_meta;
use crate::error::Result;
use crate::operations::chords::{ChordTerms, EncodedChord, EncodedPart};
use crate::operations::effects::EncodedEffects;

/// Where members without an index stand.
const NO_PLACE: i64 = i64::MAX;

pub(crate) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn chord_terms(policy: &ResultPolicy) -> ChordTerms {
    let lifetime = |time: Duration| (!time.is_zero()).then(|| millis(time));
    ChordTerms {
        lifetime: lifetime(policy.chord_lifetime()),
        header: lifetime(policy.header_lifetime()),
        claim: millis(policy.chord_claim),
        memory: millis(policy.chord_memory()),
    }
}

pub(crate) fn encode_chord(chord: NewChord, policy: &ResultPolicy) -> Result<EncodedChord> {
    let header = chord.header.map(|header| policy.codec.encode(&header));
    Ok(EncodedChord {
        group_id: chord.group_id,
        size: i64::try_from(chord.size).unwrap_or(i64::MAX),
        header: header.transpose()?.map(Into::into),
    })
}

pub(crate) fn encode_part(part: ChordPart, policy: &ResultPolicy) -> Result<EncodedPart> {
    let member = ChordMember {
        task_id: part.task_id,
        state: part.state,
        result: part.result,
    };
    Ok(EncodedPart {
        group_id: part.group_id,
        place: part.group_index.unwrap_or(NO_PLACE),
        member: member.encode(policy.codec, policy.packing())?.into(),
        task_id: member.task_id,
    })
}

pub(crate) fn decode_part(
    group_id: &str,
    place: i64,
    member: &[u8],
    policy: &ResultPolicy,
) -> Result<ChordPart> {
    let member = ChordMember::decode(member, &policy.codec, &protocol::Limits::default())?;
    Ok(ChordPart {
        group_id: group_id.to_owned(),
        task_id: member.task_id,
        group_index: (place != NO_PLACE).then_some(place),
        state: member.state,
        result: member.result,
    })
}

pub(crate) fn encode_effects(
    tag: &Tag,
    effects: Effects,
    policy: &ResultPolicy,
) -> Result<EncodedEffects> {
    let growth = effects
        .count
        .as_ref()
        .map_or(0, |part| effects.growth_of(&part.group_id));
    let metas = effects.metas.iter().map(|meta| encode_meta(meta, policy));
    let open = effects
        .open
        .into_iter()
        .map(|chord| encode_chord(chord, policy));
    let count = effects.count.map(|part| encode_part(part, policy));
    Ok(EncodedEffects {
        token: tag.as_str().to_owned(),
        terms: chord_terms(policy),
        metas: metas.collect::<Result<_>>()?,
        finish: effects.finish,
        count: count.transpose()?,
        open: open.collect::<Result<_>>()?,
        grow: effects.grow,
        added: i64::try_from(growth).unwrap_or(i64::MAX),
    })
}

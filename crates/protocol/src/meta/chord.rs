//! Members of a running chord as workers count them: `[1, ‹task id›, ‹state›, ‹result›]`.

use super::marker;
use crate::codec::Codec;
use crate::compression::Packing;
use crate::error::{DecodeError, EncodeError};
use crate::limits::Limits;
use crate::state::State;
use crate::take;
use crate::value::Value;

/// A finished member of a chord header.
#[derive(Debug, Clone, PartialEq)]
pub struct ChordMember {
    /// Task id.
    pub task_id: String,
    /// State it ended in.
    pub state: State,
    /// Return value or exception map.
    pub result: Value,
}

impl ChordMember {
    /// Reads a member, compressed or not.
    ///
    /// # Errors
    /// When it is not a list of the four parts; the error names the place.
    pub fn decode(bytes: &[u8], codec: &Codec, limits: &Limits) -> Result<Self, DecodeError> {
        let plain = marker::unwrap(bytes, limits)?;
        let parts = take::list(codec.decode(&plain, limits)?)?;
        let [_, id, state, result] = <[Value; 4]>::try_from(parts).map_err(|parts| {
            DecodeError::wrong_type("a list of four items", &format!("{} items", parts.len()))
        })?;
        let text = |value: Value, index: usize| match value {
            Value::Str(text) => Ok(text),
            other => Err(DecodeError::wrong_type("text", other.type_name()).at_index(index)),
        };
        Ok(Self {
            task_id: text(id, 1)?,
            state: State::from(text(state, 2)?.as_str()),
            result,
        })
    }

    /// Writes the member as the result serializer does.
    ///
    /// # Errors
    /// When the codec cannot carry the result; the error names the field.
    pub fn encode(
        &self,
        codec: Codec,
        packing: impl Into<Packing>,
    ) -> Result<Vec<u8>, EncodeError> {
        let parts = vec![
            Value::Int(1),
            Value::from(self.task_id.as_str()),
            Value::from(self.state.as_str()),
            self.result.clone(),
        ];
        let bytes = codec.encode(&Value::List(parts))?;
        marker::wrap(bytes, packing.into())
    }
}

//! Which serializers a process agrees to read (`accept_content`).

use crate::codec::Codec;
use crate::error::{DecodeError, DecodeErrorKind};

/// A set of accepted codecs. `application/data` and plain text are always trusted, as in kombu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accept(Vec<Codec>);

impl Default for Accept {
    /// JSON only, Celery's default.
    fn default() -> Self {
        Self(vec![Codec::Json])
    }
}

impl Accept {
    /// The given codecs.
    pub fn new(codecs: impl IntoIterator<Item = Codec>) -> Self {
        Self(codecs.into_iter().collect())
    }

    /// From names or content types, as `accept_content` lists them.
    ///
    /// # Errors
    /// When a name is unknown or pickle.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, DecodeError> {
        names
            .into_iter()
            .map(Codec::from_name_or_content_type)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// True when `codec` may be read.
    pub fn contains(&self, codec: Codec) -> bool {
        matches!(codec, Codec::Raw | Codec::Text | Codec::Auth) || self.0.contains(&codec)
    }

    /// Refuses a codec that may not be read.
    ///
    /// # Errors
    /// When `codec` is not in the set.
    pub fn check(&self, codec: Codec) -> Result<(), DecodeError> {
        if self.contains(codec) {
            return Ok(());
        }
        let accepted: Vec<_> = self.0.iter().map(|codec| codec.name()).collect();
        let detail = format!(
            "serializer {} is not accepted here; accept_content is [{}]",
            codec.name(),
            accepted.join(", ")
        );
        Err(DecodeError::new(DecodeErrorKind::NotAccepted, detail).at("content-type"))
    }
}

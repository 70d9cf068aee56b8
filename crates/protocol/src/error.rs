//! Errors of this crate: why bytes could not be read, and why a value could not be written.
//!
//! Every decode error names the field it happened at, so that a parked message can be repaired.

use std::fmt;

/// What sort of fault a [`DecodeError`] is. Callers branch on this, people read the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The bytes are not of the format they claim to be.
    Syntax,
    /// A field holds a value of another type than it must.
    Type,
    /// A field has the right type but a value that makes no sense.
    Value,
    /// A required field is missing.
    Missing,
    /// A map has the same key twice.
    DuplicateKey,
    /// A text holds half of a surrogate pair, which is not Unicode.
    LoneSurrogate,
    /// Nested deeper than the limit.
    TooDeep,
    /// Larger than the limit, before or after decompression.
    TooLarge,
    /// The content type is known but not in the accepted set.
    NotAccepted,
    /// The content type or serializer is not known here.
    UnknownCodec,
    /// Pickle, which is never read.
    Pickle,
    /// The compression is not known, or its stream is broken.
    Compression,
    /// A signature or certificate does not hold.
    Signature,
}

/// Why some bytes or a value could not be read, with the path of the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(Box<Fault>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    kind: DecodeErrorKind,
    path: String,
    detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.detail)
        } else {
            write!(f, "{}: {}", Shortened(&self.path), self.detail)
        }
    }
}

/// A path of a thousand levels says no more in full than by its ends.
struct Shortened<'a>(&'a str);

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const END: usize = 48;
        let path = self.0;
        let (head, tail) = (
            path.char_indices().nth(END),
            path.char_indices().nth_back(END),
        );
        match (head, tail) {
            (Some((head, _)), Some((tail, _))) if head < tail => {
                write!(f, "{}…{}", &path[..head], &path[tail..])
            }
            _ => f.write_str(path),
        }
    }
}

impl DecodeError {
    /// An error of `kind` at the root; callers add the path with [`DecodeError::at`].
    pub fn new(kind: DecodeErrorKind, detail: impl Into<String>) -> Self {
        Self(Box::new(Fault {
            kind,
            path: String::new(),
            detail: detail.into(),
        }))
    }

    /// A field of the wrong type: what it must be and what was found.
    pub(crate) fn wrong_type(expected: &str, found: &str) -> Self {
        Self::new(
            DecodeErrorKind::Type,
            format!("expected {expected}, found {found}"),
        )
    }

    /// A required field that is not there.
    pub(crate) fn missing(field: &str) -> Self {
        Self::new(DecodeErrorKind::Missing, "required field is missing").at(field)
    }

    /// A map key that occurs twice.
    pub(crate) fn duplicate(key: &str) -> Self {
        Self::new(DecodeErrorKind::DuplicateKey, "the same key occurs twice").at(key)
    }

    /// Puts `field` in front of the path.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        let path = &mut self.0.path;
        if !path.is_empty() && !path.starts_with('[') {
            path.insert(0, '.');
        }
        path.insert_str(0, field);
        self
    }

    /// Puts a list position in front of the path.
    #[must_use]
    pub fn at_index(self, index: usize) -> Self {
        self.at(&format!("[{index}]"))
    }

    /// The sort of fault.
    pub fn kind(&self) -> DecodeErrorKind {
        self.0.kind
    }

    /// The path of the field, such as `headers.eta` or `body[1].price`; empty for the whole input.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The text without the path.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }
}

impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(DecodeErrorKind::Type, message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::missing(field)
    }
}

/// Why a value could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The codec has no form for this value.
    #[error("{path}: {codec} cannot carry {what}")]
    Unrepresentable {
        /// Where the value is; `value` for the root.
        path: String,
        /// The codec's name.
        codec: &'static str,
        /// What it cannot carry.
        what: String,
    },
    /// A type's `Serialize` failed.
    #[error("{path}: {message}")]
    Serialize {
        /// Where the value is; `value` for the root.
        path: String,
        /// What went wrong.
        message: String,
    },
    /// Nested deeper than any decoder reads.
    #[error("value is nested deeper than {limit} levels")]
    TooDeep {
        /// The deepest level that is written.
        limit: usize,
    },
    /// The codec is read-only or refused.
    #[error("serializer {name:?} cannot be used for writing: {hint}")]
    Codec {
        /// The codec's name.
        name: String,
        /// What to do instead.
        hint: &'static str,
    },
    /// The compressor failed.
    #[error("compression with {name} failed")]
    Compression {
        /// The compression's name.
        name: &'static str,
        /// What the compressor said.
        #[source]
        source: std::io::Error,
    },
    /// Signing failed.
    #[error("signing failed: {message}")]
    Signing {
        /// What went wrong.
        message: String,
    },
    /// A compact record is larger than its bound or cannot be encoded.
    #[error("compact record cannot be written: {message}")]
    Compact {
        /// What went wrong.
        message: String,
    },
}

impl EncodeError {
    /// A value the codec has no form for, at the root.
    pub(crate) fn unrepresentable(codec: &'static str, what: impl Into<String>) -> Self {
        Self::Unrepresentable {
            path: "value".to_owned(),
            codec,
            what: what.into(),
        }
    }

    /// Puts `field` in front of the path, where the error has one.
    #[must_use]
    pub(crate) fn at(mut self, field: &str) -> Self {
        if let Self::Unrepresentable { path, .. } | Self::Serialize { path, .. } = &mut self {
            *path = match path.as_str() {
                "value" => field.to_owned(),
                rest if rest.starts_with('[') => format!("{field}{rest}"),
                rest => format!("{field}.{rest}"),
            };
        }
        self
    }
}

impl serde::ser::Error for EncodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Serialize {
            path: "value".to_owned(),
            message: message.to_string(),
        }
    }
}

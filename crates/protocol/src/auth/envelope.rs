//! The signed body: `base64(signer SEP signature SEP content type SEP encoding SEP content)`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::codec::Codec;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::Limits;
use crate::value::Value;

const SEP: &[u8] = b"\0\x01";

/// Content whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Issuer and serial number of the signer's certificate.
    pub signer: String,
    /// Mime type of the content.
    pub content_type: String,
    /// Character set of the content.
    pub content_encoding: String,
    /// The content.
    pub content: Vec<u8>,
}

impl Verified {
    /// Decodes the content.
    ///
    /// # Errors
    /// When its type is unknown or it is not sound.
    pub fn decode(&self, limits: &Limits) -> Result<Value, DecodeError> {
        Codec::from_name_or_content_type(&self.content_type)?.decode(&self.content, limits)
    }
}

/// A signed body taken apart; nothing is checked yet.
pub(super) struct Signed {
    pub(super) signature: Vec<u8>,
    pub(super) claim: Verified,
}

impl Signed {
    pub(super) fn parse(body: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        if body.len() > limits.payload {
            return Err(DecodeError::new(
                DecodeErrorKind::TooLarge,
                "signed body beyond the limit",
            ));
        }
        let bytes = STANDARD
            .decode(body)
            .map_err(|error| bad(&format!("not base64: {error}")))?;
        let mut rest = bytes.as_slice();
        let mut fields = [rest; 4];
        for field in &mut fields {
            let at = rest.windows(SEP.len()).position(|pair| pair == SEP);
            let at = at.ok_or_else(|| bad("fewer than five fields"))?;
            *field = &rest[..at];
            rest = &rest[at + SEP.len()..];
        }
        let [signer, signature, content_type, content_encoding] = fields;
        Ok(Self {
            signature: unbase64(signature)?,
            claim: Verified {
                signer: text(&unbase64(signer)?)?,
                content_type: text(content_type)?,
                content_encoding: text(content_encoding)?,
                content: rest.to_vec(),
            },
        })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let claim = &self.claim;
        let fields = [
            STANDARD.encode(&claim.signer).into_bytes(),
            STANDARD.encode(&self.signature).into_bytes(),
            claim.content_type.clone().into_bytes(),
            claim.content_encoding.clone().into_bytes(),
            claim.content.clone(),
        ];
        STANDARD.encode(fields.join(SEP)).into_bytes()
    }
}

pub(super) fn bad(detail: &str) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::Signature,
        format!("signed content: {detail}"),
    )
}

fn unbase64(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    STANDARD
        .decode(bytes)
        .map_err(|error| bad(&format!("a field is not base64: {error}")))
}

fn text(bytes: &[u8]) -> Result<String, DecodeError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| bad("a field is not text"))
}

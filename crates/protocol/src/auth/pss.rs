//! RSA-PSS with the longest salt the key allows, as Celery signs.

use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::pss::{BlindedSigningKey, Signature, VerifyingKey};
use rsa::rand_core::CryptoRngCore;
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _, Verifier as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{RsaPrivateKey, RsaPublicKey};

use super::Certificate;
use super::envelope::{Signed, Verified, bad};
use crate::codec::Codec;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::value::Value;

/// The hash of signatures (`security_digest`).
///
/// Celery 5.7 was recorded to sign with SHA-256 whatever that setting says; anything else is for
/// peers that agree on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Digest {
    /// SHA-256, the default.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// Finds a digest by its name in the settings.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn from_name(name: &str) -> Result<Self, DecodeError> {
        match name.to_ascii_lowercase().as_str() {
            "sha256" => Ok(Self::Sha256),
            "sha384" => Ok(Self::Sha384),
            "sha512" => Ok(Self::Sha512),
            _ => {
                let detail =
                    format!("unknown digest {name:?}; known are sha256, sha384 and sha512");
                Err(DecodeError::new(DecodeErrorKind::Value, detail))
            }
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// Signs content with a private key.
#[derive(Debug, Clone)]
pub struct Signer {
    key: RsaPrivateKey,
    id: String,
    digest: Digest,
}

impl Signer {
    /// Takes a PEM private key (PKCS#1 or PKCS#8, not encrypted) and the certificate of its public part.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn from_pem(
        key: &str,
        certificate: &Certificate,
        digest: Digest,
    ) -> Result<Self, DecodeError> {
        let key = RsaPrivateKey::from_pkcs8_pem(key)
            .or_else(|_| RsaPrivateKey::from_pkcs1_pem(key))
            .map_err(|error| bad(&format!("bad private key: {error}")))?;
        Ok(Self {
            key,
            id: certificate.id().to_owned(),
            digest,
        })
    }

    /// Encodes `value` with `codec` and signs it; the result is a body of [`Codec::Auth`].
    ///
    /// # Errors
    /// When the codec cannot carry the value, or the key is too short for the digest.
    pub fn encode(
        &self,
        codec: Codec,
        value: &Value,
        rng: &mut impl CryptoRngCore,
    ) -> Result<Vec<u8>, EncodeError> {
        let content = codec.encode(value)?;
        let claim = Verified {
            signer: self.id.clone(),
            content_type: codec.content_type().to_owned(),
            content_encoding: codec.content_encoding().to_owned(),
            content,
        };
        let signature = self.sign(&claim.content, rng)?;
        Ok(Signed { signature, claim }.write())
    }

    fn sign(&self, content: &[u8], rng: &mut impl CryptoRngCore) -> Result<Vec<u8>, EncodeError> {
        let salt = salt_len(self.key.size(), self.digest);
        let salt = salt.ok_or_else(|| signing("the key is too short for the digest"))?;
        let key = self.key.clone();
        let signature = match self.digest {
            Digest::Sha256 => BlindedSigningKey::<Sha256>::new_with_salt_len(key, salt)
                .try_sign_with_rng(rng, content),
            Digest::Sha384 => BlindedSigningKey::<Sha384>::new_with_salt_len(key, salt)
                .try_sign_with_rng(rng, content),
            Digest::Sha512 => BlindedSigningKey::<Sha512>::new_with_salt_len(key, salt)
                .try_sign_with_rng(rng, content),
        };
        signature
            .map(|signature| signature.to_vec())
            .map_err(|error| signing(&error.to_string()))
    }
}

/// Checks a signature over `content`.
pub(super) fn verify(
    key: &RsaPublicKey,
    digest: Digest,
    content: &[u8],
    signature: &[u8],
) -> Result<(), DecodeError> {
    let refused = || bad("the signature does not hold");
    let salt = salt_len(key.size(), digest).ok_or_else(refused)?;
    let signature = Signature::try_from(signature).map_err(|_| refused())?;
    let key = key.clone();
    match digest {
        Digest::Sha256 => {
            VerifyingKey::<Sha256>::new_with_salt_len(key, salt).verify(content, &signature)
        }
        Digest::Sha384 => {
            VerifyingKey::<Sha384>::new_with_salt_len(key, salt).verify(content, &signature)
        }
        Digest::Sha512 => {
            VerifyingKey::<Sha512>::new_with_salt_len(key, salt).verify(content, &signature)
        }
    }
    .map_err(|_| refused())
}

/// The longest salt that fits: the key's bytes less the digest and two bytes of padding.
fn salt_len(key_bytes: usize, digest: Digest) -> Option<usize> {
    key_bytes.checked_sub(digest.bytes() + 2)
}

fn signing(message: &str) -> EncodeError {
    EncodeError::Signing {
        message: message.to_owned(),
    }
}

//! Certificates: who signed, until when the key holds, and the store to look them up in.

use std::collections::HashMap;

use jiff::Timestamp;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::{BigUint, RsaPublicKey};
use x509_cert::der::{DecodePem as _, Encode as _};
use x509_cert::time::Time;

use super::Digest;
use super::envelope::{Signed, Verified, bad};
use super::pss;
use crate::error::DecodeError;
use crate::limits::Limits;

/// A certificate with an RSA key.
#[derive(Debug, Clone)]
pub struct Certificate {
    id: String,
    key: RsaPublicKey,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Certificate {
    /// Reads a PEM certificate.
    ///
    /// # Errors
    /// When it is not one, or its key is not RSA.
    pub fn from_pem(pem: &str) -> Result<Self, DecodeError> {
        let fault = |error: &dyn std::fmt::Display| bad(&format!("bad certificate: {error}"));
        let read = x509_cert::Certificate::from_pem(pem).map_err(|error| fault(&error))?;
        let content = read.tbs_certificate();
        let spki = content
            .subject_public_key_info()
            .to_der()
            .map_err(|error| fault(&error))?;
        let key = RsaPublicKey::from_public_key_der(&spki).map_err(|error| fault(&error))?;
        let serial = BigUint::from_bytes_be(content.serial_number().as_bytes());
        let values: Vec<_> = content
            .issuer()
            .iter()
            .map(|attribute| String::from_utf8_lossy(attribute.value.value()).into_owned())
            .collect();
        Ok(Self {
            id: format!("{} {serial}", values.join(" ")),
            key,
            not_before: instant(content.validity().not_before)?,
            not_after: instant(content.validity().not_after)?,
        })
    }

    /// Issuer and serial number: the name signatures refer to.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// True when `now` lies in the certificate's time of validity.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

fn instant(time: Time) -> Result<Timestamp, DecodeError> {
    i64::try_from(time.to_unix_duration().as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| bad("bad certificate: its validity lies outside the supported years"))
}

/// The certificates a process trusts.
#[derive(Debug, Clone, Default)]
pub struct CertStore {
    certificates: HashMap<String, Certificate>,
    digest: Digest,
}

impl CertStore {
    /// An empty store that checks with `digest`.
    pub fn new(digest: Digest) -> Self {
        Self {
            certificates: HashMap::new(),
            digest,
        }
    }

    /// Adds a certificate; a later one of the same id replaces it.
    pub fn add(&mut self, certificate: Certificate) {
        self.certificates
            .insert(certificate.id.clone(), certificate);
    }

    /// Checks a signed body and gives its content.
    ///
    /// # Errors
    /// When the body is not sound, its signer unknown, its certificate not valid `now`, or the
    /// signature false.
    pub fn verify(
        &self,
        body: &[u8],
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Verified, DecodeError> {
        let Signed { signature, claim } = Signed::parse(body, limits)?;
        let certificate = self
            .certificates
            .get(&claim.signer)
            .ok_or_else(|| bad(&format!("unknown signer {:?}", claim.signer)))?;
        if !certificate.is_valid_at(now) {
            return Err(bad(&format!(
                "the certificate of {:?} is not valid now",
                claim.signer
            )));
        }
        pss::verify(&certificate.key, self.digest, &claim.content, &signature)?;
        Ok(claim)
    }
}

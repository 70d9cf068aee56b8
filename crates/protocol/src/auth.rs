//! Celery's `auth` serializer: signed content, and the certificates to check it with.
//!
//! The private key is used blinded; random numbers and the current time are arguments.

mod certificate;
mod envelope;
mod pss;

pub use certificate::{CertStore, Certificate};
pub use envelope::Verified;
pub use pss::{Digest, Signer};

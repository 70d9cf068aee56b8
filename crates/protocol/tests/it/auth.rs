//! Signed messages as recorded, and our own signatures.

use jiff::Timestamp;
use protocol::auth::{CertStore, Certificate, Digest, Signer};
use protocol::{Codec, DecodeErrorKind, Message, TaskRequest, Value};
use rsa::rand_core::OsRng;

use crate::vectors::{Counts, assert_same, bytes, cases, json, limits, list, text};

/// Celery signs with SHA-256 whatever `security_digest` says: the recorded case with `sha512` too.
const RECORDED: Digest = Digest::Sha256;

fn store(case: &Value) -> (CertStore, Certificate) {
    let certificate = Certificate::from_pem(text(case, "certificate_pem")).unwrap();
    let mut store = CertStore::new(RECORDED);
    store.add(certificate.clone());
    (store, certificate)
}

fn now() -> Timestamp {
    Timestamp::from_second(1_795_165_000).unwrap()
}

#[test]
fn every_signed_message_is_verified_and_can_be_signed_again() {
    let mut counts = Counts::default();
    for case in &cases("auth_redis") {
        let (store, certificate) = store(case);
        let signer =
            Signer::from_pem(text(case, "private_key_pem"), &certificate, RECORDED).unwrap();
        let recorded: Vec<_> = ["messages", "published"]
            .iter()
            .flat_map(|name| list(case, name))
            .collect();
        for message in &recorded {
            replay(message, &store, &signer, case);
        }
        counts.add(case, recorded.len());
    }
    counts.print("auth_redis", "signed messages");
}

fn replay(recorded: &Value, store: &CertStore, signer: &Signer, case: &Value) {
    let raw = bytes(recorded.get("raw").unwrap());
    let message = Message::from_envelope(&raw, &limits()).unwrap();
    assert_eq!(message.codec().unwrap(), Codec::Auth);
    assert_same(&json(&message.to_envelope().unwrap()), &json(&raw), case);
    let verified = store.verify(&message.body, now(), &limits()).unwrap();
    let value = verified.decode(&limits()).unwrap();
    if message.headers.task.is_some() {
        let call = case.get("call").unwrap().get("kwargs").unwrap();
        let request = TaskRequest::from_body(&message, value.clone()).unwrap();
        assert_same(&Value::List(request.args), call.get("args").unwrap(), case);
    }
    let again = signer.encode(Codec::Json, &value, &mut OsRng).unwrap();
    assert_ne!(
        again, message.body,
        "a salted signature is never the same twice"
    );
    assert_eq!(store.verify(&again, now(), &limits()).unwrap(), verified);
    refusals(&message.body, store);
}

/// One changed byte, a signer nobody knows, a certificate out of date.
fn refusals(body: &[u8], store: &CertStore) {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let mut content = STANDARD.decode(body).unwrap();
    *content.last_mut().unwrap() ^= 1;
    let forged = STANDARD.encode(content);
    let strangers = CertStore::new(Digest::Sha256);
    let late = Timestamp::from_second(9_000_000_000).unwrap();
    let errors = [
        store
            .verify(forged.as_bytes(), now(), &limits())
            .unwrap_err(),
        strangers.verify(body, now(), &limits()).unwrap_err(),
        store.verify(body, late, &limits()).unwrap_err(),
        store.verify(b"bm8=", now(), &limits()).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), DecodeErrorKind::Signature, "{error}");
    }
}

//! A signed POST, as the Standard Webhooks describe it: receivers check it with the libraries that exist for that.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use portfolio::store::Notification;
use reqwest::header::{HeaderMap, HeaderValue};
use sha2::Sha256;

use crate::attempt::Attempt;
use crate::http::{self, Client};
use crate::message::{Body, identity};
use crate::settings::WebhookSettings;

/// What a secret in base64 begins with.
const ENCODED: &str = "whsec_";

/// The value of `webhook-signature`: `v1,` and the base64 of the HMAC-SHA256 of id, seconds and body between dots.
/// A secret that begins with `whsec_` is base64 of the key, any other is the key itself.
pub fn signature(secret: &str, id: &str, seconds: i64, body: &[u8]) -> String {
    let decoded = secret
        .strip_prefix(ENCODED)
        .and_then(|text| STANDARD.decode(text).ok());
    let key = decoded.unwrap_or_else(|| secret.as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key may have any length");
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

pub(crate) async fn send(
    client: &Client,
    settings: &WebhookSettings,
    notification: &Notification,
    now: Timestamp,
) -> Attempt {
    let body = match serde_json::to_vec(&Body::of(notification)) {
        Ok(body) => body,
        Err(error) => return Attempt::Refused(error.to_string()),
    };
    let id = identity(notification);
    let seconds = now.as_second();
    let signature = signature(&settings.secret, &id, seconds, &body);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("webhook-id", id),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature),
    ] {
        let value = HeaderValue::try_from(value).expect("ids, numbers and base64 are plain text");
        headers.insert(name, value);
    }
    http::post(client, &settings.url, headers, body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_standard_s() {
        // The example of the Standard Webhooks' own libraries.
        let signed = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}

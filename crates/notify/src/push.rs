//! A POST to the gateway of mobile devices.

use portfolio::store::Notification;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::Serialize;

use crate::attempt::Attempt;
use crate::http::{self, Client};
use crate::message::{Body, identity};
use crate::settings::PushSettings;

/// What the gateway gets.
#[derive(Serialize)]
struct Push<'n> {
    /// The device.
    to: &'n str,
    title: &'n str,
    body: &'n str,
    data: Body<'n>,
}

pub(crate) async fn send(
    client: &Client,
    settings: &PushSettings,
    device: &str,
    notification: &Notification,
) -> Attempt {
    let push = Push {
        to: device,
        title: &notification.subject,
        body: &notification.message,
        data: Body::of(notification),
    };
    let body = match serde_json::to_vec(&push) {
        Ok(body) => body,
        Err(error) => return Attempt::Refused(error.to_string()),
    };
    match headers(settings, identity(notification)) {
        Ok(headers) => http::post(client, &settings.url, headers, body).await,
        Err(_) => Attempt::Refused("the gateway's token cannot be sent in a header".to_owned()),
    }
}

fn headers(
    settings: &PushSettings,
    id: String,
) -> Result<HeaderMap, reqwest::header::InvalidHeaderValue> {
    let mut headers = HeaderMap::new();
    headers.insert("idempotency-key", HeaderValue::try_from(id)?);
    if let Some(token) = &settings.token {
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

//! One POST, and what its answer means.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};

use crate::attempt::Attempt;
use crate::error::{Error, Result};

const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(20);

/// A client that follows no redirects: a signed body goes where it was meant to go, or nowhere.
pub(crate) fn client() -> Result<Client> {
    let builder = Client::builder().connect_timeout(CONNECT).timeout(TOTAL);
    let builder = builder
        .redirect(Policy::none())
        .user_agent(concat!("celeriac/", env!("CARGO_PKG_VERSION")));
    builder.build().map_err(Error::Http)
}

/// Posts a JSON body.
pub(crate) async fn post(client: &Client, url: &str, headers: HeaderMap, body: Vec<u8>) -> Attempt {
    let request = client
        .post(url)
        .headers(headers)
        .header("content-type", "application/json")
        .body(body);
    match request.send().await {
        Ok(response) => judge(response.status()),
        // An address may hold a token, so it is not repeated.
        Err(error) if error.is_builder() => Attempt::Refused(text(error)),
        Err(error) => Attempt::Temporary(text(error)),
    }
}

fn judge(status: StatusCode) -> Attempt {
    let answer = format!("answered {status}");
    match status {
        status if status.is_success() => Attempt::Sent,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Attempt::Temporary(answer)
        }
        status if status.is_server_error() => Attempt::Temporary(answer),
        _ => Attempt::Refused(answer),
    }
}

/// The error and what caused it in one line, without the address.
fn text(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_servers_are_tried_again_and_refusals_are_not() {
        let judged = |code| judge(StatusCode::from_u16(code).unwrap());
        for code in [200, 202, 204] {
            assert_eq!(judged(code), Attempt::Sent, "{code}");
        }
        for code in [408, 425, 429, 500, 503] {
            assert!(matches!(judged(code), Attempt::Temporary(_)), "{code}");
        }
        for code in [301, 400, 401, 404, 410] {
            assert!(matches!(judged(code), Attempt::Refused(_)), "{code}");
        }
    }
}

//! One POST, and what its answer means.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;

use crate::attempt::Attempt;
use crate::error::{Error, Result};
use crate::reach::{Outside, names_internal};

const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(20);

/// A client that follows no redirects: a signed body goes where it was meant to go, or nowhere.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    outside_only: bool,
}

impl Client {
    /// For addresses that the installation has set.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            http: builder().build().map_err(Error::Http)?,
            outside_only: false,
        })
    }

    /// For addresses that users have set. A proxy would resolve names on its own, so none is used.
    pub(crate) fn outside() -> Result<Self> {
        let builder = builder().no_proxy().dns_resolver(Outside);
        Ok(Self {
            http: builder.build().map_err(Error::Http)?,
            outside_only: true,
        })
    }
}

fn builder() -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder();
    let builder = builder.connect_timeout(CONNECT).timeout(TOTAL);
    builder
        .redirect(Policy::none())
        .user_agent(concat!("celeriac/", env!("CARGO_PKG_VERSION")))
}

/// Posts a JSON body.
pub(crate) async fn post(client: &Client, url: &str, headers: HeaderMap, body: Vec<u8>) -> Attempt {
    if client.outside_only && names_internal(url) {
        return Attempt::Refused(Error::Internal.to_string());
    }
    let request = client
        .http
        .post(url)
        .headers(headers)
        .header("content-type", "application/json")
        .body(body);
    match request.send().await {
        Ok(response) => judge(response.status()),
        // An address may hold a token, so it is not repeated.
        Err(error) if error.is_builder() || is_internal(&error) => Attempt::Refused(text(error)),
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

/// Whether the resolver has refused the address.
fn is_internal(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if matches!(error.downcast_ref(), Some(Error::Internal)) {
            return true;
        }
        cause = error.source();
    }
    false
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

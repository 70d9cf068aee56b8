//! A small HTTP server for what watches a program: probes and Prometheus. It owns the listening, the address and who may ask;
//! what is answered is the caller's.
//!
//! Outside loopback it serves nobody without a token.

mod address;
mod guard;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use tokio_util::sync::CancellationToken;

use crate::{Error, Settings};
use address::{Address, Listening};
use guard::Token;

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listening: Listening,
    token: Option<Token>,
}

impl Server {
    /// Listens where `celeriac_http_address` says; `None` when it says nothing.
    ///
    /// # Errors
    /// When the address is none, can be reached from elsewhere and there is no `celeriac_http_token`, or cannot be bound.
    pub async fn open(settings: &Settings) -> Result<Option<Self>, Error> {
        let Some(text) = settings.text("celeriac_http_address") else {
            return Ok(None);
        };
        let token = settings.text("celeriac_http_token").map(Token::new);
        if token.as_ref().is_some_and(Token::is_empty) {
            return Err(settings.refuse("celeriac_http_token", "a text that nobody guesses"));
        }
        let address = Address::parse(text).ok_or_else(|| {
            settings.refuse(
                "celeriac_http_address",
                "host:port with an IP address, or unix: and a path",
            )
        })?;
        if !address.is_local() && token.is_none() {
            let rule = "an address of this machine's loopback or a unix socket, unless celeriac_http_token is set";
            return Err(settings.refuse("celeriac_http_address", rule));
        }
        let bound = address.bind().await;
        let listening = bound.map_err(|source| Error::Listen {
            address: text.to_owned(),
            source,
        })?;
        Ok(Some(Self { listening, token }))
    }

    /// Answers with these routes until `stop`.
    pub async fn run(self, routes: Router, stop: CancellationToken) {
        tracing::info!(address = %self.listening, protected = self.token.is_some(), "answering HTTP");
        let routes = match self.token {
            Some(token) => routes.layer(middleware::from_fn_with_state(
                Arc::new(token),
                guard::check,
            )),
            None => routes,
        };
        self.listening.serve(routes, stop).await;
    }
}

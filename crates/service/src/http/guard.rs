//! Who may ask: whoever shows the token as `Authorization: Bearer <token>`.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The secret that a caller must show. Its `Debug` form hides it.
pub(super) struct Token(Vec<u8>);

impl Token {
    pub(super) fn new(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the header shows the token. How long it takes tells nothing of how much of it was right.
    fn is_shown_by(&self, header: &[u8]) -> bool {
        let Some(shown) = header.strip_prefix(b"Bearer ") else {
            return false;
        };
        let differing = self
            .0
            .iter()
            .zip(shown)
            .fold(0, |seen, (one, other)| seen | (one ^ other));
        differing == 0 && shown.len() == self.0.len()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// Lets pass who shows the token.
pub(super) async fn check(
    State(token): State<Arc<Token>>,
    request: Request,
    next: Next,
) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION);
    if shown.is_some_and(|value| token.is_shown_by(value.as_bytes())) {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (
        StatusCode::UNAUTHORIZED,
        challenge,
        "celeriac_http_token is required\n",
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_let_pass() {
        let token = Token::new("secret");
        assert!(token.is_shown_by(b"Bearer secret"));
        for shown in [
            "secret",
            "Bearer ",
            "Bearer secre",
            "Bearer secrets",
            "Bearer Secret",
            "Basic secret",
        ] {
            assert!(!token.is_shown_by(shown.as_bytes()), "{shown}");
        }
    }
}

//! A web server that keeps what is posted to it and answers as it is told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use tokio::net::TcpListener;

/// What was posted.
#[derive(Clone, Debug)]
pub struct Post {
    /// Where to.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Post {
    /// A header's text, or nothing.
    ///
    /// # Panics
    /// When it is no text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("headers are plain text"))
    }
}

/// A running receiver. It ends with the runtime that it was started on.
#[derive(Clone, Debug)]
pub struct Receiver {
    address: String,
    state: Arc<Mutex<Kept>>,
}

#[derive(Debug)]
struct Kept {
    answer: (StatusCode, String),
    posts: Vec<Post>,
}

impl Receiver {
    /// Starts one on a free port that answers 200.
    ///
    /// # Panics
    /// When the system has no port.
    pub async fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port can be had");
        let address = listener.local_addr().expect("a listener has an address");
        let state = Arc::new(Mutex::new(Kept {
            answer: (StatusCode::OK, String::new()),
            posts: Vec::new(),
        }));
        let app = Router::new().fallback(keep).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Receiver {
            address: address.to_string(),
            state,
        }
    }

    /// An address of this server.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers with this status and without a body from now on.
    pub fn answers(&self, code: u16) {
        self.answers_with(code, "");
    }

    /// Answers with this status and body from now on.
    ///
    /// # Panics
    /// When it is no status.
    pub fn answers_with(&self, code: u16, body: &str) {
        let status = StatusCode::from_u16(code).expect("a status has three digits");
        self.state().answer = (status, body.to_owned());
    }

    /// Everything that was posted so far.
    #[must_use]
    pub fn posts(&self) -> Vec<Post> {
        self.state().posts.clone()
    }

    fn state(&self) -> MutexGuard<'_, Kept> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn keep(
    State(state): State<Arc<Mutex<Kept>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let mut kept = state.lock().unwrap_or_else(PoisonError::into_inner);
    let path = uri.path().to_owned();
    kept.posts.push(Post {
        path,
        headers,
        body,
    });
    kept.answer.clone()
}

//! A web server that keeps what it gets and answers as it is told.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;

/// What was posted.
#[derive(Clone, Debug)]
pub struct Post {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Post {
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Clone, Debug)]
pub struct Receiver {
    pub url: String,
    state: Arc<Mutex<Kept>>,
}

#[derive(Debug)]
struct Kept {
    answer: StatusCode,
    posts: Vec<Post>,
}

impl Receiver {
    pub async fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/hook?token=geheim",
            listener.local_addr().unwrap()
        );
        let state = Arc::new(Mutex::new(Kept {
            answer: StatusCode::OK,
            posts: Vec::new(),
        }));
        let app = Router::new().fallback(keep).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Receiver { url, state }
    }

    pub fn answers(&self, code: u16) {
        self.state.lock().unwrap().answer = StatusCode::from_u16(code).unwrap();
    }

    pub fn posts(&self) -> Vec<Post> {
        self.state.lock().unwrap().posts.clone()
    }
}

async fn keep(
    State(state): State<Arc<Mutex<Kept>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut kept = state.lock().unwrap();
    kept.posts.push(Post { headers, body });
    kept.answer
}

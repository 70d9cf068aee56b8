//! A provider to talk to: a real HTTP server that plays a script, one step for each request.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use market_data::{Provider, Providers};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A whole answer.
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// The connection is reset.
    Reset,
    /// Nothing comes.
    Hang,
    /// The body comes one byte at a time.
    Drip,
    /// The body ends before its length.
    Cut,
}

impl Step {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Step {
        Step::Answer {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn status(status: u16) -> Step {
        Step::Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
}

/// A request as it came: its head, and when.
pub(crate) type Seen = Arc<Mutex<Vec<(String, Instant)>>>;

/// A running server; it ends with the runtime.
pub(crate) struct Server {
    pub(crate) url: String,
    seen: Seen,
    /// The data folder of its providers.
    folder: tempfile::TempDir,
}

impl Server {
    /// Plays the steps, then repeats the last one.
    pub(crate) async fn play(steps: Vec<Step>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Seen::default();
        tokio::spawn(serve(listener, steps, Arc::clone(&seen)));
        Server {
            url,
            seen,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The heads of all requests.
    pub(crate) fn requests(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(head, _)| head.clone()).collect()
    }

    /// When they came.
    pub(crate) fn times(&self) -> Vec<Instant> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|(_, time)| *time)
            .collect()
    }

    /// Settings of a provider of this shape that asks this server, without the limits of the real one.
    pub(crate) fn settings(&self, shape: &str, own: &Value) -> Value {
        let mut http = json!({"shape": shape, "base_url": self.url, "requests_per_second": 1e6, "requests_per_day": 1_000_000});
        let own = own.as_object().unwrap().clone();
        http.as_object_mut().unwrap().extend(own);
        http
    }

    /// Such a provider.
    pub(crate) fn provider(&self, shape: &str, own: Value) -> Arc<dyn Provider> {
        let http = self.settings(shape, &own);
        let settings = json!({"providers": ["test"], "http": {"test": http}});
        let providers = Providers::from_settings(settings, self.folder.path());
        Arc::clone(providers.unwrap().named("test").unwrap())
    }
}

async fn serve(listener: TcpListener, steps: Vec<Step>, seen: Seen) {
    for number in 0.. {
        let (mut stream, _) = listener.accept().await.unwrap();
        let step = steps[number.min(steps.len() - 1)].clone();
        let seen = Arc::clone(&seen);
        tokio::spawn(async move {
            let head = head(&mut stream).await;
            seen.lock().unwrap().push((head, Instant::now()));
            // A client that has enough hangs up; that is its right.
            let _ = carry_out(stream, step).await;
        });
    }
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(size @ 1..) => head.extend_from_slice(&buffer[..size]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

async fn carry_out(mut stream: TcpStream, step: Step) -> std::io::Result<()> {
    const LONG: Duration = Duration::from_secs(600);
    match step {
        Step::Answer {
            status,
            headers,
            body,
        } => {
            let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
            if status != 304 {
                head.push_str(&format!("Content-Length: {}\r\n", body.len()));
            }
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            stream.write_all(format!("{head}\r\n").as_bytes()).await?;
            stream.write_all(&body).await?;
            stream.shutdown().await
        }
        Step::Reset => stream.set_zero_linger(),
        Step::Hang => {
            tokio::time::sleep(LONG).await;
            Ok(())
        }
        Step::Drip => {
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
            loop {
                stream.write_all(b"[").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Step::Cut => {
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{";
            stream.write_all(head.as_bytes()).await?;
            stream.shutdown().await
        }
    }
}

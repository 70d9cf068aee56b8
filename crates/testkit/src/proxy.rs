//! A TCP proxy in front of a server, for faults of the network: cut connections, silence, refused connections.
//! It knows nothing of what flows through it.

mod connection;

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the connections look at while they run.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// No byte moves, in neither direction.
    stalled: bool,
    /// Counts the cuts; a connection ends when it changes.
    cuts: u64,
}

/// A proxy on a free port of 127.0.0.1. Dropping it closes its port and all its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    target: String,
    line: watch::Sender<Line>,
    listening: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy in front of `target` (`host:port`).
    ///
    /// # Panics
    /// When no port can be bound.
    pub async fn start(target: impl Into<String>) -> Self {
        let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).await;
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let mut proxy = Self {
            address,
            target: target.into(),
            line: watch::Sender::default(),
            listening: None,
        };
        proxy.listen(listener);
        proxy
    }

    /// Where clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port clients connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Closes all connections; new ones are accepted as before.
    pub fn cut(&self) {
        self.line.send_modify(|line| line.cuts += 1);
    }

    /// Holds every byte back, in both directions and on new connections too, without closing anything.
    pub fn stall(&self) {
        self.line.send_modify(|line| line.stalled = true);
    }

    /// Ends a [`stall`](Self::stall): what was held back arrives.
    pub fn resume(&self) {
        self.line.send_modify(|line| line.stalled = false);
    }

    /// Closes the port: new connections are refused from now on, existing ones go on (see [`cut`](Self::cut)).
    pub async fn refuse(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            // The listener is closed only when its task has ended; the error is the abort itself.
            let _aborted = listening.await;
        }
    }

    /// Opens the port again after [`refuse`](Self::refuse).
    ///
    /// # Panics
    /// When somebody else has taken the port.
    pub async fn accept(&mut self) {
        if self.listening.is_none() {
            let listener = bind(self.address).await;
            self.listen(listener);
        }
    }

    fn listen(&mut self, listener: TcpListener) {
        let line = self.line.subscribe();
        let target = self.target.clone();
        self.listening = Some(tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection::run(client, target.clone(), line.clone()));
            }
        }));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
        }
    }
}

async fn bind(address: SocketAddr) -> TcpListener {
    TcpListener::bind(address)
        .await
        .unwrap_or_else(|error| panic!("the proxy cannot bind {address}: {error}"))
}

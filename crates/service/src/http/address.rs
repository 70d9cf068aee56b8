//! Where to listen: an address with a port, or a unix socket.

use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

/// Who may connect to a unix socket: the program's user and group.
const SOCKET_MODE: u32 = 0o660;

/// Where to listen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// `127.0.0.1:9100`, `[::1]:0`, `localhost:9100` or `unix:/run/worker.sock`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return (!path.is_empty()).then(|| Self::Unix(path.into()));
        }
        // A name could mean another address tomorrow; this one means the loopback everywhere.
        let numeric = text
            .strip_prefix("localhost:")
            .map(|port| format!("127.0.0.1:{port}"));
        numeric
            .as_deref()
            .unwrap_or(text)
            .parse()
            .ok()
            .map(Self::Tcp)
    }

    /// Whether only this machine can connect.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }

    pub(super) async fn bind(self) -> io::Result<Listening> {
        match self {
            Self::Tcp(address) => TcpListener::bind(address).await.map(Listening::Tcp),
            Self::Unix(path) => bind_unix(path),
        }
    }
}

/// A socket that an earlier program has left behind is replaced; any other file is left alone.
fn bind_unix(path: PathBuf) -> io::Result<Listening> {
    let left_behind = fs::symlink_metadata(&path).is_ok_and(|meta| meta.file_type().is_socket());
    if left_behind {
        if std::os::unix::net::UnixStream::connect(&path).is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        fs::remove_file(&path)?;
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(SOCKET_MODE))?;
    Ok(Listening::Unix(listener, Socket(path)))
}

/// A bound socket's file, removed in the end.
#[derive(Debug)]
pub(super) struct Socket(PathBuf);

impl Socket {
    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Whoever removed it before us has done what we would.
        let _ = fs::remove_file(&self.0);
    }
}

/// What is listened on.
#[derive(Debug)]
pub(super) enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener, Socket),
}

impl Listening {
    pub(super) async fn serve(self, routes: Router, stop: CancellationToken) {
        let served = match self {
            Self::Tcp(listener) => {
                let serving = axum::serve(listener, routes);
                serving.with_graceful_shutdown(stop.cancelled_owned()).await
            }
            Self::Unix(listener, _socket) => {
                let serving = axum::serve(listener, routes);
                serving.with_graceful_shutdown(stop.cancelled_owned()).await
            }
        };
        if let Err(error) = served {
            tracing::error!(%error, "the HTTP server has ended");
        }
    }
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => write!(f, "http://{address}"),
                Err(_) => f.write_str("a closed socket"),
            },
            Self::Unix(_, socket) => write!(f, "unix:{}", socket.path().display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_and_sockets_are_local() {
        let cases = [
            ("127.0.0.1:9100", true),
            ("localhost:0", true),
            ("[::1]:9100", true),
            ("[::ffff:127.0.0.1]:9100", true),
            ("unix:/run/worker.sock", true),
            ("0.0.0.0:9100", false),
            ("[::]:9100", false),
            ("10.0.0.1:9100", false),
        ];
        for (text, local) in cases {
            let address = Address::parse(text).expect(text);
            assert_eq!(address.is_local(), local, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            "9100",
            "worker:9100",
            "127.0.0.1",
            "unix:",
            "http://127.0.0.1:1",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_socket_left_behind_is_replaced_and_one_in_use_is_not() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("worker.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a listener leaves its socket behind");
        let bound = bind_unix(path.clone()).unwrap();
        assert!(bind_unix(path.clone()).is_err(), "somebody listens");
        drop(bound);
        assert!(!path.exists());
        fs::write(&path, "a file").unwrap();
        assert!(bind_unix(path).is_err());
    }
}

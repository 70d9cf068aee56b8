//! One connection through the proxy: bytes both ways until an end closes, the line is cut, or the proxy is dropped.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use super::Line;

/// Serves `client` from `target`; both connections are closed when this returns.
pub(super) async fn run(client: TcpStream, target: String, line: watch::Receiver<Line>) {
    tokio::select! {
        () = cut(line.clone()) => {}
        _ended = forward(client, target, line) => {}
    }
}

/// Returns at the next cut, or when the proxy is gone.
async fn cut(mut line: watch::Receiver<Line>) {
    let before = line.borrow().cuts;
    let _gone = line.wait_for(|line| line.cuts != before).await;
}

async fn forward(
    client: TcpStream,
    target: String,
    mut line: watch::Receiver<Line>,
) -> io::Result<()> {
    flowing(&mut line).await?;
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        pump(from_client, to_server, line.clone()),
        pump(from_server, to_client, line),
    )?;
    Ok(())
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut line: watch::Receiver<Line>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        flowing(&mut line).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..length]).await?;
    }
}

/// Waits until bytes may move.
async fn flowing(line: &mut watch::Receiver<Line>) -> io::Result<()> {
    line.wait_for(|line| !line.stalled)
        .await
        .map(drop)
        .map_err(|_| io::ErrorKind::ConnectionAborted.into())
}

//! Faults of the network, seen by a client of an echo server behind the proxy.

use std::time::Duration;

use testkit::Proxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(30);
/// Long enough for a byte that is not held back to arrive.
const SILENCE: Duration = Duration::from_millis(100);

/// A server that sends back what it gets; its address.
async fn echo_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    address.to_string()
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

/// The next byte, or `None` at the end of the connection.
async fn read_byte(stream: &mut TcpStream) -> Option<u8> {
    timeout(DEADLINE, stream.read_u8()).await.unwrap().ok()
}

async fn assert_echo(stream: &mut TcpStream, byte: u8) {
    stream.write_u8(byte).await.unwrap();
    assert_eq!(read_byte(stream).await, Some(byte));
}

#[tokio::test]
async fn bytes_flow_and_a_cut_closes_only_what_was_open() {
    let proxy = Proxy::start(echo_server().await).await;
    let mut before = connect(&proxy).await;
    assert_echo(&mut before, 1).await;
    proxy.cut();
    assert_eq!(read_byte(&mut before).await, None);
    assert_echo(&mut connect(&proxy).await, 2).await;
}

#[tokio::test]
async fn a_stalled_line_delivers_after_resume() {
    let proxy = Proxy::start(echo_server().await).await;
    let mut stream = connect(&proxy).await;
    assert_echo(&mut stream, 1).await;
    proxy.stall();
    stream.write_u8(2).await.unwrap();
    assert!(timeout(SILENCE, stream.read_u8()).await.is_err());
    proxy.resume();
    assert_eq!(read_byte(&mut stream).await, Some(2));
}

#[tokio::test]
async fn refused_until_accepted_again() {
    let mut proxy = Proxy::start(echo_server().await).await;
    let mut before = connect(&proxy).await;
    assert_echo(&mut before, 1).await;
    proxy.refuse().await;
    let error = TcpStream::connect(proxy.address()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_echo(&mut before, 2).await;
    proxy.accept().await;
    assert_echo(&mut connect(&proxy).await, 3).await;
}

#[tokio::test]
async fn dropping_the_proxy_closes_its_connections() {
    let proxy = Proxy::start(echo_server().await).await;
    let mut stream = connect(&proxy).await;
    assert_echo(&mut stream, 1).await;
    drop(proxy);
    assert_eq!(read_byte(&mut stream).await, None);
}

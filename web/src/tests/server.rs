//! A real listener: what a peer can hold up.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;

async fn start(rig: &Rig) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let router = rig.router.clone();
    let tls = Some(Arc::clone(&rig.app.tls));
    let server = tokio::spawn(crate::serve_until(listener, router, tls, async {
        drop(stopped.await);
    }));
    (address, stop, server)
}

async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_api_is_served_and_ends_when_told_even_with_listeners() {
    let rig = Rig::new().await;
    let (address, stop, server) = start(&rig).await;
    let request = format!(
        "GET /api/v1/status HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        rig.viewer
    );
    let answer = ask(address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let nobody =
        format!("GET /api/v1/status HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    assert!(ask(address, &nobody).await.starts_with("HTTP/1.1 401 "));

    let mut listener = TcpStream::connect(address).await.unwrap();
    listener
        .write_all(request.replace("status", "events").as_bytes())
        .await
        .unwrap();
    let mut first = [0; 12];
    listener.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), server)
        .await
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn slow_headers_end_the_connection() {
    let rig = Rig::new().await;
    let (address, _stop, _server) = start(&rig).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: local")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let ended =
        tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "the header time-out ends it");
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
}

#[tokio::test]
async fn rubbish_and_large_heads_are_refused() {
    let rig = Rig::new().await;
    let (address, _stop, _server) = start(&rig).await;
    let large = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(100_000)
    );
    for request in ["\u{0}\u{1}\u{2}\r\n\r\n", &large] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may close before everything is sent.
        drop(stream.write_all(request.as_bytes()).await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    }
    let after = ask(
        address,
        "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(after.starts_with("HTTP/1.1 503"), "{after}");
}

#[tokio::test]
async fn connections_of_one_address_are_bounded() {
    let rig = Rig::new().await;
    let (address, _stop, _server) = start(&rig).await;
    let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..128 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        held.push(stream);
    }
    let mut one_more = TcpStream::connect(address).await.unwrap();
    drop(one_more.write_all(request.as_bytes()).await);
    let mut answer = Vec::new();
    drop(one_more.read_to_end(&mut answer).await);
    assert!(answer.is_empty(), "it is closed without an answer");
}

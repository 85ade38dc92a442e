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
    tokio::time::timeout(Duration::from_secs(30), server)
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

#[tokio::test]
async fn ten_thousand_headers_are_refused_and_nobody_else_is_held_up() {
    let rig = Rig::new().await;
    let (address, _stop, _server) = start(&rig).await;
    for count in [200, 10_000] {
        let request = format!(
            "GET /readyz HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
            "A: b\r\n".repeat(count)
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        drop(stream.write_all(request.as_bytes()).await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{count}: {answer}"
        );
    }
    let after = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(ask(address, after).await.starts_with("HTTP/1.1 503"));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let rig = Rig::new().await;
    let (address, _stop, _server) = start(&rig).await;
    let begun = tokio::time::Instant::now();
    let request = "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                   Content-Length: 100\r\nConnection: close\r\n\r\n{";
    let answer = tokio::time::timeout(Duration::from_secs(20), ask(address, request)).await;
    let answer = answer.expect("the time-out of bodies ends it");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(begun.elapsed() >= Duration::from_secs(9));
}

#[tokio::test]
async fn large_and_deep_bodies_are_refused() {
    let rig = Rig::new().await;
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_object = format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    for path in ["login", "setup", "site", "what-if"] {
        let method = if path == "site" {
            Method::PUT
        } else {
            Method::POST
        };
        let send = |text: &str| {
            let call = rig.installer(method.clone(), path);
            call.text(text.to_owned()).send()
        };
        assert_eq!(send(&large).await.problem(), (413, "too_large"), "{path}");
        for deep in [&deep, &deep_object] {
            assert_eq!(send(deep).await.problem(), (400, "malformed"), "{path}");
        }
    }
}

#[tokio::test]
async fn no_path_leads_out_of_the_page() {
    let rig = Rig::new().await;
    for path in [
        "/../Cargo.toml",
        "/assets/../../Cargo.toml",
        "/..%2fCargo.toml",
        "/%2e%2e/Cargo.toml",
        "/%2e%2e%2fCargo.toml",
        "/..%5cCargo.toml",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/./index.html",
        "/.git/config",
        "/index.html%00.css",
    ] {
        let answer = rig.call(Method::GET, path).send().await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
        assert!(!answer.text.contains("[package]") && !answer.text.contains("root:"));
    }
    assert_eq!(
        rig.call(Method::GET, "/index.html").send().await.status,
        200
    );
}

/// A page that takes nothing: the others hear everything at once, and the slow one is let go.
#[tokio::test]
async fn a_page_that_takes_nothing_is_dropped_and_not_waited_for() {
    /// Text of one event: many of them fill what the system keeps for a connection.
    const LARGE: usize = 64 * 1024;
    let rig = Rig::new().await;
    let (address, _stop, _server) = start(&rig).await;
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        rig.viewer
    );
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    slow.read_exact(&mut first).await.unwrap();
    let quick = TcpStream::connect(address).await.unwrap();
    let (mut quick, mut asking) = quick.into_split();
    asking.write_all(request.as_bytes()).await.unwrap();
    quick.read_exact(&mut first).await.unwrap();
    let alarm = Arc::new(headroom_store::Alarm {
        id: 1,
        code: "overload".into(),
        load: None,
        since: Timestamp::UNIX_EPOCH,
        until: None,
        text: "x".repeat(LARGE),
    });
    let mut buffer = vec![0; LARGE];
    let mut longest = Duration::ZERO;
    for _ in 0..500 {
        let begun = std::time::Instant::now();
        let sent = rig.app.events.send(ServerEvent::Alarm(Arc::clone(&alarm)));
        sent.unwrap();
        let mut heard = 0;
        while heard < LARGE {
            let read = quick.read(&mut buffer).await.unwrap();
            assert!(read > 0, "the page that keeps up is dropped");
            heard += read;
        }
        longest = longest.max(begun.elapsed());
    }
    println!(
        "500 events of 64 KiB beside a page that takes nothing: each was heard within {longest:?}"
    );
    // A page that takes nothing may stall for half a minute.
    assert!(longest < Duration::from_secs(10), "{longest:?}");
    // It may stall for half a minute; nobody waits for that here.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    let mut taken = 0;
    let ended = tokio::time::timeout(Duration::from_secs(10), async {
        while let Ok(read @ 1..) = slow.read(&mut buffer).await {
            taken += read;
        }
    });
    assert!(ended.await.is_ok(), "the slow page was not let go");
    assert!(taken < 500 * LARGE, "it got everything: {taken}");
}

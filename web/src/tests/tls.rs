//! TLS on the same port as plain HTTP, on and off while it runs, judged by a client that trusts the house's authority.

use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;

async fn start(rig: &Rig) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = Some(Arc::clone(&rig.app.tls));
    let serving = crate::serve_until(listener, rig.router.clone(), tls, std::future::pending());
    tokio::spawn(serving);
    address
}

async fn say(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A connection that was closed without a word of TLS has said everything all the same.
    stream.read_to_string(&mut answer).await.ok();
    answer
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n")
}

async fn plain(address: SocketAddr, request: &str) -> String {
    say(TcpStream::connect(address).await.unwrap(), request).await
}

/// Over TLS to a name, with trust in one certificate.
async fn secure(
    address: SocketAddr,
    pem: &str,
    name: &str,
    request: &str,
) -> Result<String, String> {
    use base64::Engine;
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(der)).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector
        .connect(name.to_owned().try_into().unwrap(), stream)
        .await;
    let stream = stream.map_err(|error| error.to_string())?;
    Ok(say(stream, request).await)
}

/// As if it came over TLS.
async fn over_tls(rig: &Rig, body: Value) -> Answer {
    let mut call = rig.installer(Method::PUT, "tls").json(&body);
    call.request = call.request.extension(crate::serve::Secure);
    call.send().await
}

fn body(answer: &str) -> String {
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn it_is_turned_on_and_off_at_once_on_the_same_port() {
    let rig = Rig::new().await;
    let address = start(&rig).await;
    let off = json!({"mode": "off", "names": [], "ca_fingerprint": null, "not_after": null});
    assert_eq!(rig.read("tls").await, off);
    assert!(
        plain(address, &get("/ca.crt"))
            .await
            .starts_with("HTTP/1.1 404")
    );
    assert!(plain(address, &get("/")).await.starts_with("HTTP/1.1 200"));

    let wanted = json!({"mode": "self_signed", "names": ["headroom.example", "192.0.2.7"]});
    let on = rig.do_it(Method::PUT, "tls", wanted.clone()).await;
    assert_eq!(on.status, 200, "{on:?}");
    assert_eq!(
        on.body["ca_fingerprint"].as_str().unwrap().len(),
        32 * 3 - 1
    );
    let pem = body(&plain(address, &get("/ca.crt")).await);
    for name in [
        "localhost",
        "127.0.0.1",
        "pi",
        "pi.local",
        "headroom.example",
        "192.0.2.7",
    ] {
        let answer = secure(address, &pem, name, &get("/")).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{name}: {answer}");
    }
    let other = secure(address, &pem, "other.example", &get("/")).await;
    assert!(other.unwrap_err().contains("not valid for"));
    let again = plain(address, &get("/x?y=1")).await;
    assert!(
        again.starts_with("HTTP/1.1 308")
            && again.contains("location: https://localhost:1/x?y=1\r\n"),
        "{again}"
    );
    for probe in ["/healthz", "/readyz"] {
        assert!(
            plain(address, &get(probe))
                .await
                .starts_with("HTTP/1.1 503"),
            "{probe} is answered, and says what it says"
        );
    }

    // Another name: the authority stays, so that nobody has to trust another one.
    let fingerprint = on.body["ca_fingerprint"].clone();
    let more = over_tls(
        &rig,
        json!({"mode": "self_signed", "names": ["other.example"]}),
    )
    .await;
    assert_eq!(more.body["ca_fingerprint"], fingerprint);
    assert!(
        secure(address, &pem, "other.example", &get("/"))
            .await
            .is_ok()
    );

    over_tls(&rig, json!({"mode": "off"})).await;
    assert!(plain(address, &get("/")).await.starts_with("HTTP/1.1 200"));
    assert!(secure(address, &pem, "localhost", &get("/")).await.is_err());
}

#[tokio::test]
async fn a_cookie_that_came_over_tls_never_leaves_it() {
    let rig = Rig::new().await;
    let address = start(&rig).await;
    let code = rig.app.state.setup_code().await.unwrap().unwrap();
    let login = |path: &str, body: Value| {
        let body = body.to_string();
        format!(
            "POST /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let set_up = login(
        "setup",
        json!({"code": code, "name": "ada", "password": "correct horse battery"}),
    );
    let first = plain(address, &set_up).await.to_lowercase();
    assert!(
        first.contains("set-cookie") && !first.contains("; secure"),
        "{first}"
    );
    rig.do_it(Method::PUT, "tls", json!({"mode": "self_signed"}))
        .await;
    let pem = body(&plain(address, &get("/ca.crt")).await);
    let again = login(
        "login",
        json!({"name": "ada", "password": "correct horse battery"}),
    );
    let second = secure(address, &pem, "localhost", &again)
        .await
        .unwrap()
        .to_lowercase();
    assert!(
        second.contains("set-cookie") && second.contains("; secure"),
        "{second}"
    );
}

#[tokio::test]
async fn it_is_kept_over_a_restart_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let rig = Rig::new().await;
    rig.do_it(
        Method::PUT,
        "tls",
        json!({"mode": "self_signed", "names": ["a.example"]}),
    )
    .await;
    let directory = rig.app.upkeep.directory.clone();
    let file = directory.join("tls.json");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let again = crate::tls::Tls::open(&directory, &["pi".to_owned()]);
    assert_eq!(again.view(), rig.app.tls.view());
    assert!(again.acceptor().is_some());
    assert!(!format!("{again:?}").contains("key"));
    std::fs::write(&file, "rubbish").unwrap();
    assert!(crate::tls::Tls::open(&directory, &[]).acceptor().is_none());
    // Where it cannot be kept, all is as before.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let before = rig.app.tls.view();
    let failed = over_tls(&rig, json!({"mode": "off"})).await;
    assert_eq!(failed.problem(), (503, "unavailable"));
    assert_eq!(rig.app.tls.view(), before);
}

#[tokio::test]
async fn what_is_wrong_is_told_and_changes_nothing() {
    let rig = Rig::new().await;
    for (body, field, code) in [
        (json!({"mode": "on"}), "mode", "unknown"),
        (json!({"names": ["https://a"]}), "names[0]", "format"),
        (json!({"names": ["a", "b:443"]}), "names[1]", "format"),
        (json!({"names": vec!["a"; 21]}), "names", "range"),
        (json!({"key": "x"}), "key", "unknown"),
    ] {
        let answer = rig.do_it(Method::PUT, "tls", body.clone()).await;
        assert_eq!(answer.field(), (field, code), "{body}");
    }
    assert!(rig.app.tls.acceptor().is_none());
}

#[tokio::test]
async fn who_says_nothing_holds_nothing_up() {
    let rig = Rig::new().await;
    rig.do_it(Method::PUT, "tls", json!({"mode": "self_signed"}))
        .await;
    let address = start(&rig).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(&[0x16, 3, 1]).await.unwrap();
    for stream in [&mut silent, &mut half] {
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(
            std::time::Duration::from_secs(20),
            stream.read_to_end(&mut answer),
        );
        ended.await.expect("it is ended").ok();
    }
}

//! TLS at the central system: who speaks it, who cannot, and who says nothing.

use std::{sync::Arc, time::Duration};

use headroom_chargers::TlsDoor;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    },
};
use tracing::Level;

use crate::{
    house::{House, PATIENCE},
    log::Log,
};

/// Time for a handshake of TLS, and for the first byte.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A request that is answered whatever it asks.
const REQUEST: &[u8] = b"GET /CP1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// The door of a house, as the page has it, and its certificate.
fn door() -> (TlsDoor, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], PrivateKeyDer::Pkcs8(key))
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    (Box::new(move || Some(acceptor.clone())), certificate)
}

/// A charge point that trusts this certificate and names these protocols.
fn charge_point(trusts: Option<CertificateDer<'static>>, protocols: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusts);
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    TlsConnector::from(Arc::new(config))
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

#[tokio::test]
async fn whatever_protocol_a_charge_point_names_in_its_handshake_it_is_served() {
    let (door, certificate) = door();
    let house = House::start_with(door).await;
    for names in [&[][..], &["http/1.1"], &["ocpp1.6"], &["h2", "ocpp"]] {
        let stream = TcpStream::connect(house.ocpp).await.unwrap();
        let connector = charge_point(Some(certificate.clone()), names);
        let mut stream = connector
            .connect(localhost(), stream)
            .await
            .unwrap_or_else(|error| panic!("{names:?}: {error}"));
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = Vec::new();
        // The end may come without a farewell of TLS.
        drop(
            timeout(PATIENCE, stream.read_to_end(&mut answer))
                .await
                .unwrap(),
        );
        assert!(answer.starts_with(b"HTTP/1.1 4"), "{names:?}");
    }
}

/// Waits for a line, which another task writes.
async fn line(log: &Log, words: &str) -> String {
    let seen = async {
        loop {
            if let Some(line) = log.lines(Level::WARN, words).pop() {
                return line;
            }
            tokio::task::yield_now().await;
        }
    };
    let seen = timeout(PATIENCE, seen).await;
    seen.unwrap_or_else(|_| panic!("no line with {words:?}"))
}

#[tokio::test]
async fn a_handshake_that_fails_is_in_the_log_with_what_to_do() {
    let (log, _guard) = Log::listen();
    let (door, _) = door();
    let house = House::start_with(door).await;
    for _ in 0..3 {
        let stream = TcpStream::connect(house.ocpp).await.unwrap();
        let doubtful = charge_point(None, &[]);
        assert!(doubtful.connect(localhost(), stream).await.is_err());
    }
    let line = line(&log, "handshake of TLS failed").await;
    assert!(
        line.contains("/ca.crt") && line.contains("127.0.0.1"),
        "{line}"
    );
    let left_out = async {
        while log.lines(Level::DEBUG, "once more within a minute").len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, left_out).await.unwrap();
    assert_eq!(log.lines(Level::WARN, "").len(), 1);
}

#[tokio::test]
async fn who_wants_tls_while_it_is_off_is_in_the_log_with_what_to_do() {
    let (log, _guard) = Log::listen();
    let house = House::start().await;
    let stream = TcpStream::connect(house.ocpp).await.unwrap();
    let secure = charge_point(None, &[]);
    assert!(secure.connect(localhost(), stream).await.is_err());
    let line = line(&log, "TLS is off").await;
    assert!(line.contains("ws://"), "{line}");
}

#[tokio::test]
async fn a_peer_that_does_not_end_its_handshake_is_dropped() {
    // The first bytes of a record that announces 256 more (RFC 8446, section 5.1).
    let half = [0x16, 3, 1, 1, 0, 1, 0, 0];
    for (name, first, warns) in [
        ("nothing", &half[..0], 0),
        ("a byte", &half[..1], 1),
        ("half of a hello", &half, 1),
    ] {
        let (log, _guard) = Log::listen();
        let (door, _) = door();
        let house = House::start_with(door).await;
        let mut peer = TcpStream::connect(house.ocpp).await.unwrap();
        peer.write_all(first).await.unwrap();
        tokio::time::pause();
        let began = Instant::now();
        let mut rest = Vec::new();
        let end = timeout(20 * HANDSHAKE, peer.read_to_end(&mut rest)).await;
        let took = began.elapsed();
        tokio::time::resume();
        drop(end.unwrap_or_else(|_| panic!("{name}: it is still there")));
        assert!(rest.is_empty(), "{name}: {rest:?}");
        assert!(
            (HANDSHAKE..2 * HANDSHAKE).contains(&took),
            "{name}: {took:?}"
        );
        let told = log.lines(Level::WARN, "was not done in time").len();
        assert_eq!(told, warns, "{name}");
    }
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_dropped_without_tls_too() {
    let house = House::start().await;
    let mut peer = TcpStream::connect(house.ocpp).await.unwrap();
    tokio::time::pause();
    let mut rest = Vec::new();
    let end = timeout(20 * HANDSHAKE, peer.read_to_end(&mut rest)).await;
    tokio::time::resume();
    drop(end.unwrap());
}

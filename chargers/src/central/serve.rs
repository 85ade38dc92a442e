//! The listener: HTTP/1.1 with limits against peers that connect and say nothing.
//!
//! While TLS is on, a connection that begins with a handshake is one of TLS (security profile 2 of OCPP); plain ones go on beside
//! it, because there are charge points that know no other.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{Extension, Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tower::{Layer as _, ServiceExt as _};
use tracing::{debug, warn};

use super::{
    places::Places,
    said::{Kind, Said},
};

/// Time for the first byte, and for the whole handshake of TLS: charge points with small processors count seconds for one.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for the whole head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections at once that are not websockets yet: a site of 500 charge points that lose the network comes back twice over
/// at the same time. Websockets are counted where charge points are admitted.
const MAX_OPENING: usize = 1_200;
/// Pause after the system refused to accept, for example without free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Largest head of a request.
const MAX_HEAD: usize = 16 * 1024;

/// The first byte of a handshake of TLS (RFC 8446, section 5.1); no method of HTTP begins with it.
const HANDSHAKE: u8 = 0x16;

/// Gives what shakes hands with those that want TLS; `None` while it is off.
pub type TlsDoor = Box<dyn Fn() -> Option<TlsAcceptor> + Send + Sync>;

/// A connection, plain or not. One type, so that the server of HTTP is in the program once.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// The listener cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address of the listener is not to be had.
    #[error("the OCPP listener has no local address; restart the service")]
    NoAddress(#[source] std::io::Error),
}

/// Serves until the future is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    tls: TlsDoor,
) -> Result<Infallible, ServeError> {
    serve_in(Places::new(MAX_OPENING), listener, router, tls).await
}

async fn serve_in(
    places: Places,
    listener: TcpListener,
    router: Router,
    tls: TlsDoor,
) -> Result<Infallible, ServeError> {
    let address = listener.local_addr().map_err(ServeError::NoAddress)?;
    debug!(%address, "OCPP listener is up");
    let said = Said::default();
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let (mut place, loser) = places.take(remote.ip());
                if let Some(address) = loser {
                    say_crowded(&said, address);
                }
                let serving = serve_one(stream, remote, router.clone(), tls(), said.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = serving => {}
                        () = place.lost() => {}
                    }
                });
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn say_crowded(said: &Said, address: IpAddr) {
    if said.may(
        Kind::Line("crowded"),
        format_args!("dropped a connection of {address} that made no request"),
    ) {
        warn!(
            %address,
            "too many connections wait to be opened: the oldest one of the address with most of them was dropped. Charge points \
             that are connected go on. If it comes again, see what connects from that address"
        );
    }
}

/// Why there is no connection to serve.
#[derive(Debug)]
enum NotOpened {
    /// It wants TLS, which is off.
    TlsOff,
    /// The handshake failed.
    Tls(std::io::Error),
    /// The handshake took too long.
    TlsSlow,
    /// It was closed, or said nothing.
    Silent,
}

impl NotOpened {
    /// Says each kind once a minute, and what to do.
    fn tell(&self, remote: SocketAddr, said: &Said) {
        let kind = match self {
            Self::TlsOff => "TLS off",
            Self::Tls(_) => "TLS",
            Self::TlsSlow => "TLS slow",
            Self::Silent => return debug!(%remote, "a connection said nothing"),
        };
        if !said.may(
            Kind::Line(kind),
            format_args!("no connection with {remote}: {self:?}"),
        ) {
            return;
        }
        match self {
            Self::TlsOff => warn!(
                %remote,
                "a charge point wants TLS (wss://), and TLS is off: its connection was dropped. Turn TLS on, or set the charge \
                 point to ws://"
            ),
            Self::Tls(error) => warn!(
                %remote,
                %error,
                "a charge point's handshake of TLS failed, and its connection was dropped: it must trust the authority of \
                 /ca.crt, connect to one of the names of the certificate, and speak TLS 1.2 or 1.3. Or set it to ws://"
            ),
            Self::TlsSlow => warn!(
                %remote,
                within_s = HANDSHAKE_TIMEOUT.as_secs(),
                "a charge point's handshake of TLS was not done in time, and its connection was dropped; it may try again. If it \
                 never gets through, set it to ws://"
            ),
            Self::Silent => {}
        }
    }
}

/// Waits for the first byte, and shakes hands where TLS is on and wanted.
async fn open(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
) -> Result<Box<dyn Stream>, NotOpened> {
    let deadline = Instant::now() + HANDSHAKE_TIMEOUT;
    let mut first = [0];
    match timeout_at(deadline, stream.peek(&mut first)).await {
        Ok(Ok(1..)) => {}
        Ok(Ok(0) | Err(_)) | Err(_) => return Err(NotOpened::Silent),
    }
    if first != [HANDSHAKE] {
        return Ok(Box::new(stream));
    }
    let acceptor = without_alpn(&acceptor.ok_or(NotOpened::TlsOff)?);
    match timeout_at(deadline, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(NotOpened::Tls(error)),
        Err(_) => Err(NotOpened::TlsSlow),
    }
}

/// The same, and whatever protocol a charge point names is fine (ALPN, RFC 7301): only one is spoken here, and some firmware
/// names another one.
fn without_alpn(acceptor: &TlsAcceptor) -> TlsAcceptor {
    let mut config = ServerConfig::clone(acceptor.config());
    config.alpn_protocols.clear();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve_one(
    stream: TcpStream,
    remote: SocketAddr,
    router: Router,
    acceptor: Option<TlsAcceptor>,
    said: Said,
) {
    // A command shall leave at once, not wait for company.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "no TCP_NODELAY");
    }
    let stream = match open(stream, acceptor).await {
        Ok(stream) => stream,
        Err(why) => return why.tell(remote, &said),
    };
    let service = Extension(ConnectInfo(remote))
        .layer(router)
        .map_request(|request: Request<Incoming>| request.map(Body::new));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    if let Err(error) = connection.await {
        debug!(%remote, %error, "a connection ended with an error");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpSocket,
        time::timeout,
    };

    const PATIENCE: Duration = Duration::from_secs(20);

    async fn connect(from: &str, to: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(from.parse().unwrap()).unwrap();
        socket.connect(to).await.unwrap()
    }

    #[tokio::test]
    async fn a_host_that_takes_all_places_keeps_no_other_out() {
        const PLACES: usize = 8;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let router = Router::new().fallback(|| async { "in" });
        let serving = serve_in(Places::new(PLACES), listener, router, Box::new(|| None));
        tokio::spawn(serving);
        let mut slow = Vec::new();
        for _ in 0..PLACES {
            let mut stream = connect("127.0.0.1:0", to).await;
            stream.write_all(b"GET /").await.unwrap();
            slow.push(stream);
        }
        let mut newcomer = connect("127.0.0.2:0", to).await;
        let request = b"GET /CP1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        newcomer.write_all(request).await.unwrap();
        let mut answer = String::new();
        let read = timeout(PATIENCE, newcomer.read_to_string(&mut answer));
        read.await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        // The oldest made room, and nobody else.
        let mut rest = Vec::new();
        let end = timeout(PATIENCE, slow[0].read_to_end(&mut rest)).await;
        drop(end.unwrap());
        for stream in &mut slow[1..] {
            stream
                .write_all(b"CP2 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                .await
                .unwrap();
            let mut answer = String::new();
            let read = timeout(PATIENCE, stream.read_to_string(&mut answer));
            read.await.unwrap().unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    }
}

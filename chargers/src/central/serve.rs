//! The listener: HTTP/1.1 with limits against peers that connect and say nothing.
//!
//! While TLS is on, a connection that begins with a handshake is one of TLS (security profile 2 of OCPP); plain ones go on beside
//! it, because there are charge points that know no other.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Extension, Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::{Layer as _, ServiceExt as _};
use tracing::{debug, warn};

/// Time for the whole head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections at once, websockets included: a site of 500 charge points that lose the network comes back twice over
/// before the old connections have ended.
const MAX_CONNECTIONS: usize = 1_200;
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
    let address = listener.local_addr().map_err(ServeError::NoAddress)?;
    debug!(%address, "OCPP listener is up");
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                // Without a free place the connection is dropped at once.
                if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                    let (router, acceptor) = (router.clone(), tls());
                    tokio::spawn(async move {
                        serve_one(stream, remote, router, acceptor).await;
                        drop(place);
                    });
                }
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Shakes hands where TLS is on and wanted; `None`: that failed.
async fn shake_hands(stream: TcpStream, acceptor: TlsAcceptor) -> Option<Box<dyn Stream>> {
    let mut first = [0];
    stream.peek(&mut first).await.ok()?;
    if first != [HANDSHAKE] {
        return Some(Box::new(stream));
    }
    let shaken = acceptor.accept(stream).await;
    let shaken = shaken.inspect_err(|error| debug!(%error, "no handshake of TLS"));
    Some(Box::new(shaken.ok()?))
}

async fn serve_one(
    stream: TcpStream,
    remote: SocketAddr,
    router: Router,
    acceptor: Option<TlsAcceptor>,
) {
    // A command shall leave at once, not wait for company.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "no TCP_NODELAY");
    }
    let stream: Box<dyn Stream> = match acceptor {
        None => Box::new(stream),
        Some(acceptor) => match timeout(HEAD_TIMEOUT, shake_hands(stream, acceptor)).await {
            Ok(Some(stream)) => stream,
            Ok(None) | Err(_) => return,
        },
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

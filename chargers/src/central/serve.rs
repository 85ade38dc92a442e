//! The listener: HTTP/1.1 with limits against peers that connect and say nothing.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Extension, Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
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

/// The listener cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address of the listener is not to be had.
    #[error("the OCPP listener has no local address; restart the service")]
    NoAddress(#[source] std::io::Error),
}

/// Serves until the future is dropped.
pub(crate) async fn serve(listener: TcpListener, router: Router) -> Result<Infallible, ServeError> {
    let address = listener.local_addr().map_err(ServeError::NoAddress)?;
    debug!(%address, "OCPP listener is up");
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                // Without a free place the connection is dropped at once.
                if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                    let router = router.clone();
                    tokio::spawn(async move {
                        serve_one(stream, remote, router).await;
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

async fn serve_one(stream: TcpStream, remote: SocketAddr, router: Router) {
    // A command shall leave at once, not wait for company.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "no TCP_NODELAY");
    }
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

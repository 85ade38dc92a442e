//! Serving a router on a listener, with limits on everything that a peer can hold up.
//!
//! Slow headers end after 5 s, slow bodies after 10 s (`body`), a peer that does not take its answer after 30 s.
//! Connections are bounded, in all and per address.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::app::App;
use crate::routes::router;
use crate::tls::Tls;

const HEADER_TIME: Duration = Duration::from_secs(5);
const STALL_TIME: Duration = Duration::from_secs(30);
/// All connections: file descriptors are left for the meter, the chargers and the databases.
const CONNECTIONS: usize = 512;
/// Connections of one address; behind a proxy everybody has the same.
const CONNECTIONS_PER_ADDRESS: usize = 128;
/// Largest head of a request.
const HEAD_BYTES: usize = 32 * 1024;
/// After a failed accept (no file descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Answers that are under way when the program ends.
const GRACE: Duration = Duration::from_secs(1);
/// How often it is looked whether the certificate ends soon.
const RENEW_LOOK: Duration = Duration::from_hours(12);
/// The first byte of a handshake of TLS (RFC 8446, section 5.1); no method of HTTP begins with it.
const HANDSHAKE: u8 = 0x16;

/// Stands in the extensions of a request that came over TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secure;

/// Serves the API and the page until the task is ended.
pub async fn serve(listener: TcpListener, app: App) {
    let tls = Arc::clone(&app.tls);
    let renewing = async {
        let mut look = tokio::time::interval(RENEW_LOOK);
        loop {
            look.tick().await;
            let tls = Arc::clone(&tls);
            // A certificate takes a while to make, and a file a while to write.
            drop(tokio::task::spawn_blocking(move || tls.renew()).await);
        }
    };
    let serving = serve_until(
        listener,
        router(app),
        Some(Arc::clone(&tls)),
        std::future::pending(),
    );
    tokio::select! {
        () = serving => {}
        () = renewing => {}
    }
}

/// Serves a router until `stop` is done; then ends open answers within a second. With `tls` a connection that begins with
/// a handshake is one of TLS, while that is on.
pub async fn serve_until(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<Tls>>,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let addresses = Addresses::default();
    let (stopping, stopped) = watch::channel(false);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a connection was not accepted"
                );
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let place = Arc::clone(&places).try_acquire_owned();
        let (Ok(place), Some(guest)) = (place, addresses.enter(peer.ip())) else {
            tracing::debug!(%peer, "too many connections");
            continue;
        };
        let (router, stopped) = (router.clone(), stopped.clone());
        let acceptor = tls.as_ref().and_then(|tls| tls.acceptor());
        tokio::spawn(async move {
            connection(stream, peer, router, acceptor, stopped).await;
            drop((place, guest));
        });
    }
    drop(listener);
    stopping.send_replace(true);
    let everybody = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    if timeout(GRACE, places.acquire_many(everybody))
        .await
        .is_err()
    {
        tracing::debug!("some answers were cut off");
    }
}

/// Serves one connection, over TLS if it begins with a handshake and that is on.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    acceptor: Option<TlsAcceptor>,
    stopped: watch::Receiver<bool>,
) {
    let Some(acceptor) = acceptor else {
        return talk(Stalling::new(stream), peer, router, false, stopped).await;
    };
    let mut first = [0];
    let Ok(Ok(1)) = timeout(HEADER_TIME, stream.peek(&mut first)).await else {
        return;
    };
    if first != [HANDSHAKE] {
        return talk(Stalling::new(stream), peer, router, false, stopped).await;
    }
    match timeout(HEADER_TIME, acceptor.accept(Stalling::new(stream))).await {
        Ok(Ok(stream)) => talk(stream, peer, router, true, stopped).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "no handshake"),
        Err(_) => tracing::debug!(%peer, "the handshake takes too long"),
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    is_secure: bool,
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        if is_secure {
            request.extensions_mut().insert(Secure);
        }
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = wait_for_stop(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            timeout(GRACE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, error = &error as &dyn std::error::Error, "a connection broke off");
    }
}

async fn wait_for_stop(stopped: &mut watch::Receiver<bool>) {
    if stopped.wait_for(|stopped| *stopped).await.is_err() {
        tracing::trace!("the server is gone");
    }
}

/// How many connections each address has.
#[derive(Clone, Debug, Default)]
struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address.
#[derive(Debug)]
struct Guest {
    addresses: Addresses,
    address: IpAddr,
}

impl Addresses {
    fn enter(&self, address: IpAddr) -> Option<Guest> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= CONNECTIONS_PER_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Guest {
            addresses: self.clone(),
            address,
        })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self
            .addresses
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// A connection that breaks off when the peer has not taken anything for [`STALL_TIME`].
struct Stalling {
    stream: TcpStream,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Stalling {
    const fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            stalled: None,
        }
    }

    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: Poll<std::io::Result<T>>,
    ) -> Poll<std::io::Result<T>> {
        if poll.is_ready() {
            self.stalled = None;
            return poll;
        }
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(STALL_TIME)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(std::io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Stalling {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stalling {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, poll)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

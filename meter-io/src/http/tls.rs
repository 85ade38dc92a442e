//! Questions over TLS to one meter, over one connection that is kept: a handshake costs a small device a second.

use super::trust;
use crate::source::{Authority, Trust};
use headroom_codec::MAX_TELEGRAM;
use hyper::{
    Request, StatusCode,
    body::{Body, Incoming},
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, HOST},
};
use hyper_util::rt::TokioIo;
use std::{future::poll_fn, io, pin::Pin, sync::Arc, time::Duration};
use tokio::{net::TcpStream, sync::Mutex, task::JoinSet, time::timeout};
use tokio_rustls::{
    TlsConnector,
    rustls::{self, pki_types::ServerName},
};

/// The usual port (RFC 9110, 4.2.2).
const PORT: u16 = 443;

/// A way to one meter.
pub(super) struct Tls {
    connector: TlsConnector,
    trust: Trust,
    name: ServerName<'static>,
    address: String,
    host: String,
    /// Given back after each answer that was whole.
    open: Mutex<Option<Connection>>,
}

/// An open connection. It ends when it is dropped.
struct Connection {
    sender: SendRequest<String>,
    /// Moves its bytes.
    _task: JoinSet<()>,
}

impl Tls {
    pub(super) fn new(authority: &Authority, trust: &Trust) -> io::Result<Self> {
        let config = trust::client(trust)?;
        let host = authority.host.trim_start_matches('[').trim_end_matches(']');
        // Told to a proxy that serves many names. A device looks at nothing of it.
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| io::Error::other("TLS takes no such name of a host: write its address"))?;
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            trust: trust.clone(),
            name,
            address: authority.address(PORT),
            host: authority.to_string(),
            open: Mutex::new(None),
        })
    }

    /// Asks for a page with a token: its status, and its body if it is a good one.
    pub(super) async fn get(
        &self,
        path: &str,
        token: &str,
        limits: &Limits,
    ) -> io::Result<(StatusCode, Vec<u8>)> {
        let mut open = self.open.lock().await;
        // Taken out: a connection that failed or was waited for too long is not used again.
        let used = open.take().filter(|it| !it.sender.is_closed());
        let ask = async {
            if let Some(connection) = used {
                // The device may have closed it meanwhile.
                if let Ok(answer) = self.ask(connection, path, token).await {
                    return Ok(answer);
                }
            }
            let connection = self.connect(limits.connect).await?;
            self.ask(connection, path, token).await
        };
        let (connection, status, body) = timeout(limits.answer, ask)
            .await
            .map_err(|_| no_answer(limits.answer))??;
        *open = Some(connection);
        Ok((status, body))
    }

    async fn connect(&self, limit: Duration) -> io::Result<Connection> {
        let stream = timeout(limit, TcpStream::connect(&self.address))
            .await
            .map_err(|_| no_answer(limit))??;
        let stream = self
            .connector
            .connect(self.name.clone(), stream)
            .await
            .map_err(|error| self.explain(error))?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|error| not_http(&error))?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            // The question that it carries tells of its end.
            drop(connection.await);
        });
        Ok(Connection {
            sender,
            _task: task,
        })
    }

    async fn ask(
        &self,
        mut connection: Connection,
        path: &str,
        token: &str,
    ) -> io::Result<(Connection, StatusCode, Vec<u8>)> {
        let request = Request::get(format!("/{path}"))
            .header(HOST, &self.host)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header("X-Api-Version", "2")
            .body(String::new())
            .map_err(io::Error::other)?;
        let sender = &mut connection.sender;
        sender.ready().await.map_err(|error| not_http(&error))?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| not_http(&error))?;
        let status = response.status();
        let body = read(response.into_body()).await?;
        Ok((connection, status, body))
    }

    fn explain(&self, error: io::Error) -> io::Error {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        let text = match inner {
            Some(error) => trust::explain(error, &self.trust).unwrap_or_else(|| match error {
                rustls::Error::InvalidMessage(_) => {
                    "it does not speak TLS there: is the port right?".to_owned()
                }
                other => format!("TLS with it fails: {other}"),
            }),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                "it closes the connection at the start of TLS: does its firmware have version 2 of the interface?".to_owned()
            }
            None => return error,
        };
        io::Error::new(io::ErrorKind::InvalidData, text)
    }
}

/// How long is waited.
pub(super) struct Limits {
    /// For the connection.
    pub(super) connect: Duration,
    /// For everything.
    pub(super) answer: Duration,
}

async fn read(mut body: Incoming) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame.map_err(|error| not_http(&error))?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > MAX_TELEGRAM {
            return Err(super::client::too_long());
        }
    }
    Ok(bytes)
}

fn no_answer(limit: Duration) -> io::Error {
    let text = format!("no answer within {} s", limit.as_secs());
    io::Error::new(io::ErrorKind::TimedOut, text)
}

/// The cause in the words of the operating system, where it has one.
fn not_http(error: &hyper::Error) -> io::Error {
    super::client::cause(error).unwrap_or_else(super::client::no_web_server)
}

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
                    "it does not speak TLS there: look at the address and the port".to_owned()
                }
                other => format!("TLS with it fails: {other}"),
            }),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                "it closes the connection at the start of TLS: look at the address and the port"
                    .to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_a_home_can_be_asked() {
        let port = Some(8443);
        let asked = |host: &str, port| {
            let host = host.to_owned();
            let login = None;
            let authority = Authority { login, host, port };
            let tls = Tls::new(&authority, &Trust::default());
            tls.map(|tls| (tls.address, tls.host))
        };
        let pair = |address: &str, host: &str| (address.to_owned(), host.to_owned());
        assert_eq!(
            asked("192.0.2.7", None).unwrap(),
            pair("192.0.2.7:443", "192.0.2.7")
        );
        assert_eq!(
            asked("[2001:db8::1]", port).unwrap(),
            pair("[2001:db8::1]:8443", "[2001:db8::1]:8443")
        );
        assert_eq!(
            asked("p1_meter.local", None).unwrap(),
            pair("p1_meter.local:443", "p1_meter.local")
        );
        let error = asked("z\u{e4}hler.local", None).unwrap_err();
        assert!(error.to_string().contains("write its address"), "{error}");
    }
}

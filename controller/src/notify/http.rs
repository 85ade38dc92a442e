//! A message over HTTP: JSON for a webhook, a text with headers for ntfy. Redirects are not followed: a token goes to
//! nobody but whom it was written for.

use std::time::Duration;

use headroom_store::HttpChannel;
use hyper::client::conn::http1::handshake;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::message::Message;
use super::tls;
use crate::publish::VERSION;

/// For all of it: names, connection, TLS, answer.
const TIME: Duration = Duration::from_secs(10);

/// Sends a message as JSON.
///
/// # Errors
/// Why it was not taken, in words.
pub(super) async fn webhook(
    channel: &HttpChannel,
    message: &Message,
    language: &str,
) -> Result<(), String> {
    let request = Request::builder()
        .method(hyper::Method::POST)
        .header(CONTENT_TYPE, "application/json");
    send(channel, request, message.json(language).to_string()).await
}

/// Publishes a message to a topic (ntfy, "Publishing": title, priority and tags as headers).
///
/// # Errors
/// Why it was not taken, in words.
pub(super) async fn ntfy(
    channel: &HttpChannel,
    message: &Message,
    language: &str,
) -> Result<(), String> {
    // Its headers may be UTF-8.
    let title = HeaderValue::from_bytes(message.title(language).as_bytes())
        .unwrap_or(HeaderValue::from_static("Headroom"));
    let (priority, tag) = if message.event.is_raised() {
        ("high", "warning")
    } else {
        ("default", "white_check_mark")
    };
    let request = Request::builder()
        .method(hyper::Method::POST)
        .header(CONTENT_TYPE, "text/plain; charset=utf-8")
        .header("title", title)
        .header("priority", priority)
        .header("tags", tag);
    send(channel, request, message.text()).await
}

async fn send(
    channel: &HttpChannel,
    request: hyper::http::request::Builder,
    body: String,
) -> Result<(), String> {
    let uri: Uri = (channel.url.parse()).map_err(|_| "its address cannot be read".to_owned())?;
    let authority = uri.authority().ok_or("its address has no host")?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = request
        .uri(path)
        .header(HOST, authority.as_str())
        .header(USER_AGENT, format!("headroom/{VERSION}"));
    if let Some(token) = &channel.token {
        let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
        let mut value = value.map_err(|_| "its token cannot stand in a header".to_owned())?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    let request = request.body(body).map_err(|error| error.to_string())?;
    let host = authority.host().trim_matches(['[', ']']);
    let is_tls = uri.scheme_str() == Some("https");
    let port = authority
        .port_u16()
        .unwrap_or(if is_tls { 443 } else { 80 });
    let ask = async {
        let stream = TcpStream::connect((host, port))
            .await
            .map_err(|error| format!("{authority} cannot be reached ({error})"))?;
        if !is_tls {
            return ask(stream, request).await;
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("{host} is no name that TLS takes"))?;
        let connector = TlsConnector::from(tls::client().await?);
        let stream = connector
            .connect(name, stream)
            .await
            .map_err(|error| format!("{authority} speaks no TLS that can be trusted ({error})"))?;
        ask(stream, request).await
    };
    let status = timeout(TIME, ask)
        .await
        .map_err(|_| format!("{authority} did not answer within {} s", TIME.as_secs()))??;
    if status.is_success() {
        return Ok(());
    }
    Err(if status.is_redirection() {
        format!(
            "{authority} answered {status}: redirects are not followed, write the address that it leads to"
        )
    } else {
        format!("{authority} answered {status}")
    })
}

async fn ask<S>(stream: S, request: Request<String>) -> Result<StatusCode, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| format!("what it answers is no HTTP ({error})");
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let mut task = JoinSet::new();
    task.spawn(async move {
        // The question that it carries tells of its end.
        drop(connection.await);
    });
    let answer = sender.send_request(request).await.map_err(broken)?;
    Ok(answer.status())
}

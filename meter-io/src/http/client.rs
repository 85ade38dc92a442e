//! Questions over HTTP, each bounded in time and size.

use super::tls::{Limits, Tls};
use crate::source::{HttpKind, HttpMeter, Login};
use headroom_codec::MAX_TELEGRAM;
use headroom_core::config::Secret;
use reqwest::{RequestBuilder, Response, StatusCode, redirect::Policy};
use std::{error::Error, io, time::Duration};

/// A meter in the house answers in milliseconds; one that wakes its radio in two seconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Of a whole answer. Later its values would be too old to be of use.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
const LIMITS: Limits = Limits {
    connect: CONNECT_TIMEOUT,
    answer: ANSWER_TIMEOUT,
};

/// Asks one meter.
pub(super) struct Client {
    way: Way,
    kind: HttpKind,
    login: Option<Login>,
    token: Option<String>,
}

enum Way {
    Plain {
        http: reqwest::Client,
        /// `http://host:port/`
        base: String,
    },
    Tls(Box<Tls>),
}

/// An answer.
pub(super) enum Page {
    /// With its body.
    Body(Vec<u8>),
    /// The device has no such page.
    Missing,
}

impl Way {
    fn plain(meter: &HttpMeter) -> io::Result<Self> {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .pool_max_idle_per_host(1)
            .build()
            .map_err(io::Error::other)?;
        let base = format!("http://{}/", meter.authority);
        Ok(Self::Plain { http, base })
    }
}

impl Page {
    /// The body, where a page must be.
    pub(super) fn body(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Body(body) => Ok(body),
            Self::Missing => Err(io::Error::other(
                "it has no such page: is it this kind of meter, and its firmware up to date?",
            )),
        }
    }
}

impl Client {
    pub(super) fn new(meter: &HttpMeter) -> io::Result<Self> {
        let way = match &meter.tls {
            Some(trust) => Way::Tls(Box::new(Tls::new(&meter.authority, trust)?)),
            None => Way::plain(meter)?,
        };
        Ok(Self {
            way,
            kind: meter.kind,
            login: meter.authority.login.clone(),
            token: None,
        })
    }

    /// The same, with a token.
    pub(super) fn with_token(mut self, token: String) -> Self {
        self.token = Some(token);
        self
    }

    /// Asks for a page.
    pub(super) async fn get(&self, path: &str) -> io::Result<Page> {
        match &self.way {
            Way::Plain { http, base } => {
                let request = self.allow(http.get(format!("{base}{path}")));
                let response = request.send().await.map_err(|error| explain(&error))?;
                match response.status() {
                    StatusCode::NOT_FOUND => Ok(Page::Missing),
                    status if status.is_success() => read(response).await.map(Page::Body),
                    status => Err(self.refused(status)),
                }
            }
            Way::Tls(tls) => {
                let token = self.token.as_deref().unwrap_or_default();
                match tls.get(path, token, &LIMITS).await? {
                    (StatusCode::NOT_FOUND, _) => Ok(Page::Missing),
                    (status, body) if status.is_success() => Ok(Page::Body(body)),
                    (status, _) => Err(self.refused(status)),
                }
            }
        }
    }

    fn allow(&self, request: RequestBuilder) -> RequestBuilder {
        let request = match &self.login {
            Some(Login { user, password }) => {
                request.basic_auth(user, password.as_ref().map(Secret::expose))
            }
            None => request,
        };
        match &self.token {
            Some(token) => request.bearer_auth(token).header("X-Api-Version", "2"),
            None => request,
        }
    }

    fn refused(&self, status: StatusCode) -> io::Error {
        let text = match (self.kind, status) {
            (HttpKind::HomewizardV1, StatusCode::FORBIDDEN) => {
                "its local API is switched off: switch it on in the HomeWizard app, in the settings of this meter"
            }
            (HttpKind::HomewizardV2, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                "it does not accept the token: pair Headroom with it anew (docs/meters.md) and enter the new token as the meter's key"
            }
            (HttpKind::Amsreader, StatusCode::UNAUTHORIZED) if self.login.is_none() => {
                "it asks for a user and a password: write http://USER:PASSWORD@HOST/data.json"
            }
            (HttpKind::Amsreader, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                "it does not accept this user and password"
            }
            (HttpKind::Shelly, StatusCode::UNAUTHORIZED) => SHELLY_LOCKED,
            _ => return io::Error::other(format!("it answers {status}")),
        };
        io::Error::new(io::ErrorKind::PermissionDenied, text)
    }
}

/// A Shelly with a password cannot be read yet.
pub(super) const SHELLY_LOCKED: &str = "it asks for a password, which Headroom does not give to a meter: switch its authentication off";

async fn read(mut response: Response) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_TELEGRAM {
            return Err(too_long());
        }
    }
    Ok(body)
}

/// The address is left out: the caller names it.
fn explain(error: &reqwest::Error) -> io::Error {
    if let Some(cause) = cause(error) {
        return cause;
    }
    if error.is_timeout() {
        return io::Error::new(io::ErrorKind::TimedOut, "no answer within 8 s");
    }
    no_web_server()
}

/// The cause in the words of the operating system, where it has one.
pub(super) fn cause(error: &dyn Error) -> Option<io::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            return Some(io::Error::new(cause.kind(), cause.to_string()));
        }
        source = cause.source();
    }
    None
}

pub(super) fn no_web_server() -> io::Error {
    io::Error::other("it does not answer as a web server does")
}

pub(super) fn too_long() -> io::Error {
    io::Error::other("its answer is too long for a meter")
}

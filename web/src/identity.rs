//! Who asks: a token, a session, everybody in the open demo, or the public view.

use axum::http::{HeaderMap, Method, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use headroom_store::Role;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::app::Inner;
use crate::problem::Problem;

/// The cookie of a session.
pub(crate) const COOKIE: &str = "headroom_session";

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) name: Option<String>,
    pub(crate) role: Role,
    pub(crate) by: By,
}

/// How somebody proved who they are.
#[derive(Clone, Debug)]
pub(crate) enum By {
    /// A token in the header, which no foreign page can make a browser send.
    Token,
    /// A cookie, which a browser sends along by itself.
    Session {
        /// The secret in the cookie.
        secret: String,
    },
    /// Nothing: the demo on a loopback address.
    Demo,
    /// Nothing: reads are open to everybody.
    Public,
}

impl Who {
    /// As it is noted beside a change.
    pub(crate) fn author(&self) -> String {
        let name = self.name.as_deref().unwrap_or_default();
        match self.by {
            By::Token => format!("token {name}"),
            By::Session { .. } => format!("user {name}"),
            By::Demo => "demo".to_owned(),
            By::Public => "public".to_owned(),
        }
    }
}

impl Inner {
    /// Finds out who asks.
    ///
    /// # Errors
    /// 401 when nobody that is known.
    pub(crate) async fn identify(
        &self,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Who, Problem> {
        let state = &self.app.state;
        if let Some(header) = headers.get(header::AUTHORIZATION) {
            let secret = header.to_str().ok().and_then(bearer).ok_or_else(|| {
                Problem::unauthenticated(
                    "The Authorization header is not of the form: Bearer TOKEN.",
                )
            })?;
            let token = state.token(secret).await?.ok_or_else(|| {
                Problem::unauthenticated(
                    "This token is not known; it may have been revoked. Make another: headroom token create.",
                )
            })?;
            return Ok(Who {
                name: Some(token.name),
                role: token.role,
                by: By::Token,
            });
        }
        if let Some(secret) = cookie(headers)
            && let Some(user) = state.session(secret, Timestamp::now()).await?
        {
            let by = By::Session {
                secret: secret.to_owned(),
            };
            return Ok(Who {
                name: Some(user.name),
                role: user.role,
                by,
            });
        }
        if self.app.open_demo {
            return Ok(Who {
                name: None,
                role: Role::Installer,
                by: By::Demo,
            });
        }
        let reads = method == Method::GET || method == Method::HEAD;
        if reads && state.house().config.site.public_view {
            return Ok(Who {
                name: None,
                role: Role::Viewer,
                by: By::Public,
            });
        }
        if state.is_set_up().await? {
            Err(Problem::unauthenticated("This needs a login or a token.").to(method))
        } else {
            Err(Problem::setup_required())
        }
    }

    /// What a page must send with its changes, in `X-CSRF-Token`.
    pub(crate) fn csrf_of(&self, who: &Who) -> String {
        match &who.by {
            By::Session { secret } => csrf_of_session(secret),
            By::Token | By::Demo | By::Public => self.demo_csrf.clone(),
        }
    }
}

/// Made from the session's secret, so that there is nothing to store; it does not lead back to it.
pub(crate) fn csrf_of_session(secret: &str) -> String {
    let mut hash = Sha256::new();
    hash.update("headroom csrf\n");
    hash.update(secret);
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// A random one.
pub(crate) fn new_csrf_key() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system gives random numbers, or nothing is safe");
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The session's secret among the cookies.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

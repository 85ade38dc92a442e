//! Which host was asked for, and which page asks.
//!
//! A page of a stranger can make a browser ask a name that leads to this machine (DNS rebinding): only names
//! that nobody else can own are answered. It can also make a browser send a change with the cookie along: a
//! change must come from a page of the same host.

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::Shared;
use crate::problem::Problem;

/// Answers 421 when the host is not one of ours.
pub(crate) async fn check_host(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let host = host_of(&request);
    if host
        .as_ref()
        .is_some_and(|host| is_allowed(host, &shared.app.host_names))
    {
        return next.run(request).await;
    }
    let name = host
        .filter(|host| is_host_name(host))
        .unwrap_or_else(|| "NAME".to_owned());
    let detail = format!(
        "Headroom was asked under a name that it does not answer to. Use its address, localhost or a name ending in \
         .local; or start it with --host-name {name} (in the environment: HEADROOM_HOST_NAMES={name})."
    );
    Problem::new(StatusCode::MISDIRECTED_REQUEST, "host_not_allowed", detail).into_response()
}

fn host_of(request: &Request) -> Option<String> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let authority = match (hosts.next(), hosts.next()) {
        (Some(host), None) => {
            let host = host.to_str().ok().filter(|host| !host.contains('@'))?;
            host.parse::<Authority>().ok()?
        }
        (None, None) => request.uri().authority()?.clone(),
        _ => return None,
    };
    Some(authority.host().to_ascii_lowercase())
}

/// Longest name of a host (RFC 1035, section 2.3.4).
const NAME_MAX: usize = 253;

/// Whether a text can be the name of a host: letters, digits, dots and dashes, no port and no path.
pub fn is_host_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    (1..=NAME_MAX).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with(['.', '-'])
}

fn is_allowed(host: &str, names: &[String]) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if bare.parse::<std::net::IpAddr>().is_ok() {
        return true;
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    host == "localhost"
        || matches!(host.rsplit_once('.'), Some((_, "localhost" | "local")))
        || names.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// Whether a change may come from where the browser says it comes from. Programs say nothing.
pub(crate) fn is_same_origin(headers: &HeaderMap) -> bool {
    let site = headers
        .get("sec-fetch-site")
        .and_then(|site| site.to_str().ok());
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let origin_host = origin.to_str().ok().and_then(|origin| {
        origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"))
    });
    matches!((origin_host, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_else_can_own_are_answered() {
        let names = ["headroom.example".to_owned()];
        for host in [
            "127.0.0.1",
            "[::1]",
            "192.0.2.7",
            "localhost",
            "localhost.",
            "pi.local",
            "headroom.example",
            "headroom.example.",
        ] {
            assert!(is_allowed(host, &names), "{host}");
        }
        for host in [
            "evil.example",
            "local",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            "notlocal",
        ] {
            assert!(!is_allowed(host, &names), "{host}");
        }
    }

    #[test]
    fn a_change_comes_from_the_page_itself() {
        let headers = |pairs: &[(&'static str, &str)]| {
            pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect()
        };
        for good in [
            &[("host", "a:8080")][..],
            &[("host", "a:8080"), ("origin", "http://a:8080")],
            &[
                ("host", "a:8080"),
                ("origin", "https://A:8080"),
                ("sec-fetch-site", "same-origin"),
            ],
        ] {
            assert!(is_same_origin(&headers(good)), "{good:?}");
        }
        for bad in [
            &[("host", "a:8080"), ("origin", "http://evil.example")][..],
            &[("host", "a:8080"), ("origin", "http://a:9090")],
            &[("host", "a:8080"), ("origin", "null")],
            &[("host", "a:8080"), ("sec-fetch-site", "cross-site")],
            &[("host", "a:8080"), ("sec-fetch-site", "same-site")],
        ] {
            assert!(!is_same_origin(&headers(bad)), "{bad:?}");
        }
    }
}

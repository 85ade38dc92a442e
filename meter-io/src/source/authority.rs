//! `[user[:password]@]host[:port]` of a network source (RFC 3986, 3.2).

use super::{Parts, SourceError};
use headroom_core::config::Secret;
use percent_encoding::percent_decode_str;
use std::fmt;

/// Who is asked, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// User and password, where the source names them.
    pub login: Option<Login>,
    /// Name or address; an IPv6 address in its brackets.
    pub host: String,
    /// The port, if it is named.
    pub port: Option<u16>,
}

/// User and password, percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: Option<Secret>,
}

impl Authority {
    /// Cuts the target of a source into its authority and the path behind it, without the slash between them.
    pub(super) fn parse<'a>(
        parts: &Parts<'a>,
        wanted: &'static str,
    ) -> Result<(Self, &'a str), SourceError> {
        let incomplete = || parts.incomplete(wanted);
        let target = parts.target.strip_prefix("//").ok_or_else(incomplete)?;
        let (authority, path) = target.split_once('/').unwrap_or((target, ""));
        let (login, address) = match authority.rsplit_once('@') {
            Some((login, address)) => (Some(Login::parse(login).ok_or_else(incomplete)?), address),
            None => (None, authority),
        };
        let (host, port) = split_port(address).ok_or_else(incomplete)?;
        if !is_host(host) {
            return Err(incomplete());
        }
        let host = host.to_owned();
        Ok((Self { login, host, port }, path))
    }

    /// Host and port, for connecting.
    pub(crate) fn address(&self, usual_port: u16) -> String {
        format!("{}:{}", self.host, self.port.unwrap_or(usual_port))
    }
}

impl fmt::Display for Authority {
    /// Host and port as written; never the login.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Login {
    fn parse(text: &str) -> Option<Self> {
        let decode = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
        let (user, password) = match text.split_once(':') {
            Some((user, password)) => (user, Some(Secret::new(decode(password)?))),
            None => (text, None),
        };
        let user = decode(user).filter(|user| !user.is_empty())?;
        Some(Self { user, password })
    }
}

fn split_port(address: &str) -> Option<(&str, Option<u16>)> {
    let behind_brackets = address.rfind(']').map_or(0, |at| at + 1);
    match address.get(behind_brackets..)?.rfind(':') {
        None => Some((address, None)),
        Some(at) => {
            let (host, port) = address.split_at_checked(behind_brackets + at)?;
            let port: u16 = port.strip_prefix(':')?.parse().ok()?;
            (port > 0).then_some((host, Some(port)))
        }
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    !host.is_empty()
        && host
            .chars()
            .all(|c| c.is_alphanumeric() || c == '.' || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(target: &str) -> Option<(Authority, &str)> {
        let parts = Parts {
            text: target,
            scheme: "test",
            target,
            query: "",
        };
        Authority::parse(&parts, "an address").ok()
    }

    #[test]
    fn an_authority_is_taken_apart() {
        let (authority, path) = parse("//jo%40home:s%3Acret@[2001:db8::1]:8080/a/b").unwrap();
        let login = authority.login.clone().unwrap();
        assert_eq!(login.user, "jo@home");
        assert_eq!(login.password.unwrap().expose(), "s:cret");
        assert_eq!(authority.address(80), "[2001:db8::1]:8080");
        assert_eq!((authority.port, path), (Some(8080), "a/b"));
        let (authority, path) = parse("//meter_1.local").unwrap();
        assert_eq!(
            (authority.address(80).as_str(), path),
            ("meter_1.local:80", "")
        );
    }

    #[test]
    fn what_is_no_authority_is_refused() {
        for target in [
            "",
            "host",
            "//",
            "//:80",
            "//host:",
            "//host:0",
            "//host:70000",
            "//@host",
            "//:secret@host",
            "//u%ff@host",
            "//ho st",
            "//[nothing]",
            "//[::1",
            "//a:b:c",
            "//host%2Fpath",
        ] {
            assert_eq!(parse(target), None, "{target}");
        }
    }
}

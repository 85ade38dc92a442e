//! HTTP Digest authentication with SHA-256 (RFC 7616), as Shelly devices ask for it.

use sha2::{Digest as _, Sha256};

/// The user of every Shelly device.
const USER: &str = "admin";
/// Longest challenge that is looked at.
const MAX_CHALLENGE: usize = 1_024;

/// A challenge of the device, good for several requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    qop_auth: bool,
    count: u32,
}

impl Challenge {
    /// Reads a `WWW-Authenticate` header; `None` if it asks for anything but Digest with SHA-256.
    pub(crate) fn read(header: &str) -> Option<Self> {
        if header.len() > MAX_CHALLENGE {
            return None;
        }
        let (scheme, rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let parameters = parameters(rest);
        let get = |name: &str| {
            let found = parameters
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        let algorithm = get("algorithm").unwrap_or_else(|| "SHA-256".to_owned());
        algorithm.eq_ignore_ascii_case("SHA-256").then_some(())?;
        let qop = get("qop");
        Some(Self {
            realm: get("realm")?,
            nonce: get("nonce")?,
            opaque: get("opaque"),
            qop_auth: qop.is_some_and(|qop| {
                qop.split(',')
                    .any(|word| word.trim().eq_ignore_ascii_case("auth"))
            }),
            count: 0,
        })
    }

    /// The `Authorization` header of one request. `uri` is path and query as they are sent.
    pub(crate) fn answer(
        &mut self,
        method: &str,
        uri: &str,
        password: &str,
        cnonce: &str,
    ) -> String {
        self.count = self.count.saturating_add(1);
        let count = format!("{:08x}", self.count);
        let Self {
            realm,
            nonce,
            opaque,
            qop_auth,
            ..
        } = self;
        let secret = hash(&format!("{USER}:{realm}:{password}"));
        let request = hash(&format!("{method}:{uri}"));
        let response = if *qop_auth {
            hash(&format!("{secret}:{nonce}:{count}:{cnonce}:auth:{request}"))
        } else {
            hash(&format!("{secret}:{nonce}:{request}"))
        };
        let qop = qop_auth.then(|| format!(", qop=auth, nc={count}, cnonce=\"{cnonce}\""));
        let opaque = opaque
            .as_ref()
            .map(|opaque| format!(", opaque=\"{opaque}\""));
        format!(
            "Digest username=\"{USER}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             algorithm=SHA-256, response=\"{response}\"{}{}",
            qop.unwrap_or_default(),
            opaque.unwrap_or_default()
        )
    }
}

/// `name=value` and `name="value"`, separated by commas; a comma inside quotes belongs to the value.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => match quoted.split_once('"') {
                Some((value, next)) => (value, next.split_once(',').map_or("", |(_, next)| next)),
                None => break,
            },
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.push((name.trim().to_owned(), value.trim().to_owned()));
        rest = next;
    }
    found
}

fn hash(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7616() {
        // Section 3.9.1, with its user replaced by ours, so the response is computed from the
        // definition in 3.4.1 by another implementation (Python's hashlib).
        let mut challenge = Challenge::read(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
        )
        .unwrap();
        let header = challenge.answer(
            "GET",
            "/dir/index.html",
            "Circle of Life",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        );
        assert!(
            header.contains(
                "response=\"81ab2f345081be4366a9de2238dcc59338bd0efa2b11e9f221306a2ee3cb76db\""
            ),
            "{header}"
        );
        assert!(header.contains("nc=00000001"));
        assert!(header.contains("opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""));
        assert!(
            challenge
                .answer("GET", "/", "x", "y")
                .contains("nc=00000002")
        );
    }

    #[test]
    fn challenges_in_every_dress() {
        let good = [
            "Digest qop=\"auth\", realm=\"shellyplus1-0123456789ab\", nonce=\"60dc2c69\", algorithm=SHA-256",
            "digest realm=\"a,b=c\",nonce=1,qop=auth",
            "Digest realm=\"r\", nonce=\"n\"",
        ];
        for header in good {
            assert!(Challenge::read(header).is_some(), "{header}");
        }
        assert_eq!(Challenge::read(good[1]).unwrap().realm, "a,b=c");
        for header in [
            "Basic realm=\"r\"",
            "Digest realm=\"r\", nonce=\"n\", algorithm=MD5",
            "Digest realm=\"r\"",
            "Digest realm=\"r, nonce=n",
            "Digest",
            "",
        ] {
            assert_eq!(Challenge::read(header), None, "{header}");
        }
    }
}

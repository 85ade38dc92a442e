//! The identity of a charge point: the last segment of the path it connects to.

use headroom_core::identity::is_identity;
use percent_encoding::percent_decode_str;

/// Longest path that is looked at.
const MAX_PATH: usize = 512;

/// Reads the identity from a request's path; `None` if it is missing or no sane name. Any prefix
/// is accepted, and one slash at the end.
pub(crate) fn from_path(path: &str) -> Option<String> {
    if path.len() > MAX_PATH {
        return None;
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    let (_, segment) = path.rsplit_once('/')?;
    let identity = percent_decode_str(segment).decode_utf8().ok()?;
    is_identity(&identity).then(|| identity.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_segment_if_it_is_sane() {
        let long = format!("/{}", "x".repeat(49));
        let huge = format!("/{}", "x".repeat(4_096));
        let cases = [
            ("/CP1", Some("CP1")),
            ("/CP1/", Some("CP1")),
            ("/steve/websocket/CentralSystemService/CP1", Some("CP1")),
            ("/EVB-P1234567%20a", Some("EVB-P1234567 a")),
            ("/DE*ABC*E1%7C2", Some("DE*ABC*E1|2")),
            ("/02:00:00%3A00:00:01", Some("02:00:00:00:00:01")),
            ("/", None),
            ("", None),
            ("//", None),
            ("/..", None),
            ("/%2e%2e", None),
            ("/%2E%2E%2FCP1", None),
            ("/CP1%00", None),
            ("/CP1%0a", None),
            ("/%FF%FE", None),
            ("/caf%C3%A9", None),
            ("/<script>", None),
            ("/%20CP1", None),
            ("/---", None),
            (&long, None),
            (&huge, None),
        ];
        for (path, want) in cases {
            assert_eq!(from_path(path).as_deref(), want, "{path}");
        }
    }
}

//! Files that are built into the program, compressed: the page and the document of the API. A debug build reads them from
//! the disk, so that a change is seen at once.

use std::borrow::Cow;
use std::io::Read;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

/// A file as it is kept.
struct Packed {
    /// Its path below the crate.
    name: &'static str,
    gzip: &'static [u8],
    tag: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/packed.rs"));

/// Largest file that is unpacked for who takes no gzip; the page is far smaller.
const UNPACKED_MAX: u64 = 8 * 1024 * 1024;

/// A file as it is answered.
pub(crate) struct File {
    pub(crate) bytes: Cow<'static, [u8]>,
    /// Of `ETag`: another one for each coding.
    pub(crate) tag: HeaderValue,
    /// Whether it is compressed.
    pub(crate) is_gzip: bool,
}

/// A file by its path below the crate, as who asks takes it.
pub(crate) fn find(name: &str, asked: &HeaderMap) -> Option<File> {
    if cfg!(debug_assertions) {
        return on_disk(name);
    }
    packed(name, takes_gzip(asked))
}

fn packed(name: &str, gzip: bool) -> Option<File> {
    let file = PACKED.iter().find(|file| file.name == name)?;
    let (bytes, coding) = if gzip {
        (Cow::Borrowed(file.gzip), "-gzip")
    } else {
        let mut plain = Vec::new();
        let unpacked = GzDecoder::new(file.gzip)
            .take(UNPACKED_MAX)
            .read_to_end(&mut plain);
        unpacked.ok()?;
        (Cow::Owned(plain), "")
    };
    Some(File {
        bytes,
        tag: HeaderValue::try_from(format!("\"{}{coding}\"", file.tag)).ok()?,
        is_gzip: gzip,
    })
}

fn on_disk(name: &str) -> Option<File> {
    let is_plain = name
        .split('/')
        .all(|part| !part.is_empty() && !part.starts_with('.'));
    if !is_plain {
        return None;
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(root.join(name)).ok()?;
    let tag = URL_SAFE_NO_PAD.encode(Sha256::digest(&bytes));
    Some(File {
        bytes: Cow::Owned(bytes),
        tag: HeaderValue::try_from(format!("\"{tag}\"")).ok()?,
        is_gzip: false,
    })
}

/// Whether `Accept-Encoding` takes gzip (RFC 9110, section 12.5.3).
fn takes_gzip(asked: &HeaderMap) -> bool {
    let accepted = asked.get_all(header::ACCEPT_ENCODING).iter();
    let accepted = accepted.filter_map(|value| value.to_str().ok());
    let mut any = None;
    for coding in accepted.flat_map(|value| value.split(',')) {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.is_some_and(|weight| weight.parse() == Ok(0.0_f32))
        });
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            return !refused;
        }
        if name == "*" {
            any = Some(!refused);
        }
    }
    any.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_gzip_is_seen() {
        for (header, takes) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000, *", false),
            ("*", true),
            ("*;q=0", false),
            ("identity", false),
            ("", false),
        ] {
            let mut asked = HeaderMap::new();
            asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(header));
            assert_eq!(takes_gzip(&asked), takes, "{header}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    /// What is to be packed: the files of the page, and the document of the API.
    fn kept() -> Vec<String> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let page = std::fs::read_dir(root.join("dist")).unwrap();
        let page = page.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = page.map(|name| format!("dist/{name}")).collect();
        names.push("openapi.json".to_owned());
        names.sort();
        names
    }

    /// All of it is packed and nothing else is, as it lies on the disk, and each coding has a tag of its own.
    #[test]
    fn what_is_packed_comes_out_as_it_went_in() {
        let names: Vec<_> = PACKED.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(names, kept());
        for name in names {
            let (gzip, plain) = (packed(&name, true).unwrap(), packed(&name, false).unwrap());
            assert!(
                gzip.is_gzip && !plain.is_gzip && gzip.tag != plain.tag,
                "{name}"
            );
            assert!(plain.bytes == on_disk(&name).unwrap().bytes, "{name}");
            let hash = Sha256::digest(&plain.bytes);
            let hash =
                (hash[..16].iter()).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
            assert_eq!(plain.tag, format!("\"{hash}\""), "{name}");
            if name == "dist/app.js" || name == "openapi.json" {
                assert!(gzip.bytes.len() * 2 < plain.bytes.len(), "{name}");
            }
        }
        for name in [
            "",
            "dist",
            "dist/nothing",
            "dist/../Cargo.toml",
            "/etc/passwd",
            "src/lib.rs/..",
        ] {
            assert!(
                packed(name, true).is_none() && on_disk(name).is_none(),
                "{name}"
            );
        }
    }
}

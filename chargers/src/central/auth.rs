//! HTTP Basic authentication of charge points (OCPP-J security profile 1, RFC 7617).

use std::{collections::HashMap, net::IpAddr, time::Duration};

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use subtle::ConstantTimeEq;

use super::refused::RefusedFor;
use crate::bucket::Bucket;

/// Wrong passwords that an address may send in a burst.
const FAILURES_BURST: u32 = 20;
/// One more wrong password is allowed each time this has passed.
const FAILURE_REFILL: Duration = Duration::from_secs(5);
/// Addresses, each with an identity, that are remembered; a house has far fewer charge points.
const MAX_GUESSED: usize = 256;
/// Longest credentials that are looked at.
const MAX_CREDENTIALS: usize = 1_024;

/// Whether the headers prove the identity: the user is the identity, the password the stored one.
/// The time taken does not tell how much of the password was right.
///
/// Both are compared as they are sent, in one: an identity with a colon in it has no other way.
pub(crate) fn proves(headers: &HeaderMap, identity: &str, password: &str) -> bool {
    let wanted = format!("{identity}:{password}");
    credentials(headers).is_some_and(|given| bool::from(given.ct_eq(wanted.as_bytes())))
}

/// What is wrong with headers that do not prove the identity. For people here, never for the peer.
pub(crate) fn complaint(headers: &HeaderMap, identity: &str) -> RefusedFor {
    let Some(given) = credentials(headers) else {
        return RefusedFor::NoPassword;
    };
    match given.strip_prefix(identity.as_bytes()) {
        Some([b':']) => RefusedFor::NoPassword,
        Some([b':', ..]) => RefusedFor::WrongPassword,
        _ => RefusedFor::WrongUser,
    }
}

/// `USER:PASSWORD`, as it was sent.
fn credentials(headers: &HeaderMap) -> Option<Vec<u8>> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > MAX_CREDENTIALS {
        return None;
    }
    STANDARD.decode(encoded.trim()).ok()
}

/// Slows down the guessing of passwords, by address and identity: behind one address there may be a whole house, and whoever guesses
/// the password of one charge point keeps no other one out.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    failures: HashMap<(IpAddr, String), Bucket>,
}

impl Guard {
    /// Whether this address has guessed too often at the password of a charge point of the house.
    pub(crate) fn is_throttled(&mut self, address: IpAddr, identity: &str) -> bool {
        self.failures
            .get_mut(&(address, identity.to_owned()))
            .is_some_and(Bucket::is_empty)
    }

    /// This address sent a wrong password for a charge point of the house.
    pub(crate) fn failed(&mut self, address: IpAddr, identity: &str) {
        let who = (address, identity.to_owned());
        if self.failures.len() >= MAX_GUESSED && !self.failures.contains_key(&who) {
            self.failures.clear();
        }
        let bucket = self
            .failures
            .entry(who)
            .or_insert_with(|| Bucket::new(FAILURES_BURST, FAILURE_REFILL));
        bucket.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn with(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        headers
    }

    #[test]
    fn only_the_right_user_and_password_prove() {
        let basic = |text: &str| with(&format!("Basic {}", STANDARD.encode(text)));
        assert!(proves(&basic("CP1:secret"), "CP1", "secret"));
        assert!(proves(&basic("CP1:se:cret"), "CP1", "se:cret"));
        assert!(proves(
            &with(&format!("bAsIc  {}", STANDARD.encode("CP1:x"))),
            "CP1",
            "x"
        ));
        for wrong in [
            basic("CP1:Secret"),
            basic("CP1:"),
            basic("CP2:secret"),
            basic("CP1secret"),
            with("Basic !!!"),
            with("Bearer secret"),
            with("Basic"),
            HeaderMap::new(),
        ] {
            assert!(!proves(&wrong, "CP1", "secret"), "{wrong:?}");
        }
        let colons = basic("02:00:00:00:00:01:secret");
        assert!(proves(&colons, "02:00:00:00:00:01", "secret"));
        assert!(!proves(&colons, "02:00:00:00:00:02", "secret"));
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let basic = |text: &str| with(&format!("Basic {}", STANDARD.encode(text)));
        for (headers, want) in [
            (HeaderMap::new(), RefusedFor::NoPassword),
            (with("Bearer secret"), RefusedFor::NoPassword),
            (basic("CP1:"), RefusedFor::NoPassword),
            (basic("CP1:guess"), RefusedFor::WrongPassword),
            (basic("CP11:secret"), RefusedFor::WrongUser),
            (basic("admin:secret"), RefusedFor::WrongUser),
        ] {
            assert_eq!(complaint(&headers, "CP1"), want, "{headers:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn guessing_is_slowed_down_for_the_guesser_alone() {
        let guesser = IpAddr::from(Ipv4Addr::new(192, 0, 2, 1));
        let other = IpAddr::from(Ipv4Addr::new(192, 0, 2, 2));
        let mut guard = Guard::default();
        for _ in 0..FAILURES_BURST {
            assert!(!guard.is_throttled(guesser, "CP1"));
            guard.failed(guesser, "CP1");
        }
        assert!(guard.is_throttled(guesser, "CP1"));
        assert!(!guard.is_throttled(other, "CP1"));
        assert!(
            !guard.is_throttled(guesser, "CP2"),
            "another one behind the same address"
        );
        tokio::time::advance(FAILURE_REFILL).await;
        assert!(!guard.is_throttled(guesser, "CP1"));
    }
}

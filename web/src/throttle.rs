//! Guessing passwords and set-up codes is slow: per address with growing waits, and all together.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Wrong tries of one address that cost no wait.
const FREE: u32 = 5;
/// Longest wait of one address.
const LONGEST: Duration = Duration::from_mins(5);
/// After this long without a try an address begins anew.
const FORGOTTEN: Duration = Duration::from_mins(15);
/// Addresses that are remembered; beyond it the one longest ago is forgotten.
const ADDRESSES: usize = 1024;
/// Wrong tries of all addresses together that cost no wait.
const ALL_FREE: u32 = 30;
/// Then one more try each so often.
const ALL_REFILL: Duration = Duration::from_secs(2);

/// Counts tries. A try counts as wrong until it has succeeded, so that many at the same time gain nothing.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<Tries>);

#[derive(Debug, Default)]
struct Tries {
    addresses: HashMap<IpAddr, Failures>,
    /// When the last of the tries of all together is paid off.
    paid_off: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Throttle {
    /// Begins a try.
    ///
    /// # Errors
    /// How long to wait before the next.
    pub(crate) fn begin(&self, address: IpAddr) -> Result<(), Duration> {
        let now = Instant::now();
        let address = network(address);
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries
            .addresses
            .retain(|_, failures| now.duration_since(failures.last) < FORGOTTEN);
        let failures = tries.addresses.get(&address).copied();
        if let Some(Failures { count, last }) = failures
            && let Some(beyond) = count.checked_sub(FREE)
        {
            let wait = Duration::from_secs(1 << beyond.min(16)).min(LONGEST);
            let waited = now.duration_since(last);
            if waited < wait {
                return Err(wait.saturating_sub(waited));
            }
        }
        let paid_off = tries.paid_off.map_or(now, |paid_off| paid_off.max(now));
        let debt = paid_off.duration_since(now);
        if debt > ALL_REFILL * (ALL_FREE - 1) {
            return Err(debt.saturating_sub(ALL_REFILL * (ALL_FREE - 1)));
        }
        tries.paid_off = Some(paid_off + ALL_REFILL);
        if tries.addresses.len() >= ADDRESSES && failures.is_none() {
            let oldest = tries
                .addresses
                .iter()
                .min_by_key(|(_, failures)| failures.last);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                tries.addresses.remove(&oldest);
            }
        }
        let count = failures
            .map_or(0, |failures| failures.count)
            .saturating_add(1);
        tries
            .addresses
            .insert(address, Failures { count, last: now });
        Ok(())
    }

    /// The try was right.
    pub(crate) fn succeed(&self, address: IpAddr) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.addresses.remove(&network(address));
        tries.paid_off = tries
            .paid_off
            .and_then(|paid_off| paid_off.checked_sub(ALL_REFILL));
    }
}

/// One household or server has a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & !u128::from(u64::MAX),
        )),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn other(n: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, n])
    }

    #[tokio::test(start_paused = true)]
    async fn the_sixth_wrong_try_waits_and_each_after_it_longer() {
        let throttle = Throttle::default();
        for _ in 0..FREE {
            throttle.begin(ONE).unwrap();
        }
        let mut waits = Vec::new();
        for _ in 0..10 {
            let wait = throttle.begin(ONE).unwrap_err();
            waits.push(wait.as_secs());
            throttle.begin(other(1)).unwrap();
            throttle.succeed(other(1));
            tokio::time::advance(wait).await;
            throttle.begin(ONE).unwrap();
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_try_begins_anew_and_so_does_time() {
        let throttle = Throttle::default();
        for _ in 0..FREE {
            throttle.begin(ONE).unwrap();
        }
        throttle.succeed(ONE);
        for _ in 0..FREE {
            throttle.begin(ONE).unwrap();
        }
        throttle.begin(ONE).unwrap_err();
        tokio::time::advance(FORGOTTEN).await;
        throttle.begin(ONE).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn many_addresses_gain_nothing() {
        let throttle = Throttle::default();
        let mut passed = 0;
        for n in 0..200 {
            passed += u32::from(throttle.begin(other(n)).is_ok());
        }
        assert_eq!(passed, ALL_FREE);
        tokio::time::advance(ALL_REFILL).await;
        throttle.begin(other(250)).unwrap();
        throttle.begin(other(251)).unwrap_err();
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let two: IpAddr = "2001:db8::ffff:2".parse().unwrap();
        let three: IpAddr = "2001:db8:0:1::1".parse().unwrap();
        assert_eq!(network(one), network(two));
        assert_ne!(network(one), network(three));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), ONE);
    }
}

//! A charger of the house: who may speak for it.

use std::{net::IpAddr, time::Duration};

use axum::http::{HeaderMap, StatusCode};
use headroom_ocpp::{Capabilities, Learnt};
use jiff::Timestamp;
use tracing::warn;

use super::{
    super::{auth, refused::Refused, said::Said},
    Auth, Entry, KnownCharger, Refusal,
};
use crate::{bucket::Bucket, once::OnceAMinute};

/// Without authentication a second connection replaces the first only when that has been silent
/// for this long.
const SILENT_AFTER: Duration = Duration::from_secs(30);
/// Connections of one charger: a burst of reconnections, then one each interval.
const RECONNECT_BURST: u32 = 20;
const RECONNECT_REFILL: Duration = Duration::from_secs(1);

impl Entry {
    pub(super) fn new(known: KnownCharger, epoch: u64) -> Self {
        Self {
            known,
            epoch,
            live: None,
            learnt: Learnt::default(),
            capabilities: Capabilities::default(),
            reconnects: Bucket::new(RECONNECT_BURST, RECONNECT_REFILL),
            proved_from: None,
            refused: None,
            refusals: OnceAMinute::default(),
            said: Said::default(),
        }
    }

    /// Whether a charge point may speak for this charger.
    pub(super) fn may_enter(
        &mut self,
        headers: &HeaderMap,
        remote: IpAddr,
        throttled: bool,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let identity = &self.known.charge_point_id;
        match &self.known.auth {
            Auth::Basic(password) => {
                let proven = password
                    .as_deref()
                    .is_some_and(|password| auth::proves(headers, identity, password));
                if self.proved_from != Some(remote) && throttled {
                    if !proven {
                        self.refuse(headers, remote, now);
                    }
                    return Err(Refusal {
                        status: StatusCode::TOO_MANY_REQUESTS,
                        message: "too many wrong passwords from this address; try again later",
                    });
                }
                if !proven {
                    if self.refusals.now() {
                        warn!(
                            charge_point = identity, %remote, load = self.known.load,
                            "refused a charge point with a wrong or missing password; what is \
                             connected stays connected. Set the same password at the charge point \
                             (its user name is its identity) and here"
                        );
                    }
                    self.refuse(headers, remote, now);
                    return Err(Refusal {
                        status: StatusCode::UNAUTHORIZED,
                        message: "wrong or missing password",
                    });
                }
                self.proved_from = Some(remote);
                self.refused = None;
            }
            Auth::None => {
                let live = self.live.as_ref();
                if live.is_some_and(|live| live.silence() < SILENT_AFTER) {
                    if self.refusals.now() {
                        warn!(
                            charge_point = identity, %remote,
                            "refused a second connection: the first one is alive, and this charge \
                             point does not authenticate"
                        );
                    }
                    return Err(Refusal {
                        status: StatusCode::CONFLICT,
                        message: "this charge point is connected already",
                    });
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, headers: &HeaderMap, remote: IpAddr, now: Timestamp) {
        let (load, identity) = (&self.known.load, &self.known.charge_point_id);
        let why = auth::complaint(headers, identity);
        let before = self.refused.take();
        self.refused = Some(Refused::again(before, load, identity, why, remote, now));
    }

    pub(super) fn same_access(&self, other: &KnownCharger) -> bool {
        self.known.charge_point_id == other.charge_point_id && self.known.auth == other.auth
    }
}

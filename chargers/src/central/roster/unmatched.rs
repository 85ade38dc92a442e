//! Charge points that are not of the house: they are heard, listed, and wait to be adopted.

use std::net::SocketAddr;

use headroom_ocpp::Settings;
use jiff::Timestamp;
use tracing::info;

use super::{super::handshake::Unmatched, Live, State, UnmatchedEntry};

/// Unmatched charge points that are listed, connected or not.
pub(super) const MAX_UNMATCHED: usize = 50;

impl State {
    pub(super) fn leave_unmatched(&mut self, identity: &str, number: u64) {
        let mut entries = self.unmatched.iter_mut();
        let entry = entries.find(|entry| entry.info.charge_point_id == identity);
        if let Some(entry) = entry
            && entry
                .live
                .as_ref()
                .is_some_and(|live| live.number == number)
        {
            entry.live = None;
        }
    }

    /// A charge point that was unmatched belongs to the house now: it shall come back and
    /// authenticate.
    pub(super) fn adopt(&mut self, charge_point_id: &str) {
        self.unmatched.retain(|entry| {
            let adopted = entry.info.charge_point_id == charge_point_id;
            if let (true, Some(live)) = (adopted, &entry.live) {
                live.close("it was adopted and shall connect again", charge_point_id);
            }
            !adopted
        });
    }

    pub(super) fn list_unmatched(
        &mut self,
        identity: &str,
        remote: Option<SocketAddr>,
        since: Timestamp,
        live: Live,
    ) {
        let mut entries = self.unmatched.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.info.charge_point_id == identity) {
            entry.info.remote = remote.map(|address| address.ip().to_string());
            if let Some(old) = entry.live.replace(live) {
                old.close(
                    "a new connection of the same charge point replaces it",
                    identity,
                );
            }
            return;
        }
        if self.unmatched.len() >= MAX_UNMATCHED {
            // The oldest that is gone makes room; `admit` has seen that not all are connected.
            match self.unmatched.iter().position(|entry| entry.live.is_none()) {
                Some(index) => drop(self.unmatched.remove(index)),
                None => return,
            }
        }
        if self.newcomers.take() {
            info!(
                charge_point = identity,
                "an unknown charge point has connected; it can be adopted"
            );
        }
        self.unmatched.push(UnmatchedEntry {
            info: Unmatched {
                charge_point_id: identity.to_owned(),
                vendor: None,
                model: None,
                firmware: None,
                since,
                remote: remote.map(|address| address.ip().to_string()),
                connected: true,
            },
            live: Some(live),
        });
    }
}

/// For a charge point that is not of the house: answers and nothing else.
pub(super) fn unmatched_settings() -> Settings {
    Settings {
        adopted: false,
        control: false,
        connector: 1,
        terminals: 3,
        safe_ma: 0,
        nominal_voltage_v: 230,
    }
}

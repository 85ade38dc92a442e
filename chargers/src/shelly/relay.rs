//! A Shelly relay as a device that is asked and told.
//!
//! On is a lease: the device is told to open again by itself after `lease_s`, so that it opens
//! when the renewals stop (a dead man's switch). Off is plain.

use headroom_core::units::Watts;

use super::client::{Client, SwitchStatus};
use crate::polled::{CallError, Order, PolledDevice, Seen};

impl PolledDevice for Client {
    async fn tell(&mut self, order: &Order) -> Result<(), CallError> {
        let Order::Switch { on, lease_s } = *order else {
            return Err(CallError::Refused("a relay takes no limit".to_owned()));
        };
        let toggle_after = on.then_some(lease_s.max(1));
        self.set(on, toggle_after).await
    }

    async fn read(&mut self) -> Result<Seen, CallError> {
        let SwitchStatus { on, power_w } = self.status().await?;
        let power_w = power_w.and_then(Watts::from_f64);
        Ok(Seen::SlowLoad { on, power_w })
    }
}

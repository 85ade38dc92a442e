//! A charger or a relay that is told and asked through its registers.

use tokio_modbus::Request;
use tracing::info;

use super::{
    link::Link,
    profile::{OnLoss, Profile, Relay},
    station::Station,
};
use crate::polled::{CallError, Order, Pace, PolledDevice, Repeat, Seen};

/// A unit and what is known of it.
#[derive(Debug)]
pub(crate) struct ModbusDevice {
    link: Link,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Charger(Station),
    Relay(Relay),
}

impl ModbusDevice {
    /// `terminals`: how many of a charger are connected, 1 to 3.
    pub(crate) fn new(
        load: &str,
        profile: Profile,
        address: &str,
        unit: u8,
        terminals: usize,
    ) -> Self {
        let target = match profile {
            Profile::Relay(relay) => Target::Relay(relay),
            Profile::Charger(table, base) => {
                if matches!(table.on_loss, OnLoss::HoldsLast) {
                    info!(
                        load,
                        "a {} keeps its last limit when Headroom is gone; it counts with its \
                         maximum then",
                        table.model
                    );
                }
                Target::Charger(Station::new(load, table, base, terminals))
            }
        };
        Self {
            link: Link::new(address, unit),
            target,
        }
    }
}

impl PolledDevice for ModbusDevice {
    async fn tell(&mut self, order: &Order) -> Result<(), CallError> {
        let Self { link, target } = self;
        match (target, *order) {
            (
                Target::Charger(station),
                Order::Limit {
                    limit,
                    phases,
                    lease_s,
                    safe,
                },
            ) => station.tell(link, limit, phases, lease_s, safe).await,
            (Target::Relay(relay), Order::Switch { on, .. }) => switch(link, *relay, on).await,
            _ => Err(CallError::Refused(
                "its profile is for another kind of device".to_owned(),
            )),
        }
    }

    async fn read(&mut self) -> Result<Seen, CallError> {
        match &mut self.target {
            Target::Charger(station) => station.read(&mut self.link).await,
            Target::Relay(relay) => {
                let on = read_relay(&mut self.link, *relay).await?;
                Ok(Seen::SlowLoad { on, power_w: None })
            }
        }
    }

    fn is_kept_awake_by_questions(&self) -> bool {
        match &self.target {
            Target::Charger(station) => station.is_kept_awake_by_questions(),
            Target::Relay(_) => false,
        }
    }

    fn own_time_s(&self) -> Option<u32> {
        match &self.target {
            Target::Charger(station) => station.own_time_s(),
            Target::Relay(_) => None,
        }
    }

    fn falls_by_itself(&self) -> Option<bool> {
        match &self.target {
            Target::Charger(station) => station.falls_by_itself(),
            Target::Relay(_) => Some(false),
        }
    }

    fn switches_phases(&self) -> bool {
        match &self.target {
            Target::Charger(station) => station.switches_phases(),
            Target::Relay(_) => false,
        }
    }

    fn pace(&self) -> Pace {
        match &self.target {
            Target::Charger(station) => station.pace(),
            Target::Relay(_) => Pace {
                repeat: Repeat::Needless,
                ..Pace::default()
            },
        }
    }
}

async fn switch(link: &mut Link, relay: Relay, on: bool) -> Result<(), CallError> {
    let request = match relay {
        Relay::Coil(address) => Request::WriteSingleCoil(address, on),
        Relay::Holding {
            address,
            on: closed,
            off,
        } => Request::WriteSingleRegister(address, if on { closed } else { off }),
    };
    link.write(request).await
}

async fn read_relay(link: &mut Link, relay: Relay) -> Result<Option<bool>, CallError> {
    match relay {
        Relay::Coil(address) => link.coil(address).await.map(Some),
        Relay::Holding { address, on, off } => {
            let words = link.holding(address, 1).await?;
            Ok(match words.first() {
                Some(word) if *word == on => Some(true),
                Some(word) if *word == off => Some(false),
                _ => None,
            })
        }
    }
}

//! A Shelly with three clamps. It measures anew all the time, and tells no clock.

use super::{
    Answer,
    client::{Client, SHELLY_LOCKED},
    fresh::Fresh,
};
use headroom_codec::{
    Protocol,
    json::{self, ShellyDevice},
};
use std::io;

pub(super) struct Shelly {
    device: ShellyDevice,
    fresh: Fresh,
}

impl Shelly {
    pub(super) async fn open(client: &Client) -> io::Result<Self> {
        let body = client.get("shelly").await?.body()?;
        let device = json::shelly_device(&body)
            .map_err(|_| io::Error::other("what answers there is no Shelly"))?;
        if device.locked {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                SHELLY_LOCKED,
            ));
        }
        let fresh = Fresh::default();
        Ok(Self { device, fresh })
    }

    pub(super) async fn ask(&mut self, client: &Client) -> io::Result<Answer> {
        let (body, mut read) = if self.device.single_phases {
            let first = client.get("rpc/EM1.GetStatus?id=0").await?.body()?;
            let second = client.get("rpc/EM1.GetStatus?id=1").await?.body()?;
            let third = client.get("rpc/EM1.GetStatus?id=2").await?.body()?;
            let read = json::shelly_phases([&first, &second, &third]);
            ([first, second, third].concat(), read)
        } else {
            let body = client.get("rpc/EM.GetStatus?id=0").await?.body()?;
            let read = json::shelly(&body);
            (body, read)
        };
        if let Ok(telegram) = &mut read {
            telegram.meter_id = self.device.mac;
            telegram.meter_model = self.device.model;
            if !self.fresh.is_new(telegram) {
                return Ok(Answer::nothing_new(body.len()));
            }
        }
        Ok(Answer::read(Protocol::Shelly, body, read))
    }
}

//! `GET /discovery`: what has announced itself in the house's network.

use axum::Json;
use axum::extract::State;
use headroom_core::config::Driver;
use headroom_store::{House, Page};
use serde::Serialize;

use crate::app::{Discovered, Shared};
use crate::problem::Problem;
use crate::query::{Params, page};

/// A page, and whether there may be more in a moment.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    #[serde(flatten)]
    page: Page<Discovered>,
    searching: bool,
}

pub(crate) async fn get(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Json<Answer>, Problem> {
    let (mut found, searching) = shared.app.devices.discovered();
    let hosts = hosts(&shared.app.state.house());
    for one in &mut found {
        let mut names = [Some(one.host.as_str()), one.host_name.as_deref()]
            .into_iter()
            .flatten()
            .map(host_alone);
        one.already_configured = names.any(|name| hosts.contains(&name));
    }
    let page = page(params, found, |it| &it.host)?;
    Ok(Json(Answer { page, searching }))
}

/// Where everything that is configured is reached, without ports, in small letters.
fn hosts(house: &House) -> Vec<String> {
    let chargers = house.config.chargers.iter().map(|it| &it.driver);
    let slow_loads = house.config.slow_loads.iter().map(|it| &it.driver);
    let drivers = chargers.chain(slow_loads).flatten();
    let drivers = drivers.filter_map(|driver| match driver {
        Driver::ShellyGen2 { host, .. } | Driver::Http { host, .. } => Some(host.as_str()),
        Driver::Modbus { address, .. } => Some(address.as_str()),
        // A charge point comes to us, and a broker is not the device.
        Driver::Ocpp { .. } | Driver::Mqtt { .. } => None,
    });
    // scheme://user@host:port/path?more
    let meter = house.meter.source.as_deref().and_then(|source| {
        let (_, rest) = source.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        authority.rsplit('@').next()
    });
    drivers.chain(meter).map(host_alone).collect()
}

/// A host without its port, in small letters.
fn host_alone(host: &str) -> String {
    let alone = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or(host),
        None => host,
    };
    alone.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_the_same_with_and_without_a_port() {
        for (host, alone) in [
            ("Relay.local", "relay.local"),
            ("relay.local.:8080", "relay.local"),
            ("192.0.2.7:80", "192.0.2.7"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("2001:DB8::1", "2001:db8::1"),
        ] {
            assert_eq!(host_alone(host), alone);
        }
    }
}

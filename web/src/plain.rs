//! Secrets that go through the network in clear: told in the diagnostics, and once in the log.
//!
//! Nothing is refused: a house may have nothing better, and its owner decides. Passwords of charge points are left out, since
//! OCPP's basic authentication is made for the house's own network.

use std::net::IpAddr;

use headroom_core::config::Driver;
use headroom_store::{EmailTls, House};

/// What in a configuration is sent in clear to another computer, and what to do, a sentence for each. No address and no secret
/// is in it.
pub(crate) fn in_clear(house: &House) -> Vec<String> {
    let mut told = Vec::new();
    let mut tell = |what: &str, to_do: &str| {
        told.push(format!(
            "{what} through the network in clear, and whoever listens there can read it: {to_do}."
        ));
    };
    let it = &house.notifications;
    for (name, channel) in [("webhook", &it.webhook), ("ntfy", &it.ntfy)] {
        if let Some(channel) = channel
            && channel.token.is_some()
            && is_elsewhere(&channel.url, "http")
        {
            let what = format!("The token of notifications.{name} goes");
            tell(&what, "write its address with https://");
        }
    }
    if let Some(email) = &it.email
        && email.password.is_some()
        && email.tls == EmailTls::None
        && !is_here(&email.host)
    {
        tell(
            "The password of notifications.email goes",
            "set its tls to starttls or tls",
        );
    }
    let meter = &house.meter;
    if meter.source_password.is_some()
        && let Some(source) = &meter.source
        && ["http", "mqtt"]
            .iter()
            .any(|scheme| is_elsewhere(source, scheme))
    {
        let to_do =
            "use a password that opens nothing else, or let the broker run on this computer";
        tell("The password of the meter's source goes", to_do);
    }
    let chargers = house.config.chargers.iter().map(|it| (&it.id, &it.driver));
    let slow_loads = house.config.slow_loads.iter();
    for (id, driver) in chargers.chain(slow_loads.map(|it| (&it.id, &it.driver))) {
        if let Some(Driver::Http {
            host,
            password: Some(_),
            ..
        }) = driver
            && !is_here(host)
        {
            let what = format!("The password of {id} goes");
            tell(&what, "use one that opens nothing else");
        }
    }
    told
}

/// Says in the log what a configuration sends in clear that the one before did not.
pub fn warn_of_clear(house: &House, before: Option<&House>) {
    let known = before.map(in_clear).unwrap_or_default();
    for text in in_clear(house) {
        if !known.contains(&text) {
            tracing::warn!("{text}");
        }
    }
}

/// What is said of people and programs that come over plain HTTP.
pub(crate) const PAGE_IN_CLEAR: &str = "A password, session or token of this page came through the network in clear, and \
     whoever listens there can read it: turn TLS on (Settings, or PUT /tls), or put a proxy with TLS before it.";

/// Whether an address is of this scheme and leads to another computer.
fn is_elsewhere(address: &str, scheme: &str) -> bool {
    let rest = address.split_once("://");
    let Some((_, rest)) = rest.filter(|(is, _)| is.eq_ignore_ascii_case(scheme)) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    !is_here(host)
}

/// Whether a host, maybe with a port, is this computer.
fn is_here(host: &str) -> bool {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return ip.is_loopback();
    }
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hosts_of_this_computer_are_told_from_others() {
        for here in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1",
            "127.1.2.3:8080",
            "[::1]:80",
            "::1",
        ] {
            assert!(is_here(here), "{here}");
        }
        for other in ["192.0.2.7", "localhost.example.org", "[2001:db8::1]:80", ""] {
            assert!(!is_here(other), "{other}");
        }
    }

    #[test]
    fn what_goes_in_clear_is_told_without_addresses_and_secrets() {
        let house: House = serde_json::from_value(json!({
            "config": {
                "chargers": [{"id": "ev1", "driver": {"kind": "http", "profile": "p", "host": "192.0.2.7", "password": "canary"}}],
                "slow_loads": [{"id": "heater", "rated_w": 1, "driver": {"kind": "shelly_gen2", "host": "192.0.2.8", "password": "canary"}}],
            },
            "meter": {"source": "mqtt://jo:***@192.0.2.9/ams", "source_password": "canary"},
            "notifications": {
                "webhook": {"url": "http://192.0.2.9/x", "token": "canary"},
                "ntfy": {"url": "http://u@127.0.0.1:80/x", "token": "canary"},
                "email": {"host": "mail.example.org", "port": 25, "tls": "none", "user": "jo", "password": "canary",
                          "from": "a@example.org", "to": []},
            },
        }))
        .unwrap();
        let told = in_clear(&house);
        assert_eq!(told.len(), 4, "{told:#?}");
        for (text, name) in told.iter().zip(["webhook", "email", "meter", "ev1"]) {
            assert!(text.contains(name), "{text}");
            assert!(
                !text.contains("canary") && !text.contains("192.0.2"),
                "{text}"
            );
        }
        let mut safe = house;
        safe.notifications.webhook.as_mut().unwrap().url = "https://192.0.2.9/x".into();
        safe.notifications.email.as_mut().unwrap().tls = EmailTls::Starttls;
        safe.meter.source = Some("mqtt://jo:***@localhost/ams".into());
        safe.config.chargers.clear();
        assert!(in_clear(&safe).is_empty());
    }
}

//! From an announcement to a device with the driver that fits it.

use std::{collections::BTreeMap, net::IpAddr};

use headroom_core::config::Driver;

/// What is browsed. Chargers of several makers announce no more than a web page, by a name of their own.
pub(super) const TYPES: &[&str] = &[
    "_shelly._tcp.local.",
    "_http._tcp.local.",
    "_hwenergy._tcp.local.",
    "_homewizard._tcp.local.",
    "_go-e._tcp.local.",
    "_openevse._tcp.local.",
];
/// Names are cut to this many characters.
const NAME_MAX: usize = 64;
/// Longest host name (RFC 1035).
const HOST_NAME_MAX: usize = 253;
/// The port that need not be named.
const HTTP: u16 = 80;

/// A device that announced itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it is for Headroom.
    pub kind: FoundKind,
    /// Its name, as it says, cut and cleaned.
    pub name: String,
    /// Its address, with the port unless it is 80.
    pub host: String,
    /// Its host name, if it is one.
    pub host_name: Option<String>,
    /// The driver that fits it; `None` for a meter.
    pub driver: Option<Driver>,
    /// The source that fits a meter, as `PUT /meter` takes it.
    pub source: Option<String>,
}

/// What a device is for Headroom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundKind {
    /// Something that charges cars.
    Charger,
    /// A relay.
    Relay,
    /// A meter of the house.
    Meter,
}

impl FoundKind {
    /// As the API names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charger => "charger",
            Self::Relay => "relay",
            Self::Meter => "meter",
        }
    }
}

/// What was announced.
pub(super) struct Announced<'a> {
    /// The service type, such as `_http._tcp.local.`
    pub(super) kind: &'a str,
    pub(super) full_name: &'a str,
    pub(super) host_name: &'a str,
    pub(super) port: u16,
    pub(super) addresses: Vec<IpAddr>,
    /// A property by its name.
    pub(super) property: &'a dyn Fn(&str) -> Option<String>,
}

/// How a device is driven.
enum Way {
    /// A profile of the HTTP driver.
    Http(&'static str),
    /// A Shelly of the second generation or later.
    ShellyGen2,
    /// A meter's source, by its scheme.
    Source(&'static str),
}

/// Names with which devices begin that announce a web page, in small letters, and how they are driven.
const PAGES: &[(&str, FoundKind, Way)] = &[
    ("go-echarger", FoundKind::Charger, Way::Http("go-e-v2")),
    ("go-e", FoundKind::Charger, Way::Http("go-e-v2")),
    ("openevse", FoundKind::Charger, Way::Http("openevse")),
    ("smartevse", FoundKind::Charger, Way::Http("smartevse")),
    ("warp", FoundKind::Charger, Way::Http("warp")),
    ("pblr-", FoundKind::Charger, Way::Http("peblar")),
    ("tasmota", FoundKind::Relay, Way::Http("tasmota")),
];
/// Models of `HomeWizard` that are meters of a house, in small letters, as they begin.
const HOMEWIZARD_METERS: &[&str] = &["hwe-p1", "hwe-kwh", "sdm"];

impl Announced<'_> {
    /// The device, if it is one that Headroom drives or reads.
    pub(super) fn device(&self) -> Option<Found> {
        let name = self.name();
        let small = name.to_ascii_lowercase();
        let (kind, way) = match self.kind.trim_end_matches(".local.") {
            "_shelly._tcp" => self.shelly(&small),
            "_hwenergy._tcp" | "_homewizard._tcp" => {
                let model = (self.property)("product_type").unwrap_or_default();
                let model = model.to_ascii_lowercase();
                let mut meters = HOMEWIZARD_METERS.iter();
                if !meters.any(|meter| model.starts_with(meter)) {
                    return None;
                }
                (FoundKind::Meter, Way::Source("homewizard"))
            }
            "_go-e._tcp" => (FoundKind::Charger, Way::Http("go-e-v2")),
            "_openevse._tcp" => (FoundKind::Charger, Way::Http("openevse")),
            "_http._tcp" if small.starts_with("shelly") => self.shelly(&small),
            "_http._tcp" => {
                let mut pages = PAGES.iter();
                let (_, kind, way) = pages.find(|(begin, ..)| small.starts_with(begin))?;
                (*kind, way.clone())
            }
            _ => return None,
        };
        let address = self.address()?;
        let host = match (address, self.port) {
            (IpAddr::V4(ip), HTTP) => ip.to_string(),
            (IpAddr::V4(ip), port) => format!("{ip}:{port}"),
            (IpAddr::V6(ip), HTTP) => format!("[{ip}]"),
            (IpAddr::V6(ip), port) => format!("[{ip}]:{port}"),
        };
        let (driver, source) = match way {
            Way::Http(profile) => {
                let driver = Driver::Http {
                    profile: profile.to_owned(),
                    host: host.clone(),
                    params: BTreeMap::new(),
                    password: None,
                    password_set: false,
                };
                (Some(driver), None)
            }
            Way::ShellyGen2 => {
                let driver = Driver::ShellyGen2 {
                    host: host.clone(),
                    channel: 0,
                    password: None,
                    password_set: false,
                };
                (Some(driver), None)
            }
            Way::Source(scheme) => (None, Some(format!("{scheme}://{host}"))),
        };
        Some(Found {
            kind,
            name,
            host,
            host_name: self.host_name(),
            driver,
            source,
        })
    }

    /// A Shelly by its generation; without one it is of the first.
    fn shelly(&self, small: &str) -> (FoundKind, Way) {
        let app = (self.property)("app").unwrap_or_default();
        // The three-phase meters have no relay that a load hangs on.
        if app.to_ascii_lowercase().contains("3em") || small.contains("3em") {
            return (FoundKind::Meter, Way::Source("shelly"));
        }
        let generation = (self.property)("gen").and_then(|text| text.parse::<u32>().ok());
        let way = match generation {
            Some(2..) => Way::ShellyGen2,
            _ => Way::Http("shelly-gen1"),
        };
        (FoundKind::Relay, way)
    }

    /// The instance's own name, cut and without what could be anything but a name.
    fn name(&self) -> String {
        // The type is at its end, in any case.
        let length = self.full_name.len().saturating_sub(self.kind.len());
        let instance = self.full_name.get(..length).unwrap_or(self.full_name);
        let plain = |c: &char| c.is_alphanumeric() || " -_.:()".contains(*c);
        let name: String = instance.chars().filter(plain).take(NAME_MAX).collect();
        name.trim_matches(['.', ' ']).to_owned()
    }

    fn host_name(&self) -> Option<String> {
        let name = self.host_name.trim_end_matches('.');
        let fits = !name.is_empty()
            && name.len() <= HOST_NAME_MAX
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        fits.then(|| name.to_owned())
    }

    /// The address to reach it by: the fourth version goes first, and an address that needs the interface's name
    /// is none.
    fn address(&self) -> Option<IpAddr> {
        let usable = |ip: &&IpAddr| match ip {
            IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
            IpAddr::V6(ip) => {
                !ip.is_unspecified() && !ip.is_multicast() && !ip.is_unicast_link_local()
            }
        };
        let mut usable: Vec<IpAddr> = self.addresses.iter().filter(usable).copied().collect();
        usable.sort_unstable();
        usable.first().copied()
    }
}

impl Clone for Way {
    fn clone(&self) -> Self {
        match self {
            Self::Http(profile) => Self::Http(profile),
            Self::ShellyGen2 => Self::ShellyGen2,
            Self::Source(scheme) => Self::Source(scheme),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(kind: &str, name: &str, port: u16, properties: &[(&str, &str)]) -> Option<Found> {
        let kind = format!("{kind}.local.");
        let announced = Announced {
            full_name: &format!("{name}.{kind}"),
            kind: &kind,
            host_name: "device-1.local.",
            port,
            addresses: ["2001:db8::7", "192.0.2.7", "fe80::1"]
                .map(|ip| ip.parse().unwrap())
                .to_vec(),
            property: &|name| {
                let mut properties = properties.iter();
                properties
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            },
        };
        announced.device()
    }

    fn driver(found: &Found) -> serde_json::Value {
        serde_json::to_value(&found.driver).unwrap()
    }

    #[test]
    fn relays_and_chargers_come_with_their_driver() {
        use serde_json::json;
        let gen2 = &[("gen", "2"), ("app", "Plus1")][..];
        for (kind, name, properties, what, profile) in [
            (
                "_shelly._tcp",
                "shellyplus1-a8032abe54dc",
                gen2,
                FoundKind::Relay,
                None,
            ),
            (
                "_http._tcp",
                "ShellyPro1-a8032abe54dc",
                gen2,
                FoundKind::Relay,
                None,
            ),
            (
                "_http._tcp",
                "shelly1-ABCDEF",
                &[],
                FoundKind::Relay,
                Some("shelly-gen1"),
            ),
            (
                "_http._tcp",
                "tasmota-1A2B3C-0123",
                &[],
                FoundKind::Relay,
                Some("tasmota"),
            ),
            (
                "_http._tcp",
                "go-eCharger_012345",
                &[],
                FoundKind::Charger,
                Some("go-e-v2"),
            ),
            (
                "_openevse._tcp",
                "garage",
                &[],
                FoundKind::Charger,
                Some("openevse"),
            ),
            (
                "_http._tcp",
                "openevse-a7d4",
                &[],
                FoundKind::Charger,
                Some("openevse"),
            ),
            (
                "_http._tcp",
                "SmartEVSE-6150",
                &[],
                FoundKind::Charger,
                Some("smartevse"),
            ),
            (
                "_http._tcp",
                "warp3-2aBc",
                &[],
                FoundKind::Charger,
                Some("warp"),
            ),
            (
                "_http._tcp",
                "PBLR-0000645",
                &[],
                FoundKind::Charger,
                Some("peblar"),
            ),
        ] {
            let found = announced(kind, name, 80, properties).unwrap();
            let expected = match profile {
                Some(profile) => {
                    json!({"kind": "http", "profile": profile, "host": "192.0.2.7", "params": {}})
                }
                None => json!({"kind": "shelly_gen2", "host": "192.0.2.7", "channel": 0}),
            };
            assert_eq!((found.kind, driver(&found)), (what, expected), "{name}");
            assert_eq!((found.name.as_str(), found.source), (name, None));
            assert_eq!(found.host_name.as_deref(), Some("device-1.local"));
        }
    }

    #[test]
    fn meters_come_with_their_source_and_nothing_else_comes() {
        let (p1, em) = (
            [("product_type", "HWE-P1")],
            [("gen", "2"), ("app", "Pro3EM")],
        );
        for (kind, name, properties, source) in [
            (
                "_hwenergy._tcp",
                "p1meter-ABCABC",
                &p1[..],
                "homewizard://192.0.2.7",
            ),
            (
                "_shelly._tcp",
                "shellypro3em-0123",
                &em[..],
                "shelly://192.0.2.7",
            ),
        ] {
            let found = announced(kind, name, 80, properties).unwrap();
            assert_eq!(found.kind, FoundKind::Meter);
            assert_eq!(
                (found.driver, found.source.as_deref()),
                (None, Some(source))
            );
        }
        let socket = [("product_type", "HWE-SKT")];
        for (kind, name, properties) in [
            ("_http._tcp", "printer", &[][..]),
            ("_hwenergy._tcp", "energysocket-ABCABC", &socket[..]),
            ("_hwenergy._tcp", "p1meter", &[]),
            ("_ipp._tcp", "shelly1", &[]),
        ] {
            assert_eq!(announced(kind, name, 80, properties), None, "{name}");
        }
    }

    #[test]
    fn a_strangers_name_is_cut_and_cleaned() {
        let name = format!(
            "shelly<script>alert('1')</script>\u{7}\u{202e} {}",
            "x".repeat(500)
        );
        let found = announced("_shelly._tcp", &name, 8080, &[("gen", "2")]).unwrap();
        assert!(
            found.name.starts_with("shellyscriptalert(1)script xxx"),
            "{}",
            found.name
        );
        assert_eq!(found.name.chars().count(), NAME_MAX);
        assert_eq!(found.host, "192.0.2.7:8080");
    }

    #[test]
    fn without_a_usable_address_there_is_no_device() {
        let found = |addresses: &[&str], host_name: &str| {
            let announced = Announced {
                kind: "_shelly._tcp.local.",
                full_name: "x._shelly._tcp.local.",
                host_name,
                port: 80,
                addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect(),
                property: &|_| None,
            };
            announced
                .device()
                .map(|found| (found.host, found.host_name))
        };
        assert_eq!(found(&["fe80::1", "224.0.0.1", "0.0.0.0"], "x"), None);
        assert_eq!(found(&[], "x"), None);
        let v6 = Some(("[2001:db8::1]".to_owned(), None));
        assert_eq!(found(&["2001:db8::1"], "bad host/name"), v6);
    }
}

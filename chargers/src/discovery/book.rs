//! What was announced so far, put together from records that come in any order.

use std::{collections::BTreeMap, net::IpAddr};

use super::{
    device::{Announced, Found, TYPES},
    dns::{Data, Kind, Record},
};

/// Instances and hosts that are kept at most, each; those beyond are not looked at.
const KEPT_MAX: usize = 256;
/// Addresses of one host that are kept.
const ADDRESSES_MAX: usize = 8;
/// What is asked for at once of what is missing, so that a question fits a packet.
const MISSING_MAX: usize = 16;

/// Records by the names that they belong to, in small letters.
#[derive(Debug, Default)]
pub(super) struct Book {
    instances: BTreeMap<String, Instance>,
    hosts: BTreeMap<String, Vec<IpAddr>>,
}

#[derive(Debug, Default)]
struct Instance {
    /// As it is written.
    name: String,
    kind: &'static str,
    service: Option<(String, u16)>,
    text: Option<Vec<(String, String)>>,
    /// The last message was about it.
    heard: bool,
}

impl Book {
    /// Takes the records of one message. Those of service types that nobody asked for are none of ours.
    pub(super) fn take(&mut self, records: Vec<Record>) {
        let (addresses, others): (Vec<_>, Vec<_>) = records
            .into_iter()
            .partition(|record| matches!(record.data, Data::Address(_)));
        for instance in self.instances.values_mut() {
            instance.heard = false;
        }
        for Record { name, data } in others {
            match data {
                Data::Pointer(instance) => drop(self.instance(&instance)),
                Data::Service { host, port } => {
                    if let Some(instance) = self.instance(&name) {
                        instance.service = Some((host, port));
                    }
                }
                Data::Text(text) => {
                    if let Some(instance) = self.instance(&name) {
                        instance.text = Some(text);
                    }
                }
                Data::Address(_) => {}
            }
        }
        // A host that tells its addresses tells all of them: a device that has moved is not where it was.
        for Record { name, .. } in &addresses {
            if let Some(known) = self.hosts.get_mut(&name.to_ascii_lowercase()) {
                known.clear();
            }
        }
        for Record { name, data } in addresses {
            if let Data::Address(address) = data {
                self.address(&name, address);
            }
        }
    }

    fn instance(&mut self, name: &str) -> Option<&mut Instance> {
        let key = name.to_ascii_lowercase();
        let kind = TYPES.iter().find(|kind| key.ends_with(**kind))?;
        if !self.instances.contains_key(&key) && self.instances.len() >= KEPT_MAX {
            return None;
        }
        let instance = self.instances.entry(key).or_insert_with(|| Instance {
            name: name.to_owned(),
            kind,
            ..Instance::default()
        });
        instance.heard = true;
        Some(instance)
    }

    /// Hosts of others are not kept.
    fn address(&mut self, name: &str, address: IpAddr) {
        let mut ours = false;
        for instance in self.instances.values_mut() {
            let host = instance.service.as_ref().map(|(host, _)| host);
            if host.is_some_and(|host| host.eq_ignore_ascii_case(name)) {
                instance.heard = true;
                ours = true;
            }
        }
        let key = name.to_ascii_lowercase();
        if !ours || (!self.hosts.contains_key(&key) && self.hosts.len() >= KEPT_MAX) {
            return;
        }
        let addresses = self.hosts.entry(key).or_default();
        if !addresses.contains(&address) && addresses.len() < ADDRESSES_MAX {
            addresses.push(address);
        }
    }

    /// What must be asked for: where an instance is, what it says of itself, where its host is.
    pub(super) fn missing(&self) -> Vec<(String, Kind)> {
        let missing = self.instances.values().filter_map(|instance| {
            let Some((host, _)) = &instance.service else {
                return Some((instance.name.clone(), Kind::Service));
            };
            if !self.hosts.contains_key(&host.to_ascii_lowercase()) {
                return Some((host.clone(), Kind::Address));
            }
            let nothing = instance.text.is_none();
            nothing.then(|| (instance.name.clone(), Kind::Text))
        });
        missing.take(MISSING_MAX).collect()
    }

    /// The devices of which the last message told something, and enough is known.
    pub(super) fn announced(&self) -> Vec<Found> {
        self.devices_of(|instance| instance.heard)
    }

    fn devices_of(&self, which: impl Fn(&Instance) -> bool) -> Vec<Found> {
        let those = self.instances.values().filter(|instance| which(instance));
        let devices = those.filter_map(|instance| {
            let (host, port) = instance.service.as_ref()?;
            let addresses = self.hosts.get(&host.to_ascii_lowercase())?;
            // A device may have nothing to say of itself; then that is what it says.
            let text = instance.text.as_ref()?;
            let announced = Announced {
                kind: instance.kind,
                full_name: &instance.name,
                host_name: host,
                port: *port,
                addresses: addresses.clone(),
                property: &|name| {
                    let mut text = text.iter();
                    let found = text.find(|(key, _)| key == name);
                    found.map(|(_, value)| value.clone())
                },
            };
            announced.device()
        });
        devices.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, data: Data) -> Record {
        Record {
            name: name.to_owned(),
            data,
        }
    }

    impl Book {
        fn devices(&self) -> Vec<Found> {
            self.devices_of(|_| true)
        }
    }

    const NAME: &str = "Relay._shelly._tcp.local.";

    fn service() -> Record {
        let host = "Relay.local.".to_owned();
        record(NAME, Data::Service { host, port: 80 })
    }

    fn address() -> Record {
        record("relay.LOCAL.", Data::Address([192, 0, 2, 7].into()))
    }

    #[test]
    fn what_is_missing_is_asked_for_until_the_device_is_known() {
        let mut book = Book::default();
        let pointer = Data::Pointer(NAME.to_owned());
        book.take(vec![record("_shelly._tcp.local.", pointer)]);
        assert_eq!(book.missing(), [(NAME.to_owned(), Kind::Service)]);
        book.take(vec![address()]);
        book.take(vec![service()]);
        let host = "Relay.local.".to_owned();
        assert_eq!(
            book.missing(),
            [(host, Kind::Address)],
            "it was not known to be ours"
        );
        book.take(vec![address(), address()]);
        assert_eq!(book.missing(), [(NAME.to_owned(), Kind::Text)]);
        assert_eq!(book.devices(), [], "of which generation it is is not known");
        let text = vec![("gen".to_owned(), "2".to_owned())];
        book.take(vec![record(&NAME.to_uppercase(), Data::Text(text))]);
        assert_eq!(book.missing(), []);
        let devices = book.devices();
        let devices: Vec<_> = devices
            .iter()
            .map(|it| (it.name.as_str(), it.host.as_str()))
            .collect();
        assert_eq!(devices, [("Relay", "192.0.2.7")]);
    }

    #[test]
    fn one_message_in_any_order_is_enough_and_others_are_not_kept() {
        let mut book = Book::default();
        let text = record(NAME, Data::Text(Vec::new()));
        let printer = record("p._ipp._tcp.local.", Data::Text(Vec::new()));
        book.take(vec![address(), text, printer, service()]);
        assert_eq!(book.devices().len(), 1);
        assert_eq!(book.instances.len(), 1);
    }

    #[test]
    fn a_device_that_says_nothing_any_more_is_not_announced_by_others() {
        let mut book = Book::default();
        let text = record(NAME, Data::Text(Vec::new()));
        book.take(vec![service(), text, address()]);
        assert_eq!(book.announced().len(), 1);
        let other = "Other._shelly._tcp.local.";
        let host = "other.local.".to_owned();
        let there = Data::Service { host, port: 80 };
        book.take(vec![
            record(other, there),
            record(other, Data::Text(Vec::new())),
            record("other.local.", Data::Address([192, 0, 2, 8].into())),
        ]);
        let names = |book: &Book| -> Vec<String> {
            book.announced().into_iter().map(|it| it.name).collect()
        };
        assert_eq!(names(&book), ["Other"]);
        book.take(vec![address()]);
        assert_eq!(names(&book), ["Relay"]);
        book.take(Vec::new());
        assert_eq!(names(&book), [""; 0]);
    }

    #[test]
    fn a_device_that_has_moved_is_found_where_it_is_now() {
        let mut book = Book::default();
        let text = record(NAME, Data::Text(Vec::new()));
        book.take(vec![service(), text, address()]);
        let moved = Data::Address([192, 0, 2, 90].into());
        book.take(vec![record("relay.local.", moved)]);
        let hosts: Vec<_> = book.devices().into_iter().map(|it| it.host).collect();
        assert_eq!(hosts, ["192.0.2.90"]);
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut book = Book::default();
        for number in 0..1000_u32 {
            let name = format!("x{number}._http._tcp.local.");
            let host = format!("x{number}.local.");
            let [_, _, a, b] = number.to_be_bytes();
            let service = Data::Service {
                host: host.clone(),
                port: 80,
            };
            let address = Data::Address([192, 0, a, b].into());
            book.take(vec![record(&name, service), record(&host, address)]);
            let again = Data::Address([10, 0, a, b].into());
            book.take(vec![record("x1.local.", again)]);
        }
        assert_eq!(
            (book.instances.len(), book.hosts.len()),
            (KEPT_MAX, KEPT_MAX)
        );
        assert!(
            book.hosts
                .values()
                .all(|addresses| addresses.len() <= ADDRESSES_MAX)
        );
        assert!(book.missing().len() <= MISSING_MAX);
    }
}

//! Messages of DNS as multicast DNS uses them: questions out, records in (RFC 1035, section 4; RFC 6762; RFC 6763).
//!
//! Any bytes are taken. What cannot be read ends the message; what was read before it counts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest message (RFC 6762, section 17).
pub(super) const MESSAGE_MAX: usize = 9000;
/// Longest name (RFC 1035, section 2.3.4).
const NAME_MAX: usize = 255;
/// Records of one message that are read; a device's announcement has some five.
const RECORDS_MAX: u16 = 256;
/// Properties of one device that are read.
const PROPERTIES_MAX: usize = 64;
const HEADER: usize = 12;
/// The top bits of a label's length that make it a pointer.
const POINTER: u8 = 0xc0;
/// Class IN.
const INTERNET: u16 = 1;
/// The top bit of a class means something else in multicast DNS.
const CLASS: u16 = 0x7fff;
/// Set in an answer.
const RESPONSE: u16 = 0x8000;

/// What is asked for, or answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Address = 1,
    Pointer = 12,
    Text = 16,
    Service = 33,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Its name, with a dot at the end.
    pub(super) name: String,
    pub(super) data: Data,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    /// An instance of a service type.
    Pointer(String),
    /// Where an instance is.
    Service { host: String, port: u16 },
    /// What an instance says of itself.
    Text(Vec<(String, String)>),
    /// Where a host is.
    Address(IpAddr),
}

/// A message that asks for these names; `None` if one of them is no name.
pub(super) fn question(asked: &[(&str, Kind)]) -> Option<Vec<u8>> {
    let count = u16::try_from(asked.len()).ok()?;
    let mut message = vec![0; HEADER];
    message.get_mut(4..6)?.copy_from_slice(&count.to_be_bytes());
    for (name, kind) in asked {
        if name.len() >= NAME_MAX {
            return None;
        }
        for label in labels(name) {
            let length = u8::try_from(label.len())
                .ok()
                .filter(|len| (1..64).contains(len))?;
            message.push(length);
            message.extend(label.as_bytes());
        }
        message.push(0);
        message.extend((*kind as u16).to_be_bytes());
        message.extend(INTERNET.to_be_bytes());
    }
    (message.len() <= MESSAGE_MAX).then_some(message)
}

/// The labels of a name. What stands before a service type is one label, dots and all.
fn labels(name: &str) -> Vec<&str> {
    let name = name.trim_end_matches('.');
    match name.find("._") {
        Some(at) if !name.starts_with('_') => {
            let (instance, kind) = name.split_at(at);
            let mut labels = vec![instance];
            labels.extend(kind.trim_start_matches('.').split('.'));
            labels
        }
        _ => name.split('.').collect(),
    }
}

/// The records of an answer, as far as they can be read. A question has none.
pub(super) fn records(message: &[u8]) -> Vec<Record> {
    let mut reader = Reader { message, at: 0 };
    let mut records = Vec::new();
    if message.len() <= MESSAGE_MAX {
        // Where it cannot be read any further it ends.
        let _end = reader.read(&mut records);
    }
    records
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn read(&mut self, records: &mut Vec<Record>) -> Option<()> {
        let (_, flags) = (self.word()?, self.word()?);
        if flags & RESPONSE == 0 {
            return None;
        }
        let (questions, answers) = (self.word()?, self.word()?);
        let (authorities, additionals) = (self.word()?, self.word()?);
        for _ in 0..questions.min(RECORDS_MAX) {
            self.name()?;
            self.skip(4)?;
        }
        let count = answers
            .saturating_add(authorities)
            .saturating_add(additionals);
        for _ in 0..count.min(RECORDS_MAX) {
            let name = self.name()?;
            let (kind, class) = (self.word()?, self.word()? & CLASS);
            let seconds = (self.word()?, self.word()?);
            let length = usize::from(self.word()?);
            let end = self.at.checked_add(length)?;
            let data = self.data(kind, end);
            if end > self.message.len() {
                return None;
            }
            self.at = end;
            // A record that lives no longer says goodbye.
            if let Some(data) = data
                && class == INTERNET
                && seconds != (0, 0)
            {
                records.push(Record { name, data });
            }
        }
        Some(())
    }

    fn data(&mut self, kind: u16, end: usize) -> Option<Data> {
        let bytes = self.message.get(self.at..end)?;
        match kind {
            1 => {
                let bytes: [u8; 4] = bytes.try_into().ok()?;
                Some(Data::Address(Ipv4Addr::from(bytes).into()))
            }
            28 => {
                let bytes: [u8; 16] = bytes.try_into().ok()?;
                Some(Data::Address(Ipv6Addr::from(bytes).into()))
            }
            12 => self.name().map(Data::Pointer),
            16 => Some(Data::Text(properties(bytes))),
            33 => {
                // Priority and weight say nothing here.
                self.skip(4)?;
                let port = self.word()?;
                let host = self.name()?;
                Some(Data::Service { host, port })
            }
            _ => None,
        }
    }

    /// A name with its pointers followed. Each goes back, so that there is an end to it.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut at = self.at;
        let mut earliest = at;
        let mut after = None;
        loop {
            let length = *self.message.get(at)?;
            if length & POINTER == POINTER {
                let low = *self.message.get(at + 1)?;
                after = after.or(Some(at + 2));
                at = usize::from(u16::from_be_bytes([length & !POINTER, low]));
                if at >= earliest {
                    return None;
                }
                earliest = at;
                continue;
            }
            if length & POINTER != 0 {
                return None;
            }
            at += 1;
            if length == 0 {
                break;
            }
            let label = self.message.get(at..at + usize::from(length))?;
            name.push_str(&String::from_utf8_lossy(label));
            name.push('.');
            at += usize::from(length);
            // Three bytes stand for one that is no text.
            if name.len() > 3 * NAME_MAX {
                return None;
            }
        }
        self.at = after.unwrap_or(at);
        Some(name)
    }

    fn word(&mut self) -> Option<u16> {
        let bytes: [u8; 2] = self.message.get(self.at..self.at + 2)?.try_into().ok()?;
        self.at += 2;
        Some(u16::from_be_bytes(bytes))
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.at += count;
        (self.at <= self.message.len()).then_some(())
    }
}

/// `key=value` strings, each with its length before it (RFC 6763, section 6).
fn properties(mut bytes: &[u8]) -> Vec<(String, String)> {
    let mut properties = Vec::new();
    while let Some((length, rest)) = bytes.split_first()
        && properties.len() < PROPERTIES_MAX
    {
        let Some((text, rest)) = rest.split_at_checked(usize::from(*length)) else {
            break;
        };
        bytes = rest;
        let text = String::from_utf8_lossy(text);
        if let Some((key, value)) = text.split_once('=') {
            properties.push((key.to_ascii_lowercase(), value.to_owned()));
        }
    }
    properties
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer with names that point back at others.
    fn answer() -> Vec<u8> {
        let mut message = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 3];
        // 12: _http._tcp.local. PTR relay.one._http._tcp.local.
        message.extend(
            b"\x05_http\x04_tcp\x05local\0\0\x0c\0\x01\0\0\x11\x94\0\x0c\x09relay.one\xc0\x0c",
        );
        let instance = u8::try_from(message.len() - 12).unwrap();
        // SRV: port 80 of relay.local.
        message.extend([0xc0, instance]);
        message.extend(b"\0\x21\x80\x01\0\0\0\x78\0\x0e\0\0\0\0\0\x50\x05relay\xc0\x17");
        let host = u8::try_from(message.len() - 8).unwrap();
        message.extend([0xc0, instance]);
        message.extend(b"\0\x10\x80\x01\0\0\0\x78\0\x0c\x05Gen=2\x05plain");
        message.extend([0xc0, host]);
        message.extend(b"\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\0\x02\x07");
        message
    }

    #[test]
    fn an_announcement_is_read_with_its_pointers() {
        let records = records(&answer());
        let named = |record: &Record| (record.name.clone(), record.data.clone());
        let read: Vec<_> = records.iter().map(named).collect();
        let instance = "relay.one._http._tcp.local.".to_owned();
        let expected = [
            (
                "_http._tcp.local.".to_owned(),
                Data::Pointer(instance.clone()),
            ),
            (
                instance.clone(),
                Data::Service {
                    host: "relay.local.".to_owned(),
                    port: 80,
                },
            ),
            (
                instance,
                Data::Text(vec![("gen".to_owned(), "2".to_owned())]),
            ),
            (
                "relay.local.".to_owned(),
                Data::Address([192, 0, 2, 7].into()),
            ),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn what_says_goodbye_is_not_there() {
        let mut message = answer();
        let at = message.len() - 10;
        message[at..at + 4].copy_from_slice(&[0; 4]);
        assert_eq!(records(&message).len(), 3);
    }

    #[test]
    fn no_bytes_are_too_strange() {
        let whole = answer();
        for end in 0..whole.len() {
            assert!(records(&whole[..end]).len() < 4);
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 0x3f, 0x40, 0xc0, 0xff] {
                let mut message = whole.clone();
                message[at] = byte;
                assert!(records(&message).len() <= 4);
            }
        }
        // A pointer at itself, and two at each other.
        for name in [&b"\xc0\x0c"[..], b"\xc0\x0e\xc0\x0c"] {
            let mut message = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
            message.extend(name);
            message.extend(b"\0\x0c\0\x01\0\0\0\x78\0\0");
            assert_eq!(records(&message), []);
        }
        assert_eq!(records(&vec![0xff; MESSAGE_MAX + 1]), []);
    }

    #[test]
    fn questions_are_written_and_are_no_answers() {
        let asked = [
            ("_http._tcp.local.", Kind::Pointer),
            ("relay.one._http._tcp.local.", Kind::Service),
        ];
        let message = question(&asked).unwrap();
        let mut expected = vec![0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
        expected.extend(b"\x05_http\x04_tcp\x05local\0\0\x0c\0\x01");
        expected.extend(b"\x09relay.one\x05_http\x04_tcp\x05local\0\0\x21\0\x01");
        assert_eq!(message, expected);
        assert_eq!(records(&message), []);
        let long = "x".repeat(64);
        assert_eq!(question(&[(&long, Kind::Address)]), None);
        assert_eq!(question(&[("a..b", Kind::Address)]), None);
    }
}

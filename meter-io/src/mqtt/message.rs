//! From one message to telegrams: JSON of an amsreader, or raw telegrams as bytes or hexadecimal text.

use crate::{clock::Repeats, file::from_hex};
use headroom_codec::{Decoder, Item, Protocol, Reason, Rejected, json};
use tokio::time::Instant;

/// How an amsreader names the time of its values.
const TIME: &[u8] = b"\"t\"";

/// Reads messages one by one. What a decoder learns of the meter stays between them.
#[derive(Debug)]
pub(super) struct Messages {
    decoder: Decoder,
    /// The last message in JSON with a time.
    same: Repeats<Vec<u8>>,
}

impl Messages {
    pub(super) fn new(decoder: Decoder) -> Self {
        Self {
            decoder,
            same: Repeats::default(),
        }
    }

    /// What a message holds, each with its bytes. Readers also tell their state and prices: those hold nothing.
    pub(super) fn read(&mut self, payload: &[u8]) -> Vec<(Item, Vec<u8>)> {
        if payload.trim_ascii_start().first() == Some(&b'{') {
            return self.read_json(payload).into_iter().collect();
        }
        let decoded = from_hex(payload);
        let telegrams = decoded.as_deref().unwrap_or(payload);
        let mut items = Vec::new();
        self.decoder
            .push_raw(telegrams, |item, raw| items.push((item, raw.to_vec())));
        // A message is whole: nothing in it waits for the next one.
        let last = self.decoder.finish().into_iter();
        items.extend(last.map(|item| (item, telegrams.to_vec())));
        items
    }

    fn read_json(&mut self, payload: &[u8]) -> Option<(Item, Vec<u8>)> {
        let lost = |reason| {
            Item::Rejected(Rejected {
                protocol: Protocol::Amsreader,
                reason,
                bytes: payload.len(),
            })
        };
        let timed = payload.windows(TIME.len()).any(|part| part == TIME);
        let item = match json::amsreader_mqtt(payload) {
            Ok(_) if timed && self.same.too_long(payload, Instant::now()) => lost(Reason::Old),
            Ok(telegram) => Item::Telegram(telegram),
            Err(Reason::Unknown) => return None,
            Err(reason) => lost(reason),
        };
        Some((item, payload.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_codec::Options;
    use std::{fmt::Write, time::Duration};

    const P1: &str = "/HRM5TEST\r\n\r\n1-0:1.7.0(00.912*kW)\r\n1-0:31.7.0(004*A)\r\n!\r\n";

    fn read(payload: &[u8]) -> Vec<Item> {
        let mut messages = Messages::new(Decoder::new(&Options::default()));
        let items = messages.read(payload);
        items.into_iter().map(|(item, _)| item).collect()
    }

    fn protocols(payload: &[u8]) -> Vec<Protocol> {
        let telegrams = read(payload).into_iter().filter_map(|item| match item {
            Item::Telegram(telegram) => Some(telegram.protocol),
            Item::Rejected(_) => None,
        });
        telegrams.collect()
    }

    #[test]
    fn telegrams_come_as_text_as_bytes_and_as_hexadecimal_text() {
        let mut hex = String::new();
        for byte in P1.bytes() {
            write!(hex, "{byte:02X}").unwrap();
        }
        assert_eq!(protocols(P1.as_bytes()), [Protocol::P1]);
        assert_eq!(protocols(hex.as_bytes()), [Protocol::P1]);
        assert_eq!(protocols(P1.repeat(2).as_bytes()), [Protocol::P1; 2]);
        // The last line end is missing: a message ends all the same.
        assert_eq!(protocols(P1.trim_end().as_bytes()), [Protocol::P1]);
        assert_eq!(
            protocols(b"\r\n{\"data\":{\"P\":1,\"I1\":2.5}}"),
            [Protocol::Amsreader]
        );
    }

    #[test]
    fn a_cut_message_does_not_spoil_the_next() {
        let mut messages = Messages::new(Decoder::new(&Options::default()));
        let cut = messages.read(&P1.as_bytes()[..40]);
        assert!(
            matches!(cut.as_slice(), [(Item::Rejected(_), _)]),
            "{cut:?}"
        );
        let next = messages.read(P1.as_bytes());
        assert!(
            matches!(next.as_slice(), [(Item::Telegram(_), _)]),
            "{next:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_that_stands_still_is_old() {
        let given = async |payload: &[u8]| {
            let mut messages = Messages::new(Decoder::new(&Options::default()));
            let mut given = 0;
            for _ in 0..40 {
                let items = messages.read(payload);
                given += items
                    .iter()
                    .filter(|(item, _)| matches!(item, Item::Telegram(_)))
                    .count();
                tokio::time::advance(Duration::from_secs(1)).await;
            }
            given
        };
        let values = "\"data\":{\"P\":1500,\"I1\":5.1,\"U1\":230.1}}";
        let timed = format!("{{\"t\":1700000000,{values}");
        assert_eq!(given(timed.as_bytes()).await, 20);
        let untimed = format!("{{{values}");
        assert_eq!(given(untimed.as_bytes()).await, 40, "no clock");
    }

    #[test]
    fn other_messages_hold_nothing() {
        for payload in [
            &b""[..],
            b"online",
            b"21.5",
            b"{\"rssi\":-60}",
            b"ON",
            b"00",
        ] {
            assert_eq!(read(payload), [], "{payload:?}");
        }
        assert!(matches!(read(b"{\"P\":"), ref items if items.len() == 1));
    }
}

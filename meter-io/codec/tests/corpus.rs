//! Captured telegrams of real meters decode to what their meters meant, each alone.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod captures;

use captures::{Random, cases, decode, single, telegrams};
use headroom_codec::{Decoder, Item, Options, Protocol, Reason, Telegram};
use serde_json::Value;

/// Fields that `expected` names must agree, numbers by value; others are not compared.
fn agrees(expected: &Value, given: &Value) -> bool {
    match (expected, given) {
        (Value::Object(expected), Value::Object(given)) => expected
            .iter()
            .all(|(field, value)| given.get(field).is_some_and(|given| agrees(value, given))),
        (Value::Array(expected), Value::Array(given)) => {
            expected.len() == given.len() && expected.iter().zip(given).all(|(e, g)| agrees(e, g))
        }
        (Value::Number(expected), Value::Number(given)) => {
            expected.as_f64().unwrap().to_bits() == given.as_f64().unwrap().to_bits()
        }
        (expected, given) => expected == given,
    }
}

#[test]
fn every_capture_gives_what_its_meter_meant() {
    let mut wrong = Vec::new();
    for case in cases() {
        let given: Vec<Value> = decode(&case.options, &case.bytes)
            .iter()
            .map(|telegram| serde_json::to_value(telegram).unwrap())
            .collect();
        if case.valid == Some(false) && !given.is_empty() {
            wrong.push(format!("{}: gave a telegram", case.name));
        }
        if case.expected.len() != given.len() && case.valid.is_some() {
            wrong.push(format!(
                "{}: {} telegrams of {}",
                case.name,
                given.len(),
                case.expected.len()
            ));
        }
        for (expected, given) in case.expected.iter().zip(&given) {
            if !agrees(expected, given) {
                wrong.push(format!(
                    "{}:\n  expected {expected}\n  given    {given}",
                    case.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_named_protocol_gives_the_same_as_detection() {
    for case in cases() {
        for protocol in Protocol::ALL {
            let options = Options {
                protocol: Some(protocol),
                ..case.options.clone()
            };
            let own: Vec<Telegram> = decode(&case.options, &case.bytes)
                .into_iter()
                .filter(|telegram| telegram.protocol == protocol)
                .collect();
            assert_eq!(
                decode(&options, &case.bytes),
                own,
                "{} as {protocol}",
                case.name
            );
        }
    }
}

#[test]
fn chunks_of_any_size_give_the_same() {
    for case in cases() {
        let whole = decode(&case.options, &case.bytes);
        for size in 1..=7 {
            let mut decoder = Decoder::new(&case.options);
            let mut items: Vec<Item> = case
                .bytes
                .chunks(size)
                .flat_map(|chunk| decoder.push(chunk))
                .collect();
            items.extend(decoder.finish());
            assert_eq!(telegrams(items), whole, "{} in chunks of {size}", case.name);
        }
    }
}

#[test]
fn a_cut_telegram_gives_nothing_and_loses_only_itself() {
    for (case, telegram) in single(cases()) {
        for cut in 0..case.bytes.len() {
            let head = &case.bytes[..cut];
            for found in decode(&case.options, head) {
                assert_eq!(found, telegram, "{} cut at {cut}", case.name);
            }
            let then = [head, &case.bytes].concat();
            let found = decode(&case.options, &then);
            assert!(
                found.last() == Some(&telegram) && found.iter().all(|other| *other == telegram),
                "{} cut at {cut} and sent again: {} telegrams",
                case.name,
                found.len()
            );
        }
    }
}

#[test]
fn noise_around_telegrams_changes_nothing() {
    let mut random = Random(7);
    for (case, telegram) in single(cases()) {
        for _ in 0..20 {
            let noise: Vec<u8> = (0..random.below(300)).map(|_| random.byte()).collect();
            let stream = [
                &noise[..],
                &case.bytes,
                &noise,
                &case.bytes,
                &noise,
                &case.bytes,
            ]
            .concat();
            let found = decode(&case.options, &stream);
            // A telegram that ends without a length or checksum may swallow noise; it may never become another.
            assert!(
                found.iter().all(|other| *other == telegram),
                "{}",
                case.name
            );
            assert!(
                found.len() == 3 || !case.checked,
                "{}: {} of 3",
                case.name,
                found.len()
            );
        }
    }
}

#[test]
fn two_glued_telegrams_are_two() {
    for (case, telegram) in single(cases()) {
        let twice = [&case.bytes[..], &case.bytes].concat();
        assert_eq!(
            decode(&case.options, &twice),
            [telegram.clone(), telegram],
            "{}",
            case.name
        );
    }
}

#[test]
fn flipped_bits_never_give_a_wrong_telegram() {
    let mut random = Random(1);
    for (case, telegram) in single(cases()).filter(|(case, _)| case.checked) {
        for _ in 0..100 {
            let mut bytes = case.bytes.clone();
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
            for found in decode(&case.options, &bytes) {
                assert_eq!(found, telegram, "{} flipped in byte {at}", case.name);
            }
        }
    }
}

#[test]
fn ciphered_telegrams_tell_which_key_is_wrong() {
    let wrong = Some("0102030405060708090A0B0C0D0E0F10".parse().unwrap());
    for case in cases()
        .into_iter()
        .filter(|case| case.options.key.is_some() && case.valid == Some(true))
    {
        let reasons = |options: &Options| -> Vec<Reason> {
            let mut decoder = Decoder::new(options);
            let mut items = decoder.push(&case.bytes);
            items.extend(decoder.finish());
            items
                .into_iter()
                .map(|item| match item {
                    Item::Rejected(rejected) => rejected.reason,
                    Item::Telegram(_) => panic!("{}: gave a telegram", case.name),
                })
                .collect()
        };
        let no_key = Options {
            key: None,
            ..case.options.clone()
        };
        assert_eq!(reasons(&no_key), [Reason::NeedsKey], "{}", case.name);
        let wrong_key = Options {
            key: wrong.clone(),
            ..case.options.clone()
        };
        assert_eq!(reasons(&wrong_key), [Reason::WrongKey], "{}", case.name);
        if case.options.auth_key.is_some() {
            let wrong_auth = Options {
                auth_key: wrong.clone(),
                ..case.options.clone()
            };
            assert_eq!(
                reasons(&wrong_auth),
                [Reason::WrongAuthKey],
                "{}",
                case.name
            );
            let no_auth = Options {
                auth_key: None,
                ..case.options.clone()
            };
            let found = decode(&no_auth, &case.bytes);
            assert!(
                found.len() == 1 && found[0].encrypted && !found[0].authenticated,
                "{}",
                case.name
            );
        }
    }
}

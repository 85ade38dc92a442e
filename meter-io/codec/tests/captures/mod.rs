//! Captured telegrams of real meters, where the folder with them is at hand.
//!
//! `HEADROOM_CORPUS` names the folder, else `../../../shared/telegrams` beside this crate is tried. Without it the tests
//! say so and pass, unless `HEADROOM_REQUIRE_CORPUS=1`.

#![allow(dead_code, reason = "each test uses a part")]

use headroom_codec::{Decoder, Item, Options, Telegram};
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) options: Options,
    pub(crate) valid: Option<bool>,
    pub(crate) expected: Vec<Value>,
    pub(crate) checked: bool,
}

fn folder() -> Option<PathBuf> {
    let folder = env::var_os("HEADROOM_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/telegrams"),
        PathBuf::from,
    );
    if folder.join("index.json").is_file() {
        return Some(folder);
    }
    assert_ne!(
        env::var("HEADROOM_REQUIRE_CORPUS").as_deref(),
        Ok("1"),
        "no index.json in {}",
        folder.display()
    );
    println!("skipped: no telegrams in {}", folder.display());
    None
}

pub(crate) fn cases() -> Vec<Case> {
    let Some(folder) = folder() else {
        return Vec::new();
    };
    let index: Value =
        serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    index
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let name = text(&entry["file"]).unwrap();
            let raw = fs::read(folder.join(&name)).unwrap();
            let bytes = if Path::new(&name)
                .extension()
                .is_some_and(|kind| kind == "hex")
            {
                from_hex(&raw)
            } else {
                raw
            };
            let key = |field: &str| text(&entry[field]).map(|key| key.parse().unwrap());
            let family = text(&entry["family"]).unwrap();
            Case {
                bytes,
                options: Options {
                    protocol: None,
                    key: key("key"),
                    auth_key: key("auth_key"),
                    capture: true,
                    ..Options::default()
                },
                valid: entry["valid"].as_bool(),
                expected: entry["expected"].as_array().unwrap().clone(),
                checked: !["NL DSMR 2.2", "NL DSMR 3"].contains(&family.as_str()),
                name,
            }
        })
        .collect()
}

fn from_hex(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = text
        .iter()
        .filter_map(|c| char::from(*c).to_digit(16))
        .map(|digit| u8::try_from(digit).unwrap())
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

pub(crate) fn telegrams(items: Vec<Item>) -> Vec<Telegram> {
    items
        .into_iter()
        .filter_map(|item| match item {
            Item::Telegram(telegram) => Some(telegram),
            Item::Rejected(_) => None,
        })
        .collect()
}

pub(crate) fn decode(options: &Options, bytes: &[u8]) -> Vec<Telegram> {
    let mut decoder = Decoder::new(options);
    let mut items = decoder.push(bytes);
    items.extend(decoder.finish());
    telegrams(items)
}

/// Captures of one telegram each, so that anything else found in them is wrong.
pub(crate) fn single(cases: Vec<Case>) -> impl Iterator<Item = (Case, Telegram)> {
    cases.into_iter().filter_map(|case| {
        let mut telegrams = decode(&case.options, &case.bytes);
        let only = telegrams.pop()?;
        telegrams.is_empty().then_some((case, only))
    })
}

/// xorshift64: seeded, so that a failure repeats.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 8).unwrap() % limit.max(1)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[3]
    }
}

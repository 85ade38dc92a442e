//! Telegrams of every family that the test encoder knows, as files for programs of others.

use std::{fs, path::Path};

use headroom_encode::{AUTH_KEY, Family, KEY, Security, Values, families};
use serde_json::{Value, json};

/// What meters measure, as parts of what each list can hold: a little, half, nearly all. Parts of different size keep
/// two fields from being taken for each other. The parts stay below what libraries of others hold for possible.
const WISHES: [[u32; 7]; 3] = [
    [3, 70_001, 911, 40_507, 12_289, 5, 30_011],
    [
        1 << 30,
        (1 << 30) + 77_777,
        (1 << 29) + 5_555,
        999_999,
        1 << 28,
        (1 << 31) + 3_333,
        (1 << 30) + 123_456_789,
    ],
    [
        3_100_000_000,
        2_900_000_000,
        2_700_000_000,
        2_500_000_000,
        2_300_000_000,
        2_100_000_000,
        1_900_000_000,
    ],
];

/// Offset of Central European summer time.
const SUMMER_MIN: i16 = 120;

/// Writes a file for each family, and an `index.json` that lists them with their keys.
///
/// # Panics
/// If a file cannot be written.
pub fn write(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let index: Vec<Value> = families()
        .iter()
        .map(|family| {
            let file = format!("own-{}.bin", family.name.replace(' ', "-"));
            fs::write(folder.join(&file), stream(family)).unwrap();
            let (key, auth_key) = keys(family);
            json!({
                "file": file, "family": family.name, "protocol": family.protocol, "valid": true,
                "key": key, "auth_key": auth_key, "expected": [],
            })
        })
        .collect();
    let text = serde_json::to_string_pretty(&index).unwrap();
    fs::write(folder.join("index.json"), text).unwrap();
}

/// The keys that a family needs: for decryption, for its tag.
pub fn keys(family: &Family) -> (Option<&'static str>, Option<&'static str>) {
    match family.security {
        Security::Clear => (None, None),
        Security::Encrypted => (Some(KEY), None),
        Security::Authenticated => (Some(KEY), Some(AUTH_KEY)),
    }
}

/// Several telegrams, one behind the other.
pub fn stream(family: &Family) -> Vec<u8> {
    WISHES
        .iter()
        .flat_map(|wishes| {
            let wishes: Vec<Option<u32>> = wishes.iter().copied().map(Some).collect();
            let mut values: Values = family.carries.values(&wishes);
            if let Some(clock) = &mut values.clock {
                // Other programs take two digits above 68 for the last century, and know when summer is.
                clock.year %= 60;
                clock.month = if clock.offset_min == Some(SUMMER_MIN) {
                    7
                } else {
                    1
                };
            }
            family.encode(&values)
        })
        .collect()
}

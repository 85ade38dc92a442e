//! Peculiarities of charge points, as a table of data by vendor, model and firmware.
//!
//! The numbers are those of the project's list of known quirks. What every charge point gets
//! anyway (a base, the ladder, tolerant reading, giving up on what hangs) needs no row here.
//! Names are compared without case, spaces and signs; a row holds where each of its words occurs.

use std::time::Duration;

use super::{ladder::Place, profile::Unit};
use crate::types::Identity;

/// What is done differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The search for the form of a lease begins here.
    StartAt(Place),
    /// Limits are in this unit until its configuration says otherwise.
    In(Unit),
    /// These measurands are asked for.
    Measurands(&'static [&'static str]),
    /// These sampling intervals are tried, in seconds.
    SampleEvery(&'static [u32]),
    /// The configuration is asked for key by key, and this key never.
    NeverRead(&'static str),
    /// This key is set after a boot.
    SetKey(&'static str, &'static str),
    /// Nothing is sent before its boot.
    WaitForBoot,
    /// The answer to `StartTransaction` is held back for so long.
    DelayStartAnswer(Duration),
    /// Least time between two raises, in seconds.
    RaiseEvery(u32),
    /// The first limit after a pause is sent a second time.
    RepeatAfterPause,
    /// It knows these currents only, in amperes.
    Steps(&'static [u32]),
    /// Profiles that it may be sent in a day.
    WritesPerDay(u32),
    /// `ChangeAvailability` breaks it.
    NoAvailability,
}

/// One row.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) numbers: &'static [u8],
    pub(crate) vendor: &'static str,
    pub(crate) model: &'static str,
    /// Begins so.
    pub(crate) firmware: &'static str,
    pub(crate) changes: &'static [Change],
}

const fn row(
    numbers: &'static [u8],
    vendor: &'static str,
    model: &'static str,
    changes: &'static [Change],
) -> Row {
    Row {
        numbers,
        vendor,
        model,
        firmware: "",
        changes,
    }
}

const SAMPLED_DATA: &str = "MeterValuesSampledData";
const NO_OFFERED: &[&str] = &[
    "Current.Import",
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Voltage",
];

/// The table.
pub(crate) const TABLE: [Row; 17] = [
    row(
        &[1, 2, 3],
        "abb",
        "",
        &[
            Change::StartAt(Place::InPlaceOfBase),
            Change::NeverRead(SAMPLED_DATA),
        ],
    ),
    row(&[5], "evbox", "elvi", &[Change::Measurands(NO_OFFERED)]),
    row(&[6], "wallbox", "", &[Change::WaitForBoot]),
    Row {
        numbers: &[8],
        vendor: "wallbox",
        model: "",
        firmware: "5",
        changes: &[Change::StartAt(Place::InPlaceOfBase)],
    },
    row(
        &[10],
        "wallbox",
        "commander",
        &[Change::StartAt(Place::WholeChargePoint)],
    ),
    row(
        &[12],
        "easee",
        "",
        &[
            Change::Measurands(NO_OFFERED),
            Change::SampleEvery(&[30, 60]),
        ],
    ),
    row(
        &[13],
        "zaptec",
        "",
        &[
            Change::SetKey("HeartbeatInterval", "60"),
            Change::SetKey("PowerActiveImportDeltaForEagerMeterValueSample", "200"),
        ],
    ),
    row(&[19], "microocpp", "", &[Change::In(Unit::Watts)]),
    row(&[20], "huawei", "", &[Change::In(Unit::Watts)]),
    row(
        &[21],
        "goe",
        "",
        &[Change::In(Unit::Amperes), Change::RepeatAfterPause],
    ),
    row(&[22, 23], "en+", "", &[Change::NoAvailability]),
    row(&[22], "evsedo", "", &[Change::NoAvailability]),
    row(
        &[24],
        "evswitch",
        "",
        &[Change::RaiseEvery(10), Change::NoAvailability],
    ),
    row(
        &[26],
        "",
        "eprowallbox",
        &[Change::DelayStartAnswer(Duration::from_secs(1))],
    ),
    row(
        &[41],
        "myenergi",
        "",
        &[
            Change::StartAt(Place::InPlaceOfBase),
            Change::RaiseEvery(60),
            Change::WritesPerDay(1_000),
            Change::SetKey("RandomSmartChargeDelay", "0"),
        ],
    ),
    row(&[43], "necharge", "", &[Change::Steps(&[6, 8, 10, 13, 16])]),
    row(&[44], "mennekes", "", &[Change::SampleEvery(&[60])]),
];

/// What is done differently for one charge point.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Quirks {
    pub(crate) numbers: Vec<u8>,
    changes: Vec<Change>,
}

impl Quirks {
    /// The rows of the table that hold for it.
    pub(crate) fn of(identity: &Identity) -> Self {
        let word = |text: &Option<String>| plain(text.as_deref().unwrap_or_default());
        let (vendor, model) = (word(&identity.vendor), word(&identity.model));
        let names: Vec<_> = identity
            .vendor
            .iter()
            .flat_map(|vendor| vendor.split_whitespace().map(plain))
            .collect();
        let firmware = identity.firmware.as_deref().unwrap_or_default().trim();
        let mut quirks = Self::default();
        for row in &TABLE {
            // Three letters occur in other names: they must be a word of their own.
            let is_vendor = if (1..=3).contains(&row.vendor.len()) {
                names.iter().any(|name| name == row.vendor)
            } else {
                vendor.contains(row.vendor)
            };
            if is_vendor && model.contains(row.model) && firmware.starts_with(row.firmware) {
                quirks.numbers.extend(row.numbers);
                quirks.changes.extend(row.changes);
            }
        }
        quirks
    }

    fn find<T>(&self, pick: impl Fn(&Change) -> Option<T>) -> Option<T> {
        // A later row is the more special one.
        self.changes.iter().rev().find_map(pick)
    }

    fn has(&self, change: Change) -> bool {
        self.changes.contains(&change)
    }

    pub(crate) fn start_at(&self) -> Option<Place> {
        self.find(|change| match change {
            Change::StartAt(place) => Some(*place),
            _ => None,
        })
    }

    pub(crate) fn unit(&self) -> Option<Unit> {
        self.find(|change| match change {
            Change::In(unit) => Some(*unit),
            _ => None,
        })
    }

    pub(crate) fn measurands(&self) -> Option<&'static [&'static str]> {
        self.find(|change| match change {
            Change::Measurands(list) => Some(*list),
            _ => None,
        })
    }

    pub(crate) fn sample_every(&self) -> Option<&'static [u32]> {
        self.find(|change| match change {
            Change::SampleEvery(list) => Some(*list),
            _ => None,
        })
    }

    pub(crate) fn never_read(&self) -> Option<&'static str> {
        self.find(|change| match change {
            Change::NeverRead(key) => Some(*key),
            _ => None,
        })
    }

    pub(crate) fn keys_to_set(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.changes.iter().filter_map(|change| match change {
            Change::SetKey(key, value) => Some((*key, *value)),
            _ => None,
        })
    }

    pub(crate) fn waits_for_boot(&self) -> bool {
        self.has(Change::WaitForBoot)
    }

    pub(crate) fn start_answer_delay(&self) -> Option<Duration> {
        self.find(|change| match change {
            Change::DelayStartAnswer(delay) => Some(*delay),
            _ => None,
        })
    }

    pub(crate) fn raise_every_s(&self) -> Option<u32> {
        self.find(|change| match change {
            Change::RaiseEvery(seconds) => Some(*seconds),
            _ => None,
        })
    }

    pub(crate) fn repeats_after_pause(&self) -> bool {
        self.has(Change::RepeatAfterPause)
    }

    pub(crate) fn writes_per_day(&self) -> Option<u32> {
        self.find(|change| match change {
            Change::WritesPerDay(writes) => Some(*writes),
            _ => None,
        })
    }

    pub(crate) fn takes_availability(&self) -> bool {
        !self.has(Change::NoAvailability)
    }

    /// The highest current that it knows and that is not above this one, in milliamperes.
    pub(crate) fn step_down(&self, ma: u32) -> u32 {
        let steps = self.find(|change| match change {
            Change::Steps(steps) => Some(*steps),
            _ => None,
        });
        let Some(steps) = steps else { return ma };
        let known = steps.iter().map(|ampere| ampere * 1000);
        known.filter(|step| *step <= ma).max().unwrap_or(0)
    }
}

/// Small letters, digits and `+` only.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '+')
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quirks(vendor: &str, model: &str, firmware: &str) -> Quirks {
        Quirks::of(&Identity {
            vendor: Some(vendor.into()),
            model: Some(model.into()),
            firmware: Some(firmware.into()),
            serial: None,
        })
    }

    #[test]
    fn rows_are_found_by_the_names_that_charge_points_send() {
        let cases: [(&str, &str, &str, &[u8]); 12] = [
            ("ABB", "TAC-W22-S-0", "1.8.0", &[1, 2, 3]),
            ("Cabb Industries", "X", "", &[]),
            ("EV-BOX", "Elvi", "", &[5]),
            ("EVBox", "G3", "", &[]),
            ("Wall Box Chargers", "Pulsar Max", "6.6.12", &[6]),
            ("Wallbox", "Commander 2", "5.17", &[6, 8, 10]),
            ("go-e GmbH", "Charger V3", "055.5", &[21]),
            ("EN+", "AC7000", "1.1.805", &[22, 23]),
            ("Free2move", "eProWallbox", "2.9.3", &[26]),
            ("myenergi", "zappi", "", &[41]),
            ("Tests", "Peer-1", "1.0", &[]),
            ("", "", "", &[]),
        ];
        for (vendor, model, firmware, want) in cases {
            let found = quirks(vendor, model, firmware);
            assert_eq!(found.numbers, want, "{vendor} {model} {firmware}");
        }
    }

    #[test]
    fn the_words_of_the_table_are_plain() {
        for row in &TABLE {
            for word in [row.vendor, row.model] {
                assert_eq!(word, plain(word));
            }
            assert!(!row.vendor.is_empty() || !row.model.is_empty());
            assert!(!row.changes.is_empty() && !row.numbers.is_empty());
            assert!(row.numbers.iter().all(|number| (1..=45).contains(number)));
        }
    }

    #[test]
    fn a_special_row_wins_over_a_general_one() {
        assert_eq!(
            quirks("Wallbox", "Commander 2", "5.17").start_at(),
            Some(Place::WholeChargePoint)
        );
        assert_eq!(
            quirks("Wallbox", "Pulsar Plus", "5.17").start_at(),
            Some(Place::InPlaceOfBase)
        );
        assert_eq!(quirks("Wallbox", "Pulsar Plus", "6.1").start_at(), None);
    }

    #[test]
    fn steps_are_taken_downwards() {
        let stepped = quirks("NECharge", "", "");
        for (ma, want) in [
            (5_900, 0),
            (6_000, 6_000),
            (12_999, 10_000),
            (32_000, 16_000),
        ] {
            assert_eq!(stepped.step_down(ma), want, "{ma}");
        }
        assert_eq!(quirks("Other", "", "").step_down(7_000), 7_000);
    }
}

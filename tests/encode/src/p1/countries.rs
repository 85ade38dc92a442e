//! The profiles of countries. Maker and model are invented; the shapes are those of the national documents.

use super::{ClockForm, Ending, Number, Profile, Reactive};
use crate::carries::Clocks;

const fn number(whole: usize, decimals: u32, unit: &'static str) -> Number {
    Number {
        whole,
        decimals,
        unit,
    }
}

/// Netherlands, DSMR 5.0.2: whole amperes.
pub const NETHERLANDS_5: Profile = Profile {
    header: "HRN5\\253833635-",
    version: Some("1-3:0.2.8(50)"),
    id: Some("0-0:96.1.1"),
    clock: Clocks::Zone,
    clock_form: ClockForm::Season,
    channel: '0',
    power: Some(number(2, 3, "kW")),
    reactive: Reactive::None,
    current: Some(number(3, 0, "A")),
    voltage: Some(number(3, 1, "V")),
    phase_import: Some(number(2, 3, "kW")),
    phase_export: Some(number(2, 3, "kW")),
    energy: Some(number(6, 3, "kWh")),
    tariffs: true,
    ending: Ending::Arc,
    seven_even: false,
};

/// Netherlands, DSMR 4.2: no voltages.
pub const NETHERLANDS_4: Profile = Profile {
    header: "HRN5\\42",
    version: Some("1-3:0.2.8(42)"),
    voltage: None,
    ..NETHERLANDS_5
};

/// Netherlands, DSMR 2.2: 7E1, no checksum, power in steps of 10 W alone.
pub const NETHERLANDS_2: Profile = Profile {
    header: "HRN5\\22",
    version: None,
    clock: Clocks::None,
    power: Some(number(4, 2, "kW")),
    current: None,
    voltage: None,
    phase_import: None,
    phase_export: None,
    energy: Some(number(5, 3, "kWh")),
    ending: Ending::Nothing,
    seven_even: true,
    ..NETHERLANDS_5
};

/// Belgium, eMUCS-P1: hundredths of an ampere.
pub const BELGIUM: Profile = Profile {
    header: "HRB5\\2536",
    version: Some("0-0:96.1.4(50217)"),
    current: Some(number(3, 2, "A")),
    ..NETHERLANDS_5
};

/// Luxembourg: reactive power in total, energies in total, own code of the number.
pub const LUXEMBOURG: Profile = Profile {
    header: "HRL5\\2536",
    version: Some("1-3:0.2.8(42)"),
    id: Some("0-0:42.0.0"),
    reactive: Reactive::Total,
    tariffs: false,
    ..NETHERLANDS_5
};

/// Sweden and Finland: tenths of an ampere, reactive power of each phase, no number of the meter.
pub const SWEDEN: Profile = Profile {
    header: "HRS5\\2",
    version: None,
    id: None,
    clock: Clocks::Nordic,
    power: Some(number(4, 3, "kW")),
    reactive: Reactive::Phases,
    current: Some(number(3, 1, "A")),
    phase_import: Some(number(4, 3, "kW")),
    phase_export: Some(number(4, 3, "kW")),
    energy: Some(number(8, 3, "kWh")),
    tariffs: false,
    ..NETHERLANDS_5
};

/// Denmark, NES meters: the clock as free text.
pub const DENMARK: Profile = Profile {
    header: "HRD5:83335-",
    clock: Clocks::Local,
    clock_form: ClockForm::Text,
    ..SWEDEN
};

/// Lithuania, standard profile: units with kilo, no totals of power and nothing fed in.
pub const LITHUANIA: Profile = Profile {
    header: "HRE5\\",
    version: None,
    clock: Clocks::Zone,
    power: None,
    current: Some(number(4, 3, "kA")),
    voltage: Some(number(4, 3, "kV")),
    phase_import: Some(number(4, 3, "kW")),
    phase_export: None,
    ..NETHERLANDS_5
};

/// Hungary, Holley meters: another checksum, no powers of phases.
pub const HUNGARY: Profile = Profile {
    header: "HRH5/D545-",
    version: None,
    reactive: Reactive::Total,
    current: Some(number(3, 2, "A")),
    phase_import: None,
    phase_export: None,
    ending: Ending::X25,
    ..NETHERLANDS_5
};

/// Switzerland: totals on channel 1.
pub const SWITZERLAND: Profile = Profile {
    header: "HRC5\\",
    version: None,
    channel: '1',
    current: Some(number(3, 2, "A")),
    ..NETHERLANDS_5
};

/// Austria: watts without kilo, no currents.
pub const AUSTRIA: Profile = Profile {
    header: "HRA5\\253710000_",
    version: None,
    power: Some(number(6, 0, "W")),
    reactive: Reactive::Total,
    current: None,
    voltage: None,
    phase_import: None,
    phase_export: None,
    energy: Some(number(9, 0, "Wh")),
    tariffs: false,
    ..NETHERLANDS_5
};

/// Slovenia: 7E1, no checksum, whole amperes.
pub const SLOVENIA: Profile = Profile {
    header: "HRI9\\2M551T",
    version: None,
    clock: Clocks::Local,
    clock_form: ClockForm::Apart,
    voltage: Some(number(5, 1, "V")),
    ending: Ending::Nothing,
    seven_even: true,
    ..NETHERLANDS_5
};

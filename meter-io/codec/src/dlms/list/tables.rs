//! Meters as data: a new one is a row here.
//!
//! Sources: the makers' and grid companies' list descriptions for Norwegian, Swedish, Danish, Austrian, Swiss, Croatian
//! and Slovenian customer ports. A list that gives codes with scalers needs no row: Aidon's (6515, 6525, 6534, 6540,
//! 6550, and the Swedish one of 27 items), Landis+Gyr's `EMBRIQ`, the Austrian ones of Kaifa, Sagemcom and Siemens, and
//! Iskra's with codes. A current transformer's ratio is the site's business, not the meter's.

mod layouts;

use super::{Data, List};
use crate::profile::{Dimension, Obis};
pub(super) use layouts::{Slot, layout};

/// A maker's habits: scales where the frame gives none, and list numbers by length.
#[derive(Debug)]
pub(super) struct Vendor {
    /// How its list names begin.
    name: &'static [u8],
    /// Power of ten of W, var and VA.
    power: i8,
    /// Power of ten of A.
    current: i8,
    voltage: Voltage,
    energy: Energy,
    /// Number of items, list number.
    lists: &'static [(usize, u8)],
}

#[derive(Debug)]
enum Voltage {
    Step(i8),
    /// Told by its size: see [`VOLTAGES`].
    BySize,
}

#[derive(Debug)]
enum Energy {
    Step(i8),
    /// By number of items or the end of the type number; energy of any other list is not given rather than guessed.
    ByList(&'static [(Mark, i8)]),
}

/// What tells one market's list from another's of the same shape.
#[derive(Debug)]
enum Mark {
    Items(usize),
    ModelEnds(&'static str),
}

/// Voltages in steps of 1 V stay below 600; a tenth and a hundredth of a volt lie above. Landis+Gyr sends 1 V or
/// 0.1 V as the grid company ordered; a Danish variant of Kamstrup has five digits.
const VOLTAGES: &[(i64, i8)] = &[(600, 0), (6_000, -1), (i64::MAX, -2)];

/// Norway's numbers: list 2 without and list 3 with the clock and the energies, for one phase, three wires, four wires.
const NVE: &[(usize, u8)] = &[(9, 2), (12, 2), (13, 2), (14, 3), (17, 3), (18, 3)];

const VENDORS: &[Vendor] = &[
    Vendor {
        name: b"AIDON",
        lists: NVE,
        ..USUAL
    },
    Vendor {
        name: b"EMBRIQ",
        lists: NVE,
        ..USUAL
    },
    // Slovenia.
    Vendor {
        name: b"ISK",
        voltage: Voltage::Step(-1),
        ..USUAL
    },
    // 36: Sweden, with codes.
    Vendor {
        name: b"KFM_001",
        current: -3,
        voltage: Voltage::Step(-1),
        lists: &[(9, 2), (13, 2), (14, 3), (18, 3), (36, 3)],
        ..USUAL
    },
    // Steps of 10 Wh in Norway (type numbers that end in 040) and Denmark (65 items, or 37 of one phase, without a type
    // number); of 1 Wh in Sweden (090). The maker's lists have letters, no numbers.
    Vendor {
        name: b"Kamstrup",
        energy: Energy::ByList(&[
            (Mark::Items(65), 1),
            (Mark::Items(37), 1),
            (Mark::ModelEnds("040"), 1),
            (Mark::ModelEnds("090"), 0),
        ]),
        ..USUAL
    },
];

/// W, Wh and 0.01 A; no list numbers.
const USUAL: Vendor = Vendor {
    name: b"",
    power: 0,
    current: -2,
    voltage: Voltage::BySize,
    energy: Energy::Step(0),
    lists: &[],
};

/// No name: Norwegian list 1 is the only list of one item; the others have no number.
const NAMELESS: Vendor = Vendor {
    lists: &[(1, 1)],
    ..USUAL
};

pub(super) fn vendor(name: &[u8]) -> &'static Vendor {
    VENDORS
        .iter()
        .find(|vendor| name.starts_with(vendor.name))
        .unwrap_or(&NAMELESS)
}

impl Vendor {
    /// The power of ten of a value by its dimension and digits, the list's length and the meter's model; `None` if it is
    /// not known.
    pub(super) fn exponent(
        &self,
        dimension: Dimension,
        mantissa: i64,
        items: usize,
        model: Option<&str>,
    ) -> Option<i8> {
        match dimension {
            Dimension::Power | Dimension::Reactive | Dimension::Apparent => Some(self.power),
            Dimension::Current => Some(self.current),
            Dimension::Voltage => match self.voltage {
                Voltage::Step(step) => Some(step),
                Voltage::BySize => VOLTAGES
                    .iter()
                    .find(|(below, _)| mantissa < *below)
                    .map(|(_, step)| *step),
            },
            Dimension::Energy => match self.energy {
                Energy::Step(step) => Some(step),
                Energy::ByList(rows) => rows
                    .iter()
                    .find(|(mark, _)| match mark {
                        Mark::Items(count) => *count == items,
                        Mark::ModelEnds(end) => model.is_some_and(|model| model.ends_with(end)),
                    })
                    .map(|(_, step)| *step),
            },
        }
    }

    pub(super) fn list(&self, items: usize) -> Option<u8> {
        self.lists
            .iter()
            .find(|(count, _)| *count == items)
            .map(|(_, list)| *list)
    }
}

/// What a code tells of the meter itself.
#[derive(Debug, Clone, Copy)]
pub(super) enum Identity {
    Id,
    Model,
}

const IDENTITIES: &[(Obis, Identity)] = &[
    (Obis(0, 0, 96, 1, 0), Identity::Id),
    (Obis(0, 0, 96, 1, 1), Identity::Model),
    (Obis(0, 0, 96, 1, 7), Identity::Model),
    (Obis(1, 1, 0, 0, 5), Identity::Id),
    (Obis(1, 1, 96, 1, 1), Identity::Model),
];

pub(super) fn identity(obis: Obis) -> Option<Identity> {
    IDENTITIES
        .iter()
        .find(|(code, _)| *code == obis)
        .map(|(_, identity)| *identity)
}

//! Meters as data: a new one is a row here.
//!
//! Sources: the makers' list descriptions for Norwegian, Swedish, Danish, Austrian, Swiss and Slovenian customer ports.

use crate::profile::{Dimension, Obis, Register};
use Register::{
    Current, ExportPower, ExportReactive, ImportPower, ImportReactive, PhaseExport, PhaseImport,
    Voltage,
};

/// What stands at a place of a list without codes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    Skip,
    Id,
    Model,
    Clock,
    Value(Register),
}

/// A list without codes: known by its name's beginning and its length.
#[derive(Debug)]
pub(super) struct Layout {
    name: &'static [u8],
    items: usize,
    pub(super) slots: &'static [Slot],
}

const fn v(register: Register) -> Slot {
    Slot::Value(register)
}

/// Kaifa's three-phase list; list 2 is its first 13 places.
const KAIFA_3: &[Slot] = &[
    Slot::Skip,
    Slot::Id,
    Slot::Model,
    v(ImportPower),
    v(ExportPower),
    v(ImportReactive),
    v(ExportReactive),
    v(Current(0)),
    v(Current(1)),
    v(Current(2)),
    v(Voltage(0)),
    v(Voltage(1)),
    v(Voltage(2)),
    Slot::Clock,
    v(Register::ImportEnergy(0)),
    v(Register::ExportEnergy(0)),
];

/// Kaifa's single-phase list; list 2 is its first 9 places.
const KAIFA_1: &[Slot] = &[
    Slot::Skip,
    Slot::Id,
    Slot::Model,
    v(ImportPower),
    v(ExportPower),
    v(ImportReactive),
    v(ExportReactive),
    v(Current(0)),
    v(Voltage(0)),
    Slot::Clock,
    v(Register::ImportEnergy(0)),
    v(Register::ExportEnergy(0)),
];

const ISKRA_18: &[Slot] = &[
    Slot::Skip,
    Slot::Id,
    v(ImportPower),
    v(ExportPower),
    v(ImportReactive),
    v(ExportReactive),
    v(Voltage(0)),
    v(Voltage(1)),
    v(Voltage(2)),
    v(Current(0)),
    v(Current(1)),
    v(Current(2)),
    v(PhaseImport(0)),
    v(PhaseImport(1)),
    v(PhaseImport(2)),
    v(PhaseExport(0)),
    v(PhaseExport(1)),
    v(PhaseExport(2)),
];

const ISKRA_12: &[Slot] = &[
    Slot::Skip,
    Slot::Id,
    v(Voltage(0)),
    v(Voltage(1)),
    v(Voltage(2)),
    v(Current(0)),
    v(Current(1)),
    v(Current(2)),
    v(ImportPower),
    v(ExportPower),
    v(ImportReactive),
    v(ExportReactive),
];

const LAYOUTS: &[Layout] = &[
    Layout {
        name: b"",
        items: 1,
        slots: &[v(ImportPower)],
    },
    Layout {
        name: b"KFM_001",
        items: 9,
        slots: KAIFA_1,
    },
    Layout {
        name: b"KFM_001",
        items: 13,
        slots: KAIFA_3,
    },
    Layout {
        name: b"KFM_001",
        items: 14,
        slots: KAIFA_1,
    },
    Layout {
        name: b"KFM_001",
        items: 18,
        slots: KAIFA_3,
    },
    Layout {
        name: b"ISK",
        items: 12,
        slots: ISKRA_12,
    },
    Layout {
        name: b"ISK",
        items: 18,
        slots: ISKRA_18,
    },
];

/// The layout of a list whose first items are no codes.
pub(super) fn layout(name: &[u8], items: usize) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| {
        layout.items == items
            && if layout.name.is_empty() {
                name.is_empty()
            } else {
                name.starts_with(layout.name)
            }
    })
}

/// The power of ten of a value by its dimension and its digits.
type Exponents = fn(Dimension, i64) -> i8;

/// A maker's habits: scales where the frame gives none, and list numbers by length.
#[derive(Debug)]
pub(super) struct Vendor {
    name: &'static [u8],
    exponents: Exponents,
    /// Number of items, list number.
    lists: &'static [(usize, u8)],
}

const VENDORS: &[Vendor] = &[
    Vendor {
        name: b"AIDON",
        exponents: usual,
        lists: &[(9, 2), (12, 2), (13, 2), (14, 3), (17, 3), (18, 3)],
    },
    Vendor {
        name: b"KFM_001",
        exponents: kaifa,
        lists: &[(9, 2), (13, 2), (14, 3), (18, 3), (36, 3)],
    },
    Vendor {
        name: b"Kamstrup",
        exponents: kamstrup,
        lists: &[],
    },
    Vendor {
        name: b"EMBRIQ",
        exponents: usual,
        lists: &[(9, 2), (12, 2), (13, 2), (14, 3), (17, 3), (18, 3)],
    },
    Vendor {
        name: b"ISK",
        exponents: usual,
        lists: &[],
    },
];

/// No name: Norwegian list 1 is the only list of one item; the others have no number.
const NAMELESS: Vendor = Vendor {
    name: b"",
    exponents: usual,
    lists: &[(1, 1)],
};

pub(super) fn vendor(name: &[u8]) -> &'static Vendor {
    VENDORS
        .iter()
        .find(|vendor| name.starts_with(vendor.name))
        .unwrap_or(&NAMELESS)
}

impl Vendor {
    pub(super) fn exponent(&self, dimension: Dimension, mantissa: i64) -> i8 {
        (self.exponents)(dimension, mantissa)
    }

    pub(super) fn list(&self, items: usize) -> Option<u8> {
        self.lists
            .iter()
            .find(|(count, _)| *count == items)
            .map(|(_, list)| *list)
    }
}

/// Voltages in steps of 1 V stay below this; in steps of 0.1 V they lie above.
const WHOLE_VOLTS_BELOW: i64 = 600;

/// W, Wh and 0.01 A. Landis+Gyr sends 1 V or 0.1 V as the grid company ordered.
fn usual(dimension: Dimension, mantissa: i64) -> i8 {
    match dimension {
        Dimension::Power | Dimension::Reactive | Dimension::Energy => 0,
        Dimension::Current => -2,
        Dimension::Voltage if mantissa < WHOLE_VOLTS_BELOW => 0,
        Dimension::Voltage => -1,
    }
}

fn kaifa(dimension: Dimension, _: i64) -> i8 {
    match dimension {
        Dimension::Power | Dimension::Reactive | Dimension::Energy => 0,
        Dimension::Current => -3,
        Dimension::Voltage => -1,
    }
}

/// Energy in steps of 10 Wh, as in Norway and Denmark. Swedish meters of the maker send 1 Wh in the same shape.
fn kamstrup(dimension: Dimension, _: i64) -> i8 {
    match dimension {
        Dimension::Power | Dimension::Reactive | Dimension::Voltage => 0,
        Dimension::Current => -2,
        Dimension::Energy => 1,
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

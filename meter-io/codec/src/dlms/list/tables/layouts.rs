//! Lists without codes: what stands where.

use super::{Data, List};
use crate::profile::Register;
use Register::{
    Current, ExportEnergy, ExportPower, ExportReactive, ImportEnergy, ImportPower, ImportReactive,
    PhaseExport, PhaseImport, Voltage,
};

/// What stands at a place of a list without codes.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Slot {
    /// Anything.
    Skip,
    /// Text or octets of no interest, as the list's name.
    Text,
    Id,
    Model,
    Clock,
    /// A number of more than [`SHORT`] bytes, or null.
    Wide(Register),
    /// A number of at most [`SHORT`] bytes, or null.
    Short(Register),
    /// A number of any width, or null: name and length tell the list already.
    Any(Register),
}

/// A list without codes: known by its name's beginning, its length, and the types of its values.
#[derive(Debug)]
pub(in super::super) struct Layout {
    /// Empty: the list may have any name, or none.
    name: &'static [u8],
    items: usize,
    /// What stands behind the last slot is skipped.
    pub(in super::super) slots: &'static [Slot],
}

/// Bytes of a short number: lists without codes are told apart by the widths of their values.
const SHORT: usize = 2;

const fn w(register: Register) -> Slot {
    Slot::Wide(register)
}

const fn a(register: Register) -> Slot {
    Slot::Any(register)
}

const fn s(register: Register) -> Slot {
    Slot::Short(register)
}

/// Kaifa's three-phase list (MA304, MA304H, and T3, T4 behind transformers); list 2 is its first 13 places.
const KAIFA_3: &[Slot] = &[
    Slot::Text,
    Slot::Id,
    Slot::Model,
    a(ImportPower),
    a(ExportPower),
    a(ImportReactive),
    a(ExportReactive),
    a(Current(0)),
    a(Current(1)),
    a(Current(2)),
    a(Voltage(0)),
    a(Voltage(1)),
    a(Voltage(2)),
    Slot::Clock,
    a(ImportEnergy(0)),
    a(ExportEnergy(0)),
];

/// Kaifa's single-phase list (MA105); list 2 is its first 9 places.
const KAIFA_1: &[Slot] = &[
    Slot::Text,
    Slot::Id,
    Slot::Model,
    a(ImportPower),
    a(ExportPower),
    a(ImportReactive),
    a(ExportReactive),
    a(Current(0)),
    a(Voltage(0)),
    Slot::Clock,
    a(ImportEnergy(0)),
    a(ExportEnergy(0)),
];

/// Iskra AM550, Ljubljana.
const ISKRA_18: &[Slot] = &[
    Slot::Text,
    Slot::Id,
    w(ImportPower),
    w(ExportPower),
    w(ImportReactive),
    w(ExportReactive),
    s(Voltage(0)),
    s(Voltage(1)),
    s(Voltage(2)),
    s(Current(0)),
    s(Current(1)),
    s(Current(2)),
    w(PhaseImport(0)),
    w(PhaseImport(1)),
    w(PhaseImport(2)),
    w(PhaseExport(0)),
    w(PhaseExport(1)),
    w(PhaseExport(2)),
];

/// The same of one phase.
const ISKRA_10: &[Slot] = &[
    Slot::Text,
    Slot::Id,
    w(ImportPower),
    w(ExportPower),
    w(ImportReactive),
    w(ExportReactive),
    s(Voltage(0)),
    s(Current(0)),
    w(PhaseImport(0)),
    w(PhaseExport(0)),
];

/// Its list of energies by tariffs, every quarter of an hour.
const ISKRA_10_ENERGY: &[Slot] = &[
    Slot::Text,
    Slot::Id,
    w(ImportEnergy(1)),
    w(ImportEnergy(2)),
    w(ExportEnergy(1)),
    w(ExportEnergy(2)),
    Slot::Skip,
    Slot::Skip,
    Slot::Skip,
    Slot::Skip,
];

/// Iskra AM550, Celje.
const ISKRA_12: &[Slot] = &[
    Slot::Text,
    Slot::Id,
    s(Voltage(0)),
    s(Voltage(1)),
    s(Voltage(2)),
    s(Current(0)),
    s(Current(1)),
    s(Current(2)),
    w(ImportPower),
    w(ExportPower),
    w(ImportReactive),
    w(ExportReactive),
];

/// The same of one phase.
const ISKRA_8: &[Slot] = &[
    Slot::Text,
    Slot::Id,
    s(Voltage(0)),
    s(Current(0)),
    w(ImportPower),
    w(ExportPower),
    w(ImportReactive),
    w(ExportReactive),
];

/// Its list of energies: behind the id the breaker and the tariff, then each total before its two tariffs.
const ISKRA_12_ENERGY: &[Slot] = &[
    Slot::Text,
    Slot::Id,
    Slot::Skip,
    Slot::Skip,
    w(ImportEnergy(0)),
    w(ImportEnergy(1)),
    w(ImportEnergy(2)),
    w(ExportEnergy(0)),
    w(ExportEnergy(1)),
    w(ExportEnergy(2)),
];

/// Iskra IE.5, Croatia. Behind the energies stand those of the reactive quadrants, behind the powers the power factor.
const ISKRA_33: &[Slot] = &[
    Slot::Text,
    Slot::Text,
    Slot::Text,
    w(ImportEnergy(0)),
    w(ImportEnergy(1)),
    w(ImportEnergy(2)),
    w(ExportEnergy(0)),
    w(ExportEnergy(1)),
    w(ExportEnergy(2)),
    Slot::Skip,
    Slot::Skip,
    Slot::Skip,
    Slot::Skip,
    w(ImportPower),
    w(ExportPower),
    Slot::Skip,
    w(PhaseImport(0)),
    w(PhaseImport(1)),
    w(PhaseImport(2)),
    w(PhaseExport(0)),
    w(PhaseExport(1)),
    w(PhaseExport(2)),
    s(Voltage(0)),
    s(Voltage(1)),
    s(Voltage(2)),
    s(Current(0)),
    s(Current(1)),
    s(Current(2)),
];

/// Iskra AM550, Switzerland, three wires: no voltage of L2. Which of the two powers is which is not proven, so neither
/// is given: a current without a direction counts as drawn.
const ISKRA_15: &[Slot] = &[
    w(ImportEnergy(0)),
    w(ImportEnergy(1)),
    w(ImportEnergy(2)),
    w(ExportEnergy(0)),
    w(ExportEnergy(1)),
    w(ExportEnergy(2)),
    Slot::Text,
    Slot::Clock,
    Slot::Skip,
    Slot::Skip,
    s(Current(0)),
    s(Current(1)),
    s(Current(2)),
    s(Voltage(0)),
    s(Voltage(2)),
];

/// Landis+Gyr E450, Burgenland, with three numbers of unknown meaning before the id.
const E450_14: &[Slot] = &[
    s(Voltage(0)),
    s(Voltage(1)),
    s(Voltage(2)),
    s(Current(0)),
    s(Current(1)),
    s(Current(2)),
    w(ImportPower),
    w(ExportPower),
    w(ImportEnergy(0)),
    w(ExportEnergy(0)),
    Slot::Skip,
    Slot::Skip,
    Slot::Skip,
    Slot::Id,
];

/// The same without them.
const E450_11: &[Slot] = &[
    s(Voltage(0)),
    s(Voltage(1)),
    s(Voltage(2)),
    s(Current(0)),
    s(Current(1)),
    s(Current(2)),
    w(ImportPower),
    w(ExportPower),
    w(ImportEnergy(0)),
    w(ExportEnergy(0)),
    Slot::Id,
];

/// Name, number of items, places.
const LAYOUTS: &[Layout] = &[
    row(b"KFM_001", 9, KAIFA_1),
    row(b"KFM_001", 13, KAIFA_3),
    row(b"KFM_001", 14, KAIFA_1),
    row(b"KFM_001", 18, KAIFA_3),
    row(b"ISK", 8, ISKRA_8),
    row(b"ISK", 10, ISKRA_10),
    row(b"ISK", 10, ISKRA_10_ENERGY),
    row(b"ISK", 12, ISKRA_12),
    row(b"ISK", 12, ISKRA_12_ENERGY),
    row(b"ISK", 18, ISKRA_18),
    // Kaifa's list 1.
    row(b"", 1, &[a(ImportPower)]),
    row(b"", 11, E450_11),
    row(b"", 14, E450_14),
    row(b"", 15, ISKRA_15),
    row(b"", 33, ISKRA_33),
];

const fn row(name: &'static [u8], items: usize, slots: &'static [Slot]) -> Layout {
    Layout { name, items, slots }
}

impl Slot {
    fn fits(self, item: Data<'_>) -> bool {
        match self {
            Self::Skip => true,
            Self::Text | Self::Id | Self::Model | Self::Clock => item.bytes().is_some(),
            Self::Wide(_) => item.is_null() || item.digits().is_some_and(|it| it.len() > SHORT),
            Self::Short(_) => item.is_null() || item.digits().is_some_and(|it| it.len() <= SHORT),
            Self::Any(_) => item.is_null() || item.digits().is_some(),
        }
    }
}

/// The layout of a list without codes.
pub(in super::super) fn layout(name: &[u8], items: List<'_>) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| {
        layout.items == items.len()
            && name.starts_with(layout.name)
            && layout
                .slots
                .iter()
                .zip(items.items())
                .all(|(slot, item)| slot.fits(item))
    })
}

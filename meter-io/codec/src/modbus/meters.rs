//! The registers of meters. Sources: the makers' lists of registers; those that were only compared between open-source
//! readers, and never seen in the maker's list, are marked.

use super::{
    Block, Field,
    Form::{self, Float, Long, Signed, SwappedSigned, Unsigned},
    Function, Profile,
};
use crate::profile::Register::{
    self, Current, ExportEnergy, ImportEnergy, ImportReactive, PhaseSigned, SignedPower, Voltage,
};

pub(super) const ALL: &[Profile] = &[
    Profile {
        name: "sdm630",
        model: "Eastron SDM630",
        function: Function::Input,
        // At most 40 values, which is 80 registers, in one request; registers between values read as 0.
        blocks: &[block(0x00, 0x4C)],
        fields: EASTRON,
    },
    Profile {
        name: "sdm72",
        model: "Eastron SDM72 V2",
        function: Function::Input,
        // At most 30 values in one request. The first version of this meter has no currents, and answers nothing here.
        blocks: &[block(0x00, 0x12), block(0x34, 0x18)],
        fields: EASTRON,
    },
    Profile {
        name: "em24",
        model: "Carlo Gavazzi EM24",
        function: Function::Input,
        // Its energy lies elsewhere in the serial and in the Ethernet version, and is left out.
        blocks: &[block(0x00, 0x18), block(0x28, 0x02)],
        fields: GAVAZZI,
    },
    Profile {
        name: "em24_e1",
        model: "Carlo Gavazzi EM24 Ethernet",
        function: Function::Input,
        // At most 50 registers in one request (not verified).
        blocks: &[block(0x00, 0x18), block(0x28, 0x28)],
        fields: GAVAZZI_WITH_ENERGY,
    },
    Profile {
        name: "em340",
        model: "Carlo Gavazzi EM340",
        function: Function::Input,
        // Also EM330, ET330 and ET340. At most 50 registers in one request (not verified).
        blocks: &[block(0x00, 0x18), block(0x28, 0x28)],
        fields: GAVAZZI_WITH_ENERGY,
    },
    Profile {
        name: "abb_b23",
        model: "ABB B23/B24/A43/A44",
        function: Function::Holding,
        blocks: &[block(0x5000, 0x08), block(0x5B00, 0x1E)],
        fields: ABB,
    },
];

const EASTRON: &[Field] = &[
    field(0x00, Voltage(0), Float, 0),
    field(0x02, Voltage(1), Float, 0),
    field(0x04, Voltage(2), Float, 0),
    field(0x06, Current(0), Float, 0),
    field(0x08, Current(1), Float, 0),
    field(0x0A, Current(2), Float, 0),
    field(0x0C, PhaseSigned(0), Float, 0),
    field(0x0E, PhaseSigned(1), Float, 0),
    field(0x10, PhaseSigned(2), Float, 0),
    field(0x34, SignedPower, Float, 0),
    field(0x3C, ImportReactive, Float, 0),
    field(0x48, ImportEnergy(0), Float, 3),
    field(0x4A, ExportEnergy(0), Float, 3),
];

const GAVAZZI: &[Field] = &[
    field(0x00, Voltage(0), SwappedSigned, -1),
    field(0x02, Voltage(1), SwappedSigned, -1),
    field(0x04, Voltage(2), SwappedSigned, -1),
    field(0x0C, Current(0), SwappedSigned, -3),
    field(0x0E, Current(1), SwappedSigned, -3),
    field(0x10, Current(2), SwappedSigned, -3),
    field(0x12, PhaseSigned(0), SwappedSigned, -1),
    field(0x14, PhaseSigned(1), SwappedSigned, -1),
    field(0x16, PhaseSigned(2), SwappedSigned, -1),
    field(0x28, SignedPower, SwappedSigned, -1),
];

const GAVAZZI_WITH_ENERGY: &[Field] = &[
    field(0x00, Voltage(0), SwappedSigned, -1),
    field(0x02, Voltage(1), SwappedSigned, -1),
    field(0x04, Voltage(2), SwappedSigned, -1),
    field(0x0C, Current(0), SwappedSigned, -3),
    field(0x0E, Current(1), SwappedSigned, -3),
    field(0x10, Current(2), SwappedSigned, -3),
    field(0x12, PhaseSigned(0), SwappedSigned, -1),
    field(0x14, PhaseSigned(1), SwappedSigned, -1),
    field(0x16, PhaseSigned(2), SwappedSigned, -1),
    field(0x28, SignedPower, SwappedSigned, -1),
    // Not verified: between the apparent power (0x2A) and the first power factor (0x2E).
    field(0x2C, ImportReactive, SwappedSigned, -1),
    field(0x34, ImportEnergy(0), SwappedSigned, 2),
    field(0x4E, ExportEnergy(0), SwappedSigned, 2),
];

const ABB: &[Field] = &[
    field(0x5000, ImportEnergy(0), Long, 1),
    field(0x5004, ExportEnergy(0), Long, 1),
    field(0x5B00, Voltage(0), Unsigned, -1),
    field(0x5B02, Voltage(1), Unsigned, -1),
    field(0x5B04, Voltage(2), Unsigned, -1),
    field(0x5B0C, Current(0), Unsigned, -2),
    field(0x5B0E, Current(1), Unsigned, -2),
    field(0x5B10, Current(2), Unsigned, -2),
    field(0x5B14, SignedPower, Signed, -2),
    field(0x5B16, PhaseSigned(0), Signed, -2),
    field(0x5B18, PhaseSigned(1), Signed, -2),
    field(0x5B1A, PhaseSigned(2), Signed, -2),
    // Not verified: behind the active powers, in the same order and scale.
    field(0x5B1C, ImportReactive, Signed, -2),
];

const fn block(start: u16, count: u16) -> Block {
    Block { start, count }
}

const fn field(address: u16, fills: Register, form: Form, exponent: i8) -> Field {
    Field {
        address,
        fills,
        form,
        exponent,
    }
}

//! Kamstrup's lists: flat, codes and values by turns, without scalers.

use crate::{
    axdr::{
        CLOCK, CURRENTS, PHASE_POWERS, STRUCTURE, VOLTAGES, long, notification, obis, plain_time,
        sequence, short, time_octets, u16v, u32v, visible,
    },
    carries::{Carries, Clocks, between, may, must},
    hdlc::{KAMSTRUP, hdlc},
    values::{Clock, Values},
};

/// The model in the list.
pub const MODEL: &str = "6841131HR000000001";
const NAME: &str = "Kamstrup_V0001";

const WATTS: i64 = 1000;
const VOLTS: i64 = 1000;
const HUNDREDTH: i64 = 10;
/// Some Danish meters.
const HUNDREDTH_VOLT: i64 = 10;

/// The maker's lists, by their number of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// 25 items, every 10 s; a phase that is missing is null.
    A,
    /// 35 items, hourly, Norway: energies in steps of 10 Wh.
    B,
    /// The same in Sweden: in steps of 1 Wh.
    Swedish,
    /// 37 items of a Danish meter with one phase.
    Danish1,
    /// 65 items of a Danish meter with three phases.
    Danish3,
    /// The same with voltages in steps of 0.01 V.
    DanishFine,
}

impl List {
    fn energy(self) -> i64 {
        if self == Self::Swedish { 1000 } else { 10_000 }
    }

    fn voltage(self) -> i64 {
        if self == Self::DanishFine {
            HUNDREDTH_VOLT
        } else {
            VOLTS
        }
    }
}

/// List A of a three-phase meter, in its frame.
pub fn list_a(values: &Values) -> Vec<u8> {
    hdlc(&KAMSTRUP, &apdu(values, List::A))
}

/// A list as an APDU.
pub fn apdu(values: &Values, list: List) -> Vec<u8> {
    let mut pairs = Pairs(vec![visible(NAME)], list);
    pairs.put([1, 1, 0, 0, 5], visible(values.id()));
    pairs.put([1, 1, 96, 1, 1], visible(values.model_or(MODEL)));
    match list {
        List::A => {
            pairs.powers(values);
            for (code, phase) in CURRENTS.into_iter().zip(&values.phases) {
                let current = phase.current_ma.map(|_| long(phase.current_ma, HUNDREDTH));
                pairs.or_null(code, current);
            }
            for (code, phase) in VOLTAGES.into_iter().zip(&values.phases) {
                let voltage = phase.voltage_mv.map(|_| short(phase.voltage_mv, VOLTS));
                pairs.or_null(code, voltage);
            }
        }
        List::B | List::Swedish => {
            pairs.powers(values);
            pairs.currents_and_voltages(values, 3);
            pairs.clock(values.clock);
            pairs.energies(values);
        }
        List::Danish1 => {
            pairs.energies(values);
            pairs.clock(values.clock);
            pairs.powers(values);
            pairs.currents_and_voltages(values, 1);
            pairs.phase_powers(values, 1);
            // Power factors, and the energy of the phase.
            pairs.now(33, u16v(98));
            pairs.now(13, u16v(98));
            pairs.put([1, 1, 21, 8, 0], u32v(77));
        }
        List::Danish3 | List::DanishFine => {
            pairs.energies(values);
            pairs.powers(values);
            pairs.currents_and_voltages(values, 3);
            pairs.phase_powers(values, 3);
            for code in [33, 53, 73, 13] {
                pairs.now(code, u16v(98));
            }
            for code in [21, 41, 61, 22, 42, 62] {
                pairs.put([1, 1, code, 8, 0], u32v(77));
            }
            pairs.clock(values.clock);
        }
    }
    notification(&plain_time(values.clock), &sequence(STRUCTURE, &pairs.0))
}

pub(crate) fn carries(list: List) -> Carries {
    let power = must(WATTS, u32::MAX.into());
    // The end of the type number tells the market.
    let market = if list == List::Swedish { "090" } else { "040" };
    let carries = Carries {
        id: Some(16),
        model: Some(("6841138HR2451", market)),
        clock: Clocks::Offset,
        ..Carries::NOTHING
    }
    .powers(power)
    .energies(must(list.energy(), u32::MAX.into()));
    let lines: &[usize] = if list == List::Danish1 {
        &[0]
    } else {
        &[0, 1, 2]
    };
    // Only the size of a voltage tells its step.
    let voltage = if list == List::DanishFine {
        between(HUNDREDTH_VOLT, 6000, u16::MAX.into())
    } else {
        must(VOLTS, 599)
    };
    match list {
        List::A => carries.energies(None).on(lines, |slots| {
            slots.current = may(HUNDREDTH, u32::MAX.into());
            slots.voltage = may(VOLTS, 599);
        }),
        List::B | List::Swedish => carries.on(lines, |slots| {
            slots.current = must(HUNDREDTH, u32::MAX.into());
            slots.voltage = voltage;
        }),
        List::Danish1 | List::Danish3 | List::DanishFine => carries.on(lines, |slots| {
            slots.current = must(HUNDREDTH, u32::MAX.into());
            slots.voltage = voltage;
            slots.import = power;
            slots.export = power;
        }),
    }
}

/// Codes and values by turns, behind the name.
struct Pairs(Vec<Vec<u8>>, List);

impl Pairs {
    fn put(&mut self, code: [u8; 5], value: Vec<u8>) {
        self.0.extend([obis(code), value]);
    }

    fn now(&mut self, code: u8, value: Vec<u8>) {
        self.put([1, 1, code, 7, 0], value);
    }

    fn or_null(&mut self, code: u8, value: Option<Vec<u8>>) {
        match value {
            Some(value) => self.now(code, value),
            None => self.0.extend([vec![0], vec![0]]),
        }
    }

    fn powers(&mut self, values: &Values) {
        self.now(1, long(values.import_mw, WATTS));
        self.now(2, long(values.export_mw, WATTS));
        self.now(3, long(values.import_mvar, WATTS));
        self.now(4, long(values.export_mvar, WATTS));
    }

    fn currents_and_voltages(&mut self, values: &Values, phases: usize) {
        let phases = &values.phases[..phases];
        for (code, phase) in CURRENTS.into_iter().zip(phases) {
            self.now(code, long(phase.current_ma, HUNDREDTH));
        }
        for (code, phase) in VOLTAGES.into_iter().zip(phases) {
            self.now(code, short(phase.voltage_mv, self.1.voltage()));
        }
    }

    fn phase_powers(&mut self, values: &Values, phases: usize) {
        for (code, phase) in PHASE_POWERS.into_iter().zip(&values.phases[..phases]) {
            self.now(code, long(phase.import_mw, WATTS));
            self.now(code + 1, long(phase.export_mw, WATTS));
        }
    }

    fn energies(&mut self, values: &Values) {
        let energies = [
            values.energy_import_mwh,
            values.energy_export_mwh,
            None,
            None,
        ];
        for (code, value) in (1..).zip(energies) {
            self.put([1, 1, code, 8, 0], long(value, self.1.energy()));
        }
    }

    /// The maker writes channel 1 here.
    fn clock(&mut self, clock: Option<Clock>) {
        self.put([0, 1, 1, 0, 0], time_octets(clock));
    }
}

/// Kamstrup's list; `phases` below three are null, as single-phase meters send them.
pub fn kamstrup_list(phases: usize) -> Vec<u8> {
    hdlc(&KAMSTRUP, &kamstrup_apdu(phases))
}

pub fn kamstrup_apdu(phases: usize) -> Vec<u8> {
    let mut pairs = Pairs(vec![visible(NAME)], List::A);
    pairs.put([1, 1, 0, 0, 5], visible("5700000000000001"));
    pairs.put([1, 1, 96, 1, 1], visible("6841121BN243101040"));
    for (code, value) in (1..).zip([1468, 0, 0, 462]) {
        pairs.now(code, u32v(value));
    }
    for (index, (code, value)) in [(31, 564), (51, 202), (71, 511)].into_iter().enumerate() {
        pairs.or_null(code, (index < phases).then(|| u32v(value)));
    }
    for (index, (code, value)) in [(32, 232), (52, 228), (72, 233)].into_iter().enumerate() {
        pairs.or_null(code, (index < phases).then(|| u16v(value)));
    }
    notification(
        &[&[0x0C][..], &CLOCK].concat(),
        &sequence(STRUCTURE, &pairs.0),
    )
}

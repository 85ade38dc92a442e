//! From a telegram to what the decision core takes: signs, transformer ratio, and what must not be believed.

use headroom_codec::{PhaseValues, Telegram};
use headroom_core::{
    event::{PhaseReading, Reading},
    units::{Milliamps, Millivolts, Vars, Watts},
};

/// A conductor below this carries no supply: meters send 0 or 1 V for one that is not there.
const NO_VOLTAGE_BELOW_MV: i64 = 100_000;
/// Meters that send whole amperes may cut the rest off: 14 A was sent for 14.93 A.
const WHOLE_AMPERE_MA: i64 = 1_000;
/// The last hundredth before the next step.
const BELOW_NEXT_STEP_MA: i64 = 10;

/// The reading of the main meter. `one_phase`: the grid has one phase. `ct_ratio`: of external current transformers.
pub fn translate(telegram: &Telegram, one_phase: bool, ct_ratio: f64) -> Reading {
    let ratio = Ratio(ct_ratio);
    let mut phases: Vec<Option<PhaseReading>> = telegram
        .phases
        .iter()
        .enumerate()
        .map(|(index, values)| {
            let missing = index == 1 && second_line_is_false(telegram);
            (!values.is_empty()).then(|| phase(*values, missing, ratio))
        })
        .collect();
    if one_phase {
        phases.truncate(1);
    }
    Reading {
        phases,
        power_w: signed(telegram.import_mw, telegram.export_mw).map(|mw| ratio.watts(mw)),
        reactive_var: signed(telegram.import_mvar, telegram.export_mvar)
            .map(|mvar| ratio.vars(mvar)),
        circuit: None,
    }
}

fn phase(values: PhaseValues, false_zero: bool, ratio: Ratio) -> PhaseReading {
    let step = values.current_step_ma.unwrap_or_default();
    let current = values
        .current_ma
        .filter(|current| !(false_zero && *current == 0))
        .map(|current| {
            if step >= WHOLE_AMPERE_MA {
                current + step - BELOW_NEXT_STEP_MA
            } else {
                current
            }
        });
    PhaseReading {
        current_a: current.map(|current| ratio.milliamps(current)),
        voltage_v: values
            .voltage_mv
            .filter(|mv| *mv >= NO_VOLTAGE_BELOW_MV)
            .map(Millivolts),
        power_w: signed(values.import_mw, values.export_mw).map(|mw| ratio.watts(mw)),
    }
}

/// On nets without a neutral some meters send 0 V, and some also 0 A, for the second line, as if these were measured.
fn second_line_is_false(telegram: &Telegram) -> bool {
    let [first, second, third] = telegram.phases.map(|phase| phase.voltage_mv);
    let live = |voltage: Option<i64>| voltage.is_some_and(|mv| mv >= NO_VOLTAGE_BELOW_MV);
    live(first) && live(third) && second.is_some_and(|mv| mv < NO_VOLTAGE_BELOW_MV)
}

/// Import positive. A meter that sends the import alone: that is the upper bound.
fn signed(import: Option<i64>, export: Option<i64>) -> Option<i64> {
    match (import, export) {
        (None, None) => None,
        (import, export) => Some(import.unwrap_or(0).saturating_sub(export.unwrap_or(0))),
    }
}

/// Ratio of current transformers; 1 where there are none.
#[derive(Clone, Copy)]
struct Ratio(f64);

impl Ratio {
    fn milliamps(self, milliamps: i64) -> Milliamps {
        let direct = Milliamps(milliamps);
        if self.is_one() {
            direct
        } else {
            Milliamps::from_f64(direct.to_f64() * self.0).unwrap_or(direct)
        }
    }

    fn watts(self, milliwatts: i64) -> Watts {
        let direct = Watts(rounded(milliwatts));
        if self.is_one() {
            direct
        } else {
            Watts::from_f64(direct.to_f64() * self.0).unwrap_or(direct)
        }
    }

    fn vars(self, millivars: i64) -> Vars {
        let direct = Vars(rounded(millivars));
        if self.is_one() {
            direct
        } else {
            Vars::from_f64(direct.to_f64() * self.0).unwrap_or(direct)
        }
    }

    fn is_one(self) -> bool {
        (self.0 - 1.0).abs() < f64::EPSILON
    }
}

fn rounded(milli: i64) -> i64 {
    milli.saturating_add(500).div_euclid(1000)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use headroom_codec::{Decoder, Item, Options};

    /// A telegram to change: L1 912 W at 230.4 V and 4 A (whole amperes), L2 at 0.62 A, L3 exporting.
    pub(crate) fn telegram() -> Telegram {
        let text = "/HRM5TEST\r\n\r\n1-0:1.7.0(00.912*kW)\r\n1-0:2.7.0(00.100*kW)\r\n\
            1-0:21.7.0(00.912*kW)\r\n1-0:22.7.0(00.000*kW)\r\n1-0:62.7.0(00.100*kW)\r\n1-0:61.7.0(00.000*kW)\r\n\
            1-0:32.7.0(230.4*V)\r\n1-0:52.7.0(231.0*V)\r\n1-0:72.7.0(229.8*V)\r\n\
            1-0:31.7.0(004*A)\r\n1-0:51.7.0(000.62*A)\r\n1-0:71.7.0(000*A)\r\n!\r\n";
        match Decoder::new(&Options::default())
            .push(text.as_bytes())
            .pop()
        {
            Some(Item::Telegram(telegram)) => *telegram,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whole_amperes_count_as_their_upper_end() {
        let reading = translate(&telegram(), false, 1.0);
        let currents: Vec<_> = reading
            .phases
            .iter()
            .map(|phase| phase.unwrap().current_a)
            .collect();
        assert_eq!(
            currents,
            [
                Some(Milliamps(4990)),
                Some(Milliamps(620)),
                Some(Milliamps(990))
            ]
        );
    }

    #[test]
    fn export_is_negative_and_missing_is_none() {
        let reading = translate(&telegram(), false, 1.0);
        assert_eq!(reading.power_w, Some(Watts(812)));
        assert_eq!(reading.reactive_var, None);
        let powers: Vec<_> = reading
            .phases
            .iter()
            .map(|phase| phase.unwrap().power_w)
            .collect();
        assert_eq!(powers, [Some(Watts(912)), None, Some(Watts(-100))]);
    }

    #[test]
    fn a_second_line_of_zero_volts_is_not_believed_to_carry_nothing() {
        let mut it = telegram();
        it.phases[1].voltage_mv = Some(0);
        let second = translate(&it, false, 1.0).phases[1].unwrap();
        assert_eq!(
            (second.voltage_v, second.current_a),
            (None, Some(Milliamps(620)))
        );
        it.phases[1].current_ma = Some(0);
        let second = translate(&it, false, 1.0).phases[1].unwrap();
        assert_eq!((second.voltage_v, second.current_a), (None, None));
        // A meter on one phase of three: the others carry nothing indeed.
        it.phases[2].voltage_mv = Some(0);
        assert_eq!(
            translate(&it, false, 1.0).phases[1].unwrap().current_a,
            Some(Milliamps(0))
        );
    }

    #[test]
    fn phases_that_the_telegram_lacks_are_none() {
        let mut total = telegram();
        total.phases = Default::default();
        assert_eq!(translate(&total, false, 1.0).phases, [None, None, None]);
        assert_eq!(translate(&telegram(), true, 1.0).phases.len(), 1);
    }

    #[test]
    fn transformers_multiply_currents_and_powers() {
        let reading = translate(&telegram(), false, 60.0);
        let second = reading.phases[1].unwrap();
        assert_eq!(second.current_a, Some(Milliamps(37_200)));
        assert_eq!(second.voltage_v, Some(Millivolts(231_000)));
        assert_eq!(reading.power_w, Some(Watts(48_720)));
    }
}

//! From a telegram to what the decision core takes: signs, transformer ratio, and what must not be believed.
//!
//! Input: a valid telegram, and what is known of the place where its meter hangs. Output: a reading, or why the telegram
//! cannot be true. Three things are never believed: a value that no such house can have, a zero for a conductor that the
//! meter does not measure, and the fraction that a whole-ampere meter cuts off.

use crate::{
    impossible::{Impossible, check},
    ratio::Ratio,
};
use headroom_codec::{PhaseValues, Telegram};
use headroom_core::{
    config::Grid,
    event::{PhaseReading, Reading},
    units::{Milliamps, Millivolts, PerPhase},
};

/// A conductor below this carries no supply: meters send 0 or 1 V for one that is not there.
const NO_VOLTAGE_BELOW_MV: i64 = 100_000;
/// Meters that send whole amperes may cut the rest off: 14 A was sent for 14.93 A.
const WHOLE_AMPERE_MA: i64 = 1_000;
/// Currents of one telegram are not sampled at one instant, and are rounded: Kirchhoff's law holds with this slack.
const KIRCHHOFF_SLACK_MA: i64 = 500;
/// One volt or voltampere in thousandths.
const WHOLE_UNIT: i64 = 1_000;
/// The last hundredth before the next step.
const BELOW_NEXT_STEP_MA: i64 = 10;

/// What is known of the place where a meter hangs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Place {
    /// How the house is supplied. With one phase readings have one entry instead of three.
    pub grid: Grid,
    /// Rating of the main fuse of each line: a current above four times of it is not believed. `None`: not known.
    pub main_fuse: Option<PerPhase<Milliamps>>,
}

/// Turns the telegrams of one meter into readings, and remembers what it learnt of that meter.
#[derive(Debug)]
pub struct Translator {
    ratio: Ratio,
    /// A current of L2 came with 0 V: this meter measures it, and a zero of it is one.
    second_line_measured: bool,
}

impl Translator {
    /// `ct_ratio`: of external current transformers, 1 where there are none.
    pub const fn new(ct_ratio: f64) -> Self {
        Self {
            ratio: Ratio(ct_ratio),
            second_line_measured: false,
        }
    }

    /// The reading of the main meter.
    ///
    /// # Errors
    /// The first value that cannot be true. Nothing of such a telegram may be believed.
    pub fn translate(&mut self, telegram: &Telegram, place: Place) -> Result<Reading, Impossible> {
        check(telegram, place.main_fuse, self.ratio)?;
        let second_is_false = self.second_line_is_false(telegram, place.grid);
        let mut phases: Vec<Option<PhaseReading>> = telegram
            .phases
            .iter()
            .enumerate()
            .map(|(index, values)| {
                let believed = !(index == 1 && second_is_false);
                (!values.is_empty()).then(|| phase(*values, believed, self.ratio))
            })
            .collect();
        phases.truncate(place.grid.phases().len());
        Ok(Reading {
            phases,
            power_w: signed(telegram.import_mw, telegram.export_mw).map(|mw| self.ratio.watts(mw)),
            reactive_var: signed(telegram.import_mvar, telegram.export_mvar)
                .map(|mvar| self.ratio.vars(mvar)),
            circuit: None,
        })
    }
}

impl Translator {
    /// On nets without a neutral some meters send nothing for the current of L2, as if it were measured. Such a value
    /// is told by a conductor without voltage, and by Kirchhoff's law: I2 is never below the difference of the others.
    fn second_line_is_false(&mut self, telegram: &Telegram, grid: Grid) -> bool {
        let [first, second, third] = telegram.phases;
        let live = |values: PhaseValues| {
            values
                .voltage_mv
                .is_some_and(|mv| mv >= NO_VOLTAGE_BELOW_MV)
        };
        let delta = live(first) && live(third) && second.voltage_mv.is_some() && !live(second);
        if !delta && grid != Grid::It3ph {
            return false;
        }
        let Some(current) = second.current_ma else {
            return false;
        };
        if let (Some(first), Some(third)) = (first.current_ma, third.current_ma) {
            let least = (first - third).abs();
            let step = second.current_step_ma.unwrap_or_default();
            if current + 3 * step + KIRCHHOFF_SLACK_MA + least / 10 < least {
                return true;
            }
        }
        self.second_line_measured |= current > 0;
        current == 0 && !live(second) && !self.second_line_measured
    }
}

fn phase(values: PhaseValues, believed: bool, ratio: Ratio) -> PhaseReading {
    let current = values
        .current_ma
        .filter(|_| believed)
        .map(|current| upper_end(current, values));
    PhaseReading {
        current_a: current.map(|current| ratio.milliamps(current)),
        voltage_v: values
            .voltage_mv
            .filter(|mv| *mv >= NO_VOLTAGE_BELOW_MV)
            .map(Millivolts),
        power_w: signed(values.import_mw, values.export_mw).map(|mw| ratio.watts(mw)),
    }
}

/// The highest current that a meter of whole amperes may mean: short of the next step, or what the apparent power
/// says between the two where it is sent (Linky: whole VA and volts).
fn upper_end(current: i64, values: PhaseValues) -> i64 {
    let step = values.current_step_ma.unwrap_or_default();
    if step < WHOLE_AMPERE_MA {
        return current;
    }
    let end = current + step - BELOW_NEXT_STEP_MA;
    let voltage = values.voltage_mv.filter(|mv| *mv >= NO_VOLTAGE_BELOW_MV);
    let finer = values.apparent_mva.zip(voltage).map(|(mva, mv)| {
        // Both are whole numbers that may have been cut or rounded.
        let highest = mva.saturating_add(WHOLE_UNIT).saturating_mul(1000);
        highest / (mv - WHOLE_UNIT) + 1
    });
    // Less than what was sent: the apparent power is that of the other direction.
    finer
        .filter(|finer| (current..=end).contains(finer))
        .unwrap_or(end)
}

/// Import positive. A meter that sends the import alone: that is the upper bound.
fn signed(import: Option<i64>, export: Option<i64>) -> Option<i64> {
    match (import, export) {
        (None, None) => None,
        (import, export) => Some(import.unwrap_or(0).saturating_sub(export.unwrap_or(0))),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use headroom_codec::{Decoder, Item, Options};
    use headroom_core::units::Watts;

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
            Some(Item::Telegram(telegram)) => telegram,
            other => panic!("{other:?}"),
        }
    }

    fn translate(telegram: &Telegram) -> Reading {
        Translator::new(1.0)
            .translate(telegram, Place::default())
            .unwrap()
    }

    #[test]
    fn whole_amperes_count_as_their_upper_end() {
        let reading = translate(&telegram());
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
        let reading = translate(&telegram());
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
        it.phases[2].current_ma = Some(3_500);
        let second = translate(&it).phases[1].unwrap();
        assert_eq!(
            (second.voltage_v, second.current_a),
            (None, Some(Milliamps(620)))
        );
        it.phases[1].current_ma = Some(0);
        let second = translate(&it).phases[1].unwrap();
        assert_eq!((second.voltage_v, second.current_a), (None, None));
        // A meter on one phase of three: the others carry nothing indeed.
        it.phases[2].voltage_mv = Some(0);
        assert_eq!(
            translate(&it).phases[1].unwrap().current_a,
            Some(Milliamps(0))
        );
    }

    #[test]
    fn phases_that_the_telegram_lacks_are_none() {
        let mut total = telegram();
        total.phases = Default::default();
        assert_eq!(translate(&total).phases, [None, None, None]);
        assert_eq!(
            Translator::new(1.0)
                .translate(
                    &telegram(),
                    Place {
                        grid: Grid::Tn1ph,
                        ..Place::default()
                    }
                )
                .unwrap()
                .phases
                .len(),
            1
        );
    }

    #[test]
    fn transformers_multiply_currents_and_powers() {
        let reading = Translator::new(60.0)
            .translate(&telegram(), Place::default())
            .unwrap();
        let second = reading.phases[1].unwrap();
        assert_eq!(second.current_a, Some(Milliamps(37_200)));
        assert_eq!(second.voltage_v, Some(Millivolts(231_000)));
        assert_eq!(reading.power_w, Some(Watts(48_720)));
    }

    #[test]
    fn a_second_line_that_was_measured_once_may_be_zero() {
        let mut translator = Translator::new(1.0);
        let mut second = |current| {
            let mut it = telegram();
            it.phases[1].voltage_mv = Some(0);
            it.phases[1].current_ma = Some(current);
            it.phases[2].current_ma = Some(3_500);
            translator.translate(&it, Place::default()).unwrap().phases[1]
                .unwrap()
                .current_a
        };
        assert_eq!(second(0), None);
        assert_eq!(second(3_500), Some(Milliamps(3_500)));
        assert_eq!(second(0), Some(Milliamps(0)));
    }

    #[test]
    fn the_apparent_power_of_a_linky_refines_its_whole_amperes() {
        let current = |amps: i64, volts: i64, va: i64| {
            let mut linky = telegram();
            linky.phases[0].current_ma = Some(amps * 1000);
            linky.phases[0].current_step_ma = Some(1000);
            linky.phases[0].voltage_mv = Some(volts * 1000);
            linky.phases[0].apparent_mva = Some(va * 1000);
            translate(&linky).phases[0].unwrap().current_a
        };
        // 1610 VA at 230 V are 7 A: between 1611 VA at 229 V and the step below.
        assert_eq!(current(7, 230, 1610), Some(Milliamps(7_035)));
        // Injecting: the apparent power that is drawn says nothing.
        assert_eq!(current(7, 230, 0), Some(Milliamps(7_990)));
        assert_eq!(current(7, 230, 3000), Some(Milliamps(7_990)));
    }

    #[test]
    fn a_second_line_below_kirchhoffs_bound_is_not_believed() {
        let second = |grid, currents: [i64; 3], volts: [Option<i64>; 3]| {
            let mut it = telegram();
            for (phase, (current, voltage)) in
                it.phases.iter_mut().zip(currents.into_iter().zip(volts))
            {
                phase.current_ma = Some(current);
                phase.current_step_ma = Some(10);
                phase.voltage_mv = voltage.map(|volts| volts * 1000);
            }
            let place = Place {
                grid,
                ..Place::default()
            };
            let mut translator = Translator::new(1.0);
            translator.second_line_measured = true;
            translator.translate(&it, place).unwrap().phases[1]
                .unwrap()
                .current_a
        };
        let all = [Some(230), Some(231), Some(229)];
        for volts in [
            all,
            [Some(230), None, Some(229)],
            [Some(230), Some(120), Some(229)],
            [Some(230), Some(0), Some(229)],
        ] {
            assert_eq!(
                second(Grid::It3ph, [3_400, 0, 14_000], volts),
                None,
                "{volts:?}"
            );
        }
        // One load between L1 and L3: nothing in L2 indeed.
        assert_eq!(
            second(Grid::It3ph, [10_000, 0, 10_100], all),
            Some(Milliamps(0))
        );
        // With a neutral the lines do not depend on each other.
        assert_eq!(
            second(Grid::Tn3ph, [3_400, 0, 14_000], all),
            Some(Milliamps(0))
        );
        assert_eq!(
            second(Grid::It3ph, [3_400, 12_000, 14_000], all),
            Some(Milliamps(12_000))
        );
    }
}

//! From a telegram to what the decision core takes: signs, transformer ratio, and what must not be believed.
//!
//! Input: a valid telegram, and what is known of the place where its meter hangs. Output: a reading, or why the telegram
//! cannot be true. Three things are never believed: a value that no such house can have, a zero for a conductor that the
//! meter does not measure, and the fraction that a whole-ampere meter cuts off.

use headroom_codec::{PhaseValues, Telegram};
use headroom_core::{
    event::{PhaseReading, Reading},
    units::{Milliamps, Millivolts, Vars, Watts},
};
use std::fmt;

/// A conductor below this carries no supply: meters send 0 or 1 V for one that is not there.
const NO_VOLTAGE_BELOW_MV: i64 = 100_000;
/// Above any voltage of a house, between lines too. Binary meters send 6553.5 V for none.
const IMPOSSIBLE_VOLTAGE_MV: i64 = 500_000;
/// Between two lines, with the tolerance of EN 50160: for the power that goes with the highest current.
const HIGHEST_VOLTAGE_V: i64 = 440;
/// A main fuse lets more than this pass for tens of milliseconds only, too short for a telegram.
const FUSE_MULTIPLE: i64 = 4;
/// Numbers with all bits set: what binary meters send for a value that they do not have.
const ALL_BITS: [i64; 3] = [0xFFFF, 0xFFFF_FFFF, 0x7FFF_FFFF];
/// Meters that send whole amperes may cut the rest off: 14 A was sent for 14.93 A.
const WHOLE_AMPERE_MA: i64 = 1_000;
/// One volt or voltampere in thousandths.
const WHOLE_UNIT: i64 = 1_000;
/// The last hundredth before the next step.
const BELOW_NEXT_STEP_MA: i64 = 10;

/// What is known of the place where a meter hangs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Place {
    /// The grid has one phase: readings have one entry instead of three.
    pub one_phase: bool,
    /// The largest rating of the main fuse: a current above four times of it is not believed. `None`: not known.
    pub main_fuse: Option<Milliamps>,
}

/// A value that cannot be true, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible(String);

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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
        let without_voltage = second_line_without_voltage(telegram);
        let [_, second, _] = telegram.phases;
        if without_voltage && second.current_ma.is_some_and(|current| current > 0) {
            self.second_line_measured = true;
        }
        let false_zero = without_voltage && !self.second_line_measured;
        let mut phases: Vec<Option<PhaseReading>> = telegram
            .phases
            .iter()
            .enumerate()
            .map(|(index, values)| {
                (!values.is_empty()).then(|| phase(*values, index == 1 && false_zero, self.ratio))
            })
            .collect();
        if place.one_phase {
            phases.truncate(1);
        }
        Ok(Reading {
            phases,
            power_w: signed(telegram.import_mw, telegram.export_mw).map(|mw| self.ratio.watts(mw)),
            reactive_var: signed(telegram.import_mvar, telegram.export_mvar)
                .map(|mvar| self.ratio.vars(mvar)),
            circuit: None,
        })
    }
}

/// Looks for values that cannot be true. Currents count behind the transformers, in the size that the fuse sees.
fn check(telegram: &Telegram, fuse: Option<Milliamps>, ratio: Ratio) -> Result<(), Impossible> {
    let highest = fuse.map(|fuse| Milliamps(fuse.0.saturating_mul(FUSE_MULTIPLE)));
    let line = ["L1", "L2", "L3"];
    for (line, values) in line.into_iter().zip(&telegram.phases) {
        if let Some(current) = values.current_ma {
            let step = values.current_step_ma.unwrap_or(1).max(1);
            let amps = ratio.milliamps(current);
            if current < 0 || ALL_BITS.contains(&(current / step)) {
                return Err(impossible(line, amps.to_f64(), "A"));
            }
            if let (Some(highest), Some(fuse)) = (highest, fuse)
                && amps > highest
            {
                return Err(Impossible(format!(
                    "{line} {:.1} A is over four times the main fuse of {:.0} A",
                    amps.to_f64(),
                    fuse.to_f64()
                )));
            }
        }
        if let Some(voltage) = values.voltage_mv
            && !(0..=IMPOSSIBLE_VOLTAGE_MV).contains(&voltage)
        {
            return Err(impossible(line, Millivolts(voltage).to_f64(), "V"));
        }
        check_power(line, [values.import_mw, values.export_mw], highest, ratio)?;
    }
    check_power(
        "total power",
        [telegram.import_mw, telegram.export_mw],
        highest,
        ratio,
    )
}

/// Powers are magnitudes in their direction; all lines together carry at most what the fuse lets pass.
fn check_power(
    what: &str,
    directions: [Option<i64>; 2],
    highest: Option<Milliamps>,
    ratio: Ratio,
) -> Result<(), Impossible> {
    for milliwatts in directions.into_iter().flatten() {
        let watts = ratio.watts(milliwatts);
        let bound = highest.map(|highest| {
            // Three lines; milliamperes to amperes.
            Watts(highest.0.saturating_mul(3 * HIGHEST_VOLTAGE_V) / 1000)
        });
        if milliwatts < 0
            || ALL_BITS.contains(&(milliwatts / 1000))
            || bound.is_some_and(|bound| watts > bound)
        {
            return Err(impossible(what, watts.to_f64(), "W"));
        }
    }
    Ok(())
}

fn impossible(what: &str, value: f64, unit: &str) -> Impossible {
    Impossible(format!("{what} {value} {unit} cannot be"))
}

fn phase(values: PhaseValues, false_zero: bool, ratio: Ratio) -> PhaseReading {
    let current = values
        .current_ma
        .filter(|current| !(false_zero && *current == 0))
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
    finer.map_or(end, |finer| finer.clamp(current, end))
}

/// On nets without a neutral some meters send 0 V, and some also 0 A, for the second line, as if these were measured.
fn second_line_without_voltage(telegram: &Telegram) -> bool {
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
#[derive(Debug, Clone, Copy)]
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
                        one_phase: true,
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
            translator.translate(&it, Place::default()).unwrap().phases[1]
                .unwrap()
                .current_a
        };
        assert_eq!(second(0), None);
        assert_eq!(second(3_500), Some(Milliamps(3_500)));
        assert_eq!(second(0), Some(Milliamps(0)));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_value() {
        let place = Place {
            one_phase: false,
            main_fuse: Some(Milliamps::from_amps(25)),
        };
        let refused = |change: fn(&mut Telegram)| {
            let mut wrong = telegram();
            change(&mut wrong);
            Translator::new(1.0)
                .translate(&wrong, place)
                .map_err(|impossible| impossible.to_string())
                .err()
        };
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|it| it.phases[1].current_ma = Some(100_000)), None);
        assert_eq!(
            refused(|it| it.phases[1].current_ma = Some(100_010)).as_deref(),
            Some("L2 100.0 A is over four times the main fuse of 25 A")
        );
        for change in [
            (|it| it.phases[0].current_ma = Some(65_535_000)) as fn(&mut Telegram),
            |it| it.phases[1].current_ma = Some(655_350),
            |it| it.phases[0].current_ma = Some(-1000),
            |it| it.phases[0].voltage_mv = Some(6_553_500),
            |it| it.phases[0].voltage_mv = Some(-230_000),
            |it| it.phases[0].import_mw = Some(-1),
            |it| it.import_mw = Some(-2_870_000),
            |it| it.import_mw = Some(65_535_000),
            |it| it.import_mw = Some(4_294_967_295_000),
            |it| it.export_mw = Some(133_000_000),
        ] {
            assert!(refused(change).is_some());
        }
    }

    #[test]
    fn a_transformer_ratio_counts_before_a_current_is_judged() {
        let place = Place {
            one_phase: false,
            main_fuse: Some(Milliamps::from_amps(63)),
        };
        let mut far = telegram();
        far.phases[1].current_ma = Some(5_000);
        assert!(Translator::new(60.0).translate(&far, place).is_err());
        assert!(Translator::new(1.0).translate(&far, place).is_ok());
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
        assert_eq!(current(7, 230, 1500), Some(Milliamps(7_000)));
        assert_eq!(current(7, 230, 3000), Some(Milliamps(7_990)));
    }
}

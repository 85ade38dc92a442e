//! Values that no house can have: a telegram with one of them is refused as a whole.
//!
//! Over four times the main fuse, negative, all bits set, a voltage that no house has. Currents count behind the
//! transformers, in the size that the fuse sees.

use crate::ratio::Ratio;
use headroom_codec::Telegram;
use headroom_core::units::{Milliamps, Millivolts, PerPhase, Phase, Watts};
use std::fmt;

/// Above any voltage of a house, between lines too. Binary meters send 6553.5 V for none.
const IMPOSSIBLE_VOLTAGE_MV: i64 = 500_000;
/// Between two lines, with the tolerance of EN 50160: for the power that goes with the highest current.
const HIGHEST_VOLTAGE_V: i64 = 440;
/// A main fuse lets more than this pass for tens of milliseconds only, too short for a telegram.
const FUSE_MULTIPLE: i64 = 4;
/// Numbers with all bits set: what binary meters send for a value that they do not have.
const ALL_BITS: [i64; 3] = [0xFFFF, 0xFFFF_FFFF, 0x7FFF_FFFF];

/// A value that cannot be true, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible {
    text: String,
    of_this_house: bool,
}

impl Impossible {
    /// Whether another house could have it: then this one's main fuse or transformer ratio may be set wrong.
    pub fn is_of_this_house(&self) -> bool {
        self.of_this_house
    }
}

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Looks for values that cannot be true. Currents count behind the transformers, in the size that the fuse sees.
pub(crate) fn check(
    telegram: &Telegram,
    fuse: Option<PerPhase<Milliamps>>,
    ratio: Ratio,
) -> Result<(), Impossible> {
    for (phase, values) in Phase::ALL.into_iter().zip(&telegram.phases) {
        let fuse = fuse.map(|fuse| fuse.get(phase));
        let line = phase.to_string();
        if let Some(current) = values.current_ma {
            check_current(&line, current, values.current_step_ma, fuse, ratio)?;
        }
        if let Some(voltage) = values.voltage_mv
            && !(0..=IMPOSSIBLE_VOLTAGE_MV).contains(&voltage)
        {
            return Err(impossible(&line, Millivolts(voltage).to_f64(), "V"));
        }
        check_power(
            &line,
            "W",
            [values.import_mw, values.export_mw],
            fuse,
            ratio,
        )?;
    }
    let largest = fuse.and_then(|fuse| fuse.0.into_iter().max());
    let power = [telegram.import_mw, telegram.export_mw];
    let reactive = [telegram.import_mvar, telegram.export_mvar];
    check_power("total power", "W", power, largest, ratio)?;
    check_power("reactive power", "var", reactive, largest, ratio)?;
    for energy in [telegram.energy_import_mwh, telegram.energy_export_mwh] {
        if let Some(energy) = energy
            && (energy < 0 || ALL_BITS.contains(&(energy / 1000)))
        {
            return Err(impossible("energy", Milliamps(energy).to_f64(), "Wh"));
        }
    }
    Ok(())
}

fn check_current(
    line: &str,
    current: i64,
    step: Option<i64>,
    fuse: Option<Milliamps>,
    ratio: Ratio,
) -> Result<(), Impossible> {
    let step = step.unwrap_or(1).max(1);
    let amps = ratio.milliamps(current);
    let all_bits = ALL_BITS.contains(&(current / step)) || ALL_BITS.contains(&(current / 1000));
    if current < 0 || all_bits {
        return Err(impossible(line, amps.to_f64(), "A"));
    }
    match fuse {
        Some(fuse) if amps > Milliamps(fuse.0.saturating_mul(FUSE_MULTIPLE)) => Err(Impossible {
            text: format!("{line} {amps} is over four times the main fuse of {fuse}"),
            of_this_house: true,
        }),
        _ => Ok(()),
    }
}

/// Powers are magnitudes in their direction; all lines together carry at most what the fuse lets pass.
fn check_power(
    what: &str,
    unit: &str,
    directions: [Option<i64>; 2],
    fuse: Option<Milliamps>,
    ratio: Ratio,
) -> Result<(), Impossible> {
    // Three lines, four times the fuse each; milliamperes to amperes.
    let bound =
        fuse.map(|fuse| Watts(fuse.0.saturating_mul(FUSE_MULTIPLE * 3 * HIGHEST_VOLTAGE_V) / 1000));
    for milliwatts in directions.into_iter().flatten() {
        let watts = ratio.watts(milliwatts);
        if milliwatts < 0 || ALL_BITS.contains(&(milliwatts / 1000)) {
            return Err(impossible(what, watts.to_f64(), unit));
        }
        if bound.is_some_and(|bound| watts > bound) {
            return Err(Impossible {
                text: format!(
                    "{what} {} {unit} is over what four times the main fuse carries",
                    watts.to_f64()
                ),
                of_this_house: true,
            });
        }
    }
    Ok(())
}

fn impossible(what: &str, value: f64, unit: &str) -> Impossible {
    Impossible {
        text: format!("{what} {value} {unit} cannot be"),
        of_this_house: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Place, Translator, tests::telegram};

    #[test]
    fn what_cannot_be_is_refused_with_its_value() {
        let place = Place {
            main_fuse: Some(PerPhase([25, 25, 16].map(Milliamps::from_amps))),
            ..Place::default()
        };
        let refused = |change: fn(&mut Telegram)| {
            let mut wrong = telegram();
            change(&mut wrong);
            Translator::new(1.0)
                .translate(&wrong, place)
                .map_err(|impossible| (impossible.to_string(), impossible.is_of_this_house()))
                .err()
        };
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|it| it.phases[1].current_ma = Some(100_000)), None);
        let over = |text: &str| Some((text.to_owned(), true));
        assert_eq!(
            refused(|it| it.phases[1].current_ma = Some(100_010)),
            over("L2 100 A is over four times the main fuse of 25 A")
        );
        assert_eq!(
            refused(|it| it.export_mw = Some(133_000_000)),
            over("total power 133000 W is over what four times the main fuse carries")
        );
        for change in [
            (|it| it.phases[0].current_ma = Some(65_535_000)) as fn(&mut Telegram),
            |it| it.phases[1].current_ma = Some(655_350),
            |it| it.phases[2].current_ma = Some(64_010),
            |it| it.import_mvar = Some(4_294_967_295_000),
            |it| it.export_mvar = Some(-1),
            |it| it.energy_import_mwh = Some(-1),
            |it| it.energy_import_mwh = Some(4_294_967_295_000),
            |it| it.phases[0].current_ma = Some(-1000),
            |it| it.phases[0].voltage_mv = Some(6_553_500),
            |it| it.phases[0].voltage_mv = Some(-230_000),
            |it| it.phases[0].import_mw = Some(-1),
            |it| it.import_mw = Some(-2_870_000),
            |it| it.import_mw = Some(65_535_000),
            |it| it.import_mw = Some(4_294_967_295_000),
        ] {
            let (text, of_this_house) = refused(change).unwrap();
            assert!(text.ends_with(" cannot be") != of_this_house, "{text}");
        }
    }

    #[test]
    fn a_transformer_ratio_counts_before_a_current_is_judged() {
        let place = Place {
            main_fuse: Some(PerPhase::all(Milliamps::from_amps(63))),
            ..Place::default()
        };
        let mut far = telegram();
        far.phases[1].current_ma = Some(5_000);
        assert!(Translator::new(60.0).translate(&far, place).is_err());
        assert!(Translator::new(1.0).translate(&far, place).is_ok());
    }
}

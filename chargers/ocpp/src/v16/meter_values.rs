//! Meter values (OCPP 1.6 sections 4.7, 7.24 to 7.32) in every shape that the field sends.
//!
//! Tolerated: values as numbers or padded text; units A, mA, W, kW, Wh, kWh, V in any case, or
//! none; phases `L1`, `L1-N`, `N` or none; a missing measurand (the energy register, unless the
//! unit says otherwise); unknown measurands, contexts and locations.
//!
//! A current without a phase counts on every terminal, and so does one on `N`: where it flows is
//! not known. A current that is missing stays unknown; it is made up from power only where one
//! phase's power and voltage are known.

use serde_json::Value;

use crate::{
    time::{self, ReadTime},
    value::{member, milli, number, text_member},
};

/// Most sampled values that are looked at in one message: five measurands on five phases in eight
/// samples.
const MAX_SAMPLES: usize = 200;
/// Largest plausible current in amperes; a larger one is a mistake of unit and counts as missing.
const MAX_CURRENT_A: f64 = 1_000.0;
/// Largest plausible power in watts.
const MAX_POWER_W: f64 = 1_000_000.0;
/// Largest plausible energy register in kilowatt-hours.
const MAX_ENERGY_KWH: f64 = 4_000_000.0;
/// Voltages outside of this are a mistake.
const VOLTAGE_V: std::ops::RangeInclusive<f64> = 80.0..=500.0;

/// One quantity by phase: of L1 to L3, and without a phase.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct ByPhase {
    line: [Option<f64>; 3],
    whole: Option<f64>,
}

impl ByPhase {
    fn set(&mut self, phase: PhaseName, value: f64) {
        match phase {
            PhaseName::Line(index) => {
                if let Some(slot) = self.line.get_mut(index) {
                    *slot = Some(value);
                }
            }
            PhaseName::None => self.whole = Some(value),
            PhaseName::Other => {}
        }
    }

    fn of(&self, terminal: usize) -> Option<f64> {
        self.line.get(terminal).copied().flatten().or(self.whole)
    }

    fn largest(&self) -> Option<f64> {
        self.line
            .iter()
            .copied()
            .flatten()
            .chain(self.whole)
            .reduce(f64::max)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PhaseName {
    Line(usize),
    None,
    Other,
}

/// What one `MeterValues` message says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MeterReading {
    current_a: ByPhase,
    offered_a: ByPhase,
    power_w: ByPhase,
    voltage_v: ByPhase,
    /// Watt-hours.
    pub(crate) energy_wh: Option<u64>,
    /// The newest time stamp in it.
    pub(crate) stamp: Option<ReadTime>,
}

impl MeterReading {
    /// Reads the `meterValue` list of a payload.
    pub(crate) fn read(payload: &Value) -> Self {
        let mut reading = Self::default();
        let elements = match member(payload, "meterValue") {
            Some(Value::Array(elements)) => elements.as_slice(),
            Some(single @ Value::Object(_)) => std::slice::from_ref(single),
            _ => return reading,
        };
        let mut left = MAX_SAMPLES;
        for element in elements {
            let stamp = text_member(element, "timestamp").and_then(|text| time::read(&text));
            if let Some(stamp) = stamp
                && reading.stamp.is_none_or(|newest| stamp.at >= newest.at)
            {
                reading.stamp = Some(stamp);
            }
            let samples = match member(element, "sampledValue") {
                Some(Value::Array(samples)) => samples.as_slice(),
                Some(single @ Value::Object(_)) => std::slice::from_ref(single),
                _ => continue,
            };
            for sample in samples.iter().take(left) {
                reading.take(sample);
            }
            left = left.saturating_sub(samples.len());
        }
        reading
    }

    fn take(&mut self, sample: &Value) {
        let Some(number) = member(sample, "value").and_then(number) else {
            return;
        };
        let word = |name| {
            text_member(sample, name)
                .unwrap_or_default()
                .to_ascii_lowercase()
        };
        // What the vehicle measured itself, or signed binary data, is nothing to go by.
        if word("location") == "ev" || word("format") == "signeddata" {
            return;
        }
        let unit = word("unit");
        let measurand = match word("measurand").as_str() {
            "" => match unit.as_str() {
                "a" | "ma" => "current.import",
                "w" | "kw" => "power.active.import",
                "v" => "voltage",
                _ => "energy.active.import.register",
            }
            .to_owned(),
            named => named.to_owned(),
        };
        let phase = phase_name(&word("phase"));
        let scale = if unit.starts_with('k') { 1000.0 } else { 1.0 };
        match measurand.as_str() {
            "current.import" | "current.offered" => {
                let ampere = if unit == "ma" {
                    number / 1000.0
                } else {
                    number
                };
                let Some(milliamps) = milli(ampere, MAX_CURRENT_A) else {
                    return;
                };
                let ampere = f64::from(milliamps) / 1000.0;
                if measurand == "current.import" {
                    self.current_a.set(phase, ampere);
                } else {
                    self.offered_a.set(phase, ampere);
                }
            }
            "power.active.import" => {
                let watts = number * scale;
                if watts.abs() <= MAX_POWER_W {
                    self.power_w.set(phase, watts.abs());
                }
            }
            "voltage" if VOLTAGE_V.contains(&number) => self.voltage_v.set(phase, number),
            "energy.active.import.register" if matches!(phase, PhaseName::None) => {
                // Millionths are far below a watt-hour; `milli` of kWh is whole Wh.
                let kwh = number * scale / 1000.0;
                if number >= 0.0 {
                    self.energy_wh = milli(kwh, MAX_ENERGY_KWH).map(u64::from);
                }
            }
            _ => {}
        }
    }

    /// Current per terminal in milliamperes; `None` if the message has no word on current or
    /// power at all, so that what was known before stays.
    pub(crate) fn terminals(&self, terminals: usize) -> Option<Vec<Option<u32>>> {
        let of_terminal = |terminal: usize| {
            let ampere = self
                .current_a
                .of(terminal)
                .or_else(|| self.power_over_voltage(terminal, terminals));
            ampere.and_then(|ampere| milli(ampere, MAX_CURRENT_A))
        };
        let told = self.current_a != ByPhase::default() || self.power_w != ByPhase::default();
        let mut currents: Vec<_> = told.then(|| (0..terminals).map(of_terminal).collect())?;
        if let [first, second @ None] = currents.as_mut_slice() {
            // Between two lines the same current flows through both terminals.
            *second = *first;
        }
        Some(currents)
    }

    fn power_over_voltage(&self, terminal: usize, terminals: usize) -> Option<f64> {
        if self.current_a != ByPhase::default() {
            // Some phases are told: the missing one is missing, whatever the power says.
            return None;
        }
        if self.power_w.largest() == Some(0.0) {
            return Some(0.0);
        }
        let line = self.power_w.line.get(terminal).copied().flatten();
        let watts = if terminals == 1 {
            line.or(self.power_w.whole)
        } else {
            line
        };
        Some(watts? / self.voltage_v.of(terminal)?)
    }

    /// The limit that the charge point says is in force, in milliamperes.
    pub(crate) fn offered_ma(&self) -> Option<u32> {
        self.offered_a
            .largest()
            .and_then(|ampere| milli(ampere, MAX_CURRENT_A))
    }
}

fn phase_name(word: &str) -> PhaseName {
    match word {
        "" | "n" => PhaseName::None,
        "l1" | "l1-n" => PhaseName::Line(0),
        "l2" | "l2-n" => PhaseName::Line(1),
        "l3" | "l3-n" => PhaseName::Line(2),
        _ => PhaseName::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(samples: &Value) -> MeterReading {
        MeterReading::read(&json!({"connectorId": 1, "meterValue": [
            {"timestamp": "2026-01-15T12:00:10Z", "sampledValue": samples}]}))
    }

    fn current(samples: &Value, terminals: usize) -> Option<Vec<Option<u32>>> {
        read(samples).terminals(terminals)
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn currents_in_every_shape() {
        let a = Some;
        let cases = [
            (
                "plain phases",
                json!([{"value":"9.8","measurand":"Current.Import","phase":"L1","unit":"A"},
                       {"value":"9.7","measurand":"Current.Import","phase":"L2","unit":"A"},
                       {"value":"0","measurand":"Current.Import","phase":"L3","unit":"A"}]),
                3,
                Some(vec![a(9_800), a(9_700), a(0)]),
            ),
            (
                "L1-N and a JSON number",
                json!([{"value":9.8,"measurand":"Current.Import","phase":"L1-N","unit":"A"}]),
                1,
                Some(vec![a(9_800)]),
            ),
            (
                "leading space, only L1 of three: the others are unknown",
                json!([{"value":" 9.6","measurand":"Current.Import","phase":"L1","unit":"A"}]),
                3,
                Some(vec![a(9_600), None, None]),
            ),
            (
                "between two lines one current is told, and flows in both",
                json!([{"value":"11","measurand":"Current.Import","phase":"L1","unit":"A"}]),
                2,
                Some(vec![a(11_000); 2]),
            ),
            (
                "phase N means the one phase",
                json!([{"value":"12","measurand":"Current.Import","phase":"N"}]),
                1,
                Some(vec![a(12_000)]),
            ),
            (
                "no phase counts everywhere",
                json!([{"value":"12","measurand":"Current.Import"}]),
                3,
                Some(vec![a(12_000); 3]),
            ),
            (
                "milliamperes",
                json!([{"value":"15800","measurand":"Current.Import","unit":"mA"}]),
                1,
                Some(vec![a(15_800)]),
            ),
            (
                "milliamperes that claim to be amperes are missing",
                json!([{"value":"15800","measurand":"Current.Import","unit":"A"}]),
                1,
                None,
            ),
            (
                "unit tells what the measurand does not",
                json!([{"value":"8","unit":"A"}]),
                1,
                Some(vec![a(8_000)]),
            ),
            (
                "power of the one phase and its voltage",
                json!([{"value":"2.3","measurand":"Power.Active.Import","unit":"kW"},
                       {"value":"230","measurand":"Voltage","unit":"V"}]),
                1,
                Some(vec![a(10_000)]),
            ),
            (
                "power per phase",
                json!([{"value":2300,"measurand":"Power.Active.Import","phase":"L2-N","unit":"W"},
                       {"value":"230","measurand":"Voltage"}]),
                3,
                Some(vec![None, a(10_000), None]),
            ),
            (
                "total power over three phases says nothing of one of them",
                json!([{"value":"6900","measurand":"Power.Active.Import"},
                       {"value":"230","measurand":"Voltage"}]),
                3,
                Some(vec![None, None, None]),
            ),
            (
                "no power is no current",
                json!([{"value":"0","measurand":"Power.Active.Import"}]),
                3,
                Some(vec![a(0); 3]),
            ),
            (
                "the vehicle's own word and signed data are ignored",
                json!([{"value":"3","measurand":"Current.Import","location":"EV"},
                       {"value":"3","measurand":"Current.Import","format":"SignedData"}]),
                1,
                None,
            ),
            (
                "unknown words are no reason to refuse the rest",
                json!([{"value":"50","measurand":"Frequency","unit":"Hz","context":"Odd"},
                       {"value":"7","measurand":"Wishes","unit":""},
                       {"value":"6","measurand":"Current.Import","location":"","context":"Odd"}]),
                1,
                Some(vec![a(6_000)]),
            ),
            (
                "text that is no number",
                json!([{"value":"NaN","measurand":"Current.Import"},
                       {"value":"----","measurand":"Current.Import"}, 7, null]),
                1,
                None,
            ),
        ];
        for (name, samples, terminals, want) in cases {
            assert_eq!(current(&samples, terminals), want, "{name}");
        }
    }

    #[test]
    fn energy_and_offer() {
        let cases = [
            (json!([{"value":"3200"}]), Some(3_200), None),
            (json!([{"value":3.2,"unit":"kWh"}]), Some(3_200), None),
            (json!([{"value":"-4"}]), None, None),
            (json!([{"value":"1e300"}]), None, None),
            (json!([{"value":"99","phase":"L1"}]), None, None),
            (
                json!([{"value":"16.0","measurand":"Current.Offered","unit":"A"}]),
                None,
                Some(16_000),
            ),
        ];
        for (samples, energy, offered) in cases {
            let reading = read(&samples);
            assert_eq!(
                (reading.energy_wh, reading.offered_ma()),
                (energy, offered),
                "{samples}"
            );
        }
    }

    #[test]
    fn the_newest_stamp_counts_and_missing_ones_do_not_matter() {
        let reading = MeterReading::read(&json!({"meterValue": [
            {"timestamp": "2026-01-15T12:00:20", "sampledValue": []},
            {"timestamp": "2026-01-15T12:00:10Z", "sampledValue": [{"value": "6", "unit": "A"}]},
            {"timestamp": "", "sampledValue": {"value": "7", "unit": "A"}}]}));
        let stamp = reading.stamp.unwrap();
        assert_eq!(
            (stamp.at.to_string().as_str(), stamp.zoned),
            ("2026-01-15T12:00:20Z", false)
        );
        assert_eq!(reading.terminals(1), Some(vec![Some(7_000)]));
    }

    proptest! {
        #[test]
        fn any_sample_is_read_without_panic(
            value in ".{0,12}", number in proptest::num::f64::ANY, unit in "(k|m)?(A|W|V|Wh)?",
            phase in "(L[0-4](-N)?|N|)", measurand in "(Current|Power|Voltage|)(\\.[A-Za-z.]{0,30})?",
        ) {
            let samples = json!([
                {"value": value, "unit": unit, "phase": phase, "measurand": measurand},
                {"value": number, "unit": unit, "phase": phase, "measurand": measurand}]);
            let reading = read(&samples);
            for terminals in 0..=3 {
                if let Some(currents) = reading.terminals(terminals) {
                    prop_assert_eq!(currents.len(), terminals);
                }
            }
        }
    }
}

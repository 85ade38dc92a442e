//! Meter values (OCPP 2.0.1, `MeterValueType`), brought into the shape that the reader of 1.6 takes
//! with all its tolerance.
//!
//! 2.0.1 sends numbers, a unit in `unitOfMeasure` and a power of ten beside it. Tolerated as well:
//! values as text, the unit as plain text, and the field `unit` of 1.6.

use serde_json::{Value, json};

use crate::{
    v16::meter_values::MeterReading,
    value::{integer_member, member, number, text, text_member},
};

/// Most elements and samples that are looked at in one message.
const MAX_ELEMENTS: usize = 50;
const MAX_SAMPLES: usize = 200;
/// Largest power of ten that a meter can mean, either way.
const MAX_MULTIPLIER: i32 = 9;

/// Reads the `meterValue` list of a payload.
pub(crate) fn read(payload: &Value) -> MeterReading {
    let mut left = MAX_SAMPLES;
    let elements: Vec<Value> = list(member(payload, "meterValue"))
        .iter()
        .take(MAX_ELEMENTS)
        .map(|element| {
            let samples = list(member(element, "sampledValue"));
            let samples: Vec<Value> = samples.iter().take(left).map(plain).collect();
            left = left.saturating_sub(samples.len());
            json!({"timestamp": member(element, "timestamp"), "sampledValue": samples})
        })
        .collect();
    MeterReading::read(&json!({"meterValue": elements}))
}

/// A list, or one thing that should be in one.
fn list(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(elements)) => elements,
        Some(single @ Value::Object(_)) => std::slice::from_ref(single),
        _ => &[],
    }
}

/// A sample in the shape of 1.6.
fn plain(sample: &Value) -> Value {
    let measure = member(sample, "unitOfMeasure");
    let unit = measure
        .and_then(|measure| text_member(measure, "unit").or_else(|| text(measure)))
        .or_else(|| text_member(sample, "unit"));
    let multiplier = measure
        .and_then(|measure| integer_member(measure, "multiplier"))
        .filter(|power| power.abs() <= MAX_MULTIPLIER)
        .unwrap_or(0);
    let value = member(sample, "value")
        .and_then(number)
        .map(|value| value * 10_f64.powi(multiplier));
    let mut converted = json!({"value": value});
    let words = ["measurand", "phase", "location", "context"];
    let fields = words
        .into_iter()
        .map(|name| (name, text_member(sample, name)))
        .chain([("unit", unit)]);
    if let Some(object) = converted.as_object_mut() {
        for (name, word) in fields {
            if let Some(word) = word {
                object.insert(name.to_owned(), word.into());
            }
        }
    }
    converted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(samples: &Value) -> MeterReading {
        read(&json!({"meterValue": [
            {"timestamp": "2026-01-15T12:00:10Z", "sampledValue": samples}]}))
    }

    #[test]
    fn currents_in_every_shape() {
        let cases = [
            (
                "as the standard says",
                json!([{"value": 9.8, "measurand": "Current.Import", "phase": "L1",
                    "unitOfMeasure": {"unit": "A"}}]),
                vec![Some(9_800), None, None],
            ),
            (
                "with a power of ten",
                json!([{"value": 9800, "measurand": "Current.Import",
                    "unitOfMeasure": {"unit": "A", "multiplier": -3}}]),
                vec![Some(9_800); 3],
            ),
            (
                "text, and the unit of 1.6",
                json!([{"value": " 9.8", "measurand": "Current.Import", "phase": "L2-N", "unit": "A"}]),
                vec![None, Some(9_800), None],
            ),
            (
                "the unit as text",
                json!([{"value": 9800, "measurand": "Current.Import", "unitOfMeasure": "mA"}]),
                vec![Some(9_800); 3],
            ),
            (
                "kW by a power of ten, one phase",
                json!([{"value": 2.3, "measurand": "Power.Active.Import", "phase": "L3",
                        "unitOfMeasure": {"unit": "W", "multiplier": 3}},
                    {"value": 230, "measurand": "Voltage", "unitOfMeasure": {"unit": "V"}}]),
                vec![None, None, Some(10_000)],
            ),
            (
                "an absurd power of ten counts as none",
                json!([{"value": 8, "measurand": "Current.Import",
                    "unitOfMeasure": {"unit": "A", "multiplier": 300}}]),
                vec![Some(8_000); 3],
            ),
        ];
        for (name, samples, want) in cases {
            assert_eq!(one(&samples).terminals(3), Some(want), "{name}");
        }
    }

    #[test]
    fn energy_offer_and_stamp() {
        let reading = one(&json!([
            {"value": 3.2, "unitOfMeasure": {"unit": "kWh"}},
            {"value": 16, "measurand": "Current.Offered", "unitOfMeasure": {"unit": "A"}},
            {"value": "signed", "signedMeterValue": {"signedMeterData": "AA"}}, 7, null]));
        assert_eq!(reading.energy_wh, Some(3_200));
        assert_eq!(reading.offered_ma(), Some(16_000));
        assert!(reading.stamp.is_some_and(|stamp| stamp.zoned));
        for odd in [json!(null), json!({"meterValue": 7}), json!([])] {
            assert_eq!(read(&odd), MeterReading::default(), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn any_sample_is_read_without_panic(
            value in proptest::num::f64::ANY, power in proptest::num::i32::ANY, unit in ".{0,4}",
        ) {
            let reading = one(&json!([{"value": value, "measurand": "Current.Import",
                "unitOfMeasure": {"unit": unit, "multiplier": power}}]));
            drop(reading.terminals(3));
        }
    }
}

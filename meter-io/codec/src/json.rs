//! From the JSON of network meters to telegrams.
//!
//! Input: one whole answer or message of a `HomeWizard` meter, an amsreader or a Shelly. Output: a [`Telegram`], or why
//! there is none. Fields that are missing or `null` are missing; a field that should be a number and is none makes the
//! whole answer unreadable. JSON does not keep the resolution of a number (`4.20` is `4.2`), so each device's module says
//! what a current's step is, and takes the coarser one when in doubt.

mod amsreader;
mod amsreader_mqtt;
mod fields;
mod homewizard;
mod shelly;

pub use amsreader::amsreader;
pub use amsreader_mqtt::amsreader_mqtt;
pub use homewizard::{homewizard, homewizard_device};
pub use shelly::{ShellyDevice, shelly, shelly_device, shelly_phases};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Names that the modules look for, and values of every kind.
    fn any_object() -> impl Strategy<Value = String> {
        let names = prop::sample::select(vec![
            "i",
            "e",
            "hm",
            "he",
            "ds",
            "l1",
            "l2",
            "u1",
            "i2",
            "u",
            "power_w",
            "current_a",
            "current_l1_a",
            "voltage_l1_v",
            "apparent_power_va",
            "timestamp",
            "active_power_w",
            "a_current",
            "a_errors",
            "errors",
            "total_act_power",
        ]);
        let value = prop_oneof![
            any::<f64>().prop_map(|number| serde_json::json!(number).to_string()),
            any::<i64>().prop_map(|number| number.to_string()),
            "[0-9T:é-]{0,24}".prop_map(|text| serde_json::json!(text).to_string()),
            Just("null".to_owned()),
            Just("[1,\"no_load\",null]".to_owned()),
            Just("{\"u\":230.1,\"i\":-7e3,\"e\":true,\"p\":1e-9}".to_owned()),
        ];
        prop::collection::vec((names, value), 0..12).prop_map(|pairs| {
            let pairs: Vec<String> = pairs
                .into_iter()
                .map(|(name, value)| format!("\"{name}\":{value}"))
                .collect();
            format!("{{{}}}", pairs.join(","))
        })
    }

    fn all(bytes: &[u8]) {
        for read in [
            homewizard(bytes),
            amsreader(bytes),
            shelly(bytes),
            shelly_phases([bytes; 3]),
        ] {
            let Ok(telegram) = read else { continue };
            for phase in telegram.phases {
                assert!(phase.current_ma.is_none_or(|current| current >= 0));
                assert_eq!(phase.current_ma.is_some(), phase.current_step_ma.is_some());
            }
        }
        homewizard_device(bytes);
        drop(shelly_device(bytes));
    }

    proptest! {
        #[test]
        fn any_bytes_and_objects_are_accepted(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any_object()) {
            all(&bytes);
            all(text.as_bytes());
        }
    }
}

//! Writes what a meter says as a P1 telegram, the way Swedish meters do (IEC 62056-21 mode D; SIS/Energi
//! "H1": currents in 0.1 A, voltages in 0.1 V, powers in 1 W, also per phase), with the CRC-16/ARC of
//! every byte from `/` to `!`.
//!
//! Values are those of the sample; nothing is invented but the meter's name. The decimals of the
//! currents follow the sample's own steps, so that meters of whole amperes can be written too.

use crc::{CRC_16_ARC, Crc};
use headroom_core::units::Phase;

use crate::meter::MeterSample;

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_ARC);

/// Who the meter says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The line behind `/`: three letters, a digit, free text.
    pub model: String,
    /// Its number as sent in `0-0:96.1.1` (hex text of ASCII, as is usual); `None`: it sends none, as the
    /// Swedish recommendation has it.
    pub meter_id: Option<String>,
}

impl Default for Identity {
    /// A maker and a number that nobody has.
    fn default() -> Self {
        // "HEADROOM-DEMO-01"
        let meter_id = Some("48454144524F4F4D2D44454D4F2D3031".to_owned());
        Self {
            model: "HRM5\\2DEMO".to_owned(),
            meter_id,
        }
    }
}

/// One telegram. `clock` is the meter's clock as sent: `YYMMDDhhmmss` and `W` or `S`.
pub fn telegram(sample: &MeterSample, identity: &Identity, clock: &str) -> Vec<u8> {
    let mut text = format!("/{}\r\n\r\n0-0:1.0.0({clock})\r\n", identity.model);
    if let Some(id) = &identity.meter_id {
        line(&mut text, "0-0:96.1.1", id);
    }
    line(&mut text, "1-0:1.8.0", &energy(sample.energy_import_wh));
    line(&mut text, "1-0:2.8.0", &energy(sample.energy_export_wh));
    line(&mut text, "1-0:1.7.0", &kilo(sample.power().0, "kW"));
    line(&mut text, "1-0:2.7.0", &kilo(-sample.power().0, "kW"));
    line(&mut text, "1-0:3.7.0", &kilo(sample.reactive.0, "kvar"));
    line(&mut text, "1-0:4.7.0", &kilo(-sample.reactive.0, "kvar"));
    // Value group C of IEC 62056-61: 20, 40 and 60 for the three phases.
    let phases = Phase::ALL.into_iter().zip([20, 40, 60]);
    for (phase, group) in phases.clone() {
        let power = sample.powers.get(phase).0;
        line(
            &mut text,
            &format!("1-0:{}.7.0", group + 1),
            &kilo(power, "kW"),
        );
        line(
            &mut text,
            &format!("1-0:{}.7.0", group + 2),
            &kilo(-power, "kW"),
        );
    }
    for (phase, group) in phases.clone() {
        let tenths = sample.voltages.get(phase).0.max(0) / 100;
        let value = format!("{:03}.{}*V", tenths / 10, tenths % 10);
        line(&mut text, &format!("1-0:{}.7.0", group + 12), &value);
    }
    for (phase, group) in phases {
        let value = amperes(sample.currents.get(phase).0.max(0), sample.current_step.0);
        line(&mut text, &format!("1-0:{}.7.0", group + 11), &value);
    }
    text.push('!');
    let crc = CRC.checksum(text.as_bytes());
    format!("{text}{crc:04X}\r\n").into_bytes()
}

fn line(text: &mut String, code: &str, value: &str) {
    for part in [code, "(", value, ")\r\n"] {
        text.push_str(part);
    }
}

/// A power in its own direction in kilo-units; what flows the other way is nothing here.
fn kilo(value: i64, unit: &str) -> String {
    let value = value.max(0);
    format!("{:04}.{:03}*{unit}", value / 1000, value % 1000)
}

fn energy(watt_hours: u64) -> String {
    format!("{:08}.{:03}*kWh", watt_hours / 1000, watt_hours % 1000)
}

/// As many decimals as the steps of the meter have.
fn amperes(milliamps: i64, step: i64) -> String {
    let (whole, rest) = (milliamps / 1000, milliamps % 1000);
    match step {
        1000.. => format!("{whole:03}*A"),
        100..=999 => format!("{whole:03}.{}*A", rest / 100),
        10..=99 => format!("{whole:03}.{:02}*A", rest / 10),
        _ => format!("{whole:03}.{rest:03}*A"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use headroom_core::units::{Milliamps, Millivolts, PerPhase, Vars, Watts};
    use proptest::prelude::*;

    use super::*;

    const CLOCK: &str = "260115120010W";

    fn sample() -> MeterSample {
        MeterSample {
            powers_only: false,
            measured_at_ms: 0,
            currents: PerPhase([Milliamps(4_000), Milliamps(25_400), Milliamps(100)]),
            current_step: Milliamps(100),
            voltages: PerPhase([
                Millivolts(230_400),
                Millivolts(229_900),
                Millivolts(231_000),
            ]),
            powers: PerPhase([Watts(912), Watts(5_840), Watts(-23)]),
            reactive: Vars(310),
            energy_import_wh: 12_345_678,
            energy_export_wh: 5,
        }
    }

    #[test]
    fn a_telegram_looks_as_swedish_meters_write_it() {
        let text = String::from_utf8(telegram(&sample(), &Identity::default(), CLOCK)).unwrap();
        let expected = "/HRM5\\2DEMO\r\n\r\n0-0:1.0.0(260115120010W)\r\n\
            0-0:96.1.1(48454144524F4F4D2D44454D4F2D3031)\r\n\
            1-0:1.8.0(00012345.678*kWh)\r\n1-0:2.8.0(00000000.005*kWh)\r\n\
            1-0:1.7.0(0006.729*kW)\r\n1-0:2.7.0(0000.000*kW)\r\n\
            1-0:3.7.0(0000.310*kvar)\r\n1-0:4.7.0(0000.000*kvar)\r\n\
            1-0:21.7.0(0000.912*kW)\r\n1-0:22.7.0(0000.000*kW)\r\n\
            1-0:41.7.0(0005.840*kW)\r\n1-0:42.7.0(0000.000*kW)\r\n\
            1-0:61.7.0(0000.000*kW)\r\n1-0:62.7.0(0000.023*kW)\r\n\
            1-0:32.7.0(230.4*V)\r\n1-0:52.7.0(229.9*V)\r\n1-0:72.7.0(231.0*V)\r\n\
            1-0:31.7.0(004.0*A)\r\n1-0:51.7.0(025.4*A)\r\n1-0:71.7.0(000.1*A)\r\n!";
        assert_eq!(
            text.strip_suffix("\r\n")
                .unwrap()
                .rsplit_once('!')
                .unwrap()
                .0
                .to_owned()
                + "!",
            expected
        );
    }

    /// The checksum bit by bit: polynomial x16 + x15 + x2 + 1, reflected, from 0.
    fn bitwise_crc(bytes: &[u8]) -> u16 {
        bytes.iter().fold(0, |crc, byte| {
            (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
                if crc & 1 == 1 {
                    (crc >> 1) ^ 0xA001
                } else {
                    crc >> 1
                }
            })
        })
    }

    /// Values by code, as a reader of the format sees them; checks the frame on the way.
    fn read(telegram: &[u8]) -> HashMap<String, String> {
        let text = std::str::from_utf8(telegram).unwrap();
        let end = text.find('!').unwrap();
        let crc = text[end + 1..].strip_suffix("\r\n").unwrap();
        assert_eq!(crc, format!("{:04X}", bitwise_crc(&telegram[..=end])));
        let mut lines = text[..end].split("\r\n");
        assert!(lines.next().unwrap().starts_with('/'));
        assert_eq!(lines.next(), Some(""));
        lines
            .filter_map(|line| line.split_once('('))
            .map(|(code, rest)| (code.to_owned(), rest.strip_suffix(')').unwrap().to_owned()))
            .collect()
    }

    /// A decimal number with its unit, in thousandths.
    fn milli(value: &str, unit: &str) -> i64 {
        let number = value.strip_suffix(unit).unwrap().strip_suffix('*').unwrap();
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        format!("{whole}{decimals:0<3}").parse().unwrap()
    }

    fn per_phase<T: std::fmt::Debug>(
        one: impl Strategy<Value = T>,
    ) -> impl Strategy<Value = PerPhase<T>> {
        proptest::array::uniform3(one).prop_map(PerPhase)
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_measured(
            tenths in per_phase(0_i64..2000),
            volts in per_phase(0_i64..4000),
            watts in per_phase(-40_000_i64..40_000),
            vars in -40_000_i64..40_000,
            energy in 0_u64..99_999_999_999,
            step in prop::sample::select(vec![1, 10, 100, 1000]),
        ) {
            let currents = tenths.map(|a| Milliamps(a * step));
            let sample = MeterSample {
                currents,
                current_step: Milliamps(step),
                voltages: volts.map(|v| Millivolts(v * 100)),
                powers: watts.map(Watts),
                reactive: Vars(vars),
                energy_import_wh: energy,
                ..sample()
            };
            let values = read(&telegram(&sample, &Identity::default(), CLOCK));
            let value = |code: &str, unit: &str| milli(&values[&format!("1-0:{code}")], unit);
            for (phase, (i, u, p, e)) in Phase::ALL.into_iter().zip([
                ("31.7.0", "32.7.0", "21.7.0", "22.7.0"),
                ("51.7.0", "52.7.0", "41.7.0", "42.7.0"),
                ("71.7.0", "72.7.0", "61.7.0", "62.7.0"),
            ]) {
                prop_assert_eq!(value(i, "A"), sample.currents.get(phase).0);
                prop_assert_eq!(value(u, "V"), sample.voltages.get(phase).0);
                prop_assert_eq!(value(p, "kW") - value(e, "kW"), sample.powers.get(phase).0);
            }
            prop_assert_eq!(value("1.7.0", "kW") - value("2.7.0", "kW"), sample.power().0);
            prop_assert_eq!(value("3.7.0", "kvar") - value("4.7.0", "kvar"), vars);
            prop_assert_eq!(u64::try_from(value("1.8.0", "kWh")).unwrap(), energy);
            prop_assert_eq!(values["0-0:1.0.0"].as_str(), CLOCK);
        }
    }

    #[test]
    fn a_house_that_is_asked_twice_writes_the_same_bytes() {
        let bytes = |seed| {
            let mut house = crate::House::new(crate::demo::house(), seed);
            house.step(60_000);
            std::iter::from_fn(|| house.fetch_sample())
                .flat_map(|sample| telegram(&sample, &Identity::default(), CLOCK))
                .collect::<Vec<u8>>()
        };
        assert_eq!(bytes(4), bytes(4));
        assert_ne!(bytes(4), bytes(5));
    }
}

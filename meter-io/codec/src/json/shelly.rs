//! Shelly Pro 3EM and 3EM-63: `EM.GetStatus` of its three-phase profile, `EM1.GetStatus` of its three single phases.
//!
//! Currents are magnitudes in milliamperes, powers are signed. A phase or device that reports an error is not believed.

use super::fields::{Fields, split};
use crate::{
    decoder::Reason,
    telegram::{PhaseValues, Protocol, Telegram, Text},
};

/// Currents are told in thousandths.
const CURRENT_STEP_MA: i64 = 1;
/// Voltages are told in tenths.
const VOLTAGE_STEP_MV: i64 = 100;
/// Notes that take nothing from the measurement: nothing is drawn; the phases turn the other way round.
const HARMLESS: [&str; 2] = ["no_load", "phase_sequence"];

/// What `GET /shelly` says of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellyDevice {
    /// Its hardware address.
    pub mac: Option<Text>,
    /// Its model, such as `SPEM-003CEBEU`.
    pub model: Option<Text>,
    /// Its three clamps are three meters of one phase each.
    pub single_phases: bool,
    /// It asks for a password.
    pub locked: bool,
}

/// Reads `GET /shelly`.
pub fn shelly_device(bytes: &[u8]) -> Result<ShellyDevice, Reason> {
    let fields = Fields::parse(bytes)?;
    Ok(ShellyDevice {
        mac: fields.text("mac"),
        model: fields.text("model"),
        single_phases: fields.text("profile").as_deref() == Some("monophase"),
        locked: fields.truth("auth_en") == Some(true),
    })
}

/// Reads `EM.GetStatus`.
pub fn shelly(bytes: &[u8]) -> Result<Telegram, Reason> {
    let fields = Fields::parse(bytes)?;
    if has_fault(&fields, "errors") {
        return Err(Reason::Faulty);
    }
    let mut telegram = Telegram::new(Protocol::Shelly);
    let total = fields.milli(&["total_act_power"])?;
    (telegram.import_mw, telegram.export_mw) = split(total);
    for (phase, name) in telegram.phases.iter_mut().zip(["a_", "b_", "c_"]) {
        *phase = read_phase(&fields, name)?;
    }
    known(telegram)
}

/// Reads `EM1.GetStatus` of the three clamps, in the order of the lines.
pub fn shelly_phases(answers: [&[u8]; 3]) -> Result<Telegram, Reason> {
    let mut telegram = Telegram::new(Protocol::Shelly);
    let mut total = Some(0_i64);
    for (phase, bytes) in telegram.phases.iter_mut().zip(answers) {
        let fields = Fields::parse(bytes)?;
        *phase = read_phase(&fields, "")?;
        let power = phase.import_mw.zip(phase.export_mw);
        total = total
            .zip(power)
            .map(|(sum, (import, export))| sum + import - export);
    }
    (telegram.import_mw, telegram.export_mw) = split(total);
    known(telegram)
}

fn known(telegram: Telegram) -> Result<Telegram, Reason> {
    if telegram.is_empty() {
        return Err(Reason::Unknown);
    }
    Ok(telegram)
}

fn read_phase(fields: &Fields, prefix: &str) -> Result<PhaseValues, Reason> {
    if has_fault(fields, &format!("{prefix}errors")) {
        return Ok(PhaseValues::default());
    }
    let milli = |name: &str| fields.milli(&[&format!("{prefix}{name}")]);
    let current = milli("current")?.map(i64::abs);
    let voltage = milli("voltage")?;
    let (import_mw, export_mw) = split(milli("act_power")?);
    Ok(PhaseValues {
        current_ma: current,
        current_step_ma: current.map(|_| CURRENT_STEP_MA),
        voltage_mv: voltage,
        voltage_step_mv: voltage.map(|_| VOLTAGE_STEP_MV),
        import_mw,
        export_mw,
        ..PhaseValues::default()
    })
}

fn has_fault(fields: &Fields, name: &str) -> bool {
    // Where no list stands but a text alone, that is an error too.
    let alone = fields.text(name);
    let mut errors = fields.texts(name).into_iter().chain(alone.as_deref());
    errors.any(|error| !HARMLESS.contains(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = r#"{"id":0,"a_current":0.595,"a_voltage":225.3,"a_act_power":-60.2,"a_aprt_power":134.0,"a_pf":0.45,
        "b_current":1.041,"b_voltage":223.9,"b_act_power":72.8,"c_current":2.057,"c_voltage":226.0,"c_act_power":401.7,
        "n_current":null,"total_current":3.693,"total_act_power":414.3,"user_calibrated_phase":[]ERRORS}"#;

    fn read(errors: &str) -> Result<Telegram, Reason> {
        shelly(STATUS.replace("ERRORS", errors).as_bytes())
    }

    #[test]
    fn three_phases_with_the_direction_of_their_power() {
        let telegram = read(r#","errors":["phase_sequence"],"a_errors":["no_load"]"#).unwrap();
        assert_eq!(
            telegram.phases.map(|phase| phase.current_ma),
            [Some(595), Some(1041), Some(2057)]
        );
        assert_eq!(telegram.phases[0].export_mw, Some(60_200));
        assert_eq!(telegram.phases[0].current_step_ma, Some(1));
        assert_eq!(telegram.import_mw, Some(414_300));
        assert_eq!(telegram.phases[2].voltage_mv, Some(226_000));
    }

    #[test]
    fn a_fault_is_believed_and_its_values_are_not() {
        assert_eq!(
            read(r#","errors":["power_meter_failure"]"#),
            Err(Reason::Faulty)
        );
        let telegram = read(r#","b_errors":["out_of_range:current"]"#).unwrap();
        assert!(telegram.phases[1].is_empty());
        assert_eq!(telegram.phases[2].current_ma, Some(2057));
        let alone = read(r#","b_errors":"out_of_range:current""#).unwrap();
        assert_eq!(alone, telegram, "a text in place of a list");
        assert_eq!(shelly(b"{}"), Err(Reason::Unknown));
    }

    #[test]
    fn three_clamps_of_one_phase_each() {
        let one = |current: &str, power: &str| {
            format!(
                r#"{{"id":0,"current":{current},"voltage":230.1,"act_power":{power},"errors":[]}}"#
            )
        };
        let answers = [one("1.5", "300"), one("2", "-100.5"), one("0.25", "0")];
        let telegram = shelly_phases([
            answers[0].as_bytes(),
            answers[1].as_bytes(),
            answers[2].as_bytes(),
        ])
        .unwrap();
        assert_eq!(telegram.import_mw, Some(199_500));
        assert_eq!(telegram.phases[1].current_ma, Some(2000));
        assert_eq!(telegram.phases[1].export_mw, Some(100_500));
    }

    #[test]
    fn a_device_says_what_it_is() {
        let device = shelly_device(
            br#"{"id":"shellypro3em-0","mac":"00","model":"SPEM-003CEBEU","gen":2,"auth_en":true,"profile":"monophase"}"#,
        )
        .unwrap();
        assert!(device.locked && device.single_phases);
        assert_eq!(device.model.as_deref(), Some("SPEM-003CEBEU"));
    }
}

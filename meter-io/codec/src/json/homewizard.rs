//! `HomeWizard`: `GET /api/v1/data` and `GET /api/measurement` (version 2), of its P1 reader and its kWh meters.
//!
//! Version 2 has the same fields without the prefix `active_`. A kWh meter tells apparent currents besides the active ones:
//! those heat a fuse. The P1 reader hands on what its meter sends; newer ones compute a current that the meter does not
//! send as power over voltage, which leaves out the reactive part: that is not believed.

use super::fields::{Fields, set_step, split, step_ma};
use crate::{
    decoder::Reason,
    telegram::{PhaseValues, Protocol, Telegram, Text},
    time::MeterTime,
};

/// kWh meters measure currents in milliamperes.
const KWH_STEP_MA: i64 = 1;
const WHOLE_AMPERE_MA: i64 = 1000;
/// Powers are told in whole watts, so that a computed current times its voltage misses the power by up to this much, in
/// milliwatts; and by half a milliampere times the voltage.
const POWER_STEP_MW: i64 = 1000;

/// What `GET /api` says that it is: `HWE-P1`, `HWE-KWH3`, …
pub fn homewizard_device(bytes: &[u8]) -> Option<Text> {
    Fields::parse(bytes).ok()?.text("product_type")
}

/// Reads `/api/v1/data` or, of version 2, `/api/measurement`.
pub fn homewizard(bytes: &[u8]) -> Result<Telegram, Reason> {
    let fields = Fields::parse(bytes)?;
    let mut telegram = Telegram::new(Protocol::Homewizard);
    telegram.meter_id = fields.text("unique_id");
    telegram.meter_model = fields.text("meter_model");
    telegram.meter_time = fields.text("timestamp").and_then(|text| time(&text));
    let total = fields.milli(&["active_power_w", "power_w"])?;
    (telegram.import_mw, telegram.export_mw) = split(total);
    let reactive = fields.milli(&["active_reactive_power_var", "reactive_power_var"])?;
    (telegram.import_mvar, telegram.export_mvar) = split(reactive);
    telegram.energy_import_mwh =
        fields.milli_of_kilo(&["total_power_import_kwh", "energy_import_kwh"])?;
    telegram.energy_export_mwh =
        fields.milli_of_kilo(&["total_power_export_kwh", "energy_export_kwh"])?;
    for (phase, name) in telegram.phases.iter_mut().zip(["l1", "l2", "l3"]) {
        *phase = read_phase(&fields, &format!("_{name}"))?;
    }
    let apparent = ["active_apparent_power_va", "apparent_power_va"];
    let kwh_meter = fields.milli(&apparent)?.is_some();
    if kwh_meter
        && telegram
            .phases
            .iter()
            .all(|phase| phase.current_ma.is_none())
    {
        // A kWh meter of one phase names no phase.
        let [first, ..] = &mut telegram.phases;
        *first = read_phase(&fields, "")?;
    }
    if kwh_meter {
        set_step(&mut telegram.phases, KWH_STEP_MA);
    } else {
        doubt(&mut telegram.phases);
    }
    if telegram.is_empty() {
        return Err(Reason::Unknown);
    }
    Ok(telegram)
}

fn read_phase(fields: &Fields, infix: &str) -> Result<PhaseValues, Reason> {
    let milli = |what: &str, unit: &str| {
        let name = format!("{what}{infix}_{unit}");
        fields.milli(&[&format!("active_{name}"), &name])
    };
    let current = match milli("apparent_current", "a")? {
        None => milli("current", "a")?,
        apparent => apparent,
    };
    let (import_mw, export_mw) = split(milli("power", "w")?);
    Ok(PhaseValues {
        current_ma: current.map(i64::abs),
        voltage_mv: milli("voltage", "v")?,
        import_mw,
        export_mw,
        ..PhaseValues::default()
    })
}

/// Currents of a P1 reader: which of them its meter did not measure, and how coarse the others are.
fn doubt(phases: &mut [PhaseValues]) {
    let step = step_ma(phases);
    let known = || phases.iter().filter(|phase| phase.current_ma.is_some());
    if step < WHOLE_AMPERE_MA && known().all(is_computed) {
        for phase in phases.iter_mut() {
            phase.current_ma = None;
        }
    }
    set_step(phases, step);
}

/// Whether the current says nothing but the power divided by the voltage.
fn is_computed(phase: &PhaseValues) -> bool {
    let (Some(current), Some(voltage)) = (phase.current_ma, phase.voltage_mv) else {
        return false;
    };
    let (Some(import), Some(export)) = (phase.import_mw, phase.export_mw) else {
        return false;
    };
    let product = current.saturating_mul(voltage) / 1000;
    let error = product.saturating_sub(import.max(export)).abs();
    error <= POWER_STEP_MW + voltage / 2000
}

/// `2026-01-15T12:00:10`, local time of the meter.
fn time(text: &str) -> Option<MeterTime> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let century = digits.strip_prefix("20")?;
    MeterTime::from_digits(century, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Telegram {
        homewizard(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_p1_reader_with_whole_amperes() {
        let telegram = read(
            r#"{"smr_version":50,"meter_model":"TEST 100","unique_id":"54455354","active_power_w":-543,
            "active_power_l1_w":-676,"active_power_l2_w":133,"active_power_l3_w":0,"active_voltage_l1_v":231.4,
            "active_current_a":6,"active_current_l1_a":-4,"active_current_l2_a":2,"active_current_l3_a":0,
            "total_power_import_kwh":13.779,"total_power_export_kwh":null,"wifi_strength":100,"gas_timestamp":"x"}"#,
        );
        assert_eq!(
            (telegram.import_mw, telegram.export_mw),
            (Some(0), Some(543_000))
        );
        assert_eq!(telegram.energy_import_mwh, Some(13_779_000));
        assert_eq!(telegram.energy_export_mwh, None);
        assert_eq!(
            telegram.phases.map(|phase| phase.current_ma),
            [Some(4000), Some(2000), Some(0)]
        );
        assert_eq!(
            telegram.phases.map(|phase| phase.current_step_ma),
            [Some(1000); 3]
        );
        assert_eq!(telegram.phases[0].export_mw, Some(676_000));
        assert_eq!(telegram.phases[1].voltage_mv, None);
        assert_eq!(telegram.meter_model.as_deref(), Some("TEST 100"));
        assert_eq!(telegram.meter_time, None);
    }

    #[test]
    fn a_fuse_carries_the_apparent_current() {
        let telegram = read(
            r#"{"active_power_w":7100.3,"active_power_l1_w":0,"active_power_l2_w":3547,"active_power_l3_w":-3553,
            "active_voltage_l1_v":230.75,"active_current_l1_a":0,"active_current_l2_a":14.2,"active_current_l3_a":-15.4,
            "active_apparent_current_l1_a":0,"active_apparent_current_l2_a":15.539,"active_apparent_current_l3_a":15.5,
            "active_apparent_power_va":7112,"active_reactive_power_var":-429}"#,
        );
        assert_eq!(
            telegram.phases.map(|phase| phase.current_ma),
            [Some(0), Some(15_539), Some(15_500)]
        );
        assert_eq!(telegram.phases[1].current_step_ma, Some(1));
        assert_eq!(telegram.export_mvar, Some(429_000));
    }

    #[test]
    fn a_kwh_meter_of_one_phase_is_the_first_one() {
        let telegram = read(
            r#"{"energy_import_kwh":123.456,"power_w":345,"voltage_v":230.5,"current_a":1.5,"apparent_current_a":1.6,
            "apparent_power_va":369}"#,
        );
        assert_eq!(telegram.phases[0].current_ma, Some(1600));
        assert_eq!(telegram.phases[0].import_mw, Some(345_000));
        assert!(telegram.phases[1].is_empty());
    }

    #[test]
    fn a_current_that_is_power_over_voltage_is_not_believed() {
        let computed = read(
            r#"{"active_power_w":-11,"active_power_l1_w":-19,"active_voltage_l1_v":235.1,"active_current_l1_a":-0.081}"#,
        );
        assert_eq!(computed.phases[0].current_ma, None);
        let measured = read(
            r#"{"active_power_l1_w":400,"active_voltage_l1_v":235.1,"active_current_l1_a":2.21}"#,
        );
        assert_eq!(measured.phases[0].current_ma, Some(2210));
        assert_eq!(measured.phases[0].current_step_ma, Some(10));
    }

    #[test]
    fn the_second_version_tells_the_meters_clock() {
        let telegram = read(
            r#"{"protocol_version":50,"timestamp":"2026-06-28T14:12:34","power_w":676,"current_l1_a":4,"power_l1_w":676}"#,
        );
        assert_eq!(
            telegram.meter_time.unwrap().to_string(),
            "2026-06-28T14:12:34"
        );
        assert_eq!(telegram.phases[0].current_ma, Some(4000));
    }

    #[test]
    fn an_answer_without_a_meter_is_no_telegram() {
        for text in ["{}", r#"{"total_liter_m3":17.014,"active_liter_lpm":0}"#] {
            assert_eq!(homewizard(text.as_bytes()), Err(Reason::Unknown), "{text}");
        }
        assert_eq!(
            homewizard(br#"{"active_power_w":"many"}"#),
            Err(Reason::Malformed)
        );
        assert_eq!(
            homewizard_device(br#"{"product_type":"HWE-P1","api_version":"v1"}"#).as_deref(),
            Some("HWE-P1")
        );
    }
}

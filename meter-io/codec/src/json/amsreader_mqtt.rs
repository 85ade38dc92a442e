//! amsreader (amsleser.no): its messages over MQTT, payload type JSON.
//!
//! One message for each list of the meter, with the values of that list alone: `{"id":…,"data":{"P":…,"I1":…}}`, or the
//! same values without `data` around them. Prices and the state of the device come as other messages of the same kind.
//! Whether the device computed the second line's current does not show in them.

use super::fields::{Fields, set_step, step_ma};
use crate::{
    decoder::Reason,
    telegram::{PhaseValues, Protocol, Telegram},
};

/// Reads a message; [`Reason::Unknown`] for one that holds no value of a meter.
pub fn amsreader_mqtt(bytes: &[u8]) -> Result<Telegram, Reason> {
    let message = Fields::parse(bytes)?;
    let telegram = read(&message.object("data"))?;
    let telegram = if telegram.is_empty() {
        read(&message)?
    } else {
        telegram
    };
    if telegram.is_empty() {
        return Err(Reason::Unknown);
    }
    Ok(telegram)
}

fn read(data: &Fields) -> Result<Telegram, Reason> {
    let mut telegram = Telegram::new(Protocol::Amsreader);
    // Older firmware calls the meter's number `id`, as the device's own outside of `data`.
    telegram.meter_id = data.text("meterId").or_else(|| data.text("id"));
    telegram.meter_model = data.text("type");
    telegram.import_mw = data.milli(&["P"])?;
    telegram.export_mw = data.milli(&["PO"])?;
    telegram.import_mvar = data.milli(&["Q"])?;
    telegram.export_mvar = data.milli(&["QO"])?;
    let counter = |value: Option<i64>| value.filter(|value| *value > 0);
    telegram.energy_import_mwh = counter(data.milli_of_kilo(&["tPI"])?);
    telegram.energy_export_mwh = counter(data.milli_of_kilo(&["tPO"])?);
    for (number, phase) in (1..).zip(&mut telegram.phases) {
        *phase = read_phase(data, number)?;
    }
    let step = step_ma(&telegram.phases);
    set_step(&mut telegram.phases, step);
    Ok(telegram)
}

fn read_phase(data: &Fields, number: u8) -> Result<PhaseValues, Reason> {
    let value = |short: &str| data.milli(&[&format!("{short}{number}")]);
    let voltage = value("U")?;
    // The device tells zeros for a line that the meter does not tell.
    if voltage == Some(0) {
        return Ok(PhaseValues::default());
    }
    Ok(PhaseValues {
        current_ma: value("I")?.map(i64::abs),
        voltage_mv: voltage,
        import_mw: value("P")?,
        export_mw: value("PO")?,
        ..PhaseValues::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Telegram {
        amsreader_mqtt(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_power_alone() {
        let telegram = read(r#"{"id":"02:00:00:00:00:01","name":"ams","up":77,"data":{"P":1234}}"#);
        assert_eq!(telegram.import_mw, Some(1_234_000));
        assert!(!telegram.has_currents());
        assert_eq!((telegram.meter_id, telegram.export_mw), (None, None));
    }

    #[test]
    fn a_whole_list() {
        let values = r#""meterId":"7300000000000001","type":"6525","P":0,"PO":870,"Q":12,"QO":0,
            "I1":4.25,"I2":0.00,"I3":3.10,"U1":231.40,"U2":230.10,"U3":229.90,"tPI":1234.567,"tPO":0.000"#;
        let within = read(&format!(
            "{{\"id\":\"02:00\",\"data\":{{{values}}},\"realtime\":{{\"h\":1}}}}"
        ));
        assert_eq!(within, read(&format!("{{{values}}}")));
        assert_eq!(within.meter_id.as_deref(), Some("7300000000000001"));
        assert_eq!(within.meter_model.as_deref(), Some("6525"));
        assert_eq!(
            (within.import_mw, within.export_mw),
            (Some(0), Some(870_000))
        );
        assert_eq!(
            (within.import_mvar, within.export_mvar),
            (Some(12_000), Some(0))
        );
        assert_eq!(
            within.phases.map(|phase| phase.current_ma),
            [Some(4_250), Some(0), Some(3_100)]
        );
        assert_eq!(within.phases[2].current_step_ma, Some(10));
        assert_eq!(within.phases[0].voltage_mv, Some(231_400));
        assert_eq!(within.phases[0].import_mw, None);
        assert_eq!(within.energy_import_mwh, Some(1_234_567_000));
        assert_eq!(within.energy_export_mwh, None);
    }

    #[test]
    fn powers_of_phases() {
        let telegram = read(r#"{"data":{"P":500,"P1":700,"PO1":0,"P2":0,"PO2":200}}"#);
        assert_eq!(telegram.phases[0].import_mw, Some(700_000));
        assert_eq!(telegram.phases[1].export_mw, Some(200_000));
        assert!(telegram.phases[2].is_empty());
    }

    #[test]
    fn a_line_of_zero_volts_is_missing() {
        let telegram =
            read(r#"{"data":{"P":1,"I1":4,"I2":0,"I3":3.1,"U1":231,"U2":0.00,"U3":230}}"#);
        assert!(telegram.phases[1].is_empty());
        assert_eq!(telegram.phases[2].current_ma, Some(3_100));
    }

    #[test]
    fn other_messages_hold_no_values() {
        for text in [
            r#"{"id":"02:00","name":"ams","up":5,"vcc":3.3,"rssi":-60,"temp":21.5,"version":"2"}"#,
            r#"{"id":"02:00","prices":{"0":0.5,"min":0.1}}"#,
            r#"{"temperatures":{"28ff":21.5}}"#,
            "{}",
        ] {
            assert_eq!(
                amsreader_mqtt(text.as_bytes()),
                Err(Reason::Unknown),
                "{text}"
            );
        }
        for text in [
            "",
            "{",
            "[1]",
            r#"{"data":{"P":"x"}}"#,
            r#"{"data":{"I1":1e300}}"#,
        ] {
            assert_eq!(
                amsreader_mqtt(text.as_bytes()),
                Err(Reason::Malformed),
                "{text}"
            );
        }
    }
}

//! amsreader (amsleser.no): `data.json` of its page.
//!
//! It joins the meter's lists: the total power is of the newest one, phases of the last that had them. Newer firmware
//! has `l1:{u,i,p,q}`, older `u1`, `i1`. It tells zeros for what it has not heard.

use super::fields::{Fields, set_step, step_ma};
use crate::{
    decoder::Reason,
    telegram::{PhaseValues, Protocol, Telegram},
};

/// `hm`, the state of the meter's port, in thousandths: something valid was heard within the last 15 s.
const HEARD: i64 = 1000;
/// `ds`, in thousandths: a net with a neutral. In all others older firmware computed the second line's current.
const TN: i64 = 2000;

/// Reads `data.json`.
pub fn amsreader(bytes: &[u8]) -> Result<Telegram, Reason> {
    let fields = Fields::parse(bytes)?;
    let mut telegram = Telegram::new(Protocol::Amsreader);
    telegram.import_mw = fields.milli(&["i"])?;
    telegram.export_mw = fields.milli(&["e"])?;
    if telegram.import_mw.is_none() {
        return Err(Reason::Unknown);
    }
    // Error of the port, and how long ago a list came.
    let error = fields.milli(&["he"])?.unwrap_or_default();
    if error != 0 || fields.milli(&["hm"])?.is_some_and(|state| state != HEARD) {
        return Err(Reason::Old);
    }
    telegram.import_mvar = fields.milli(&["ri"])?;
    telegram.export_mvar = fields.milli(&["re"])?;
    let counter = |value: Option<i64>| value.filter(|value| *value > 0);
    telegram.energy_import_mwh = counter(fields.milli_of_kilo(&["ic"])?);
    telegram.energy_export_mwh = counter(fields.milli_of_kilo(&["ec"])?);
    for (number, phase) in (1..).zip(&mut telegram.phases) {
        *phase = read_phase(&fields, number)?;
    }
    let step = step_ma(&telegram.phases);
    set_step(&mut telegram.phases, step);
    let [_, second, _] = &mut telegram.phases;
    let computed = match fields.object("l2").truth("e") {
        Some(estimated) => estimated,
        None => fields.milli(&["ds"])? != Some(TN),
    };
    if computed {
        (second.current_ma, second.current_step_ma) = (None, None);
    }
    // Meters that tell no power per phase: all of them are zero.
    let power = |phase: &PhaseValues| phase.import_mw.max(phase.export_mw) > Some(0);
    if !telegram.phases.iter().any(power) {
        for phase in &mut telegram.phases {
            (phase.import_mw, phase.export_mw) = (None, None);
        }
    }
    Ok(telegram)
}

fn read_phase(fields: &Fields, number: u8) -> Result<PhaseValues, Reason> {
    let own = fields.object(&format!("l{number}"));
    let either = |short: &str| -> Result<Option<i64>, Reason> {
        match own.milli(&[short])? {
            None => fields.milli(&[&format!("{short}{number}")]),
            value => Ok(value),
        }
    };
    // Zero volts: it has heard nothing of this phase.
    let Some(voltage) = either("u")?.filter(|voltage| *voltage > 0) else {
        return Ok(PhaseValues::default());
    };
    Ok(PhaseValues {
        current_ma: either("i")?.map(i64::abs),
        voltage_mv: Some(voltage),
        import_mw: own.milli(&["p"])?,
        export_mw: own.milli(&["q"])?,
        ..PhaseValues::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Telegram {
        amsreader(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_page_of_newer_firmware() {
        let telegram = read(
            r#"{"i":2345,"e":0,"w":2345,"ri":120,"re":0,"ic":1234.567,"ec":0.000,
            "l1":{"u":231.40,"i":4.10,"p":940,"q":0,"f":0.99},"l2":{"u":230.90,"i":2.25,"p":0,"q":510,"f":1.00,"e":false},
            "l3":{"u":232.00,"i":0.00,"p":0,"q":0,"f":1.00},"hm":1,"wm":2,"mm":0,"me":0,"he":0,"ds":2,"mt":1,"u":86400,"c":1}"#,
        );
        assert_eq!(
            telegram.phases.map(|phase| phase.current_ma),
            [Some(4100), Some(2250), Some(0)]
        );
        assert_eq!(telegram.phases[0].current_step_ma, Some(10));
        assert_eq!(telegram.phases[1].export_mw, Some(510_000));
        assert_eq!(telegram.energy_import_mwh, Some(1_234_567_000));
        assert_eq!(telegram.energy_export_mwh, None);
        assert_eq!(telegram.import_mvar, Some(120_000));
    }

    #[test]
    fn a_second_line_that_is_computed_is_missing() {
        let it = |more: &str| {
            read(&format!(
                r#"{{"i":1,"l1":{{"u":230.1,"i":3}},"l2":{{"u":229.8,"i":9{more}}},"l3":{{"u":230.4,"i":5}},"ds":1}}"#
            ))
            .phases
            .map(|phase| phase.current_ma)
        };
        assert_eq!(it(r#","e":true"#), [Some(3000), None, Some(5000)]);
        assert_eq!(it(""), [Some(3000), None, Some(5000)]);
        assert_eq!(it(r#","e":false"#), [Some(3000), Some(9000), Some(5000)]);
        let old = r#"{"i":1,"u1":230.1,"i1":3,"u2":230.0,"i2":9,"u3":230.4,"i3":5,"ds":DS}"#;
        let second = |ds: &str| read(&old.replace("DS", ds)).phases[1].current_ma;
        assert_eq!((second("2"), second("0")), (Some(9000), None));
    }

    #[test]
    fn what_it_has_not_heard_is_missing() {
        let telegram = read(
            r#"{"i":500,"l1":{"u":0.0,"i":0.0,"p":0,"q":0},"l2":{"u":0,"i":0,"e":false},"l3":{"u":0,"i":0},"ic":0}"#,
        );
        assert!(!telegram.has_currents());
        assert_eq!(telegram.phases, [PhaseValues::default(); 3]);
        assert_eq!(telegram.energy_import_mwh, None);
        let telegram = read(r#"{"i":500,"l1":{"u":230.0,"i":2.5,"p":0,"q":0}}"#);
        assert_eq!(telegram.phases[0].import_mw, None);
    }

    #[test]
    fn what_it_marks_as_old_is_refused() {
        for more in [r#""hm":0"#, r#""hm":2"#, r#""hm":3"#, r#""he":-6"#] {
            let text = format!(r#"{{"i":500,{more}}}"#);
            assert_eq!(amsreader(text.as_bytes()), Err(Reason::Old), "{text}");
        }
        assert_eq!(amsreader(b"{}"), Err(Reason::Unknown));
    }
}

//! What a meter meant is what `headroom decode` says: telegrams with known values, through the real binary.

use headroom_tests::{
    controller,
    telegram::{Values, aidon, kaifa, kamstrup, p1},
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A list of a maker: name, encoder, protocol, model, list number, steps of current (mA) and voltage (mV).
struct Maker {
    name: &'static str,
    encode: fn(&Values) -> Vec<u8>,
    protocol: &'static str,
    model: &'static str,
    list: Option<&'static str>,
    current_step_ma: u32,
    voltage_step_mv: u32,
}

const MAKERS: [Maker; 4] = [
    Maker {
        name: "aidon",
        encode: aidon::list_2,
        protocol: "hdlc",
        model: aidon::MODEL,
        list: Some("2"),
        current_step_ma: 100,
        voltage_step_mv: 100,
    },
    Maker {
        name: "kaifa",
        encode: kaifa::list_2,
        protocol: "hdlc",
        model: kaifa::MODEL,
        list: Some("2"),
        current_step_ma: 1,
        voltage_step_mv: 100,
    },
    Maker {
        name: "kamstrup",
        encode: kamstrup::list_a,
        protocol: "hdlc",
        model: kamstrup::MODEL,
        list: None,
        current_step_ma: 10,
        voltage_step_mv: 1000,
    },
    Maker {
        name: "p1",
        encode: p1_telegram,
        protocol: "p1",
        model: p1::MODEL,
        list: None,
        current_step_ma: 100,
        voltage_step_mv: 100,
    },
];

fn p1_telegram(values: &Values) -> Vec<u8> {
    p1::telegram(values, 10)
}

impl Maker {
    /// Any values that its list can hold.
    fn values(&self) -> impl Strategy<Value = Values> + use<> {
        let (current_step, voltage_step) = (self.current_step_ma, self.voltage_step_mv);
        let current = (0..=320_000 / current_step).prop_map(move |n| n * current_step);
        let voltage =
            (180_000 / voltage_step..=260_000 / voltage_step).prop_map(move |n| n * voltage_step);
        let power = 0..1_000_000_u32;
        (
            "[0-9]{16}",
            (power.clone(), power.clone(), power.clone(), power),
            [current.clone(), current.clone(), current],
            [voltage.clone(), voltage.clone(), voltage],
        )
            .prop_map(|(meter_id, power, current_ma, voltage_mv)| {
                let milli = |units: u32| Some(i64::from(units) * 1000);
                Values {
                    meter_id: Some(meter_id),
                    export_mw: milli(power.1),
                    import_mvar: milli(power.2),
                    export_mvar: milli(power.3),
                    ..Values::house(power.0, current_ma, voltage_mv)
                }
            })
    }

    /// Where what was decoded is not what was meant.
    fn differences(&self, values: &Values, decoded: &Value) -> Vec<String> {
        let mut expected = vec![
            ("/protocol".to_owned(), json!(self.protocol)),
            ("/meter_id".to_owned(), json!(values.meter_id)),
            ("/meter_model".to_owned(), json!(self.model)),
            ("/import_w".to_owned(), unit(values.import_mw)),
            ("/export_w".to_owned(), unit(values.export_mw)),
            ("/import_var".to_owned(), unit(values.import_mvar)),
            ("/export_var".to_owned(), unit(values.export_mvar)),
            ("/list".to_owned(), json!(self.list)),
            ("/encrypted".to_owned(), json!(false)),
            ("/authenticated".to_owned(), json!(false)),
        ];
        for phase in 0..3 {
            let mut of_phase = |field: &str, value: Value| {
                expected.push((format!("/phases/{phase}/{field}"), value));
            };
            of_phase("phase", json!(["l1", "l2", "l3"][phase]));
            of_phase("current_a", unit(values.phases[phase].current_ma));
            of_phase(
                "current_step_a",
                json!(f64::from(self.current_step_ma) / 1000.0),
            );
            of_phase("voltage_v", unit(values.phases[phase].voltage_mv));
        }
        expected
            .into_iter()
            .filter_map(|(at, meant)| {
                let given = decoded.pointer(&at);
                let same = match (meant.as_f64(), given.and_then(Value::as_f64)) {
                    (Some(meant), Some(given)) => (meant - given).abs() < 1e-9,
                    _ => given == Some(&meant),
                };
                (!same).then(|| format!("{at}: meant {meant}, given {given:?}"))
            })
            .collect()
    }
}

/// Thousandths as a number of units.
fn unit(milli: Option<i64>) -> Value {
    json!(milli.map(|milli| f64::from(u32::try_from(milli).unwrap()) / 1000.0))
}

/// Many telegrams in one stream: one process for all of them.
fn decode(telegrams: &[Vec<u8>]) -> Vec<Value> {
    let outcome = controller::run(&["decode"], &telegrams.concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome.json_lines()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decode_says_what_the_meter_meant(
        aidon in proptest::collection::vec(MAKERS[0].values(), 40),
        kaifa in proptest::collection::vec(MAKERS[1].values(), 40),
        kamstrup in proptest::collection::vec(MAKERS[2].values(), 40),
        p1 in proptest::collection::vec(MAKERS[3].values(), 40),
    ) {
        for (maker, all) in MAKERS.iter().zip([aidon, kaifa, kamstrup, p1]) {
            let telegrams: Vec<_> = all.iter().map(|values| (maker.encode)(values)).collect();
            let decoded = decode(&telegrams);
            prop_assert_eq!(decoded.len(), all.len(), "{}", maker.name);
            for (values, decoded) in all.iter().zip(&decoded) {
                let differences = maker.differences(values, decoded);
                prop_assert!(differences.is_empty(), "{}: {:?}", maker.name, differences);
            }
        }
    }
}

#[test]
fn list_1_has_the_power_alone() {
    let values = Values::default();
    for telegram in [aidon::list_1(&values), kaifa::list_1(&values)] {
        let decoded = decode(&[telegram]);
        assert_eq!(decoded.len(), 1);
        assert_eq!(decoded[0]["import_w"], 2870.0);
        assert_eq!(decoded[0]["export_w"], Value::Null, "missing is never 0");
        assert_eq!(decoded[0]["phases"], json!([]));
        assert_eq!(decoded[0]["list"], "1");
    }
}

#[test]
fn a_p1_clock_keeps_its_own_offset() {
    let decoded = decode(&[p1::telegram(&Values::default(), 70)]);
    assert_eq!(decoded[0]["meter_time"], "2026-01-15T12:01:10+01:00");
    assert_eq!(decoded[0]["energy_import_kwh"], 12345.678);
    assert_eq!(decoded[0]["energy_export_kwh"], 1.5);
}

//! What a meter meant is what is decoded: any values that a family can carry, in chunks, with noise around.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use headroom_codec::{Decoder, Item, Options, Telegram};
use headroom_encode::{AUTH_KEY, Family, KEY, Security, Values, families};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestError, TestRunner},
};

/// Values tried of each family.
const CASES: u32 = 64;
/// More than the fields of any list, so that no two fields share a wish.
const WISHES: usize = 61;

/// Missing, least and greatest are as likely as all between.
fn wishes() -> impl Strategy<Value = Vec<Option<u32>>> {
    let wish = prop_oneof![
        1 => Just(None),
        1 => Just(Some(0)),
        1 => Just(Some(u32::MAX)),
        2 => any::<u32>().prop_map(Some),
        2 => (0..10_000_u32).prop_map(Some),
    ];
    prop::collection::vec(wish, WISHES)
}

fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..100)
}

/// Where the decoded telegram is not what was meant.
fn differences(family: &Family, values: &Values, given: &Telegram) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut compare = |what: &str, meant: String, given: String| {
        if meant != given {
            wrong.push(format!("{what}: meant {meant}, given {given}"));
        }
    };
    macro_rules! same {
        ($what:expr, $meant:expr, $given:expr) => {
            compare($what, format!("{:?}", $meant), format!("{:?}", $given))
        };
    }
    same!("protocol", family.protocol, given.protocol.name());
    same!("list", family.list, given.list);
    let encrypted = family.security != Security::Clear;
    let authenticated = family.security == Security::Authenticated;
    same!("encrypted", encrypted, given.encrypted);
    same!("authenticated", authenticated, given.authenticated);
    same!("id", values.meter_id, given.meter_id);
    same!("model", values.model, given.meter_model);
    let clock = values.clock.map(|clock| clock.rfc3339());
    same!(
        "clock",
        clock,
        given.meter_time.map(|time| time.to_string())
    );
    same!("import", values.import_mw, given.import_mw);
    same!("export", values.export_mw, given.export_mw);
    same!("import reactive", values.import_mvar, given.import_mvar);
    same!("export reactive", values.export_mvar, given.export_mvar);
    same!(
        "energy in",
        values.energy_import_mwh,
        given.energy_import_mwh
    );
    same!(
        "energy out",
        values.energy_export_mwh,
        given.energy_export_mwh
    );
    for (line, (meant, given)) in values.phases.iter().zip(&given.phases).enumerate() {
        let at = |what: &str| format!("{what} of L{}", line + 1);
        let (current_step, voltage_step) = family.steps(line);
        same!(&at("current"), meant.current_ma, given.current_ma);
        same!(&at("voltage"), meant.voltage_mv, given.voltage_mv);
        same!(&at("import"), meant.import_mw, given.import_mw);
        same!(&at("export"), meant.export_mw, given.export_mw);
        same!(&at("apparent"), meant.apparent_mva, given.apparent_mva);
        let current_step = meant.current_ma.and(current_step);
        same!(&at("step of current"), current_step, given.current_step_ma);
        let voltage_step = meant.voltage_mv.and(voltage_step);
        same!(&at("step of voltage"), voltage_step, given.voltage_step_mv);
    }
    wrong
}

/// Whether it says nothing of power, phases or energy: such a telegram is refused.
fn says_nothing(values: &Values) -> bool {
    let bare = Values {
        meter_id: None,
        model: None,
        clock: None,
        import_mvar: None,
        export_mvar: None,
        ..values.clone()
    };
    bare == Values::nothing()
}

fn keys() -> Options {
    Options {
        key: Some(KEY.parse().unwrap()),
        auth_key: Some(AUTH_KEY.parse().unwrap()),
        capture: true,
        ..Options::default()
    }
}

fn decode(options: &Options, stream: &[u8], sizes: &[usize]) -> Vec<Item> {
    let mut decoder = Decoder::new(options);
    let mut items = Vec::new();
    let mut rest = stream;
    for size in sizes.iter().cycle() {
        let (chunk, behind) = rest.split_at((*size).min(rest.len()));
        items.extend(decoder.push(chunk));
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    items.extend(decoder.finish());
    items
}

fn telegrams(items: Vec<Item>) -> Vec<Telegram> {
    items
        .into_iter()
        .filter_map(|item| match item {
            Item::Telegram(telegram) => Some(telegram),
            Item::Rejected(_) => None,
        })
        .collect()
}

/// Why, and the smallest input, each on one line.
fn told<T: std::fmt::Debug>(failure: &TestError<T>) -> String {
    match failure {
        TestError::Fail(reason, input) => format!("{reason}\n  with {input:?}"),
        TestError::Abort(reason) => reason.to_string(),
    }
}

#[test]
fn what_was_encoded_is_decoded() {
    let sizes = prop::collection::vec(1..200_usize, 1..8);
    let input = (wishes(), noise(), noise(), sizes, any::<bool>());
    let mut failures = Vec::new();
    let all = families();
    for family in &all {
        let config = Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        };
        let result =
            TestRunner::new(config).run(&input, |(wishes, before, behind, sizes, named)| {
                let values = family.carries.values(&wishes);
                prop_assume!(!says_nothing(&values));
                let options = Options {
                    protocol: named.then(|| family.protocol.parse().unwrap()),
                    ..keys()
                };
                let stream = [before, family.encode(&values), behind].concat();
                let items = decode(&options, &stream, &sizes);
                let found = telegrams(items.clone());
                let [telegram] = found.as_slice() else {
                    return Err(TestCaseError::fail(format!("not one telegram: {items:?}")));
                };
                let wrong = differences(family, &values, telegram);
                prop_assert!(wrong.is_empty(), "{:?}", wrong);
                Ok(())
            });
        if let Err(failure) = result {
            failures.push(format!("{}: {}", family.name, told(&failure)));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} families:\n{}",
        failures.len(),
        all.len(),
        failures.join("\n")
    );
}

/// Telegrams of one meter follow each other with other values: nothing of one gets into the next.
#[test]
fn a_stream_of_one_family_keeps_its_telegrams_apart() {
    let input = prop::collection::vec(wishes(), 2..5);
    let mut failures = Vec::new();
    for family in families() {
        let config = Config {
            cases: 8,
            failure_persistence: None,
            ..Config::default()
        };
        let result = TestRunner::new(config).run(&input, |all| {
            let values: Vec<Values> = all
                .iter()
                .map(|wishes| family.carries.values(wishes))
                .filter(|values| !says_nothing(values))
                .collect();
            let stream: Vec<u8> = values
                .iter()
                .zip(1..)
                .flat_map(|(values, counter)| family.encode_as(values, counter))
                .collect();
            let found = telegrams(decode(&keys(), &stream, &[113]));
            prop_assert_eq!(found.len(), values.len());
            for (values, telegram) in values.iter().zip(&found) {
                let wrong = differences(&family, values, telegram);
                prop_assert!(wrong.is_empty(), "{:?}", wrong);
            }
            Ok(())
        });
        if let Err(failure) = result {
            failures.push(format!("{}: {}", family.name, told(&failure)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

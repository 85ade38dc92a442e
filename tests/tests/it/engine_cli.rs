//! The decision core by lines (`headroom engine`): what a caller may rely on.

use std::collections::BTreeMap;

use headroom_tests::engine::{
    Session, actions, charger, configure, reading, report, run, run_text,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A house that runs by the clock: a reading and a report of each charger every second.
struct House {
    events: Vec<Value>,
    chargers: Vec<&'static str>,
}

impl House {
    fn new(configure: Value, chargers: &[&'static str]) -> Self {
        Self {
            events: vec![configure],
            chargers: chargers.to_vec(),
        }
    }

    /// `seconds` of readings with this background, while each charger draws `drawn_a` on each phase.
    fn seconds(&mut self, seconds: u64, background_a: [f64; 3], drawn_a: f64) {
        for _ in 0..seconds {
            let t_ms = self.now() + 1000;
            let cars = f64::from(u32::try_from(self.chargers.len()).unwrap()) * drawn_a;
            self.events
                .push(reading(t_ms, background_a.map(|current| current + cars)));
            for id in &self.chargers {
                self.events
                    .push(report(t_ms, id, "charging", Some([drawn_a; 3])));
            }
        }
    }

    fn now(&self) -> u64 {
        self.events.last().unwrap()["t_ms"].as_u64().unwrap()
    }

    fn run(&self) -> Vec<Value> {
        run(&self.events)
    }
}

/// A small plant in which cars follow their limits, all commands are accepted, and the meter sees the sum.
struct Plant {
    session: Session,
    t_ms: u64,
    chargers: Vec<&'static str>,
    limits: Vec<f64>,
    outputs: Vec<Value>,
}

impl Plant {
    fn new(configure: &Value, chargers: &[&'static str]) -> Self {
        Self {
            session: Session::new(configure),
            t_ms: 0,
            chargers: chargers.to_vec(),
            limits: vec![0.0; chargers.len()],
            outputs: Vec::new(),
        }
    }

    /// Lives for some seconds under a background and gives the limits of the chargers at the end.
    fn live(&mut self, seconds: u64, background_a: f64) -> Vec<f64> {
        for _ in 0..seconds {
            self.t_ms += 1000;
            let cars: f64 = self.limits.iter().sum();
            self.tell(&reading(self.t_ms, [background_a + cars; 3]));
            for (id, limit) in self.chargers.clone().into_iter().zip(self.limits.clone()) {
                let status = if limit > 0.0 {
                    "charging"
                } else {
                    "suspended_evse"
                };
                self.tell(&report(self.t_ms, id, status, Some([limit; 3])));
            }
        }
        self.limits.clone()
    }

    /// One event; what it sets off is done and accepted. Gives the actions.
    fn tell(&mut self, event: &Value) -> Vec<Value> {
        let line = self.session.send(event);
        assert_eq!(line["error"], Value::Null, "{event}: {line}");
        let given = actions(&line).to_vec();
        self.outputs.push(line);
        for action in &given {
            if let Some(place) = self.chargers.iter().position(|id| action["load"] == *id) {
                self.limits[place] = action["limit_a"].as_f64().unwrap();
            }
            let result = json!({"t_ms": event["t_ms"], "type": "result", "command": action["command"],
                                "outcome": "accepted"});
            self.tell(&result);
        }
        given
    }
}

fn all_actions(lines: &[Value]) -> Vec<Value> {
    lines
        .iter()
        .flat_map(|line| actions(line).iter().cloned())
        .collect()
}

/// New values only, without renewals.
fn changes<'a>(lines: &'a [Value], load: &str) -> Vec<(u64, &'a Value)> {
    lines
        .iter()
        .flat_map(|line| {
            actions(line)
                .iter()
                .map(move |action| (line["t_ms"].as_u64().unwrap(), action))
        })
        .filter(|(_, action)| action["load"] == load && action["renewal"] == false)
        .collect()
}

#[test]
fn the_same_events_give_the_same_actions_byte_for_byte() {
    let chargers = [charger("ev1", 2), charger("ev2", 1)];
    let mut house = House::new(configure(&chargers, &[]), &["ev1", "ev2"]);
    house.seconds(60, [3.0; 3], 0.0);
    house.seconds(30, [14.0, 22.0, 9.0], 8.0);
    let text: String = house
        .events
        .iter()
        .map(|event| format!("{event}\n"))
        .collect();
    let first = run_text(&text).stdout;
    assert!(first.contains("set_limit"), "something was decided");
    for _ in 0..3 {
        assert_eq!(run_text(&text).stdout, first);
    }
}

#[test]
fn what_is_no_event_is_said_on_its_line_and_changes_nothing() {
    let good = [
        configure(&[charger("ev1", 1)], &[]).to_string(),
        reading(1000, [3.0; 3]).to_string(),
        reading(2000, [3.1; 3]).to_string(),
        reading(3000, [3.2; 3]).to_string(),
    ];
    let bad = [
        "{",
        "[]",
        "null",
        "\u{7f}\u{1}",
        r#"{"t_ms":2500}"#,
        r#"{"type":"tick"}"#,
        r#"{"t_ms":-1,"type":"tick"}"#,
        r#"{"t_ms":2500,"type":"dance"}"#,
        r#"{"t_ms":2500,"type":"tick","more":1}"#,
        r#"{"t_ms":1,"type":"tick"}"#,
        r#"{"t_ms":2500,"type":"charger","id":"nobody","connected":true,"status":"charging"}"#,
        r#"{"t_ms":2500,"type":"charger","id":"ev1","connected":true,"status":"flying"}"#,
        "",
        "  ",
        r#"{"t_ms":2500,"type":"charger","id":"ev1","connected":true,"status":"charging","current_a":[6.0,6.0]}"#,
        r#"{"t_ms":2500,"type":"result","command":4711,"outcome":"accepted"}"#,
        r#"{"t_ms":2500,"type":"reading","phases":[{"current_a":1}]}"#,
        r#"{"t_ms":2500,"type":"reading","phases":[{"current_a":-1e300},null,null]}"#,
        r#"{"t_ms":2500,"type":"reading","phases":[null,null,null],"circuit":"nowhere"}"#,
        r#"{"t_ms":2500,"type":"command","command":{"kind":"limit","load":"ev1","limit_a":-3,"for_s":60}}"#,
        r#"{"t_ms":2500,"type":"command","command":{"kind":"pause","load":"ev1","for_s":0}}"#,
        r#"{"t_ms":2500,"type":"configure","site":{"main_fuse":{"rating_a":-25}},"chargers":[],"slow_loads":[]}"#,
        r#"{"t_ms":2500,"type":"configure","site":[],"chargers":[],"slow_loads":[]}"#,
        r#"{"t_ms":2500,"type":"configure","site":{"main_fuse":[25]},"chargers":[],"slow_loads":[]}"#,
        r#"{"t_ms":2500,"type":"configure","site":{"colour":"red"},"chargers":[],"slow_loads":[]}"#,
    ];
    let clean = run_text(&format!("{}\n", good.join("\n"))).stdout;
    let mut mixed = format!("{}\n{}\n{}\n", good[0], good[1], good[2]);
    for line in bad {
        mixed.push_str(line);
        mixed.push('\n');
    }
    mixed.push_str(&good[3]);
    mixed.push('\n');
    let outcome = run_text(&mixed);
    let lines = outcome.json_lines();
    assert_eq!(
        lines.len(),
        good.len() + bad.len(),
        "one line for each line"
    );
    for (input, line) in bad.iter().zip(&lines[3..]) {
        let error = &line["error"];
        assert!(error["code"].is_string(), "{input} gave {line}");
        assert!(
            error["message"].as_str().is_some_and(|text| text.len() > 5),
            "{input} gave {line}"
        );
    }
    let told: Vec<_> = outcome
        .stdout
        .lines()
        .filter(|line| !line.contains(r#""error":"#))
        .collect();
    assert_eq!(
        told,
        clean.lines().collect::<Vec<_>>(),
        "bad lines changed something"
    );
}

#[test]
fn nothing_happens_before_configure() {
    let lines = run(&[
        reading(0, [3.0; 3]),
        json!({"t_ms": 1, "type": "tick"}),
        configure(&[], &[]),
    ]);
    assert!(lines[0]["error"]["code"].is_string(), "{}", lines[0]);
    assert!(lines[1]["error"]["code"].is_string(), "{}", lines[1]);
    assert_eq!(lines[2]["error"], Value::Null, "{}", lines[2]);
}

#[test]
fn an_output_line_has_its_shape() {
    let mut house = House::new(configure(&[charger("ev1", 1)], &[]), &["ev1"]);
    house.seconds(30, [3.0, 4.5, 5.0], 0.0);
    let lines = house.run();
    let line = lines
        .iter()
        .find(|line| !actions(line).is_empty())
        .expect("the car is given something");
    assert!(
        line["state"].as_str().unwrap().starts_with("operating."),
        "{line}"
    );
    let action = &actions(line)[0];
    assert_eq!(action["type"], "set_limit");
    assert_eq!(action["load"], "ev1");
    assert_eq!(action["phases"], 3);
    assert_eq!(action["lease_s"], 120);
    assert_eq!(action["renewal"], false);
    assert!(
        action["reason"]["code"].is_string() && action["reason"]["text"].is_string(),
        "{action}"
    );
    let phases = line["phases"].as_array().unwrap();
    assert_eq!(phases.len(), 3);
    for (phase, (name, measured)) in phases.iter().zip([("l1", 3.0), ("l2", 4.5), ("l3", 5.0)]) {
        assert_eq!(phase["phase"], name);
        assert_eq!(phase["limit_a"], 25.0);
        assert_eq!(phase["measured_a"], measured);
        assert_eq!(phase["headroom_a"], 25.0 - measured);
        assert_eq!(phase["source"], "measured");
        assert!(
            phase["thermal"]
                .as_f64()
                .is_some_and(|thermal| (0.0..1.0).contains(&thermal)),
            "{phase}"
        );
    }
}

#[test]
fn no_limit_is_raised_without_a_fresh_reading() {
    // Two readings with currents are not enough, however long the wait.
    let mut house = House::new(configure(&[charger("ev1", 1)], &[]), &["ev1"]);
    house.seconds(2, [3.0; 3], 0.0);
    for second in 3..600 {
        house
            .events
            .push(report(second * 1000, "ev1", "charging", Some([0.0; 3])));
        // Power alone does not refresh a meter that sends currents.
        house.events.push(
            json!({"t_ms": second * 1000, "type": "reading", "phases": [null, null, null],
                                 "power_w": 2000.0 + f64::from(u32::try_from(second).unwrap())}),
        );
    }
    let raised: Vec<Value> = all_actions(&house.run())
        .into_iter()
        .filter(|action| action["limit_a"].as_f64().is_some_and(|limit| limit > 0.0))
        .collect();
    assert_eq!(raised, Vec::<Value>::new());
}

#[test]
fn an_overload_is_cut_in_the_same_step() {
    let mut house = House::new(configure(&[charger("ev1", 1)], &[]), &["ev1"]);
    house.seconds(30, [3.0; 3], 0.0);
    house.seconds(30, [3.0; 3], 16.0);
    let before = house.now();
    house.seconds(1, [3.0, 14.0, 3.0], 16.0);
    let lines = house.run();
    let (t_ms, cut) = *changes(&lines, "ev1").last().unwrap();
    assert_eq!(t_ms, before + 1000, "in the step of the reading: {cut}");
    let limit = cut["limit_a"].as_f64().unwrap();
    assert!((6.0..=11.0).contains(&limit), "25 A less 14 A: {cut}");
    assert_eq!(cut["reason"]["code"], "main_fuse", "{cut}");
    assert_eq!(cut["reason"]["phase"], "l2", "{cut}");
    assert_eq!(lines.last().unwrap()["phases"][1]["headroom_a"], -5.0);
}

#[test]
fn raising_is_late_and_cutting_is_not() {
    let mut plant = Plant::new(&configure(&[charger("ev1", 1)], &[]), &["ev1"]);
    assert_eq!(plant.live(90, 3.0), [16.0]);
    let cut = plant.live(3, 17.0)[0];
    assert!(cut <= 8.0, "{cut} A beside 17 A");
    let cut_at = plant.t_ms;
    let raised = plant.live(150, 3.0);
    assert_eq!(raised, [16.0], "given back in the end");
    let (first_raise, _) = *changes(&plant.outputs, "ev1")
        .iter()
        .find(|(t_ms, action)| *t_ms > cut_at && action["limit_a"].as_f64().unwrap() > cut)
        .unwrap();
    assert!(
        first_raise >= cut_at + 27_000,
        "raise_after_s is 30: {cut_at} {first_raise}"
    );
}

#[test]
fn a_lower_class_gets_what_the_higher_one_leaves() {
    let both = [charger("important", 5), charger("patient", 1)];
    let mut plant = Plant::new(&configure(&both, &[]), &["important", "patient"]);
    let limits = plant.live(120, 2.0);
    assert_eq!(limits[0], 16.0, "{limits:?}");
    assert!(limits[1] <= 7.0, "23 A less 16 A: {limits:?}");
    // When it gets tight the patient one gives way first.
    let limits = plant.live(5, 8.0);
    assert_eq!(limits, [16.0, 0.0]);
}

#[test]
fn equal_loads_share() {
    let both = [charger("ev1", 1), charger("ev2", 1)];
    let mut plant = Plant::new(&configure(&both, &[]), &["ev1", "ev2"]);
    let limits = plant.live(200, 3.0);
    assert!((limits[0] - limits[1]).abs() <= 1.0, "{limits:?}");
    assert!(
        limits.iter().sum::<f64>() <= 22.0 && limits.iter().all(|limit| *limit >= 9.0),
        "{limits:?}"
    );
}

#[test]
fn rotation_counts_each_terminal_on_its_own_line() {
    // Terminal 1 hangs on L2: an overload of L2 alone binds a one-phase car there, and not one on L1.
    let mut on_l2 = charger("on-l2", 1);
    on_l2["phases"] = json!(["l2"]);
    let mut on_l1 = charger("on-l1", 1);
    on_l1["phases"] = json!(["l1"]);
    let mut events = vec![configure(&[on_l1, on_l2], &[])];
    let one = |t_ms, id, current: f64| {
        json!({"t_ms": t_ms, "type": "charger", "id": id, "connected": true, "status": "charging",
               "current_a": [current], "limit_a": null, "energy_kwh": null})
    };
    for second in 1..=60_u32 {
        let t_ms = u64::from(second) * 1000;
        let drawn = if second > 20 { 16.0 } else { 0.0 };
        let l2 = if second == 60 { 30.0 } else { 3.0 + drawn };
        events.push(reading(t_ms, [3.0 + drawn, l2, 3.0]));
        events.push(one(t_ms, "on-l1", drawn));
        events.push(one(t_ms, "on-l2", drawn));
    }
    let lines = run(&events);
    let last = |load| {
        changes(&lines, load)
            .last()
            .map(|(t_ms, action)| (*t_ms, action["limit_a"].clone()))
    };
    assert_eq!(
        last("on-l1").unwrap().1,
        16.0,
        "not on the line that is overloaded"
    );
    let (t_ms, limit) = last("on-l2").unwrap();
    assert_eq!(t_ms, 60_000);
    assert!(limit.as_f64().unwrap() <= 11.0, "{limit}");
}

#[test]
fn a_charger_of_unknown_rotation_counts_on_every_line() {
    let mut unknown = charger("ev1", 1);
    unknown["phases"] = Value::Null;
    let mut house = House::new(configure(&[unknown], &[]), &["ev1"]);
    house.seconds(30, [3.0; 3], 0.0);
    house.seconds(20, [3.0; 3], 16.0);
    house.seconds(1, [3.0, 3.0, 13.0], 16.0);
    let lines = house.run();
    let (t_ms, cut) = *changes(&lines, "ev1").last().unwrap();
    assert_eq!(t_ms, house.now());
    assert!(cut["limit_a"].as_f64().unwrap() <= 12.0, "{cut}");
}

#[test]
fn a_meter_that_falls_silent_is_stale_and_then_lost() {
    let heater = json!({"id": "heater", "rated_w": 2000, "phases": ["l2"], "priority": 2});
    let mut plant = Plant::new(&configure(&[charger("ev1", 1)], &[heater]), &["ev1"]);
    let on = json!({"t_ms": 0, "type": "slow_load", "id": "heater", "connected": true, "on": true, "power_w": 1950.0});
    plant.tell(&on);
    plant.tell(&report(0, "ev1", "suspended_evse", Some([0.0; 3])));
    assert!(plant.live(120, 9.0)[0] >= 10.0, "{:?}", plant.limits);
    let last_reading = plant.t_ms;
    let state_after = |plant: &mut Plant, seconds: u64| {
        while plant.t_ms < last_reading + seconds * 1000 {
            plant.t_ms += 1000;
            let drawn = plant.limits[0];
            plant.tell(&report(plant.t_ms, "ev1", "charging", Some([drawn; 3])));
        }
        plant.outputs.last().unwrap()["state"].clone()
    };
    let before = plant.limits[0];
    assert_eq!(state_after(&mut plant, 8), "degraded.meter_stale");
    let stale = plant.limits[0];
    assert!(stale <= before, "nothing is raised: {before} {stale}");
    assert_eq!(state_after(&mut plant, 61), "failsafe.meter_lost");
    assert_eq!(plant.limits[0], 0.0, "the safe current");
    state_after(&mut plant, 120);
    let switched = changes(&plant.outputs, "heater");
    let (_, last) = switched.last().expect("slow loads are off in failsafe");
    assert_eq!(last["on"], false);
    let raised = changes(&plant.outputs, "ev1")
        .into_iter()
        .any(|(t_ms, action)| t_ms > last_reading && action["limit_a"].as_f64() > Some(before));
    assert!(!raised, "raised while blind");
}

#[test]
fn what_is_not_known_counts_as_its_worst_case() {
    // A charger that nobody hears keeps what it may draw reserved: the other one does not get it.
    let both = [charger("ev1", 1), charger("ev2", 1)];
    let mut house = House::new(configure(&both, &[]), &["ev1", "ev2"]);
    house.seconds(60, [3.0; 3], 10.0);
    for _ in 0..300 {
        let t_ms = house.now() + 1000;
        house.events.push(json!({"t_ms": t_ms, "type": "charger", "id": "ev1", "connected": false,
                                 "status": "unknown", "current_a": null, "limit_a": null, "energy_kwh": null}));
        house
            .events
            .push(report(t_ms, "ev2", "charging", Some([6.0; 3])));
        house.events.push(reading(t_ms, [9.0; 3]));
    }
    let lines = house.run();
    assert!(
        lines
            .iter()
            .any(|line| line["state"] == "degraded.charger_lost")
    );
    // Its lease is only claimed: its hardware maximum stays reserved.
    let (_, last) = *changes(&lines, "ev2").last().unwrap();
    let limit = last["limit_a"].as_f64().unwrap();
    assert!(limit <= 25.0 - 16.0 - 3.0, "{last}");
    // A line that the meter does not tell is no free line.
    let mut house = House::new(configure(&[charger("ev1", 1)], &[]), &["ev1"]);
    for second in 1..=60 {
        let mut event = reading(second * 1000, [3.0; 3]);
        event["phases"][1] = Value::Null;
        house.events.push(event);
        house
            .events
            .push(report(second * 1000, "ev1", "charging", Some([0.0; 3])));
    }
    let lines = house.run();
    assert_eq!(lines.last().unwrap()["phases"][1]["source"], "worst_case");
    let given = all_actions(&lines)
        .into_iter()
        .filter(|action| action["limit_a"].as_f64() > Some(0.0))
        .count();
    assert_eq!(given, 0);
}

#[test]
fn a_person_can_pause_limit_and_resume() {
    let mut plant = Plant::new(&configure(&[charger("ev1", 1)], &[]), &["ev1"]);
    assert_eq!(plant.live(60, 3.0), [16.0]);
    let say = |plant: &mut Plant, command: Value| {
        let event = json!({"t_ms": plant.t_ms, "type": "command", "command": command});
        for action in plant.tell(&event) {
            assert_eq!(action["reason"]["code"], "user", "{action}");
        }
    };
    say(
        &mut plant,
        json!({"kind": "limit", "load": "ev1", "limit_a": 9, "for_s": 3600}),
    );
    assert_eq!(plant.live(5, 3.0), [9.0]);
    say(
        &mut plant,
        json!({"kind": "pause", "load": "ev1", "for_s": 3600}),
    );
    assert_eq!(plant.live(5, 3.0), [0.0]);
    say(&mut plant, json!({"kind": "resume", "load": "ev1"}));
    assert_eq!(plant.live(400, 3.0), [16.0]);
}

/// One random event after another, possible and impossible ones.
fn random_event() -> impl Strategy<Value = (u64, Value)> {
    let current = prop_oneof![
        4 => (0..450_u32).prop_map(|tenths| json!(f64::from(tenths) / 10.0)),
        1 => Just(Value::Null),
    ];
    let volts = (2_200..2_400_u32).prop_map(|tenths| f64::from(tenths) / 10.0);
    let phase = prop_oneof![
        8 => (current, volts).prop_map(|(current_a, voltage_v)| json!({"current_a": current_a, "voltage_v": voltage_v})),
        1 => Just(Value::Null),
    ];
    let reading = (
        proptest::collection::vec(phase, 3),
        proptest::option::of(-9_000..30_000_i32),
    )
        .prop_map(
            |(phases, power_w)| json!({"type": "reading", "phases": phases, "power_w": power_w}),
        );
    let status = proptest::sample::select(vec![
        "available",
        "preparing",
        "charging",
        "suspended_ev",
        "suspended_evse",
        "finishing",
        "unavailable",
        "faulted",
        "unknown",
    ]);
    let id = proptest::sample::select(vec!["ev1", "ev2", "ev3"]);
    let drawn = proptest::option::of((0..320_u32).prop_map(|tenths| f64::from(tenths) / 10.0));
    let report = (
        id.clone(),
        any::<bool>(),
        status,
        drawn,
        proptest::option::of(0..33_u32),
    )
        .prop_map(|(id, connected, status, drawn, limit_a)| {
            let current_a = drawn.map(|current| {
                if id == "ev2" {
                    vec![current]
                } else {
                    vec![current; 3]
                }
            });
            json!({"type": "charger", "id": id, "connected": connected, "status": status,
                   "current_a": current_a.filter(|_| connected), "limit_a": limit_a})
        });
    let heater = (any::<bool>(), proptest::option::of(any::<bool>())).prop_map(|(connected, on)| {
        json!({"type": "slow_load", "id": "heater", "connected": connected, "on": on, "power_w": null})
    });
    let outcome = proptest::sample::select(vec!["accepted", "rejected", "timeout"]);
    let result = (1..200_u64, outcome).prop_map(
        |(command, outcome)| json!({"type": "result", "command": command, "outcome": outcome}),
    );
    let kind = proptest::sample::select(vec!["pause", "limit", "boost", "resume"]);
    let command = (kind, id, 1..4000_u32, 0..20_u32).prop_map(|(kind, load, for_s, limit_a)| {
        let mut command = json!({"kind": kind, "load": load, "for_s": for_s});
        if kind == "limit" {
            command["limit_a"] = json!(limit_a);
        }
        json!({"type": "command", "command": command})
    });
    let event = prop_oneof![
        12 => reading, 6 => report, 2 => heater, 4 => result, 1 => command,
        2 => Just(json!({"type": "tick"})),
    ];
    let wait = prop_oneof![10 => 0..2_000_u64, 2 => 2_000..15_000_u64, 1 => 15_000..200_000_u64];
    (wait, event)
}

fn three_chargers() -> Value {
    let mut one_phase = charger("ev2", 2);
    one_phase["phases"] = json!(["l3"]);
    one_phase["safe_current_a"] = json!(6);
    one_phase["lease_s"] = json!(45);
    let mut unknown = charger("ev3", 1);
    unknown["phases"] = Value::Null;
    unknown["max_current_a"] = json!(32);
    unknown["min_current_a"] = json!(8);
    let heater = json!({"id": "heater", "rated_w": 2000, "phases": ["l1"], "priority": 1});
    configure(&[charger("ev1", 3), one_phase, unknown], &[heater])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_rules_hold(story in proptest::collection::vec(random_event(), 1..250)) {
        let configure = three_chargers();
        let mut session = Session::new(&configure);
        let mut events = vec![configure];
        let mut lines = vec![Value::Null];
        let mut t_ms = 0;
        for (wait, mut event) in story {
            t_ms += wait;
            // A caller keeps the deadlines.
            while let Some(deadline) = lines.iter().rev().find(|line| line["error"].is_null()).unwrap()["next_deadline_ms"]
                .as_u64()
                .filter(|deadline| *deadline < t_ms)
            {
                let tick = json!({"t_ms": deadline, "type": "tick"});
                lines.push(session.send(&tick));
                events.push(tick);
            }
            event["t_ms"] = json!(t_ms);
            lines.push(session.send(&event));
            events.push(event);
        }
        check_rules(&events[1..], &lines[1..])?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// A meter of one telegram per second that falls silent now and then, background that jumps, and cars that obey.
    #[test]
    fn obedient_cars_stay_under_the_fuse_and_nothing_is_raised_blind(
        story in proptest::collection::vec((0..24_u32, 1..20_u32, prop_oneof![3 => Just(0_u32), 1 => 2..40_u32]), 4..12),
    ) {
        let ids = ["ev1", "ev2", "ev3"];
        let chargers = [charger("ev1", 2), charger("ev2", 1), charger("ev3", 1)];
        let mut plant = Plant::new(&configure(&chargers, &[]), &ids);
        let mut newest = 0;
        for (background, seconds, gap) in story {
            for second in 0..seconds + gap {
                let before = plant.limits.clone();
                plant.t_ms += 1000;
                let cars: f64 = before.iter().sum();
                if second < seconds {
                    newest = plant.t_ms;
                    plant.tell(&reading(plant.t_ms, [f64::from(background) + cars; 3]));
                    let planned: f64 = plant.limits.iter().sum();
                    let total = f64::from(background) + planned;
                    prop_assert!(planned == 0.0 || total <= 25.3, "{} A of 25 A: {:?}", total, plant.limits);
                }
                for (id, limit) in ids.into_iter().zip(plant.limits.clone()) {
                    let status = if limit > 0.0 { "charging" } else { "suspended_evse" };
                    plant.tell(&report(plant.t_ms, id, status, Some([limit; 3])));
                }
                let raised = plant.limits.iter().zip(&before).any(|(now, before)| now > before);
                prop_assert!(!raised || plant.t_ms - newest <= 1500, "raised on a reading of {} ms", plant.t_ms - newest);
            }
        }
    }
}

/// The rules of the engine protocol that hold in every story.
fn check_rules(events: &[Value], lines: &[Value]) -> Result<(), TestCaseError> {
    let bounds = |load: &str| match load {
        "ev3" => (8.0, 32.0),
        _ => (6.0, 16.0),
    };
    let mut command = None;
    let mut readings_with_currents = 0;
    let mut newest: Option<u64> = None;
    // The limit that was told, and when it runs out onto the safe current.
    let mut limits = BTreeMap::<String, (f64, u64)>::new();
    let safe = |load: &str| if load == "ev2" { 6.0 } else { 0.0 };
    for (event, line) in events.iter().zip(lines) {
        if line["error"].is_object() {
            continue;
        }
        let t_ms = event["t_ms"].as_u64().unwrap();
        prop_assert_eq!(&line["t_ms"], &event["t_ms"]);
        let deadline = &line["next_deadline_ms"];
        prop_assert!(
            deadline.is_null() || deadline.as_u64() > Some(t_ms),
            "{} at {}",
            deadline,
            t_ms
        );
        let whole = event["phases"]
            .as_array()
            .is_some_and(|phases| phases.iter().all(|phase| phase["current_a"].is_number()));
        if whole {
            readings_with_currents += 1;
            newest = Some(t_ms);
        }
        for action in actions(line) {
            let number = action["command"].as_u64().unwrap();
            prop_assert!(
                command.is_none_or(|before: u64| number == before + 1),
                "{} after {:?}",
                number,
                command
            );
            command = Some(number);
            prop_assert!(
                action["reason"]["code"].is_string() && action["reason"]["text"].is_string()
            );
            if action["type"] == "switch" {
                prop_assert!(action["on"].is_boolean());
                continue;
            }
            let load = action["load"].as_str().unwrap();
            let limit = action["limit_a"].as_f64().unwrap();
            let (least, most) = bounds(load);
            prop_assert!(
                limit == 0.0 || (least..=most).contains(&limit),
                "{}",
                action
            );
            let lease_s = action["lease_s"].as_f64().unwrap();
            prop_assert!(lease_s > 0.0 && lease_s <= 3600.0, "{}", action);
            let phases = action["phases"].as_u64().unwrap();
            prop_assert!(phases == if load == "ev2" { 1 } else { 3 }, "{}", action);
            let until = t_ms + action["lease_s"].as_u64().unwrap() * 1000;
            let before = match limits.insert(load.to_owned(), (limit, until)) {
                Some((before, until)) if t_ms < until => before,
                _ => safe(load),
            };
            if limit > before {
                prop_assert!(
                    readings_with_currents >= 3,
                    "raised after {} readings: {}",
                    readings_with_currents,
                    action
                );
                // However long the period is that was learnt: readings that came up to 15 s apart are no excuse
                // for one that is minutes old.
                let age = newest.map(|newest| t_ms - newest);
                prop_assert!(
                    age.is_some_and(|age| age <= 300_000),
                    "raised on a reading of {:?} ms: {}",
                    age,
                    action
                );
            }
        }
    }
    Ok(())
}

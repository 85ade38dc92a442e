//! Chargers whose phases nobody has told: what their steps show is found, used, and dropped as soon as it does not
//! hold; what shows nothing is never guessed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    reason = "a test fails by panicking"
)]

use headroom_core::action::Command;
use headroom_core::rotation::Evidence;
use headroom_core::{Actions, Config, Engine, Event, Instant, Learnt, Phase, ReasonCode};
use serde_json::json;

/// A car at its charger.
struct Car {
    id: &'static str,
    /// The line of each terminal, in truth.
    terminals: [usize; 3],
    /// Terminals that it draws from.
    draws: usize,
    /// Terminals that the charger tells.
    tells: usize,
    limit: f64,
    amps: f64,
}

fn car(id: &'static str, terminals: [usize; 3], draws: usize) -> Car {
    Car {
        id,
        terminals,
        draws,
        tells: 3,
        limit: 0.0,
        amps: 0.0,
    }
}

struct House {
    engine: Engine,
    cars: Vec<Car>,
    background: [f64; 3],
    s: u64,
    noise: u64,
    last: Option<Actions>,
    reasons: Vec<ReasonCode>,
}

impl House {
    fn new(rating: u32, cars: Vec<Car>) -> Self {
        let chargers: Vec<_> = cars
            .iter()
            .map(|car| json!({"id": car.id, "name": car.id.to_uppercase(), "max_current_a": 32}))
            .collect();
        let config = json!({"site": {"mode": "control", "main_fuse": {"rating_a": rating}},
                            "chargers": chargers, "slow_loads": []});
        let config: Config = serde_json::from_value(config).unwrap();
        Self {
            engine: Engine::new(config, Instant(0)),
            cars,
            background: [2.0; 3],
            s: 0,
            noise: 1,
            last: None,
            reasons: Vec::new(),
        }
    }

    fn give(&mut self, event: serde_json::Value) {
        let event: Event = serde_json::from_value(event).unwrap();
        let now = Instant(self.s * 1000);
        self.engine.check(&event, now).unwrap();
        let actions = self.engine.step(event, now);
        let mut answers = Vec::new();
        for action in &actions.actions {
            let Command::SetLimit { load, limit_a, .. } = &action.what else {
                continue;
            };
            let car = self.cars.iter_mut().find(|car| car.id == load).unwrap();
            car.limit = limit_a.to_f64();
            self.reasons.push(action.reason.code);
            answers
                .push(json!({"type": "result", "command": action.command, "outcome": "accepted"}));
        }
        self.last = Some(actions);
        for answer in answers {
            self.give(answer);
        }
    }

    fn noise(&mut self) -> f64 {
        self.noise = self
            .noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        f64::from(u32::try_from((self.noise >> 33) % 200).unwrap()) / 1000.0
    }

    /// Lets time pass: a reading a second, a report every five.
    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.s += 1;
            let mut lines = self.background;
            for car in &mut self.cars {
                let goal = if car.limit < 6.0 { 0.0 } else { car.limit };
                car.amps = if goal < car.amps {
                    goal
                } else {
                    goal.min(car.amps + 2.0)
                };
                for terminal in 0..car.draws {
                    lines[car.terminals[terminal]] += car.amps;
                }
            }
            for index in 0..self.cars.len() {
                let car = &self.cars[index];
                let told = car.draws.min(car.tells);
                let current: Vec<f64> = (0..3)
                    .map(|terminal| if terminal < told { car.amps } else { 0.0 })
                    .collect();
                let report = json!({"type": "charger", "id": car.id, "connected": true,
                                    "status": "charging", "current_a": current});
                if self.s % 5 == index as u64 {
                    self.give(report);
                }
            }
            let phases: Vec<_> = lines
                .into_iter()
                .map(|current| {
                    let current = current + self.noise();
                    json!({"current_a": (current * 10.0).round() / 10.0, "voltage_v": 230.1})
                })
                .collect();
            self.give(json!({"type": "reading", "phases": phases}));
        }
    }

    fn evidence(&self, id: &str) -> Evidence {
        self.engine
            .learnt_phases()
            .get(id)
            .cloned()
            .unwrap_or_default()
    }

    fn state(&self) -> &'static str {
        self.last.as_ref().unwrap().state
    }

    fn amps(&self) -> Vec<f64> {
        self.cars.iter().map(|car| car.amps).collect()
    }

    fn finding(&self, id: &str) -> Option<String> {
        let alarms = self.engine.snapshot().alarms;
        let mut found = alarms
            .into_iter()
            .filter(|alarm| alarm.code == "phases_found" && alarm.load.as_deref() == Some(id));
        found.next().map(|alarm| alarm.text)
    }
}

/// Two cars of one phase, on L2 and on L3, beside a fuse that is too small for both on one line.
fn two() -> House {
    House::new(25, vec![car("ev1", [1, 2, 0], 1), car("ev2", [2, 1, 0], 1)])
}

#[test]
fn cars_of_one_phase_are_found_and_count_on_their_own_lines_only() {
    let mut house = two();
    house.run(30);
    assert_eq!(house.state(), "degraded.map_unknown");
    assert!(
        house.amps().iter().sum::<f64>() <= 23.0,
        "{:?}",
        house.amps()
    );
    house.run(870);
    assert!(
        house.amps().iter().all(|amps| *amps >= 20.0),
        "{:?}",
        house.amps()
    );
    assert_eq!(house.evidence("ev1").lines(|one| one == 0), [Phase::L2]);
    assert_eq!(house.evidence("ev2").lines(|one| one == 0), [Phase::L3]);
    assert!(house.state().starts_with("operating"), "{}", house.state());
    let text = house.finding("ev1").unwrap();
    assert!(
        text.starts_with("EV1 hangs on L2 with its first terminal: seen in "),
        "{text}"
    );
    assert!(text.contains("Its car counts on L2 only."), "{text}");
    assert!(house.reasons.contains(&ReasonCode::Learning));
}

#[test]
fn nobody_is_lowered_to_learn_where_there_is_enough() {
    let mut house = House::new(63, vec![car("ev1", [1, 2, 0], 1)]);
    house.run(900);
    assert!(
        !house.reasons.contains(&ReasonCode::Learning),
        "{:?}",
        house.reasons
    );
    assert_eq!(house.amps(), [32.0]);
}

#[test]
fn a_calm_house_is_left_in_peace() {
    // Even cars tell nothing, and nobody is lowered again and again to find that out.
    let mut house = House::new(25, vec![car("ev1", [1, 2, 0], 3), car("ev2", [2, 1, 0], 3)]);
    house.run(1200);
    assert_eq!(house.evidence("ev1"), Evidence::default());
    assert_eq!(house.state(), "degraded.map_unknown");
    let before = house.reasons.len();
    house.run(3600);
    assert!(!house.reasons.contains(&ReasonCode::Learning));
    let later = house.reasons[before..].iter();
    assert!(
        later.clone().all(|code| *code == ReasonCode::Lease),
        "{:?}",
        later.collect::<Vec<_>>()
    );
}

#[test]
fn a_car_that_draws_from_more_counts_on_all_lines_at_once() {
    let mut house = two();
    house.run(900);
    assert!(
        house.amps().iter().all(|amps| *amps >= 20.0),
        "{:?}",
        house.amps()
    );
    // Another car in the same session: the charger tells it before anything else does.
    house.cars[0].draws = 3;
    house.run(20);
    let sum: f64 = house.amps().iter().sum();
    assert!(sum <= 23.5, "{:?}", house.amps());
    assert!(
        house
            .finding("ev1")
            .is_some_and(|text| !text.contains("only")),
        "{:?}",
        house.finding("ev1")
    );
}

#[test]
fn a_car_that_begins_to_draw_from_more_is_lowered_before_its_charger_tells_it() {
    let mut house = two();
    house.run(900);
    let before = house.cars[0].limit;
    assert!(before >= 20.0, "{before}");
    // The charger has just reported; the meter is quicker.
    house.cars[0].draws = 3;
    house.run(2);
    assert!(house.cars[0].limit <= 12.0, "{}", house.cars[0].limit);
}

#[test]
fn a_new_session_counts_on_all_lines_until_its_car_has_shown_itself() {
    let mut house = two();
    house.run(900);
    for status in ["available", "charging"] {
        let report = json!({"type": "charger", "id": "ev1", "connected": true, "status": status,
                            "current_a": [0.0, 0.0, 0.0]});
        house.give(report);
    }
    let text = house.finding("ev1").unwrap();
    assert!(!text.contains("only"), "{text}");
    // The line of its terminal is remembered.
    assert_eq!(house.evidence("ev1").lines(|one| one == 0), [Phase::L2]);
    assert!(house.state() != "degraded.map_unknown");
}

#[test]
fn what_does_not_hold_any_more_is_dropped_at_once() {
    let mut house = two();
    house.run(900);
    assert!(house.finding("ev1").is_some());
    // Somebody has turned the cable: the first step shows it.
    house.cars[0].terminals = [0, 2, 1];
    let wish = json!({"type": "command", "command": {"kind": "limit", "load": "ev1", "limit_a": 10, "for_s": 60}});
    house.run(60);
    house.give(wish);
    house.run(40);
    assert_eq!(house.finding("ev1"), None);
    assert_eq!(house.state(), "degraded.map_unknown");
}

#[test]
fn a_charger_that_tells_one_terminal_of_three_is_not_believed() {
    let mut liar = car("ev1", [1, 2, 0], 3);
    liar.tells = 1;
    let mut house = House::new(25, vec![liar, car("ev2", [2, 1, 0], 1)]);
    house.run(1800);
    assert_eq!(house.evidence("ev1").lines(|one| one == 0).len(), 3);
    assert_eq!(house.finding("ev1"), None);
    assert!(
        house.amps().iter().sum::<f64>() <= 23.5,
        "{:?}",
        house.amps()
    );
    // The other one is found all the same.
    assert_eq!(house.evidence("ev2").lines(|one| one == 0), [Phase::L3]);
}

#[test]
fn what_was_kept_over_a_restart_is_used_after_one_step() {
    let mut before = two();
    before.run(900);
    let kept = serde_json::to_string(&before.engine.learnt()).unwrap();
    let kept: Learnt = serde_json::from_str(&kept).unwrap();
    let mut house = two();
    house.engine.restore(&kept);
    house.run(5);
    assert!(
        house.amps().iter().sum::<f64>() <= 23.0,
        "not before they have shown themselves"
    );
    house.run(265);
    assert!(
        house.amps().iter().all(|amps| *amps >= 20.0),
        "{:?}",
        house.amps()
    );
}

#[test]
fn what_an_installer_tells_counts_for_what_was_learnt() {
    let mut house = two();
    house.run(900);
    let mut config = house.engine.config().clone();
    config.chargers[0].phases = Some(vec![Phase::L2, Phase::L3, Phase::L1]);
    house
        .engine
        .step(Event::Configure(Box::new(config)), Instant(house.s * 1000));
    assert_eq!(house.finding("ev1"), None);
    assert_eq!(house.evidence("ev1"), Evidence::default());
    assert!(house.finding("ev2").is_some());
}

/// The page of the service takes these sentences apart where no field says as much: here are the words that it knows.
#[test]
fn the_page_knows_the_words() {
    let words = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/browser/words.json"
    );
    let words: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(words).unwrap()).unwrap();
    let fits = |name: &str, text: &str| {
        let wanted = words[name].as_str().unwrap().replace("{load}", "EV1");
        let (begin, end) = wanted.split_once("{steps}").unwrap_or((&wanted, ""));
        assert!(
            text.starts_with(begin) && text.ends_with(end),
            "{name}: {text}"
        );
    };
    let mut house = two();
    house.run(30);
    fits("phases_unknown", &house.engine.snapshot().reason.text);
    house.run(870);
    fits("phases_found", &house.finding("ev1").unwrap());
    // Another car, which draws from two terminals: the third hangs on the line that is left.
    house.cars[0].draws = 2;
    house.run(1800);
    fits("phases_order", &house.finding("ev1").unwrap());
}

use headroom_core::Instant;
use headroom_core::event::{ChargerReport, ChargerStatus, Tick};
use headroom_core::snapshot::{MeterSnapshot, MeterState};
use headroom_core::units::WattHours;
use headroom_core::units::{Milliamps, PerPhase};
use serde_json::json;

use super::*;

const HOUR_S: u64 = 3600;
const KWH: i64 = 1_000_000;

fn config() -> Config {
    serde_json::from_value(json!({
        "site": {"mode": "control", "main_fuse": {"rating_a": 25}},
        "chargers": [{"id": "ev1", "max_current_a": 16, "phases": ["l1", "l2", "l3"]}],
        "slow_loads": [{"id": "heater", "rated_w": 2000, "phases": ["l1"]}],
    }))
    .unwrap()
}

fn charger(
    status: ChargerStatus,
    told_a: i64,
    draws_a: [i64; 3],
    code: ReasonCode,
) -> LoadSnapshot {
    let mut reason = Reason::plain(code, "because");
    reason.phase = Some(Phase::L2);
    reason.circuit = Some("main".to_owned());
    LoadSnapshot {
        id: "ev1".to_owned(),
        connected: Some(true),
        reason,
        wishes: Vec::new(),
        detail: LoadDetail::Charger {
            status,
            setpoint: Some(Milliamps::from_amps(told_a)),
            measured: Some(draws_a.map(|a| Some(Milliamps::from_amps(a))).to_vec()),
            acknowledged: None,
            lease_until: None,
            following: None,
        },
    }
}

fn heater(on: bool, power: Option<i64>, code: ReasonCode) -> LoadSnapshot {
    LoadSnapshot {
        id: "heater".to_owned(),
        connected: Some(true),
        reason: Reason::plain(code, "because"),
        wishes: Vec::new(),
        detail: LoadDetail::SlowLoad {
            on: Some(on),
            power: power.map(Watts),
            following: None,
        },
    }
}

/// A house in which a second passes at each step; the time of day begins with a slot.
struct Rig {
    meter: EnergyMeter,
    config: Config,
    s: u64,
    /// What the journal would hold.
    written: BTreeMap<(i64, i64, Option<String>), EnergyRow>,
}

impl Rig {
    fn new() -> Self {
        Self {
            meter: EnergyMeter::default(),
            config: config(),
            s: 0,
            written: BTreeMap::new(),
        }
    }

    fn step(&mut self, event: &Event, load: &LoadSnapshot) {
        let ms = i64::try_from(self.s).unwrap() * 1000;
        self.step_at(event, load, ms);
    }

    fn step_at(&mut self, event: &Event, load: &LoadSnapshot, wall_ms: i64) {
        let snapshot = Snapshot {
            at: Instant(self.s * 1000),
            state: "operating.normal",
            reason: Reason::normal(),
            phases: Vec::new(),
            meter: MeterSnapshot {
                state: MeterState::Ok,
                last: None,
                period_ms: None,
            },
            loads: vec![load.clone().into()],
            alarms: Vec::new(),
            highest_background: PerPhase::default(),
        };
        let time = Timestamp::from_millisecond(SLOT_MS * 2000 + wall_ms).unwrap();
        for row in self.meter.step(event, &snapshot, &self.config, time) {
            self.written
                .insert((row.slot_ms, row.part, row.load.clone()), row);
        }
        self.s += 1;
    }

    fn seconds(&mut self, count: u64, load: &LoadSnapshot) {
        for _ in 0..count {
            self.step(&Event::Tick(Tick {}), load);
        }
    }

    fn register(&mut self, wh: i64, load: &LoadSnapshot) {
        let report = ChargerReport {
            id: "ev1".to_owned(),
            connected: true,
            status: ChargerStatus::Charging,
            current_a: None,
            limit_a: None,
            energy_kwh: Some(WattHours(wh)),
        };
        self.step(&Event::Charger(report), load);
    }

    fn all(&mut self) -> (i64, i64, Vec<(Cause, i64)>) {
        for row in self.meter.rows() {
            self.written
                .insert((row.slot_ms, row.part, row.load.clone()), row);
        }
        let (mut house, mut load, mut lost) = (0, 0, Vec::<(Cause, i64)>::new());
        for row in self.written.values() {
            if row.load.is_none() {
                house += row.mwh;
                continue;
            }
            load += row.mwh;
            for (cause, mwh) in &row.lost {
                match lost.iter_mut().find(|(known, _)| known == cause) {
                    Some((_, sum)) => *sum += mwh,
                    None => lost.push((cause.clone(), *mwh)),
                }
            }
        }
        (house, load, lost)
    }
}

#[test]
fn a_car_that_is_held_back_loses_what_it_took_before() {
    use ReasonCode::{MainFuse, Normal};
    let mut rig = Rig::new();
    // It takes 12 A of 16 for an hour, then the fuse leaves it 7 A for an hour.
    let free = charger(ChargerStatus::Charging, 16, [12; 3], Normal);
    let held = charger(ChargerStatus::Charging, 7, [7; 3], MainFuse);
    rig.seconds(HOUR_S, &free);
    rig.seconds(HOUR_S, &held);
    rig.seconds(1, &free);
    let (_, received, lost) = rig.all();
    assert_eq!(received, 3 * 230 * (12 + 7) * 1000);
    let [(cause, mwh)] = &lost[..] else {
        panic!("{lost:?}")
    };
    assert_eq!(*mwh, 3 * 230 * (12 - 7) * 1000);
    assert_eq!((cause.code, cause.phase), (MainFuse, Some(Phase::L2)));
    assert_eq!(cause.circuit.as_deref(), Some("main"));
}

#[test]
fn a_car_that_was_never_free_would_have_taken_all_on_the_terminals_that_it_uses() {
    let mut rig = Rig::new();
    let one_line = charger(
        ChargerStatus::Charging,
        10,
        [10, 0, 0],
        ReasonCode::Priority,
    );
    rig.seconds(HOUR_S + 1, &one_line);
    let (_, received, lost) = rig.all();
    assert_eq!(received, 230 * 10 * 1000);
    assert_eq!(lost[0].1, 230 * 6 * 1000);
}

#[test]
fn nothing_is_lost_by_a_car_that_does_not_want_nor_by_the_wish_of_a_person() {
    use ChargerStatus as S;
    for (status, code) in [
        (S::SuspendedEv, ReasonCode::MainFuse),
        (S::Available, ReasonCode::MainFuse),
        (S::Finishing, ReasonCode::MainFuse),
        (S::Charging, ReasonCode::User),
        (S::Charging, ReasonCode::Demand),
        (S::Charging, ReasonCode::Observe),
    ] {
        let mut rig = Rig::new();
        rig.seconds(1000, &charger(status, 6, [0; 3], code));
        assert_eq!(rig.all().2, [], "{status:?} {code:?}");
    }
}

#[test]
fn a_register_counts_where_there_is_one_and_may_begin_anew() {
    let load = charger(ChargerStatus::Charging, 16, [16; 3], ReasonCode::Normal);
    let mut rig = Rig::new();
    rig.seconds(1, &load);
    rig.register(5_000, &load);
    // 11.04 kW by its currents; its register says 10 kW.
    for minute in 1..=30 {
        rig.seconds(59, &load);
        rig.register(5_000 + minute * 10_000 / 60, &load);
    }
    let first = rig.all().1;
    assert_eq!(
        first / 1000,
        5_000 + 3,
        "and a second before the first word"
    );
    // Another session: from nothing on.
    rig.seconds(59, &load);
    rig.register(100, &load);
    assert_eq!(rig.all().1 - first, 100 * 1000);
}

#[test]
fn a_register_that_leaps_is_not_believed_and_one_that_falls_silent_is_not_waited_for() {
    let load = charger(ChargerStatus::Charging, 16, [10; 3], ReasonCode::Normal);
    let mut rig = Rig::new();
    rig.seconds(1, &load);
    rig.register(1_000, &load);
    rig.seconds(59, &load);
    let before = rig.all().1;
    rig.register(12_345_000, &load);
    let minute = 3 * 230 * 10 * 1000 / 60;
    assert_eq!(rig.all().1 - before, minute);
    rig.seconds(HOUR_S, &load);
    let silent = rig.all().1 - before - minute;
    assert!((silent - 60 * minute).abs() <= minute / 30, "{silent}");
    // Its word after all: what is in the books is not booked again.
    rig.register(12_345_000 + 6_950, &load);
    let all = rig.all().1 - before - minute;
    assert_eq!(all / 1000, 6_950);
}

#[test]
fn a_slow_load_counts_by_its_power_and_loses_what_it_took() {
    let mut rig = Rig::new();
    rig.seconds(HOUR_S, &heater(true, Some(1500), ReasonCode::Normal));
    rig.seconds(HOUR_S, &heater(false, Some(0), ReasonCode::Priority));
    rig.seconds(HOUR_S, &heater(true, None, ReasonCode::Normal));
    rig.seconds(1, &heater(false, None, ReasonCode::Demand));
    let (_, received, lost) = rig.all();
    assert_eq!(received, 3 * KWH + KWH / 2);
    assert_eq!(lost[0].1, KWH + KWH / 2);
}

#[test]
fn the_house_counts_what_it_takes_and_not_what_it_gives() {
    let mut rig = Rig::new();
    let load = heater(false, None, ReasonCode::Demand);
    let reading = |power: i64| {
        Event::Reading(Reading {
            power_w: Some(Watts(power)),
            ..Reading::default()
        })
    };
    for _ in 0..HOUR_S {
        rig.step(&reading(1234), &load);
    }
    for _ in 0..HOUR_S {
        rig.step(&reading(-3000), &load);
    }
    // A meter that falls silent is believed for a minute.
    rig.step(&reading(3600), &load);
    rig.seconds(1000, &load);
    let (house, _, _) = rig.all();
    assert_eq!(house, 1_234_000 + 60 * 1000);
}

/// However the clock jumps and the slots are cut: nothing is counted twice, and nothing is lost but what is no whole unit.
#[test]
fn sums_are_exact_whatever_the_clock_does() {
    let mut rig = Rig::new();
    let load = charger(ChargerStatus::Charging, 7, [7, 7, 6], ReasonCode::MainFuse);
    let mut wall = 0;
    for n in 0..20_000_i64 {
        wall += match n % 1000 {
            500 => -2 * SLOT_MS - 300,
            999 => 3 * SLOT_MS + 77,
            _ => 1000,
        };
        rig.step_at(&Event::Tick(Tick {}), &load, wall);
    }
    let (_, received, lost) = rig.all();
    let seconds = 20_000 - 1;
    assert_eq!(received, 230 * 20 * seconds * 1000 / 3600);
    assert_eq!(lost[0].1, 230 * (48 - 20) * seconds * 1000 / 3600);
}

//! The engine seen from outside: lines, loads, alarms.

use super::Engine;
use crate::action::Reason;
use crate::config::Mode;
use crate::load::{Kind, Load};
use crate::meter::{Freshness, Meter};
use crate::snapshot::{
    Alarm, LoadDetail, LoadSnapshot, MeterSnapshot, MeterState, PhaseState, Snapshot, Source,
};
use crate::units::{Instant, Milliamps};

/// An overload that was not relieved within this needs a person, in milliseconds.
pub(super) const OVERLOAD_LASTS_MS: u64 = 30_000;

impl Engine {
    /// A copy of what people want to see.
    pub fn snapshot(&self) -> Snapshot {
        let meter = self.main();
        let state = match self.meter_freshness() {
            Freshness::Waiting => MeterState::Waiting,
            Freshness::Lost => MeterState::Lost,
            Freshness::Stale => MeterState::Stale,
            Freshness::Fresh if meter.is_some_and(Meter::is_partial) => MeterState::Partial,
            Freshness::Fresh => MeterState::Ok,
        };
        Snapshot {
            at: self.now,
            state: self.supervisor.path(),
            reason: self.reason.clone(),
            phases: self.phase_states(),
            meter: MeterSnapshot {
                state,
                last: meter.and_then(Meter::last),
                period_ms: meter.and_then(Meter::period_ms),
            },
            loads: self
                .loads
                .iter()
                .map(|it| load_snapshot(it).into())
                .collect(),
            alarms: self.alarms.clone(),
            highest_background: self.highest_background(),
        }
    }

    /// Raises and clears alarms.
    pub(super) fn watch(&mut self, now: Instant) {
        let mut wrong: Vec<(String, Option<String>, String)> = Vec::new();
        let commands = self.config.site.mode == Mode::Control;
        match self.meter_freshness() {
            Freshness::Lost => wrong.push(("meter_lost".into(), None, Reason::lost(commands).text)),
            Freshness::Stale => {
                let frozen = self.is_frozen();
                let code = if frozen {
                    "meter_frozen"
                } else {
                    "meter_stale"
                };
                wrong.push((code.into(), None, Reason::stale(frozen, commands).text));
            }
            Freshness::Fresh | Freshness::Waiting => {}
        }
        for circuit in &self.circuits {
            for &phase in self.config.site.grid.phases() {
                let since = circuit.over_since.get(phase);
                let age = circuit.meter.line_age_ms(phase, now).unwrap_or(u64::MAX);
                let heard = age < u64::from(self.config.site.tuning.lost_after_s) * 1000;
                let lasts =
                    heard && since.is_some_and(|since| now.since_ms(since) >= OVERLOAD_LASTS_MS);
                if let Some(measured) = circuit.meter.measured(phase).filter(|_| lasts) {
                    let limit = circuit.limit.get(phase);
                    let text = Reason::overload_lasts(&circuit.id, phase, measured, limit).text;
                    wrong.push(("overload".into(), None, text));
                }
            }
        }
        let lost_after_s = self.config.site.tuning.lost_after_s;
        for load in &self.loads {
            let id = Some(load.spec.id.clone());
            if load.is_away(lost_after_s, now) {
                let code = match load.spec.kind {
                    Kind::Charger => "charger_lost",
                    Kind::SlowLoad => "slow_load_lost",
                };
                let text = Reason::unreachable(load, load.worst(now)).text;
                wrong.push((code.into(), id.clone(), text));
            } else if load.link.straying_since().is_some() {
                let text = Reason::not_obeying(load).text;
                wrong.push(("not_obeying".into(), id.clone(), text));
            } else if load.is_refusing() {
                wrong.push((
                    "not_obeying".into(),
                    id.clone(),
                    Reason::refusing(load).text,
                ));
            }
            if let Some(found) = load.rotation.finding() {
                wrong.push((
                    "phases_found".into(),
                    id,
                    Reason::phases_found(load, found).text,
                ));
            }
        }
        let before = std::mem::take(&mut self.alarms);
        self.alarms = wrong
            .into_iter()
            .map(|(code, load, text)| {
                let since = before
                    .iter()
                    .find(|alarm| alarm.code == code && alarm.load == load)
                    .map_or(now, |alarm| alarm.since);
                Alarm {
                    code,
                    load,
                    since,
                    text,
                }
            })
            .collect();
    }

    pub(super) fn phase_states(&self) -> Vec<PhaseState> {
        let Some(main) = self.circuits.first() else {
            return Vec::new();
        };
        let lost_ms = u64::from(self.config.site.tuning.lost_after_s) * 1000;
        let ages = || {
            let phases = self.config.site.grid.phases().iter();
            phases.filter_map(|&phase| main.meter.line_age_ms(phase, self.now))
        };
        let newest = ages().min();
        self.config
            .site
            .grid
            .phases()
            .iter()
            .map(|&phase| {
                // What was true before the meter was lost is not known to be true now.
                let age = main.meter.line_age_ms(phase, self.now);
                let heard = age.is_some_and(|age| age < lost_ms);
                let measured = main.meter.measured(phase).filter(|_| heard);
                let limit = main.limit.get(phase);
                PhaseState {
                    phase,
                    measured_a: measured,
                    background_a: main.meter.background.now(phase).filter(|_| heard),
                    headroom_a: measured.map(|measured| limit - measured),
                    limit_a: limit,
                    thermal: main.meter.thermal(phase).filter(|_| measured.is_some()),
                    // A line that the newest reading leaves out counts with more than it was.
                    source: if measured.is_some() && age == newest {
                        main.meter.source(phase)
                    } else {
                        Source::WorstCase
                    },
                }
            })
            .collect()
    }
}

fn load_snapshot(load: &Load) -> LoadSnapshot {
    let connected = (!load.link.is_unseen()).then(|| load.link.is_connected());
    let detail = match load.spec.kind {
        Kind::Charger => LoadDetail::Charger {
            status: load.status,
            setpoint: load.setpoint(),
            measured: load.measured.clone().filter(|_| load.link.is_connected()),
            acknowledged: load.acknowledged(),
            lease_until: load.lease_until(),
            following: load.following(),
        },
        Kind::SlowLoad => LoadDetail::SlowLoad {
            on: load
                .reported_on
                .or_else(|| load.acknowledged().map(|said| said > Milliamps::ZERO))
                .filter(|_| load.link.is_connected()),
            power: load.power,
            following: load.following(),
        },
    };
    LoadSnapshot {
        id: load.spec.id.clone(),
        connected,
        reason: load.reason.clone(),
        wishes: load.wishes.told(),
        detail,
    }
}

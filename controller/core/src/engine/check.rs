//! Which events cannot be.

use super::Engine;
use crate::config::Config;
use crate::event::{
    ChargerReport, Event, EventError, Reading, SlowLoadReport, USER_COMMAND_S, UserCommand,
};
use crate::load::{Kind, charger};
use crate::units::{Instant, Milliamps, Millivolts, PerPhase, Phase, Watts};

/// A current above this many times the largest rating is refused as impossible.
const IMPOSSIBLE_RATINGS: i64 = 4;
/// A voltage above this is refused as impossible, in volts.
const IMPOSSIBLE_VOLTAGE: Millivolts = Millivolts(1_000_000);

impl Engine {
    /// Whether an event can be. One that cannot must not be given to [`Engine::step`]; it would be
    /// taken for a tick.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn check(&self, event: &Event, now: Instant) -> Result<(), EventError> {
        if now < self.now {
            return Err(EventError::TimeWentBack {
                from: self.now.0,
                to: now.0,
            });
        }
        match event {
            Event::Configure(config) => check_config(config, self.highest_background()),
            Event::Reading(reading) => self.check_reading(reading),
            Event::Charger(report) => self.check_charger(report),
            Event::SlowLoad(report) => self.check_slow_load(report),
            Event::Result(result) if result.command == 0 || result.command >= self.next_command => {
                Err(EventError::UnknownCommand(result.command))
            }
            Event::Command(command) => self.check_user(&command.command),
            Event::Result(_) | Event::Tick(_) => Ok(()),
        }
    }

    fn check_reading(&self, reading: &Reading) -> Result<(), EventError> {
        if let Some(id) = &reading.circuit
            && !self.circuits.iter().any(|circuit| circuit.id == *id)
        {
            return Err(EventError::Unknown {
                kind: "circuit",
                id: id.clone(),
            });
        }
        let lines = self.config.site.grid.phases().len();
        if reading.phases.len() != lines {
            return Err(EventError::Impossible {
                field: "phases",
                message: format!("this grid has {lines}, not {}", reading.phases.len()),
            });
        }
        let rating = self.config.site.main_fuse.rating_a.per_phase();
        let largest = Phase::ALL
            .iter()
            .map(|phase| rating.get(*phase))
            .max()
            .unwrap_or_default();
        let most = Milliamps(largest.0.saturating_mul(IMPOSSIBLE_RATINGS));
        for phase in reading.phases.iter().flatten() {
            if let Some(current) = phase.current_a {
                current_is_possible("current_a", current, most)?;
            }
            if let Some(voltage) = phase.voltage_v
                && !(Millivolts::ZERO..=IMPOSSIBLE_VOLTAGE).contains(&voltage)
            {
                return Err(EventError::Impossible {
                    field: "voltage_v",
                    message: format!("{} V cannot be", voltage.to_f64()),
                });
            }
        }
        Ok(())
    }

    fn check_charger(&self, report: &ChargerReport) -> Result<(), EventError> {
        self.check_load("charger", &report.id, Some(Kind::Charger))?;
        let entries = report.current_a.as_deref().unwrap_or_default();
        if entries.len() > charger::TERMINALS_MAX {
            return Err(EventError::Impossible {
                field: "current_a",
                message: format!("{} terminals are more than any charger has", entries.len()),
            });
        }
        for current in entries.iter().flatten().chain(&report.limit_a) {
            current_is_possible("current_a", *current, Milliamps::from_amps(1000))?;
        }
        Ok(())
    }

    fn check_slow_load(&self, report: &SlowLoadReport) -> Result<(), EventError> {
        self.check_load("slow load", &report.id, Some(Kind::SlowLoad))?;
        if let Some(power) = report.power_w
            && power.abs() > Watts(1_000_000)
        {
            return Err(EventError::Impossible {
                field: "power_w",
                message: format!("{} W cannot be", power.0),
            });
        }
        Ok(())
    }

    fn check_user(&self, command: &UserCommand) -> Result<(), EventError> {
        let (load, for_s, limit) = match command {
            UserCommand::Pause { load, for_s } | UserCommand::Boost { load, for_s } => {
                (Some(load), Some(*for_s), None)
            }
            UserCommand::Limit {
                load,
                limit_a,
                for_s,
            } => (Some(load), Some(*for_s), Some(*limit_a)),
            UserCommand::Resume { load, .. } | UserCommand::EndTest { load, .. } => {
                (Some(load), None, None)
            }
            UserCommand::Test { load, cut, .. } => {
                self.check_load("charger", load, Some(Kind::Charger))?;
                return self
                    .may_test(load, *cut)
                    .map_err(|refusal| EventError::Impossible {
                        field: "command",
                        message: refusal.to_string(),
                    });
            }
            UserCommand::Manual { ceiling_a, for_s } => {
                for (load, ceiling) in ceiling_a {
                    self.check_load("load", load, None)?;
                    current_is_possible("ceiling_a", *ceiling, Milliamps::from_amps(1000))?;
                }
                (None, Some(*for_s), None)
            }
        };
        if let Some(load) = load {
            self.check_load("load", load, None)?;
        }
        if let Some(for_s) = for_s
            && !USER_COMMAND_S.contains(&for_s)
        {
            return Err(EventError::Impossible {
                field: "for_s",
                message: "must be from 1 to 86400 s".to_owned(),
            });
        }
        limit.map_or(Ok(()), |limit| {
            current_is_possible("limit_a", limit, Milliamps::from_amps(1000))
        })
    }

    fn check_load(
        &self,
        what: &'static str,
        id: &str,
        kind: Option<Kind>,
    ) -> Result<(), EventError> {
        let known = self
            .loads
            .iter()
            .any(|load| load.spec.id == id && kind.is_none_or(|kind| kind == load.spec.kind));
        if known {
            Ok(())
        } else {
            Err(EventError::Unknown {
                kind: what,
                id: id.to_owned(),
            })
        }
    }
}

/// Whether a configuration can be right.
fn check_config(config: &Config, highest: PerPhase<Milliamps>) -> Result<(), EventError> {
    config.validate(highest).map_err(|errors| {
        let words: Vec<String> = errors
            .iter()
            .map(|error| format!("{} {}", error.field, error.message))
            .collect();
        EventError::Configuration(words.join("; "))
    })
}

fn current_is_possible(
    field: &'static str,
    current: Milliamps,
    most: Milliamps,
) -> Result<(), EventError> {
    if (Milliamps::ZERO..=most).contains(&current) {
        Ok(())
    } else {
        let message = format!("{current} cannot be: it must be from 0 to {most}");
        Err(EventError::Impossible { field, message })
    }
}

//! What is compared: energy, what was held back, and how warm the fuse became.

use std::collections::{BTreeMap, BTreeSet};

use headroom_core::config::{Characteristic, Grid, MainFuse};
use headroom_core::fuse::{Class, Fuse};
use headroom_core::units::Millivolts;
use headroom_core::{Config, Instant, Milliamps, PerPhase, Phase};
use serde::Serialize;

use super::plant::wanted;
use super::recording::{Recording, SILENCE_MS, Word, has, in_force, slow_lines};
use super::wishes::Wishes;

/// Milliampere-milliseconds at a millivolt in a kilowatt-hour.
const PER_KWH: f64 = 3.6e15;
/// Figures are told to this part of their unit.
const THOUSANDTH: f64 = 1000.0;

/// One side of the comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// Energy of all loads together.
    pub energy_kwh: f64,
    /// What they would have taken besides if nothing had held them back.
    pub curtailed_kwh: f64,
    /// Commands that changed something.
    pub commands: u64,
    /// Each load.
    pub loads: Vec<LoadFigures>,
    /// Each line of the main fuse.
    pub phases: Vec<PhaseFigures>,
}

/// What a load had.
#[derive(Clone, Debug, Serialize)]
pub struct LoadFigures {
    /// Its id.
    pub id: String,
    /// What it received.
    pub energy_kwh: f64,
    /// What it would have taken besides if nothing had held it back.
    pub curtailed_kwh: f64,
}

/// What a line carried.
#[derive(Clone, Debug, Serialize)]
pub struct PhaseFigures {
    /// Which line.
    pub phase: Phase,
    /// The most that it carried, in amperes.
    pub highest_a: Milliamps,
    /// Time above the rating, in seconds.
    pub over_s: f64,
    /// The highest thermal state, as a share of the value at which the fastest legal device may open; `null`: its class has
    /// no model.
    pub thermal: Option<f64>,
    /// What was left of it.
    pub thermal_margin: Option<f64>,
}

/// Milliampere-milliseconds at a millivolt.
#[derive(Default)]
struct Account {
    energy: u128,
    curtailed: u128,
}

struct Line {
    rating: Milliamps,
    highest: Milliamps,
    over_ms: u64,
    fuse: Option<Fuse>,
    hottest: f64,
}

/// The book in which a side is reckoned.
pub(super) struct Figures {
    loads: BTreeMap<String, Account>,
    lines: Vec<(Phase, Line)>,
    /// The fuse that the lines have.
    guarded: Option<MainFuse>,
    /// Of a line, as long as this configuration holds.
    voltage: Millivolts,
    pub(super) commands: u64,
}

impl Figures {
    pub(super) fn new(config: &Config, loads: BTreeSet<String>) -> Self {
        let line = |phase: &Phase| {
            let line = Line {
                rating: Milliamps::ZERO,
                highest: Milliamps::ZERO,
                over_ms: 0,
                fuse: None,
                hottest: 0.0,
            };
            (*phase, line)
        };
        let mut figures = Self {
            loads: loads
                .into_iter()
                .map(|id| (id, Account::default()))
                .collect(),
            lines: config.site.grid.phases().iter().map(line).collect(),
            guarded: None,
            voltage: config.site.nominal_voltage_v,
            commands: 0,
        };
        figures.guard(config);
        figures
    }

    /// From here on the voltage and the main fuse are those of a configuration; another fuse than before is cold.
    pub(super) fn guard(&mut self, config: &Config) {
        self.voltage = config.site.nominal_voltage_v;
        let fuse = &config.site.main_fuse;
        if self.guarded.as_ref() == Some(fuse) {
            return;
        }
        let class = Class {
            characteristic: fuse.characteristic,
            curve: fuse.curve,
            ambient_c: fuse.ambient_c,
        };
        let known = class.characteristic != Characteristic::None;
        let rating = fuse.rating_a.per_phase();
        for (phase, line) in &mut self.lines {
            line.rating = rating.get(*phase);
            line.fuse = Fuse::new(class, line.rating).filter(|_| known);
        }
        self.guarded = Some(fuse.clone());
    }

    /// Currents of the main fuse that flow for a time. What does not count warms the fuse all the same.
    pub(super) fn flow(&mut self, currents: &PerPhase<Option<Milliamps>>, ms: u64, counts: bool) {
        for (phase, line) in &mut self.lines {
            let Some(current) = currents.get(*phase) else {
                continue;
            };
            if let Some(fuse) = &mut line.fuse {
                fuse.advance(current, ms);
            }
            if !counts {
                continue;
            }
            if let Some(fuse) = &line.fuse {
                line.hottest = line.hottest.max(fuse.share());
            }
            line.highest = line.highest.max(current);
            if current > line.rating {
                line.over_ms += ms;
            }
        }
    }

    /// What a load drew and would have drawn, summed over its lines, for a time.
    pub(super) fn load(&mut self, id: &str, drew: Milliamps, wanted: Milliamps, ms: u64) {
        if let Some(account) = self.loads.get_mut(id) {
            let volts = u128::try_from(self.voltage.0).unwrap_or(0);
            let for_a_time = |current: Milliamps| {
                let current = u128::try_from(current.0).unwrap_or(0);
                current.saturating_mul(u128::from(ms)).saturating_mul(volts)
            };
            account.energy += for_a_time(drew);
            account.curtailed += for_a_time(wanted - drew);
        }
    }

    pub(super) fn side(self) -> Side {
        let kwh = |sum: u128| rounded(in_kwh(sum));
        let sum = |of: fn(&Account) -> u128| self.loads.values().map(of).sum::<u128>();
        Side {
            energy_kwh: kwh(sum(|account| account.energy)),
            curtailed_kwh: kwh(sum(|account| account.curtailed)),
            commands: self.commands,
            loads: self
                .loads
                .iter()
                .map(|(id, account)| LoadFigures {
                    id: id.clone(),
                    energy_kwh: kwh(account.energy),
                    curtailed_kwh: kwh(account.curtailed),
                })
                .collect(),
            phases: self
                .lines
                .into_iter()
                .map(|(phase, line)| {
                    let thermal = line.fuse.is_some().then(|| rounded(line.hottest));
                    PhaseFigures {
                        phase,
                        highest_a: line.highest,
                        over_s: rounded(in_seconds(line.over_ms)),
                        thermal,
                        thermal_margin: thermal.map(|thermal| rounded(1.0 - thermal)),
                    }
                })
                .collect(),
        }
    }

    /// What was measured.
    pub(super) fn recorded(recording: &Recording, wishes: &Wishes) -> Side {
        let versions = &recording.versions;
        let none = Config::default();
        let first = in_force(versions, Instant(0)).unwrap_or(&none);
        let mut figures = Self::new(first, super::plant::loads(versions));
        figures.commands = recording.commands();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut last: Option<Instant> = None;
        for sample in recording
            .samples
            .iter()
            .filter(|sample| sample.circuit.is_none())
        {
            let ms = last
                .map_or(0, |last| sample.at.since_ms(last))
                .min(SILENCE_MS);
            last = Some(sample.at);
            let config = in_force(versions, sample.at).unwrap_or(&none);
            let site = &config.site;
            figures.guard(config);
            let lines = PerPhase(Phase::ALL.map(|phase| {
                let line = sample.lines.get(phase.index()).copied().flatten();
                line.and_then(|line| line.current_a)
            }));
            figures.flow(&lines, ms, sample.counts);
            if !sample.counts {
                continue;
            }
            for (id, words) in &recording.words {
                let place = places.entry(id).or_default();
                let Some(word) = newest(words, place, sample.at) else {
                    continue;
                };
                if !has(config, id) {
                    continue;
                }
                let drew = sum(&word.draw, site.grid);
                let charger = config.chargers.iter().find(|it| it.id == *id);
                let want = match charger {
                    Some(_) if word.rests => Milliamps::ZERO,
                    Some(charger) => {
                        let stays = wishes.get(id).map(Vec::as_slice).unwrap_or_default();
                        let stay = stays
                            .iter()
                            .find(|stay| stay.from <= sample.at && sample.at < stay.to);
                        stay.map_or(Milliamps::ZERO, |stay| wanted(charger, site.grid, stay))
                    }
                    None if word.told.is_some() => drew,
                    None => config
                        .slow_loads
                        .iter()
                        .find(|it| it.id == *id)
                        .map_or(Milliamps::ZERO, |load| {
                            Milliamps::from_power(load.rated_w, site.nominal_voltage_v, 1)
                        }),
                };
                figures.load(id, drew, want.max(drew), ms);
            }
        }
        figures.side()
    }
}

/// The newest word at a time; `place` only goes on.
pub(super) fn newest<'w>(words: &'w [Word], place: &mut usize, at: Instant) -> Option<&'w Word> {
    while words.get(*place + 1).is_some_and(|next| next.at <= at) {
        *place += 1;
    }
    words.get(*place).filter(|word| word.at <= at)
}

pub(super) fn sum(lines: &PerPhase<Milliamps>, grid: Grid) -> Milliamps {
    grid.phases().iter().map(|phase| lines.get(*phase)).sum()
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn in_kwh(sum: u128) -> f64 {
    sum as f64 / PER_KWH
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn in_seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

fn rounded(value: f64) -> f64 {
    (value * THOUSANDTH).round() / THOUSANDTH
}

/// The current of each line of a slow load that is on.
pub(super) fn slow_draw(
    load: &headroom_core::config::SlowLoad,
    config: &Config,
) -> PerPhase<Milliamps> {
    let lines = slow_lines(load, config.site.grid);
    let count = i64::try_from(lines.len()).unwrap_or(1);
    let each = Milliamps::from_power(load.rated_w, config.site.nominal_voltage_v, count);
    let mut draw = PerPhase::default();
    for line in lines {
        *draw.get_mut(line) = each;
    }
    draw
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_is_reckoned_with_the_voltage_of_its_time() {
        let at = |volts: i64| {
            let mut config = Config::default();
            config.site.nominal_voltage_v = Millivolts(volts * 1000);
            config
        };
        let mut figures = Figures::new(&at(230), BTreeSet::from(["ev1".to_owned()]));
        let hour = 3_600_000;
        let amps = Milliamps::from_amps;
        figures.load("ev1", amps(10), amps(10), hour);
        figures.guard(&at(120));
        figures.load("ev1", amps(10), amps(20), hour);
        let side = figures.side();
        assert_eq!((side.energy_kwh, side.curtailed_kwh), (3.5, 1.2));
    }
}

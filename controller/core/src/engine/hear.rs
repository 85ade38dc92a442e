//! What meters and loads say, and what follows for the background from both.

use super::Engine;
use crate::background::DrawBounds;
use crate::config::{Config, MAIN};
use crate::event::Reading;
use crate::load::Load;
use crate::plan::feeds;
use crate::units::{Instant, Milliamps, PerPhase, Phase};

impl Engine {
    pub(super) fn take_reading(&mut self, reading: &Reading, now: Instant) {
        let name = reading.circuit.as_deref().unwrap_or(MAIN);
        let Some(index) = self.circuits.iter().position(|circuit| circuit.id == name) else {
            return;
        };
        let draws: Vec<DrawBounds> = self.loads.iter().map(|it| it.draw_bounds(now)).collect();
        let mut draw = DrawBounds::default();
        for (load, own) in self.loads.iter().zip(&draws) {
            if feeds(&self.circuits, index, &load.spec.circuit) {
                draw.add(own);
            }
        }
        let Config { site, .. } = &self.config;
        let Some(circuit) = self.circuits.get_mut(index) else {
            return;
        };
        circuit.metered = true;
        let changed = circuit.meter.take(reading, &draw, site, now);
        circuit.watch_overload(now);
        if index == 0 {
            let lines = PerPhase(Phase::ALL.map(|phase| circuit.meter.measured(phase)));
            for (load, own) in self.loads.iter_mut().zip(draws) {
                load.see_lines(&lines, own.high);
            }
        }
        self.settled |= index == 0 && circuit.meter.last_currents() == Some(now);
        if index == 0 {
            self.read_steps(now);
        }
        if changed && index == 0 {
            self.loads_moved = false;
            for load in &mut self.loads {
                load.mark_draw();
            }
        }
    }

    /// Looks at the newest reading of the main meter again, by what the loads have said since. Says whether that changes
    /// the house.
    pub(super) fn heed_reports(&mut self, now: Instant) -> bool {
        let mut stated = PerPhase::<Milliamps>::default();
        let mut tells_within_ms = 0;
        for load in &self.loads {
            stated = stated.zip_with(&load.stated_at_reading(now), |a, b| a + b);
            tells_within_ms = tells_within_ms.max(load.answer_ms());
        }
        let main = self.circuits.first_mut();
        main.is_some_and(|main| main.meter.heed(&stated, tells_within_ms, now))
    }

    /// Tells each circuit what its loads drew, as far as all of them have said it since. Says whether that changes the
    /// house.
    pub(super) fn confirm_background(&mut self, now: Instant) -> bool {
        let mut changes = false;
        for index in 0..self.circuits.len() {
            let circuit = self.circuits.get(index);
            let told = circuit
                .and_then(|it| it.meter.background.waits_for_words_since())
                .and_then(|since| self.told_by_all(index, since, now));
            if let Some((from, to, most)) = told
                && let Some(circuit) = self.circuits.get_mut(index)
            {
                changes |= circuit.meter.background.confirm((from, to), &most, now);
            }
        }
        changes
    }

    /// From when until when all loads of a circuit have told what they drew, and the most of it on each line. `None`: one
    /// has yet to tell it of the time since `since`.
    fn told_by_all(
        &self,
        circuit: usize,
        since: Instant,
        now: Instant,
    ) -> Option<(Instant, Instant, PerPhase<Milliamps>)> {
        let fed = |load: &&Load| feeds(&self.circuits, circuit, &load.spec.circuit);
        let mut loads = self.loads.iter();
        if loads.any(|load| load.has_yet_to_tell_of(since) && fed(&load)) {
            return None;
        }
        let (mut from, mut to) = (Instant(0), now);
        let mut most: PerPhase<Milliamps> = PerPhase::default();
        for load in self.loads.iter().filter(fed) {
            let own = if let Some((begins, ends, most)) = load.told_between() {
                from = from.max(begins);
                to = to.min(ends);
                most
            } else {
                load.worst_by_line(now)
            };
            most = most.zip_with(&own, |a, b| a + b);
        }
        (from < to).then_some((from, to, most))
    }
}

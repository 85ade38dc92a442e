//! The background that the promise is about: steps of at most the largest, one per reaction time, no line above nine tenths
//! of its rating by the house alone.

use crate::house::House;

/// The house alone carries no more than this share of the rating.
const HIGHEST: f64 = 0.9;
/// A line is full when it carries this share of its rating.
const FULL: f64 = 0.9;
/// Something is always on, in amperes.
const BASE_A: f64 = 0.5;
/// Where a whole step is too high, the largest of so many parts of it that is not…
const PARTS: u32 = 20;
/// …down to this, in amperes.
const LEAST_A: f64 = 1.0;

/// Steps, each the worst that the class allows at that moment.
pub(crate) struct Steps {
    step_a: f64,
    gap_s: u64,
    next_s: u64,
    down_s: u64,
    /// Waits for a line that is full; otherwise it steps whenever it may.
    watches: bool,
    random: u64,
}

impl Steps {
    pub(crate) fn new(house: &House, watches: bool) -> Self {
        let setup = &house.setup;
        let gap_s = setup.reaction_s();
        Self {
            // A little less than the largest, for the noise on top of it.
            step_a: f64::from(i32::try_from(setup.step_a()).unwrap()) - 0.3,
            gap_s,
            next_s: gap_s,
            down_s: u64::MAX,
            watches,
            random: setup.seed | 1,
        }
    }

    /// What of a step up the house takes while it stays within its share of the rating; `None`: none of it.
    fn part(&self, house: &House, place: usize) -> Option<f64> {
        let rating = f64::from(i32::try_from(house.setup.rating_a).unwrap());
        let fits = |part: &f64| {
            let mut after = house.background_a;
            after[place] += part;
            let highest = house.alone(after).amps().into_iter().fold(0.0, f64::max);
            highest <= HIGHEST * rating
        };
        let parts = (1..=PARTS)
            .rev()
            .map(|part| f64::from(part) * self.step_a / f64::from(PARTS));
        parts.filter(|part| *part >= LEAST_A).find(fits)
    }

    /// What happens in this second.
    pub(crate) fn second(&mut self, house: &mut House) {
        if house.s < self.next_s {
            return;
        }
        let rating = f64::from(i32::try_from(house.setup.rating_a).unwrap());
        let lines = house.setup.grid.phases().len();
        let share = |line: usize| house.lines_a[line] / rating;
        let fullest = (0..lines)
            .filter(|line| self.part(house, *line).is_some())
            .max_by(|a, b| share(*a).total_cmp(&share(*b)));
        let up = fullest.filter(|line| !self.watches || share(*line) >= FULL);
        let any = usize::try_from(self.draw() % 3).unwrap() % lines;
        let place = match up {
            Some(line) if self.watches || self.draw().is_multiple_of(2) => {
                let line = if self.watches { line } else { any };
                self.part(house, line).map(|part| (line, part))
            }
            _ if !self.watches || house.s >= self.down_s => {
                let part = (house.background_a[any] - BASE_A).min(self.step_a);
                (part >= LEAST_A).then_some((any, -part))
            }
            _ => None,
        };
        if let Some((line, part)) = place {
            house.background_a[line] += part;
            self.next_s = house.s + self.gap_s + self.draw() % self.gap_s;
            self.down_s = house.s + self.gap_s * (1 + self.draw() % 6);
        }
    }

    fn draw(&mut self) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.random >> 33
    }
}

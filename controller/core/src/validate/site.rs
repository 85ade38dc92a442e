//! Which houses can be right: fuses, circuits, times.

use std::collections::HashMap;

use super::{FieldError, NAME_MAX, Report, SECONDS};
use crate::config::{Characteristic, Circuit, Curve, Grid, MAIN, Rating, Site};
use crate::units::{Milliamps, Millivolts, Watts};

/// Ratings that a fuse of a house or a site can have.
const RATING: std::ops::RangeInclusive<Milliamps> = Milliamps(1_000)..=Milliamps(1_000_000);
/// Voltages between a line and the other end of a load.
const VOLTAGE: std::ops::RangeInclusive<Millivolts> = Millivolts(90_000)..=Millivolts(300_000);
/// Temperatures of a fuse box.
const AMBIENT_C: std::ops::RangeInclusive<u8> = 0..=70;
/// Caps on the power of a house that make sense.
const MAX_POWER: std::ops::RangeInclusive<Watts> = Watts(500)..=Watts(1_000_000);
/// Most circuits of one site.
pub const CIRCUITS_MAX: usize = 32;

impl Site {
    pub(super) fn errors(&self) -> Vec<FieldError> {
        let mut report = Report::new("site.");
        report.name(&self.name);
        if self.time_zone.is_empty() || self.time_zone.len() > NAME_MAX {
            report.add(
                "time_zone",
                "format",
                "must be an IANA time zone such as Europe/Oslo",
            );
        }
        rating_errors(
            &mut report,
            "main_fuse.rating_a",
            &self.main_fuse.rating_a,
            self.grid,
        );
        curve_errors(
            &mut report,
            "main_fuse.curve",
            self.main_fuse.characteristic,
            self.main_fuse.curve,
        );
        if let Some(ambient) = self.main_fuse.ambient_c {
            report.range("main_fuse.ambient_c", ambient, &AMBIENT_C, "0 to 70 °C");
        }
        let least_rating = least(&self.main_fuse.rating_a);
        let rated = least_rating > Milliamps::ZERO;
        if self.margin_a < Milliamps::ZERO || (rated && self.margin_a >= least_rating) {
            report.add(
                "margin_a",
                "range",
                format!("must be from 0 to below the rating of {least_rating}"),
            );
        }
        report.range(
            "nominal_voltage_v",
            self.nominal_voltage_v,
            &VOLTAGE,
            "90 to 300 V",
        );
        if let Some(step) = self.largest_step_a {
            report.range(
                "largest_step_a",
                step,
                &(Milliamps(1)..=*RATING.end()),
                "above 0",
            );
        }
        if let Some(power) = self.max_power_w {
            report.range("max_power_w", power, &MAX_POWER, "500 to 1000000 W");
        }
        for (field, value) in [
            ("tuning.raise_after_s", Some(self.tuning.raise_after_s)),
            ("tuning.restart_after_s", Some(self.tuning.restart_after_s)),
            ("tuning.hold_s", Some(self.tuning.hold_s)),
            ("tuning.stale_after_s", self.tuning.stale_after_s),
            ("tuning.lost_after_s", Some(self.tuning.lost_after_s)),
            ("tuning.frozen_after_s", Some(self.tuning.frozen_after_s)),
        ] {
            if let Some(value) = value {
                report.range(field, value, &SECONDS, "1 to 3600 s");
            }
        }
        self.circuit_errors(&mut report);
        report.errors
    }

    fn circuit_errors(&self, report: &mut Report) {
        if self.circuits.len() > CIRCUITS_MAX {
            report.add(
                "circuits",
                "range",
                format!("at most {CIRCUITS_MAX} of them"),
            );
        }
        let mut parents = HashMap::new();
        for circuit in &self.circuits {
            let Circuit {
                id,
                parent,
                rating_a,
                ..
            } = circuit;
            let mut own = Report::new(&format!("site.circuits.{id}."));
            own.id(id);
            if id == MAIN {
                own.add(
                    "id",
                    "conflict",
                    "\"main\" is the circuit behind the main fuse",
                );
            }
            rating_errors(&mut own, "rating_a", rating_a, self.grid);
            if let Some(curve) = circuit.curve {
                let characteristic = circuit
                    .characteristic
                    .unwrap_or(self.main_fuse.characteristic);
                curve_errors(&mut own, "curve", characteristic, curve);
            }
            if parents.insert(id.as_str(), parent.as_str()).is_some() {
                own.add("id", "duplicate", "another circuit has this id");
            }
            report.errors.append(&mut own.errors);
        }
        for circuit in &self.circuits {
            let mut at = circuit.parent.as_str();
            let mut steps = 0;
            while at != MAIN {
                let Some(next) = parents.get(at) else {
                    report.add(
                        &format!("circuits.{}.parent", circuit.id),
                        "unknown",
                        format!("there is no circuit \"{at}\""),
                    );
                    break;
                };
                at = next;
                steps += 1;
                if steps > self.circuits.len() {
                    report.add(
                        &format!("circuits.{}.parent", circuit.id),
                        "conflict",
                        "the circuits feed each other in a ring",
                    );
                    break;
                }
            }
        }
    }
}

fn least(rating: &Rating) -> Milliamps {
    match rating {
        Rating::All(rating) => *rating,
        Rating::Each(list) => list.iter().copied().min().unwrap_or_default(),
    }
}

fn rating_errors(report: &mut Report, field: &str, rating: &Rating, grid: Grid) {
    let lines = grid.phases().len();
    if let Rating::Each(list) = rating
        && list.len() != lines
    {
        report.add(
            field,
            "format",
            format!("must be one number, or a list of {lines}"),
        );
    }
    report.range(field, least(rating), &RATING, "1 to 1000 A");
    if let Rating::Each(list) = rating
        && list.iter().any(|rating| rating > RATING.end())
    {
        report.add(field, "range", "must be 1 to 1000 A");
    }
}

fn curve_errors(report: &mut Report, field: &str, characteristic: Characteristic, curve: Curve) {
    let breaker = matches!(
        characteristic,
        Characteristic::B | Characteristic::C | Characteristic::D
    );
    if curve == Curve::Band && !breaker {
        report.add(field, "conflict", "\"band\" is for breakers (b, c, d) only");
    }
}

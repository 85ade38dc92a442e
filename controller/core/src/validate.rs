//! Which configurations can be right. The one validation for the API, `apply` and the engine protocol.

use std::collections::{BTreeSet, HashMap};

use crate::config::{
    Characteristic, Charger, Circuit, Config, Curve, Grid, MAIN, Rating, Site, SlowLoad,
};
use crate::units::{Milliamps, Millivolts, PerPhase, Phase, Watts};

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field: `site.main_fuse.rating_a`, `chargers.ev1.max_current_a`.
    pub field: String,
    /// A stable code: `range`, `format`, `unknown`, `duplicate`, `conflict`, `required`.
    pub code: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Ratings that a fuse of a house or a site can have.
const RATING: std::ops::RangeInclusive<Milliamps> = Milliamps(1_000)..=Milliamps(1_000_000);
/// Currents that a charger can be given.
const CHARGER_CURRENT: std::ops::RangeInclusive<Milliamps> = Milliamps(1_000)..=Milliamps(500_000);
/// Voltages between a line and the other end of a load.
const VOLTAGE: std::ops::RangeInclusive<Millivolts> = Millivolts(90_000)..=Millivolts(300_000);
/// Power of one relay's load.
const RATED_POWER: std::ops::RangeInclusive<Watts> = Watts(1)..=Watts(100_000);
/// Caps on the power of a house that make sense.
const MAX_POWER: std::ops::RangeInclusive<Watts> = Watts(500)..=Watts(1_000_000);
/// Times for installers and of leases, in seconds (contract, sections 3 and 5).
const SECONDS: std::ops::RangeInclusive<u32> = 1..=3600;
/// Dwell times and promises of slow loads, in seconds.
const DWELL_S: std::ops::RangeInclusive<u32> = 0..=604_800;
/// Priorities; the API sets them from 1 counting up.
const PRIORITY: std::ops::RangeInclusive<u32> = 0..=1000;
/// Longest name, in characters.
const NAME_MAX: usize = 64;
/// Most chargers of one site.
pub const CHARGERS_MAX: usize = 64;
/// Most slow loads of one site.
pub const SLOW_LOADS_MAX: usize = 64;
/// Most circuits of one site.
pub const CIRCUITS_MAX: usize = 32;

struct Report {
    prefix: String,
    errors: Vec<FieldError>,
}

impl Report {
    fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            errors: Vec::new(),
        }
    }

    fn add(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        self.errors.push(FieldError {
            field: format!("{}{field}", self.prefix),
            code,
            message: message.into(),
        });
    }

    fn range<T: PartialOrd + Copy>(
        &mut self,
        field: &str,
        value: T,
        range: &std::ops::RangeInclusive<T>,
        words: &str,
    ) {
        if !range.contains(&value) {
            self.add(field, "range", format!("must be {words}"));
        }
    }

    fn name(&mut self, value: &str) {
        if value.chars().count() > NAME_MAX || value.chars().any(char::is_control) {
            self.add(
                "name",
                "format",
                "must be at most 64 characters without control characters",
            );
        }
    }

    fn id(&mut self, value: &str) {
        if !is_id(value) {
            self.add("id", "format", "must be 1 to 32 of a-z, 0-9, _ and -");
        }
    }
}

/// Whether a text is an id: `[a-z0-9_-]{1,32}`.
pub fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

impl Config {
    /// Checks everything, each object alone and all together.
    ///
    /// `highest_background` is the highest background learnt so far, beside which the safe currents of
    /// all chargers must fit under the fuse.
    ///
    /// # Errors
    /// Every field that cannot be right.
    pub fn validate(&self, highest_background: PerPhase<Milliamps>) -> Result<(), Vec<FieldError>> {
        let mut errors = self.site.errors();
        let mut seen = BTreeSet::new();
        too_many("chargers", self.chargers.len(), CHARGERS_MAX, &mut errors);
        too_many(
            "slow_loads",
            self.slow_loads.len(),
            SLOW_LOADS_MAX,
            &mut errors,
        );
        for charger in &self.chargers {
            errors.extend(charger.errors(&self.site));
            duplicate("chargers", &charger.id, &mut seen, &mut errors);
        }
        for slow_load in &self.slow_loads {
            errors.extend(slow_load.errors(&self.site));
            duplicate("slow_loads", &slow_load.id, &mut seen, &mut errors);
        }
        if errors.is_empty() {
            errors.extend(self.safe_current_errors(highest_background));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// The safe currents of all chargers must fit under the fuse beside the learnt background.
    fn safe_current_errors(&self, background: PerPhase<Milliamps>) -> Option<FieldError> {
        let rating = self.site.main_fuse.rating_a.per_phase();
        let phase = *self.site.grid.phases().iter().find(|phase| {
            let safe: Milliamps = self
                .chargers
                .iter()
                .filter(|charger| charger.lines(self.site.grid).contains(phase))
                .map(|charger| charger.safe_current_a)
                .sum();
            safe > Milliamps::ZERO && safe + background.get(**phase) > rating.get(**phase)
        })?;
        let unconfirmed = self.chargers.iter().find(|charger| {
            charger.safe_current_a > Milliamps::ZERO
                && charger.lines(self.site.grid).contains(&phase)
                && !charger.accept_risk
        })?;
        let safe: Milliamps = self
            .chargers
            .iter()
            .filter(|charger| charger.lines(self.site.grid).contains(&phase))
            .map(|charger| charger.safe_current_a)
            .sum();
        Some(FieldError {
            field: format!("chargers.{}.safe_current_a", unconfirmed.id),
            code: "conflict",
            message: format!(
                "without the controller the chargers fall to {safe} together on {phase}; with the highest \
                 background seen there ({}) that is above the fuse of {}: lower the safe currents, or \
                 confirm with \"accept_risk\": true",
                background.get(phase),
                rating.get(phase)
            ),
        })
    }
}

fn too_many(field: &str, count: usize, most: usize, errors: &mut Vec<FieldError>) {
    if count > most {
        errors.push(FieldError {
            field: field.to_owned(),
            code: "range",
            message: format!("at most {most} of them"),
        });
    }
}

fn duplicate(kind: &str, id: &str, seen: &mut BTreeSet<String>, errors: &mut Vec<FieldError>) {
    if !seen.insert(id.to_owned()) {
        errors.push(FieldError {
            field: format!("{kind}.{id}.id"),
            code: "duplicate",
            message: format!("another load is called \"{id}\" already"),
        });
    }
}

impl Site {
    fn errors(&self) -> Vec<FieldError> {
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

fn phases_errors(report: &mut Report, phases: Option<&[Phase]>, grid: Grid) {
    let Some(phases) = phases else { return };
    let distinct: BTreeSet<_> = phases.iter().collect();
    if phases.is_empty() || distinct.len() != phases.len() {
        report.add(
            "phases",
            "format",
            "must be null, or one to three different phases",
        );
    }
    if phases.iter().any(|phase| !grid.phases().contains(phase)) {
        report.add("phases", "conflict", "this grid has one phase, l1");
    }
}

fn circuit_error(report: &mut Report, circuit: Option<&str>, site: &Site) {
    if let Some(id) = circuit
        && id != MAIN
        && !site.circuits.iter().any(|circuit| circuit.id == id)
    {
        report.add(
            "circuit",
            "unknown",
            format!("there is no circuit \"{id}\""),
        );
    }
}

impl Charger {
    /// The lines that it may draw from. Not known counts as all.
    pub fn lines(&self, grid: Grid) -> Vec<Phase> {
        lines(self.phases.as_deref(), grid)
    }

    fn errors(&self, site: &Site) -> Vec<FieldError> {
        let mut report = Report::new(&format!("chargers.{}.", self.id));
        report.id(&self.id);
        report.name(&self.name);
        report.range(
            "max_current_a",
            self.max_current_a,
            &CHARGER_CURRENT,
            "1 to 500 A",
        );
        report.range(
            "min_current_a",
            self.min_current_a,
            &CHARGER_CURRENT,
            "1 to 500 A",
        );
        if self.min_current_a > self.max_current_a {
            report.add(
                "min_current_a",
                "conflict",
                "must not be above max_current_a",
            );
        }
        if self.safe_current_a != Milliamps::ZERO
            && !(self.min_current_a..=self.max_current_a).contains(&self.safe_current_a)
        {
            report.add(
                "safe_current_a",
                "range",
                "must be 0, or from min_current_a to max_current_a",
            );
        }
        report.range("lease_s", self.lease_s, &SECONDS, "1 to 3600 s");
        report.range("priority", self.priority, &PRIORITY, "0 to 1000");
        phases_errors(&mut report, self.phases.as_deref(), site.grid);
        circuit_error(&mut report, self.circuit.as_deref(), site);
        report.errors
    }
}

impl SlowLoad {
    /// The lines that it may draw from. Not known counts as all.
    pub fn lines(&self, grid: Grid) -> Vec<Phase> {
        lines(self.phases.as_deref(), grid)
    }

    fn errors(&self, site: &Site) -> Vec<FieldError> {
        let mut report = Report::new(&format!("slow_loads.{}.", self.id));
        report.id(&self.id);
        report.name(&self.name);
        report.range("rated_w", self.rated_w, &RATED_POWER, "1 to 100000 W");
        report.range("priority", self.priority, &PRIORITY, "0 to 1000");
        for (field, value) in [
            ("min_on_s", self.min_on_s),
            ("min_off_s", self.min_off_s),
            ("max_off_s", self.max_off_s),
        ] {
            report.range(field, value, &DWELL_S, "0 to 604800 s");
        }
        if self.max_off_s < self.min_off_s {
            report.add("max_off_s", "conflict", "must not be below min_off_s");
        }
        phases_errors(&mut report, self.phases.as_deref(), site.grid);
        circuit_error(&mut report, self.circuit.as_deref(), site);
        report.errors
    }
}

fn lines(phases: Option<&[Phase]>, grid: Grid) -> Vec<Phase> {
    phases.map_or_else(|| grid.phases().to_vec(), <[Phase]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MainFuse;

    fn charger(change: impl FnOnce(&mut Charger)) -> Config {
        let mut charger = Charger {
            id: "ev1".into(),
            name: "Garage".into(),
            driver: None,
            circuit: None,
            max_current_a: Milliamps::from_amps(16),
            min_current_a: Milliamps::from_amps(6),
            phases: Some(Phase::ALL.to_vec()),
            phase_switching: false,
            safe_current_a: Milliamps::ZERO,
            lease_s: 120,
            lease: crate::config::LeaseProof::Claimed,
            priority: 1,
            accept_risk: false,
        };
        change(&mut charger);
        Config {
            chargers: vec![charger],
            ..Config::default()
        }
    }

    fn fields(config: &Config) -> Vec<String> {
        config
            .validate(PerPhase::default())
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|error| error.field)
            .collect()
    }

    #[test]
    fn a_default_charger_on_a_default_site_is_right() {
        assert_eq!(fields(&charger(|_| {})), Vec::<String>::new());
    }

    #[test]
    fn each_wrong_field_is_named() {
        let cases: [(Config, &str); 8] = [
            (charger(|c| c.id = "EV 1".into()), "chargers.EV 1.id"),
            (
                charger(|c| c.max_current_a = Milliamps(-1)),
                "chargers.ev1.max_current_a",
            ),
            (
                charger(|c| c.min_current_a = Milliamps::from_amps(20)),
                "chargers.ev1.min_current_a",
            ),
            (
                charger(|c| c.safe_current_a = Milliamps::from_amps(3)),
                "chargers.ev1.safe_current_a",
            ),
            (charger(|c| c.lease_s = 0), "chargers.ev1.lease_s"),
            (
                charger(|c| c.phases = Some(vec![Phase::L1, Phase::L1])),
                "chargers.ev1.phases",
            ),
            (
                charger(|c| c.circuit = Some("shed".into())),
                "chargers.ev1.circuit",
            ),
            (charger(|c| c.priority = 5000), "chargers.ev1.priority"),
        ];
        for (config, field) in cases {
            assert!(
                fields(&config).iter().any(|f| f == field),
                "{field}: {:?}",
                fields(&config)
            );
        }
    }

    #[test]
    fn circuits_that_feed_each_other_are_refused() {
        let circuit = |id: &str, parent: &str| Circuit {
            id: id.into(),
            parent: parent.into(),
            rating_a: Rating::All(Milliamps::from_amps(20)),
            meter: None,
            characteristic: None,
            curve: None,
        };
        let site = |circuits| Config {
            site: Site {
                circuits,
                ..Site::default()
            },
            ..Config::default()
        };
        assert!(fields(&site(vec![circuit("a", MAIN), circuit("b", "a")])).is_empty());
        assert!(!fields(&site(vec![circuit("a", "b"), circuit("b", "a")])).is_empty());
        assert!(!fields(&site(vec![circuit("a", "nowhere")])).is_empty());
        assert!(!fields(&site(vec![circuit(MAIN, MAIN)])).is_empty());
    }

    #[test]
    fn safe_currents_must_fit_beside_the_background() {
        let mut config = charger(|c| c.safe_current_a = Milliamps::from_amps(10));
        config.site.main_fuse = MainFuse {
            rating_a: Rating::All(Milliamps::from_amps(16)),
            ..MainFuse::default()
        };
        let background = PerPhase::all(Milliamps::from_amps(8));
        assert!(config.validate(PerPhase::default()).is_ok());
        assert!(config.validate(background).is_err());
        config.chargers[0].accept_risk = true;
        assert!(config.validate(background).is_ok());
    }
}

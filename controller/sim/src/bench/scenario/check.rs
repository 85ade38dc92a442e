//! What makes a scenario impossible.

use headroom_core::units::PerPhase;

use super::{Car, Fault, Link, MeterModel, Scenario, Tank, Visit};

/// Longest scenario, in hours: a month.
const HOURS_MAX: f64 = 744.0;
/// Most seeds of one run.
const SEEDS_MAX: u64 = 1000;
/// Longest time of a link or a fault, in seconds: a week.
const SECONDS_MAX: f64 = 604_800.0;
/// Coarsest currents of a meter, in amperes.
const STEP_A_MAX: f64 = 100.0;
/// Most of anything that is not a charger or a slow load.
const LIST_MAX: usize = 1000;

type Check = Result<(), String>;

impl Scenario {
    /// Checks everything, the objects alone and together.
    ///
    /// # Errors
    /// What cannot be, and what would be right.
    pub(super) fn check(&self) -> Check {
        within("duration_h", self.duration_h, 0.001, HOURS_MAX)?;
        if !(1..=SEEDS_MAX).contains(&self.seeds) {
            return Err(format!("seeds must be 1 to {SEEDS_MAX}"));
        }
        self.config()
            .validate(PerPhase::default())
            .map_err(|errors| {
                let words: Vec<String> = errors
                    .iter()
                    .map(|error| format!("{} {}", error.field, error.message))
                    .collect();
                words.join("; ")
            })?;
        for meter in [&self.meter, &self.circuit_meter] {
            check_meter(meter)?;
        }
        check_link(&self.link)?;
        for link in self.points.iter().filter_map(|point| point.link.as_ref()) {
            check_link(link)?;
        }
        let lists = [
            self.cars.len(),
            self.points.len(),
            self.faults.len(),
            self.visits.len(),
            self.tanks.len(),
        ];
        if lists.into_iter().any(|length| length > LIST_MAX) {
            return Err(format!("a list has more than {LIST_MAX} entries"));
        }
        check_visits(&self.visits)?;
        self.cars.iter().try_for_each(check_car)?;
        self.tanks.iter().try_for_each(check_tank)?;
        let check_fault = |fault: &Fault| check_fault(fault, self.duration_h);
        self.faults.iter().try_for_each(check_fault)?;
        self.check_names()?;
        self.background.validate()
    }

    fn check_names(&self) -> Check {
        let named = self
            .cars
            .iter()
            .map(|car| &car.at)
            .chain(self.points.iter().map(|point| &point.at))
            .chain(self.faults.iter().filter_map(charger_of));
        for name in named {
            if !self.chargers.iter().any(|charger| charger.id == *name) {
                return Err(format!("there is no charger \"{name}\""));
            }
        }
        for tank in &self.tanks {
            if !self.slow_loads.iter().any(|load| load.id == tank.at) {
                return Err(format!("there is no slow load \"{}\"", tank.at));
            }
        }
        for terminals in self
            .points
            .iter()
            .filter_map(|point| point.terminals.as_ref())
        {
            if !(1..=3).contains(&terminals.len()) {
                return Err("a charger has one to three terminals".to_owned());
            }
        }
        Ok(())
    }
}

fn within(field: &str, value: f64, least: f64, most: f64) -> Check {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!(
            "{field} must be from {least} to {most}, not {value}"
        ))
    }
}

fn check_meter(meter: &MeterModel) -> Check {
    within("period_s of a meter", meter.period_s, 0.1, 3600.0)?;
    within("latency_s of a meter", meter.latency_s, 0.0, 60.0)?;
    within("loss of a meter", meter.loss, 0.0, 1.0)?;
    let step_a = meter.current_step_a.to_f64();
    within("current_step_a of a meter", step_a, 0.0, STEP_A_MAX)?;
    let power_period_s = meter.power_period_s.unwrap_or(1.0);
    within("power_period_s of a meter", power_period_s, 0.1, 3600.0)
}

fn check_link(link: &Link) -> Check {
    within("latency_s of a link", link.latency_s, 0.0, SECONDS_MAX)?;
    within(
        "answer_s of a link",
        link.answer_s.unwrap_or(0.0),
        0.0,
        SECONDS_MAX,
    )?;
    within("report_s of a link", link.report_s, 0.1, SECONDS_MAX)?;
    within(
        "report_age_s of a link",
        link.report_age_s,
        0.0,
        SECONDS_MAX,
    )
}

fn check_visits(visits: &[Visit]) -> Check {
    for visit in visits {
        within("from_h of a visit", visit.from_h, 0.0, HOURS_MAX)?;
        within("to_h of a visit", visit.to_h, visit.from_h, 2.0 * HOURS_MAX)?;
        within("kwh of a visit", visit.kwh.unwrap_or(1.0), 0.0, 10_000.0)?;
        within("jitter_min of a visit", visit.jitter_min, 0.0, 1440.0)?;
    }
    Ok(())
}

fn check_car(car: &Car) -> Check {
    if !(1..=3).contains(&car.phases) {
        return Err("a car has one to three phases".to_owned());
    }
    within("min_current_a of a car", car.min_current_a, 1.0, 500.0)?;
    let max_current_a = car.max_current_a.unwrap_or(car.min_current_a);
    within(
        "max_current_a of a car",
        max_current_a,
        car.min_current_a,
        500.0,
    )?;
    within("power_factor of a car", car.power_factor, 0.1, 1.0)?;
    car.visits.as_deref().map_or(Ok(()), check_visits)
}

fn check_tank(tank: &Tank) -> Check {
    within("volume_l of a tank", tank.volume_l, 1.0, 100_000.0)?;
    for (field, celsius) in [
        ("start_c of a tank", tank.start_c),
        ("setpoint_c of a tank", tank.setpoint_c),
        ("comfort_c of a tank", tank.comfort_c),
    ] {
        within(field, celsius, 0.0, 100.0)?;
    }
    within("draw_l of a tank", tank.draw_l, 0.0, tank.volume_l)?;
    let (shortest, longest) = tank.draw_every_s;
    within("draw_every_s of a tank", shortest, 60.0, SECONDS_MAX)?;
    within("draw_every_s of a tank", longest, shortest, SECONDS_MAX)
}

fn check_fault(fault: &Fault, duration_h: f64) -> Check {
    let (at_h, for_s) = match fault {
        Fault::Stuck {
            at_h, current_a, ..
        } => {
            within("current_a of a fault", *current_a, 0.0, 500.0)?;
            (at_h, 0.0)
        }
        Fault::Dead {
            at_h,
            for_s,
            noticed_after_s,
            ..
        } => {
            within(
                "noticed_after_s of a fault",
                *noticed_after_s,
                0.0,
                SECONDS_MAX,
            )?;
            (at_h, *for_s)
        }
        Fault::Restart { at_h, for_s }
        | Fault::MeterGap { at_h, for_s }
        | Fault::MeterFrozen { at_h, for_s } => (at_h, *for_s),
    };
    within("at_h of a fault", *at_h, 0.0, duration_h)?;
    within("for_s of a fault", for_s, 0.0, SECONDS_MAX)
}

fn charger_of(fault: &Fault) -> Option<&String> {
    match fault {
        Fault::Stuck { charger, .. } | Fault::Dead { charger, .. } => Some(charger),
        Fault::Restart { .. } | Fault::MeterGap { .. } | Fault::MeterFrozen { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "title = \"t\"\nchargers = [{ id = \"ev1\", phases = [\"l1\"] }]\n[site]\n\
                        [background]\nkind = \"constant\"\namps = [1, 1, 1]\n";

    #[test]
    fn what_cannot_be_is_named() {
        Scenario::parse("good", GOOD).unwrap();
        for (more, words) in [
            ("duration_h = nan\n", "duration_h: must be a number"),
            (
                "visits = [{ from_h = 5, to_h = 6, kwh = nan }]\n",
                "visits[0].kwh: must be",
            ),
            ("seeds = 0\n", "seeds must be"),
            ("visits = [{ from_h = 5, to_h = 4 }]\n", "to_h of a visit"),
            (
                "[[cars]]\nat = \"ev1\"\nphases = 4\n",
                "one to three phases",
            ),
            (
                "[[cars]]\nat = \"ev1\"\nmin_current_a = inf\n",
                "min_current_a",
            ),
            ("[[cars]]\nat = \"ev2\"\n", "no charger \"ev2\""),
            ("[[tanks]]\nat = \"heater\"\n", "no slow load \"heater\""),
            ("[link]\nreport_s = 0\n", "report_s of a link"),
            ("[meter]\nperiod_s = -1\n", "period_s of a meter"),
            (
                "[meter]\ncurrent_step_a = -1\n",
                "current_step_a of a meter",
            ),
            (
                "[meter]\nlatency_s = nan\n",
                "meter.latency_s: must be a number, and neither nan nor inf",
            ),
            (
                "[[faults]]\nkind = \"restart\"\nat_h = 1\nfor_s = nan\n",
                "faults[0].for_s: must be a number",
            ),
            (
                "[[faults]]\nkind = \"restart\"\nat_h = 1\nfor_s = -1\n",
                "for_s of a fault",
            ),
            (
                "[[faults]]\nkind = \"restart\"\nat_h = 24.5\nfor_s = 1\n",
                "at_h of a fault must be from 0 to 24",
            ),
        ] {
            // What is not in a table goes first.
            let text = if more.starts_with('[') {
                format!("{GOOD}{more}")
            } else {
                format!("{more}{GOOD}")
            };
            let error = Scenario::parse("bad", &text).unwrap_err().to_string();
            assert!(error.contains(words), "{more}: {error}");
        }
    }
}

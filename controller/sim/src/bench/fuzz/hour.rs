//! One adversarial hour: everything in it comes from its seed.

use headroom_core::config::{
    Characteristic, Charger, Circuit, Curve, Grid, LeaseProof, MAIN, MainFuse, Mode, Rating, Site,
    SlowLoad,
};
use headroom_core::units::{Milliamps, Phase, Watts};

use crate::bench::background::{BackgroundSpec, Steps};
use crate::bench::scenario::{Car, Fault, Link, MeterModel, Point, Scenario, SecondLine, Visit};
use crate::random::Random;

/// The hour of a seed.
pub fn scenario(seed: u64, attempt: u32) -> Scenario {
    let mut random = Random::new(seed, &format!("hour {attempt}"));
    let site = site(&mut random);
    let meter = meter(site.grid, &mut random);
    let link = link(&mut random);
    let largest_a = largest_step(&site);
    let reaction_s =
        2.0 * meter.period_s + meter.latency_s + link.latency_s + LOAD_REACTION_S + 1.0;
    let (chargers, points, mut cars) = chargers(&site, &mut random);
    let mut resting = Random::new(seed, &format!("rests of hour {attempt}"));
    for car in &mut cars {
        car.rests_s = rests(&mut resting);
    }
    let mut balanced = Random::new(seed, &format!("balanced steps of hour {attempt}"));
    let mut partial = Random::new(seed, &format!("partial steps of hour {attempt}"));
    let mut faults = faults(&chargers, &mut random);
    let mut disobedient = Random::new(seed, &format!("stuck in hour {attempt}"));
    let stuck_share = stuck(&site, &mut cars, &mut faults, &mut disobedient);
    // Who watches cannot be rejected beforehand, so that nothing else may step beside it.
    let watching = random.chance(0.5);
    let slow_loads = if watching {
        Vec::new()
    } else {
        slow_loads(&site, &mut random)
    };
    let mut hour = Scenario {
        name: format!("hour {seed}"),
        title: String::new(),
        household: false,
        duration_h: 1.0,
        seeds: 1,
        background: BackgroundSpec::Steps(Steps {
            // A little less than the largest, for the noise on top of it.
            step_a: (largest_a - 0.3) * pick(&mut random, &[0.5, 1.0, 1.0]),
            quiet_s: blind_times(&faults, link.report_s, reaction_s),
            watching,
            partial: partial.chance(0.5),
            balanced: pick(&mut balanced, &[0.0, 0.0, 0.5, 1.0]),
            base_a: random.between((0.5, 4.0)),
            // Two branches that meet in a line add up to √3 of each.
            highest: (1.0 - stuck_share / 0.9) * if site.grid == Grid::It3ph { 0.5 } else { 0.9 },
            gap_s: (
                reaction_s,
                pick(&mut random, &[2.0, 5.0, 20.0]) * reaction_s,
            ),
            power_factor: random.between((0.85, 1.0)),
        }),
        site,
        meter,
        circuit_meter: MeterModel::default(),
        chargers,
        link,
        points,
        cars,
        visits: Vec::new(),
        slow_loads,
        tanks: Vec::new(),
        faults,
    };
    hour.title = title(&hour, largest_a, watching);
    hour
}

/// The lease of every charger of an hour, in seconds.
const LEASE_S: f64 = 120.0;
/// A lease that has run out is believed this much later, in seconds.
const LEASE_MARGIN_S: f64 = 10.0;
/// A meter that is silent this long counts as lost, in seconds.
const LOST_S: f64 = 60.0;
/// A charger that draws more than it was told for this long does not obey, in seconds.
const DISOBEYS_S: f64 = 16.0;
/// A car follows the pilot within this, in seconds (IEC 61851-1).
const LOAD_REACTION_S: f64 = 5.0;

fn pick<T: Copy + Default>(random: &mut Random, from: &[T]) -> T {
    let mut at = random.unit() * f64::from(u32::try_from(from.len()).unwrap_or(1));
    for one in from {
        if at < 1.0 {
            return *one;
        }
        at -= 1.0;
    }
    from.last().copied().unwrap_or_default()
}

fn largest_step(site: &Site) -> f64 {
    let rating = site.main_fuse.rating_a.per_phase();
    let least = rating.0.into_iter().min().unwrap_or_default();
    site.largest_step_a.map_or_else(
        || {
            if least >= Milliamps::from_amps(35) {
                16.0
            } else {
                10.0
            }
        },
        Milliamps::to_f64,
    )
}

fn site(random: &mut Random) -> Site {
    let grid = pick(
        random,
        &[
            Grid::Tn3ph,
            Grid::Tn3ph,
            Grid::Tn3ph,
            Grid::It3ph,
            Grid::Tn1ph,
        ],
    );
    let rating = match grid {
        Grid::Tn3ph => pick(random, &[16, 20, 25, 25, 35, 50, 63]),
        Grid::It3ph => pick(random, &[25, 32, 40, 63]),
        Grid::Tn1ph => pick(random, &[25, 39, 63]),
    };
    let characteristic = match (grid, random.unit()) {
        (Grid::Tn1ph, unit) if unit < 0.5 => Characteristic::Linky,
        (_, unit) if unit < 0.3 => Characteristic::B,
        (_, unit) if unit < 0.4 => Characteristic::C,
        _ => Characteristic::Gg,
    };
    let curve = match characteristic {
        Characteristic::B | Characteristic::C => pick(random, &[Curve::Standard, Curve::Band]),
        _ => Curve::Standard,
    };
    let circuits = if random.chance(0.2) {
        let circuit = |id: &str, parent: &str, amps| Circuit {
            id: id.to_owned(),
            parent: parent.to_owned(),
            rating_a: Rating::All(Milliamps::from_amps(amps)),
            meter: None,
            characteristic: None,
            curve: None,
        };
        vec![
            circuit("garage", MAIN, 20),
            circuit("carport", "garage", 16),
        ]
    } else {
        Vec::new()
    };
    Site {
        mode: Mode::Control,
        grid,
        main_fuse: MainFuse {
            rating_a: Rating::All(Milliamps::from_amps(rating)),
            characteristic,
            curve,
            ambient_c: None,
        },
        largest_step_a: pick(random, &[None, None, Some(Milliamps::from_amps(5))]),
        circuits,
        ..Site::default()
    }
}

fn meter(grid: Grid, random: &mut Random) -> MeterModel {
    let period_s = pick(random, &[1.0, 1.0, 2.5, 5.0, 10.0]);
    MeterModel {
        period_s,
        latency_s: random.between((0.1, 1.0)) * if period_s > 5.0 { 2.0 } else { 1.0 },
        current_step_a: pick(
            random,
            &[
                Milliamps(1),
                Milliamps(100),
                Milliamps(100),
                Milliamps(1000),
            ],
        ),
        loss: pick(random, &[0.0, 0.02, 0.05]),
        losses_in_a_row: Some(1),
        power_period_s: (period_s > 5.0 && random.chance(0.5)).then_some(2.5),
        l2: match grid {
            Grid::It3ph if random.chance(0.25) => SecondLine::Missing,
            _ => SecondLine::Measured,
        },
    }
}

fn link(random: &mut Random) -> Link {
    let latency_s = pick(random, &[0.3, 1.0, 1.0, 3.0, 10.0]);
    let report_s = pick(random, &[1.0, 5.0, 10.0, 30.0]);
    Link {
        latency_s,
        answer_s: None,
        report_s,
        report_age_s: random.between((0.1, 1.0)) * latency_s,
        reports_limit: random.chance(0.5),
    }
}

fn chargers(site: &Site, random: &mut Random) -> (Vec<Charger>, Vec<Point>, Vec<Car>) {
    use Phase::{L1, L2, L3};
    let (mut chargers, mut points, mut cars) = (Vec::new(), Vec::new(), Vec::new());
    let names: &[&str] = match pick(random, &[1_u8, 1, 2, 3, 4]) {
        1 => &["ev1"],
        2 => &["ev1", "ev2"],
        3 => &["ev1", "ev2", "ev3"],
        _ => &["ev1", "ev2", "ev3", "ev4"],
    };
    for id in names {
        let rotations: [&[Phase]; 3] = [&[L1, L2, L3], &[L2, L3, L1], &[L3, L1, L2]];
        let singles: [&[Phase]; 3] = [&[L1], &[L2], &[L3]];
        let pairs: [&[Phase]; 3] = [&[L1, L2], &[L2, L3], &[L3, L1]];
        let (wired, phases) = match site.grid {
            Grid::Tn1ph => (vec![L1], 1),
            Grid::It3ph if random.chance(0.7) => (pick(random, &pairs).to_vec(), 1),
            Grid::Tn3ph if random.chance(0.4) => (pick(random, &singles).to_vec(), 1),
            _ => (pick(random, &rotations).to_vec(), pick(random, &[1, 3, 3])),
        };
        let unknown = wired.len() == 3 && random.chance(0.15);
        let circuit = if site.circuits.is_empty() {
            None
        } else {
            pick(random, &[None, Some("garage"), Some("carport")])
        };
        let max_current_a = Milliamps::from_amps(pick(random, &[16, 16, 32]));
        if unknown {
            points.push(Point {
                at: (*id).to_owned(),
                terminals: Some(wired.clone()),
                link: None,
            });
        }
        cars.push(Car {
            at: (*id).to_owned(),
            phases,
            max_current_a: None,
            min_current_a: 6.0,
            power_factor: random.between((0.95, 1.0)),
            visits: Some(visits(random)),
            rests_s: Vec::new(),
        });
        chargers.push(Charger {
            id: (*id).to_owned(),
            name: String::new(),
            driver: None,
            circuit: circuit.map(str::to_owned),
            max_current_a,
            min_current_a: Milliamps::from_amps(6),
            phases: (!unknown).then_some(wired),
            phase_switching: phases == 3 && random.chance(0.2),
            safe_current_a: Milliamps::ZERO,
            lease_s: 120,
            lease: LeaseProof::Claimed,
            priority: pick(random, &[1, 1, 2]),
            accept_risk: false,
        });
    }
    (chargers, points, cars)
}

/// Some cars stop by themselves now and then, and go on when they like.
fn rests(random: &mut Random) -> Vec<(f64, f64)> {
    let mut rests = Vec::new();
    let mut at_s = 0.0;
    if random.chance(0.4) {
        while at_s < 7200.0 {
            let from_s = at_s + random.between((60.0, 900.0));
            at_s = from_s + random.between((10.0, 600.0));
            rests.push((from_s, at_s));
        }
    }
    rests
}

fn visit(from_h: f64, to_h: f64) -> Visit {
    Visit {
        from_h,
        to_h,
        kwh: None,
        jitter_min: 0.0,
    }
}

fn visits(random: &mut Random) -> Vec<Visit> {
    if random.chance(0.6) {
        vec![visit(0.0, 2.0)]
    } else {
        let gone_h = random.between((0.2, 0.6));
        let back_h = gone_h + random.between((0.05, 0.3));
        vec![visit(0.0, gone_h), visit(back_h, 2.0)]
    }
}

fn slow_loads(site: &Site, random: &mut Random) -> Vec<SlowLoad> {
    if !random.chance(0.2) {
        return Vec::new();
    }
    vec![SlowLoad {
        id: "heater".to_owned(),
        name: String::new(),
        driver: None,
        rated_w: Watts(pick(random, &[1200, 2000])),
        phases: Some(match site.grid {
            Grid::It3ph => vec![Phase::L1, Phase::L2],
            Grid::Tn3ph | Grid::Tn1ph => vec![Phase::L1],
        }),
        circuit: None,
        min_on_s: 60,
        min_off_s: 60,
        max_off_s: 14_400,
        priority: pick(random, &[1, 2]),
    }]
}

fn faults(chargers: &[Charger], random: &mut Random) -> Vec<Fault> {
    let mut faults = Vec::new();
    if random.chance(0.1) {
        faults.push(Fault::Restart {
            at_h: random.between((0.2, 0.8)),
            for_s: random.between((1.0, 60.0)),
        });
    }
    if random.chance(0.1) {
        faults.push(Fault::MeterGap {
            at_h: random.between((0.1, 0.8)),
            for_s: random.between((5.0, 600.0)),
        });
    }
    if let Some(charger) = chargers.first()
        && random.chance(0.1)
    {
        faults.push(Fault::Dead {
            charger: charger.id.clone(),
            at_h: random.between((0.1, 0.8)),
            for_s: random.between((10.0, 900.0)),
            noticed_after_s: random.between((0.0, 30.0)),
        });
    }
    faults
}

/// In some hours with several chargers the last does not obey from some time on. What it draws belongs to the house, whose
/// own part is so much smaller; its beginning is one step, which a circuit without a meter has no reserve for; so that it
/// makes no more of them its car stays and does not stop. Returns its share of the rating.
fn stuck(site: &Site, cars: &mut [Car], faults: &mut Vec<Fault>, random: &mut Random) -> f64 {
    let rating = site.main_fuse.rating_a.per_phase().get(Phase::L1).to_f64();
    let current_a = random.between((6.0, 16.0)).floor();
    let at_h = random.between((0.1, 0.5));
    let in_class = current_a <= largest_step(site).min(0.5 * rating) && site.circuits.is_empty();
    if !random.chance(0.3) || !in_class || cars.len() < 2 {
        return 0.0;
    }
    let Some(car) = cars.last_mut() else {
        return 0.0;
    };
    car.visits = Some(vec![visit(0.0, 2.0)]);
    car.rests_s = Vec::new();
    faults.push(Fault::Stuck {
        charger: car.at.clone(),
        at_h,
        current_a,
    });
    current_a / rating
}

/// When the controller cannot see or cannot do: until a charger that does not obey is known for it, until a meter that is silent counts as lost, until the
/// lease of a charger that cannot be reached has run out, until a new process has begun. These count in
/// the reaction time, so that nothing steps twice in them; and a step just before or in them would find
/// full lines and nobody to lower them.
fn blind_times(faults: &[Fault], report_s: f64, reaction_s: f64) -> Vec<(f64, f64)> {
    faults
        .iter()
        .filter_map(|fault| {
            let (at_h, blind_s) = match fault {
                Fault::Dead { at_h, .. } => (*at_h, LEASE_S + LEASE_MARGIN_S),
                Fault::MeterGap { at_h, for_s } => (*at_h, for_s.min(LOST_S)),
                Fault::Restart { at_h, for_s } => (*at_h, *for_s),
                Fault::Stuck { at_h, .. } => (*at_h, DISOBEYS_S + 2.0 * report_s),
                Fault::MeterFrozen { .. } => return None,
            };
            let at_s = at_h * 3600.0;
            Some((at_s - reaction_s, at_s + blind_s + 2.0 * reaction_s))
        })
        .collect()
}

fn title(hour: &Scenario, largest_a: f64, watching: bool) -> String {
    let Scenario {
        site, meter, link, ..
    } = hour;
    let rating = site.main_fuse.rating_a.per_phase().get(Phase::L1);
    let wiring: Vec<String> = hour
        .chargers
        .iter()
        .map(|charger| match &charger.phases {
            None => format!("?x{}", charger.max_current_a),
            Some(lines) => {
                let names: Vec<String> = lines.iter().map(Phase::to_string).collect();
                format!("{}x{}", names.join("+"), charger.max_current_a)
            }
        })
        .collect();
    let faults: Vec<&str> = hour
        .faults
        .iter()
        .map(|fault| match fault {
            Fault::Stuck { .. } => "stuck",
            Fault::Dead { .. } => "dead",
            Fault::Restart { .. } => "restart",
            Fault::MeterGap { .. } => "meter gap",
            Fault::MeterFrozen { .. } => "frozen",
        })
        .collect();
    format!(
        "{:?} {rating} {:?} {:?}, steps to {largest_a} A{}, meter {} s (loss {}, step {}, L2 {:?}), commands {} s, \
         reports {} s, [{}], {} circuits, {} slow loads, faults [{}]",
        site.grid,
        site.main_fuse.characteristic,
        site.main_fuse.curve,
        if watching {
            " where a line is full"
        } else {
            ""
        },
        meter.period_s,
        meter.loss,
        meter.current_step_a,
        meter.l2,
        link.latency_s,
        link.report_s,
        wiring.join(", "),
        site.circuits.len(),
        hour.slow_loads.len(),
        faults.join(", "),
    )
}

//! A car at a charging cable (IEC 61851-1, annex A): it follows the pilot signal late and with a ramp,
//! draws nothing below its minimum, rests a while before it starts again, and fills up.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::random::Random;
use crate::{millis, seconds};

/// Offers of the pilot that the car has not followed yet. More than these within its delay are only
/// possible when every tick brings another; then the oldest one is taken early.
const OFFERS_MAX: usize = 64;
/// Share of the energy from the grid that reaches the battery.
const EFFICIENCY: f64 = 0.9;

/// A car.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CarSpec {
    /// When it is plugged in first, in seconds of virtual time.
    pub arrives_s: f64,
    /// Phases of its onboard charger, 1 to 3.
    pub phases: u8,
    /// Most that its onboard charger takes per phase, in amperes.
    pub max_current_a: f64,
    /// Least that it takes per phase, in amperes.
    pub min_current_a: f64,
    /// Capacity of its battery, in kWh.
    pub battery_kwh: f64,
    /// State of charge at its first arrival, 0 to 1.
    pub charged: f64,
    /// State of charge from which on it takes less and less, 0 to 1.
    pub taper_from: f64,
    /// From a change of the pilot signal to the beginning of the change of its current, in seconds.
    pub delay_s: (f64, f64),
    /// How fast its current rises, in amperes per second.
    pub rise_a_per_s: f64,
    /// How fast its current falls, in amperes per second.
    pub fall_a_per_s: f64,
    /// How long it rests before it starts, after it was plugged in or paused, in seconds.
    pub restart_s: (f64, f64),
    /// When it takes nothing though it could, from and until seconds of virtual time.
    pub rests_s: Vec<(f64, f64)>,
    /// How long it is gone when it is full, in seconds; `None`: it stays.
    pub away_s: Option<(f64, f64)>,
    /// Active over apparent power, 0 to 1.
    pub power_factor: f64,
}

impl Default for CarSpec {
    /// A common car with an 11 kW onboard charger.
    fn default() -> Self {
        Self {
            arrives_s: 0.0,
            phases: 3,
            max_current_a: 16.0,
            min_current_a: 6.0,
            battery_kwh: 60.0,
            charged: 0.3,
            taper_from: 0.9,
            delay_s: (1.0, 3.0),
            rise_a_per_s: 1.5,
            fall_a_per_s: 6.0,
            restart_s: (5.0, 20.0),
            rests_s: Vec::new(),
            away_s: None,
            power_factor: 0.99,
        }
    }
}

/// What a car does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarState {
    /// Not plugged in.
    Away {
        /// When it comes, in virtual milliseconds; `None`: not by itself.
        returns_ms: Option<u64>,
    },
    /// Plugged in and not offered enough.
    Paused,
    /// Offered enough, and not ready yet.
    Starting {
        /// When it is, in virtual milliseconds.
        ready_ms: u64,
    },
    /// Drawing.
    Charging,
    /// Full; it wants no more.
    Full {
        /// When it drives off, in virtual milliseconds.
        leaves_ms: Option<u64>,
    },
}

/// How long a full car stays at its cable before it drives off.
const STAYS_FULL_S: f64 = 120.0;

/// A car at work.
#[derive(Clone, Debug)]
pub struct Car {
    spec: CarSpec,
    random: Random,
    state: CarState,
    charged: f64,
    amps: f64,
    offered: f64,
    followed: f64,
    offers: VecDeque<(u64, f64)>,
}

impl Car {
    /// Away until its arrival. `name` tells its random numbers from those of others.
    pub fn new(spec: CarSpec, seed: u64, name: &str) -> Self {
        Self {
            random: Random::new(seed, name),
            state: CarState::Away {
                returns_ms: Some(millis(spec.arrives_s)),
            },
            charged: spec.charged.clamp(0.0, 1.0),
            amps: 0.0,
            offered: 0.0,
            followed: 0.0,
            offers: VecDeque::new(),
            spec,
        }
    }

    /// What it does.
    pub fn state(&self) -> CarState {
        self.state
    }

    /// Whether its cable is plugged in.
    pub fn plugged_in(&self) -> bool {
        !matches!(self.state, CarState::Away { .. })
    }

    /// What it draws on each of its phases, in amperes.
    pub fn amps(&self) -> f64 {
        self.amps
    }

    /// Phases of its onboard charger.
    pub fn phases(&self) -> u8 {
        self.spec.phases.clamp(1, 3)
    }

    /// Active over apparent power.
    pub fn power_factor(&self) -> f64 {
        self.spec.power_factor
    }

    /// State of charge, 0 to 1.
    pub fn charged(&self) -> f64 {
        self.charged
    }

    /// Plugs it in now, or again with another state of charge.
    pub fn plug_in(&mut self, charged: f64) {
        self.charged = charged.clamp(0.0, 1.0);
        self.state = CarState::Paused;
        self.offers.clear();
        (self.offered, self.followed) = (0.0, 0.0);
    }

    /// Unplugs it. It comes back when somebody plugs it in.
    pub fn unplug(&mut self) {
        self.leave(None);
    }

    /// Lets one tick up to `now_ms` pass while the pilot offers so much (0: nothing) on so many phases
    /// (√3 where three lines have no neutral).
    pub(crate) fn step(
        &mut self,
        now_ms: u64,
        tick_ms: u64,
        offer_a: f64,
        phases: f64,
        volts: f64,
    ) {
        self.follow(now_ms, offer_a);
        self.change_state(now_ms);
        let target = match self.state {
            CarState::Charging if !self.rests(now_ms) => self.followed.min(self.wants()),
            _ => 0.0,
        };
        let dt_s = seconds(tick_ms);
        self.amps = if target > self.amps {
            // It starts with its minimum: below it there is no charging.
            (self.amps + self.spec.rise_a_per_s * dt_s).clamp(self.spec.min_current_a, target)
        } else {
            let falling = (self.amps - self.spec.fall_a_per_s * dt_s).max(target);
            if falling < self.spec.min_current_a {
                0.0
            } else {
                falling
            }
        };
        let watts = self.amps * phases * volts * self.spec.power_factor;
        let stored_kwh = watts * EFFICIENCY * dt_s / 3_600_000.0;
        self.charged = (self.charged + stored_kwh / self.spec.battery_kwh.max(0.1)).min(1.0);
    }

    fn rests(&self, now_ms: u64) -> bool {
        let mut rests = self.spec.rests_s.iter();
        rests.any(|(from_s, to_s)| (millis(*from_s)..millis(*to_s)).contains(&now_ms))
    }

    /// The pilot signal of a while ago.
    fn follow(&mut self, now_ms: u64, offer_a: f64) {
        if !self.plugged_in() {
            return;
        }
        // Exact: the offer is a limit that was set, not a sum.
        #[expect(clippy::float_cmp, reason = "only a new value is a change")]
        if offer_a != self.offered {
            self.offered = offer_a;
            let delayed = now_ms + millis(self.random.between(self.spec.delay_s));
            // The car takes the offers in their order.
            let at_ms = self
                .offers
                .back()
                .map_or(delayed, |(last, _)| delayed.max(*last));
            if self.offers.len() >= OFFERS_MAX
                && let Some((_, oldest)) = self.offers.pop_front()
            {
                self.followed = oldest;
            }
            self.offers.push_back((at_ms, offer_a));
        }
        while self
            .offers
            .front()
            .is_some_and(|(at_ms, _)| *at_ms <= now_ms)
        {
            if let Some((_, offer_a)) = self.offers.pop_front() {
                self.followed = offer_a;
            }
        }
    }

    fn change_state(&mut self, now_ms: u64) {
        let offered = self.followed >= self.spec.min_current_a;
        match self.state {
            CarState::Away {
                returns_ms: Some(at_ms),
            } if now_ms >= at_ms => {
                let charged = self.charged;
                self.plug_in(charged);
            }
            CarState::Paused | CarState::Charging | CarState::Starting { .. }
                if self.charged >= 1.0 =>
            {
                let leaves_ms = self.spec.away_s.map(|_| now_ms + millis(STAYS_FULL_S));
                self.state = CarState::Full { leaves_ms };
            }
            CarState::Paused if offered => {
                let rest = millis(self.random.between(self.spec.restart_s));
                self.state = CarState::Starting {
                    ready_ms: now_ms + rest,
                };
            }
            CarState::Charging | CarState::Starting { .. } if !offered => {
                self.state = CarState::Paused;
            }
            CarState::Starting { ready_ms } if now_ms >= ready_ms => {
                self.state = CarState::Charging;
            }
            CarState::Full {
                leaves_ms: Some(at_ms),
            } if now_ms >= at_ms => {
                let away = self
                    .spec
                    .away_s
                    .map(|range| millis(self.random.between(range)));
                self.leave(away.map(|away| now_ms + away));
                // What the trip leaves in the battery.
                self.charged = self.random.between((0.2, 0.6));
            }
            _ => {}
        }
    }

    fn leave(&mut self, returns_ms: Option<u64>) {
        self.state = CarState::Away { returns_ms };
        self.amps = 0.0;
        self.offers.clear();
        (self.offered, self.followed) = (0.0, 0.0);
    }

    /// What it would take if it were offered everything.
    fn wants(&self) -> f64 {
        let left = (1.0 - self.charged) / (1.0 - self.spec.taper_from).max(0.001);
        (self.spec.max_current_a * left.min(1.0)).max(self.spec.min_current_a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn car(change: impl FnOnce(&mut CarSpec)) -> Car {
        let mut spec = CarSpec {
            delay_s: (2.0, 2.0),
            restart_s: (5.0, 5.0),
            battery_kwh: 60.0,
            ..CarSpec::default()
        };
        change(&mut spec);
        Car::new(spec, 1, "car")
    }

    /// Runs to a time in seconds, from `now_ms` on, with one offer.
    fn run(car: &mut Car, now_ms: &mut u64, to_s: u64, offer_a: f64) -> Vec<f64> {
        let mut amps = Vec::new();
        while *now_ms < to_s * 1000 {
            *now_ms += 100;
            car.step(*now_ms, 100, offer_a, 3.0, 230.0);
            amps.push(car.amps());
        }
        amps
    }

    #[test]
    fn it_starts_with_its_minimum_ramps_and_stops_at_its_own_maximum() {
        let (mut car, mut now) = (car(|_| {}), 0);
        // Two seconds until it sees the offer, five until it is ready.
        let before = run(&mut car, &mut now, 7, 32.0);
        assert!(before.iter().all(|amps| *amps < 1e-9));
        let ramp = run(&mut car, &mut now, 20, 32.0);
        let first = ramp.iter().copied().find(|amps| *amps > 0.0).unwrap();
        assert!((first - 6.0).abs() < 1e-9);
        assert!(
            ramp.windows(2)
                .all(|pair| pair[0] < 1.0 || pair[1] - pair[0] < 0.1501)
        );
        assert!((car.amps() - 16.0).abs() < 1e-9);
    }

    #[test]
    fn it_follows_a_cut_within_its_delay_and_fall() {
        let (mut car, mut now) = (car(|_| {}), 0);
        run(&mut car, &mut now, 60, 16.0);
        let amps = run(&mut car, &mut now, 66, 8.0);
        assert!((amps[18] - 16.0).abs() < 1e-9, "still in its delay");
        assert!((amps[36] - 8.0).abs() < 1e-9, "{amps:?}");
    }

    #[test]
    fn below_its_minimum_it_pauses_and_rests_before_it_starts_again() {
        let (mut car, mut now) = (car(|_| {}), 0);
        run(&mut car, &mut now, 60, 16.0);
        let falls = run(&mut car, &mut now, 70, 5.9);
        assert!(falls.iter().all(|amps| *amps < 1e-9 || *amps >= 6.0));
        assert_eq!((car.state(), car.amps()), (CarState::Paused, 0.0));
        let amps = run(&mut car, &mut now, 80, 6.0);
        let started = amps.iter().position(|amps| *amps > 0.0).unwrap();
        assert!((69..=72).contains(&started), "{started} ticks");
        assert!(amps.iter().all(|amps| *amps < 1e-9 || *amps >= 6.0));
    }

    #[test]
    fn it_fills_up_takes_less_near_the_end_and_wants_no_more() {
        let (mut car, mut now) = (
            car(|spec| {
                spec.battery_kwh = 10.0;
                spec.charged = 0.5;
            }),
            0,
        );
        let amps = run(&mut car, &mut now, 7200, 16.0);
        let peak = amps.iter().position(|amps| *amps > 15.99).unwrap();
        assert!(
            amps[peak..]
                .windows(2)
                .all(|pair| pair[1] <= pair[0] + 1e-9),
            "only falls"
        );
        assert!(
            amps.iter().any(|amps| *amps > 6.0 && *amps < 10.0),
            "a taper"
        );
        assert_eq!(car.state(), CarState::Full { leaves_ms: None });
        assert!((car.charged() - 1.0).abs() < 1e-9);
        assert!(car.amps().abs() < 1e-9);
    }

    #[test]
    fn a_full_car_may_drive_off_and_come_back_empty() {
        let (mut car, mut now) = (
            car(|spec| {
                spec.charged = 1.0;
                spec.away_s = Some((600.0, 600.0));
            }),
            0,
        );
        run(&mut car, &mut now, 300, 16.0);
        assert!(!car.plugged_in());
        run(&mut car, &mut now, 800, 16.0);
        assert!(car.plugged_in() && car.charged() < 0.7 && car.amps() > 6.0);
    }
}

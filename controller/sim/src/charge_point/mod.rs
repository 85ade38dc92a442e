//! A charge point with one connector and the car at it.
//!
//! It keeps charging profiles and follows them in time by its own clock, so that a lease that nobody
//! renews falls to its safe current; it offers what they allow on its pilot, down to nothing below 6 A
//! (IEC 61851-1); and it hangs on the house's lines in an order of its own (phase rotation).
//! Latency, disobedience, reboots and a cut network are its faults.

mod report;
mod spec;

use std::collections::VecDeque;

use headroom_core::units::{PerPhase, Phase};

use crate::car::{Car, CarState};
use crate::current::{Current, Currents, Wiring};
use crate::profile::{
    Filter, Limit, Moment, Period, Profile, ProfileError, Profiles, Purpose, Start, Unit,
};
use crate::{millis, seconds};

pub use self::report::{ConnectorStatus, Readings, Transaction};
pub use self::spec::{ChargePointSpec, Obedience};

/// Least current that a pilot can offer, in amperes (IEC 61851-1, table A.8).
const PILOT_MIN_A: f64 = 6.0;
/// Settings on their way to the pilot. Beyond them the newest replaces the one before.
const PENDING_MAX: usize = 16;
const SQRT_3: f64 = 1.732_050_807_568_877_2;
/// From plugging in to the transaction that begins by itself, in milliseconds.
const AUTHORISE_MS: u64 = 1000;

/// A charge point at work.
#[derive(Clone, Debug)]
pub struct ChargePoint {
    spec: ChargePointSpec,
    car: Car,
    /// As the network sees them.
    profiles: Profiles,
    /// As the pilot follows them, a latency later, and when they were set.
    followed: (u64, Profiles),
    pending: VecDeque<(u64, Profiles)>,
    clock_offset_ms: i64,
    now_ms: u64,
    volts: PerPhase<f64>,
    offered_a: f64,
    /// Terminals that the car uses.
    phases: usize,
    wiring: Wiring,
    energy_wh: f64,
    transaction: Option<Transaction>,
    transactions: i64,
    plugged_in_ms: Option<u64>,
    stopped: bool,
    up_again_ms: Option<u64>,
    network: bool,
}

impl ChargePoint {
    /// With its base profile, its network up, and its car on the way.
    pub fn new(spec: ChargePointSpec, seed: u64) -> Self {
        let mut profiles = Profiles::default();
        if let Some(amps) = spec.base_limit_a {
            let base = Profile {
                id: 1,
                connector: 0,
                stack_level: 0,
                purpose: Purpose::TxDefault,
                transaction: None,
                start: Start::Relative,
                duration_s: None,
                valid_from_ms: None,
                valid_to_ms: None,
                unit: Unit::Amperes,
                periods: vec![Period {
                    start_s: 0,
                    limit: amps.max(0.0),
                    phases: 3,
                }],
            };
            // A limit without end is none: then there is no base profile.
            profiles.set(base, Moment::default()).ok();
        }
        Self {
            car: Car::new(spec.car.clone(), seed, &spec.id),
            followed: (0, profiles.clone()),
            profiles,
            pending: VecDeque::new(),
            clock_offset_ms: 0,
            now_ms: 0,
            volts: PerPhase::all(230.0),
            offered_a: 0.0,
            phases: spec.terminals.len(),
            wiring: Wiring::default(),
            energy_wh: 0.0,
            transaction: None,
            transactions: 0,
            plugged_in_ms: None,
            stopped: false,
            up_again_ms: None,
            network: true,
            spec,
        }
    }

    /// Its identity.
    pub fn id(&self) -> &str {
        &self.spec.id
    }

    /// What it is made of.
    pub fn spec(&self) -> &ChargePointSpec {
        &self.spec
    }

    /// The car that comes to it.
    pub fn car(&self) -> &Car {
        &self.car
    }

    /// The car, to plug it in or out.
    pub fn car_mut(&mut self) -> &mut Car {
        &mut self.car
    }

    /// The profiles that it has taken.
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// The session that is running.
    pub fn transaction(&self) -> Option<Transaction> {
        self.transaction
    }

    /// The number that the central system gave the session.
    pub fn name_transaction(&mut self, central_id: i64) {
        if let Some(transaction) = &mut self.transaction {
            transaction.central_id = Some(central_id);
        }
    }

    /// Ends the session; the next begins with [`Self::start_transaction`] or another plugging in.
    /// Returns whether there was one.
    pub fn stop_transaction(&mut self) -> bool {
        self.stopped = self.transaction.is_some();
        self.end_transaction();
        self.stopped
    }

    /// Begins a session again after [`Self::stop_transaction`]. Returns whether a car is there to begin with.
    pub fn start_transaction(&mut self) -> bool {
        self.stopped = false;
        self.car.plugged_in()
    }

    /// Sets its clock, in milliseconds since whatever its profiles count from.
    pub fn set_clock(&mut self, clock_ms: i64) {
        self.clock_offset_ms =
            clock_ms.saturating_sub(i64::try_from(self.now_ms).unwrap_or(i64::MAX));
    }

    /// Its clock, in milliseconds.
    pub fn clock_ms(&self) -> i64 {
        self.clock_at(self.now_ms)
    }

    /// Its clock at a moment of virtual time, in milliseconds.
    pub fn clock_at(&self, ms: u64) -> i64 {
        i64::try_from(ms)
            .unwrap_or(i64::MAX)
            .saturating_add(self.clock_offset_ms)
    }

    /// Takes a charging profile.
    ///
    /// # Errors
    /// If it cannot be followed; then nothing changes.
    pub fn set_profile(&mut self, profile: Profile) -> Result<(), ProfileError> {
        self.profiles.set(profile, self.moment(self.now_ms))?;
        self.pass_on();
        Ok(())
    }

    /// Clears profiles; returns how many.
    pub fn clear_profiles(&mut self, filter: Filter) -> usize {
        let cleared = self.profiles.clear(filter);
        self.pass_on();
        cleared
    }

    /// A limit that falls to a safe current after a time, in one call: what a controller without OCPP
    /// in between commands.
    ///
    /// # Errors
    /// If the limit is no current.
    pub fn lease(&mut self, limit: Limit, lease_s: u32, safe_a: f64) -> Result<(), ProfileError> {
        let Limit { amps, phases } = limit;
        self.set_profile(Profile {
            id: 2,
            connector: 1,
            stack_level: 1,
            purpose: Purpose::TxDefault,
            transaction: None,
            start: Start::Absolute(self.clock_ms()),
            duration_s: None,
            valid_from_ms: None,
            valid_to_ms: None,
            unit: Unit::Amperes,
            periods: vec![
                Period {
                    start_s: 0,
                    limit: amps,
                    phases,
                },
                Period {
                    start_s: lease_s.max(1),
                    limit: safe_a,
                    phases,
                },
            ],
        })
    }

    /// What is going to flow at most from now on, as `GetCompositeSchedule` answers.
    pub fn composite(&self, duration_s: u32) -> Vec<(u32, Limit)> {
        self.profiles
            .composite(self.moment(self.now_ms), duration_s)
    }

    /// Reboots: nothing is offered and the network is gone until it is up again; profiles stay, except
    /// those of the session, which ends.
    pub fn reboot(&mut self) {
        self.end_transaction();
        self.up_again_ms = Some(self.now_ms + millis(self.spec.reboot_s));
    }

    /// Whether it is up.
    pub fn is_up(&self) -> bool {
        self.up_again_ms.is_none()
    }

    /// Cuts it off the network, or brings it back.
    pub fn set_network(&mut self, up: bool) {
        self.network = up;
    }

    /// Whether it can be reached.
    pub fn network(&self) -> bool {
        self.network && self.is_up()
    }

    /// State of its connector.
    pub fn status(&self) -> ConnectorStatus {
        if !self.is_up() {
            ConnectorStatus::Unavailable
        } else if !self.car.plugged_in() {
            ConnectorStatus::Available
        } else if self.stopped {
            ConnectorStatus::Finishing
        } else if self.transaction.is_none() {
            ConnectorStatus::Preparing
        } else if matches!(self.car.state(), CarState::Full { .. }) {
            ConnectorStatus::SuspendedEv
        } else if self.offered_a <= 0.0 {
            ConnectorStatus::SuspendedEvse
        } else if self.car.amps() > 0.0 {
            ConnectorStatus::Charging
        } else {
            ConnectorStatus::SuspendedEv
        }
    }

    /// What it measures.
    pub fn readings(&self) -> Readings {
        let volts: Vec<f64> = self
            .spec
            .terminals
            .iter()
            .map(|line| self.volts.get(*line))
            .collect();
        let amps: Vec<f64> = (0..volts.len())
            .map(|terminal| {
                if terminal < self.phases {
                    self.car.amps()
                } else {
                    0.0
                }
            })
            .collect();
        let apparent: f64 = match self.wiring {
            Wiring::Star => volts
                .iter()
                .zip(&amps)
                .map(|(volts, amps)| volts * amps)
                .sum(),
            Wiring::Delta => {
                volts.first().copied().unwrap_or_default() * self.car.amps() * self.power_phases()
            }
        };
        Readings {
            volts,
            amps,
            offered_a: self.offered_a,
            power_w: apparent * self.car.power_factor(),
            energy_wh: self.energy_wh,
        }
    }

    /// Lets one tick up to `now_ms` pass and adds what the car draws.
    pub(crate) fn step(
        &mut self,
        now_ms: u64,
        tick_ms: u64,
        volts: PerPhase<f64>,
        currents: &mut Currents,
    ) {
        self.now_ms = now_ms;
        self.volts = volts;
        if self.up_again_ms.is_some_and(|at_ms| now_ms >= at_ms) {
            self.up_again_ms = None;
        }
        self.session();
        while self
            .pending
            .front()
            .is_some_and(|(at_ms, _)| *at_ms <= now_ms)
        {
            if let Some((_, profiles)) = self.pending.pop_front() {
                self.followed = (now_ms, profiles);
            }
        }
        let limit = self.limit();
        self.offered_a = limit.amps;
        self.wiring = currents.wiring;
        self.phases = self.conductors(limit.phases);
        let first = self.spec.terminals.first().copied().unwrap_or(Phase::L1);
        self.car.step(
            now_ms,
            tick_ms,
            self.offered_a,
            self.power_phases(),
            volts.get(first),
        );
        self.add_to(currents);
        self.energy_wh += self.readings().power_w * seconds(tick_ms) / 3600.0;
    }

    /// Adds what the car draws now.
    pub(crate) fn add_to(&self, currents: &mut Currents) {
        let lines = self.spec.terminals.get(..self.phases).unwrap_or_default();
        let current = Current::new(self.car.amps(), self.car.power_factor());
        currents.connect(lines, current);
    }

    /// Terminals that the car uses when it is told to use so many phases. Without neutral a car of one
    /// phase hangs between two lines.
    fn conductors(&self, told: u8) -> usize {
        let wired = self.spec.terminals.len();
        let own = usize::from(self.car.phases());
        let told = if self.spec.phase_switching {
            usize::from(told)
        } else {
            3
        };
        match self.wiring {
            Wiring::Star => wired.min(own).min(told),
            Wiring::Delta if own.min(told) < 3 => wired.min(2),
            Wiring::Delta => wired,
        }
    }

    /// Power over voltage and current: phases, or √3 where three lines have no neutral.
    pub(crate) fn power_phases(&self) -> f64 {
        match (self.wiring, self.phases) {
            (Wiring::Delta, 3) => SQRT_3,
            (Wiring::Delta, _) => 1.0,
            (Wiring::Star, phases) => f64::from(u8::try_from(phases).unwrap_or(3)),
        }
    }

    /// Begins and ends the session with the cable.
    fn session(&mut self) {
        if !self.car.plugged_in() {
            self.plugged_in_ms = None;
            self.stopped = false;
            self.end_transaction();
            return;
        }
        let plugged_in_ms = *self.plugged_in_ms.get_or_insert(self.now_ms);
        let ready = self.now_ms >= plugged_in_ms + AUTHORISE_MS && self.is_up() && !self.stopped;
        if ready && self.transaction.is_none() {
            self.transactions += 1;
            self.transaction = Some(Transaction {
                number: self.transactions,
                central_id: None,
                began_ms: self.now_ms,
                began_wh: self.energy_wh,
            });
        }
    }

    fn end_transaction(&mut self) {
        if self.transaction.take().is_some() {
            self.profiles.end_transaction();
            self.pass_on();
        }
    }

    /// What the pilot offers now.
    fn limit(&self) -> Limit {
        let wired = u8::try_from(self.spec.terminals.len()).unwrap_or(3);
        if self.transaction.is_none() || !self.is_up() {
            return Limit {
                amps: 0.0,
                phases: wired,
            };
        }
        let (since_ms, profiles) = &self.followed;
        let moment = match self.spec.obedience {
            Obedience::NeverExpires => self.moment(*since_ms),
            _ => self.moment(self.now_ms),
        };
        let most = Limit {
            amps: self.spec.max_current_a,
            phases: wired,
        };
        let told = profiles.limit(moment).unwrap_or(most);
        let amps = match self.spec.obedience {
            Obedience::Obeys | Obedience::NeverExpires => told.amps,
            Obedience::Ignores => most.amps,
            Obedience::Floor(least) => told.amps.max(least),
        };
        let amps = amps.min(most.amps);
        Limit {
            amps: if amps < PILOT_MIN_A { 0.0 } else { amps },
            phases: told.phases.min(wired),
        }
    }

    fn moment(&self, ms: u64) -> Moment {
        let transaction = self
            .transaction
            .map(|running| (running.id(), self.clock_at(running.began_ms)));
        Moment {
            clock_ms: self.clock_at(ms),
            transaction,
        }
    }

    /// Hands the profiles to the pilot, a latency later.
    fn pass_on(&mut self) {
        if self.pending.len() >= PENDING_MAX {
            self.pending.pop_back();
        }
        self.pending.push_back((
            self.now_ms + millis(self.spec.latency_s),
            self.profiles.clone(),
        ));
    }
}

#[cfg(test)]
mod tests;

//! What each load received, what it would have received besides, and to what it lost that.
//!
//! Inputs: each step of the engine, its snapshot behind it, the configuration, the time. Outputs: rows for the journal, one
//! for each load and quarter of an hour. Nothing here reads a clock.
//!
//! A charger's own register counts where it has one, else its currents at the nominal voltage; a slow load counts by its
//! power, or by its rated power while it is on. A load lost what it took when nothing held it back, or its most where that
//! was never seen, less what it took, while its car wants and its reason is a limit or another load. Each time between two
//! steps counts with what was known at its beginning.
//!
//! Invariant: sums are integers and exact; what is no whole milliwatt-hour at the end of a slot counts in the next.

mod charger;
mod sum;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use headroom_core::config::{Charger, Config, SlowLoad};
use headroom_core::event::Reading;
use headroom_core::snapshot::{LoadDetail, LoadSnapshot};
use headroom_core::{Event, Instant, Phase, Reason, ReasonCode, Snapshot, Watts};
use jiff::Timestamp;

use charger::ChargerAccount;
use sum::Energy;

/// A slot: every time zone's days begin with one.
pub const SLOT_MS: i64 = 900_000;
/// What was known counts for this long at most: a computer that slept knows nothing of that time.
const SILENCE_MS: u64 = 60_000;
/// From one writing of the running slot to the next: what a power cut may cost.
const TELL_MS: u64 = 10_000;
const MICRO: u64 = 1_000_000;

/// To what energy was lost: a reason without its amounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Why.
    pub code: ReasonCode,
    /// The line that bound.
    pub phase: Option<Phase>,
    /// The circuit that bound.
    pub circuit: Option<String>,
    /// Another load that has to do with it.
    pub load: Option<String>,
}

impl Cause {
    fn of(reason: &Reason) -> Self {
        Self {
            code: reason.code,
            phase: reason.phase,
            circuit: reason.circuit.clone(),
            load: reason.load.clone(),
        }
    }
}

/// What the journal keeps of a load, or of the house, and a slot so far. Telling it again replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnergyRow {
    /// When the slot begins, in milliseconds since 1970.
    pub slot_ms: i64,
    /// Grows when the clock goes back.
    pub part: i64,
    /// The load; `None`: what the house took from the net.
    pub load: Option<String>,
    /// Received, in milliwatt-hours.
    pub mwh: i64,
    /// Lost, in milliwatt-hours.
    pub lost: Vec<(Cause, i64)>,
}

/// Whether a load with this reason has less than it wants because of a limit, of another load, or of missing knowledge;
/// not because a person wanted it so, and not because its car does.
pub(crate) const fn holds_back(code: ReasonCode) -> bool {
    use ReasonCode as C;
    match code {
        C::MainFuse
        | C::Circuit
        | C::PowerLimit
        | C::Thermal
        | C::Priority
        | C::FairShare
        | C::Rotation
        | C::Hysteresis
        | C::MeterStale
        | C::MeterLost
        | C::ChargerLost
        | C::NotObeying
        | C::Starting
        | C::Learning => true,
        C::User | C::Demand | C::Restored | C::Lease | C::Observe | C::MaxOff | C::Normal => false,
    }
}

#[derive(Clone, Debug)]
enum Kind {
    Charger(ChargerAccount),
    SlowLoad {
        draws_uw: u64,
        held_uw: u64,
        /// What it took when it was on.
        took: Option<Watts>,
    },
}

#[derive(Clone, Debug)]
struct Account {
    kind: Kind,
    /// Whether it was heard of in this slot.
    heard: bool,
    received: Energy,
    lost: Vec<(Cause, Energy)>,
    /// Why it has less than it wants, since the last step.
    cause: Option<Cause>,
}

impl Account {
    const fn new(kind: Kind) -> Self {
        Self {
            kind,
            heard: false,
            received: Energy::of(0, 0),
            lost: Vec::new(),
            cause: None,
        }
    }

    fn pass(&mut self, ms: u64, now: Instant) {
        let (received, held) = match &mut self.kind {
            Kind::Charger(charger) => charger.pass(ms, now),
            Kind::SlowLoad {
                draws_uw, held_uw, ..
            } => (Energy::of(*draws_uw, ms), Energy::of(*held_uw, ms)),
        };
        self.received.add(received);
        if let Some(cause) = &self.cause {
            match self.lost.iter_mut().find(|(known, _)| known == cause) {
                Some((_, sum)) => sum.add(held),
                None => self.lost.push((cause.clone(), held)),
            }
        }
    }

    /// Takes in how its load stands; `index`: where in the snapshot, and so mostly in the configuration.
    fn stands(&mut self, load: &LoadSnapshot, index: usize, config: &Config, at: Instant) {
        let held = match &mut self.kind {
            Kind::Charger(account) => {
                let is = |charger: &&Charger| charger.id == load.id;
                let expected = config.chargers.get(index).filter(is);
                expected
                    .or_else(|| config.chargers.iter().find(is))
                    .is_some_and(|charger| account.stands(load, charger, &config.site, at))
            }
            Kind::SlowLoad {
                draws_uw,
                held_uw,
                took,
            } => {
                let found = config.slow_loads.iter().find(|slow| slow.id == load.id);
                (*draws_uw, *held_uw) = found.map_or((0, 0), |slow| slow_rates(load, slow, took));
                *held_uw > 0
            }
        };
        self.cause = held.then(|| Cause::of(&load.reason));
        self.heard |= load.connected == Some(true);
    }

    fn close(&mut self) {
        self.received.close();
        self.heard = false;
        // The reasons of now are few; those of long ago are not kept for less than a milliwatt-hour.
        self.lost
            .retain(|(cause, _)| Some(cause) == self.cause.as_ref());
        for (_, sum) in &mut self.lost {
            sum.close();
        }
    }
}

/// What a slow load draws and would draw besides, in microwatts.
fn slow_rates(load: &LoadSnapshot, slow: &SlowLoad, took: &mut Option<Watts>) -> (u64, u64) {
    let LoadDetail::SlowLoad { on, power, .. } = &load.detail else {
        return (0, 0);
    };
    let microwatts = |power: Watts| u64::try_from(power.0).unwrap_or(0).saturating_mul(MICRO);
    let draws = power.unwrap_or(if *on == Some(true) {
        slow.rated_w
    } else {
        Watts::ZERO
    });
    if *on == Some(true) && power.is_some() {
        *took = *power;
    }
    let waits = *on == Some(false) && holds_back(load.reason.code);
    let held = if waits {
        microwatts(took.unwrap_or(slow.rated_w)).saturating_sub(microwatts(draws))
    } else {
        0
    };
    (microwatts(draws), held)
}

/// Adds it all up.
#[derive(Clone, Debug, Default)]
pub struct EnergyMeter {
    last: Option<Instant>,
    slot_ms: i64,
    part: i64,
    told: Option<Instant>,
    imports_uw: u64,
    metered: Option<Instant>,
    house_heard: bool,
    imported: Energy,
    loads: BTreeMap<String, Account>,
}

impl EnergyMeter {
    /// Takes in a step: the event, the engine behind it, and the time of day. Answers what is to be written now.
    pub fn step(
        &mut self,
        event: &Event,
        snapshot: &Snapshot,
        config: &Config,
        time: Timestamp,
    ) -> Vec<EnergyRow> {
        let at = snapshot.at;
        let ms = self
            .last
            .map_or(0, |last| at.since_ms(last))
            .min(SILENCE_MS);
        self.last = Some(at);
        for account in self.loads.values_mut() {
            account.pass(ms, at);
        }
        if self
            .metered
            .is_some_and(|heard| at.since_ms(heard) <= SILENCE_MS)
        {
            self.imported.add(Energy::of(self.imports_uw, ms));
        }
        let mut rows = Vec::new();
        let slot_ms = time.as_millisecond().div_euclid(SLOT_MS) * SLOT_MS;
        if slot_ms != self.slot_ms {
            rows = self.rows();
            self.part += i64::from(slot_ms < self.slot_ms);
            self.slot_ms = slot_ms;
            self.imported.close();
            self.house_heard = false;
            self.loads.values_mut().for_each(Account::close);
        }
        self.hear(event, config, at);
        for (index, load) in snapshot.loads.iter().enumerate() {
            self.account(load).stands(load, index, config, at);
        }
        if self.loads.len() != snapshot.loads.len() {
            self.loads
                .retain(|id, _| snapshot.loads.iter().any(|load| load.id == *id));
        }
        if self.told.is_none_or(|told| at.since_ms(told) >= TELL_MS) {
            self.told = Some(at);
            rows.extend(self.rows());
        }
        rows
    }

    /// The running slot as it stands.
    pub fn rows(&self) -> Vec<EnergyRow> {
        let house = self.house_heard.then(|| EnergyRow {
            slot_ms: self.slot_ms,
            part: self.part,
            load: None,
            mwh: self.imported.mwh(),
            lost: Vec::new(),
        });
        let heard = self.loads.iter().filter(|(_, account)| account.heard);
        let loads = heard.map(|(id, account)| {
            let lost = account.lost.iter();
            EnergyRow {
                slot_ms: self.slot_ms,
                part: self.part,
                load: Some(id.clone()),
                mwh: account.received.mwh(),
                lost: lost
                    .map(|(cause, sum)| (cause.clone(), sum.mwh()))
                    .filter(|(_, mwh)| *mwh > 0)
                    .collect(),
            }
        });
        house.into_iter().chain(loads).collect()
    }

    fn account(&mut self, load: &LoadSnapshot) -> &mut Account {
        let is_charger = matches!(load.detail, LoadDetail::Charger { .. });
        let fresh = || {
            Account::new(if is_charger {
                Kind::Charger(ChargerAccount::default())
            } else {
                Kind::SlowLoad {
                    draws_uw: 0,
                    held_uw: 0,
                    took: None,
                }
            })
        };
        let account = self.loads.entry(load.id.clone()).or_insert_with(fresh);
        // The same id may be given to another kind of load.
        if matches!(account.kind, Kind::Charger(_)) != is_charger {
            *account = fresh();
        }
        account
    }

    fn hear(&mut self, event: &Event, config: &Config, at: Instant) {
        match event {
            Event::Reading(reading) if reading.circuit.is_none() => {
                if let Some(imports) = import_uw(reading, config) {
                    self.imports_uw = imports;
                    self.metered = Some(at);
                    self.house_heard = true;
                }
            }
            Event::Charger(report) => {
                let charger = config.chargers.iter().find(|it| it.id == report.id);
                if let Some((said, charger)) = report.energy_kwh.zip(charger)
                    && let Some(account) = self.loads.get_mut(&report.id)
                    && let Kind::Charger(books) = &mut account.kind
                {
                    let received = books.register(said, at, charger, &config.site);
                    account.received.add(received);
                }
            }
            _ => {}
        }
    }
}

/// What the house takes from the net, in microwatts: by the total power, else by the lines' power, else by their currents.
/// `None`: the reading does not tell.
fn import_uw(reading: &Reading, config: &Config) -> Option<u64> {
    let lines = || reading.phases.iter().flatten();
    let powers = || {
        let all = lines().next().is_some() && lines().all(|line| line.power_w.is_some());
        all.then(|| lines().filter_map(|line| line.power_w).sum())
    };
    if let Some(power) = reading.power_w.or_else(powers) {
        return Some(u64::try_from(power.0).unwrap_or(0).saturating_mul(MICRO));
    }
    let volts = config.site.nominal_voltage_v;
    lines()
        .filter_map(|line| {
            let volts = line.voltage_v.unwrap_or(volts);
            let product = line.current_a?.0.saturating_mul(volts.0);
            Some(u64::try_from(product).unwrap_or(0))
        })
        .reduce(u64::saturating_add)
}

//! The account of one charger: what its car took, and what it would have taken besides.

use headroom_core::config::{Charger, Grid, Site};
use headroom_core::event::ChargerStatus;
use headroom_core::snapshot::{LoadDetail, LoadSnapshot};
use headroom_core::units::WattHours;
use headroom_core::{Instant, Milliamps};

use super::sum::Energy;

/// Below this a terminal carries nothing: a car that waits draws some 0.1 A.
const IDLE: Milliamps = Milliamps(1_000);
/// Below its limit by this, a car takes less than it may.
const UNUSED: Milliamps = Milliamps(1_500);
/// A car that took less than it may for this long takes no more; it has begun to charge by then (IEC 61851-1: 5 s).
const SETTLED_MS: u64 = 60_000;
/// A register that says nothing for this long is not waited for any more, in milliseconds.
const REGISTER_MS: u64 = 300_000;
/// A register may be ahead of the most that its charger can deliver by this: its resolution, and the voltage.
const REGISTER_SLACK_WH: u64 = 1_000;
/// Thousandths of the square root of 3: power of three lines without neutral from the currents of the lines.
const ROOT_3: u64 = 1_732;

/// One charger.
#[derive(Clone, Debug, Default)]
pub(super) struct ChargerAccount {
    /// Microwatts that it draws and that it would besides, since the last step.
    draws_uw: u64,
    held_uw: u64,
    /// What its car took when nothing held it back, in this stay.
    took: Option<Milliamps>,
    /// Terminals that the car used in this stay.
    terminals: usize,
    roomy_since: Option<Instant>,
    register: Option<(WattHours, Instant)>,
    /// By its currents since the register's last word, and how much of that is in the books.
    estimated: Energy,
    booked: Energy,
}

impl ChargerAccount {
    /// Time passes. Answers what it received for sure by now, and what it would have besides.
    pub(super) fn pass(&mut self, ms: u64, now: Instant) -> (Energy, Energy) {
        self.estimated.add(Energy::of(self.draws_uw, ms));
        let waits = self
            .register
            .is_some_and(|(_, at)| now.since_ms(at) < REGISTER_MS);
        let received = if waits {
            Energy::default()
        } else {
            let received = self.estimated.beyond(self.booked);
            self.booked = self.estimated.max(self.booked);
            received
        };
        (received, Energy::of(self.held_uw, ms))
    }

    /// What its own register says. It may begin anew with each session; a leap that the charger cannot have delivered is
    /// not believed, and what its currents say stands. Answers what it received besides what is in the books.
    pub(super) fn register(
        &mut self,
        said: WattHours,
        at: Instant,
        charger: &Charger,
        site: &Site,
    ) -> Energy {
        let before = self.register.replace((said, at));
        let estimated = std::mem::take(&mut self.estimated);
        let booked = std::mem::take(&mut self.booked);
        let Some((before, since)) = before else {
            return estimated.beyond(booked);
        };
        let delta = if said >= before { said - before } else { said };
        let delta = Energy::from_wh(u64::try_from(delta.0).unwrap_or(0));
        let most = power_uw(
            &vec![charger.max_current_a; terminals(charger, site)],
            charger,
            site,
        );
        let mut bound = Energy::of(most, at.since_ms(since));
        bound.add(Energy::from_wh(REGISTER_SLACK_WH));
        let truth = if delta <= bound { delta } else { estimated };
        truth.beyond(booked)
    }

    /// Takes in how it stands from now on; answers whether something that it wants is held back.
    pub(super) fn stands(
        &mut self,
        load: &LoadSnapshot,
        charger: &Charger,
        site: &Site,
        at: Instant,
    ) -> bool {
        let LoadDetail::Charger {
            status,
            setpoint,
            measured,
            ..
        } = &load.detail
        else {
            return false;
        };
        let currents: Vec<Milliamps> = measured
            .iter()
            .flatten()
            .map(|current| current.unwrap_or_default().max(Milliamps::ZERO))
            .collect();
        let top = currents.iter().copied().max().unwrap_or_default();
        let used = currents.iter().filter(|&&current| current >= IDLE).count();
        self.draws_uw = power_uw(&currents, charger, site);
        if *status == ChargerStatus::Available {
            (self.took, self.terminals, self.roomy_since) = (None, 0, None);
        }
        self.terminals = self.terminals.max(used);
        let most = charger.max_current_a;
        let room = setpoint.is_some_and(|told| told >= most || top + UNUSED <= told);
        if room && *status == ChargerStatus::Charging && top >= IDLE {
            let since = *self.roomy_since.get_or_insert(at);
            if at.since_ms(since) >= SETTLED_MS {
                self.took = Some(top);
            }
        } else {
            self.roomy_since = None;
        }
        if self.took.is_some_and(|took| took < top) {
            self.took = Some(top);
        }
        let wants = load.connected == Some(true)
            && setpoint.is_some()
            && matches!(
                status,
                ChargerStatus::Charging | ChargerStatus::SuspendedEvse | ChargerStatus::Preparing
            );
        let terminals = match self.terminals {
            0 => terminals(charger, site),
            used => used,
        };
        let wanted = vec![self.took.unwrap_or(most).min(most); terminals];
        self.held_uw = if wants && super::holds_back(load.reason.code) {
            power_uw(&wanted, charger, site).saturating_sub(self.draws_uw)
        } else {
            0
        };
        self.held_uw > 0
    }
}

/// Terminals with which a charger can draw.
fn terminals(charger: &Charger, site: &Site) -> usize {
    let all = site.grid.phases().len();
    charger.phases.as_ref().map_or(all, Vec::len)
}

/// The power of currents at a charger's terminals, at the nominal voltage.
fn power_uw(currents: &[Milliamps], charger: &Charger, site: &Site) -> u64 {
    let positive = |value: i64| u64::try_from(value).unwrap_or(0);
    let volts = positive(site.nominal_voltage_v.0);
    let sum: u64 = currents.iter().map(|current| positive(current.0)).sum();
    let whole = sum.saturating_mul(volts);
    match (site.grid, terminals(charger, site)) {
        // Between two lines: both carry the same current.
        (Grid::It3ph, 2) => currents
            .iter()
            .map(|current| positive(current.0))
            .max()
            .unwrap_or(0)
            .saturating_mul(volts),
        (Grid::It3ph, _) => whole.saturating_mul(1000) / ROOT_3,
        _ => whole,
    }
}

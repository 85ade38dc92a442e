//! What is known about the controlled connector: state, currents, limit, energy, transaction.
//!
//! Unknown stays unknown: currents are forgotten when a charge begins, when a transaction ends and
//! when they grow old. They are zero only where the standard says that the contactor is open.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::meter_values::MeterReading;
use crate::types::{Report, Status};

/// Currents older than this are unknown. Longer than the slowest fixed sampling interval (60 s).
pub(crate) const MEASUREMENT_MAX_AGE: Duration = Duration::from_secs(150);
/// A value told for a moment this much before the newest one known is from a replay.
const REPLAY_AGE: SignedDuration = SignedDuration::from_secs(60);
/// Values in a row that look replayed before the clock is believed to have gone back.
const REPLAY_MAX: u8 = 4;
/// What a charge point that takes no limits may give, in milliamperes: more than any connector has,
/// so that it counts with all that it is configured for.
pub(crate) const UNLIMITED_MA: u32 = 80_000;
/// Where a terminal draws more than this, a car uses the phase, in milliamperes.
const DRAWING_MA: u32 = 1_500;

/// The connector.
#[derive(Debug)]
pub(crate) struct Connector {
    id: u32,
    terminals: usize,
    whole_status: Status,
    own_status: Status,
    own_values_seen: bool,
    /// It tells its limit with its meter values.
    offers_told: bool,
    /// It takes no limits: whatever it tells, it may give all.
    unlimited: bool,
    measured_at: Option<Duration>,
    newest_stamp: Option<Timestamp>,
    replayed: u8,
    report: Report,
    reported: Option<Report>,
}

impl Connector {
    pub(crate) fn new(id: u32, terminals: usize) -> Self {
        Self {
            id,
            terminals,
            whole_status: Status::Unknown,
            own_status: Status::Unknown,
            own_values_seen: false,
            offers_told: false,
            unlimited: false,
            measured_at: None,
            newest_stamp: None,
            replayed: 0,
            report: Report {
                current_ma: vec![None; terminals],
                ..Report::default()
            },
            reported: None,
        }
    }

    pub(crate) fn is_it(&self, connector: Option<u32>) -> bool {
        connector.is_none_or(|connector| connector == self.id)
    }

    pub(crate) fn status_known(&self) -> bool {
        self.own_status != Status::Unknown
    }

    pub(crate) fn is_charging(&self) -> bool {
        self.report.status == Status::Charging
    }

    pub(crate) const fn status(&self) -> Status {
        self.report.status
    }

    /// The largest current that it says it draws, in milliamperes.
    pub(crate) fn draw_ma(&self) -> Option<u32> {
        self.report.current_ma.iter().copied().flatten().max()
    }

    /// The limit that it tells with its meter values, in milliamperes.
    pub(crate) fn offered_ma(&self) -> Option<u32> {
        self.report.limit_ma.filter(|_| self.offers_told)
    }

    /// Its composite schedule has told the limit; a charge point that tells it with its meter
    /// values goes on doing so.
    pub(crate) fn confirm_limit(&mut self, limit_ma: u32) {
        if !self.offers_told {
            self.report.limit_ma = Some(limit_ma);
        }
    }

    /// A new limit was taken: what the last schedule said is over.
    pub(crate) fn limit_changed(&mut self) {
        if !self.offers_told {
            self.report.limit_ma = None;
        }
    }

    pub(crate) fn measured_at(&self) -> Option<Duration> {
        self.measured_at
    }

    /// How many phases a car is seen to draw on; `None` if no current shows it.
    pub(crate) fn phases_drawing(&self) -> Option<u8> {
        let drawing = |ma: &Option<u32>| ma.is_some_and(|ma| ma >= DRAWING_MA);
        let count = self
            .report
            .current_ma
            .iter()
            .filter(|ma| drawing(ma))
            .count();
        u8::try_from(count).ok().filter(|count| *count > 0)
    }

    /// The clock was set: stamps from before say nothing about the order of those to come.
    pub(crate) fn booted(&mut self) {
        self.newest_stamp = None;
        self.replayed = 0;
    }

    /// True if a transaction cannot be running any more.
    pub(crate) fn on_status(&mut self, connector: Option<u32>, status: Status) -> bool {
        if connector == Some(0) {
            self.whole_status = status;
        } else if self.is_it(connector) {
            if status == Status::Charging && self.own_status != Status::Charging {
                // What was measured before says nothing about what flows now.
                self.forget_currents();
            }
            self.own_status = status;
            if status == Status::Available {
                // No car, and the contactor is open (IEC 61851-1, state A).
                self.forget_currents();
                self.report.current_ma = vec![Some(0); self.terminals];
            }
        }
        let broken = matches!(self.whole_status, Status::Faulted | Status::Unavailable);
        self.report.status = if broken {
            self.whole_status
        } else {
            self.own_status
        };
        self.own_status == Status::Available
    }

    pub(crate) fn energy(&mut self, energy_wh: Option<u64>) {
        self.report.energy_wh = energy_wh.or(self.report.energy_wh);
    }

    pub(crate) fn forget_currents(&mut self) {
        self.report.current_ma = vec![None; self.terminals];
        self.report.limit_ma = None;
        self.measured_at = None;
    }

    /// Takes meter values; true if they are of this connector and of now. `connectors` is how many
    /// the charge point has: the values of a whole charge point with one connector are its own.
    pub(crate) fn on_meter_values(
        &mut self,
        connector: Option<u32>,
        connectors: Option<u32>,
        reading: &MeterReading,
        now: Duration,
    ) -> bool {
        let whole = connector == Some(0)
            && !self.own_values_seen
            && connectors.is_none_or(|count| count <= 1);
        if !whole && !self.is_it(connector) {
            return false;
        }
        self.own_values_seen |= connector.is_some_and(|connector| connector > 0);
        if self.is_replayed(reading) {
            return false;
        }
        if let Some(currents) = reading.terminals(self.terminals) {
            self.report.current_ma = currents;
            self.measured_at = Some(now);
        }
        let offered = reading.offered_ma();
        self.offers_told |= offered.is_some();
        self.report.limit_ma = offered.or(self.report.limit_ma);
        self.energy(reading.energy_wh);
        // Reported with every message, changed or not: it shows that the charge point lives.
        self.reported = None;
        true
    }

    /// Values kept during an outage and sent afterwards must not drive control.
    fn is_replayed(&mut self, reading: &MeterReading) -> bool {
        let Some(stamp) = reading.stamp else {
            return false;
        };
        let newest = self.newest_stamp;
        let old = newest.is_some_and(|newest| newest.duration_since(stamp.at) > REPLAY_AGE);
        if old && self.replayed < REPLAY_MAX {
            self.replayed += 1;
            return true;
        }
        self.replayed = 0;
        self.newest_stamp = Some(stamp.at);
        false
    }

    /// When the currents will be too old.
    pub(crate) fn expiry(&self) -> Option<Duration> {
        self.measured_at.map(|at| at + MEASUREMENT_MAX_AGE)
    }

    pub(crate) fn expire(&mut self, now: Duration) {
        if self.expiry().is_some_and(|at| at <= now) {
            self.forget_currents();
        }
    }

    /// Whether it takes no limits, so that none is in force.
    pub(crate) const fn set_unlimited(&mut self, unlimited: bool) {
        self.unlimited = unlimited;
    }

    /// The report, if it is due.
    pub(crate) fn take_report(&mut self) -> Option<Report> {
        let mut report = self.report.clone();
        if self.unlimited {
            report.limit_ma = Some(UNLIMITED_MA);
        }
        if self.reported.as_ref() == Some(&report) {
            return None;
        }
        self.reported = Some(report);
        self.reported.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn values(stamp: &str, ampere: f64) -> MeterReading {
        MeterReading::read(
            &json!({"meterValue": [{"timestamp": stamp, "sampledValue": [
            {"value": ampere, "measurand": "Current.Import"}]}]}),
        )
    }

    fn currents(connector: &Connector) -> &[Option<u32>] {
        &connector.report.current_ma
    }

    const T0: Duration = Duration::ZERO;

    #[test]
    fn currents_are_zero_without_a_car_and_unknown_when_a_charge_begins() {
        let mut connector = Connector::new(1, 3);
        assert_eq!(currents(&connector), [None; 3]);
        connector.on_status(Some(1), Status::Available);
        assert_eq!(currents(&connector), [Some(0); 3]);
        connector.on_status(Some(1), Status::Preparing);
        assert_eq!(currents(&connector), [Some(0); 3]);
        connector.on_status(Some(1), Status::Charging);
        assert_eq!(currents(&connector), [None; 3]);
        assert!(connector.on_meter_values(Some(1), None, &values("", 9.0), T0));
        assert_eq!(currents(&connector), [Some(9_000); 3]);
        connector.on_status(Some(1), Status::Charging);
        assert_eq!(
            currents(&connector),
            [Some(9_000); 3],
            "repeated, not begun"
        );
        connector.expire(MEASUREMENT_MAX_AGE);
        assert_eq!(currents(&connector), [None; 3]);
    }

    #[test]
    fn a_fault_of_the_whole_is_a_fault_of_the_connector_and_ends() {
        let mut connector = Connector::new(1, 1);
        connector.on_status(Some(1), Status::Charging);
        for (whole, want) in [
            (Status::Faulted, Status::Faulted),
            (Status::Available, Status::Charging),
            (Status::Unavailable, Status::Unavailable),
        ] {
            connector.on_status(Some(0), whole);
            assert_eq!(connector.report.status, want);
        }
        connector.on_status(Some(0), Status::Available);
        connector.on_status(Some(2), Status::Faulted);
        assert_eq!(
            connector.report.status,
            Status::Charging,
            "another connector's fault"
        );
    }

    #[test]
    fn values_of_the_whole_count_only_where_there_is_one_connector() {
        let cases = [
            ("own", Some(1), None, true),
            ("nameless", None, None, true),
            ("other", Some(2), None, false),
            ("whole, number unknown", Some(0), None, true),
            ("whole of one", Some(0), Some(1), true),
            ("whole of two", Some(0), Some(2), false),
        ];
        for (name, connector, connectors, want) in cases {
            let mut it = Connector::new(1, 1);
            let taken = it.on_meter_values(connector, connectors, &values("", 6.0), T0);
            assert_eq!(taken, want, "{name}");
        }
    }

    #[test]
    fn a_replay_does_not_drive_control_and_a_clock_that_went_back_does() {
        let mut connector = Connector::new(1, 1);
        let mut take =
            |stamp, ampere| connector.on_meter_values(Some(1), None, &values(stamp, ampere), T0);
        assert!(take("2026-01-15T12:00:00Z", 6.0));
        for _ in 0..REPLAY_MAX {
            assert!(!take("2026-01-15T11:00:00Z", 32.0));
        }
        assert!(
            take("2026-01-15T11:00:10Z", 7.0),
            "it keeps saying so: the clock went back"
        );
    }

    #[test]
    fn phases_that_are_drawn_on() {
        let mut connector = Connector::new(1, 3);
        assert_eq!(connector.phases_drawing(), None);
        connector.report.current_ma = vec![Some(15_000), Some(200), None];
        assert_eq!(connector.phases_drawing(), Some(1));
        connector.report.current_ma = vec![Some(9_000); 3];
        assert_eq!(connector.phases_drawing(), Some(3));
    }
}

//! The ladder: forms of a charging profile, tried until the charge point takes one.
//!
//! Charge points that take only one purpose, one stack level, one unit or one kind are common. The
//! first rung is what most take: a `TxDefaultProfile` for the connector above the base, at the
//! highest stack level, so that nothing left behind lies above it. It is used with and without a
//! transaction: it is there before a transaction starts without warning, it needs no transaction
//! id, one and the same profile is replaced all the time, and it is the purpose with the fewest
//! known failures. `TxProfile` is a later rung, for charge points that apply a default only to the
//! next transaction. The last rung ends by nothing: it is a limit without a lease.
//!
//! A rung that was taken once is kept: a refusal on it is then more likely a passing one (memory
//! wear limits, local settings), and climbing would multiply the writes. Two refusals in a row
//! start the search again.

use super::profile::{Form, Purpose, Unit};

/// Where a lease lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The highest stack level.
    AboveBase,
    /// Stack level 0, of the connector.
    InPlaceOfBase,
    /// Stack level 0, of the whole charge point.
    WholeChargePoint,
    Transaction,
    Maximum,
}

/// How a lease ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// By its second period.
    Lease,
    /// By its duration, onto the base below.
    Duration,
    /// Not by itself.
    Endless,
}

const RUNGS: [(Place, Shape); 7] = [
    (Place::AboveBase, Shape::Lease),
    (Place::InPlaceOfBase, Shape::Lease),
    (Place::WholeChargePoint, Shape::Lease),
    (Place::AboveBase, Shape::Duration),
    (Place::Transaction, Shape::Lease),
    (Place::Maximum, Shape::Lease),
    (Place::InPlaceOfBase, Shape::Endless),
];

/// The rung of the transaction's own profile.
const TRANSACTION: usize = 4;

/// A charge point that refuses everything is asked with one form so often before all are tried
/// again: each try is a burden for it, and something may have been switched on meanwhile.
const QUIET_REFUSALS: u8 = 30;
/// Largest stack level that is believed.
const MAX_STACK: u32 = 1_000;

/// Forms of the base, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Base {
    Plain,
    /// Only while the unit is not known.
    OtherUnit,
    Relative,
    WholeChargePoint,
    Maximum,
}

const BASES: [Base; 5] = [
    Base::Plain,
    Base::OtherUnit,
    Base::Relative,
    Base::WholeChargePoint,
    Base::Maximum,
];

/// Of them, those of a single connector.
const OWN_BASES: usize = 3;

/// Which form the next base has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BaseForm {
    pub(crate) form: Form,
    pub(crate) relative: bool,
}

/// Which form the next lease has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeaseForm {
    pub(crate) form: Form,
    pub(crate) place: Place,
    pub(crate) shape: Shape,
}

/// What the form of a lease depends on besides what was found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Situation {
    pub(crate) connector: u32,
    pub(crate) transaction: Option<i32>,
    /// Whether a time can be written so that the charge point understands it.
    pub(crate) clock_known: bool,
}

/// What was found out about the forms that this charge point takes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Ladder {
    /// Other connectors have limits of their own: nothing is set for the whole charge point.
    shared: bool,
    rung: usize,
    /// The rung of the last lease: another one where the own does not fit at the moment.
    used: usize,
    proven: Option<usize>,
    refusals: u8,
    /// Leases belong to the transaction while there is one.
    prefers_transaction: bool,
    transaction_tried: bool,
    /// So many refusals more are taken without another search: every form was refused.
    quiet: u8,
    base_rung: usize,
    base_taken: Option<Base>,
    unit: Option<Unit>,
    /// The unit that is tried while none is known.
    guess: Unit,
    max_stack: Option<u32>,
    max_periods: Option<u32>,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            shared: false,
            rung: 0,
            used: 0,
            proven: None,
            refusals: 0,
            prefers_transaction: false,
            transaction_tried: false,
            quiet: 0,
            base_rung: 0,
            base_taken: None,
            unit: None,
            guess: Unit::Amperes,
            max_stack: None,
            max_periods: None,
        }
    }
}

impl Ladder {
    /// `ChargingScheduleAllowedChargingRateUnit`; amperes are preferred. True if this is news.
    pub(crate) fn learn_units(&mut self, value: &str) -> bool {
        let mut units = value
            .split(',')
            .map(|word| word.trim().to_ascii_lowercase());
        let unit = if units.clone().any(|unit| unit == "current" || unit == "a") {
            Unit::Amperes
        } else if units.any(|unit| unit == "power" || unit == "w") {
            Unit::Watts
        } else {
            return false;
        };
        self.learn_unit(unit)
    }

    /// The unit is known. True if this is news.
    pub(crate) fn learn_unit(&mut self, unit: Unit) -> bool {
        let before = self.unit();
        self.unit = Some(unit);
        if BASES.get(self.base_rung) == Some(&Base::OtherUnit) {
            self.base_rung = 0;
        }
        before != unit
    }

    /// `ChargeProfileMaxStackLevel`; the lower of several words counts.
    pub(crate) fn learn_max_stack(&mut self, level: u32) {
        let level = level.min(MAX_STACK);
        if self.max_stack == Some(0) || self.max_stack == Some(level) {
            return;
        }
        self.max_stack = Some(level);
        // The first rung has another form now: what was seen of it says nothing.
        self.proven = self.proven.filter(|rung| *rung != 0);
    }

    pub(crate) fn learn_max_periods(&mut self, periods: u32) {
        self.max_periods = Some(periods);
    }

    /// `None`: it has not said.
    pub(crate) fn takes_two_periods(&self) -> Option<bool> {
        self.max_periods.map(|periods| periods >= 2)
    }

    /// The search begins at a rung that is known to be the right one for the model.
    pub(crate) fn start_at(&mut self, place: Place) {
        let place_of_all = matches!(place, Place::WholeChargePoint | Place::Maximum);
        if self.shared && place_of_all {
            return;
        }
        let found = RUNGS.iter().position(|(known, _)| *known == place);
        if let (Some(rung), None) = (found, self.proven) {
            self.rung = self.rung.max(rung);
        }
    }

    /// Whether other connectors of the charge point have limits of their own. What was found out with the other answer
    /// says little.
    pub(crate) fn share(&mut self, shared: bool) {
        if self.shared != shared {
            *self = Self {
                shared,
                unit: self.unit,
                max_stack: self.max_stack,
                max_periods: self.max_periods,
                ..Self::default()
            };
        }
    }

    fn bases(&self) -> &'static [Base] {
        let count = if self.shared { OWN_BASES } else { BASES.len() };
        BASES.get(..count).unwrap_or(&BASES)
    }

    fn unit(&self) -> Unit {
        self.unit.unwrap_or(self.guess)
    }

    /// As `ChargingRateUnitType` writes it.
    pub(crate) fn unit_name(&self) -> &'static str {
        match self.unit() {
            Unit::Amperes => "A",
            Unit::Watts => "W",
        }
    }

    /// Whether the base is a maximum of the whole charge point.
    pub(crate) fn base_is_maximum(&self) -> bool {
        self.base_taken == Some(Base::Maximum)
    }

    fn rung_at(index: usize) -> (Place, Shape) {
        RUNGS
            .get(index)
            .copied()
            .unwrap_or((Place::InPlaceOfBase, Shape::Endless))
    }

    /// The form of the next lease.
    pub(crate) fn lease(&mut self, situation: Situation) -> LeaseForm {
        let Situation {
            connector,
            transaction,
            ..
        } = situation;
        let by_transaction = self.prefers_transaction && self.fits(TRANSACTION, situation);
        self.used = if by_transaction {
            TRANSACTION
        } else {
            (self.rung..RUNGS.len())
                .find(|index| self.fits(*index, situation))
                .unwrap_or(RUNGS.len() - 1)
        };
        let (place, shape) = Self::rung_at(self.used);
        let (purpose, connector, stack) = match place {
            Place::AboveBase => (Purpose::Default, connector, self.max_stack.unwrap_or(1)),
            Place::InPlaceOfBase => (Purpose::Default, connector, 0),
            Place::WholeChargePoint => (Purpose::Default, 0, 0),
            Place::Transaction => (
                transaction.map_or(Purpose::Default, Purpose::Transaction),
                connector,
                0,
            ),
            Place::Maximum => (Purpose::Maximum, 0, 0),
        };
        let shape = match shape {
            Shape::Lease if !self.can_end(situation) => Shape::Duration,
            shape => shape,
        };
        let unit = self.unit();
        LeaseForm {
            form: Form {
                purpose,
                connector,
                stack,
                unit,
            },
            place,
            shape,
        }
    }

    /// Whether a lease may end by its second period.
    fn can_end(&self, situation: Situation) -> bool {
        situation.clock_known && self.takes_two_periods() != Some(false)
    }

    fn fits(&self, index: usize, situation: Situation) -> bool {
        let place_of_all = matches!(
            Self::rung_at(index).0,
            Place::WholeChargePoint | Place::Maximum
        );
        if self.shared && place_of_all {
            return false;
        }
        let ends = self.can_end(situation);
        if self.base_is_maximum() && index + 1 < RUNGS.len() {
            // Beside it the lower of the two would hold: the base.
            return ends && Self::rung_at(index).0 == Place::Maximum;
        }
        match Self::rung_at(index) {
            (Place::AboveBase, Shape::Lease) => self.max_stack != Some(0) && ends,
            // What ends by its duration ends onto the base: where there is none, or where it would
            // take the base's place, it would end in full power.
            (Place::AboveBase, _) => self.max_stack != Some(0) && self.base_taken.is_some(),
            (Place::InPlaceOfBase | Place::WholeChargePoint, Shape::Lease) => ends,
            (Place::Transaction, _) => {
                situation.transaction.is_some() && (ends || self.base_taken.is_some())
            }
            (Place::Maximum, _) => ends && self.base_taken.is_none(),
            (Place::InPlaceOfBase | Place::WholeChargePoint, _) => true,
        }
    }

    /// Whether the last lease lies above the base rather than in its place.
    pub(crate) fn lease_leaves_base(&self) -> bool {
        match Self::rung_at(self.used).0 {
            Place::AboveBase | Place::Transaction => true,
            Place::InPlaceOfBase | Place::WholeChargePoint | Place::Maximum => false,
        }
    }

    /// Whether the last lease ends by itself.
    pub(crate) fn lease_ends(&self) -> bool {
        Self::rung_at(self.used).1 != Shape::Endless
    }

    /// Whether leases belong to the transaction, so that a new one needs its own.
    pub(crate) const fn is_by_transaction(&self) -> bool {
        self.prefers_transaction
    }

    /// After a boot everything may be tried anew; what was taken is kept.
    pub(crate) fn booted(&mut self) {
        self.quiet = 0;
        self.transaction_tried = false;
        self.base_again();
    }

    pub(crate) fn lease_accepted(&mut self) {
        self.quiet = 0;
        if self.used == TRANSACTION && !self.prefers_transaction {
            self.prefers_transaction = true;
            self.rung = 0;
        }
        self.proven = Some(self.used);
        self.refusals = 0;
        self.unit = Some(self.unit());
    }

    /// A lease was refused. True if another form is worth trying at once.
    pub(crate) fn lease_refused(&mut self) -> bool {
        if self.proven == Some(self.used) {
            self.refusals += 1;
            if self.refusals >= 2 {
                self.start_again();
            }
            return false;
        }
        if self.used == TRANSACTION && self.prefers_transaction {
            // It was a try, with something else in force; the rest of the ladder is worse.
            self.start_again();
            return false;
        }
        self.rung = self.used + 1;
        if self.quiet == 0 && self.rung < RUNGS.len() {
            return true;
        }
        self.quiet = self.quiet.checked_sub(1).unwrap_or(QUIET_REFUSALS);
        self.rung = 0;
        // Nobody told the unit: the next command tries the other one, from the first rung.
        self.guess = self.guess.other();
        false
    }

    /// A lease was taken and is not followed. True if another form is worth trying: some apply a
    /// default to the next transaction only. Never a form without a lease: a deaf charge point is
    /// no reason to give up what makes it safe.
    pub(crate) fn lease_ignored(&mut self, transaction: Option<i32>) -> bool {
        if self.used == TRANSACTION {
            self.start_again();
            return false;
        }
        if transaction.is_none() || self.transaction_tried {
            return false;
        }
        self.transaction_tried = true;
        self.prefers_transaction = true;
        true
    }

    fn start_again(&mut self) {
        self.proven = None;
        self.refusals = 0;
        self.rung = 0;
        self.prefers_transaction = false;
    }

    /// The form of the next base; `None` when every form was refused.
    pub(crate) fn base(&self, connector: u32) -> Option<BaseForm> {
        let base = *self.bases().get(self.base_rung)?;
        let (purpose, connector) = match base {
            Base::Plain | Base::OtherUnit | Base::Relative => (Purpose::Default, connector),
            Base::WholeChargePoint => (Purpose::Default, 0),
            Base::Maximum => (Purpose::Maximum, 0),
        };
        let unit = if base == Base::OtherUnit {
            self.unit().other()
        } else {
            self.unit()
        };
        let form = Form {
            purpose,
            connector,
            stack: 0,
            unit,
        };
        let relative = base == Base::Relative;
        Some(BaseForm { form, relative })
    }

    pub(crate) fn base_accepted(&mut self, form: BaseForm) {
        let base = BASES.get(self.base_rung).copied();
        // What was taken tells the unit where nothing else did.
        self.unit = self.unit.or(Some(form.form.unit));
        if base == Some(Base::OtherUnit) {
            self.base_rung = 0;
        }
        self.base_taken = base;
    }

    /// A base was refused. True if another form is worth trying at once.
    pub(crate) fn base_refused(&mut self) -> bool {
        self.base_taken = None;
        self.base_rung += 1;
        if self.unit.is_some() && BASES.get(self.base_rung) == Some(&Base::OtherUnit) {
            self.base_rung += 1;
        }
        self.base_rung < self.bases().len()
    }

    /// Start the search for a base again, if it has found none.
    pub(crate) fn base_again(&mut self) {
        if self.base_rung >= self.bases().len() {
            self.base_rung = 0;
        }
    }
}

#[cfg(test)]
mod tests;

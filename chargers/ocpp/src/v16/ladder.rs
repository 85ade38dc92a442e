//! The ladder: forms of a charging profile, tried until the charge point takes one.
//!
//! Charge points that take only one purpose, one stack level, one unit or one kind are common. The
//! first rung is what most take: a `TxDefaultProfile` for the connector above the base. It is used
//! with and without a transaction: it is there before a transaction starts without warning, it
//! needs no transaction id, one and the same profile is replaced all the time, and it is the
//! purpose with the fewest known failures. `TxProfile` is a later rung, for charge points that
//! apply a default only to the next transaction and refuse it meanwhile.
//!
//! A rung that was taken once is kept: a refusal on it is then more likely a passing one (memory
//! wear limits, local settings), and climbing would multiply the writes. Two refusals in a row
//! start the search again.

use super::profile::{Form, Purpose, Unit};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rung {
    AboveBase,
    InPlaceOfBase,
    WholeChargePoint,
    Transaction,
    Maximum,
}

const RUNGS: [Rung; 5] = [
    Rung::AboveBase,
    Rung::InPlaceOfBase,
    Rung::WholeChargePoint,
    Rung::Transaction,
    Rung::Maximum,
];

/// Which form the next base has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BaseForm {
    pub(crate) form: Form,
    pub(crate) relative: bool,
}

/// What was found out about the forms that this charge point takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ladder {
    rung: usize,
    proven: bool,
    refusals: u8,
    base_rung: usize,
    unit: Option<Unit>,
    /// The unit that is tried while none is known.
    guess: Unit,
    max_stack: Option<u32>,
    max_periods: Option<u32>,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            rung: 0,
            proven: false,
            refusals: 0,
            base_rung: 0,
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
        let before = self.unit();
        self.unit = Some(unit);
        before != unit
    }

    pub(crate) fn learn_max_stack(&mut self, level: u32) {
        self.max_stack = Some(level);
    }

    pub(crate) fn learn_max_periods(&mut self, periods: u32) {
        self.max_periods = Some(periods);
    }

    pub(crate) fn takes_two_periods(&self) -> bool {
        self.max_periods.is_none_or(|periods| periods >= 2)
    }

    fn unit(&self) -> Unit {
        self.unit.unwrap_or(self.guess)
    }

    /// The form of the next lease.
    pub(crate) fn lease(&mut self, connector: u32, transaction: Option<i32>) -> Form {
        while !self.fits(transaction) {
            self.rung = (self.rung + 1) % RUNGS.len();
        }
        let default = |connector, stack| (Purpose::Default, connector, stack);
        let (purpose, connector, stack) = match self.current() {
            Rung::AboveBase => default(connector, 1),
            Rung::InPlaceOfBase => default(connector, 0),
            Rung::WholeChargePoint => default(0, 0),
            Rung::Transaction => (
                transaction.map_or(Purpose::Default, Purpose::Transaction),
                connector,
                0,
            ),
            Rung::Maximum => (Purpose::Maximum, 0, 0),
        };
        Form {
            purpose,
            connector,
            stack,
            unit: self.unit(),
        }
    }

    fn current(&self) -> Rung {
        RUNGS.get(self.rung).copied().unwrap_or(Rung::AboveBase)
    }

    fn fits(&self, transaction: Option<i32>) -> bool {
        match self.current() {
            Rung::AboveBase => self.max_stack != Some(0),
            Rung::Transaction => transaction.is_some(),
            Rung::InPlaceOfBase | Rung::WholeChargePoint | Rung::Maximum => true,
        }
    }

    /// Whether a lease of the present form lies above the base rather than in its place.
    pub(crate) fn lease_leaves_base(&self) -> bool {
        !matches!(self.current(), Rung::InPlaceOfBase | Rung::WholeChargePoint)
    }

    pub(crate) fn lease_accepted(&mut self) {
        self.proven = true;
        self.refusals = 0;
        self.unit = Some(self.unit());
    }

    /// A lease was refused. True if another form is worth trying at once.
    pub(crate) fn lease_refused(&mut self) -> bool {
        if self.proven {
            self.refusals += 1;
            if self.refusals >= 2 {
                self.proven = false;
                self.refusals = 0;
                self.rung = 0;
            }
            return false;
        }
        self.rung += 1;
        if self.rung < RUNGS.len() {
            return true;
        }
        self.rung = 0;
        // Nobody told the unit: the next command tries the other one, from the first rung.
        self.guess = self.guess.other();
        false
    }

    /// The form of the next base; `None` when every form was refused.
    pub(crate) fn base(&self, connector: u32) -> Option<BaseForm> {
        let (unit, relative) = match self.base_rung {
            0 => (self.unit(), false),
            1 if self.unit.is_none() => (self.guess.other(), false),
            1 | 2 => (self.unit(), true),
            _ => return None,
        };
        let form = Form {
            purpose: Purpose::Default,
            connector,
            stack: 0,
            unit,
        };
        Some(BaseForm { form, relative })
    }

    pub(crate) fn base_accepted(&mut self, form: BaseForm) {
        // What was taken tells the unit where nothing else did.
        self.unit = self.unit.or(Some(form.form.unit));
        self.base_rung = if form.relative { 2 } else { 0 };
    }

    /// A base was refused. True if another form is worth trying at once.
    pub(crate) fn base_refused(&mut self) -> bool {
        self.base_rung += if self.base_rung == 1 && self.unit.is_some() {
            2
        } else {
            1
        };
        self.base_rung <= 2
    }

    /// Start the search for a base again.
    pub(crate) fn base_again(&mut self) {
        if self.base_rung > 2 {
            self.base_rung = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn climb(ladder: &mut Ladder, transaction: Option<i32>) -> Vec<(Purpose, u32, u32)> {
        let mut seen = Vec::new();
        loop {
            let form = ladder.lease(1, transaction);
            seen.push((form.purpose, form.connector, form.stack));
            if !ladder.lease_refused() {
                return seen;
            }
        }
    }

    #[test]
    fn every_form_is_tried_once() {
        let default = Purpose::Default;
        let without = vec![
            (default, 1, 1),
            (default, 1, 0),
            (default, 0, 0),
            (Purpose::Maximum, 0, 0),
        ];
        assert_eq!(climb(&mut Ladder::default(), None), without);
        let mut with = without.clone();
        with.insert(3, (Purpose::Transaction(9), 1, 0));
        assert_eq!(climb(&mut Ladder::default(), Some(9)), with);
        let mut flat = Ladder::default();
        flat.learn_max_stack(0);
        assert_eq!(climb(&mut flat, None), without.get(1..).unwrap());
    }

    #[test]
    fn a_proven_form_survives_one_refusal() {
        let mut ladder = Ladder::default();
        ladder.lease(1, None);
        assert!(ladder.lease_refused());
        ladder.lease_accepted();
        let proven = ladder.lease(1, None);
        assert!(!ladder.lease_refused());
        assert_eq!(ladder.lease(1, None), proven);
        assert!(!ladder.lease_refused());
        assert_eq!(ladder.lease(1, None).stack, 1, "the search starts again");
    }

    #[test]
    fn while_no_unit_is_known_both_are_tried_in_turn() {
        let mut ladder = Ladder::default();
        let mut units = Vec::new();
        for _ in 0..3 {
            units.push(ladder.lease(1, None).unit);
            climb(&mut ladder, None);
        }
        assert_eq!(units, [Unit::Amperes, Unit::Watts, Unit::Amperes]);
        ladder.lease(1, None);
        ladder.lease_accepted();
        climb(&mut ladder, None);
        climb(&mut ladder, None);
        climb(&mut ladder, None);
        assert_eq!(
            ladder.lease(1, None).unit,
            Unit::Watts,
            "what was taken once is known"
        );
    }

    #[test]
    fn units_in_the_words_of_the_field() {
        let cases = [
            ("Current", Unit::Amperes),
            ("Current,Power", Unit::Amperes),
            ("Power, Current", Unit::Amperes),
            ("Power", Unit::Watts),
            ("W", Unit::Watts),
            ("a", Unit::Amperes),
            ("Horses", Unit::Amperes),
        ];
        for (value, want) in cases {
            let mut ladder = Ladder::default();
            ladder.learn_units(value);
            assert_eq!(ladder.lease(1, None).unit, want, "{value}");
        }
    }

    #[test]
    fn a_base_tries_the_other_unit_then_relative() {
        let mut ladder = Ladder::default();
        let mut seen = Vec::new();
        while let Some(base) = ladder.base(1) {
            seen.push((base.form.unit, base.relative));
            if !ladder.base_refused() {
                break;
            }
        }
        assert_eq!(
            seen,
            [
                (Unit::Amperes, false),
                (Unit::Watts, false),
                (Unit::Amperes, true)
            ]
        );
        assert_eq!(ladder.base(1), None);
        ladder.base_again();
        assert!(ladder.base(1).is_some());

        let mut watts = Ladder::default();
        watts.base_refused();
        let form = watts.base(1).unwrap();
        watts.base_accepted(form);
        assert_eq!(
            watts.lease(1, None).unit,
            Unit::Watts,
            "the lease follows what was taken"
        );
    }
}

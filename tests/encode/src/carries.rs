//! What a list can carry: which values, in which steps, up to where. From it come values that fit.

use crate::values::{Clock, Phase, Values};

/// One number of a list, in thousandths of the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Resolution.
    pub step: i64,
    /// The least value, a multiple of the step.
    pub min: i64,
    /// The greatest value, a multiple of the step.
    pub max: i64,
    /// The list has a fixed place for it.
    pub must: bool,
}

impl Range {
    /// The same with another least value.
    pub(crate) const fn from(self, min: i64) -> Self {
        Self { min, ..self }
    }

    /// The same with another greatest value.
    pub(crate) const fn up_to(self, max: i64) -> Self {
        Self { max, ..self }
    }
}

/// A place for a number, or none.
pub type Slot = Option<Range>;

/// A number that may be missing, from 0 to `count` steps.
#[expect(clippy::unnecessary_wraps, reason = "a place that is there")]
pub(crate) const fn may(step: i64, count: i64) -> Slot {
    Some(Range {
        step,
        min: 0,
        max: step * count,
        must: false,
    })
}

/// A number that is always there, from 0 to `count` steps.
pub(crate) const fn must(step: i64, count: i64) -> Slot {
    between(step, 0, count)
}

/// A number that is always there, from `low` to `high` steps.
#[expect(clippy::unnecessary_wraps, reason = "a place that is there")]
pub(crate) const fn between(step: i64, low: i64, high: i64) -> Slot {
    Some(Range {
        step,
        min: step * low,
        max: step * high,
        must: true,
    })
}

/// How a list tells the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clocks {
    /// Not at all.
    None,
    /// Local time alone.
    Local,
    /// With the offset, in minutes; or without.
    Offset,
    /// Central European winter or summer time.
    Zone,
    /// Central European winter time, or no offset: Swedish meters may say "summer" all year.
    Nordic,
}

/// The places of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseSlots {
    pub current: Slot,
    pub voltage: Slot,
    pub import: Slot,
    pub export: Slot,
    pub apparent: Slot,
}

/// The places of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carries {
    /// Digits of the meter's number.
    pub id: Option<usize>,
    /// How the model begins and ends; two digits stand between.
    pub model: Option<(&'static str, &'static str)>,
    pub clock: Clocks,
    pub import: Slot,
    pub export: Slot,
    pub import_var: Slot,
    pub export_var: Slot,
    /// Powers are sent with a sign: what is drawn or what is fed in is 0.
    pub signed: bool,
    pub phases: [PhaseSlots; 3],
    pub energy_import: Slot,
    pub energy_export: Slot,
}

impl Carries {
    /// A list without places.
    pub(crate) const NOTHING: Self = Self {
        id: None,
        model: None,
        clock: Clocks::None,
        import: None,
        export: None,
        import_var: None,
        export_var: None,
        signed: false,
        phases: [PhaseSlots {
            current: None,
            voltage: None,
            import: None,
            export: None,
            apparent: None,
        }; 3],
        energy_import: None,
        energy_export: None,
    };

    /// All four powers the same.
    pub(crate) const fn powers(mut self, slot: Slot) -> Self {
        self.import = slot;
        self.export = slot;
        self.import_var = slot;
        self.export_var = slot;
        self
    }

    pub(crate) const fn energies(mut self, slot: Slot) -> Self {
        self.energy_import = slot;
        self.energy_export = slot;
        self
    }

    /// The same places on some lines, 0 to 2.
    pub(crate) fn on(mut self, lines: &[usize], change: impl Fn(&mut PhaseSlots)) -> Self {
        for line in lines {
            change(&mut self.phases[*line]);
        }
        self
    }

    /// Values that fit, by wishes: none leaves a value out where that can be, 0 is the least and `u32::MAX` the
    /// greatest that fits.
    pub fn values(&self, wishes: &[Option<u32>]) -> Values {
        let mut wish = Wishes(wishes.iter().copied().cycle());
        let digits = |wish: &mut Wishes<'_>, count: usize| -> String {
            let text = format!("{:010}{:010}", wish.number(), wish.number());
            text.chars().cycle().take(count).collect()
        };
        let mut values = Values {
            meter_id: self.id.map(|count| digits(&mut wish, count)),
            model: self
                .model
                .map(|(begin, end)| format!("{begin}{}{end}", digits(&mut wish, 2))),
            clock: wish.clock(self.clock),
            import_mw: wish.within(self.import),
            export_mw: wish.within(self.export),
            import_mvar: wish.within(self.import_var),
            export_mvar: wish.within(self.export_var),
            phases: self.phases.map(|slots| Phase {
                current_ma: wish.within(slots.current),
                voltage_mv: wish.within(slots.voltage),
                import_mw: wish.within(slots.import),
                export_mw: wish.within(slots.export),
                apparent_mva: wish.within(slots.apparent),
            }),
            energy_import_mwh: wish.within(self.energy_import),
            energy_export_mwh: wish.within(self.energy_export),
        };
        if self.signed {
            let mut one_way = |import: &mut Option<i64>, export: &mut Option<i64>| {
                *export = import.map(|_| 0);
                if wish.number() % 2 == 1 {
                    std::mem::swap(import, export);
                }
            };
            one_way(&mut values.import_mw, &mut values.export_mw);
            for phase in &mut values.phases {
                one_way(&mut phase.import_mw, &mut phase.export_mw);
            }
        }
        values
    }
}

/// Wishes in a ring, so that any number of them serves any list.
struct Wishes<'a>(std::iter::Cycle<std::iter::Copied<std::slice::Iter<'a, Option<u32>>>>);

impl Wishes<'_> {
    fn next(&mut self) -> Option<u32> {
        self.0.next().flatten()
    }

    fn number(&mut self) -> u32 {
        self.next().unwrap_or_default()
    }

    fn within(&mut self, slot: Slot) -> Option<i64> {
        let wish = self.next();
        let range = slot?;
        let wish = match wish {
            None if range.must => 0,
            wish => wish?,
        };
        let count = i128::from((range.max - range.min) / range.step);
        let steps = count * i128::from(wish) / i128::from(u32::MAX);
        Some(range.min + i64::try_from(steps).unwrap() * range.step)
    }

    fn clock(&mut self, kind: Clocks) -> Option<Clock> {
        let [year, month, day, hour, minute, second] =
            [99, 11, 27, 23, 59, 59].map(|most| self.below(most));
        let offset = self.next();
        if offset.is_none() && year % 2 == 1 {
            return None;
        }
        Some(Clock {
            year,
            month: month + 1,
            day: day + 1,
            hour,
            minute,
            second,
            offset_min: match kind {
                Clocks::None => return None,
                Clocks::Local => None,
                Clocks::Offset => offset.map(|wish| i16::try_from(wish % 1561).unwrap() - 720),
                Clocks::Zone => Some(if offset.is_some() { 60 } else { 120 }),
                Clocks::Nordic => offset.map(|_| 60),
            },
        })
    }

    /// 0 to `most`.
    fn below(&mut self, most: u8) -> u8 {
        u8::try_from(self.number() % (u32::from(most) + 1)).unwrap()
    }
}

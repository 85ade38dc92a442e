//! One value in registers: how it is written and how it is read.

use headroom_core::units::Milliamps;

/// How many milliamperes an ampere has.
const MILLI: i64 = 1000;
/// A float is written in steps of a tenth of an ampere, in milliamperes; chargers take no finer ones.
const FLOAT_STEP_MA: i64 = 100;

/// A value of a register table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Register {
    /// The address as it is sent, from 0.
    pub(crate) address: u16,
    /// What is in it.
    pub(crate) kind: Kind,
    /// Steps of a whole unit (ampere, second, kilowatt-hour): 1000 for milliamperes.
    pub(crate) steps: u32,
}

/// What is in the registers of a value. Several words come with the highest one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One word.
    U16,
    /// Two words.
    U32,
    /// Two words with a sign.
    I32,
    /// Two words: IEEE 754, single precision.
    F32,
    /// Four words: IEEE 754, double precision.
    F64,
    /// So many words of two characters each.
    Text(u16),
}

impl Register {
    /// A value whose steps are whole units.
    pub(crate) const fn whole(address: u16, kind: Kind) -> Self {
        Self::scaled(address, kind, 1)
    }

    /// A value with so many steps to a unit.
    pub(crate) const fn scaled(address: u16, kind: Kind, steps: u32) -> Self {
        Self {
            address,
            kind,
            steps,
        }
    }

    /// How many registers it takes.
    pub(crate) const fn count(self) -> u16 {
        match self.kind {
            Kind::U16 => 1,
            Kind::U32 | Kind::I32 | Kind::F32 => 2,
            Kind::F64 => 4,
            Kind::Text(words) => words,
        }
    }

    /// The number in these words; `None` if it is no number, or infinite.
    pub(crate) fn number(self, words: &[u16]) -> Option<f64> {
        let raw = match (self.kind, words) {
            (Kind::U16, &[word]) => f64::from(word),
            (Kind::U32, &[high, low]) => f64::from(long(high, low)),
            (Kind::I32, &[high, low]) => f64::from(long(high, low).cast_signed()),
            (Kind::F32, &[high, low]) => f64::from(f32::from_bits(long(high, low))),
            (Kind::F64, &[a, b, c, d]) => {
                f64::from_bits(u64::from(long(a, b)) << 32 | u64::from(long(c, d)))
            }
            _ => return None,
        };
        raw.is_finite().then(|| raw / f64::from(self.steps.max(1)))
    }

    /// The text in these words, up to its end.
    pub(crate) fn text(words: &[u16]) -> String {
        let bytes = words.iter().flat_map(|word| word.to_be_bytes());
        let printable = bytes.take_while(u8::is_ascii_graphic);
        printable.map(char::from).collect()
    }

    /// The words of a current, rounded down to what the register holds; `None` if it cannot hold it.
    pub(crate) fn current(self, current: Milliamps) -> Option<Vec<u16>> {
        let current = current.0.max(0);
        if self.kind == Kind::F32 {
            let tenths = u16::try_from(current / FLOAT_STEP_MA).ok()?;
            let bits = (f32::from(tenths) / 10.0).to_bits();
            return Some(words(bits));
        }
        let raw = current.checked_mul(i64::from(self.steps))? / MILLI;
        self.raw(u32::try_from(raw).ok()?)
    }

    /// The words of a whole number in the register's own steps; `None` if it cannot hold it.
    pub(crate) fn raw(self, value: u32) -> Option<Vec<u16>> {
        match self.kind {
            Kind::U16 => u16::try_from(value).ok().map(|word| vec![word]),
            Kind::U32 => Some(words(value)),
            Kind::I32 => i32::try_from(value).ok().map(|_| words(value)),
            Kind::F32 | Kind::F64 | Kind::Text(_) => None,
        }
    }
}

fn long(high: u16, low: u16) -> u32 {
    u32::from(high) << 16 | u32::from(low)
}

fn words(value: u32) -> Vec<u16> {
    let [a, b, c, d] = value.to_be_bytes();
    vec![u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_their_steps() {
        for (kind, steps, words, expected) in [
            (Kind::U16, 1, &[16][..], Some(16.0)),
            (Kind::U32, 1000, &[0, 15_900], Some(15.9)),
            (Kind::U32, 1000, &[1, 0], Some(65.536)),
            (Kind::I32, 1000, &[0xffff, 0xfc18], Some(-1.0)),
            (Kind::F32, 1, &[0x4180, 0], Some(16.0)),
            (Kind::F32, 1, &[0x7fc0, 0], None),
            (Kind::F32, 1, &[0x7f80, 0], None),
            (Kind::F64, 1000, &[0x40c3, 0x8800, 0, 0], Some(10.0)),
            (Kind::U32, 1, &[7], None),
            (Kind::U16, 1, &[], None),
        ] {
            let register = Register::scaled(0, kind, steps);
            assert_eq!(register.number(words), expected, "{kind:?} {words:?}");
        }
    }

    #[test]
    fn currents_are_written_rounded_down() {
        let written = |kind, steps, ma| Register::scaled(0, kind, steps).current(Milliamps(ma));
        assert_eq!(written(Kind::F32, 1, 16_000), Some(vec![0x4180, 0]));
        assert_eq!(
            written(Kind::F32, 1, 16_099),
            Some(vec![0x4180, 0]),
            "tenths"
        );
        assert_eq!(written(Kind::F32, 1, -5), Some(vec![0, 0]));
        assert_eq!(written(Kind::U16, 1, 9_999), Some(vec![9]));
        assert_eq!(written(Kind::U16, 1000, 6_500), Some(vec![6500]));
        assert_eq!(
            written(Kind::U16, 1000, 80_000),
            None,
            "more than 16 bits hold"
        );
        assert_eq!(written(Kind::U32, 1000, 80_000), Some(vec![1, 14_464]));
    }

    #[test]
    fn text_ends_where_it_ends() {
        assert_eq!(Register::text(&[0x4332, 0, 0x5858]), "C2");
        assert_eq!(Register::text(&[0x4120]), "A");
        assert_eq!(Register::text(&[0, 0]), "");
    }
}

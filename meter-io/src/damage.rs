//! How many of the newest telegrams were damaged.

/// Telegrams that are looked at: more than a few, and no more than some minutes of a slow meter.
const WINDOW: u32 = 40;
/// Fewer say nothing.
const ENOUGH: u32 = 10;
/// More than one of this many is more than a wire in order loses.
const ONE_IN: u32 = 10;

/// The newest telegrams: whole ones and damaged ones.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Damage {
    /// The newest in the lowest bit; a damaged one is a 1.
    bits: u64,
    heard: u32,
}

impl Damage {
    pub(crate) fn count(&mut self, damaged: bool) {
        self.bits = (self.bits << 1 | u64::from(damaged)) & ((1 << WINDOW) - 1);
        self.heard = (self.heard + 1).min(WINDOW);
    }

    /// How many of how many were damaged, if that is too many.
    pub(crate) fn too_much(self) -> Option<(u32, u32)> {
        let damaged = self.bits.count_ones();
        (self.heard >= ENOUGH && damaged * ONE_IN > self.heard).then_some((damaged, self.heard))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_tenth_is_too_much() {
        let mut damage = Damage::default();
        for _ in 0..9 {
            damage.count(true);
        }
        assert_eq!(damage.too_much(), None, "too few to say");
        damage.count(false);
        assert_eq!(damage.too_much(), Some((9, 10)));
        for _ in 0..36 {
            damage.count(false);
        }
        assert_eq!(damage.too_much(), None, "3 of 40");
        damage.count(true);
        damage.count(true);
        assert_eq!(damage.too_much(), None, "old ones fall out");
    }
}

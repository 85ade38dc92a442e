//! Sums of energy that lose nothing: nanojoules inside, whole milliwatt-hours outside, the rest is carried on.

/// Nanojoules of a milliwatt-hour: 3.6 J.
const NJ_PER_MWH: u64 = 3_600_000_000;
/// Nanojoules of a watt-hour.
const NJ_PER_WH: u64 = 1000 * NJ_PER_MWH;

/// An energy in nanojoules: a microwatt for a millisecond. Room for five gigawatt-hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Energy(u64);

impl Energy {
    /// A power in microwatts for a time.
    pub(super) const fn of(microwatts: u64, ms: u64) -> Self {
        Self(microwatts.saturating_mul(ms))
    }

    pub(super) const fn from_wh(wh: u64) -> Self {
        Self(wh.saturating_mul(NJ_PER_WH))
    }

    pub(super) const fn add(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }

    /// What is more than another; nothing if it is less.
    pub(super) const fn beyond(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whole milliwatt-hours.
    pub(super) fn mwh(self) -> i64 {
        i64::try_from(self.0 / NJ_PER_MWH).unwrap_or(i64::MAX)
    }

    /// Leaves only what is no whole milliwatt-hour yet.
    pub(super) const fn close(&mut self) {
        self.0 %= NJ_PER_MWH;
    }
}

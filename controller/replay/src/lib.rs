//! The journal once more through the decision core.
//!
//! [`judge`] proves the journal: the recorded inputs must give the recorded decisions, byte for byte. Input: a journal that
//! is only read; output: a [`Report`] with what was reproduced, the first difference, and the gaps that nobody can judge.
//!
//! [`Asked`] tells what would have been with another configuration: [`WhatIf`].
//!
//! It is the same engine as everywhere; there is no second implementation of anything.
#![warn(missing_docs)]

mod decisions;
mod difference;
mod judge;
mod report;
mod what_if;

pub use difference::{Difference, Side, StateDifference};
pub use judge::{Range, judge};
pub use report::{Gap, GapKind, ReplayedRun, Report, Verdict};
pub use what_if::{
    Asked, LoadFigures, PhaseFigures, Side as WhatIfSide, UNREADABLE, WhatIf, WhatIfError,
};

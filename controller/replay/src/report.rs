//! What a replay found.

use jiff::Timestamp;
use serde::Serialize;

use crate::difference::Difference;

/// What a replay found, as `headroom replay --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The word on all of it.
    pub verdict: Verdict,
    /// This program's version.
    pub engine: &'static str,
    /// Whether something was recorded by another version: then a difference is what this one does otherwise.
    pub other_version: bool,
    /// The starts of the program that were replayed.
    pub runs: Vec<ReplayedRun>,
    /// Inputs that were judged.
    pub inputs: u64,
    /// Decisions that came out again, byte for byte.
    pub decisions: u64,
    /// Checkpoints that the engine came to again, byte for byte.
    pub checkpoints: u64,
    /// Stretches from one checkpoint to the next in which something differs.
    pub differing: u64,
    /// The first thing that differs.
    pub difference: Option<Difference>,
    /// What could not be judged, in order.
    pub gaps: Vec<Gap>,
}

/// The word on a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every decision that could be judged came out again.
    Reproduced,
    /// Something differs.
    Different,
    /// Nothing in this time could be judged.
    Nothing,
}

/// One start of the program, as far as it was replayed.
#[derive(Clone, Debug, Serialize)]
pub struct ReplayedRun {
    /// Its number.
    pub run: i64,
    /// The version that ran.
    pub version: String,
    /// The first input that was judged.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub from: Timestamp,
    /// The last one.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub to: Timestamp,
}

/// Something that could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Which run.
    pub run: i64,
    /// What is missing.
    pub kind: GapKind,
    /// From when.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub from: Timestamp,
    /// Until when.
    #[serde(serialize_with = "headroom_store::times::one")]
    pub to: Timestamp,
    /// How many rows are missing, or cannot be read.
    pub missing: u64,
    /// Inputs that are there and could not be judged because of it.
    pub not_judged: u64,
    /// What SQLite or JSON say, where they say something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// Inputs: dropped, thinned out, or removed.
    Inputs,
    /// An input is there and cannot be read.
    Unreadable,
    /// Decisions: dropped, thinned out, or removed. The engine decided there, and nothing tells whether the same.
    Decisions,
    /// There is no checkpoint to begin with.
    NoCheckpoint,
    /// A checkpoint is there and cannot be read.
    Checkpoint,
}

impl Gap {
    /// The gap in a sentence.
    pub fn text(&self) -> String {
        let missing = self.missing;
        let detail = self.detail.as_deref().unwrap_or_default();
        match self.kind {
            GapKind::Inputs => format!(
                "{missing} inputs are missing: dropped, thinned out or removed; {} that follow up to the next checkpoint are not judged",
                self.not_judged
            ),
            GapKind::Unreadable => format!(
                "an input cannot be read ({detail}); {} that follow up to the next checkpoint are not judged",
                self.not_judged
            ),
            GapKind::Decisions => format!(
                "{missing} decisions are missing: dropped, thinned out or removed; the engine decides there, and nothing tells whether the same"
            ),
            GapKind::NoCheckpoint => format!(
                "there is no checkpoint to begin with; {} inputs are not judged",
                self.not_judged
            ),
            GapKind::Checkpoint => format!(
                "a checkpoint cannot be read ({detail}); {} inputs are not judged",
                self.not_judged
            ),
        }
    }
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            verdict: Verdict::Nothing,
            engine: env!("CARGO_PKG_VERSION"),
            other_version: false,
            runs: Vec::new(),
            inputs: 0,
            decisions: 0,
            checkpoints: 0,
            differing: 0,
            difference: None,
            gaps: Vec::new(),
        }
    }

    /// Notes a difference; only the first is kept.
    pub(crate) fn differs(&mut self, difference: Difference) {
        self.differing += 1;
        self.difference.get_or_insert(difference);
    }

    /// Notes a gap. Decisions that are missing one after the other are one gap.
    pub(crate) fn gap(&mut self, gap: Gap) {
        match self.gaps.last_mut() {
            Some(last)
                if last.kind == GapKind::Decisions
                    && gap.kind == GapKind::Decisions
                    && last.run == gap.run =>
            {
                last.to = gap.to;
                last.missing += gap.missing;
            }
            _ => self.gaps.push(gap),
        }
    }

    pub(crate) fn concluded(mut self) -> Self {
        self.verdict = if self.difference.is_some() {
            Verdict::Different
        } else if self.inputs > 0 {
            Verdict::Reproduced
        } else {
            Verdict::Nothing
        };
        self
    }
}

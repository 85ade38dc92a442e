//! What a test has found: the report that is stored and shown. Currents are in amperes, times in milliseconds.

use serde::{Deserialize, Serialize};

use super::Setup;
use super::lines::Phases;
use crate::config::LeaseProof;
use crate::units::{Milliamps, Phase};

/// What a step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A limit.
    Limit,
    /// Nothing.
    Pause,
    /// Current again.
    Resume,
    /// Silence.
    Cut,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The charger does what it must.
    Passed,
    /// It does not.
    Failed,
    /// The test ended before it could tell; nothing follows from it.
    Aborted,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// What it was.
    pub kind: StepKind,
    /// What the test would have told it.
    pub wanted_a: Milliamps,
    /// What it was told: within what it can be given.
    pub told_a: Milliamps,
    /// What it drew before.
    pub from_a: Milliamps,
    /// How long the step waited for room.
    pub waited_ms: u64,
    /// From the command until the charger or the meter showed it, whoever was first.
    pub reaction_ms: Option<u64>,
    /// Until the charger said so.
    pub reported_after_ms: Option<u64>,
    /// Until the house meter showed it.
    pub metered_after_ms: Option<u64>,
    /// What it said it drew before, per terminal.
    pub before_a: Vec<Option<Milliamps>>,
    /// What it said it drew in the end, per terminal.
    pub reported_a: Vec<Option<Milliamps>>,
    /// How far each line moved, less the other loads.
    pub moved_a: Vec<Option<Milliamps>>,
    /// What it drew in the end less what it was told.
    pub error_a: Option<Milliamps>,
    /// Whether it followed.
    pub follows: bool,
    /// Whether it was left out, because the charger did not follow before.
    pub skipped: bool,
    /// The same in a sentence.
    pub text: String,
}

impl StepReport {
    pub(super) fn skipped(kind: StepKind, wanted: Milliamps, to: Milliamps) -> Self {
        Self {
            kind,
            wanted_a: wanted,
            told_a: to,
            from_a: Milliamps::ZERO,
            waited_ms: 0,
            reaction_ms: None,
            reported_after_ms: None,
            metered_after_ms: None,
            before_a: Vec::new(),
            reported_a: Vec::new(),
            moved_a: Vec::new(),
            error_a: None,
            follows: false,
            skipped: true,
            text: format!("Not given {to}: it did not follow before."),
        }
    }

    /// The largest of the currents that it said it drew in the end.
    fn draw(&self) -> Option<Milliamps> {
        self.reported_a.iter().copied().flatten().max()
    }
}

/// What the follow test has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowReport {
    /// Whether it follows.
    pub passed: bool,
    /// The longest time that it took to come down; how fast it goes up is the car's affair.
    pub reaction_ms: Option<u64>,
    /// The largest difference between what it drew and what it was told.
    pub error_a: Option<Milliamps>,
    /// The lowest current that it kept to.
    pub lowest_a: Option<Milliamps>,
    /// Whether it pauses.
    pub pauses: bool,
    /// Whether it goes on after a pause.
    pub resumes: bool,
    /// The phases as configured, per terminal; `null`: not known.
    pub phases_configured: Option<Vec<Phase>>,
    /// The lines of the terminals that the car used, as configured.
    pub phases_expected: Option<Vec<Phase>>,
    /// The lines that moved with it; `null`: it cannot be told.
    pub phases_found: Option<Vec<Phase>>,
    /// Whether they are the same; `null`: it cannot be told.
    pub phases_agree: Option<bool>,
    /// The same in a sentence or more.
    pub text: String,
}

impl FollowReport {
    pub(super) fn new(steps: &[StepReport], setup: &Setup) -> Self {
        let of = |kind| move |step: &&StepReport| step.kind == kind;
        let follows = |kind| steps.iter().filter(of(kind)).all(|step| step.follows);
        let phases = Phases::of(steps, setup);
        let agree = phases.agree();
        let lowest = lowest(steps);
        let reaction = steps
            .iter()
            .filter(|step| step.told_a < step.from_a)
            .filter_map(|step| step.reaction_ms)
            .max();
        let error = steps
            .iter()
            .filter_map(|step| step.error_a)
            .max_by_key(|error| error.abs());
        let all = steps.iter().all(|step| step.follows);
        let mut said: Vec<String> = Vec::new();
        if let Some(failed) = steps.iter().find(|step| !step.follows) {
            said.push(format!("{} does not follow. {}", setup.title, failed.text));
        } else {
            let within = reaction.map_or_else(String::new, |ms| {
                format!(" within {}.{} s", ms / 1000, ms % 1000 / 100)
            });
            said.push(format!("{} follows{within}.", setup.title));
        }
        match (&phases.found, &phases.expected, agree) {
            (Some(found), _, Some(false)) if found.is_empty() => said.push(
                "The house meter shows nothing of it: it is behind another meter, or does not draw what it says.".to_owned(),
            ),
            (Some(found), Some(expected), Some(false)) => said.push(format!(
                "It draws from {} and is configured on {}: set its phases.",
                listed(found),
                listed(expected)
            )),
            _ => {}
        }
        Self {
            passed: all && agree != Some(false),
            reaction_ms: reaction,
            error_a: error,
            lowest_a: lowest,
            pauses: follows(StepKind::Pause),
            resumes: follows(StepKind::Resume),
            phases_configured: setup.map.clone(),
            phases_expected: phases.expected,
            phases_found: phases.found,
            phases_agree: agree,
            text: said.join(" "),
        }
    }
}

/// The lowest current that it kept to: told and followed, or else the least that it drew when it was told less.
fn lowest(steps: &[StepReport]) -> Option<Milliamps> {
    let limits = || {
        steps
            .iter()
            .filter(|step| step.kind == StepKind::Limit && !step.skipped)
    };
    let ignored = limits()
        .filter(|step| !step.follows)
        .filter_map(|step| step.draw().filter(|draw| *draw > step.told_a))
        .min();
    let kept = limits()
        .filter(|step| step.follows)
        .map(|step| step.told_a)
        .min();
    match (ignored, kept) {
        (Some(ignored), Some(kept)) => Some(ignored.min(kept)),
        (one, other) => one.or(other),
    }
}

fn listed(lines: &[Phase]) -> String {
    let names: Vec<String> = lines.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// What the cut test has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutReport {
    /// Whether it fell to its safe current by itself, in time.
    pub passed: bool,
    /// The lease that was waited for, in seconds.
    pub lease_s: u32,
    /// What it must fall to.
    pub safe_current_a: Milliamps,
    /// From the beginning of the silence.
    pub fell_after_ms: Option<u64>,
    /// From the end of the lease.
    pub late_ms: Option<u64>,
    /// `report` or `meter`.
    pub seen_by: Option<String>,
    /// The same in a sentence.
    pub text: String,
}

/// What follows for the configuration of the charger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// What is known of its falling back from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseProof>,
    /// The least that it is given besides nothing from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_current_a: Option<Milliamps>,
    /// Its phases count as not known from now on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub phases_unknown: bool,
}

/// What a test has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How it ended.
    pub result: Verdict,
    /// Why, in words: what happened and what follows.
    pub text: String,
    /// What the follow test has found, if it came to its end.
    pub follow: Option<FollowReport>,
    /// What the cut test has found, if it was made and came to its end.
    pub cut: Option<CutReport>,
    /// What follows for the configuration.
    pub limits: Limits,
    /// The steps.
    pub steps: Vec<StepReport>,
}

impl Report {
    pub(super) fn new(
        result: Verdict,
        setup: &Setup,
        steps: &[StepReport],
        follow: Option<FollowReport>,
        cut: Option<CutReport>,
        text: String,
    ) -> Self {
        let mut limits = Limits::default();
        let mut text = text;
        if let Some(cut) = &cut {
            let (lease, follows) = if cut.passed {
                (LeaseProof::Proven, "")
            } else {
                (
                    LeaseProof::None,
                    " Without a link the most that it can draw stays reserved from now on.",
                )
            };
            limits.lease = Some(lease);
            text.push_str(follows);
        }
        if let Some(follow) = follow.as_ref().filter(|_| result != Verdict::Aborted) {
            let least = follow
                .lowest_a
                .map(|lowest| up_to_amps(lowest).min(setup.most));
            let least = least.filter(|least| *least > setup.least);
            let below =
                setup.safe > Milliamps::ZERO && least.is_some_and(|least| setup.safe < least);
            limits.min_current_a = least.filter(|_| !below);
            let said = match (least, limits.min_current_a) {
                (_, Some(least)) => {
                    format!(" It is given {least} or nothing from now on, not less.")
                }
                (Some(least), None) => format!(
                    " It keeps to no less than {least}, which its safe current of {} is below: set both.",
                    setup.safe
                ),
                (None, None) => String::new(),
            };
            text.push_str(&said);
            limits.phases_unknown = follow.phases_agree == Some(false)
                && follow
                    .phases_found
                    .as_ref()
                    .is_some_and(|found| !found.is_empty());
            if limits.phases_unknown {
                text.push_str(" Until then it counts on all lines.");
            }
        }
        Self {
            result,
            text,
            follow,
            cut,
            limits,
            steps: steps.to_vec(),
        }
    }
}

/// Rounded up to whole amperes.
fn up_to_amps(current: Milliamps) -> Milliamps {
    (current + Milliamps(999)).floor_to_amps()
}

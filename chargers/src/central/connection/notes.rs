//! What a session notes, in words for the log.

use headroom_ocpp::Note;
use tracing::{debug, info, warn};

use super::{super::said::Kind, Connection};

impl Connection {
    /// Says it in the log, each kind once a minute.
    pub(super) fn note(&self, note: &Note) {
        let charge_point = &self.identity;
        let what = format_args!("{charge_point}: {note:?}");
        if !self.joined.said.may(Kind::of(note), what) {
            return;
        }
        match note {
            Note::FrameIgnored(why) => debug!(charge_point, "a frame was ignored: {why}"),
            Note::CallTimedOut(action) => warn!(charge_point, "no answer to {action} in time"),
            Note::CallRefused(action, why) => warn!(charge_point, why, "{action} was refused"),
            Note::ProfileFormRefused(what) => info!(charge_point, "{what}"),
            Note::BaseInPlace => info!(charge_point, "the base profile is in place"),
            Note::BaseMissing => warn!(
                charge_point,
                "the charge point did not take a base profile: without the controller it may \
                 charge with full power. Set its own offline limit, and run the cut test"
            ),
            Note::BootLoop => warn!(charge_point, "the charge point boots over and over"),
            Note::LeaseByDuration => info!(
                charge_point,
                "limits run by duration: the charge point's clock cannot be relied upon, or it \
                 takes one period only"
            ),
            Note::SetupGivenUp => {
                info!(
                    charge_point,
                    "it does not answer configuration calls; they are left out"
                );
            }
            Note::AnswerDropped => debug!(charge_point, "an answer came to no call of ours"),
            Note::Quirks(numbers) => {
                info!(
                    charge_point,
                    ?numbers,
                    "peculiarities of this model are taken care of"
                );
            }
            Note::NotControllable(why) => warn!(
                charge_point,
                why,
                "the charge point cannot be controlled and counts in full. Enable smart charging \
                 in its settings, or set its own limit to what the house can always bear"
            ),
            Note::LeaseImpossible => warn!(
                charge_point,
                "the charge point takes no limit that ends by itself: without the controller the \
                 last one stays. Set its own offline limit, and run the cut test"
            ),
            Note::ClockOff(seconds) => info!(
                charge_point,
                seconds, "its clock is off; limits are written in its own clock"
            ),
            Note::WriteBudgetUsed(writes) => warn!(
                charge_point,
                writes,
                "the day's budget of writes to its memory is used up: it is not raised and its \
                 limit is not renewed until tomorrow; reductions are sent. A longer lease writes less"
            ),
            Note::LimitIgnored { limit_ma, shown_ma } => warn!(
                charge_point,
                limit_ma, shown_ma, "it said yes to a limit and shows another one"
            ),
            Note::ForeignLimit { limit_ma, shown_ma } => warn!(
                charge_point,
                limit_ma,
                shown_ma,
                "less than our limit is in force: its own settings or another system limit it too"
            ),
            Note::EarlyCallBroke => info!(
                charge_point,
                "it broke the connection on a call before its boot; its boot is waited for"
            ),
            Note::OtherVersion => warn!(
                charge_point,
                "it says that it speaks OCPP 2.0.1 and sends the messages of OCPP 1.6: set it to \
                 OCPP 1.6 (JSON)"
            ),
            Note::LimitedBy(source) => warn!(
                charge_point,
                source, "another system limits the charge point as well; the lower limit holds"
            ),
            Note::ForeignProfilesCleared(profiles) => warn!(
                charge_point,
                profiles,
                "charging profiles of another system were removed; if they come back, remove the \
                 other system"
            ),
            Note::PhasesFixed => warn!(
                charge_point,
                "it says that it cannot change the number of its phases: less for one phase is given on all \
                 of them, more is refused. Set phase_switching to false"
            ),
        }
    }
}

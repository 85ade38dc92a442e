//! What is heard, in a sentence, and what to do about it.

use crate::{
    clock::Stale,
    damage::Damage,
    hearing::Hearing,
    impossible::Impossible,
    source::SourceKind,
    status::{ListStatus, MeterStatus},
};
use headroom_codec::Reason;
use std::{io, time::Duration};
use tokio::time::Instant;

/// A port is given this time before its silence is told.
const QUIET: Duration = Duration::from_secs(15);
/// Lists with currents come every 10 s at the longest: after three of them without one, they do not come.
const NO_CURRENTS_AFTER: Duration = Duration::from_secs(30);
/// A list is late after this many of its periods, and not before the seconds below.
const LATE_PERIODS: f64 = 3.0;
const LATE_AT_LEAST_S: f64 = 5.0;
/// What gave no reading is told until this many of its periods have passed without more of it, within these bounds.
const TROUBLE_PERIODS: f64 = 3.0;
const TROUBLE_AT_LEAST_S: f64 = 15.0;
const TROUBLE_AT_MOST_S: f64 = 180.0;
/// So few bytes tell nothing of the line.
const FEW_BYTES: u64 = 20;

/// Why what was heard gave no reading.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// A value that cannot be true.
    Impossible(Impossible),
    /// A frame gave no telegram.
    Rejected(Reason),
    /// The telegram is not of now.
    Stale(Stale),
}

/// All that a sentence is made of.
pub(crate) struct Facts<'a> {
    pub(crate) status: &'a MeterStatus,
    pub(crate) kind: &'a SourceKind,
    pub(crate) hearing: &'a Hearing,
    /// The line parameters in use, as `115200 8N1`.
    pub(crate) line: Option<&'a str>,
    /// Other line parameters are tried next.
    pub(crate) more_lines: bool,
    /// A replay is over.
    pub(crate) over: bool,
    /// Frames that are right were heard with these line parameters.
    pub(crate) proven: bool,
    /// Why the last frame gave no reading, and when it came.
    pub(crate) trouble: Option<&'a (Trouble, Instant)>,
    pub(crate) damage: Damage,
    pub(crate) now: Instant,
}

impl Facts<'_> {
    /// The sentence.
    pub(crate) fn text(&self) -> String {
        if self.over {
            return "The file has been played to its end.".to_owned();
        }
        if let Some(text) = self.trouble() {
            return text;
        }
        let last = self.status.last_telegram;
        if self.hearing.last_good.is_some() && last.is_some_and(|last| last >= self.hearing.opened)
        {
            return self.telegrams();
        }
        if self.hearing.trial.is_some() && self.unread() > 0 {
            return self.no_telegram();
        }
        self.silence()
    }

    /// What gave no reading, as long as more of it may come.
    fn trouble(&self) -> Option<String> {
        let (trouble, at) = self.trouble?;
        if self.age_s(*at) > self.patience_s() {
            return None;
        }
        match trouble {
            Trouble::Impossible(what) => Some(impossible(what)),
            Trouble::Stale(Stale::Stands) => Some(
                "The meter's clock stands still, and all values with it: old telegrams come again and again. Look at the \
                 device that sends them; start it again."
                    .to_owned(),
            ),
            Trouble::Stale(Stale::Back) => Some(
                "The meter's clock went back: old telegrams come again, or it was set. Three that go on from there are \
                 believed."
                    .to_owned(),
            ),
            Trouble::Rejected(reason) => self
                .obstructs(*reason)
                .then(|| obstacle(*reason, self.kind, &self.at())),
        }
    }

    /// Why frames that still come give no telegram.
    fn rejected(&self) -> Option<Reason> {
        match self.trouble {
            Some((Trouble::Rejected(reason), at)) if self.age_s(*at) <= self.patience_s() => {
                Some(*reason)
            }
            _ => None,
        }
    }

    fn patience_s(&self) -> f64 {
        let period = self.hearing.frames.seconds().unwrap_or_default();
        (period * TROUBLE_PERIODS).clamp(TROUBLE_AT_LEAST_S, TROUBLE_AT_MOST_S)
    }

    fn at(&self) -> String {
        self.line
            .map(|line| format!(" at {line}"))
            .unwrap_or_default()
    }

    /// Damage is told by its share, as long as whole telegrams come too.
    fn obstructs(&self, reason: Reason) -> bool {
        let whole = || {
            let last = self.status.last_telegram?;
            let period = self.status.power_period_s.or(self.status.period_s);
            let late = late_after(period.unwrap_or_default());
            Some(self.age_s(last) <= late)
        };
        self.proven && !(is_damage(reason) && whole() == Some(true))
    }

    /// Bytes that gave nothing, with these line parameters or since the last frame that was right.
    fn unread(&self) -> u64 {
        match self.hearing.last_good {
            Some(_) => self.hearing.unread,
            None => self.hearing.trial_bytes,
        }
    }

    fn age_s(&self, at: Instant) -> f64 {
        self.now.saturating_duration_since(at).as_secs_f64()
    }

    /// Telegrams come: which, how often, and what is wrong with them.
    fn telegrams(&self) -> String {
        let period = self.status.period_s.or(self.status.power_period_s);
        // Of two telegrams that came at once no period is known.
        let every = period
            .filter(|period| *period >= 0.05)
            .map(|period| format!(", every {period:.1} s"))
            .unwrap_or_default();
        let mut text = format!("{}{}{every}.", self.status.meter(), self.at());
        if let Some(none) = self.none_since() {
            return format!("{text} {none}");
        }
        if let Some(missing) = self.missing_currents().or_else(|| self.missing_list()) {
            text = format!("{text} {missing}");
        }
        if let Some((damaged, heard)) = self.damage.too_much() {
            text = format!(
                "{text} {damaged} of the last {heard} were damaged: look at the cable, its length and its plugs, and at the \
                 supply of the adapter."
            );
        }
        text
    }

    /// Telegrams came, and come no more.
    fn none_since(&self) -> Option<String> {
        let age = self
            .now
            .saturating_duration_since(self.status.last_telegram?);
        let periods = [self.status.power_period_s, self.status.period_s];
        let shortest = periods.into_iter().flatten().min_by(f64::total_cmp)?;
        if age.as_secs_f64() <= late_after(shortest) {
            return None;
        }
        let seconds = age.as_secs() / 5 * 5;
        if let Some(reason) = self.rejected() {
            let obstacle = obstacle(reason, self.kind, &self.at());
            return Some(format!("Nothing new has come for {seconds} s. {obstacle}"));
        }
        let why = match self.kind {
            SourceKind::Http(_) => {
                ": the device answers, and its values stand still. Is it connected to its meter?"
            }
            SourceKind::Serial { .. } | SourceKind::Tcp { .. }
                if self.hearing.unread >= FEW_BYTES =>
            {
                let unread = self.hearing.unread;
                &format!(": {unread} bytes were heard since, and no telegram among them.")
            }
            _ => ".",
        };
        Some(format!("Nothing new has come for {seconds} s{why}"))
    }

    /// Power comes, currents do not.
    fn missing_currents(&self) -> Option<String> {
        let last = self.status.last_telegram?;
        let weak = "a weak supply from the port or a bad cable damages long telegrams first";
        match (self.status.last_currents, self.status.period_s) {
            (Some(currents), Some(period)) => {
                let age = self.age_s(currents);
                let late = age > late_after(period) && last > currents;
                late.then(|| {
                    let age = self.now.saturating_duration_since(currents).as_secs() / 5 * 5;
                    format!("The list with the currents has not come for {age} s, others still do: {weak}.")
                })
            }
            (Some(_), None) => None,
            (None, _) => {
                let since = self.hearing.first_good?;
                let late = self.now.saturating_duration_since(since) >= NO_CURRENTS_AFTER;
                late.then(|| {
                    format!(
                        "They hold the power and no currents: this meter sends none, or its long telegrams are lost ({weak})."
                    )
                })
            }
        }
    }

    /// Another list than that of the currents stays away.
    fn missing_list(&self) -> Option<String> {
        let late = |list: &ListStatus| {
            let late = list.period_s.map(late_after);
            late.is_some_and(|late| self.age_s(list.last) > late)
        };
        let mut lists = self.status.lists.iter();
        // One list with currents may take the place of another: those are looked at together.
        let (name, list) = lists.find(|(name, list)| **name != "currents" && late(list))?;
        let age = self.now.saturating_duration_since(list.last).as_secs() / 5 * 5;
        Some(format!(
            "The list with the {name} has not come for {age} s, others still do: look at the cable, and at the supply of \
             the adapter."
        ))
    }

    /// Bytes come, and no telegram.
    fn no_telegram(&self) -> String {
        let Hearing {
            trial_bytes,
            trial_high,
            ..
        } = self.hearing;
        let unread = self.unread();
        let heard = format!(
            "{unread} bytes heard{}, and no telegram among them so far",
            self.at()
        );
        let stream = matches!(
            self.kind,
            SourceKind::Serial { .. } | SourceKind::Tcp { .. } | SourceKind::File { .. }
        );
        if !stream || unread < FEW_BYTES {
            return format!("{heard}.");
        }
        let inverted = if trial_high * 2 > *trial_bytes {
            ", more likely inverted: most bytes have their highest bit set"
        } else {
            ""
        };
        let next = if self.more_lines {
            " Other line parameters follow."
        } else {
            ""
        };
        format!("{heard}: wrong speed, or an inverted signal{inverted}.{next}")
    }

    /// Nothing comes.
    fn silence(&self) -> String {
        let at = self.at();
        let since = self.hearing.last_byte.unwrap_or(self.hearing.opened);
        let silent = self.now.saturating_duration_since(since);
        if silent < QUIET {
            return format!("Open, listening{at}.");
        }
        let seconds = silent.as_secs() / 10 * 10;
        let advice = match self.kind {
            SourceKind::Serial { .. } => {
                "is the cable the right one and in its place, and has the grid company opened the meter's port? Another \
                 program that has this port open takes its bytes away"
            }
            SourceKind::Tcp { .. } => {
                "is the reader connected to the meter, and has the grid company opened the meter's port? Another program \
                 that is connected to the reader may take its bytes away"
            }
            SourceKind::Mqtt(_) => "is the topic right, and does the reader publish there?",
            _ => "is the device connected to its meter?",
        };
        format!("Open, and nothing heard{at} for {seconds} s: {advice}.").replace("?.", "?")
    }
}

fn late_after(period_s: f64) -> f64 {
    (period_s * LATE_PERIODS).max(LATE_AT_LEAST_S)
}

/// Bytes were lost or changed on their way.
pub(crate) fn is_damage(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Checksum
            | Reason::Cut
            | Reason::TooLong
            | Reason::NoChecksum
            | Reason::Parity
            | Reason::Gap
    )
}

fn impossible(what: &Impossible) -> String {
    let advice = if what.is_of_this_house() {
        "Check the main fuse and the transformer ratio in the settings"
    } else {
        "Look at the meter and the cable"
    };
    format!("The last telegram was refused: {what}. {advice}.")
}

fn obstacle(reason: Reason, kind: &SourceKind, at: &str) -> String {
    let advice = match reason {
        Reason::NeedsKey => ": enter the key that the grid company gives",
        Reason::WrongKey => ": check the encryption key",
        Reason::WrongAuthKey => ": check the authentication key, or leave it out",
        Reason::NoTag => ": leave the authentication key out if this meter never sends one",
        Reason::Replayed => {
            ": something repeats old telegrams. If the meter has begun to count anew, take its key out of the settings, \
             and enter it again"
        }
        Reason::Unknown | Reason::Malformed => unknown(kind),
        Reason::Old => ": look at the device and its place at the meter",
        Reason::Faulty => ": look at the device and its clamps",
        reason if is_damage(reason) => {
            ": look at the cable, its length and its plugs, and at the supply of the adapter"
        }
        _ => "",
    };
    format!("Telegrams are heard{at}, but the last one was rejected: {reason}{advice}.")
        .replace("?.", "?")
}

/// What cannot be read; captures are of streams of bytes alone.
fn unknown(kind: &SourceKind) -> &'static str {
    match kind {
        SourceKind::Http(_) => {
            ": is it the device that the source names, and its firmware in date?"
        }
        SourceKind::Modbus(_) => ": is the profile that of the meter?",
        SourceKind::Mqtt(_) => ": is the topic that of a meter's reader, and of nothing else?",
        SourceKind::Serial { .. } | SourceKind::Tcp { .. } | SourceKind::File { .. } => {
            ": please send a capture (headroom listen), so that this meter can be added"
        }
    }
}

/// An error of a link, in words that say what to do.
pub(crate) fn error(kind: &SourceKind, error: &io::Error) -> String {
    let what = kind.place();
    let serial = matches!(kind, SourceKind::Serial { .. });
    // The library gives these any kind of error.
    let said = error.to_string();
    if serial && (said.contains("exclusive lock") || said.contains("resource busy")) {
        return format!(
            "{what}: another program has this port open, such as another Headroom or ModemManager. Stop it; fuser -v {what} names it."
        );
    }
    if serial && (said.contains("typewriter") || said.contains("Inappropriate ioctl")) {
        return format!("{what}: this is no serial port.");
    }
    let advice = match error.kind() {
        io::ErrorKind::NotFound if serial => " Is it plugged in, and the name right?",
        io::ErrorKind::PermissionDenied if serial => {
            " The user that runs Headroom must be in the group of the port (dialout)."
        }
        io::ErrorKind::ConnectionRefused => " Nothing listens on that port of that host.",
        _ => "",
    };
    format!("{what}: {error}.{advice}")
}

#[cfg(test)]
mod tests;

//! The life of a source: open, listen, find the line parameters, decode, lose, wait, open again.

use crate::{
    backoff::Backoff,
    link::{Link, Opener},
    meter::{Heard, Settings},
    period::Period,
    reading::translate,
    serial::Line,
    slot::{MeterReading, Slot},
    source::{Source, SourceKind},
    status::MeterStatus,
};
use headroom_codec::{Decoder, Item, Options, Reason, Telegram};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};
use tracing::{debug, info, warn};

/// How often silence is looked at.
const TICK: Duration = Duration::from_secs(1);
/// Listening with one set of line parameters, from the first byte on: a push every 10 s that lasts 2 s, heard from its
/// second byte on, and the whole next one.
const TRIAL: Duration = Duration::from_millis(12_500);
/// Once telegrams were heard, the longest list period is 10 s: three of them without a byte and the link is dead.
const SILENT: Duration = Duration::from_secs(30);
/// A port that was never heard is opened again more seldom: some meters are silent for a minute after power-up, and
/// some dislike a request line that toggles.
const NEVER_HEARD: Duration = Duration::from_mins(2);
/// Bytes without a telegram for this long make proven line parameters doubtful: the meter may have been changed.
const DOUBTFUL: Duration = Duration::from_mins(1);

/// One source's state that outlives its links.
pub(crate) struct Task {
    source: Source,
    settings: Settings,
    options: Options,
    decoder: Decoder,
    slot: Arc<Slot>,
    status: watch::Sender<MeterStatus>,
    tap: Option<mpsc::Sender<Heard>>,
    lines: Vec<Line>,
    line: usize,
    /// Telegrams, or frames that only lack a key, were heard with the present line parameters.
    proven: bool,
    opener: Opener,
    backoff: Backoff,
    currents: Period,
    power: Period,
    /// The last thing that kept telegrams from being read.
    obstacle: Option<Reason>,
}

/// What one link has heard.
struct Hearing {
    opened: Instant,
    last_byte: Option<Instant>,
    /// Since when bytes are heard with the present line parameters, and how many.
    trial: Option<Instant>,
    trial_bytes: u64,
    last_good: Option<Instant>,
}

impl Task {
    pub(crate) fn new(
        source: Source,
        settings: Settings,
        slot: Arc<Slot>,
        status: watch::Sender<MeterStatus>,
        tap: Option<mpsc::Sender<Heard>>,
    ) -> Self {
        let options = Options {
            protocol: source.protocol(),
            key: settings.key.clone(),
            auth_key: settings.auth_key.clone(),
        };
        let lines = source.kind().lines(source.protocol());
        Self {
            source,
            settings,
            decoder: Decoder::new(&options),
            options,
            slot,
            status,
            tap,
            lines,
            line: 0,
            proven: false,
            opener: Opener::default(),
            backoff: Backoff::default(),
            currents: Period::default(),
            power: Period::default(),
            obstacle: None,
        }
    }

    /// Never ends.
    pub(crate) async fn run(mut self) {
        loop {
            let line = self.lines.get(self.line).copied();
            let opened =
                Link::open(self.source.kind(), line, &mut self.opener, &self.options).await;
            let lost = match opened {
                Ok(link) => {
                    info!(source = %self.source, line = line.map(tracing::field::display), "meter source open");
                    self.listen(link).await
                }
                Err(error) => self.explain(&error),
            };
            let pause = self.backoff.next();
            let text = format!("{lost} Trying again in {} s.", pause.as_secs());
            warn!(source = %self.source, "{text}");
            self.status.send_modify(|status| {
                status.connected = false;
                status.text = text;
            });
            sleep(pause).await;
        }
    }

    /// Listens until the link is lost; tells why.
    async fn listen(&mut self, mut link: Link) -> String {
        let mut hearing = Hearing {
            opened: Instant::now(),
            last_byte: None,
            trial: None,
            trial_bytes: 0,
            last_good: None,
        };
        self.decoder.reset();
        self.tell(&link, &hearing);
        loop {
            match timeout(TICK, link.next(&mut self.decoder)).await {
                Ok(Ok(None)) => {
                    return "The port was closed: unplugged, or the other end is gone.".to_owned();
                }
                Ok(Ok(Some(given))) => {
                    let now = Instant::now();
                    hearing.last_byte = Some(now);
                    hearing.trial.get_or_insert(now);
                    hearing.trial_bytes += given.bytes as u64;
                    self.status
                        .send_modify(|status| status.bytes += given.bytes as u64);
                    for heard in given.heard {
                        self.take(heard, now, &mut hearing);
                    }
                }
                Ok(Err(error)) => return self.explain(&error),
                Err(_) => {}
            }
            if let Some(line) = self.next_line(&mut hearing) {
                self.decoder.reset();
                if let Err(error) = link.change(line) {
                    return self.explain(&error);
                }
                info!(source = %self.source, %line, "no telegram so far; trying other line parameters");
            }
            self.tell(&link, &hearing);
            let silent = hearing.last_byte.unwrap_or(hearing.opened).elapsed();
            let patience = if hearing.last_byte.is_some() {
                SILENT
            } else {
                NEVER_HEARD
            };
            if link.may_be_lost() && silent >= patience {
                return format!("Nothing was heard for {} s.", silent.as_secs());
            }
        }
    }

    fn take(&mut self, heard: Heard, now: Instant, hearing: &mut Hearing) {
        let item = match &self.tap {
            Some(tap) => {
                let item = heard.item.clone();
                if tap.try_send(heard).is_err() {
                    debug!(source = %self.source, "nobody takes what is heard fast enough");
                }
                item
            }
            None => heard.item,
        };
        match item {
            Item::Telegram(telegram) => {
                hearing.last_good = Some(now);
                self.proven = true;
                self.obstacle = None;
                self.backoff.reset();
                self.record(&telegram, now);
                let reading = translate(&telegram, self.settings.one_phase, self.settings.ct_ratio);
                self.slot.put(MeterReading {
                    received: now,
                    telegram: *telegram,
                    reading,
                });
            }
            Item::Rejected(rejected) => {
                debug!(source = %self.source, reason = rejected.reason.code(), bytes = rejected.bytes, "rejected");
                // A frame that is right proves the line, even if its content stays closed.
                if matches!(
                    rejected.reason,
                    Reason::NeedsKey
                        | Reason::WrongKey
                        | Reason::WrongAuthKey
                        | Reason::Unknown
                        | Reason::Malformed
                ) {
                    hearing.last_good = Some(now);
                    self.proven = true;
                }
                self.obstacle = Some(rejected.reason);
                self.status.send_modify(|status| {
                    *status.rejected.entry(rejected.reason.code()).or_default() += 1;
                });
            }
        }
    }

    fn record(&mut self, telegram: &Telegram, now: Instant) {
        let period = if telegram.has_currents() {
            &mut self.currents
        } else {
            &mut self.power
        };
        period.heard(now);
        self.status.send_modify(|status| {
            status.protocol = Some(telegram.protocol);
            if telegram.meter_id.is_some() {
                status.meter_id.clone_from(&telegram.meter_id);
            }
            if telegram.meter_model.is_some() {
                status.meter_model.clone_from(&telegram.meter_model);
            }
            status.telegrams += 1;
            status.last_telegram = Some(now);
            status.last_currents = self.currents.last();
            status.period_s = self.currents.seconds();
            status.power_period_s = self.power.seconds();
        });
    }

    /// Other line parameters, if bytes were heard for long enough and gave nothing.
    fn next_line(&mut self, hearing: &mut Hearing) -> Option<Line> {
        if self.proven && hearing.trial.is_some() {
            let since = hearing.last_good.unwrap_or(hearing.opened);
            let heard = hearing
                .last_byte
                .is_some_and(|last| last > since + DOUBTFUL);
            self.proven = !heard;
        }
        if self.proven || self.lines.len() < 2 || hearing.trial?.elapsed() < TRIAL {
            return None;
        }
        self.line = (self.line + 1) % self.lines.len();
        hearing.trial = None;
        hearing.trial_bytes = 0;
        self.lines.get(self.line).copied()
    }

    /// Puts what is heard into a sentence.
    fn tell(&self, link: &Link, hearing: &Hearing) {
        let line = self.lines.get(self.line).map(ToString::to_string);
        let at = line
            .as_ref()
            .map(|line| format!(" at {line}"))
            .unwrap_or_default();
        self.status.send_if_modified(|status| {
            let text = if link.is_over() {
                "The file has been played to its end.".to_owned()
            } else if let Some(reason) = self.obstacle.filter(|_| self.proven) {
                obstacle(reason, &at)
            } else if hearing.last_good.is_some() {
                let period = status.period_s.or(status.power_period_s);
                let every = period.map(|period| format!(", every {period:.1} s")).unwrap_or_default();
                format!("{}{at}{every}.", status.meter())
            } else if hearing.trial.is_some() {
                format!(
                    "{} bytes heard{at}, and no telegram among them so far{}.",
                    hearing.trial_bytes,
                    if self.lines.len() > 1 { "; other line parameters follow" } else { "" }
                )
            } else {
                let seconds = hearing.opened.elapsed().as_secs();
                match seconds {
                    0..=14 => format!("Open, listening{at}."),
                    _ => format!(
                        "Open, and nothing heard{at} for {} s. Is the meter's port activated, and the cable in its \
                         place?",
                        seconds / 10 * 10
                    ),
                }
            };
            status.ended = link.is_over();
            let changed = !status.connected || status.text != text || status.serial != line;
            status.connected = true;
            status.serial = line;
            status.text = text;
            changed
        });
    }

    /// An error of the operating system, in words that say what to do.
    fn explain(&self, error: &io::Error) -> String {
        let what = match self.source.kind() {
            SourceKind::Serial { path, .. } | SourceKind::File { path, .. } => {
                path.display().to_string()
            }
            SourceKind::Tcp { address } => address.clone(),
        };
        let serial = matches!(self.source.kind(), SourceKind::Serial { .. });
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
}

fn obstacle(reason: Reason, at: &str) -> String {
    let advice = match reason {
        Reason::NeedsKey => ": enter the key that the grid company gives",
        Reason::WrongKey => ": check the encryption key",
        Reason::WrongAuthKey => ": check the authentication key, or leave it out",
        Reason::Unknown | Reason::Malformed => {
            ": please send a capture (headroom listen), so that this meter can be added"
        }
        _ => "",
    };
    format!("Telegrams are heard{at}, but the last one was rejected: {reason}{advice}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(source: &str) -> Task {
        let (status, _) = watch::channel(MeterStatus::new(source.to_owned()));
        let source = Source::parse(source).unwrap();
        Task::new(
            source,
            Settings::default(),
            Arc::new(Slot::default()),
            status,
            None,
        )
    }

    fn hearing() -> Hearing {
        let opened = Instant::now();
        Hearing {
            opened,
            last_byte: None,
            trial: None,
            trial_bytes: 0,
            last_good: None,
        }
    }

    fn hear(hearing: &mut Hearing) {
        let now = Instant::now();
        hearing.last_byte = Some(now);
        hearing.trial.get_or_insert(now);
    }

    fn next(task: &mut Task, hearing: &mut Hearing) -> Option<String> {
        task.next_line(hearing).map(|line| line.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn silence_changes_no_line_parameters() {
        let (mut task, mut hearing) = (task("serial:/dev/null"), hearing());
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!(next(&mut task, &mut hearing), None);
        // The first bytes after a long silence get their whole time.
        hear(&mut hearing);
        assert_eq!(next(&mut task, &mut hearing), None);
        tokio::time::advance(TRIAL).await;
        assert_eq!(next(&mut task, &mut hearing).as_deref(), Some("2400 8E1"));
        assert_eq!(next(&mut task, &mut hearing), None);
    }

    #[tokio::test(start_paused = true)]
    async fn all_line_parameters_are_tried_in_turn() {
        let (mut task, mut hearing) = (task("serial:/dev/null"), hearing());
        let mut tried = Vec::new();
        for _ in 0..7 {
            hear(&mut hearing);
            tokio::time::advance(TRIAL).await;
            tried.push(next(&mut task, &mut hearing).unwrap());
        }
        let order = [
            "2400 8E1",
            "2400 8N1",
            "9600 8N1",
            "115200 8E1",
            "38400 8N1",
            "1200 8N1",
            "115200 8N1",
        ];
        assert_eq!(tried, order);
    }

    #[tokio::test(start_paused = true)]
    async fn proven_line_parameters_stay_until_bytes_mean_nothing_for_a_minute() {
        let (mut task, mut hearing) = (task("serial:/dev/null"), hearing());
        hear(&mut hearing);
        task.proven = true;
        hearing.last_good = Some(Instant::now());
        tokio::time::advance(Duration::from_secs(50)).await;
        hear(&mut hearing);
        assert_eq!(next(&mut task, &mut hearing), None);
        tokio::time::advance(Duration::from_secs(11)).await;
        assert_eq!(
            next(&mut task, &mut hearing),
            None,
            "nothing was heard since"
        );
        hear(&mut hearing);
        assert!(next(&mut task, &mut hearing).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn pinned_line_parameters_are_never_changed() {
        let mut task = task("serial:/dev/null?baud=2400&parity=even");
        let mut hearing = hearing();
        hear(&mut hearing);
        tokio::time::advance(TRIAL * 3).await;
        assert_eq!(next(&mut task, &mut hearing), None);
    }
}

//! The life of a source: open, listen, find the line parameters, decode, lose, wait, open again.

use crate::{
    backoff::Backoff,
    clock::Clocks,
    damage::Damage,
    hearing::Hearing,
    link::{Link, Opener},
    lists::Lists,
    meter::{Heard, Settings},
    period::Period,
    reading::{Place, Translator},
    serial::Line,
    slot::{MeterReading, Slot},
    source::{Source, SourceKind},
    status::{MeterStatus, plain},
    words::{self, Facts, Trouble},
};
use headroom_codec::{Decoder, FrameCounters, Item, Options, Reason, Telegram};
use std::{sync::Arc, time::Duration};
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

/// The frames of one message follow each other at once, and at 2400 baud too: after this long without a byte the rest
/// of a message is lost, and what comes belongs to the next push.
const PAUSE: Duration = Duration::from_millis(800);

/// Counts telegrams with a value that cannot be true, beside [`Reason::code`]s.
const IMPOSSIBLE: &str = "impossible";

/// One source's state that outlives its links.
pub(crate) struct Task {
    source: Source,
    options: Options,
    decoder: Decoder,
    slot: Arc<Slot>,
    status: watch::Sender<MeterStatus>,
    place: watch::Receiver<Place>,
    translator: Translator,
    tap: Option<mpsc::Sender<Heard>>,
    lines: Vec<Line>,
    line: usize,
    /// Telegrams, or frames that only lack a key, were heard with the present line parameters.
    proven: bool,
    opener: Opener,
    backoff: Backoff,
    currents: Period,
    power: Period,
    lists: Lists,
    damage: Damage,
    clocks: Clocks,
    /// Why what was heard last gave no reading, and when that was.
    trouble: Option<(Trouble, Instant)>,
}

impl Task {
    pub(crate) fn new(
        source: Source,
        settings: &Settings,
        slot: Arc<Slot>,
        status: watch::Sender<MeterStatus>,
        place: watch::Receiver<Place>,
        tap: Option<mpsc::Sender<Heard>>,
    ) -> Self {
        // A capture is of another time.
        let capture = matches!(source.kind(), SourceKind::File { .. });
        let options = Options {
            protocol: source.protocol(),
            key: settings.key.clone(),
            auth_key: settings.auth_key.clone(),
            capture,
            // They outlive a task that failed.
            counters: if capture {
                FrameCounters::default()
            } else {
                status.borrow().frame_counters.clone()
            },
        };
        let translator = Translator::new(settings.ct_ratio);
        let lines = first(settings.remembered, source.kind().lines(source.protocol()));
        Self {
            source,
            decoder: Decoder::new(&options),
            options,
            slot,
            status,
            place,
            translator,
            tap,
            lines,
            line: 0,
            proven: false,
            opener: Opener::default(),
            backoff: Backoff::default(),
            currents: Period::default(),
            power: Period::default(),
            lists: Lists::default(),
            damage: Damage::default(),
            clocks: Clocks::default(),
            trouble: None,
        }
    }

    /// Never ends.
    pub(crate) async fn run(mut self) {
        loop {
            let tried = self.lines.get(self.line).copied();
            let opened =
                Link::open(self.source.kind(), tried, &mut self.opener, &self.options).await;
            let lost = match opened {
                Ok(link) => {
                    info!(source = %self.source, line = tried.map(tracing::field::display), "meter source open");
                    self.listen(link).await
                }
                Err(error) => words::error(self.source.kind(), &error),
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
        let mut hearing = Hearing::new();
        self.decoder.reset();
        self.tell(&link, &hearing);
        loop {
            match timeout(hearing.until(PAUSE, TICK), link.next(&mut self.decoder)).await {
                Ok(Ok(None)) => {
                    return "The port was closed: unplugged, or the other end is gone.".to_owned();
                }
                Ok(Ok(Some(given))) => {
                    hearing.bytes(&given);
                    self.status
                        .send_modify(|status| status.bytes += given.bytes as u64);
                    for heard in given.heard {
                        self.take(heard, given.received, &mut hearing);
                    }
                }
                Ok(Err(error)) => return words::error(self.source.kind(), &error),
                Err(_) => self.silence(&link, &hearing),
            }
            if let Some(line) = self.next_line(&mut hearing) {
                self.decoder.reset();
                if let Err(error) = link.change(line) {
                    return words::error(self.source.kind(), &error);
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
                hearing.good(now);
                self.proven = true;
                self.damage.count(false);
                self.backoff.reset();
                if let Some(counter) = telegram.frame_counter.filter(|_| !self.options.capture) {
                    // A link that is opened again, with a decoder of its own, goes on from here.
                    self.options.counters.heard(counter);
                    self.status
                        .send_modify(|status| status.frame_counters.heard(counter));
                }
                let place = *self.place.borrow();
                let reading = match self.translator.translate(&telegram, place) {
                    Ok(reading) => reading,
                    Err(impossible) => {
                        return self.refuse(IMPOSSIBLE, Trouble::Impossible(impossible), now);
                    }
                };
                if !self.options.capture
                    && let Err(stale) = self.clocks.judge(&telegram, now)
                {
                    return self.refuse(Reason::Old.code(), Trouble::Stale(stale), now);
                }
                self.trouble = None;
                self.record(&telegram, now);
                self.slot.put(MeterReading {
                    received: now,
                    telegram,
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
                        | Reason::NoTag
                        | Reason::Replayed
                        | Reason::Unknown
                        | Reason::Malformed
                        | Reason::Old
                        | Reason::Faulty
                ) {
                    hearing.good(now);
                    self.proven = true;
                }
                if self.proven && words::is_damage(rejected.reason) {
                    self.damage.count(true);
                }
                let trouble = Trouble::Rejected(rejected.reason);
                self.refuse(rejected.reason.code(), trouble, now);
            }
        }
    }

    /// What gives no reading is counted and told, and goes no further.
    fn refuse(&mut self, code: &'static str, trouble: Trouble, now: Instant) {
        debug!(source = %self.source, code, ?trouble, "refused");
        self.trouble = Some((trouble, now));
        self.status.send_modify(|status| {
            *status.rejected.entry(code).or_default() += 1;
        });
    }

    /// Nothing came for a while: what comes next belongs to another push.
    fn silence(&mut self, link: &Link, hearing: &Hearing) {
        let silent = hearing.last_byte.map(|last| last.elapsed());
        if link.is_live() && silent.is_some_and(|silent| silent >= PAUSE) {
            self.decoder.pause();
        }
    }

    fn record(&mut self, telegram: &Telegram, now: Instant) {
        let id = telegram.meter_id.as_deref().map(plain);
        let known = self.status.borrow().meter_id.clone();
        if id.is_some() && known.is_some() && id != known {
            // Another meter has other lists: those of the old one are not missing.
            self.lists = Lists::default();
            self.currents = Period::default();
            self.power = Period::default();
        }
        let period = if telegram.has_currents() {
            &mut self.currents
        } else {
            &mut self.power
        };
        period.heard(now);
        self.lists.heard(telegram, now);
        let line = self.lines.get(self.line).copied();
        self.status.send_modify(|status| {
            status.line = line;
            status.lists = self.lists.status();
            status.protocol = Some(telegram.protocol);
            if id.is_some() {
                status.meter_id = id;
            }
            if let Some(model) = &telegram.meter_model {
                status.meter_model = Some(plain(model));
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
        hearing.new_line();
        self.lines.get(self.line).copied()
    }

    /// Puts what is heard into a sentence.
    fn tell(&self, link: &Link, hearing: &Hearing) {
        let serial = self.lines.get(self.line).map(ToString::to_string);
        self.status.send_if_modified(|status| {
            let text = Facts {
                status,
                kind: self.source.kind(),
                hearing,
                line: serial.as_deref(),
                more_lines: self.lines.len() > 1,
                over: link.is_over(),
                proven: self.proven,
                trouble: self.trouble.as_ref(),
                damage: self.damage,
                now: Instant::now(),
            }
            .text();
            status.ended = link.is_over();
            let changed = !status.connected || status.text != text || status.serial != serial;
            status.connected = true;
            status.serial = serial;
            status.text = text;
            changed
        });
    }
}

/// The line parameters that worked before are tried first, if they may be tried at all.
fn first(remembered: Option<Line>, mut lines: Vec<Line>) -> Vec<Line> {
    if let Some(at) = lines.iter().position(|line| Some(*line) == remembered) {
        let line = lines.remove(at);
        lines.insert(0, line);
    }
    lines
}

#[cfg(test)]
mod tests;

//! The task of one device: takes orders, reads back what the device does.
//!
//! The newest order counts. A reduction waits for nothing: a call that raises or renews is dropped for it,
//! and neither the gap between writes nor the budget of the day holds it up. An order without an answer
//! is given once more. What the device does is read after each order and on and on; a device that shows
//! more than it was told is told again. When the renewals of an order stop, the task itself tells what
//! holds afterwards: the safe current, or off. That is all that can be done for a device that keeps what it was
//! told, and nothing if this program dies: see the driver's own dead man's switch.
//!
//! A device whose fall is tested is left alone: nothing is written, kept alive or corrected until the test is over, whatever
//! runs out meanwhile. An order that comes all the same is obeyed: the fuse needs it.

use std::{collections::VecDeque, time::Duration};

use headroom_core::event::{ChargerReport, ChargerStatus, Outcome, SlowLoadReport};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, error::Elapsed, timeout},
};
use tracing::{info, warn};

use super::{
    Alone, CallError, Order, PolledDevice, Repeat, Seen, Shown, said::Said, shown::Watched,
    wear::Wear,
};
use crate::{message::DeviceEvent, wall::WallClock};

/// Polls that may fail before the link counts as lost.
const FAILURES_UNTIL_LOST: u32 = 2;
/// The longest call, with all its questions: one that answers each of them late does not hold up what is due.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// Before an order without an answer is given again.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// For so long after an order the device is read often: a car takes seconds to follow.
const FOLLOW_FOR: Duration = Duration::from_secs(6);
/// How often, then.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// Time for a device to show the limit that it took, before it counts as another one.
const SHOWS_WITHIN: Duration = Duration::from_secs(3);
/// Devices round what they were told when they tell it, in milliamperes.
const ROUNDING_MA: i64 = 500;
/// A device that shows more than it was told is told again as fast as it can show it, so many times…
const PROMPT_CORRECTIONS: u32 = 10;
/// …and then this often: its memory wears, and the loop of decisions has long seen that it does not obey.
const CORRECT_EVERY: Duration = Duration::from_secs(30);
/// A device is left alone for no longer than its lease and this: the longest that a test of its fall waits, with half a minute
/// to spare. Whoever does not end the silence by then will not.
const ALONE_BEYOND_LEASE: Duration = Duration::from_mins(2);
/// Outcomes that wait for a place in a full queue of events. More orders than that do not come meanwhile.
const UNSENT_MAX: usize = 64;
/// How soon a full queue is tried again.
const SEND_AGAIN: Duration = Duration::from_secs(1);

/// An order with the number of its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) command: u64,
    pub(crate) order: Order,
}

/// Who the device is for the house, and how it is reached from there.
#[derive(Debug)]
pub(crate) struct Link {
    /// Id of the charger or slow load.
    pub(crate) load: String,
    /// Terminals of a charger, one entry of a report for each; `None` is a slow load.
    pub(crate) terminals: Option<usize>,
    /// How many phases a charger surely uses when it is not switched to fewer; 0 if that is not known.
    pub(crate) phases: u8,
    pub(crate) orders: watch::Receiver<Option<Told>>,
    /// Whether it is to be left alone, to see what it does then.
    pub(crate) silence: watch::Receiver<Alone>,
    /// What it has shown that it can do.
    pub(crate) shown: Shown,
    pub(crate) events: mpsc::Sender<DeviceEvent>,
    pub(crate) wall: WallClock,
    pub(crate) poll_every: Duration,
}

/// The order that holds.
#[derive(Debug, Clone, Copy)]
struct Lease {
    order: Order,
    /// Until when it holds without a renewal; afterwards, when the device is told again what holds then.
    until: Instant,
    /// The renewals stopped. What gave more is never written again.
    over: bool,
}

/// An order that waits for the gap between writes.
#[derive(Debug, Clone, Copy)]
struct Held {
    told: Told,
    until: Instant,
    /// Its lease counts from when it was given: later it must not be written.
    expires: Instant,
}

/// A device and its task's state.
#[derive(Debug)]
pub(crate) struct Polled<D> {
    device: D,
    link: Link,
    /// The newest order that was dealt with or is held back.
    taken: Option<u64>,
    /// What is in force as far as is known: the last order that was accepted, unless one without
    /// an answer came after it.
    in_force: Option<Order>,
    /// The last order was refused, maybe after a part of it was done: the next is written whatever it says.
    doubtful: bool,
    /// The most phases that it uses, as far as is known from its configuration and the orders.
    phases: u8,
    lease: Option<Lease>,
    held: Option<Held>,
    seen: Option<Seen>,
    failures: u32,
    /// How many times in a row it was told again because it showed more.
    corrections: u32,
    next_poll: Instant,
    /// What was wanted last.
    alone: Alone,
    /// Until when it is left alone at most; `None`: it is not, or not any more.
    alone_until: Option<Instant>,
    watched: Watched,
    wear: Wear,
    /// Outcomes that found the queue of events full.
    unsent: VecDeque<DeviceEvent>,
    said: Said,
}

impl<D: PolledDevice> Polled<D> {
    /// A device that was not spoken to yet.
    pub(crate) fn new(device: D, link: Link) -> Self {
        Self {
            phases: link.phases,
            device,
            link,
            taken: None,
            in_force: None,
            doubtful: false,
            lease: None,
            held: None,
            seen: None,
            failures: 0,
            corrections: 0,
            next_poll: Instant::now(),
            alone: Alone::No,
            alone_until: None,
            watched: Watched::default(),
            wear: Wear::default(),
            unsent: VecDeque::new(),
            said: Said::default(),
        }
    }

    /// Runs until the sender of orders is gone.
    pub(crate) async fn run(mut self) {
        loop {
            if self.link.orders.has_changed().is_err() {
                return;
            }
            if let Some(told) = self.newest() {
                self.taken = Some(told.command);
                self.held = None;
                self.obey(told).await;
                continue;
            }
            self.heed_silence();
            self.send_unsent();
            let now = Instant::now();
            if let Some(lapsed) = self.lapsed(now) {
                self.fall_back(lapsed).await;
            } else if let Some(held) = self.held.take_if(|held| held.until <= now) {
                self.obey_held(held).await;
            } else if let Some(order) = self.hungry(now) {
                self.repeat(order).await;
            } else if self.next_poll <= now && self.may_ask() {
                self.look().await;
            } else {
                let (taken, alone) = (self.taken, self.alone);
                let mut silence = self.link.silence.clone();
                tokio::select! {
                    biased;
                    () = another(self.link.orders.clone(), |one| Some(one.command) != taken) => {}
                    Ok(_) = silence.wait_for(|wanted| *wanted != alone) => {}
                    () = tokio::time::sleep_until(self.wake()) => {}
                }
            }
        }
    }

    /// The newest order, if it was not dealt with yet.
    fn newest(&self) -> Option<Told> {
        let newest = *self.link.orders.borrow();
        newest.filter(|told| self.taken != Some(told.command))
    }

    fn wake(&self) -> Instant {
        let held = self.held.map(|held| held.until);
        let lease = self.lease.filter(|_| !self.is_alone()).map(|it| it.until);
        let unsent = (!self.unsent.is_empty()).then(|| Instant::now() + SEND_AGAIN);
        let poll = self.may_ask().then_some(self.next_poll);
        let times = [held, lease, self.feed_at(), unsent, poll, self.alone_until];
        let next = times.into_iter().flatten().min();
        next.unwrap_or_else(|| Instant::now() + self.link.poll_every)
    }

    /// Takes up whether it is to be left alone.
    fn heed_silence(&mut self) {
        let wanted = *self.link.silence.borrow_and_update();
        let now = Instant::now();
        if wanted == self.alone {
            if self.alone_until.is_some_and(|until| until <= now) {
                warn!(
                    load = self.link.load,
                    "nobody ended the silence of the test; the device is told again"
                );
                self.alone_until = None;
                self.doubtful = true;
                self.follow();
            }
            return;
        }
        let before = std::mem::replace(&mut self.alone, wanted);
        info!(
            load = self.link.load,
            ?wanted,
            "the device is left alone, or not any more"
        );
        if before == Alone::No {
            let lease = self.lease.map(|lease| lease.order.lease());
            self.alone_until = Some(now + lease.unwrap_or_default() + ALONE_BEYOND_LEASE);
        }
        if wanted == Alone::No {
            self.alone_until = None;
            // What it did meanwhile shows now; nothing of what it was told is sure any more.
            self.doubtful = true;
        } else if !self.may_ask() {
            // It is there, and what it draws is not known from now on.
            let unheard = self.seen.as_ref().map(Seen::without_values);
            self.report(unheard);
        }
        self.follow();
    }

    /// Whether it may be asked now.
    fn may_ask(&self) -> bool {
        let unasked = self.is_alone() && self.alone == Alone::Unasked;
        !unasked || !self.device.is_kept_awake_by_questions()
    }

    /// Whether it is left alone now.
    const fn is_alone(&self) -> bool {
        self.alone_until.is_some()
    }

    /// The order whose lease has run out.
    fn lapsed(&mut self, now: Instant) -> Option<Lease> {
        if self.is_alone() {
            return None;
        }
        self.lease.take_if(|lease| lease.until <= now)
    }

    fn feed_at(&self) -> Option<Instant> {
        if self.is_alone() {
            return None;
        }
        let Repeat::Every(every) = self.device.pace().repeat else {
            return None;
        };
        self.lease.filter(|lease| !lease.over)?;
        Some(self.wear.last()? + every)
    }

    /// The order that must be written again for the device's own watchdog.
    fn hungry(&self, now: Instant) -> Option<Order> {
        self.feed_at()
            .filter(|at| *at <= now)
            .and(self.lease)
            .map(|lease| lease.order)
    }

    /// An order that waited for the gap; one whose own lease is over meanwhile is none any more.
    async fn obey_held(&mut self, held: Held) {
        if held.expires <= Instant::now() {
            self.outcome(held.told.command, Outcome::Timeout, self.link.wall.now());
            return;
        }
        self.obey_until(held.told, held.expires).await;
    }

    async fn obey(&mut self, told: Told) {
        let expires = Instant::now() + told.order.lease();
        self.obey_until(told, expires).await;
    }

    async fn obey_until(&mut self, told: Told, expires: Instant) {
        let now = Instant::now();
        let order = told.order;
        let urgent =
            self.in_force.is_none_or(|before| order.reduces(&before)) || self.exceeds(&order);
        let repeats = self.in_force.is_some_and(|before| order.repeats(&before));
        let pace = self.device.pace();
        if repeats && !urgent {
            let written = match pace.repeat {
                Repeat::Always => false,
                Repeat::Needless => self.shows_limit(),
                Repeat::Every(every) => self.wear.last().is_some_and(|last| now < last + every),
            };
            // Of a device that does not answer, or did a part of an order, nothing is known.
            if written && self.failures == 0 && !self.doubtful {
                self.hold(order);
                self.outcome(told.command, Outcome::Accepted, self.link.wall.now());
                return;
            }
        }
        if !urgent && let Some(until) = self.wear.gap_until(pace, now) {
            self.held = Some(Held {
                told,
                until,
                expires,
            });
            return;
        }
        if !urgent && self.wear.is_used_up(pace, now) {
            if self.wear.warn_now() {
                warn!(
                    load = self.link.load,
                    budget = pace.writes_per_day,
                    "the device was written as often as its memory bears in a day; until tomorrow it is \
                     only lowered"
                );
            }
            self.outcome(told.command, Outcome::Rejected, self.link.wall.now());
            return;
        }
        if !self.lease.is_some_and(|lease| order.repeats(&lease.order)) {
            self.corrections = 0;
        }
        self.write(told).await;
        self.follow();
    }

    /// Gives an order, twice if need be, and tells what became of it.
    async fn write(&mut self, told: Told) {
        let sent_at = self.link.wall.now();
        let mut result = self.tell(told.order).await;
        if matches!(result, Some(Err(CallError::NoAnswer(_)))) {
            let newer = another(self.link.orders.clone(), |one| one.command != told.command);
            tokio::select! {
                biased;
                () = newer => result = None,
                () = tokio::time::sleep(RETRY_AFTER) => result = self.tell(told.order).await,
            }
        }
        let outcome = match &result {
            Some(Ok(())) => Outcome::Accepted,
            None | Some(Err(CallError::NoAnswer(_))) => Outcome::Timeout,
            Some(Err(_)) => Outcome::Rejected,
        };
        if let Some(Err(error)) = &result
            && self.said.refusal.now()
        {
            let why = error.in_words();
            warn!(load = self.link.load, order = ?told.order, why, "the device did not take an order");
        }
        self.outcome(told.command, outcome, sent_at);
    }

    /// One call; `None` if it was dropped for a reduction.
    async fn tell(&mut self, order: Order) -> Option<Result<(), CallError>> {
        let command = self.taken;
        let reduction = another(self.link.orders.clone(), |one| {
            Some(one.command) != command && one.order.reduces(&order)
        });
        self.wear.wrote(Instant::now());
        self.phases = self.phases.max(order.phases());
        let stays = (1..self.phases).contains(&order.phases()) && !self.device.switches_phases();
        let lowers = self.in_force.is_none_or(|before| order.lowers(&before));
        let result = if stays && !lowers {
            // What is meant for one phase would flow on all of them.
            Some(Err(no_phases()))
        } else {
            tokio::select! {
                biased;
                () = reduction => None,
                result = timeout(ANSWERS_WITHIN, self.device.tell(&order)) => Some(in_time(result)),
            }
        };
        let result = match result {
            Some(Ok(())) if stays => Some(Err(no_phases())),
            result => result,
        };
        let answer = result.as_ref().map(|it| it.as_ref().copied());
        if let Some(answer) = answer {
            let seen = self.seen.as_ref();
            self.watched.answered(order, answer, seen, &self.link.shown);
        }
        self.note_abilities();
        match &result {
            Some(Ok(())) => self.hold(order),
            // It may have taken it or not; the next order is written whatever it says.
            None | Some(Err(CallError::NoAnswer(_) | CallError::Strange(_))) => {
                self.hold(order);
                self.in_force = None;
            }
            Some(Err(CallError::Password | CallError::Refused(_))) => {
                self.doubtful = true;
                // What it was told before is not kept alive against this.
                let less = |lease: Lease| order.reduces(&lease.order) && order.lowers(&lease.order);
                if self.lease.is_some_and(less) {
                    self.lease = Some(Lease::of(order));
                }
            }
        }
        result
    }

    /// What its driver knows by now of what it can do.
    fn note_abilities(&self) {
        self.link.shown.falls(self.device.falls_by_itself());
        self.link.shown.set_guard(self.device.guard());
        self.link.shown.switches(self.device.switches_phases());
    }

    fn hold(&mut self, order: Order) {
        self.in_force = Some(order);
        self.doubtful = false;
        self.lease = Some(Lease::of(order));
    }

    /// Reads it often for a while.
    fn follow(&mut self) {
        self.next_poll = Instant::now();
    }

    /// The renewals stopped: what holds now is told until the device has heard it. What waits for the gap stays what
    /// it is: an order that is newer.
    async fn fall_back(&mut self, lapsed: Lease) {
        let order = if lapsed.over {
            lapsed.order
        } else {
            lapsed.order.when_it_ends()
        };
        if !lapsed.over && order.repeats(&lapsed.order) && self.is_in_force(&order) {
            return;
        }
        let heard = self.tell(order).await;
        if matches!(heard, Some(Ok(()))) {
            warn!(
                load = self.link.load,
                ?order,
                "no orders came any more; the device was sent to safety"
            );
            self.lease = None;
        } else {
            self.lease = Some(Lease {
                order,
                until: Instant::now() + self.poll_every(),
                over: true,
            });
        }
        self.follow();
    }

    /// Whether the device has taken this, beyond doubt.
    fn is_in_force(&self, order: &Order) -> bool {
        let taken = self.in_force.is_some_and(|taken| taken.repeats(order));
        taken && !self.doubtful
    }

    /// Writes an order again, without news for anybody.
    async fn repeat(&mut self, order: Order) {
        let (lease, in_force) = (self.lease, self.in_force);
        let heard = self.tell(order).await;
        // Nobody renewed it.
        self.lease = lease;
        if !matches!(heard, Some(Ok(()))) {
            self.in_force = in_force;
            self.doubtful = true;
        }
    }

    async fn look(&mut self) {
        let taken = self.taken;
        let newer = another(self.link.orders.clone(), |one| Some(one.command) != taken);
        let result = tokio::select! {
            biased;
            () = newer => return,
            result = timeout(ANSWERS_WITHIN, self.device.read()) => in_time(result),
        };
        let now = Instant::now();
        self.next_poll = now + self.poll_every();
        match result {
            Ok(seen) => {
                if self.failures >= FAILURES_UNTIL_LOST && self.said.back.now() {
                    info!(load = self.link.load, "the device is back");
                }
                self.failures = 0;
                self.watched.read(&seen, &self.link.shown);
                self.note_abilities();
                self.seen = Some(seen.clone());
                self.report(Some(seen));
                if !self.is_alone() {
                    self.correct(now).await;
                }
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                self.seen = None;
                if self.failures < FAILURES_UNTIL_LOST {
                    return;
                }
                if self.failures == FAILURES_UNTIL_LOST && self.said.lost.now() {
                    let why = error.in_words();
                    warn!(
                        load = self.link.load,
                        why,
                        "the device is lost. Check its power, its network and the address that is configured"
                    );
                }
                self.report(None);
            }
        }
    }

    /// A device that shows more than it was told is told again: it was restarted, or has another master.
    async fn correct(&mut self, now: Instant) {
        let lease = self.lease.filter(|lease| !lease.over);
        let Some(order) = lease.filter(|_| self.in_force.is_some()).map(|it| it.order) else {
            return;
        };
        if !self.exceeds(&order) {
            self.corrections = 0;
            return;
        }
        let wait = if self.corrections < PROMPT_CORRECTIONS {
            SHOWS_WITHIN
        } else {
            CORRECT_EVERY
        };
        let settled = self
            .wear
            .last()
            .is_none_or(|last| now.saturating_duration_since(last) >= wait);
        if settled {
            self.corrections = self.corrections.saturating_add(1);
            if self.said.correction.now() {
                info!(
                    load = self.link.load,
                    ?order,
                    "the device shows more than it was told; told again"
                );
            }
            self.repeat(order).await;
        }
    }

    /// Whether the device was seen to allow more than an order does.
    fn exceeds(&self, order: &Order) -> bool {
        match (&self.seen, order) {
            (
                Some(Seen::Charger {
                    limit: Some(seen), ..
                }),
                Order::Limit { limit, .. },
            ) => seen.0 > limit.0.saturating_add(ROUNDING_MA),
            (Some(Seen::SlowLoad { on: Some(seen), .. }), Order::Switch { on, .. }) => {
                *seen && !*on
            }
            _ => false,
        }
    }

    /// Whether the device was seen to tell its limit or state.
    const fn shows_limit(&self) -> bool {
        matches!(
            self.seen,
            Some(Seen::Charger { limit: Some(_), .. } | Seen::SlowLoad { on: Some(_), .. })
        )
    }

    fn poll_every(&self) -> Duration {
        let pace = self.device.pace();
        let calm = pace.poll_every.unwrap_or(self.link.poll_every);
        let now = Instant::now();
        let follows = self
            .wear
            .last()
            .is_some_and(|last| now.saturating_duration_since(last) < FOLLOW_FOR);
        if follows || self.is_alone() {
            calm.min(FOLLOW_EVERY)
        } else {
            calm
        }
    }

    fn outcome(&mut self, command: u64, outcome: Outcome, sent_at: jiff::Timestamp) {
        let acknowledged_at = (outcome != Outcome::Timeout).then(|| self.link.wall.now());
        self.emit(DeviceEvent::Outcome {
            command,
            outcome,
            sent_at,
            acknowledged_at,
        });
    }

    /// What was seen; `None`: the device is lost.
    fn report(&mut self, seen: Option<Seen>) {
        let id = self.link.load.clone();
        let connected = seen.is_some();
        let event = if let Some(terminals) = self.link.terminals {
            let mut report = ChargerReport {
                id,
                connected,
                status: ChargerStatus::Unknown,
                current_a: None,
                limit_a: None,
                energy_kwh: None,
            };
            if let Some(Seen::Charger {
                status,
                current_a,
                limit,
                energy,
            }) = seen
            {
                report.status = status;
                report.current_a = current_a.map(|mut current| {
                    current.resize(terminals, None);
                    current
                });
                report.limit_a = limit;
                report.energy_kwh = energy;
            }
            DeviceEvent::Charger(report)
        } else {
            let (on, power_w) = match seen {
                Some(Seen::SlowLoad { on, power_w }) => (on, power_w),
                _ => (None, None),
            };
            DeviceEvent::SlowLoad(SlowLoadReport {
                id,
                connected,
                on,
                power_w,
            })
        };
        self.emit(event);
    }

    /// Tells an event and does not wait: whoever does not listen any more may be the one whose renewals stop. A report
    /// that finds no place is lost, the next one tells more; an outcome waits.
    fn emit(&mut self, event: DeviceEvent) {
        self.send_unsent();
        let full = if self.unsent.is_empty() {
            self.link.events.try_send(event).err()
        } else {
            Some(mpsc::error::TrySendError::Full(event))
        };
        // The receiver is gone only when the program ends.
        if let Some(mpsc::error::TrySendError::Full(event @ DeviceEvent::Outcome { .. })) = full {
            if self.unsent.len() >= UNSENT_MAX {
                self.unsent.pop_front();
            }
            self.unsent.push_back(event);
        }
    }

    fn send_unsent(&mut self) {
        while !self.unsent.is_empty() {
            let Ok(place) = self.link.events.try_reserve() else {
                return;
            };
            if let Some(event) = self.unsent.pop_front() {
                place.send(event);
            }
        }
    }
}

impl Lease {
    /// The lease of an order that was given now.
    fn of(order: Order) -> Self {
        Self {
            order,
            until: Instant::now() + order.lease(),
            over: false,
        }
    }
}

/// The result of a call, if it came in time.
fn in_time<T>(result: Result<Result<T, CallError>, Elapsed>) -> Result<T, CallError> {
    result.unwrap_or_else(|elapsed| Err(CallError::NoAnswer(elapsed.into())))
}

fn no_phases() -> CallError {
    let text = "it cannot be told to use fewer phases; set phase_switching to false";
    CallError::Refused(text.to_owned())
}

/// Returns when there is an order of this kind, or nobody who could give one.
async fn another(mut orders: watch::Receiver<Option<Told>>, is: impl Fn(&Told) -> bool) {
    drop(
        orders
            .wait_for(|newest| newest.as_ref().is_some_and(&is))
            .await,
    );
}

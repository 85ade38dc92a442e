//! The task of one device: takes orders, reads back what the device does.
//!
//! The newest order counts. A reduction waits for nothing: a call that raises or renews is dropped for it,
//! and neither the gap between writes nor the budget of the day holds it up. An order without an answer
//! is given once more. What the device does is read after each order and on and on; a device that shows
//! more than it was told is told again. When the renewals of an order stop, the task itself tells what
//! holds afterwards: the safe current, or off. That is all that can be done for a device that keeps what it was
//! told, and nothing if this program dies: see the driver's own dead man's switch.

use std::time::Duration;

use headroom_core::event::{ChargerReport, ChargerStatus, Outcome, SlowLoadReport};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tracing::{info, warn};

use super::{CallError, Order, PolledDevice, Repeat, Seen, wear::Wear};
use crate::{message::DeviceEvent, wall::WallClock};

/// Polls that may fail before the link counts as lost.
const FAILURES_UNTIL_LOST: u32 = 2;
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
    pub(crate) orders: watch::Receiver<Option<Told>>,
    pub(crate) events: mpsc::Sender<DeviceEvent>,
    pub(crate) wall: WallClock,
    pub(crate) poll_every: Duration,
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
    /// The order that holds, and until when it holds without a renewal.
    lease: Option<(Order, Instant)>,
    /// An order that waits for the gap between writes.
    held: Option<(Told, Instant)>,
    seen: Option<Seen>,
    failures: u32,
    next_poll: Instant,
    wear: Wear,
}

impl<D: PolledDevice> Polled<D> {
    /// A device that was not spoken to yet.
    pub(crate) fn new(device: D, link: Link) -> Self {
        Self {
            device,
            link,
            taken: None,
            in_force: None,
            lease: None,
            held: None,
            seen: None,
            failures: 0,
            next_poll: Instant::now(),
            wear: Wear::default(),
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
            let now = Instant::now();
            if let Some((told, _)) = self.held.take_if(|(_, until)| *until <= now) {
                self.obey(told).await;
            } else if let Some(order) = self.lapsed(now) {
                self.fall_back(&order).await;
            } else if let Some(order) = self.hungry(now) {
                self.repeat(order).await;
            } else if self.next_poll <= now {
                self.look().await;
            } else {
                let taken = self.taken;
                tokio::select! {
                    biased;
                    () = another(self.link.orders.clone(), |one| Some(one.command) != taken) => {}
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
        let held = self.held.map(|(_, until)| until);
        let lease = self.lease.map(|(_, until)| until);
        let times = [held, lease, self.feed_at()];
        times
            .into_iter()
            .flatten()
            .fold(self.next_poll, Instant::min)
    }

    /// The order whose lease has run out.
    fn lapsed(&mut self, now: Instant) -> Option<Order> {
        let (order, _) = self.lease.take_if(|(_, until)| *until <= now)?;
        Some(order)
    }

    fn feed_at(&self) -> Option<Instant> {
        let Repeat::Every(every) = self.device.pace().repeat else {
            return None;
        };
        self.lease?;
        self.in_force?;
        Some(self.wear.last()? + every)
    }

    /// The order that must be written again for the device's own watchdog.
    fn hungry(&self, now: Instant) -> Option<Order> {
        self.feed_at()
            .filter(|at| *at <= now)
            .and(self.lease)
            .map(|(order, _)| order)
    }

    async fn obey(&mut self, told: Told) {
        let now = Instant::now();
        let order = told.order;
        let urgent =
            self.in_force.is_none_or(|before| order.reduces(&before)) || self.exceeds(&order);
        let repeats = self.in_force.is_some_and(|before| order.repeats(&before));
        let pace = self.device.pace();
        if repeats && !urgent {
            let written = match pace.repeat {
                Repeat::Always => false,
                Repeat::Needless => self.failures == 0 && self.shows_limit(),
                Repeat::Every(every) => self.wear.last().is_some_and(|last| now < last + every),
            };
            if written {
                self.hold(order);
                self.outcome(told.command, Outcome::Accepted, self.link.wall.now())
                    .await;
                return;
            }
        }
        if !urgent && let Some(until) = self.wear.gap_until(pace, now) {
            self.held = Some((told, until));
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
            self.outcome(told.command, Outcome::Rejected, self.link.wall.now())
                .await;
            return;
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
        if let Some(Err(error)) = &result {
            let why = error.in_words();
            warn!(load = self.link.load, order = ?told.order, why, "the device did not take an order");
        }
        self.outcome(told.command, outcome, sent_at).await;
    }

    /// One call; `None` if it was dropped for a reduction.
    async fn tell(&mut self, order: Order) -> Option<Result<(), CallError>> {
        let command = self.taken;
        let reduction = another(self.link.orders.clone(), |one| {
            Some(one.command) != command && one.order.reduces(&order)
        });
        self.wear.wrote(Instant::now());
        let result = tokio::select! {
            biased;
            () = reduction => None,
            result = self.device.tell(&order) => Some(result),
        };
        match &result {
            Some(Ok(())) => self.hold(order),
            // It may have taken it or not; the next order is written whatever it says.
            None | Some(Err(CallError::NoAnswer(_))) => {
                self.hold(order);
                self.in_force = None;
            }
            Some(Err(_)) => {}
        }
        result
    }

    fn hold(&mut self, order: Order) {
        self.in_force = Some(order);
        self.lease = Some((order, Instant::now() + order.lease()));
    }

    /// Reads it often for a while.
    fn follow(&mut self) {
        self.next_poll = Instant::now();
    }

    /// The renewals stopped: what holds now is told until the device has heard it.
    async fn fall_back(&mut self, order: &Order) {
        let safe = order.when_it_ends();
        if safe.repeats(order) {
            return;
        }
        let heard = self.tell(safe).await;
        if matches!(heard, Some(Ok(()))) {
            warn!(load = self.link.load, order = ?safe, "no orders came any more; the device was sent to safety");
            self.lease = None;
        } else {
            self.lease = Some((*order, Instant::now() + self.poll_every()));
        }
        self.follow();
    }

    /// Writes an order again, without news for anybody.
    async fn repeat(&mut self, order: Order) {
        let lease = self.lease;
        drop(self.tell(order).await);
        // Nobody renewed it.
        self.lease = lease;
    }

    async fn look(&mut self) {
        let taken = self.taken;
        let newer = another(self.link.orders.clone(), |one| Some(one.command) != taken);
        let result = tokio::select! {
            biased;
            () = newer => return,
            result = self.device.read() => result,
        };
        let now = Instant::now();
        self.next_poll = now + self.poll_every();
        match result {
            Ok(seen) => {
                if self.failures >= FAILURES_UNTIL_LOST {
                    info!(load = self.link.load, "the device is back");
                }
                self.failures = 0;
                self.seen = Some(seen.clone());
                self.report(Some(seen)).await;
                self.correct(now).await;
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                self.seen = None;
                if self.failures < FAILURES_UNTIL_LOST {
                    return;
                }
                if self.failures == FAILURES_UNTIL_LOST {
                    let why = error.in_words();
                    warn!(
                        load = self.link.load,
                        why,
                        "the device is lost. Check its power, its network and the address that is configured"
                    );
                }
                self.report(None).await;
            }
        }
    }

    /// A device that shows more than it was told is told again: it was restarted, or has another master.
    async fn correct(&mut self, now: Instant) {
        let Some((order, _)) = self.lease.filter(|_| self.in_force.is_some()) else {
            return;
        };
        let settled = self
            .wear
            .last()
            .is_none_or(|last| now.saturating_duration_since(last) >= SHOWS_WITHIN);
        if settled && self.exceeds(&order) {
            info!(
                load = self.link.load,
                ?order,
                "the device shows more than it was told; told again"
            );
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
        if follows {
            calm.min(FOLLOW_EVERY)
        } else {
            calm
        }
    }

    async fn outcome(&mut self, command: u64, outcome: Outcome, sent_at: jiff::Timestamp) {
        let acknowledged_at = (outcome != Outcome::Timeout).then(|| self.link.wall.now());
        self.emit(DeviceEvent::Outcome {
            command,
            outcome,
            sent_at,
            acknowledged_at,
        })
        .await;
    }

    /// What was seen; `None`: the device is lost.
    async fn report(&mut self, seen: Option<Seen>) {
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
        self.emit(event).await;
    }

    async fn emit(&mut self, event: DeviceEvent) {
        // The receiver is gone only when the program ends.
        drop(self.link.events.send(event).await);
    }
}

/// Returns when there is an order of this kind, or nobody who could give one.
async fn another(mut orders: watch::Receiver<Option<Told>>, is: impl Fn(&Told) -> bool) {
    drop(
        orders
            .wait_for(|newest| newest.as_ref().is_some_and(&is))
            .await,
    );
}

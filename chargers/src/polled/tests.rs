//! The task with a device in memory, in virtual time.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use headroom_core::{
    event::{ChargerStatus, Outcome},
    units::Milliamps,
};
use headroom_ocpp::{Capabilities, Grade};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};

use super::{Alone, CallError, Link, Order, Pace, Polled, PolledDevice, Repeat, Seen, Shown, Told};
use crate::{message::DeviceEvent, wall::WallClock};

/// How the device takes an order or a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Good,
    /// Says yes and does nothing.
    Deaf,
    Refuses,
    /// Does it and says no: a part of the order failed.
    Partly,
    /// Ends without an answer after a second.
    Silent,
    /// Would take a minute.
    Hangs,
}

#[derive(Debug)]
struct Inner {
    begun: Instant,
    /// Limits in amperes that were told, with the second of it.
    told: Vec<(u64, i64)>,
    moods: VecDeque<Mood>,
    mood: Mood,
    limit: i64,
    shows: bool,
    reads: usize,
    awake: bool,
}

#[derive(Debug, Clone)]
struct Device {
    inner: Arc<Mutex<Inner>>,
    pace: Pace,
}

impl PolledDevice for Device {
    async fn tell(&mut self, order: &Order) -> Result<(), CallError> {
        let Order::Limit { limit, .. } = *order else {
            return Err(CallError::Refused("no relay".to_owned()));
        };
        let ampere = limit.0 / 1_000;
        let mood = {
            let mut inner = self.inner.lock().unwrap();
            let second = inner.begun.elapsed().as_secs();
            inner.told.push((second, ampere));
            inner.moods.pop_front().unwrap_or(inner.mood)
        };
        if matches!(mood, Mood::Good | Mood::Partly) {
            self.inner.lock().unwrap().limit = ampere;
        }
        answer(mood).await
    }

    async fn read(&mut self) -> Result<Seen, CallError> {
        let mood = self.inner.lock().unwrap().mood;
        answer(mood).await?;
        let mut inner = self.inner.lock().unwrap();
        inner.reads += 1;
        Ok(Seen::Charger {
            status: ChargerStatus::Charging,
            current_a: Some(vec![Some(Milliamps::from_amps(inner.limit))]),
            limit: inner.shows.then(|| Milliamps::from_amps(inner.limit)),
            energy: None,
        })
    }

    fn is_kept_awake_by_questions(&self) -> bool {
        self.inner.lock().unwrap().awake
    }

    fn pace(&self) -> Pace {
        self.pace
    }
}

async fn answer(mood: Mood) -> Result<(), CallError> {
    match mood {
        Mood::Good | Mood::Deaf => Ok(()),
        Mood::Refuses | Mood::Partly => Err(CallError::Refused("no".to_owned())),
        Mood::Silent => {
            sleep(Duration::from_secs(1)).await;
            Err(CallError::NoAnswer("silence".into()))
        }
        Mood::Hangs => {
            sleep(Duration::from_mins(1)).await;
            Err(CallError::NoAnswer("silence".into()))
        }
    }
}

struct Bench {
    inner: Arc<Mutex<Inner>>,
    orders: watch::Sender<Option<Told>>,
    silence: watch::Sender<Alone>,
    shown: Shown,
    events: mpsc::Receiver<DeviceEvent>,
}

impl Bench {
    fn new(pace: Pace) -> Self {
        Self::with_room(pace, 10_000)
    }

    /// `room`: how many events find a place.
    fn with_room(pace: Pace, room: usize) -> Self {
        let inner = Arc::new(Mutex::new(Inner {
            begun: Instant::now(),
            told: Vec::new(),
            moods: VecDeque::new(),
            mood: Mood::Good,
            limit: 32,
            shows: true,
            reads: 0,
            awake: false,
        }));
        let device = Device {
            inner: Arc::clone(&inner),
            pace,
        };
        let (orders, receiver) = watch::channel(None);
        let (silence, is_silent) = watch::channel(Alone::No);
        let shown = Shown::new(Capabilities {
            limits: Grade::Claimed,
            ..Capabilities::default()
        });
        let (sender, events) = mpsc::channel(room);
        let link = Link {
            load: "ev1".to_owned(),
            terminals: Some(3),
            phases: 0,
            orders: receiver,
            silence: is_silent,
            shown: shown.clone(),
            events: sender,
            wall: WallClock::system(),
            poll_every: Duration::from_secs(5),
        };
        tokio::spawn(Polled::new(device, link).run());
        Self {
            inner,
            orders,
            silence,
            shown,
            events,
        }
    }

    fn order(&self, command: u64, ampere: i64) {
        self.order_on(command, ampere, 3);
    }

    fn order_on(&self, command: u64, ampere: i64, phases: u8) {
        let order = Order::Limit {
            limit: Milliamps::from_amps(ampere),
            phases,
            lease_s: 120,
            safe: Milliamps::from_amps(6),
        };
        self.orders.send(Some(Told { command, order })).unwrap();
    }

    fn told(&self) -> Vec<(u64, i64)> {
        self.inner.lock().unwrap().told.clone()
    }

    fn limit(&self) -> i64 {
        self.inner.lock().unwrap().limit
    }

    fn mood(&self, mood: Mood) {
        self.inner.lock().unwrap().mood = mood;
    }

    async fn outcome(&mut self) -> (u64, Outcome) {
        let found = timeout(Duration::from_mins(10), async {
            loop {
                if let Some(DeviceEvent::Outcome {
                    command, outcome, ..
                }) = self.events.recv().await
                {
                    return (command, outcome);
                }
            }
        });
        found.await.unwrap()
    }

    /// Outcomes that came within a time.
    async fn outcomes(&mut self, within: Duration) -> Vec<(u64, Outcome)> {
        sleep(within).await;
        let mut found = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            if let DeviceEvent::Outcome {
                command, outcome, ..
            } = event
            {
                found.push((command, outcome));
            }
        }
        found
    }

    async fn report(&mut self) -> (bool, Option<i64>) {
        loop {
            if let Some(DeviceEvent::Charger(report)) = self.events.recv().await {
                assert_eq!(
                    report.current_a.as_ref().map(Vec::len),
                    report.connected.then_some(3)
                );
                return (
                    report.connected,
                    report.limit_a.map(|limit| limit.0 / 1_000),
                );
            }
        }
    }
}

fn needless() -> Pace {
    Pace {
        repeat: Repeat::Needless,
        ..Pace::default()
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

use Outcome::{Accepted, Rejected, Timeout};

#[tokio::test(start_paused = true)]
async fn an_order_is_told_and_read_back_at_once() {
    let mut bench = Bench::new(Pace::default());
    assert_eq!(bench.report().await, (true, Some(32)));
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    assert_eq!(bench.report().await, (true, Some(10)));
    assert_eq!(bench.inner.lock().unwrap().begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_reduction_drops_the_raise_that_hangs() {
    let mut bench = Bench::new(Pace::default());
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    bench.inner.lock().unwrap().moods = [Mood::Hangs].into();
    bench.order(2, 16);
    sleep(seconds(1)).await;
    bench.order(3, 8);
    assert_eq!(bench.outcome().await, (2, Timeout));
    assert_eq!(bench.outcome().await, (3, Accepted));
    assert_eq!(bench.told(), [(0, 10), (0, 16), (1, 8)]);
    // A raise waits for the call that is under way.
    bench.inner.lock().unwrap().moods = [Mood::Silent].into();
    bench.order(4, 7);
    sleep(Duration::from_millis(100)).await;
    bench.order(5, 9);
    assert_eq!(bench.outcome().await, (4, Timeout));
    assert_eq!(bench.outcome().await, (5, Accepted));
    assert_eq!(
        bench.told().len(),
        5,
        "and is not told beside it: {:?}",
        bench.told()
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_drops_a_question_that_hangs() {
    let mut bench = Bench::new(Pace::default());
    bench.mood(Mood::Hangs);
    sleep(seconds(1)).await;
    bench.mood(Mood::Good);
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    assert_eq!(bench.told(), [(1, 10)]);
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_tried_once_more_and_told_once() {
    let mut bench = Bench::new(Pace::default());
    bench.inner.lock().unwrap().moods = [Mood::Silent].into();
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    bench.inner.lock().unwrap().moods = [Mood::Silent, Mood::Silent].into();
    bench.order(2, 8);
    assert_eq!(bench.outcomes(seconds(30)).await, [(2, Timeout)]);
    // It may have taken the last: the next is written whatever it says.
    bench.order(3, 8);
    assert_eq!(bench.outcome().await, (3, Accepted));
    let limits: Vec<i64> = bench.told().into_iter().map(|(_, ampere)| ampere).collect();
    // In between, a device that shows 10 A beside an order of 8 A that may not have come is left alone.
    assert_eq!(limits, [10, 10, 8, 8, 8]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_and_not_repeated() {
    let mut bench = Bench::new(Pace::default());
    bench.inner.lock().unwrap().moods = [Mood::Refuses].into();
    bench.order(1, 10);
    assert_eq!(bench.outcomes(seconds(20)).await, [(1, Rejected)]);
    assert_eq!(bench.told().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn raises_wait_for_the_gap_and_reductions_do_not() {
    let mut bench = Bench::new(Pace {
        gap: seconds(10),
        ..Pace::default()
    });
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    bench.order(2, 12);
    sleep(seconds(1)).await;
    // Replaced before it was sent: no outcome.
    bench.order(3, 14);
    assert_eq!(bench.outcome().await, (3, Accepted));
    bench.order(4, 13);
    assert_eq!(bench.outcome().await, (4, Accepted));
    assert_eq!(bench.told(), [(0, 10), (10, 14), (10, 13)]);
}

#[tokio::test(start_paused = true)]
async fn a_budget_of_writes_holds_up_raises_only() {
    let mut bench = Bench::new(Pace {
        writes_per_day: Some(3),
        repeat: Repeat::Needless,
        ..Pace::default()
    });
    for (command, ampere) in [(1, 10), (2, 12), (3, 14)] {
        bench.order(command, ampere);
        assert_eq!(bench.outcome().await, (command, Accepted));
    }
    bench.order(4, 16);
    assert_eq!(bench.outcome().await, (4, Rejected));
    bench.order(5, 8);
    assert_eq!(bench.outcome().await, (5, Accepted));
    bench.order(6, 9);
    assert_eq!(bench.outcome().await, (6, Rejected));
    sleep(Duration::from_hours(24)).await;
    bench.order(7, 9);
    loop {
        // At the end of the lease the task sent it to safety itself.
        if bench.outcome().await == (7, Accepted) {
            break;
        }
    }
    let limits: Vec<i64> = bench.told().into_iter().map(|(_, ampere)| ampere).collect();
    assert_eq!(limits, [10, 12, 14, 8, 6, 9]);
}

#[tokio::test(start_paused = true)]
async fn renewals_are_written_only_where_they_are_needed() {
    for (repeat, shows, want) in [
        (Repeat::Always, true, vec![0, 60, 120]),
        (Repeat::Needless, true, vec![0]),
        (Repeat::Needless, false, vec![0, 60, 120]),
        (Repeat::Every(seconds(50)), true, vec![0, 50, 100, 150]),
    ] {
        let mut bench = Bench::new(Pace {
            repeat,
            ..Pace::default()
        });
        bench.inner.lock().unwrap().shows = shows;
        for command in 1..=3 {
            bench.order(command, 10);
            assert_eq!(bench.outcome().await, (command, Accepted));
            sleep(seconds(60)).await;
        }
        let times: Vec<u64> = bench.told().into_iter().map(|(second, _)| second).collect();
        assert_eq!(times, want, "{repeat:?} {shows}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_renewals_it_is_sent_to_safety_and_no_longer_fed() {
    for repeat in [Repeat::Always, Repeat::Needless, Repeat::Every(seconds(50))] {
        let mut bench = Bench::new(Pace {
            repeat,
            ..Pace::default()
        });
        bench.order(1, 10);
        assert_eq!(bench.outcomes(seconds(600)).await, [(1, Accepted)]);
        let told = bench.told();
        assert_eq!(told.last(), Some(&(120, 6)), "{repeat:?} {told:?}");
    }
    // A device that does not answer then is told as soon as it does.
    let mut bench = Bench::new(needless());
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    bench.mood(Mood::Silent);
    sleep(seconds(300)).await;
    bench.mood(Mood::Good);
    sleep(seconds(10)).await;
    assert_eq!(bench.inner.lock().unwrap().limit, 6);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_shows_more_is_told_again_and_one_that_shows_less_is_left_alone() {
    let mut bench = Bench::new(needless());
    bench.order(1, 10);
    assert_eq!(bench.outcomes(seconds(20)).await, [(1, Accepted)]);
    bench.inner.lock().unwrap().limit = 7;
    assert_eq!(bench.outcomes(seconds(20)).await, []);
    assert_eq!(bench.told(), [(0, 10)], "another master may lower");
    bench.inner.lock().unwrap().limit = 16;
    assert_eq!(
        bench.outcomes(seconds(20)).await,
        [],
        "nobody asked, nobody is told"
    );
    assert_eq!(bench.told().len(), 2);
    assert_eq!(bench.inner.lock().unwrap().limit, 10);
}

#[tokio::test(start_paused = true)]
async fn one_that_says_yes_and_does_nothing_is_not_flooded() {
    let mut bench = Bench::new(needless());
    bench.mood(Mood::Deaf);
    bench.order(1, 10);
    assert_eq!(bench.outcomes(seconds(100)).await, [(1, Accepted)]);
    let told = bench.told().len();
    assert!((10..=40).contains(&told), "{told}");
}

#[tokio::test(start_paused = true)]
async fn it_is_lost_after_two_failed_polls_and_comes_back() {
    let mut bench = Bench::new(needless());
    assert_eq!(bench.report().await, (true, Some(32)));
    bench.mood(Mood::Silent);
    let begun = Instant::now();
    assert_eq!(bench.report().await, (false, None));
    let took = begun.elapsed();
    assert!((seconds(10)..=seconds(13)).contains(&took), "{took:?}");
    bench.mood(Mood::Good);
    assert_eq!(bench.report().await, (true, Some(32)));
}

#[tokio::test(start_paused = true)]
async fn a_car_is_watched_while_it_follows() {
    let bench = Bench::new(needless());
    sleep(seconds(20)).await;
    let calm = bench.inner.lock().unwrap().reads;
    bench.order(1, 10);
    sleep(seconds(5)).await;
    let follows = bench.inner.lock().unwrap().reads - calm;
    assert_eq!((calm, follows), (4, 5));
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_sender_of_orders() {
    let mut bench = Bench::new(needless());
    drop(bench.orders);
    while bench.events.recv().await.is_some() {}
}

fn fed(every_s: u64) -> Pace {
    Pace {
        repeat: Repeat::Every(seconds(every_s)),
        ..Pace::default()
    }
}

#[tokio::test(start_paused = true)]
async fn one_whose_news_nobody_takes_obeys_and_is_sent_to_safety_all_the_same() {
    let mut bench = Bench::with_room(needless(), 1);
    sleep(seconds(20)).await;
    bench.order(1, 16);
    sleep(seconds(20)).await;
    bench.order(2, 10);
    sleep(seconds(300)).await;
    assert_eq!(bench.told(), [(20, 16), (40, 10), (160, 6)]);
    // No outcome was lost meanwhile.
    assert_eq!(bench.outcome().await, (1, Accepted));
    assert_eq!(bench.outcome().await, (2, Accepted));
}

#[tokio::test(start_paused = true)]
async fn a_raise_that_waits_for_the_gap_is_not_written_after_its_lease() {
    let mut bench = Bench::new(Pace {
        gap: seconds(300),
        ..needless()
    });
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    sleep(seconds(1)).await;
    bench.order(2, 16);
    assert_eq!(bench.outcomes(seconds(1_000)).await, [(2, Timeout)]);
    assert_eq!(bench.told(), [(0, 10), (120, 6)]);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_lease_raises_nothing() {
    let mut bench = Bench::new(needless());
    bench.order(1, 0);
    assert_eq!(bench.outcomes(seconds(600)).await, [(1, Accepted)]);
    assert_eq!(bench.told(), [(0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_does_not_go_to_safety_is_not_fed_with_what_it_had() {
    for mood in [Mood::Refuses, Mood::Silent] {
        let mut bench = Bench::new(fed(1));
        bench.order(1, 10);
        assert_eq!(bench.outcomes(seconds(119)).await, [(1, Accepted)]);
        bench.mood(mood);
        sleep(seconds(120)).await;
        let told = bench.told();
        let more = |told: &&(u64, i64)| told.0 >= 120 && told.1 > 6;
        assert_eq!(told.iter().find(more), None, "{mood:?} {told:?}");
        bench.mood(Mood::Good);
        sleep(seconds(10)).await;
        assert_eq!(bench.limit(), 6, "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_renewal_for_the_watchdog_is_not_the_last_one() {
    let mut bench = Bench::new(fed(5));
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    bench.inner.lock().unwrap().moods = [Mood::Silent].into();
    sleep(seconds(31)).await;
    assert!(bench.told().len() >= 6, "{:?}", bench.told());
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_may_have_been_done_in_part() {
    let mut bench = Bench::new(needless());
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    sleep(seconds(20)).await;
    // It cannot be asked meanwhile what it made of it.
    bench.mood(Mood::Hangs);
    bench.inner.lock().unwrap().moods = [Mood::Partly, Mood::Good].into();
    bench.order(2, 16);
    assert_eq!(bench.outcome().await, (2, Rejected));
    // The same as before, and it is written: what the device showed is from before.
    bench.order(3, 10);
    assert_eq!(bench.outcome().await, (3, Accepted));
    assert_eq!(bench.told(), [(0, 10), (20, 16), (20, 10)]);
}

#[tokio::test(start_paused = true)]
async fn a_reduction_that_was_refused_is_not_undone_by_a_renewal_for_the_watchdog() {
    let mut bench = Bench::new(fed(5));
    bench.order(1, 16);
    assert_eq!(bench.outcome().await, (1, Accepted));
    bench.inner.lock().unwrap().moods = [Mood::Partly].into();
    bench.order(2, 8);
    assert_eq!(bench.outcome().await, (2, Rejected));
    sleep(seconds(60)).await;
    assert_eq!(bench.limit(), 8, "{:?}", bench.told());
}

#[tokio::test(start_paused = true)]
async fn the_safe_current_that_may_not_have_come_is_told_when_the_renewals_stop() {
    let mut bench = Bench::new(needless());
    bench.order(1, 16);
    assert_eq!(bench.outcome().await, (1, Accepted));
    bench.mood(Mood::Silent);
    bench.order(2, 6);
    assert_eq!(bench.outcome().await, (2, Timeout));
    bench.mood(Mood::Good);
    sleep(seconds(130)).await;
    assert_eq!(bench.limit(), 6, "{:?}", bench.told());
}

#[tokio::test(start_paused = true)]
async fn no_renewal_is_accepted_of_a_device_that_does_not_answer() {
    let mut bench = Bench::new(Pace {
        repeat: Repeat::Every(seconds(50)),
        ..Pace::default()
    });
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    bench.mood(Mood::Silent);
    sleep(seconds(20)).await;
    bench.order(2, 10);
    assert_eq!(bench.outcome().await, (2, Timeout));
}

#[tokio::test(start_paused = true)]
async fn one_that_never_follows_is_told_less_and_less_often() {
    let mut bench = Bench::new(needless());
    bench.mood(Mood::Deaf);
    for command in 1..=60 {
        bench.order(command, 10);
        assert_eq!(bench.outcome().await, (command, Accepted));
        sleep(seconds(60)).await;
    }
    let corrections = bench.told().len();
    assert!((100..=240).contains(&corrections), "{corrections}");
}

#[tokio::test(start_paused = true)]
async fn an_order_for_one_phase_is_not_taken_by_a_device_that_uses_three() {
    let mut bench = Bench::new(needless());
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    bench.order_on(2, 16, 1);
    assert_eq!(bench.outcome().await, (2, Rejected));
    assert_eq!(bench.limit(), 10, "16 A would flow on three phases");
    bench.order_on(3, 8, 1);
    assert_eq!(bench.outcome().await, (3, Rejected));
    assert_eq!(bench.limit(), 8, "less is less on any number of phases");
    bench.order(4, 8);
    assert_eq!(bench.outcome().await, (4, Accepted));
}

#[tokio::test(start_paused = true)]
async fn one_that_takes_a_minute_for_an_answer_holds_up_nothing_that_is_due() {
    let mut bench = Bench::new(needless());
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    sleep(seconds(100)).await;
    bench.mood(Mood::Hangs);
    sleep(seconds(21)).await;
    bench.mood(Mood::Good);
    sleep(seconds(15)).await;
    let told = bench.told();
    let last = told.last().unwrap();
    assert!(last.1 == 6 && last.0 <= 135, "{told:?}");
    assert_eq!(bench.limit(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_order_for_one_phase_that_is_not_taken_leaves_the_watchdog_fed() {
    let mut bench = Bench::new(fed(5));
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    bench.order_on(2, 16, 1);
    assert_eq!(bench.outcome().await, (2, Rejected));
    sleep(seconds(21)).await;
    let told = bench.told();
    assert!(told.iter().all(|(_, ampere)| *ampere == 10), "{told:?}");
    assert_eq!(told.len(), 5, "{told:?}");
}

const KEEP_ALIVE: Pace = Pace {
    gap: Duration::ZERO,
    writes_per_day: None,
    repeat: Repeat::Every(seconds(10)),
    poll_every: None,
};

#[tokio::test(start_paused = true)]
async fn one_that_is_left_alone_is_not_written_and_is_watched() {
    let mut bench = Bench::new(KEEP_ALIVE);
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    sleep(seconds(15)).await;
    assert_eq!(bench.told(), [(0, 10), (10, 10)]);
    bench.silence.send_replace(Alone::Unasked);
    let reads = bench.inner.lock().unwrap().reads;
    // It goes up by itself, its keep-alive is due, its lease runs out: nothing of that is answered.
    bench.inner.lock().unwrap().limit = 16;
    sleep(seconds(200)).await;
    assert_eq!(bench.told().len(), 2, "{:?}", bench.told());
    let watched = bench.inner.lock().unwrap().reads - reads;
    assert!((190..=210).contains(&watched), "{watched} reads");

    // Nobody has ordered anything since: it is sent to safety.
    bench.silence.send_replace(Alone::No);
    sleep(seconds(1)).await;
    assert_eq!(bench.told()[2..], [(215, 6)]);
}

#[tokio::test(start_paused = true)]
async fn an_order_in_the_silence_is_obeyed_at_once() {
    let mut bench = Bench::new(KEEP_ALIVE);
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    bench.silence.send_replace(Alone::Unasked);
    sleep(seconds(50)).await;
    bench.order(2, 6);
    assert_eq!(bench.outcome().await, (2, Accepted));
    assert_eq!(bench.told(), [(0, 10), (50, 6)]);
    // What it was told last is written again behind the silence, for nothing is sure.
    bench.silence.send_replace(Alone::No);
    sleep(seconds(1)).await;
    bench.order(3, 6);
    assert_eq!(bench.outcome().await, (3, Accepted));
    assert_eq!(bench.told().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_that_questions_keep_awake_is_asked_nothing_and_counts_as_there() {
    let mut bench = Bench::new(Pace::default());
    bench.inner.lock().unwrap().awake = true;
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    sleep(seconds(20)).await;
    while bench.events.try_recv().is_ok() {}
    bench.silence.send_replace(Alone::Unasked);
    sleep(seconds(1)).await;
    let DeviceEvent::Charger(report) = bench.events.recv().await.unwrap() else {
        panic!("a report")
    };
    assert!(report.connected && report.current_a.is_none() && report.limit_a.is_none());
    assert_eq!(report.status, ChargerStatus::Charging);
    let reads = bench.inner.lock().unwrap().reads;
    sleep(seconds(200)).await;
    assert_eq!(bench.inner.lock().unwrap().reads, reads);
    assert!(bench.events.try_recv().is_err());
    assert_eq!(bench.told().len(), 1);
    bench.silence.send_replace(Alone::No);
    // First it is sent to safety, then it is asked.
    assert_eq!(bench.report().await, (true, Some(6)));
}

#[tokio::test(start_paused = true)]
async fn a_silence_that_nobody_ends_is_over_after_the_lease_and_the_patience_of_a_test() {
    for awake in [false, true] {
        let mut bench = Bench::new(KEEP_ALIVE);
        bench.inner.lock().unwrap().awake = awake;
        bench.order(1, 10);
        assert_eq!(bench.outcome().await, (1, Accepted));
        bench.silence.send_replace(Alone::Unasked);
        sleep(seconds(200)).await;
        // Asking is no new silence.
        bench.silence.send_replace(Alone::Untold);
        sleep(seconds(35)).await;
        assert_eq!(bench.told().len(), 1, "{:?}", bench.told());
        sleep(seconds(10)).await;
        assert_eq!(bench.told()[1..], [(240, 6)]);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_was_not_asked_is_asked_before_it_is_told_anything() {
    let mut bench = Bench::new(Pace::default());
    bench.inner.lock().unwrap().awake = true;
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    sleep(seconds(20)).await;
    bench.silence.send_replace(Alone::Unasked);
    sleep(seconds(150)).await;
    while bench.events.try_recv().is_ok() {}
    bench.silence.send_replace(Alone::Untold);
    assert_eq!(bench.report().await, (true, Some(10)));
    assert_eq!(bench.told().len(), 1, "its lease is long over");
}

#[tokio::test(start_paused = true)]
async fn what_it_can_do_is_proven_by_its_current_and_not_by_its_word() {
    let mut bench = Bench::new(Pace::default());
    bench.mood(Mood::Deaf);
    bench.report().await;
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Accepted));
    sleep(seconds(20)).await;
    let can = bench.shown.get();
    assert_eq!((can.limits, can.lease), (Grade::Claimed, Grade::Claimed));
    bench.mood(Mood::Good);
    bench.order(2, 9);
    assert_eq!(bench.outcome().await, (2, Accepted));
    sleep(seconds(20)).await;
    assert_eq!(bench.shown.get().limits, Grade::Proven);
    // A refusal takes nothing back that was seen.
    bench.mood(Mood::Refuses);
    bench.order(3, 8);
    assert_eq!(bench.outcome().await, (3, Rejected));
    assert_eq!(bench.shown.get().limits, Grade::Proven);
}

#[tokio::test(start_paused = true)]
async fn one_that_refuses_all_takes_no_limits_and_one_that_keeps_has_no_lease() {
    let mut bench = Bench::new(needless());
    bench.mood(Mood::Refuses);
    bench.order(1, 10);
    assert_eq!(bench.outcome().await, (1, Rejected));
    let can = bench.shown.get();
    assert_eq!((can.limits, can.lease), (Grade::NotThere, Grade::NotThere));
    bench.mood(Mood::Good);
    sleep(seconds(10)).await;
    bench.order(2, 9);
    assert_eq!(bench.outcome().await, (2, Accepted));
    sleep(seconds(5)).await;
    assert_eq!(bench.shown.get().limits, Grade::Proven);
}

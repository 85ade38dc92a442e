//! The loop that owns the engine: events in, commands and records out.
//!
//! Inputs: readings through a latest-wins slot, reports and outcomes of devices, wishes of people, changed
//! configurations, and the engine's deadlines. Outputs: commands to the devices' mailboxes, records to the
//! journal's queue, the status and events for the page. Nothing here waits for any of them.
//!
//! Invariant: the loop steps at least every [`STEP_AT_LEAST`]; a completed step is what health and the
//! watchdog of systemd are told of, and nothing else is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use headroom_chargers::{DeviceCommand, DeviceEvent, Devices};
use headroom_core::action::Command;
use headroom_core::config::{Config, LeaseProof, Mode};
use headroom_core::event::{CommandResult, Tick, UserCommand, UserCommandEvent};
use headroom_core::load::SLOW_LOAD_LEASE_S;
use headroom_core::snapshot::{Alarm, LoadDetail};
use headroom_core::{Action, Actions, Engine, Event, Instant, Milliamps, Snapshot};
use headroom_meter_io::MeterStatus;
use headroom_store::{AlarmBook, Decision, EnergyMeter, House, Journal, Step};
use headroom_web::{ChargerTest, ControlRequest, TestRefused};
use tokio::sync::{mpsc, watch};

use crate::charger_test::{self, ChargerTests};
use crate::checkpoints::Checkpoints;
use crate::clock::Clock;
use crate::learnt::EngineMemory;
use crate::meter::{CircuitMeters, MeterSlot, place};
use crate::notify::{self, Outages};
use crate::publish::{NO_METER, Publisher, Shown};

/// The loop steps at least this often, in real time, so that whoever watches it knows that it lives.
const STEP_AT_LEAST: Duration = Duration::from_secs(2);
/// At most one line of log for events that cannot be in this time.
const REFUSED_EVERY: Duration = Duration::from_mins(1);

/// What the loop is connected to.
pub(crate) struct Connections {
    /// The configuration to begin with.
    pub(crate) house: Arc<House>,
    /// Chargers and relays.
    pub(crate) devices: Devices,
    /// What chargers and relays say.
    pub(crate) reports: mpsc::Receiver<DeviceEvent>,
    /// What people want: other configurations, which are stored already, and wishes for loads.
    pub(crate) requests: mpsc::Receiver<ControlRequest>,
    /// Where everything is recorded.
    pub(crate) journal: Journal,
    /// Where everything is shown.
    pub(crate) publisher: Publisher,
    /// What the process before has learnt.
    pub(crate) memory: EngineMemory,
    /// The tests of chargers.
    pub(crate) tests: ChargerTests,
    /// Channels of notifications that do not take messages.
    pub(crate) outages: Arc<Outages>,
}

/// The engine with everything around it.
pub(crate) struct Control {
    engine: Engine,
    clock: Clock,
    /// Nothing is commanded, whatever the configuration says.
    observe: bool,
    connections: Connections,
    meter: MeterSlot,
    circuit_meters: CircuitMeters,
    alarms: AlarmBook,
    checkpoints: Checkpoints,
    energy: EnergyMeter,
    /// The engine after the last step.
    snapshot: Option<Arc<Snapshot>>,
    state: &'static str,
    /// The newest command of each load that has not been seen to be followed yet.
    unseen: HashMap<String, u64>,
    refused: Option<tokio::time::Instant>,
}

impl Control {
    pub(crate) fn new(
        clock: Clock,
        observe: bool,
        meter: MeterSlot,
        connections: Connections,
    ) -> Self {
        let alarms = AlarmBook::new(connections.journal.clone());
        let house = Arc::clone(&connections.house);
        let mut control = Self {
            engine: Engine::new(Config::default(), clock.now()),
            clock,
            observe,
            connections,
            meter,
            circuit_meters: CircuitMeters::default(),
            alarms,
            checkpoints: Checkpoints::default(),
            energy: EnergyMeter::default(),
            snapshot: None,
            state: "",
            unseen: HashMap::new(),
            refused: None,
        };
        // So that the first step can be judged too.
        control.keep(true);
        control.configure(house.config.clone(), &house.meter);
        control.connections.memory.restore(&mut control.engine);
        control.keep(true);
        control
    }

    /// Runs until it is told to stop.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            let wake = self.wake();
            let connections = &mut self.connections;
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                reading = self.meter.next() => {
                    let at = self.clock.at(reading.received);
                    self.step(&Event::Reading(reading.reading), at);
                }
                reading = self.circuit_meters.next() => {
                    let at = self.clock.at(reading.received);
                    self.circuit_meters.heard(reading.reading.circuit.as_deref(), at);
                    self.step(&Event::Reading(reading.reading), at);
                }
                Some(request) = connections.requests.recv() => match request {
                    ControlRequest::Configure(config, meter) => self.configure(*config, &meter),
                    ControlRequest::User(command) => {
                        let event = Event::Command(UserCommandEvent { command });
                        self.step(&event, self.clock.now());
                    }
                    ControlRequest::Test { charger, cut, answer } => {
                        // Where nobody waits for the answer any more, it goes on all the same, and can be ended.
                        answer.send(self.begin_test(charger, cut)).ok();
                    }
                    ControlRequest::EndTest { charger, answer } => {
                        answer.send(self.end_test(charger, false)).ok();
                    }
                },
                Some(report) = connections.reports.recv() => {
                    let says = match &report {
                        DeviceEvent::Charger(report) => Some(report.id.clone()),
                        _ => None,
                    };
                    self.report(report);
                    if let Some(charger) = says {
                        self.heed_lost_lease(&charger);
                    }
                }
                // The engine's deadline is at another moment now.
                () = self.clock.changed() => {}
                () = tokio::time::sleep_until(wake) => {
                    self.step(&Event::Tick(Tick {}), self.clock.now());
                }
            }
        }
        self.connections.journal.energy_rows(self.energy.rows());
        self.meter.stop().await;
        self.connections.memory.write_last(&self.engine).await;
    }

    /// When the loop must step again: at the engine's deadline, and often enough to be seen alive.
    fn wake(&self) -> tokio::time::Instant {
        let alive = tokio::time::Instant::now() + STEP_AT_LEAST;
        self.engine
            .next_deadline()
            .map_or(alive, |at| self.clock.moment(at).min(alive))
    }

    fn configure(&mut self, mut config: Config, meter: &headroom_core::config::Meter) {
        if self.observe {
            config.site.mode = Mode::Observe;
        }
        self.connections.tests.configured(&config.chargers);
        // The engine looks at no driver: another one is another charger.
        if let Some(tested) = charger_test::with_another_driver(&self.engine, &config) {
            self.end_test(tested, true);
        }
        let control = config.site.mode == Mode::Control;
        self.meter
            .configure(meter, place(&config.site), self.clock.now());
        self.circuit_meters
            .configure(&config.site, self.clock.now());
        self.connections
            .devices
            .configure(&config.chargers, &config.slow_loads, control);
        self.take_leases(&mut config);
        self.step(&Event::Configure(Box::new(config)), self.clock.now());
    }

    /// Takes the leases of those that keep what they were told.
    fn take_leases(&self, config: &mut Config) {
        for charger in &mut config.chargers {
            // Whatever was claimed or proven: nothing runs out there.
            if self.connections.devices.keeps_its_last_limit(&charger.id) {
                charger.lease = LeaseProof::None;
            }
        }
    }

    /// A driver may learn only now that nothing runs out in its charger.
    fn heed_lost_lease(&mut self, charger: &str) {
        let devices = &self.connections.devices;
        let mut chargers = self.engine.config().chargers.iter();
        let lost = chargers
            .find(|it| it.id == charger)
            .filter(|it| it.lease != LeaseProof::None && devices.keeps_its_last_limit(&it.id));
        if let Some(lost) = lost {
            tracing::warn!(
                load = lost.id,
                "the charger keeps its last limit when Headroom is gone; the most that it can draw is reserved from now on"
            );
            let mut config = self.engine.config().clone();
            self.take_leases(&mut config);
            self.step(&Event::Configure(Box::new(config)), self.clock.now());
        }
    }

    /// Begins a test of a charger, if it can begin.
    fn begin_test(&mut self, charger: String, cut: bool) -> Result<ChargerTest, TestRefused> {
        charger_test::may_begin(&self.engine, &charger, cut)?;
        let keeps = |id: &str| self.connections.devices.keeps_its_last_limit(id);
        charger_test::may_be_cut(&charger, cut, keeps)?;
        let guard = self.connections.devices.guard(&charger);
        let command = UserCommand::Test {
            load: charger,
            cut,
            guard,
        };
        self.command_by_hand(command);
        charger_test::view(&self.engine, &self.clock).ok_or_else(charger_test::not_begun)
    }

    /// Ends a test that runs; whether there was one. `reconfigured`: nobody wanted that, the charger is another one now.
    fn end_test(&mut self, charger: String, reconfigured: bool) -> bool {
        let runs = charger_test::runs(&self.engine, &charger);
        if runs {
            self.command_by_hand(UserCommand::EndTest {
                load: charger,
                reconfigured,
            });
        }
        runs
    }

    fn command_by_hand(&mut self, command: UserCommand) {
        let event = Event::Command(UserCommandEvent { command });
        self.step(&event, self.clock.now());
    }

    fn report(&mut self, report: DeviceEvent) {
        let now = self.clock.now();
        match report {
            DeviceEvent::Charger(report) => self.step(&Event::Charger(report), now),
            DeviceEvent::SlowLoad(report) => self.step(&Event::SlowLoad(report), now),
            DeviceEvent::Outcome {
                command,
                outcome,
                sent_at,
                acknowledged_at,
            } => {
                self.connections.journal.sent(command, sent_at);
                let at = acknowledged_at.unwrap_or_else(|| self.clock.wall_at(now));
                self.connections.journal.answered(command, outcome, at);
                self.step(&Event::Result(CommandResult { command, outcome }), now);
            }
        }
    }

    /// One step of the engine, with everything that follows from it.
    fn step(&mut self, event: &Event, at: Instant) {
        // A telegram's last byte may have come before an event that overtook it here.
        let at = at.max(self.engine.now());
        if let Err(error) = self.engine.check(event, at) {
            self.refuse(&error);
            return;
        }
        let actions = self.engine.step(event.clone(), at);
        self.command(&actions.actions);
        let time = self.clock.wall_at(at);
        let snapshot = self.look();
        let decision = self.journal(event.clone(), &actions, &snapshot, time);
        self.keep(matches!(event, Event::Configure(_)));
        let config = self.engine.config();
        let energy = self.energy.step(event, &snapshot, config, time);
        self.connections.journal.energy_rows(energy);
        self.note_seen(&snapshot, time);
        let memory = &mut self.connections.memory;
        memory.write_now_and_then(&self.engine, tokio::time::Instant::now());
        let meter = self.meter.status();
        if let Some(status) = &meter {
            self.meter.remember(status);
        }
        let alarms = self.alarms_of(&snapshot, meter.as_ref());
        let alarms = alarms
            .iter()
            .map(|alarm| (alarm, self.clock.wall_at(alarm.since)));
        let changed = self.alarms.update(alarms, time);
        let silent = charger_test::left_alone(&self.engine);
        self.connections.devices.leave_alone(silent);
        let test = self.connections.tests.follow(&self.engine, &self.clock);
        self.connections.publisher.show(Shown {
            clock: &self.clock,
            event,
            snapshot: &snapshot,
            config: self.engine.config(),
            meter: meter.as_ref(),
            alarms: self.alarms.open(),
            changed,
            decision,
            test,
        });
    }

    /// The engine as it stands.
    fn look(&mut self) -> Arc<Snapshot> {
        let mut snapshot = self.engine.snapshot();
        if let Some(before) = &self.snapshot {
            snapshot.share_loads(before);
        }
        let snapshot = Arc::new(snapshot);
        self.snapshot = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// Keeps the engine in the journal if it is time, or now.
    fn keep(&mut self, now: bool) {
        let time = self.clock.wall_at(self.engine.now());
        let journal = &self.connections.journal;
        self.checkpoints.keep(&self.engine, journal, now, time);
    }

    /// The engine's alarms, with what the meter's source knows besides.
    fn alarms_of(&self, snapshot: &Snapshot, meter: Option<&MeterStatus>) -> Vec<Alarm> {
        let mut alarms = snapshot.alarms.clone();
        let heard = match meter {
            Some(meter) => meter.text.as_str(),
            // The source that cannot be read has an alarm of its own.
            None if self.meter.problem.is_some() => "",
            None => NO_METER,
        };
        for alarm in alarms
            .iter_mut()
            .filter(|alarm| alarm.code.starts_with("meter_") && !heard.is_empty())
        {
            alarm.text = format!("{} {heard}", alarm.text);
        }
        alarms.extend(self.meter.problem.as_ref().map(|problem| Alarm {
            code: "meter_source".to_owned(),
            load: None,
            since: problem.since,
            text: format!(
                "The meter cannot be read: {}. Set its source anew.",
                problem.text
            ),
        }));
        let lost_ms = u64::from(self.engine.config().site.tuning.lost_after_s) * 1000;
        alarms.extend(self.circuit_meters.silent(snapshot.at, lost_ms));
        alarms.extend(self.without_meter(snapshot, meter));
        let refused = self.connections.devices.refused().into_iter();
        alarms.extend(refused.map(|refused| Alarm {
            code: "charger_refused".to_owned(),
            since: self.clock.at(refused.begun),
            text: refused.to_string(),
            load: Some(refused.load),
        }));
        let mute = self.connections.devices.mute().into_iter();
        alarms.extend(mute.map(|mute| Alarm {
            code: "charger_lost".to_owned(),
            since: self.clock.at(mute.since),
            text: mute.to_string(),
            load: Some(mute.load),
        }));
        let failed = self.connections.tests.failed();
        alarms.extend(failed.map(|(charger, failed)| Alarm {
            code: "charger_test_failed".to_owned(),
            since: failed.since,
            text: format!("{} Test it again when that is mended.", failed.text),
            load: Some(charger.clone()),
        }));
        alarms.extend(self.journal_alarms(snapshot.at));
        let outage = self.connections.outages.problem();
        alarms.extend(outage.map(|(since, text)| Alarm {
            code: notify::FAILING.to_owned(),
            load: None,
            since: self.clock.at(since),
            text,
        }));
        alarms
    }

    /// That nobody has named a meter: told at once where commands are given, until the engine misses its readings too.
    fn without_meter(&self, snapshot: &Snapshot, meter: Option<&MeterStatus>) -> Option<Alarm> {
        let mut missed = snapshot.alarms.iter();
        let missed = missed.any(|alarm| alarm.code.starts_with("meter_"));
        let site = &self.engine.config().site;
        let is_set = meter.is_some() || self.meter.problem.is_some();
        (site.mode == Mode::Control && !is_set && !missed).then(|| Alarm {
            code: "meter_source".to_owned(),
            load: None,
            since: snapshot.at,
            text: format!(
                "Nothing is known of the fuse, for no meter is read. Nothing is raised, and {} s after the start chargers are \
                 told their safe current and slow loads to go off. {NO_METER}",
                site.tuning.lost_after_s
            ),
        })
    }

    /// What is wrong with the journal. Control goes on without it.
    fn journal_alarms(&self, now: Instant) -> impl Iterator<Item = Alarm> {
        let journal = &self.connections.journal;
        let alarm = |code: &str, text: String| Alarm {
            code: code.to_owned(),
            load: None,
            since: now,
            text,
        };
        let problem = journal.problem().borrow().clone().map(|problem| {
            alarm(
                "journal_failing",
                format!("Decisions are not recorded now, control goes on: {problem}"),
            )
        });
        let set_aside = journal.set_aside().map(|path| {
            let text = format!(
                "The journal was damaged. It was set aside as {} and a new one begun; control went on.",
                path.display()
            );
            alarm("journal_set_aside", text)
        });
        let dropped = (journal.dropped() > 0).then(|| {
            let text = format!(
                "The disk did not keep up: {} records of the journal are missing. Control went on.",
                journal.dropped()
            );
            alarm("journal_dropped", text)
        });
        [problem, set_aside, dropped].into_iter().flatten()
    }

    fn refuse(&mut self, error: &headroom_core::EventError) {
        let now = tokio::time::Instant::now();
        if self.refused.is_none_or(|last| now - last >= REFUSED_EVERY) {
            self.refused = Some(now);
            tracing::warn!("an event was refused and changed nothing: {error}");
        }
    }

    /// Gives commands to their devices' mailboxes.
    fn command(&mut self, actions: &[Action]) {
        if actions.is_empty() {
            return;
        }
        let chargers = self.engine.config().chargers.iter();
        // One step may tell hundreds.
        let safe: HashMap<&str, Milliamps> = chargers
            .map(|charger| (charger.id.as_str(), charger.safe_current_a))
            .collect();
        for action in actions {
            let command = match &action.what {
                Command::SetLimit {
                    load,
                    limit_a,
                    phases,
                    lease_s,
                } => DeviceCommand::SetLimit {
                    command: action.command,
                    load: load.clone(),
                    limit: *limit_a,
                    phases: *phases,
                    lease_s: *lease_s,
                    safe: safe.get(load.as_str()).copied().unwrap_or_default(),
                    renewal: action.renewal,
                },
                Command::Switch { load, on } => DeviceCommand::Switch {
                    command: action.command,
                    load: load.clone(),
                    on: *on,
                    lease_s: SLOW_LOAD_LEASE_S,
                    renewal: action.renewal,
                },
            };
            self.unseen
                .insert(action.what.load().to_owned(), action.command);
            self.connections.devices.send(command);
        }
    }

    /// Notes which commands are seen to be followed.
    fn note_seen(&mut self, snapshot: &Snapshot, time: jiff::Timestamp) {
        for load in &snapshot.loads {
            let (LoadDetail::Charger { following, .. } | LoadDetail::SlowLoad { following, .. }) =
                &load.detail;
            if *following == Some(true)
                && let Some(command) = self.unseen.remove(&load.id)
            {
                self.connections.journal.seen(command, time);
            }
        }
    }

    fn journal(
        &mut self,
        event: Event,
        actions: &Actions,
        snapshot: &Arc<Snapshot>,
        time: jiff::Timestamp,
    ) -> Option<Arc<Decision>> {
        let journal = &self.connections.journal;
        let state_changed = actions.state != self.state;
        self.state = actions.state;
        if actions.actions.is_empty() && !state_changed && actions.would_be.is_empty() {
            journal.event(time, snapshot.at, event);
            return None;
        }
        Some(journal.decision(Step {
            event,
            time,
            actions: actions.actions.clone(),
            snapshot: Arc::clone(snapshot),
            state_changed,
            would_be: actions.would_be.clone(),
        }))
    }
}

//! What was recorded, in the order of time: readings with the house besides its loads, and what each load said.

use std::collections::{BTreeMap, VecDeque};

use headroom_core::action::Command;
use headroom_core::config::{Charger, Grid, SlowLoad};
use headroom_core::event::{ChargerStatus, PhaseReading, Reading};
use headroom_core::snapshot::LoadDetail;
use headroom_core::{
    Actions, Checkpoint, Config, Engine, Event, Instant, Learnt, Milliamps, PerPhase, Phase,
};
use headroom_store::{CheckpointMark, JournalReader, Run};
use jiff::Timestamp;

use super::WhatIfError;
use crate::judge::Range;

/// Rows that are read at a time.
const CHUNK: u16 = 500;
/// Words of loads that take the room of a reading: as many of them are held for each that may be.
const WORDS_OF_A_READING: usize = 5;
/// A time without readings that is longer is left out, in milliseconds.
pub(super) const SILENCE_MS: u64 = 60_000;
/// So much time after a silence goes on, in milliseconds.
const AFTER_SILENCE_MS: u64 = 1_000;

/// One reading.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// The time, without the times that are left out.
    pub(super) at: Instant,
    /// Time of day.
    pub(super) time: Timestamp,
    /// Whether it counts: what comes before only warms up, and what cannot be judged is left out.
    pub(super) counts: bool,
    pub(super) circuit: Option<String>,
    /// As the meter said them.
    pub(super) lines: Vec<Option<PhaseReading>>,
    /// What no configured load drew, per line.
    pub(super) background: PerPhase<Option<Milliamps>>,
}

/// What a load said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) at: Instant,
    /// Whether a car is there, or anything that draws at all.
    pub(super) present: bool,
    /// Whether it does not want, by itself.
    pub(super) rests: bool,
    /// What it draws from each line.
    pub(super) draw: PerPhase<Milliamps>,
    /// What it was told.
    pub(super) told: Option<Milliamps>,
}

/// A configuration, from a time on.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) at: Instant,
    /// Time of day.
    pub(super) from: Timestamp,
    pub(super) config: Config,
    /// Commands that changed something, while it counts.
    pub(super) commands: u64,
    /// Whether nothing of its time counts.
    pub(super) left_out: bool,
}

impl Version {
    const fn new(at: Instant, from: Timestamp, config: Config) -> Self {
        Self {
            at,
            from,
            config,
            commands: 0,
            left_out: false,
        }
    }
}

/// The one in force at a time. There is always a first, which holds from the beginning.
pub(super) fn in_force(versions: &[Version], at: Instant) -> Option<&Config> {
    let next = versions.partition_point(|version| version.at <= at);
    let version = versions.get(next.saturating_sub(1));
    version.map(|version| &version.config)
}

/// What was recorded.
#[derive(Debug)]
pub(super) struct Recording {
    /// The configurations, oldest first: at least one.
    pub(super) versions: Vec<Version>,
    pub(super) learnt: Learnt,
    pub(super) highest_background: PerPhase<Milliamps>,
    pub(super) samples: Vec<Sample>,
    pub(super) words: BTreeMap<String, Vec<Word>>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// Times without readings: where they would be, and how long they are, in milliseconds.
    silences: Vec<(Instant, u64)>,
}

impl Recording {
    /// Reads the journal from the last checkpoint before the time that is asked for.
    pub(super) async fn of(
        journal: &JournalReader,
        range: Range,
        readings: usize,
    ) -> Result<Self, WhatIfError> {
        let runs = journal.runs().await?;
        let mut reader: Option<Reader> = None;
        for (index, run) in runs.iter().enumerate() {
            let before = |time: Timestamp| range.from.is_some_and(|from| time <= from);
            if runs.get(index + 1).is_some_and(|next| before(next.started)) {
                continue;
            }
            if range.is_over(run.started) {
                break;
            }
            read_run(journal, run, range, readings, &mut reader).await?;
        }
        let mut recording = reader
            .map(|reader| reader.recording)
            .filter(Self::counts)
            .ok_or(WhatIfError::Nothing)?;
        recording.find_background();
        Ok(recording)
    }

    /// What the house drew besides its loads. Between two words of a load that differ it drew something from the one to the
    /// other; the house is moved no further than that forces it to.
    fn find_background(&mut self) {
        let Self {
            versions,
            samples,
            words,
            ..
        } = self;
        let mut places: BTreeMap<(Option<String>, &str), usize> = BTreeMap::new();
        let mut before: BTreeMap<Option<String>, PerPhase<Option<Milliamps>>> = BTreeMap::new();
        for sample in samples {
            let (mut low, mut high) = (PerPhase::default(), PerPhase::default());
            let Some(config) = in_force(versions, sample.at) else {
                continue;
            };
            for (id, words) in words.iter() {
                if !has(config, id) || !feeds(config, sample.circuit.as_deref(), id) {
                    continue;
                }
                let place = places.entry((sample.circuit.clone(), id)).or_default();
                while words.get(*place).is_some_and(|word| word.at < sample.at) {
                    *place += 1;
                }
                let draw = |word: Option<&Word>| word.map(|word| word.draw);
                let newest = draw(place.checked_sub(1).and_then(|place| words.get(place)));
                let next = draw(words.get(*place));
                let one = newest.or(next).unwrap_or_default();
                let other = next.unwrap_or(one);
                low = low.zip_with(&one.zip_with(&other, Ord::min), |a: Milliamps, b| a + b);
                high = high.zip_with(&one.zip_with(&other, Ord::max), |a: Milliamps, b| a + b);
            }
            let house = before.entry(sample.circuit.clone()).or_default();
            for phase in Phase::ALL {
                let line = sample.lines.get(phase.index()).copied().flatten();
                let Some(measured) = line.and_then(|line| line.current_a) else {
                    continue;
                };
                let least = measured - high.get(phase);
                let most = measured - low.get(phase);
                let was = house.get(phase).unwrap_or(most);
                *house.get_mut(phase) =
                    Some(was.clamp(least, most.max(least)).max(Milliamps::ZERO));
            }
            sample.background = *house;
        }
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.words.contains_key(id)
    }

    /// Commands that changed something, while it counts.
    pub(super) fn commands(&self) -> u64 {
        let counted = self.versions.iter().filter(|version| !version.left_out);
        counted.map(|version| version.commands).sum()
    }

    /// Lets nothing of a version's time count. Answers from when until when that is, if anything of it counted.
    pub(super) fn leave_out(&mut self, index: usize) -> Option<(Timestamp, Timestamp)> {
        let next = self.versions.get(index + 1);
        let (end, end_time) = next.map_or((Instant(u64::MAX), self.to), |it| (it.at, it.from));
        let version = self.versions.get_mut(index)?;
        version.left_out = true;
        // The first holds from the beginning.
        let from = if index == 0 { Instant(0) } else { version.at };
        let mut begun = None;
        for sample in &mut self.samples {
            if sample.counts && from <= sample.at && sample.at < end {
                sample.counts = false;
                begun.get_or_insert(sample.time);
            }
        }
        let time = begun?;
        let counted = || self.samples.iter().filter(|sample| sample.counts);
        if let (Some(first), Some(last)) = (counted().next(), counted().next_back()) {
            (self.from, self.to) = (first.time, last.time);
        }
        Some((time, end_time))
    }

    /// Whether anything counts.
    pub(super) fn counts(&self) -> bool {
        self.samples.iter().any(|sample| sample.counts)
    }

    pub(super) fn covered_ms(&self) -> u64 {
        let between = self.samples.windows(2).map(|pair| match pair {
            [one, next] if one.counts && next.counts => next.at.since_ms(one.at),
            _ => 0,
        });
        between.sum()
    }

    /// What does not count between the first reading that counts and the last.
    pub(super) fn left_out_ms(&self) -> u64 {
        let counted = || self.samples.iter().filter(|sample| sample.counts);
        let (Some(first), Some(last)) = (counted().next(), counted().next_back()) else {
            return 0;
        };
        let within = |silence: &&(Instant, u64)| first.at < silence.0 && silence.0 <= last.at;
        let silent: u64 = self.silences.iter().filter(within).map(|it| it.1).sum();
        let span = last.at.since_ms(first.at);
        silent + span.saturating_sub(self.covered_ms())
    }
}

async fn read_run(
    journal: &JournalReader,
    run: &Run,
    range: Range,
    readings: usize,
    reader: &mut Option<Reader>,
) -> Result<(), WhatIfError> {
    let marks = journal.checkpoints(run.id).await?;
    let before = |time: Timestamp| range.from.is_some_and(|from| time <= from);
    let begin = marks
        .partition_point(|mark| before(mark.time))
        .saturating_sub(1);
    let mut marks: VecDeque<CheckpointMark> = marks.into_iter().skip(begin).collect();
    // The one behind the first input holds what was learnt before.
    if marks.len() > 1 && marks.front().is_some_and(|mark| mark.seq == 0) {
        marks.pop_front();
    }
    let Some(first) = marks.front() else {
        return Ok(());
    };
    let mut seq = first.seq;
    loop {
        let due = marks.front().is_some_and(|mark| mark.seq <= seq);
        if let Some(mark) = due.then(|| marks.pop_front()).flatten()
            && let Ok(kept) =
                serde_json::from_str::<Checkpoint>(&journal.checkpoint(run.id, mark.seq).await?)
        {
            let engine = Engine::from_checkpoint(kept);
            match reader {
                Some(reader) => reader.take_up(engine, mark.time),
                None => *reader = Some(Reader::new(engine, mark.time)),
            }
        }
        let inputs = journal.inputs(run.id, seq, CHUNK).await?;
        let upto = marks.front().map_or(i64::MAX, |mark| mark.seq);
        let mut taken = 0;
        for input in inputs.into_iter().take_while(|input| input.seq <= upto) {
            taken += 1;
            if range.is_over(input.time) {
                return Ok(());
            }
            let whole = input.seq == seq + 1;
            seq = input.seq;
            let Some(reader) = reader else { continue };
            if let Ok(event) = input.event {
                reader.take(event, input.t, input.time, whole, range);
            }
            let words = readings.saturating_mul(WORDS_OF_A_READING);
            if reader.recording.samples.len() > readings || reader.said > words {
                return Err(WhatIfError::TooLong);
            }
        }
        if taken == 0 {
            match marks.front() {
                // The rows up to the next one are gone.
                Some(mark) => seq = mark.seq,
                None => return Ok(()),
            }
        }
    }
}

/// Follows the recorded inputs with the recorded engine.
struct Reader {
    recording: Recording,
    config: Config,
    engine: Option<Engine>,
    told: BTreeMap<String, Milliamps>,
    draws: BTreeMap<String, PerPhase<Milliamps>>,
    last: Option<Instant>,
    skipped_ms: u64,
    /// How many words there are.
    said: usize,
}

impl Reader {
    fn new(engine: Engine, time: Timestamp) -> Self {
        let config = engine.config().clone();
        let told = engine
            .snapshot()
            .loads
            .into_iter()
            .filter_map(|load| match load.detail {
                LoadDetail::Charger { setpoint, .. } => Some((load.id.clone(), setpoint?)),
                LoadDetail::SlowLoad { .. } => None,
            });
        Self {
            told: told.collect(),
            draws: BTreeMap::new(),
            last: None,
            skipped_ms: 0,
            said: 0,
            config: config.clone(),
            recording: Recording {
                versions: vec![Version::new(Instant(0), time, config)],
                learnt: engine.learnt(),
                highest_background: engine.highest_background(),
                samples: Vec::new(),
                words: BTreeMap::new(),
                from: Timestamp::MAX,
                to: Timestamp::MIN,
                silences: Vec::new(),
            },
            engine: Some(engine),
        }
    }

    fn take(&mut self, event: Event, t: Instant, time: Timestamp, whole: bool, range: Range) {
        if !whole {
            self.engine = None;
        }
        if matches!(event, Event::Reading(_)) {
            let silence = self.last.map_or(0, |last| t.since_ms(last));
            if silence > SILENCE_MS {
                let left_out = silence - AFTER_SILENCE_MS;
                self.skipped_ms += left_out;
                let at = Instant(t.0.saturating_sub(self.skipped_ms));
                self.recording.silences.push((at, left_out));
            }
            self.last = Some(t);
        }
        let at = Instant(t.0.saturating_sub(self.skipped_ms));
        let counts = range.contains(time);
        let actions = self
            .engine
            .as_mut()
            .map(|engine| engine.step(event.clone(), t));
        if let Some(actions) = &actions {
            self.note_told(actions, counts);
        }
        match event {
            Event::Configure(config) if *config != self.config => {
                self.note_config(*config, at, time);
            }
            Event::Charger(report) if report.connected => {
                let Some(charger) = self.config.chargers.iter().find(|it| it.id == report.id)
                else {
                    return;
                };
                let draw = report
                    .current_a
                    .as_deref()
                    .map(|currents| by_line(&lines_of(charger, self.config.site.grid), currents));
                let draw =
                    draw.unwrap_or_else(|| self.draws.get(&report.id).copied().unwrap_or_default());
                let word = Word {
                    at,
                    present: is_there(report.status),
                    rests: matches!(
                        report.status,
                        ChargerStatus::SuspendedEv | ChargerStatus::Finishing
                    ),
                    draw,
                    told: self.told.get(&report.id).copied(),
                };
                self.say(report.id, word);
            }
            Event::SlowLoad(report) if report.connected => {
                let Some(load) = self.config.slow_loads.iter().find(|it| it.id == report.id) else {
                    return;
                };
                let on = report.on.unwrap_or(true);
                let power = report.power_w.unwrap_or(if on {
                    load.rated_w
                } else {
                    headroom_core::Watts::ZERO
                });
                let lines = slow_lines(load, self.config.site.grid);
                let each = Milliamps::from_power(
                    power,
                    self.config.site.nominal_voltage_v,
                    i64::try_from(lines.len()).unwrap_or(1),
                );
                let mut draw = PerPhase::default();
                for line in lines {
                    *draw.get_mut(line) = each;
                }
                let word = Word {
                    at,
                    present: true,
                    rests: on && power.0 == 0,
                    draw,
                    told: on.then_some(each),
                };
                self.say(report.id, word);
            }
            Event::Reading(reading) => self.sample(reading, at, counts, time),
            _ => {}
        }
    }

    /// Goes on with an engine of a checkpoint: what was configured before it in another run is in it alone.
    fn take_up(&mut self, engine: Engine, time: Timestamp) {
        let at = self.last.unwrap_or_default().0;
        let at = Instant(at.saturating_sub(self.skipped_ms));
        self.note_config(engine.config().clone(), at, time);
        self.engine = Some(engine);
    }

    fn note_config(&mut self, config: Config, at: Instant, time: Timestamp) {
        // At a start it is configured anew with the same.
        let mut bare = config.clone();
        bare.forget_devices();
        let versions = &mut self.recording.versions;
        if versions.last().is_none_or(|last| last.config != bare) {
            versions.push(Version::new(at, time, bare));
        }
        self.config = config;
    }

    fn note_told(&mut self, actions: &Actions, counts: bool) {
        for action in &actions.actions {
            if let Some(version) = self.recording.versions.last_mut() {
                version.commands += u64::from(counts && !action.renewal);
            }
            if let Command::SetLimit { load, limit_a, .. } = &action.what {
                self.told.insert(load.clone(), *limit_a);
            }
        }
    }

    fn say(&mut self, id: String, word: Word) {
        self.said += 1;
        self.draws.insert(id.clone(), word.draw);
        self.recording.words.entry(id).or_default().push(word);
    }

    fn sample(&mut self, reading: Reading, at: Instant, counts: bool, time: Timestamp) {
        if counts {
            self.recording.from = self.recording.from.min(time);
            self.recording.to = time;
        }
        self.recording.samples.push(Sample {
            at,
            time,
            counts,
            circuit: reading.circuit,
            lines: reading.phases,
            background: PerPhase::default(),
        });
    }
}

/// Whether a configuration has a load.
pub(super) fn has(config: &Config, load: &str) -> bool {
    let mut chargers = config.chargers.iter().map(|it| &it.id);
    let mut slow_loads = config.slow_loads.iter().map(|it| &it.id);
    chargers.any(|id| id == load) || slow_loads.any(|id| id == load)
}

/// Whether a load hangs behind a circuit's meter; none is the main one.
pub(super) fn feeds(config: &Config, circuit: Option<&str>, load: &str) -> bool {
    let Some(circuit) = circuit else { return true };
    let chargers = config.chargers.iter().map(|it| (&it.id, &it.circuit));
    let slow_loads = config.slow_loads.iter().map(|it| (&it.id, &it.circuit));
    let mut place = chargers
        .chain(slow_loads)
        .find(|(id, _)| *id == load)
        .and_then(|(_, circuit)| circuit.as_deref());
    // A chain of circuits is no longer than there are circuits.
    for _ in 0..=config.site.circuits.len() {
        match place {
            None => return false,
            Some(own) if own == circuit => return true,
            Some(own) => {
                let above = config.site.circuits.iter().find(|it| it.id == own);
                place = above.map(|it| it.parent.as_str());
            }
        }
    }
    false
}

/// The line of each terminal; where the order is not known, the usual one.
pub(super) fn lines_of(charger: &Charger, grid: Grid) -> Vec<Phase> {
    charger
        .phases
        .clone()
        .unwrap_or_else(|| grid.phases().to_vec())
}

/// The lines of a slow load.
pub(super) fn slow_lines(load: &SlowLoad, grid: Grid) -> Vec<Phase> {
    load.phases
        .clone()
        .unwrap_or_else(|| grid.phases().to_vec())
}

fn by_line(lines: &[Phase], currents: &[Option<Milliamps>]) -> PerPhase<Milliamps> {
    let mut draw = PerPhase::default();
    // One current of several lines is that of each.
    for (index, line) in lines.iter().enumerate() {
        let current = currents
            .get(index)
            .or_else(|| currents.first().filter(|_| currents.len() == 1));
        *draw.get_mut(*line) = current.copied().flatten().unwrap_or_default();
    }
    draw
}

fn is_there(status: ChargerStatus) -> bool {
    match status {
        ChargerStatus::Preparing
        | ChargerStatus::Charging
        | ChargerStatus::SuspendedEv
        | ChargerStatus::SuspendedEvse
        | ChargerStatus::Finishing
        | ChargerStatus::Unknown => true,
        ChargerStatus::Available
        | ChargerStatus::Reserved
        | ChargerStatus::Unavailable
        | ChargerStatus::Faulted => false,
    }
}

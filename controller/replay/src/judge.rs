//! The proof: recorded inputs through the engine, from checkpoint to checkpoint.

use headroom_core::{Checkpoint, Engine, Event};
use headroom_store::{CheckpointMark, JournalInput, JournalReader, Run, StoreError};
use jiff::Timestamp;

use crate::decisions::{Decisions, Recorded};
use crate::difference::{Decided, Difference, states};
use crate::report::{Gap, GapKind, ReplayedRun, Report};

/// Rows that are read at a time.
const CHUNK: u16 = 500;

/// The input that configures the engine at a start. The checkpoint behind it holds also what the process before has learnt,
/// which is no input.
const FIRST: i64 = 1;

/// Which time is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Range {
    /// Not before this; `None`: from the beginning.
    pub from: Option<Timestamp>,
    /// Before this; `None`: up to now.
    pub to: Option<Timestamp>,
}

impl Range {
    pub(crate) fn contains(self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time < to)
    }

    pub(crate) fn is_over(self, time: Timestamp) -> bool {
        self.to.is_some_and(|to| time >= to)
    }
}

/// Replays what was recorded in a time.
///
/// # Errors
/// When the journal cannot be read.
pub async fn judge(journal: &JournalReader, range: Range) -> Result<Report, StoreError> {
    let mut report = Report::new();
    let runs = journal.runs().await?;
    for (index, run) in runs.iter().enumerate() {
        let before = |time: Timestamp| range.from.is_some_and(|from| time <= from);
        // The next one began before: all of this one is too old.
        if runs.get(index + 1).is_some_and(|next| before(next.started)) {
            continue;
        }
        if range.is_over(run.started) {
            break;
        }
        let mut judge = Judge::new(journal, run, range, &mut report).await?;
        judge.run().await?;
    }
    Ok(report.concluded())
}

struct Judge<'a> {
    journal: &'a JournalReader,
    run: &'a Run,
    range: Range,
    report: &'a mut Report,
    marks: Vec<CheckpointMark>,
    /// The last input that was there when the replay began: the service may go on writing.
    last: i64,
    /// The engine, while everything is known that it was given.
    engine: Option<Engine>,
    /// The input that came last.
    seq: i64,
    time: Timestamp,
    state: &'static str,
    version: String,
    replayed: Option<ReplayedRun>,
}

impl<'a> Judge<'a> {
    async fn new(
        journal: &'a JournalReader,
        run: &'a Run,
        range: Range,
        report: &'a mut Report,
    ) -> Result<Self, StoreError> {
        let mut marks = journal.checkpoints(run.id).await?;
        if let Some(from) = range.from {
            let begin = marks.partition_point(|mark| mark.time <= from);
            marks.drain(..begin.saturating_sub(1));
        }
        Ok(Self {
            journal,
            run,
            range,
            report,
            last: journal.last_input(run.id).await?,
            marks,
            engine: None,
            seq: 0,
            time: run.started,
            state: "",
            version: run.version.clone(),
            replayed: None,
        })
    }

    async fn run(&mut self) -> Result<(), StoreError> {
        let marks = std::mem::take(&mut self.marks);
        let first = marks.first().map_or(self.last, |mark| mark.seq);
        let begins = marks.first().map(|mark| mark.time);
        let from = self.range.from;
        let late = begins.is_none_or(|begins| from.is_none_or(|from| begins > from));
        if marks.is_empty() || (first > FIRST && late) {
            self.without_checkpoint(&marks).await?;
        }
        for (index, mark) in marks.iter().enumerate() {
            if self.range.is_over(mark.time) {
                break;
            }
            self.begin(mark).await?;
            self.stretch(mark, marks.get(index + 1)).await?;
        }
        self.report.runs.extend(self.replayed.take());
        Ok(())
    }

    /// What stands before the first checkpoint.
    async fn without_checkpoint(&mut self, marks: &[CheckpointMark]) -> Result<(), StoreError> {
        let upto = marks.first().map_or(self.last, |mark| mark.seq);
        let mut gap: Option<Gap> = None;
        let mut after = 0;
        while after < upto {
            let inputs = self.journal.inputs(self.run.id, after, CHUNK).await?;
            let Some(last) = inputs.last() else { break };
            after = last.seq;
            for input in inputs.iter().filter(|input| input.seq <= upto) {
                self.note_thinned(input);
                if !self.range.contains(input.time) {
                    continue;
                }
                let gap = gap.get_or_insert(Gap {
                    run: self.run.id,
                    kind: GapKind::NoCheckpoint,
                    from: input.time,
                    to: input.time,
                    missing: 0,
                    not_judged: 0,
                    detail: None,
                });
                gap.to = input.time;
                gap.not_judged += 1;
            }
        }
        if let Some(gap) = gap {
            self.report.gap(gap);
        }
        if self.seq == 0 {
            self.all_thinned(marks.first()).await?;
        }
        Ok(())
    }

    /// Not one input is left of what stood before the first checkpoint, or of all of the run.
    async fn all_thinned(&mut self, first: Option<&CheckpointMark>) -> Result<(), StoreError> {
        let (from, to) = (self.range.from, self.range.to);
        let (until, missing) = if let Some(mark) = first {
            (mark.time, mark.seq)
        } else if let Some(left) = self.journal.decided_span(self.run.id, from, to).await? {
            (left.to, left.last_input)
        } else {
            return Ok(());
        };
        self.report.gap(Gap {
            run: self.run.id,
            kind: GapKind::Inputs,
            from: from.map_or(self.run.started, |from| from.max(self.run.started)),
            to: until,
            missing: missing.unsigned_abs(),
            not_judged: 0,
            detail: None,
        });
        Ok(())
    }

    /// What stood before the first input that is still there: full readings are kept for some days only.
    fn note_thinned(&mut self, first: &JournalInput) {
        let missing = first.seq.saturating_sub(FIRST);
        let asked = self.range.from.is_none_or(|from| first.time >= from);
        if self.seq == 0 && missing > 0 && asked {
            self.report.gap(Gap {
                run: self.run.id,
                kind: GapKind::Inputs,
                from: self.run.started,
                to: first.time,
                missing: missing.unsigned_abs(),
                not_judged: 0,
                detail: None,
            });
        }
        self.seq = first.seq;
    }

    /// Takes the engine of a checkpoint. One that has come there by itself must be the same.
    async fn begin(&mut self, mark: &CheckpointMark) -> Result<(), StoreError> {
        let text = self.journal.checkpoint(self.run.id, mark.seq).await?;
        let kept = serde_json::from_str::<Checkpoint>(&text);
        self.version.clone_from(&mark.version);
        let other = mark.version != self.report.engine;
        self.report.other_version |= other;
        if let Some(engine) = &self.engine
            && self.seq == mark.seq
            && mark.seq != FIRST
            && self.range.contains(mark.time)
            && kept.is_ok()
        {
            let own = serde_json::to_string(&engine.checkpoint())?;
            match states(&text, &own) {
                None => self.report.checkpoints += 1,
                Some(state) => self.report.differs(Difference {
                    run: self.run.id,
                    seq: mark.seq,
                    t_ms: mark.t,
                    time: mark.time,
                    version: mark.version.clone(),
                    event: None,
                    recorded: None,
                    replayed: None,
                    state: Some(state),
                }),
            }
        }
        match kept {
            Ok(kept) => {
                let engine = Engine::from_checkpoint(kept);
                // A start says its first state, whatever it is.
                self.state = if mark.seq == 0 {
                    ""
                } else {
                    engine.snapshot().state
                };
                self.engine = Some(engine);
            }
            // It goes on without, if it has come there by itself.
            Err(error) if self.engine.is_none() || mark.seq == FIRST => {
                self.engine = None;
                self.report.gap(Gap {
                    run: self.run.id,
                    kind: GapKind::Checkpoint,
                    from: mark.time,
                    to: mark.time,
                    missing: 1,
                    not_judged: 0,
                    detail: Some(error.to_string()),
                });
            }
            Err(_) => {}
        }
        (self.seq, self.time) = (mark.seq, mark.time);
        Ok(())
    }

    /// From a checkpoint to the next one, or to the end.
    async fn stretch(
        &mut self,
        mark: &CheckpointMark,
        next: Option<&CheckpointMark>,
    ) -> Result<(), StoreError> {
        let end = next.map_or(self.last, |next| next.seq);
        let upto = next.map(|next| next.decision);
        let mut decisions = Decisions::after(self.journal, self.run.id, mark.decision);
        let mut gap: Option<Gap> = None;
        let mut differs = false;
        while self.seq < end {
            let inputs = self.journal.inputs(self.run.id, self.seq, CHUNK).await?;
            if inputs.is_empty() {
                break;
            }
            for input in inputs {
                if input.seq > end || self.range.is_over(input.time) {
                    self.note_missing(&mut gap, end.min(input.seq - 1), input.time);
                    self.close(gap);
                    return Ok(());
                }
                self.note_missing(&mut gap, input.seq - 1, input.time);
                let readable = input.event.is_ok();
                if let Err(detail) = &input.event {
                    self.unreadable(&mut gap, detail, input.time);
                }
                (self.seq, self.time) = (input.seq, input.time);
                if gap.is_none() && !differs {
                    differs = !self.step(input, &mut decisions, upto).await?;
                } else if let Some(gap) = gap.as_mut().filter(|_| readable) {
                    gap.to = self.time;
                    gap.not_judged += u64::from(self.range.contains(self.time));
                }
            }
        }
        self.note_missing(&mut gap, end, next.map_or(self.time, |next| next.time));
        if differs {
            self.engine = None;
        }
        self.close(gap);
        if next.is_none() {
            self.behind_the_end(decisions).await?;
        }
        Ok(())
    }

    /// What was decided on inputs behind the last one that is there.
    async fn behind_the_end(&mut self, mut decisions: Decisions<'_>) -> Result<(), StoreError> {
        let mut last = self.last.max(self.seq);
        let mut gap: Option<Gap> = None;
        while let Some(decision) = decisions.next().await? {
            if decision.seq <= last {
                continue;
            }
            // The service may have written more since the replay began.
            last = last.max(self.journal.last_input(self.run.id).await?);
            if decision.seq <= last || !self.range.contains(decision.time) {
                continue;
            }
            let gap = gap.get_or_insert_with(|| self.a_gap(GapKind::Inputs));
            let missing = (decision.seq - last).unsigned_abs();
            gap.missing = gap.missing.max(missing);
            gap.from = self.range.from.map_or(gap.from, |from| gap.from.max(from));
            gap.to = gap.to.max(decision.time);
        }
        self.report.gaps.extend(gap);
        Ok(())
    }

    /// Whether rows are missing between the last input and this number.
    fn note_missing(&mut self, gap: &mut Option<Gap>, before: i64, time: Timestamp) {
        let missing = before.saturating_sub(self.seq);
        if missing <= 0 {
            return;
        }
        self.engine = None;
        let gap = gap.get_or_insert_with(|| self.a_gap(GapKind::Inputs));
        gap.missing += missing.unsigned_abs();
        gap.to = time;
        self.seq = before;
    }

    fn unreadable(&mut self, gap: &mut Option<Gap>, detail: &str, time: Timestamp) {
        self.engine = None;
        let gap = gap.get_or_insert_with(|| self.a_gap(GapKind::Unreadable));
        gap.missing += 1;
        gap.to = time;
        gap.detail.get_or_insert_with(|| detail.to_owned());
    }

    fn a_gap(&self, kind: GapKind) -> Gap {
        Gap {
            run: self.run.id,
            kind,
            from: self.time,
            to: self.time,
            missing: 0,
            not_judged: 0,
            detail: None,
        }
    }

    fn close(&mut self, gap: Option<Gap>) {
        if let Some(gap) = gap.filter(|gap| self.range.from.is_none_or(|from| gap.to >= from)) {
            self.report.gap(gap);
        }
    }

    /// One step. Returns whether all is as it was recorded.
    async fn step(
        &mut self,
        input: JournalInput,
        decisions: &mut Decisions<'_>,
        upto: Option<i64>,
    ) -> Result<bool, StoreError> {
        let judged = self.range.contains(input.time);
        let Some(engine) = &mut self.engine else {
            self.blind(judged);
            return Ok(true);
        };
        let Ok(event) = input.event else {
            return Ok(true);
        };
        let event_json = judged.then(|| event.clone());
        let actions = engine.step(event, input.t);
        let decided = !actions.actions.is_empty()
            || actions.state != self.state
            || !actions.would_be.is_empty();
        self.state = actions.state;
        let recorded = decisions.of(input.seq, upto).await?;
        let replayed = if decided {
            Some(Decided::by(engine, &actions)?)
        } else {
            None
        };
        if judged {
            self.report.inputs += 1;
            self.note_replayed(input.time);
        }
        let recorded = match (recorded, &replayed) {
            (Recorded::Decision(recorded), Some(replayed))
                if Decided::recorded(&recorded) == *replayed =>
            {
                self.report.decisions += u64::from(judged);
                return Ok(true);
            }
            (Recorded::Decision(recorded), _) => Some(recorded),
            (Recorded::Nothing | Recorded::Missing, None) => return Ok(true),
            (Recorded::Missing, Some(_)) => {
                decisions.skip();
                self.a_decision_is_missing(judged);
                return Ok(true);
            }
            // Earlier versions wrote an input and its decision apart: the newest may be there without.
            (Recorded::Nothing, Some(_)) if input.seq == self.last => {
                self.a_decision_is_missing(judged);
                return Ok(true);
            }
            (Recorded::Nothing, Some(_)) => None,
        };
        if judged {
            self.report.differs(Difference {
                run: self.run.id,
                seq: input.seq,
                t_ms: input.t,
                time: input.time,
                version: self.version.clone(),
                event: event_json
                    .map(|event: Event| serde_json::to_value(event))
                    .transpose()?,
                recorded: recorded
                    .map(|recorded| Decided::recorded(&recorded).side(Some(recorded.id))),
                replayed: replayed.map(|replayed| replayed.side(None)),
                state: None,
            });
        }
        Ok(false)
    }

    /// There is no engine: the checkpoint could not be read.
    fn blind(&mut self, judged: bool) {
        if let Some(gap) = self.report.gaps.last_mut()
            && gap.kind == GapKind::Checkpoint
        {
            gap.to = self.time;
            gap.not_judged += u64::from(judged);
        }
    }

    fn a_decision_is_missing(&mut self, judged: bool) {
        if judged {
            let mut gap = self.a_gap(GapKind::Decisions);
            gap.missing = 1;
            self.report.gap(gap);
        }
    }

    fn note_replayed(&mut self, time: Timestamp) {
        let run = self.replayed.get_or_insert_with(|| ReplayedRun {
            run: self.run.id,
            version: self.run.version.clone(),
            from: time,
            to: time,
        });
        run.to = time;
    }
}

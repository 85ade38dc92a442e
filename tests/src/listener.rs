//! `headroom listen` on a source.

use std::time::Duration;

use serde_json::Value;

use crate::{controller::command, process::Process};

/// A source that takes longer for a line or a sentence has failed; a lost one is tried again within 30 s.
const SOON: Duration = Duration::from_secs(60);

/// A running listener.
#[derive(Debug)]
pub struct Listener {
    process: Process,
}

impl Listener {
    /// Starts it.
    pub fn start(source: &str) -> Self {
        Self {
            process: Process::start(&mut command(&["listen", source])),
        }
    }

    /// Where its telegrams are now, to wait from.
    pub fn mark(&self) -> usize {
        self.process.stdout.mark()
    }

    /// Where its sentences are now, to wait from.
    pub fn said(&self) -> usize {
        self.process.stderr.mark()
    }

    /// The next telegram from `mark` on.
    pub fn next(&self, mark: usize) -> Value {
        self.next_where(mark, |_| true)
    }

    /// The next telegram from `mark` on of which something is so.
    ///
    /// # Panics
    /// If there is none.
    pub fn next_where(&self, mark: usize, wanted: impl Fn(&Value) -> bool) -> Value {
        let parsed = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            wanted(&line).then_some(line)
        };
        let found = self.process.stdout.find(mark, SOON, parsed);
        found.unwrap_or_else(|| panic!("no such telegram; it said {:?}", self.process.stderr.all()))
    }

    /// A telegram from `mark` on of which something is so, if there is one by now.
    pub fn find(&self, mark: usize, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        let all = self.process.stdout.all();
        let lines = all.iter().skip(mark);
        let mut parsed = lines.map(|line| serde_json::from_str(line).unwrap());
        parsed.find(|line| wanted(line))
    }

    /// Waits for words on its standard error, from `mark` on; gives the line.
    ///
    /// # Panics
    /// If they never come.
    pub fn says(&self, mark: usize, words: &str) -> String {
        let said = |line: &str| line.contains(words).then(|| line.to_owned());
        let found = self.process.stderr.find(mark, SOON, said);
        found.unwrap_or_else(|| panic!("never {words:?}; it said {:?}", self.process.stderr.all()))
    }

    /// All its sentences from `mark` on.
    pub fn all_said(&self, mark: usize) -> Vec<String> {
        self.process.stderr.all().split_off(mark)
    }

    /// How many telegrams it gave.
    pub fn telegrams(&self) -> usize {
        self.process.stdout.mark()
    }
}

/// The currents of a telegram, in amperes; a phase that it lacks is left out.
pub fn currents(line: &Value) -> Vec<Option<f64>> {
    let phases = line["phases"].as_array().unwrap();
    phases
        .iter()
        .map(|phase| phase["current_a"].as_f64())
        .collect()
}

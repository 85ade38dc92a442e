//! A process with its lines, killed when it is dropped.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

/// Lines that a process wrote so far.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    fn read(stream: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let own = lines.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines() {
                let Ok(line) = line else { break };
                own.shared.state.lock().unwrap().lines.push(line);
                own.shared.changed.notify_all();
            }
            own.shared.state.lock().unwrap().ended = true;
            own.shared.changed.notify_all();
        });
        lines
    }

    /// How many there are: a mark to wait from.
    pub fn mark(&self) -> usize {
        self.shared.state.lock().unwrap().lines.len()
    }

    /// All of them.
    pub fn all(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().lines.clone()
    }

    /// The last one.
    pub fn last(&self) -> Option<String> {
        self.shared.state.lock().unwrap().lines.last().cloned()
    }

    /// The first line from `mark` on for which `wanted` gives something; `None` after `limit`, or at the end.
    pub fn find<T>(
        &self,
        mark: usize,
        limit: Duration,
        mut wanted: impl FnMut(&str) -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now() + limit;
        let mut next = mark;
        let mut state = self.shared.state.lock().unwrap();
        loop {
            while let Some(line) = state.lines.get(next) {
                if let Some(found) = wanted(line) {
                    return Some(found);
                }
                next += 1;
            }
            let left = end.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() {
                return None;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}

/// A running process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    /// Its standard output.
    pub stdout: Lines,
    /// Its standard error.
    pub stderr: Lines,
}

impl Process {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        Self::start_with(command, Stdio::piped())
    }

    /// Starts it with a standard error of its own, whose lines are not seen here unless it is a pipe.
    pub fn start_with(command: &mut Command, stderr: Stdio) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self {
            input: child.stdin.take(),
            stdout: Lines::read(child.stdout.take().unwrap()),
            stderr: child.stderr.take().map(Lines::read).unwrap_or_default(),
            child,
        }
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes a line to its standard input.
    pub fn write_line(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        input.flush().unwrap();
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Asks it to end as a service manager does (SIGTERM).
    pub fn terminate(&self) {
        let pid = rustix_pid(self.child.id());
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Its exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

fn rustix_pid(id: u32) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a process that has ended gave.
#[derive(Debug)]
pub struct Outcome {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Standard output as JSON values, one for each line.
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }
}

/// Runs a command to its end with the given standard input.
///
/// # Panics
/// If it has not ended within `limit`.
pub fn run(command: &mut Command, input: &[u8], limit: Duration) -> Outcome {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = thread::spawn(move || {
        // The process may end before it has read everything.
        drop(stdin.write_all(&input));
    });
    let stdout = read_all(child.stdout.take().unwrap());
    let stderr = read_all(child.stderr.take().unwrap());
    let end = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > end {
            drop(child.kill());
            drop(child.wait());
            panic!("{command:?}: did not end within {limit:?}");
        }
        thread::sleep(Duration::from_millis(2));
    };
    writer.join().unwrap();
    Outcome {
        code: status.code(),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    }
}

fn read_all(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        drop(stream.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

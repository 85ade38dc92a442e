//! A house: background load, charge points, and the meter that sees the sum of them.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    pty::MeterPort,
    telegram::{Values, p1},
    wait,
};

/// Time between two telegrams, as DSMR 5 asks.
const PERIOD: Duration = Duration::from_secs(1);
/// A relief that is not in a telegram by then does not come. Longer than it takes on a busy machine.
const RELIEF: Duration = Duration::from_secs(15);

/// A car behind its charger.
pub trait Car: fmt::Debug + Send {
    /// What it draws now per phase, in milliamperes.
    fn current_ma(&self) -> [u32; 3];
}

/// The house.
#[derive(Debug)]
pub struct House {
    state: Arc<Mutex<State>>,
    end: Arc<AtomicBool>,
    meter: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct State {
    port: MeterPort,
    background_ma: [u32; 3],
    cars: Vec<(Box<dyn Car>, Vec<usize>)>,
    garbage: Option<Vec<u8>>,
    silent: bool,
    sent: u32,
    last: Option<(Instant, [u32; 3])>,
    highest_ma: [u32; 3],
}

impl House {
    /// Starts the meter: one telegram each second.
    pub fn new(port: MeterPort) -> Self {
        let state = Arc::new(Mutex::new(State {
            port,
            background_ma: [1_000; 3],
            cars: Vec::new(),
            garbage: None,
            silent: false,
            sent: 0,
            last: None,
            highest_ma: [0; 3],
        }));
        let end = Arc::new(AtomicBool::new(false));
        let meter = {
            let (state, end) = (Arc::clone(&state), Arc::clone(&end));
            thread::spawn(move || {
                let mut next = Instant::now();
                while !end.load(Ordering::Relaxed) {
                    state.lock().unwrap().telegram();
                    next += PERIOD;
                    thread::sleep(next.saturating_duration_since(Instant::now()));
                }
            })
        };
        Self {
            state,
            end,
            meter: Some(meter),
        }
    }

    /// Background load per line, in amperes.
    pub fn background(&self, amperes: [u32; 3]) {
        let mut state = self.state.lock().unwrap();
        state.background_ma = amperes.map(|amperes| amperes * 1000);
        state.highest_ma = [0; 3];
    }

    /// A charger whose terminals hang on these lines (0 is L1).
    pub fn add(&self, car: impl Car + 'static, lines: &[usize]) {
        let mut state = self.state.lock().unwrap();
        state.cars.push((Box::new(car), lines.to_vec()));
    }

    /// What is sent before each telegram from now on.
    pub fn garbage(&self, bytes: Option<Vec<u8>>) {
        self.state.lock().unwrap().garbage = bytes;
    }

    /// A meter that says nothing, or speaks again.
    pub fn silent(&self, silent: bool) {
        self.state.lock().unwrap().silent = silent;
    }

    /// Pulls the meter's cable out.
    pub fn unplug(&self) {
        self.state.lock().unwrap().port.unplug();
    }

    /// Plugs it in again.
    pub fn plug_in(&self) {
        self.state.lock().unwrap().port.plug_in();
    }

    /// Currents in the newest telegram, in milliamperes, and when it was sent.
    pub fn last(&self) -> Option<(Instant, [u32; 3])> {
        self.state.lock().unwrap().last
    }

    /// Waits until the newest telegram shows no more than this on a line (0 is L1).
    pub fn wait_relieved(&self, line: usize, most_ma: u32) {
        wait::until("the meter sees the relief", RELIEF, || {
            let (_, current_ma) = self.last()?;
            (current_ma[line] <= most_ma).then_some(())
        });
    }

    /// Highest current of any line since the background was set last, in milliamperes.
    pub fn highest_ma(&self) -> u32 {
        self.state
            .lock()
            .unwrap()
            .highest_ma
            .into_iter()
            .max()
            .unwrap_or_default()
    }
}

impl State {
    fn telegram(&mut self) {
        self.sent += 1;
        let mut current_ma = self.background_ma;
        for (car, lines) in &self.cars {
            for (line, own) in lines.iter().zip(car.current_ma()) {
                current_ma[*line] += own;
            }
        }
        // A meter of this profile shows steps of 0.1 A; a real grid's voltage is never quite the same.
        let current_ma = current_ma.map(|current| current.div_ceil(100) * 100);
        let voltage = |line: u32| 230_000 + (self.sent * 7 + line * 3) % 11 * 100;
        let voltage_mv = [voltage(0), voltage(1), voltage(2)];
        let import_w = current_ma.iter().map(|current| current * 23 / 100).sum();
        let values = Values::house(import_w, current_ma, voltage_mv);
        if let Some(garbage) = &self.garbage {
            self.port.send(garbage);
        }
        if !self.silent {
            self.port.send(&p1::telegram(&values, self.sent));
        }
        self.last = Some((Instant::now(), current_ma));
        for (highest, now) in self.highest_ma.iter_mut().zip(current_ma) {
            *highest = now.max(*highest);
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(meter) = self.meter.take() {
            drop(meter.join());
        }
    }
}

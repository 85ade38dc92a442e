//! A water heater: a tank with a thermostat behind a relay that can turn itself back.
//!
//! The tank is one mixed volume: P = m·c·dT/dt, with a loss through its insulation and people who draw
//! hot water. The relay is that of a smart plug: on or off, with an optional time after which it flips.

use headroom_core::units::Phase;
use serde::{Deserialize, Serialize};

use crate::current::Currents;
use crate::random::Random;
use crate::{millis, seconds};

/// Heat that warms one litre of water by one kelvin, in joules.
const WATER_J_PER_LITRE_K: f64 = 4186.0;
/// Of the cold water that replaces what is drawn, in °C.
const INLET_C: f64 = 8.0;
/// Of the room around the tank, in °C.
const ROOM_C: f64 = 20.0;

/// A water heater.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaterSpec {
    /// Its name.
    pub id: String,
    /// The lines it hangs on, in equal parts.
    pub phases: Vec<Phase>,
    /// Of its element, in watts at 230 V.
    pub rated_w: f64,
    /// Of the tank, in litres.
    pub volume_l: f64,
    /// Temperature at the beginning, in °C.
    pub start_c: f64,
    /// The thermostat opens at this temperature, in °C.
    pub setpoint_c: f64,
    /// And closes this much below it, in kelvin.
    #[serde(default = "five")]
    pub hysteresis_k: f64,
    /// Heat lost through the insulation at the setpoint, in watts.
    #[serde(default)]
    pub loss_w: f64,
    /// Hot water that is drawn at a time, in litres.
    #[serde(default)]
    pub draw_l: f64,
    /// Time between draws, in seconds; `None`: nobody draws.
    #[serde(default)]
    pub draw_every_s: Option<(f64, f64)>,
}

fn five() -> f64 {
    5.0
}

/// The relay's flip by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// When it was set, in virtual milliseconds.
    pub started_at_ms: u64,
    /// How long it runs, in milliseconds.
    pub duration_ms: u64,
}

/// Who moved the relay last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody since power came.
    Init,
    /// A command over the network.
    Http,
    /// Its own timer.
    Timer,
}

/// A water heater at work. Its relay is open when power comes.
#[derive(Clone, Debug)]
pub struct Heater {
    spec: HeaterSpec,
    random: Random,
    temperature_c: f64,
    thermostat: bool,
    relay: bool,
    timer: Option<Timer>,
    source: Source,
    next_draw_ms: Option<u64>,
    energy_wh: f64,
    network: bool,
}

impl Heater {
    /// At its start temperature.
    pub fn new(spec: HeaterSpec, seed: u64) -> Self {
        let mut random = Random::new(seed, &spec.id);
        let next_draw_ms = spec.draw_every_s.map(|range| millis(random.between(range)));
        Self {
            temperature_c: spec.start_c,
            thermostat: spec.start_c < spec.setpoint_c,
            random,
            relay: false,
            timer: None,
            source: Source::Init,
            next_draw_ms,
            energy_wh: 0.0,
            network: true,
            spec,
        }
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.spec.id
    }

    /// Moves the relay; with a time it flips back after it, without one it stays. Returns how it was.
    pub fn switch(&mut self, now_ms: u64, on: bool, flip_after_ms: Option<u64>) -> bool {
        let was_on = self.relay;
        self.relay = on;
        self.timer = flip_after_ms.map(|duration_ms| Timer {
            started_at_ms: now_ms,
            duration_ms,
        });
        self.source = Source::Http;
        was_on
    }

    /// Whether the relay is closed.
    pub fn is_on(&self) -> bool {
        self.relay
    }

    /// The running timer of the relay.
    pub fn timer(&self) -> Option<Timer> {
        self.timer
    }

    /// Who moved the relay last.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Temperature of the water, in °C.
    pub fn temperature_c(&self) -> f64 {
        self.temperature_c
    }

    /// What it draws now, in watts.
    pub fn power_w(&self) -> f64 {
        if self.relay && self.thermostat {
            self.spec.rated_w
        } else {
            0.0
        }
    }

    /// What it has drawn so far, in watt-hours.
    pub fn energy_wh(&self) -> f64 {
        self.energy_wh
    }

    /// Cuts the relay off the network, or brings it back.
    pub fn set_network(&mut self, up: bool) {
        self.network = up;
    }

    /// Whether the relay can be reached.
    pub fn network(&self) -> bool {
        self.network
    }

    /// Lets one tick up to `now_ms` pass and adds what it draws.
    pub(crate) fn step(&mut self, now_ms: u64, tick_ms: u64, currents: &mut Currents) {
        if let Some(timer) = self.timer
            && now_ms >= timer.started_at_ms.saturating_add(timer.duration_ms)
        {
            self.relay = !self.relay;
            self.timer = None;
            self.source = Source::Timer;
        }
        if let (Some(draw_ms), Some(range)) = (self.next_draw_ms, self.spec.draw_every_s)
            && now_ms >= draw_ms
        {
            let share = (self.spec.draw_l / self.spec.volume_l.max(1.0)).clamp(0.0, 1.0);
            self.temperature_c += (INLET_C - self.temperature_c) * share;
            self.next_draw_ms = Some(now_ms + millis(self.random.between(range)));
        }
        let power_w = self.power_w();
        let dt_s = seconds(tick_ms);
        let warmth = (self.temperature_c - ROOM_C) / (self.spec.setpoint_c - ROOM_C).max(1.0);
        let heat_w = power_w - self.spec.loss_w * warmth;
        self.temperature_c += heat_w * dt_s / (self.spec.volume_l.max(1.0) * WATER_J_PER_LITRE_K);
        self.energy_wh += power_w * dt_s / 3600.0;
        if self.temperature_c >= self.spec.setpoint_c {
            self.thermostat = false;
        } else if self.temperature_c < self.spec.setpoint_c - self.spec.hysteresis_k {
            self.thermostat = true;
        }
        currents.connect_power(&self.spec.phases, power_w, 1.0);
    }

    /// Adds what it draws now.
    pub(crate) fn add_to(&self, currents: &mut Currents) {
        currents.connect_power(&self.spec.phases, self.power_w(), 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heater(change: impl FnOnce(&mut HeaterSpec)) -> Heater {
        let mut spec = HeaterSpec {
            id: "heater".into(),
            phases: vec![Phase::L1],
            rated_w: 2000.0,
            volume_l: 100.0,
            start_c: 40.0,
            setpoint_c: 65.0,
            hysteresis_k: 5.0,
            loss_w: 0.0,
            draw_l: 0.0,
            draw_every_s: None,
        };
        change(&mut spec);
        Heater::new(spec, 1)
    }

    /// Runs from one second to another; returns the seconds during which it drew.
    fn run(heater: &mut Heater, from_s: u64, to_s: u64) -> f64 {
        let mut ticks = 0_u32;
        for tick in from_s * 10 + 1..=to_s * 10 {
            let mut currents = Currents::default();
            heater.step(tick * 100, 100, &mut currents);
            ticks += u32::from(currents.branches.get(Phase::L1).magnitude() > 1.0);
        }
        f64::from(ticks) / 10.0
    }

    #[test]
    fn it_heats_as_the_specific_heat_of_water_says_and_then_stops() {
        let mut heater = heater(|_| {});
        assert!(!heater.switch(0, true, None));
        // 100 l by 25 K are 10.465 MJ: 5232.5 s at 2 kW.
        let drawn = run(&mut heater, 0, 7200);
        assert!((drawn - 5232.5).abs() < 1.0, "{drawn}");
        assert!((heater.energy_wh() - 2907.0).abs() < 1.0);
        assert!(heater.is_on() && heater.power_w().abs() < 1e-9);
    }

    #[test]
    fn an_open_relay_draws_nothing() {
        let mut heater = heater(|_| {});
        assert!(run(&mut heater, 0, 60).abs() < 1e-9);
    }

    #[test]
    fn the_relay_flips_back_unless_it_is_renewed() {
        let mut heater = heater(|_| {});
        heater.switch(0, true, Some(60_000));
        run(&mut heater, 0, 50);
        assert!(heater.switch(50_000, true, Some(60_000)));
        run(&mut heater, 50, 109);
        assert!(heater.is_on());
        run(&mut heater, 109, 110);
        assert!(!heater.is_on());
        assert_eq!((heater.source(), heater.timer()), (Source::Timer, None));
    }

    #[test]
    fn hot_water_that_is_drawn_makes_it_heat_again() {
        let mut heater = heater(|spec| {
            spec.start_c = 65.0;
            spec.draw_l = 20.0;
            spec.draw_every_s = Some((600.0, 600.0));
        });
        heater.switch(0, true, None);
        assert!(run(&mut heater, 0, 599).abs() < 1e-9);
        assert!(run(&mut heater, 599, 700) > 90.0);
    }
}

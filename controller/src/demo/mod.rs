//! The simulated house of `headroom demo`, behind real interfaces: a pseudo-terminal with telegrams, OCPP
//! websockets, an HTTP relay. The controller in front of it is the one of `run`.
//!
//! The plant itself (`headroom_sim`) is pure; this module gives it a clock, and shells that carry its values
//! out and commands in. Everything listens on loopback only.

mod charge_point;
mod config;
mod meter;
mod plant;
mod relay;
mod switches;

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use headroom_core::Config;
use headroom_sim::House;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::charge_point::Station;
use self::plant::Plant;
use self::switches::Switches;
use crate::clock::Clock;

/// Samples between plant and terminal. More only pile up when the terminal is stuck.
const SAMPLES: usize = 4;
/// Random bytes of a charge point's password; 16 are the 128 bits that OCPP's white paper on security
/// asks for.
const PASSWORD_BYTES: usize = 16;

/// Why the house could not be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// No pseudo-terminal.
    #[error("no pseudo-terminal for the demo's meter; is /dev/pts mounted?")]
    Terminal(#[source] tokio_serial::Error),
    /// A pseudo-terminal that nobody could open.
    #[error("the demo's pseudo-terminal has no name on this system")]
    NamelessTerminal,
    /// No port on loopback.
    #[error("no port on 127.0.0.1 for the demo's relay")]
    Relay(#[source] std::io::Error),
    /// No random numbers.
    #[error("the system gives no random numbers for the demo's passwords")]
    Random(#[source] getrandom::Error),
}

/// The house. It stands as long as this lives.
#[derive(Debug)]
pub(crate) struct DemoHouse {
    /// Where its meter is read: `serial:/dev/pts/N`.
    pub(crate) meter_source: String,
    /// How the controller is set up at the start, with the address of the relay and the passwords of the
    /// charge points in it.
    pub(crate) config: Config,
    plant: Plant,
    seed: u64,
    passwords: [(&'static str, String); 2],
    tasks: JoinSet<()>,
}

/// Builds the house, lets its time run with the clock, and starts its meter and its relay.
///
/// # Errors
/// If the system has no terminal or port for it.
pub(crate) async fn start(seed: u64, clock: Clock) -> Result<DemoHouse, DemoError> {
    let plant = Plant::new(House::new(headroom_sim::demo::house(), seed), clock);
    let port = meter::Port::open()?;
    let meter_source = format!("serial:{}", port.path());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(DemoError::Relay)?;
    let relay = listener.local_addr().map_err(DemoError::Relay)?;
    let passwords = [("ev1", password()?), ("ev2", password()?)];
    let [(_, garage), (_, driveway)] = &passwords;
    let config = config::config(relay, [garage, driveway]);

    let (measured, written) = mpsc::channel(SAMPLES);
    let mut tasks = JoinSet::new();
    tasks.spawn(port.run(written, plant.clone()));
    tasks.spawn(plant.clone().run(measured));
    tasks.spawn(relay::run(
        listener,
        plant.clone(),
        config::HEATER.to_owned(),
    ));
    Ok(DemoHouse {
        meter_source,
        config,
        plant,
        seed,
        passwords,
        tasks,
    })
}

impl DemoHouse {
    /// What visitors may turn; `central` is where charge points connect to.
    pub(crate) fn switches(&self, central: SocketAddr) -> Arc<Switches> {
        Arc::new(Switches::new(self.plant.clone(), central, self.seed))
    }

    /// Lets the charge points connect to the central system, for ever.
    pub(crate) fn connect_charge_points(&mut self, central: SocketAddr) {
        for (id, password) in &self.passwords {
            let station = Station::new(self.plant.clone(), id, password, central);
            self.tasks.spawn(station.run());
        }
    }
}

fn password() -> Result<String, DemoError> {
    let mut bytes = [0; PASSWORD_BYTES];
    getrandom::fill(&mut bytes).map_err(DemoError::Random)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    }))
}

//! `headroom run` and `headroom demo`: the same service, on a real house and on a simulated one.
//!
//! Starts in an order that keeps the page reachable whatever is broken: data directory, databases,
//! listeners, devices, meter, loop. A device or meter that fails never keeps the service from starting.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::FalseyValueParser;
use headroom_chargers::{DeviceSettings, Devices, WallClock};
use headroom_store::{DataDirectory, House, Journal, Retention, StateDb};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::clock::Clock;
use crate::control::{Connections, Control};
use crate::demo;
use crate::meter::MeterSlot;
use crate::publish::Publisher;

/// Reports of devices that may wait for the loop. It takes microseconds for one; this is a burst of all
/// chargers of a large site.
const REPORTS: usize = 1024;
/// Wishes of people that may wait for the loop.
const REQUESTS: usize = 32;
/// The loop, the web and the devices share this many threads.
const THREADS: usize = 2;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The data directory; default: the platform's state directory
    #[arg(long, env = "HEADROOM_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the web page and the API listen
    #[arg(
        long,
        env = "HEADROOM_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:8080"
    )]
    listen: SocketAddr,
    /// Where OCPP charge points connect to
    #[arg(
        long,
        env = "HEADROOM_OCPP_LISTEN",
        value_name = "ADDR",
        default_value = "0.0.0.0:8887"
    )]
    ocpp_listen: SocketAddr,
    /// Read this meter instead of the configured one, for example `serial:/dev/ttyUSB0`
    #[arg(long, env = "HEADROOM_METER", value_name = "SOURCE")]
    meter: Option<String>,
    /// Compute and record decisions, but command nothing
    #[arg(long, env = "HEADROOM_OBSERVE", value_parser = FalseyValueParser::new())]
    observe: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The same number gives the same house
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// How many times as fast as real time the house and the controller run, 1 to 60
    #[arg(long, default_value_t = 1.0, value_name = "X", value_parser = parse_speed)]
    speed: f64,
    /// Where the web page and the API listen; default: 127.0.0.1:8080, or a free port if it is taken
    #[arg(long, env = "HEADROOM_LISTEN", value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

fn parse_speed(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|speed| (1.0..=60.0).contains(speed))
        .ok_or_else(|| "must be a number from 1 to 60".to_owned())
}

/// The data directory that a command means.
///
/// # Errors
/// When nothing tells where it could be.
fn data_directory(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    given
        .map(Path::to_owned)
        .or_else(|| variable("STATE_DIRECTORY"))
        .or_else(|| variable("XDG_STATE_HOME").map(|state| state.join("headroom")))
        .or_else(|| variable("HOME").map(|home| home.join(".local/state/headroom")))
        .context("no place for the data is known: name one with --data")
}

/// Where the data are, for commands beside the service.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// The data directory; default: the platform's state directory
    #[arg(long = "data", env = "HEADROOM_DATA", value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl DataArgs {
    /// Opens the database of the configuration. It takes several programs at once, so the service may run
    /// beside it.
    pub(crate) async fn open_state(&self) -> anyhow::Result<StateDb> {
        let directory = data_directory(self.directory.as_deref())?;
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make the data directory {}", directory.display()))?;
        Ok(StateDb::open(&directory).await?)
    }
}

/// `headroom run`.
pub(crate) fn run(args: &RunArgs) -> anyhow::Result<()> {
    if let Some(source) = &args.meter {
        headroom_meter_io::Source::parse(source)?;
    }
    let path = data_directory(args.data.as_deref())?;
    block_on(async {
        let directory = DataDirectory::lock(&path)?;
        let web = bind(args.listen).await?;
        let ocpp = bind(args.ocpp_listen).await?;
        let state = StateDb::open(directory.path()).await?;
        let clock = Clock::service();
        let service = Service {
            clock,
            journal: open_journal(directory.path(), &clock).await,
            web,
            ocpp,
            meter: MeterSlot::new(args.meter.clone(), &state).await,
            state,
            observe: args.observe,
            demo: None,
        };
        service.run().await
    })
}

/// `headroom demo`.
pub(crate) fn demo(args: &DemoArgs) -> anyhow::Result<()> {
    block_on(async {
        let temporary = TemporaryDirectory::new()?;
        let directory = DataDirectory::lock(&temporary.0)?;
        let web = match args.listen {
            Some(address) => bind(address).await?,
            None => bind_preferred(8080).await?,
        };
        let ocpp = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let clock = Clock::new(args.speed, 0);
        let house = demo::start(args.seed, clock).await?;
        let state = StateDb::open(directory.path()).await?;
        let mut edit = state.edit().await;
        edit.house = House {
            config: house.config.clone(),
            meter: headroom_core::config::Meter {
                source: Some(house.meter_source.clone()),
                ..headroom_core::config::Meter::default()
            },
        };
        edit.commit("demo", "the demo house").await?;
        drop(edit);
        let service = Service {
            clock,
            journal: open_journal(directory.path(), &clock).await,
            web,
            ocpp,
            meter: MeterSlot::new(None, &state).await,
            state,
            observe: false,
            demo: Some(house),
        };
        service.run().await
    })
}

fn block_on(service: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()?;
    let result = runtime.block_on(service);
    runtime.shutdown_background();
    result
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}: is it taken by another program?"))
}

/// A port of loopback that people know, or a free one.
async fn bind_preferred(port: u16) -> anyhow::Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await,
    }
}

async fn open_journal(directory: &Path, clock: &Clock) -> Journal {
    Journal::open(
        directory,
        env!("CARGO_PKG_VERSION"),
        clock.wall(),
        Retention::default(),
    )
    .await
}

/// Everything that runs.
struct Service {
    clock: Clock,
    state: StateDb,
    journal: Journal,
    web: TcpListener,
    ocpp: TcpListener,
    meter: MeterSlot,
    observe: bool,
    demo: Option<demo::DemoHouse>,
}

impl Service {
    async fn run(mut self) -> anyhow::Result<()> {
        let clock = self.clock;
        let (reports, received) = mpsc::channel(REPORTS);
        let (requests, requested) = mpsc::channel(REQUESTS);
        let (stop, stopped) = watch::channel(false);
        let wall = WallClock::new(move || clock.wall());
        let devices = Devices::start(DeviceSettings::default(), wall, reports);
        let web_address = self.web.local_addr()?;
        let ocpp_address = self.ocpp.local_addr()?;
        let open_demo = self.demo.is_some() && web_address.ip().is_loopback();
        let publisher = Publisher::new(&clock, self.demo.is_some());
        let app = publisher.app(
            &self.state,
            &self.journal,
            requests,
            devices.clone(),
            open_demo,
        );
        let health = publisher.health();

        let control = Control::new(
            clock,
            self.observe,
            self.meter,
            Connections {
                house: self.state.house(),
                devices: devices.clone(),
                reports: received,
                requests: requested,
                journal: self.journal.clone(),
                publisher,
            },
        );
        let control = tokio::spawn(control.run(stopped.clone()));
        let chargers = devices.clone();
        let central = tokio::spawn(async move { chargers.serve(self.ocpp).await });
        let web = tokio::spawn(headroom_web::serve(self.web, app));
        if let Some(house) = &mut self.demo {
            house.connect_charge_points(SocketAddr::new(
                loopback_of(ocpp_address.ip()),
                ocpp_address.port(),
            ));
        }
        health.set_ready(true);
        announce(web_address, &self.state, open_demo).await?;
        tracing::info!(web = %web_address, ocpp = %ocpp_address, "Headroom is up");
        // Only systemd asks for this; without it there is nothing to tell.
        drop(sd_notify::notify(&[sd_notify::NotifyState::Ready]));

        let outcome = tokio::select! {
            () = shutdown() => Ok(()),
            ended = control => Err(anyhow::anyhow!("the loop has ended: {ended:?}")),
            ended = central => Err(anyhow::anyhow!("the central system has ended: {ended:?}")),
            ended = web => Err(anyhow::anyhow!("the web server has ended: {ended:?}")),
        };
        tracing::info!("stopping: limits run out on the chargers by themselves");
        stop.send_replace(true);
        devices.disconnect_all();
        self.journal.close().await;
        self.state.close().await;
        outcome
    }
}

fn loopback_of(address: IpAddr) -> IpAddr {
    if address.is_unspecified() {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        address
    }
}

/// Says where the page is, on standard output, alone.
async fn announce(web: SocketAddr, state: &StateDb, open: bool) -> anyhow::Result<()> {
    let shown = SocketAddr::new(loopback_of(web.ip()), web.port());
    let code = if open {
        None
    } else {
        state.setup_code().await?
    };
    let mut out = std::io::stdout().lock();
    match code {
        Some(code) => writeln!(out, "Headroom http://{shown} setup-code {code}")?,
        None => writeln!(out, "Headroom http://{shown}")?,
    }
    out.flush()?;
    Ok(())
}

/// Waits until somebody wants it to stop.
async fn shutdown() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        drop(tokio::signal::ctrl_c().await);
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// A directory that goes with the demo.
struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    fn new() -> anyhow::Result<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
        let name = format!("headroom-demo-{:016x}", u64::from_ne_bytes(bytes));
        let path = std::env::temp_dir().join(name);
        if path.exists() {
            bail!("{} is there already", path.display());
        }
        Ok(Self(path))
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        // What is left behind is the system's to clean.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

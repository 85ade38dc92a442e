//! `headroom run` and `headroom demo`: the same service, on a real house and on a simulated one.
//!
//! Starts in an order that keeps the page reachable whatever is broken: data directory, databases,
//! listeners, devices, meter, loop. A device or meter that fails never keeps the service from starting.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::BoolishValueParser;
use headroom_chargers::{DeviceSettings, Devices, WallClock};
use headroom_core::config::Secret;
use headroom_core::login::hide_password;
use headroom_store::{DataDirectory, House, Journal, Retention, StateDb};
use headroom_web::{Upkeep, is_host_name, warn_of_clear};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::charger_memory::ChargerMemory;
use crate::charger_test::ChargerTests;
use crate::clock::Clock;
use crate::configuration::socket::{self, Socket};
use crate::control::{Connections, Control};
use crate::data::data_directory;
use crate::demo;
use crate::learnt::EngineMemory;
use crate::listeners::{
    address_in_network, bind, bind_free, bind_preferred, loopback_of, parse_address, would_collide,
};
use crate::meter::MeterSlot;
use crate::notify::Notifier;
use crate::publish::Publisher;

/// Reports of devices that may wait for the loop. It takes microseconds for one; this is a burst of all
/// chargers of a large site.
const REPORTS: usize = 1024;
/// Wishes of people that may wait for the loop.
const REQUESTS: usize = 32;
/// The loop, the web and the devices share this many threads.
const THREADS: usize = 2;
/// The loop keeps what it learnt of the meter when it ends; it does not wait longer for a disk.
const LOOP_ENDS: std::time::Duration = std::time::Duration::from_secs(5);

/// What the process said on standard output, for the one that it becomes: there it is one line, said once.
const ANNOUNCED: &str = "HEADROOM_ANNOUNCED";
static SAID: std::sync::OnceLock<String> = std::sync::OnceLock::new();

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
        default_value = "127.0.0.1:8080",
        value_parser = parse_address
    )]
    listen: SocketAddr,
    /// Where OCPP charge points connect to
    #[arg(
        long,
        env = "HEADROOM_OCPP_LISTEN",
        value_name = "ADDR",
        default_value = "0.0.0.0:8887",
        value_parser = parse_address
    )]
    ocpp_listen: SocketAddr,
    /// A name under which the page is asked for, besides addresses, localhost, this computer's name and names ending in
    /// .local; may be given several times
    #[arg(
        long,
        env = "HEADROOM_HOST_NAMES",
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = parse_host_name
    )]
    host_name: Vec<String>,
    /// Read this meter instead of the configured one, for example `serial:/dev/ttyUSB0`
    #[arg(long, env = "HEADROOM_METER", value_name = "SOURCE")]
    meter: Option<String>,
    /// Compute and record decisions, but command nothing
    #[arg(long, env = "HEADROOM_OBSERVE", value_parser = BoolishValueParser::new())]
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
    #[arg(long, env = "HEADROOM_LISTEN", value_name = "ADDR", value_parser = parse_address)]
    listen: Option<SocketAddr>,
}

fn parse_speed(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|speed| (1.0..=60.0).contains(speed))
        .ok_or_else(|| "must be a number from 1 to 60".to_owned())
}

fn parse_host_name(text: &str) -> Result<String, String> {
    if is_host_name(text) {
        Ok(text.to_owned())
    } else {
        Err(
            "it must be the name alone, such as headroom.example.org, without http:// and port"
                .to_owned(),
        )
    }
}

/// `headroom run`.
pub(crate) fn run(args: &RunArgs) -> anyhow::Result<()> {
    if let Some(source) = &args.meter {
        headroom_meter_io::Source::parse(source).context("--meter")?;
    }
    if would_collide(args.listen, args.ocpp_listen) {
        bail!(
            "--listen {} and --ocpp-listen {} want the same port: give each one of its own",
            args.listen,
            args.ocpp_listen
        );
    }
    let path = data_directory(args.data.as_deref())?;
    block_on(async {
        let directory = DataDirectory::lock(&path)?;
        headroom_chargers::use_http_profiles(&directory.path().join("profiles"));
        let web = bind("--listen", args.listen).await?;
        let ocpp = bind("--ocpp-listen", args.ocpp_listen).await?;
        let state = StateDb::open(directory.path()).await?;
        let clock = Clock::service();
        let service = Service {
            clock,
            journal: open_journal(directory.path(), &clock).await,
            socket: socket::open(directory.path()),
            web,
            ocpp,
            meter: MeterSlot::new(args.meter.clone(), &state).await,
            state,
            observe: args.observe,
            host_names: args.host_name.clone(),
            pinned_meter: args.meter.as_deref().map(hide_password),
            demo: None,
            restart: Some(watch::Sender::new(false)),
            directory: directory.path().to_owned(),
        };
        service.run().await
    })
    .and_then(|end| match end {
        End::Stop => Ok(()),
        End::Restart => restart(),
    })
}

/// Becomes the same program with the same arguments and process id, which takes over what was restored.
fn restart() -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt;
    let program =
        std::env::current_exe().context("it cannot start anew by itself: start it again")?;
    let error = std::process::Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(ANNOUNCED, SAID.get().map_or("", String::as_str))
        .exec();
    Err(error).context("it cannot start anew by itself: start it again")
}

/// `headroom demo`.
pub(crate) fn demo(args: &DemoArgs) -> anyhow::Result<()> {
    block_on(async {
        let temporary = TemporaryDirectory::new()?;
        let directory = DataDirectory::lock(&temporary.0)?;
        let web = match args.listen {
            Some(address) => bind("--listen", address).await?,
            None => bind_preferred("--listen", 8080).await?,
        };
        let ocpp = bind_free("OCPP").await?;
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
            ..House::default()
        };
        edit.commit("demo", "the demo house").await?;
        drop(edit);
        let service = Service {
            clock,
            journal: open_journal(directory.path(), &clock).await,
            socket: socket::open(directory.path()),
            web,
            ocpp,
            meter: MeterSlot::new(None, &state).await,
            state,
            observe: false,
            host_names: Vec::new(),
            pinned_meter: None,
            demo: Some(house),
            restart: None,
            directory: directory.path().to_owned(),
        };
        service.run().await
    })
    .map(|_| ())
}

fn block_on<T>(service: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()?;
    let result = runtime.block_on(service);
    runtime.shutdown_background();
    result
}

/// Its file is opened beside the loop: the configuration alone is needed to guard a fuse.
async fn open_journal(directory: &Path, clock: &Clock) -> Journal {
    Journal::begin(
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
    /// Where commands beside the service reach it.
    socket: Option<Socket>,
    web: TcpListener,
    ocpp: TcpListener,
    meter: MeterSlot,
    observe: bool,
    host_names: Vec<String>,
    /// The source that the command line pins, and its password.
    pinned_meter: Option<(String, Option<String>)>,
    demo: Option<demo::DemoHouse>,
    /// Set to true when a backup was restored; `None` in the demo.
    restart: Option<watch::Sender<bool>>,
    directory: PathBuf,
}

/// Why the service ended.
enum End {
    /// Somebody wants it to stop.
    Stop,
    /// A restored backup waits to be taken over.
    Restart,
}

impl Service {
    async fn run(mut self) -> anyhow::Result<End> {
        let clock = self.clock;
        let (reports, received) = mpsc::channel(REPORTS);
        let (requests, requested) = mpsc::channel(REQUESTS);
        let (stop, stopped) = watch::channel(false);
        let wall = WallClock::new(move || clock.wall());
        let devices = Devices::start(DeviceSettings::default(), wall, reports);
        let memory = ChargerMemory::restore(&self.state, &devices).await;
        let memory = tokio::spawn(memory.keep(stopped.clone()));
        let web_address = self.web.local_addr()?;
        let ocpp_address = self.ocpp.local_addr()?;
        let tests = ChargerTests::load(&self.state, requests.clone(), clock.now()).await;
        let open_demo = self.demo.is_some() && web_address.ip().is_loopback();
        let publisher = Publisher::new(&clock, self.demo.is_some());
        let notifier = Notifier::new(&self.state);
        let outages = notifier.outages();
        let mut app = publisher.app(
            &self.state,
            &self.journal,
            requests,
            (devices.clone(), self.meter.trace.clone(), ocpp_address),
            notifier.clone(),
            Upkeep::new(self.directory, self.restart.clone()),
        );
        app.open_demo = open_demo;
        app.host_names.append(&mut self.host_names);
        if let Some((source, password)) = self.pinned_meter.take() {
            app.pinned_meter = Some(source);
            app.pinned_password = password.map(Secret::new);
        }
        let central_address = SocketAddr::new(loopback_of(ocpp_address.ip()), ocpp_address.port());
        if let Some(house) = &self.demo {
            app.demo = Some(house.switches(central_address));
        }
        let health = publisher.health();
        let notifying = tokio::spawn(notifier.run(app.events.subscribe()));

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
                memory: EngineMemory::load(&self.state).await,
                tests,
                outages,
            },
        );
        let mut control = tokio::spawn(control.run(stopped.clone()));
        let chargers = devices.clone();
        let tls = std::sync::Arc::clone(&app.tls);
        let scheme = tls.acceptor().map_or("http", |_| "https");
        let tls = Box::new(move || tls.acceptor());
        let central = tokio::spawn(async move { chargers.serve(self.ocpp, tls).await });
        let beside = self.socket.take();
        let beside = beside.map(|socket| tokio::spawn(socket.serve(app.clone())));
        let web = tokio::spawn(headroom_web::serve(self.web, app));
        if let Some(house) = &mut self.demo {
            house.connect_charge_points(central_address);
        }
        let journal = self.journal.clone();
        tokio::spawn(async move {
            journal.opened().await;
            health.set_ready(true);
        });
        warn_of_clear(&self.state.house(), None);
        announce(web_address, &self.state, open_demo).await?;
        tracing::info!(web = %web_address, ocpp = %ocpp_address, "Headroom is up");
        tell_address_in_network(web_address, scheme);
        // Only systemd asks for this; without it there is nothing to tell.
        drop(sd_notify::notify(&[sd_notify::NotifyState::Ready]));

        let outcome = tokio::select! {
            () = shutdown() => Ok(End::Stop),
            () = wanted(self.restart) => Ok(End::Restart),
            ended = &mut control => Err(anyhow::anyhow!("the loop has ended: {ended:?}")),
            ended = central => Err(anyhow::anyhow!("the central system has ended: {ended:?}")),
            ended = web => Err(anyhow::anyhow!("the web server has ended: {ended:?}")),
        };
        notifying.abort();
        tracing::info!("stopping: limits run out on the chargers by themselves");
        if let Some(beside) = beside {
            beside.abort();
        }
        stop.send_replace(true);
        devices.disconnect_all();
        if !control.is_finished() {
            // It keeps what it learnt of the meter, as long as the databases are open.
            drop(timeout(LOOP_ENDS, control).await);
        }
        drop(timeout(LOOP_ENDS, memory).await);
        self.journal.close().await;
        self.state.close().await;
        outcome
    }
}

/// Says in the log where others in the network reach the page, where it is open to them.
fn tell_address_in_network(web: SocketAddr, scheme: &str) {
    if web.ip().is_unspecified()
        && let Some(own) = address_in_network()
    {
        let page = SocketAddr::new(own, web.port());
        tracing::info!("in the network the page is at {scheme}://{page}");
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
    let line = match code {
        Some(code) => format!("Headroom http://{shown} setup-code {code}"),
        None => format!("Headroom http://{shown}"),
    };
    // The process before may have said so; a restored backup may have a code of its own.
    let before = std::env::var(ANNOUNCED).unwrap_or_default();
    let line = SAID.get_or_init(|| line);
    if *line == before {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
        tracing::warn!(
            "the address cannot be told on standard output ({error}): it is http://{shown}"
        );
    }
    Ok(())
}

/// Waits until a restored backup wants the program to start anew.
async fn wanted(restart: Option<watch::Sender<bool>>) {
    let Some(restart) = restart else {
        return std::future::pending().await;
    };
    if restart
        .subscribe()
        .wait_for(|wanted| *wanted)
        .await
        .is_err()
    {
        std::future::pending::<()>().await;
    }
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

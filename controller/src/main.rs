//! The program: reads its command line and runs one of the commands.
//!
//! Exit codes: 0 done, 1 wrong usage or configuration, 2 nothing found, 3 a check failed, 70 internal error.

#![deny(
    clippy::print_stderr,
    reason = "it panics where standard error cannot be written"
)]

/// Says a line on standard error. Where nobody can hear it, the work goes on.
macro_rules! tell {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        drop(writeln!(std::io::stderr(), $($words)*));
    }};
}

mod backup;
mod charger_memory;
mod charger_test;
mod checkpoints;
mod clock;
mod configuration;
mod control;
mod data;
mod decode;
mod demo;
mod doctor;
mod engine_command;
mod learnt;
mod listen;
mod listeners;
mod log;
mod meter;
mod notify;
mod password;
mod profile;
mod publish;
mod replay;
mod service;
mod simulate;
mod token;
mod untouched;

use std::process::ExitCode;

use anyhow::Context;
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

/// Wrong usage or configuration.
const USAGE: u8 = 1;
/// An internal error.
const INTERNAL: u8 = 70;

/// Keeps the main fuse from tripping while the cars get nearly all the energy that it allows.
///
/// The fuse stays the protective device: Headroom never replaces it.
#[derive(Debug, Parser)]
#[command(name = "headroom", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How the log on standard error is written
    #[arg(
        long,
        global = true,
        env = "HEADROOM_LOG_FORMAT",
        value_enum,
        default_value = "text"
    )]
    log_format: log::LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole product on a simulated house: look before you wire
    Demo(service::DemoArgs),
    /// The service
    Run(service::RunArgs),
    Decode(decode::DecodeArgs),
    Listen(listen::ListenArgs),
    /// The decision core alone: events as JSON lines on standard input, decisions on standard output
    Engine,
    Simulate(simulate::SimulateArgs),
    Profile(profile::ProfileArgs),
    Replay(replay::ReplayArgs),
    Export(configuration::ExportArgs),
    Apply(configuration::ApplyArgs),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    Doctor(doctor::DoctorArgs),
    /// API tokens
    Token(token::TokenArgs),
    /// Passwords of the page
    Password(password::PasswordArgs),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            // Nobody can be told when even this cannot be written.
            drop(error.print());
            return if asked {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(USAGE)
            };
        }
    };
    log::start(cli.log_format);
    match cli.command {
        Command::Demo(args) => finish(service::demo(&args)),
        Command::Run(args) => finish(service::run(&args)),
        Command::Decode(args) => decode::run(&args),
        Command::Listen(args) => {
            block_on(listen::run(args)).unwrap_or_else(|_| ExitCode::from(INTERNAL))
        }
        Command::Engine => {
            let ran = engine_command::run(std::io::stdin().lock(), std::io::stdout().lock());
            match ran {
                // Who reads no further has what he wanted.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
                ran => finish(
                    ran.context("the events could not be read, or the decisions not be written"),
                ),
            }
        }
        Command::Simulate(args) => simulate::run(&args).unwrap_or_else(|error| finish(Err(error))),
        Command::Replay(args) => block_on(replay::run(&args))
            .and_then(|done| done)
            .unwrap_or_else(|error| finish(Err(error))),
        Command::Profile(args) => block_on(profile::run(args))
            .and_then(|done| done)
            .unwrap_or_else(|error| finish(Err(error))),
        Command::Export(args) => {
            finish(block_on(configuration::export(&args)).and_then(|done| done))
        }
        Command::Apply(args) => finish(block_on(configuration::apply(&args)).and_then(|done| done)),
        Command::Backup(args) => finish(block_on(backup::backup(&args)).and_then(|done| done)),
        Command::Restore(args) => finish(block_on(backup::restore(&args)).and_then(|done| done)),
        Command::Doctor(args) => block_on(doctor::run(&args))
            .and_then(|done| done)
            .unwrap_or_else(|error| finish(Err(error))),
        Command::Token(args) => finish(block_on(token::run(&args)).and_then(|done| done)),
        Command::Password(args) => finish(block_on(password::run(&args)).and_then(|done| done)),
    }
}

/// Says what went wrong, with every cause, and what the exit code means.
fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell!("headroom: {error:#}");
            ExitCode::from(USAGE)
        }
    }
}

/// Runs a short command to its end.
fn block_on<T>(command: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(command))
}

//! `headroom doctor`: looks at what the service needs, says what is wrong and what to do. Changes nothing.

mod clock;
mod data;
mod devices;
mod ports;

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::data::DataArgs;

/// A check failed.
const FAILED: u8 = 3;

/// Check ports, permissions, disk, databases and clock, and say what to do; exit code 3 when something is wrong
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Where the page and the API of the service listen
    #[arg(
        long,
        env = "HEADROOM_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:8080"
    )]
    listen: SocketAddr,
    /// Where its charge points connect to
    #[arg(
        long,
        env = "HEADROOM_OCPP_LISTEN",
        value_name = "ADDR",
        default_value = "0.0.0.0:8887"
    )]
    ocpp_listen: SocketAddr,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// As it must be.
    Ok,
    /// It works, and may not for long, or not for what is planned.
    Warning,
    /// The service does not work like this.
    Problem,
}

/// One line of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    text: String,
    /// What to do about it.
    to_do: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Ok,
            text: text.into(),
            to_do: None,
        }
    }

    fn warning(check: &'static str, text: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self {
            state: State::Warning,
            to_do: Some(to_do.into()),
            ..Self::ok(check, text)
        }
    }

    fn problem(check: &'static str, text: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self {
            state: State::Problem,
            to_do: Some(to_do.into()),
            ..Self::ok(check, text)
        }
    }
}

/// `headroom doctor`.
pub(crate) async fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let directory = args.data.directory()?;
    let running = headroom_store::DataDirectory::is_in_use(&directory);
    let mut findings = vec![data::lock(&directory, running)];
    findings.extend(data::directory(&directory));
    findings.push(data::space(&directory));
    findings.extend(data::databases(&directory).await);
    findings.extend(ports::network(args.listen, args.ocpp_listen, running));
    findings.extend(ports::serial(&directory).await);
    findings.extend(devices::profiles(&directory).await);
    findings.extend(clock::all());
    let failed = findings.iter().any(|it| it.state == State::Problem);
    tell(&findings, args.json)?;
    Ok(if failed {
        ExitCode::from(FAILED)
    } else {
        ExitCode::SUCCESS
    })
}

fn tell(findings: &[Finding], json: bool) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    if json {
        let ok = findings.iter().all(|it| it.state != State::Problem);
        let answer = serde_json::json!({"ok": ok, "checks": findings});
        writeln!(out, "{answer}")?;
    } else {
        for finding in findings {
            let state = match finding.state {
                State::Ok => "ok",
                State::Warning => "warning",
                State::Problem => "problem",
            };
            writeln!(out, "{state:<8} {:<10} {}", finding.check, finding.text)?;
            if let Some(to_do) = &finding.to_do {
                writeln!(out, "{:<19} -> {to_do}", "")?;
            }
        }
    }
    out.flush()?;
    Ok(())
}

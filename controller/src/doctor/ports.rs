//! Ports of the network, and serial ports at which a meter may be.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use headroom_meter_io::{Source, SourceKind};
use headroom_store::StateDb;

use super::Finding;

const CHECK: &str = "port";
/// A service on this computer that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The beginning of an answer is enough.
const ANSWER: usize = 512;

pub(super) fn network(web: SocketAddr, ocpp: SocketAddr, running: bool) -> Vec<Finding> {
    let answers = is_ours(web);
    let mut page = port(web, "the page and the API", running && answers);
    if answers && !running {
        page.text = format!("another Headroom listens at {web}, with another data directory");
        page.to_do = Some(
            "stop that one, or name its directory with --data DIR; or choose another port with --listen".to_owned(),
        );
    }
    let ocpp = port(ocpp, "charge points", running);
    vec![page, ocpp]
}

fn port(address: SocketAddr, what: &str, ours: bool) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(CHECK, format!("{address} is free for {what}")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && ours => Finding::ok(
            CHECK,
            format!("{address} is in use by the running service for {what}"),
        ),
        Err(error) => {
            let (text, to_do) = match error.kind() {
                ErrorKind::AddrInUse => (
                    format!("another program listens at {address}, which is for {what}"),
                    "ss -ltnp (with sudo) names that program: stop it, or choose another port with --listen or --ocpp-listen",
                ),
                ErrorKind::AddrNotAvailable => (
                    format!("this computer has no address {}", address.ip()),
                    "127.0.0.1 is itself, 0.0.0.0 is all of its addresses",
                ),
                ErrorKind::PermissionDenied => (
                    format!("{address} is not allowed for this user"),
                    "choose a port from 1024, or grant CAP_NET_BIND_SERVICE",
                ),
                _ => (
                    format!("{address}: {error}"),
                    "choose another address or port",
                ),
            };
            Finding::problem(CHECK, text, to_do)
        }
    }
}

/// Whether a Headroom answers there.
fn is_ours(address: SocketAddr) -> bool {
    health(address)
        .is_ok_and(|answer| answer.contains("\r\n\r\nok\n") || answer.contains("problem+json"))
}

fn health(address: SocketAddr) -> io::Result<String> {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let mut stream = TcpStream::connect_timeout(&SocketAddr::new(ip, address.port()), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    let limit = u64::try_from(ANSWER * 4).unwrap_or(u64::MAX);
    stream.take(limit).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The configured meter's port, or else all that there are.
pub(super) async fn serial(directory: &Path) -> Vec<Finding> {
    let configured = configured_port(directory).await;
    let ports = match configured {
        Some(path) => vec![path],
        None => headroom_meter_io::serial_ports(),
    };
    if ports.is_empty() {
        return vec![Finding::ok(
            "serial",
            "there is no serial port; a meter may be in the network",
        )];
    }
    ports.iter().map(|path| serial_port(path)).collect()
}

async fn configured_port(directory: &Path) -> Option<PathBuf> {
    if !directory.join("state.db").exists() {
        return None;
    }
    let state = StateDb::look(directory).await.ok()?;
    let source = state.meter.source?;
    match Source::parse(&source).ok()?.kind() {
        SourceKind::Serial { path, .. } => Some(path.clone()),
        _ => None,
    }
}

fn serial_port(path: &Path) -> Finding {
    let shown = path.display();
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => {
            return Finding::problem(
                "serial",
                format!("{shown}, where the meter is read, is not there"),
                "plug the cable in; a name below /dev/serial/by-id stays the same whatever else is plugged in",
            );
        }
        Err(error) => {
            return Finding::problem(
                "serial",
                format!("{shown} cannot be looked at by this user ({error})"),
                "run this as the user of the service",
            );
        }
    }
    let access = rustix::fs::access(
        path,
        rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK,
    );
    match access {
        Ok(()) => Finding::ok("serial", format!("{shown} can be opened by this user")),
        Err(_) => Finding::problem(
            "serial",
            format!("{shown} is not allowed for this user"),
            "add the service's user to the group of the port, often dialout: usermod -aG dialout USER",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_port_of_somebody_else_is_a_problem_and_ours_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(port(address, "x", false).state, State::Problem);
        assert_eq!(port(address, "x", true).state, State::Ok);
        drop(listener);
        assert_eq!(port(address, "x", false).state, State::Ok);
        let nowhere = SocketAddr::from(([192, 0, 2, 1], 1));
        assert_eq!(port(nowhere, "x", false).state, State::Problem);
    }

    #[test]
    fn a_serial_port_that_is_gone_is_a_problem() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ttyUSB0");
        assert_eq!(serial_port(&path).state, State::Problem);
        std::fs::write(&path, "").unwrap();
        assert_eq!(serial_port(&path).state, State::Ok);
    }
}

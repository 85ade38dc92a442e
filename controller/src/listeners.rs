//! Where the service listens: addresses as people write them, and why one cannot be had.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use tokio::net::TcpListener;

/// An address of the command line.
///
/// # Errors
/// What to write instead.
pub(crate) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let example = match text.trim_start_matches(':').parse::<u16>() {
            Ok(port) => {
                format!("127.0.0.1:{port} for this computer alone, 0.0.0.0:{port} for its network")
            }
            Err(_) => "127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080".to_owned(),
        };
        format!("it must be an address and a port, such as {example}")
    })
}

/// Whether two listeners cannot both be had.
pub(crate) fn would_collide(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port()
        && one.port() != 0
        && (one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified())
}

/// Listens where a flag says.
pub(crate) async fn bind(flag: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let what = match error.kind() {
            ErrorKind::AddrInUse => {
                "another program listens there, maybe another Headroom (ss -ltnp names it): stop it, or choose another port"
            }
            ErrorKind::AddrNotAvailable => {
                "this computer has no such address: 127.0.0.1 is itself, 0.0.0.0 is all of its addresses"
            }
            ErrorKind::PermissionDenied => {
                "that is not allowed: choose a port from 1024, or grant CAP_NET_BIND_SERVICE"
            }
            _ => "choose another address or port",
        };
        anyhow::Error::new(error).context(format!("{flag} {address}: {what}"))
    })
}

/// A port of loopback that people know, or a free one.
pub(crate) async fn bind_preferred(flag: &str, port: u16) -> anyhow::Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => bind_free(flag).await,
    }
}

pub(crate) async fn bind_free(what: &str) -> anyhow::Result<TcpListener> {
    bind(what, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
}

/// Where others in the network reach this computer; `None` without a network. Nothing is sent for it.
pub(crate) fn address_in_network() -> Option<IpAddr> {
    // An address for documents (RFC 5737): only the way to it is asked for.
    const ANYWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ANYWHERE).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_unspecified() && !own.is_loopback()).then_some(own)
}

/// Where this computer reaches what listens there.
pub(crate) fn loopback_of(address: IpAddr) -> IpAddr {
    if address.is_unspecified() {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        address
    }
}

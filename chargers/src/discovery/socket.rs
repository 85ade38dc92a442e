//! The sockets of multicast DNS: one for each interface with an IPv4 address.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
    time::Duration,
};

use if_addrs::IfAddr;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{net::UdpSocket, sync::mpsc, time::sleep};
use tracing::debug;

use super::dns::MESSAGE_MAX;

/// Address and port of multicast DNS (RFC 6762, section 3).
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const PORT: u16 = 5353;
/// Interfaces that are asked at most; a computer with containers has many that lead nowhere.
const INTERFACES_MAX: usize = 16;
/// After an error of a socket, which may come again at once.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// A socket for each interface. `loopback`: for that one alone.
pub(super) fn open_all(loopback: bool) -> io::Result<Vec<Arc<UdpSocket>>> {
    let interfaces = if_addrs::get_if_addrs()?.into_iter();
    let addresses = interfaces.filter_map(|interface| match interface.addr {
        IfAddr::V4(v4) => (v4.ip.is_loopback() == loopback).then_some(v4.ip),
        IfAddr::V6(_) => None,
    });
    let mut sockets = Vec::new();
    let mut failed = None;
    for address in addresses.take(INTERFACES_MAX) {
        match open(address) {
            Ok(socket) => sockets.push(Arc::new(socket)),
            Err(error) => {
                debug!(%error, %address, "an interface is left out");
                failed = Some(error);
            }
        }
    }
    match (sockets.is_empty(), failed) {
        (true, Some(error)) => Err(error),
        (true, None) => {
            let text = "no interface of this computer has an IPv4 address";
            Err(io::Error::new(io::ErrorKind::AddrNotAvailable, text))
        }
        (false, _) => Ok(sockets),
    }
}

/// A socket that shares the port with the computer's own resolver, if it has one.
fn open(interface: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
    socket.join_multicast_v4(&GROUP, &interface)?;
    socket.set_multicast_if_v4(&interface)?;
    UdpSocket::from_std(socket.into())
}

/// Sends a question on every interface. One that fails is asked again with the next question.
pub(super) async fn send(sockets: &[Arc<UdpSocket>], question: &[u8]) {
    for socket in sockets {
        let to = SocketAddrV4::new(GROUP, PORT);
        if let Err(error) = socket.send_to(question, to).await {
            debug!(%error, "a question was not sent");
        }
    }
}

/// Hands over messages until nobody takes them. Runs for as long as it is searched.
pub(super) async fn listen(socket: Arc<UdpSocket>, messages: mpsc::Sender<Vec<u8>>) {
    let mut buffer = vec![0; MESSAGE_MAX];
    loop {
        match socket.recv(&mut buffer).await {
            Ok(length) => {
                let message = buffer.get(..length).unwrap_or_default().to_vec();
                // Of a flood the rest is lost.
                if let Err(mpsc::error::TrySendError::Closed(_)) = messages.try_send(message) {
                    return;
                }
            }
            Err(error) => {
                debug!(%error, "a message was not received");
                sleep(AFTER_ERROR).await;
            }
        }
    }
}

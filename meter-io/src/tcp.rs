//! Raw telegrams over TCP, as ser2net, `ESPHome` and network readers of customer ports send them.

use socket2::{SockRef, TcpKeepalive};
use std::{io, time::Duration};
use tokio::{net::TcpStream, time::timeout};

/// A reader in the house answers in milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Nothing is ever sent to a reader, so that only probes tell that it is gone: a reader that lost its power keeps no
/// connection, and many allow one only. With the usual number of probes that takes about a minute.
const PROBE_AFTER: Duration = Duration::from_secs(15);
const PROBE_EVERY: Duration = Duration::from_secs(5);

pub(crate) async fn open(address: &str) -> io::Result<TcpStream> {
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer within 10 s"))??;
    let probes = TcpKeepalive::new()
        .with_time(PROBE_AFTER)
        .with_interval(PROBE_EVERY);
    SockRef::from(&stream).set_tcp_keepalive(&probes)?;
    Ok(stream)
}

//! Raw telegrams over TCP, as ser2net and network readers of customer ports send them.

use std::{io, time::Duration};
use tokio::{net::TcpStream, time::timeout};

/// A reader in the house answers in milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) async fn open(address: &str) -> io::Result<TcpStream> {
    timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer within 10 s"))?
}

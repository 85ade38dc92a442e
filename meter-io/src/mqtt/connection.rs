//! Packets over a stream.

use bytes::BytesMut;
use rumqttc::mqttbytes::{Error, v4::Packet};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest message that is taken; the longest telegram has 16 KiB, twice that as hexadecimal text.
const PACKET_MAX: usize = 64 * 1024;

/// A stream with the bytes of the packet that is on its way.
#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: S,
    received: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(stream: S) -> Self {
        let received = BytesMut::new();
        Self { stream, received }
    }

    pub(super) async fn send(&mut self, packet: &Packet) -> io::Result<()> {
        let mut bytes = BytesMut::new();
        packet
            .write(&mut bytes, PACKET_MAX)
            .map_err(io::Error::other)?;
        self.stream.write_all(&bytes).await.map_err(ended)?;
        self.stream.flush().await
    }

    /// The next packet. Cancel-safe.
    pub(super) async fn next(&mut self) -> io::Result<Packet> {
        loop {
            match Packet::read(&mut self.received, PACKET_MAX) {
                Ok(packet) => return Ok(packet),
                Err(Error::InsufficientBytes(_)) => {}
                Err(Error::PayloadSizeLimitExceeded(_)) => {
                    let text = "a message is longer than 64 KiB: this is not the topic of a meter's reader";
                    return Err(io::Error::other(text));
                }
                Err(_) => return Err(no_broker()),
            }
            let read = self.stream.read_buf(&mut self.received);
            if read.await.map_err(ended)? == 0 {
                return Err(closed());
            }
        }
    }
}

/// What came is no MQTT.
pub(super) fn no_broker() -> io::Error {
    io::Error::other("what answers there is no MQTT broker")
}

fn closed() -> io::Error {
    let text = "the broker closed the connection";
    io::Error::new(io::ErrorKind::ConnectionAborted, text)
}

fn ended(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => closed(),
        _ => error,
    }
}

//! Packets of MQTT 3.1.1 over a stream.
//!
//! The library's packets are used, and not its client, which adds 440 kB to the program.

use std::{collections::HashMap, io, time::Duration};

use bytes::BytesMut;
use rumqttc::mqttbytes::{
    Error, QoS,
    v4::{
        Connect, ConnectReturnCode, Packet, Publish, Subscribe, SubscribeFilter,
        SubscribeReasonCode,
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    time::timeout,
};
use tracing::debug;

/// The longest message that is taken: a device's state has some hundred bytes.
const PACKET_MAX: usize = 64 * 1024;
/// A broker in the house answers in milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// The broker forgets a client that it has not heard for one and a half of this.
const KEEP_ALIVE_S: u16 = 30;
/// The number of the one subscription.
const SUBSCRIPTION: u16 = 1;
/// Messages that the broker has not acknowledged. More is no broker.
const UNACKNOWLEDGED_MAX: usize = 64;

/// A client that is logged in.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    received: BytesMut,
    last_id: u16,
    waiting: HashMap<u16, oneshot::Sender<()>>,
}

impl Connection {
    /// Connects, logs in as `name` and subscribes.
    pub(super) async fn open(address: &str, name: &str, topics: &[String]) -> io::Result<Self> {
        let opened = timeout(PATIENCE, async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut connection = Self {
                stream,
                received: BytesMut::new(),
                last_id: SUBSCRIPTION,
                waiting: HashMap::new(),
            };
            connection.log_in(name).await?;
            connection.subscribe(topics).await?;
            Ok(connection)
        });
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer within 5 s");
        opened.await.map_err(late)?
    }

    async fn log_in(&mut self, name: &str) -> io::Result<()> {
        let mut connect = Connect::new(name);
        connect.keep_alive = KEEP_ALIVE_S;
        connect.clean_session = true;
        self.send(&Packet::Connect(connect)).await?;
        let Packet::ConnAck(answer) = self.next().await? else {
            return Err(no_broker());
        };
        match answer.code {
            ConnectReturnCode::Success => Ok(()),
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => {
                let text = "the broker wants a login; let it take this computer without one";
                Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
            }
            code => Err(io::Error::other(format!(
                "the broker refused the connection ({code:?})"
            ))),
        }
    }

    async fn subscribe(&mut self, topics: &[String]) -> io::Result<()> {
        let filters = topics
            .iter()
            .map(|topic| SubscribeFilter::new(topic.clone(), QoS::AtMostOnce));
        let mut subscribe = Subscribe::new_many(filters);
        subscribe.pkid = SUBSCRIPTION;
        self.send(&Packet::Subscribe(subscribe)).await?;
        // What the broker kept may come before its answer. It is no news.
        loop {
            if let Packet::SubAck(answer) = self.next().await? {
                let granted =
                    |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
                return if answer.return_codes.iter().all(granted) {
                    Ok(())
                } else {
                    Err(io::Error::other("the broker refuses to let it be read"))
                };
            }
        }
    }

    /// Publishes; `done` hears when the broker has it, and is dropped when it will not.
    pub(super) async fn publish(
        &mut self,
        topic: &str,
        payload: &str,
        done: oneshot::Sender<()>,
    ) -> io::Result<()> {
        if self.waiting.len() >= UNACKNOWLEDGED_MAX {
            return Err(io::Error::other("the broker acknowledges nothing"));
        }
        self.last_id = match self.last_id.wrapping_add(1) {
            0..=SUBSCRIPTION => SUBSCRIPTION + 1,
            id => id,
        };
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
        publish.pkid = self.last_id;
        self.waiting.insert(self.last_id, done);
        self.send(&Packet::Publish(publish)).await
    }

    pub(super) async fn ping(&mut self) -> io::Result<()> {
        self.send(&Packet::PingReq).await
    }

    async fn send(&mut self, packet: &Packet) -> io::Result<()> {
        let mut bytes = BytesMut::new();
        packet
            .write(&mut bytes, PACKET_MAX)
            .map_err(io::Error::other)?;
        let written = timeout(PATIENCE, self.stream.write_all(&bytes)).await;
        written.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// The next packet; acknowledgements are dealt with. Cancel-safe.
    pub(super) async fn next(&mut self) -> io::Result<Packet> {
        loop {
            match Packet::read(&mut self.received, PACKET_MAX) {
                Ok(Packet::PubAck(acknowledged)) => {
                    let done = self.waiting.remove(&acknowledged.pkid);
                    if done.is_some_and(|done| done.send(()).is_err()) {
                        debug!("the call that published it was dropped");
                    }
                    return Ok(Packet::PubAck(acknowledged));
                }
                Ok(packet) => return Ok(packet),
                Err(Error::InsufficientBytes(_)) => {}
                Err(Error::PayloadSizeLimitExceeded(_)) => {
                    let text = "a message is longer than 64 KiB: this is not the topic of a device";
                    return Err(io::Error::other(text));
                }
                Err(_) => return Err(no_broker()),
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                let text = "the broker closed the connection";
                return Err(io::Error::new(io::ErrorKind::ConnectionAborted, text));
            }
        }
    }
}

fn no_broker() -> io::Error {
    io::Error::other("what answers there is no MQTT broker")
}

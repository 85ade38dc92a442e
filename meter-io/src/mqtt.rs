//! Messages of a meter's reader on an MQTT broker (3.1.1).
//!
//! A subscription of quality 0 is all that is needed: what a lost connection swallowed is old when it is back. So the
//! library's packets are used, which add 55 kB to the program, and not its client, which adds 440 kB.

mod connection;
mod message;

use crate::{
    feed::{Feed, Giver},
    source::MqttTopic,
    tcp,
};
use connection::Connection;
use headroom_codec::{Decoder, Options};
use message::Messages;
use rumqttc::mqttbytes::{
    QoS,
    v4::{Connect, ConnectReturnCode, Packet, Subscribe, SubscribeReasonCode},
};
use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    io,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    select,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tracing::debug;

/// The port of MQTT without TLS (IANA).
const PORT: u16 = 1883;
/// A broker in the house answers in milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the broker is asked whether it is there; it has as long for its answer.
const PING: Duration = Duration::from_secs(10);
/// The broker forgets a client that it has not heard for one and a half of this.
const KEEP_ALIVE_S: u16 = 30;
/// The number of the one request that is made.
const SUBSCRIPTION: u16 = 1;

/// Connects, logs in and subscribes; gives what comes from then on.
pub(crate) async fn open(source: &MqttTopic, options: &Options) -> io::Result<Feed> {
    let stream = tcp::open(&source.authority.address(PORT)).await?;
    let mut connection = Connection::new(stream);
    let subscribed = async {
        log_in(&mut connection, source).await?;
        subscribe(&mut connection, &source.topic).await
    };
    timeout(PATIENCE, subscribed)
        .await
        .map_err(|_| timed_out("the broker did not answer within 10 s"))??;
    let messages = Messages::new(Decoder::new(options));
    Ok(Feed::start(|giver| listen(connection, messages, giver)))
}

async fn log_in<S>(connection: &mut Connection<S>, source: &MqttTopic) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // Two clients of one name throw each other out. The keys of hash tables are random.
    let random = RandomState::new().build_hasher().finish() >> 16;
    let mut connect = Connect::new(format!("headroom{random:012x}"));
    connect.keep_alive = KEEP_ALIVE_S;
    connect.clean_session = true;
    if let Some(login) = &source.authority.login {
        let user = login.user.clone();
        match &login.password {
            Some(password) => connect.set_credentials(user, password.expose().to_owned()),
            None => connect.set_username(user),
        };
    }
    connection.send(&Packet::Connect(connect)).await?;
    let answer = connection.next().await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionAborted => connection::no_broker(),
        _ => error,
    });
    let Packet::ConnAck(answer) = answer? else {
        return Err(connection::no_broker());
    };
    match answer.code {
        ConnectReturnCode::Success => Ok(()),
        ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => {
            let text = "the broker refused the login: check the user and the password";
            Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
        }
        code => Err(io::Error::other(format!(
            "the broker refused the connection ({code:?})"
        ))),
    }
}

async fn subscribe<S>(connection: &mut Connection<S>, topic: &str) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // The topic itself is part of it (MQTT 3.1.1, 4.7.1.2).
    let mut subscribe = Subscribe::new(format!("{topic}/#"), QoS::AtMostOnce);
    subscribe.pkid = SUBSCRIPTION;
    connection.send(&Packet::Subscribe(subscribe)).await?;
    // What the broker kept may come before its answer. It is no news.
    loop {
        if let Packet::SubAck(answer) = connection.next().await? {
            let granted =
                |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
            return if answer.return_codes.iter().all(granted) {
                Ok(())
            } else {
                let text = format!("the broker does not let this user read the topic {topic:?}");
                Err(io::Error::other(text))
            };
        }
    }
}

/// Hands over messages until the connection is lost; tells why.
async fn listen<S>(mut connection: Connection<S>, messages: Messages, giver: Giver) -> io::Error
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match hand_over(&mut connection, messages, &giver).await {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

async fn hand_over<S>(
    connection: &mut Connection<S>,
    mut messages: Messages,
    giver: &Giver,
) -> io::Result<std::convert::Infallible>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut pings = interval_at(Instant::now() + PING, PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answered = true;
    loop {
        let packet = select! {
            packet = connection.next() => packet?,
            _ = pings.tick() => {
                if !answered {
                    return Err(timed_out("the broker no longer answers"));
                }
                answered = false;
                connection.send(&Packet::PingReq).await?;
                continue;
            }
        };
        // Whatever comes, the broker is there.
        answered = true;
        match packet {
            Packet::Publish(message) if message.retain => {
                // The broker kept it: it may be a second old, or a year.
                debug!(topic = ?message.topic, "a retained message is no news");
            }
            Packet::Publish(message) => {
                let items = messages.read(&message.payload);
                giver.give(message.payload.len(), items).await;
            }
            _ => {}
        }
    }
}

fn timed_out(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, text)
}

#[cfg(test)]
mod tests;

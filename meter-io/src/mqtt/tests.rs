use super::*;
use crate::source::{Source, SourceKind};
use headroom_codec::Item;
use rumqttc::mqttbytes::v4::{ConnAck, Publish, SubAck};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

const MESSAGE: &str = r#"{"data":{"P":1,"I1":2.5}}"#;

fn topic(text: &str) -> MqttTopic {
    match Source::parse(text).unwrap().kind() {
        SourceKind::Mqtt(topic) => topic.clone(),
        other => panic!("{other:?}"),
    }
}

/// Both ends of a connection.
fn ends() -> (Connection<DuplexStream>, Connection<DuplexStream>) {
    let (near, far) = duplex(256 * 1024);
    (Connection::new(near), Connection::new(far))
}

fn message(retain: bool) -> Packet {
    let mut message = Publish::new("ams", QoS::AtMostOnce, MESSAGE);
    message.retain = retain;
    Packet::Publish(message)
}

fn feed(connection: Connection<DuplexStream>) -> Feed {
    let messages = Messages::new(Decoder::new(&Options::default()));
    Feed::start(|giver| listen(connection, messages, giver))
}

#[tokio::test]
async fn a_login_and_its_refusal() {
    let source = topic("mqtt://jo:a%2Fb@broker/ams");
    for (code, says) in [
        (ConnectReturnCode::Success, None),
        (
            ConnectReturnCode::BadUserNamePassword,
            Some("check the user"),
        ),
        (ConnectReturnCode::NotAuthorized, Some("check the user")),
        (
            ConnectReturnCode::ServiceUnavailable,
            Some("ServiceUnavailable"),
        ),
    ] {
        let (mut near, mut far) = ends();
        let session_present = false;
        far.send(&Packet::ConnAck(ConnAck {
            session_present,
            code,
        }))
        .await
        .unwrap();
        let error = log_in(&mut near, &source)
            .await
            .err()
            .map(|error| error.to_string());
        assert_eq!(error.is_some(), says.is_some(), "{error:?}");
        assert!(error.unwrap_or_default().contains(says.unwrap_or_default()));
        let Packet::Connect(connect) = far.next().await.unwrap() else {
            panic!("no login");
        };
        let mut expected = Connect::new(connect.client_id.clone());
        expected.set_credentials("jo", "a/b");
        assert_eq!(connect.auth, expected.auth);
        assert!(
            connect.clean_session && connect.client_id.len() <= 23,
            "{connect:?}"
        );
    }
}

#[tokio::test]
async fn the_topic_and_all_below_it_are_asked_for() {
    for (answer, says) in [
        (SubscribeReasonCode::Success(QoS::AtMostOnce), None),
        (SubscribeReasonCode::Failure, Some("\"home/ams\"")),
    ] {
        let (mut near, mut far) = ends();
        far.send(&message(true)).await.unwrap();
        let answer = SubAck::new(SUBSCRIPTION, vec![answer]);
        far.send(&Packet::SubAck(answer)).await.unwrap();
        let error = subscribe(&mut near, "home/ams").await.err();
        assert_eq!(error.is_some(), says.is_some(), "{error:?}");
        let Packet::Subscribe(subscribe) = far.next().await.unwrap() else {
            panic!("no subscription");
        };
        assert_eq!(subscribe.filters[0].path, "home/ams/#");
    }
}

#[tokio::test(start_paused = true)]
async fn messages_are_handed_over_and_a_broker_that_is_silent_is_noticed() {
    let (near, mut far) = ends();
    let mut feed = feed(near);
    far.send(&message(true)).await.unwrap();
    far.send(&message(false)).await.unwrap();
    let given = feed.next().await.unwrap();
    assert_eq!(given.bytes, MESSAGE.len());
    assert!(
        matches!(given.heard[0].item, Item::Telegram(_)),
        "{given:?}"
    );
    // It answers once, and never again.
    let begun = Instant::now();
    assert_eq!(far.next().await.unwrap(), Packet::PingReq);
    far.send(&Packet::PingResp).await.unwrap();
    let error = feed.next().await.unwrap_err();
    assert_eq!(error.to_string(), "the broker no longer answers");
    assert_eq!(begun.elapsed(), PING * 3);
}

#[tokio::test]
async fn what_is_no_broker_is_told() {
    for (bytes, says) in [
        (&[0xFF; 100][..], "no MQTT broker"),
        (&[0x30, 0xFF, 0xFF, 0x7F, 0, 3], "longer than 64 KiB"),
        (&[0x30, 5, 0, 3, b'a'], "closed the connection"),
        (&[], "closed the connection"),
    ] {
        let (near, mut far) = duplex(1024);
        far.write_all(bytes).await.unwrap();
        drop(far);
        let error = Connection::new(near).next().await.unwrap_err().to_string();
        assert!(error.contains(says), "{bytes:?}: {error}");
    }
}

#[tokio::test]
async fn what_closes_at_a_login_is_no_broker() {
    for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[]] {
        let (near, mut far) = duplex(1024);
        far.write_all(bytes).await.unwrap();
        far.shutdown().await.unwrap();
        let source = topic("mqtt://broker/ams");
        let error = log_in(&mut Connection::new(near), &source).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("no MQTT broker"), "{bytes:?}: {error}");
        drop(far);
    }
}

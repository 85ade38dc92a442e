use super::*;
use crate::source::{Source, SourceKind};
use std::{future::Future, pin::Pin};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::sleep,
};

/// A meter that answers one request after the other, with what the test says.
struct Device(DuplexStream);

impl Device {
    /// The next request: its transaction, unit and the rest.
    async fn request(&mut self) -> ([u8; 2], u8, Vec<u8>) {
        let mut head = [0; 7];
        self.0.read_exact(&mut head).await.unwrap();
        let mut rest = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]])) - 1];
        self.0.read_exact(&mut rest).await.unwrap();
        ([head[0], head[1]], head[6], rest)
    }

    async fn answer(&mut self, transaction: [u8; 2], unit: u8, rest: &[u8]) {
        let len = u16::try_from(rest.len() + 1).unwrap().to_be_bytes();
        let head = [transaction[0], transaction[1], 0, 0, len[0], len[1], unit];
        self.0.write_all(&[&head[..], rest].concat()).await.unwrap();
    }

    /// The answer to a request for registers: all of them 230.0 as a float.
    fn registers(request: &[u8]) -> Vec<u8> {
        let count = u16::from_be_bytes([request[3], request[4]]);
        let mut answer = vec![request[0], u8::try_from(count * 2).unwrap()];
        for _ in 0..count / 2 {
            answer.extend_from_slice(&230_f32.to_be_bytes());
        }
        answer
    }
}

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Polls a device that does as `behave` says; gives the feed.
fn feed(behave: impl FnOnce(Device) -> Running) -> Feed {
    let source = Source::parse("modbus://meter/sdm630?unit=7&interval_ms=1500").unwrap();
    let SourceKind::Modbus(meter) = source.kind().clone() else {
        panic!("{source}");
    };
    let (near, far) = duplex(4096);
    tokio::spawn(behave(Device(far)));
    let context = modbus_tcp::attach_slave(Drained(near), Slave(7));
    Feed::start(|giver| poll(context, meter, giver))
}

async fn error(behave: impl FnOnce(Device) -> Running) -> String {
    feed(behave).next().await.unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_meter_is_asked_in_turn() {
    let mut feed = feed(|mut device| {
        Box::pin(async move {
            loop {
                let (transaction, unit, rest) = device.request().await;
                assert_eq!((unit, rest.as_slice()), (7, &[4, 0, 0, 0, 0x4C][..]));
                device
                    .answer(transaction, unit, &Device::registers(&rest))
                    .await;
            }
        })
    });
    let begun = tokio::time::Instant::now();
    for ms in [0, 1500, 3000] {
        let given = feed.next().await.unwrap();
        assert_eq!(given.bytes, 152);
        let Item::Telegram(telegram) = &given.heard[0].item else {
            panic!("{given:?}");
        };
        assert_eq!(telegram.phases[2].current_ma, Some(230_000));
        assert_eq!(begun.elapsed().as_millis(), ms);
    }
}

#[tokio::test(start_paused = true)]
async fn one_lost_answer_is_asked_for_again_and_a_late_one_is_dropped() {
    let mut feed = feed(|mut device| {
        Box::pin(async move {
            let (transaction, unit, rest) = device.request().await;
            let (again, _, _) = device.request().await;
            // The late answer comes behind the right one, while nobody asks.
            device.answer(again, unit, &Device::registers(&rest)).await;
            sleep(Duration::from_millis(100)).await;
            device
                .answer(transaction, unit, &Device::registers(&rest))
                .await;
            let (third, _, _) = device.request().await;
            device.answer(third, unit, &Device::registers(&rest)).await;
            device.request().await;
        })
    });
    assert_eq!(feed.next().await.unwrap().heard.len(), 1);
    assert_eq!(feed.next().await.unwrap().heard.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn silence_twice_is_an_error() {
    let begun = tokio::time::Instant::now();
    let text = error(|mut device| {
        Box::pin(async move {
            loop {
                device.request().await;
            }
        })
    })
    .await;
    assert!(text.contains("unit 7 did not answer"), "{text}");
    assert_eq!(begun.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_the_meter_refuses_is_told_in_words() {
    for (code, says) in [
        (1, "illegal function"),
        (
            2,
            "the registers 0x0000 to 0x004b (illegal data address), so it is no sdm630",
        ),
        (3, "illegal data value"),
        (4, "error"),
        (10, "no way to unit 7"),
        (11, "no answer from unit 7"),
    ] {
        let text = error(move |mut device| {
            Box::pin(async move {
                let (transaction, unit, rest) = device.request().await;
                device
                    .answer(transaction, unit, &[rest[0] | 0x80, code])
                    .await;
                device.request().await;
            })
        })
        .await;
        assert!(text.contains(says), "{code}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_asked_for_is_an_error() {
    type Answer = fn([u8; 2], u8, Vec<u8>) -> ([u8; 2], u8, Vec<u8>);
    let cases: [(&str, Answer); 4] = [
        ("not asked for", |transaction, unit, rest| {
            (transaction, unit + 1, rest)
        }),
        ("not asked for", |transaction, unit, rest| {
            ([9, transaction[1]], unit, rest)
        }),
        ("another request", |transaction, unit, mut rest| {
            rest[0] = 3;
            (transaction, unit, rest)
        }),
        ("another size", |transaction, unit, mut rest| {
            rest[1] -= 2;
            rest.truncate(rest.len() - 2);
            (transaction, unit, rest)
        }),
    ];
    for (says, change) in cases {
        let text = error(move |mut device| {
            Box::pin(async move {
                let (transaction, unit, rest) = device.request().await;
                let (transaction, unit, rest) = change(transaction, unit, Device::registers(&rest));
                device.answer(transaction, unit, &rest).await;
                device.request().await;
            })
        })
        .await;
        assert!(text.contains(says), "{says}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_meter_without_values_is_another_meter() {
    let mut feed = feed(|mut device| {
        Box::pin(async move {
            loop {
                let (transaction, unit, rest) = device.request().await;
                let mut answer = Device::registers(&rest);
                answer[2..].fill(0);
                device.answer(transaction, unit, &answer).await;
            }
        })
    });
    for _ in 0..STRANGE_MAX {
        let given = feed.next().await.unwrap();
        assert!(
            matches!(given.heard[0].item, Item::Rejected(_)),
            "{given:?}"
        );
    }
    let text = feed.next().await.unwrap_err().to_string();
    assert!(text.contains("Eastron SDM630"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn noise_and_an_end_are_errors() {
    for noise in [
        &[0; 300][..],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        &[0, 0, 0, 0, 0, 0, 7],
        &[],
    ] {
        let text = error(move |mut device| {
            Box::pin(async move {
                let (transaction, ..) = device.request().await;
                let start = if noise.is_empty() {
                    &[]
                } else {
                    &transaction[..]
                };
                device.0.write_all(&[start, noise].concat()).await.unwrap();
            })
        })
        .await;
        assert!(text.len() > 10 && !text.contains("Success"), "{text}");
    }
}

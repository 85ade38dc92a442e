//! Sources on a real pseudo-terminal, a real socket and a real file.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use headroom_core::units::{Milliamps, Watts};
use headroom_encode::{Values, kaifa, mbus::mbus};
use headroom_meter_io::{Meter, MeterStatus, Settings, Source, start};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_serial::{SerialPort, SerialStream};

/// Far above any pause that a test waits for; it only ends a test that fails.
const LIMIT: Duration = Duration::from_secs(20);

fn telegram(amps: u32) -> Vec<u8> {
    sealed(&format!(
        "1-0:31.7.0({amps:03}.00*A)\r\n1-0:32.7.0(230.1*V)\r\n"
    ))
}

fn sealed(phases: &str) -> Vec<u8> {
    let text = format!(
        "/HRM5TEST\r\n\r\n0-0:96.1.1(54455354)\r\n1-0:1.7.0(01.234*kW)\r\n1-0:2.7.0(00.000*kW)\r\n{phases}!"
    );
    let crc = text.bytes().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xA001
            } else {
                crc >> 1
            }
        })
    });
    format!("{text}{crc:04X}\r\n").into_bytes()
}

async fn amps(meter: &Meter) -> i64 {
    let reading = timeout(LIMIT, meter.next())
        .await
        .expect("a reading arrives")
        .reading;
    assert_eq!(reading.power_w, Some(Watts(1234)));
    let Some(Milliamps(current)) = reading.phases[0].unwrap().current_a else {
        panic!("no current")
    };
    current / 1000
}

async fn status(
    meter: &Meter,
    what: &str,
    wanted: impl FnMut(&MeterStatus) -> bool,
) -> MeterStatus {
    let mut status = meter.status();
    let Ok(found) = timeout(LIMIT, status.wait_for(wanted)).await else {
        panic!("never {what}: {:?}", meter.status().borrow());
    };
    found.expect("the source runs").clone()
}

/// A name of its own for a test's files, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("headroom-meter-io-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A pseudo-terminal whose other end is at `link`.
fn plug(link: &Path) -> SerialStream {
    let (mut master, slave) = SerialStream::pair().unwrap();
    master.set_exclusive(false).ok();
    fs::remove_file(link).ok();
    symlink(slave.name().expect("a pseudo-terminal has a name"), link).unwrap();
    master
}

#[tokio::test]
async fn a_serial_port_is_read_lost_and_found_again() {
    let folder = Folder::new("pty");
    let link = folder.0.join("ttyMETER");
    let mut port = plug(&link);
    let meter = start(
        Source::parse(&format!("serial:{}", link.display())).unwrap(),
        Settings::default(),
    );
    status(&meter, "open", |status| status.connected).await;
    port.write_all(&telegram(7)).await.unwrap();
    assert_eq!(amps(&meter).await, 7);
    let heard = status(&meter, "decoded", |status| status.telegrams == 1).await;
    assert_eq!(heard.serial.as_deref(), Some("115200 8N1"));
    assert_eq!(heard.line, Some("115200 8N1".parse().unwrap()));
    assert_eq!(heard.meter_model.as_deref(), Some("HRM5TEST"));
    assert_eq!(heard.meter_id.as_deref(), Some("54455354"));
    assert_eq!(heard.rejected.get("checksum"), Some(&0));

    drop(port);
    let lost = status(&meter, "lost", |status| !status.connected).await;
    assert!(lost.text.contains("Trying again in 1 s"), "{}", lost.text);

    let mut port = plug(&link);
    status(&meter, "open again", |status| status.connected).await;
    port.write_all(&telegram(9)).await.unwrap();
    assert_eq!(amps(&meter).await, 9);
}

#[tokio::test]
async fn what_worked_before_is_tried_first() {
    let folder = Folder::new("remembered");
    let link = folder.0.join("ttyMETER");
    let mut port = plug(&link);
    let remembered = "2400 8E1".parse().unwrap();
    let settings = Settings {
        remembered: Some(remembered),
        ..Settings::default()
    };
    let meter = start(
        Source::parse(&format!("serial:{}", link.display())).unwrap(),
        settings,
    );
    let open = status(&meter, "open", |status| status.connected).await;
    assert_eq!(
        (open.serial.as_deref(), open.line),
        (Some("2400 8E1"), None)
    );
    port.write_all(&telegram(7)).await.unwrap();
    let heard = status(&meter, "decoded", |status| status.telegrams == 1).await;
    assert_eq!(heard.line, Some(remembered));
}

#[tokio::test]
async fn a_missing_port_says_so_and_is_tried_again() {
    let folder = Folder::new("missing");
    let link = folder.0.join("ttyNONE");
    let meter = start(
        Source::parse(&format!("serial:{}", link.display())).unwrap(),
        Settings::default(),
    );
    let missing = status(&meter, "missing", |status| {
        status.text.contains("plugged in")
    })
    .await;
    assert!(
        !missing.connected && missing.text.contains("ttyNONE"),
        "{}",
        missing.text
    );
    let mut port = plug(&link);
    status(&meter, "open", |status| status.connected).await;
    port.write_all(&telegram(3)).await.unwrap();
    assert_eq!(amps(&meter).await, 3);
}

async fn tcp_meter() -> (TcpListener, Meter, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = format!("tcp://{}", listener.local_addr().unwrap());
    let meter = start(Source::parse(&source).unwrap(), Settings::default());
    let (stream, _) = timeout(LIMIT, listener.accept()).await.unwrap().unwrap();
    (listener, meter, stream)
}

#[tokio::test]
async fn a_network_reader_is_read_lost_and_found_again() {
    let (listener, meter, mut stream) = tcp_meter().await;
    // In pieces, as networks deliver.
    for piece in telegram(5).chunks(50) {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
    }
    assert_eq!(amps(&meter).await, 5);
    drop(stream);
    status(&meter, "lost", |status| !status.connected).await;
    let (mut stream, _) = timeout(LIMIT, listener.accept()).await.unwrap().unwrap();
    stream.write_all(&telegram(6)).await.unwrap();
    assert_eq!(amps(&meter).await, 6);
}

#[tokio::test]
async fn the_newest_reading_wins() {
    let (_listener, meter, mut stream) = tcp_meter().await;
    let burst: Vec<u8> = (1..=20).flat_map(telegram).collect();
    stream.write_all(&burst).await.unwrap();
    status(&meter, "all decoded", |status| status.telegrams == 20).await;
    assert_eq!(amps(&meter).await, 20);
}

#[tokio::test]
async fn garbage_and_damage_are_told_and_harm_nothing() {
    let (_listener, meter, mut stream) = tcp_meter().await;
    stream.write_all(&[0x55; 300]).await.unwrap();
    status(&meter, "garbage", |status| {
        status.text.contains("300 bytes heard, and no telegram")
    })
    .await;
    let mut damaged = telegram(4);
    damaged[40] ^= 1;
    stream.write_all(&damaged).await.unwrap();
    status(&meter, "counted", |status| {
        status.rejected.get("checksum") == Some(&1)
    })
    .await;
    stream.write_all(&telegram(4)).await.unwrap();
    assert_eq!(amps(&meter).await, 4);
}

#[tokio::test]
async fn a_dropped_meter_lets_go_of_its_port() {
    let (_listener, meter, mut stream) = tcp_meter().await;
    drop(meter);
    let closed = timeout(LIMIT, stream.read(&mut [0; 8])).await.unwrap();
    assert_eq!(closed.unwrap_or(0), 0);
}

#[tokio::test(start_paused = true)]
async fn a_capture_is_played_once_in_its_time() {
    let folder = Folder::new("file");
    let path = folder.0.join("capture.hex");
    let bytes = [telegram(1), telegram(2), telegram(3)].concat();
    let text: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(&path, text.join("\n")).unwrap();
    let source = format!("file:{}?interval_ms=10000", path.display());
    let meter = start(Source::parse(&source).unwrap(), Settings::default());
    let mut times = Vec::new();
    for wanted in 1..=3 {
        let reading = meter.next().await;
        assert_eq!(reading.telegram.phases[0].current_ma, Some(wanted * 1000));
        times.push(reading.received);
    }
    assert_eq!((times[2] - times[0]).as_secs(), 20);
    let over = meter
        .status()
        .wait_for(|status| status.ended)
        .await
        .unwrap()
        .clone();
    assert!(over.connected);
    assert_eq!(over.period_s, Some(10.0));
}

#[tokio::test(start_paused = true)]
async fn a_list_with_currents_that_stays_away_shows_beside_one_that_comes() {
    let folder = Folder::new("lists");
    let path = folder.0.join("capture");
    let telegrams: Vec<u8> = [telegram(1), telegram(2), telegram(3)]
        .into_iter()
        .chain((0..9).map(|_| sealed("")))
        .flatten()
        .collect();
    fs::write(&path, telegrams).unwrap();
    let source = format!("file:{}?interval_ms=10000", path.display());
    let meter = start(Source::parse(&source).unwrap(), Settings::default());
    let mut status = meter.status();
    let late = status
        .wait_for(|status| {
            status
                .text
                .contains("The list with the currents has not come for")
        })
        .await
        .unwrap()
        .clone();
    assert!(late.text.contains("long telegrams"), "{}", late.text);
    let (currents, power) = (late.lists["currents"], late.lists["power"]);
    assert_eq!(
        (currents.period_s, power.period_s),
        (Some(10.0), Some(10.0))
    );
    assert_eq!((power.last - currents.last).as_secs(), 30);
}

#[tokio::test]
async fn what_is_no_file_is_not_waited_for() {
    let meter = start(
        Source::parse("file:/dev/zero").unwrap(),
        Settings::default(),
    );
    let refused = status(&meter, "refused", |status| {
        status.text.contains("it is no file")
    })
    .await;
    assert!(!refused.connected);
}

#[tokio::test]
async fn frames_of_two_pushes_are_never_joined() {
    /// Longer than between the frames of one message.
    const SILENCE: Duration = Duration::from_millis(1200);
    let (_listener, meter, mut stream) = tcp_meter().await;
    let push = |watts| {
        let apdu = kaifa::austrian(&Values::house(watts, [5_000; 3], [230_000; 3]));
        let frames = mbus(&apdu, 200);
        let first = usize::from(frames[1]) + 6;
        (frames[..first].to_vec(), frames[first..].to_vec())
    };
    let (first, second) = push(1_000);
    stream.write_all(&first).await.unwrap();
    stream.write_all(&second).await.unwrap();
    status(&meter, "whole", |status| status.telegrams == 1).await;
    // The second half of one push and the first one of the next are lost.
    let (first, _) = push(20_000);
    let (_, second) = push(180);
    stream.write_all(&first).await.unwrap();
    // The silence of the line is the input here.
    tokio::time::sleep(SILENCE).await;
    stream.write_all(&second).await.unwrap();
    let (first, second) = push(2_000);
    stream.write_all(&[first, second].concat()).await.unwrap();
    let reading = async || timeout(LIMIT, meter.next()).await.unwrap().reading;
    let mut readings = vec![reading().await.power_w];
    while readings.last() != Some(&Some(Watts(2_000))) {
        readings.push(reading().await.power_w);
    }
    assert_eq!(meter.status().borrow().telegrams, 2, "{readings:?}");
}

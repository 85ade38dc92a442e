//! 200 pages that look on, a tenth of which take nothing: printed, never asserted.
//!
//! Measured is the time from a telegram's last byte to the reading on a page, which passes the loop, first with that page alone,
//! then with all. `HEADROOM_BIN` names the binary; give a release build.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement that fails may panic"
)]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use headroom_tests::{
    controller::Controller,
    pty::MeterPort,
    telegram::{Values, p1},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpSocket, TcpStream},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

const PAGES: usize = 200;
/// Of these so many take nothing.
const SLOW: usize = 20;
/// The server takes 128 connections of one address.
const OF_ONE_ADDRESS: usize = 60;
const TELEGRAMS: u32 = 120;
/// Faster than any meter, so that much is to be told.
const EVERY: Duration = Duration::from_millis(100);

#[tokio::main]
async fn main() {
    let dir = TempDir::new().unwrap();
    let port = MeterPort::new(&dir.path().join("meter"));
    let controller = Controller::start(&dir.path().join("data"), Some(&port.source()));
    let address: SocketAddr = controller
        .api
        .base
        .trim_start_matches("http://")
        .parse()
        .unwrap();
    let token = controller.api.token.clone().unwrap();

    let (told, mut heard) = unbounded_channel();
    let first = BufReader::new(look_on(address, &token, 0, None).await);
    tokio::spawn(async move {
        let mut lines = first.lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line.starts_with("event: reading") || line.starts_with("event:reading") {
                told.send(Instant::now()).unwrap();
            }
        }
    });
    let alone = measure(&port, &mut heard, 0).await;

    let (open, bytes) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut silent = Vec::new();
    for page in 1..PAGES {
        if page <= SLOW {
            silent.push(look_on(address, &token, page, Some(2048)).await);
            continue;
        }
        let mut stream = look_on(address, &token, page, None).await;
        let (open, bytes) = (Arc::clone(&open), Arc::clone(&bytes));
        open.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            let mut buffer = [0; 16 * 1024];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                bytes.fetch_add(count, Ordering::Relaxed);
            }
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
    let crowded = measure(&port, &mut heard, TELEGRAMS).await;
    let (alone, crowded) = (words(alone), words(crowded));
    println!("benchmark: telegram to page, one page: {alone}");
    println!("benchmark: telegram to page, {PAGES} pages, {SLOW} of which take nothing: {crowded}");
    println!(
        "benchmark: pages that are still told everything: {} of {}; {} KiB were sent to them",
        open.load(Ordering::Relaxed),
        PAGES - SLOW - 1,
        bytes.load(Ordering::Relaxed) / 1024,
    );
    drop(silent);
}

/// Opens `GET /events`, from an address of its own kind. `buffer`: what the system keeps for who does not read.
async fn look_on(address: SocketAddr, token: &str, page: usize, buffer: Option<u32>) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    if let Some(buffer) = buffer {
        socket.set_recv_buffer_size(buffer).unwrap();
    }
    let own = u8::try_from(2 + page / OF_ONE_ADDRESS).unwrap();
    socket
        .bind(SocketAddr::from(([127, 0, 0, own], 0)))
        .unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    if buffer.is_none() {
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200", "page {page}");
    }
    stream
}

/// Sends telegrams; how long each takes to the page.
async fn measure(
    port: &MeterPort,
    heard: &mut UnboundedReceiver<Instant>,
    from: u32,
) -> Vec<Duration> {
    let mut times = Vec::new();
    for number in from..from + TELEGRAMS {
        let telegram = p1::telegram(&values(number), number);
        while heard.try_recv().is_ok() {}
        port.send(&telegram);
        let sent = Instant::now();
        // The first ones are for the source to find its way.
        if let Ok(Some(seen)) = tokio::time::timeout(Duration::from_secs(2), heard.recv()).await {
            times.push(seen.duration_since(sent));
        }
        tokio::time::sleep(EVERY).await;
    }
    times
}

/// Currents that move with each telegram.
fn values(number: u32) -> Values {
    let currents = [4000 + number % 50 * 100, 5000, 6000];
    Values::house(
        currents.iter().sum::<u32>() / 1000 * 230,
        currents,
        [230_000 + number % 11 * 100; 3],
    )
}

fn words(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1000.0;
    format!(
        "median {:.2} ms, 99 % {:.2} ms, worst {:.2} ms of {}",
        at(50),
        at(99),
        at(100),
        times.len()
    )
}

//! The demo's meter: a real pseudo-terminal that carries one P1 telegram per sample of the plant.
//!
//! The far end is opened by its path through the ordinary `serial:` source, so that detection, framing
//! and decoding are those of `run`. A near end stays open as well: it keeps the terminal raw and alive
//! while the reader closes and opens it again.

use std::time::Duration;

use headroom_sim::MeterSample;
use headroom_sim::p1::{Identity, telegram};
use jiff::Timestamp;
use jiff::tz::Offset;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio_serial::{ClearBuffer, SerialPort as _, SerialStream};

use super::DemoError;
use super::plant::Plant;

/// A meter does not wait for its reader: what the terminal does not take in this time is cut off.
const WRITE_LIMIT: Duration = Duration::from_millis(500);

/// Bytes that may wait in the terminal for a reader that is late: about two telegrams. Half of what a
/// terminal's line discipline holds, so that all of them can be seen and cleared.
const UNREAD_MAX: u32 = 2048;

/// The two ends of the cable.
#[derive(Debug)]
pub(crate) struct Port {
    meter: SerialStream,
    keeper: SerialStream,
    path: String,
}

impl Port {
    /// Makes a pseudo-terminal.
    ///
    /// # Errors
    /// If the system gives none.
    pub(crate) fn open() -> Result<Self, DemoError> {
        // A pair is made without locks; `set_exclusive(false)` would take a shared one, and the reader wants
        // the terminal for itself.
        let (meter, keeper) = SerialStream::pair().map_err(DemoError::Terminal)?;
        let path = keeper.name().ok_or(DemoError::NamelessTerminal)?;
        Ok(Self {
            meter,
            keeper,
            path,
        })
    }

    /// Where the reader finds it.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Writes telegrams as long as there are samples.
    pub(crate) async fn run(mut self, mut samples: mpsc::Receiver<MeterSample>, plant: Plant) {
        let identity = Identity::default();
        while let Some(sample) = samples.recv().await {
            let bytes = telegram(
                &sample,
                &identity,
                &meter_clock(plant.wall_at(sample.measured_at_ms)),
            );
            self.forget_unread();
            match tokio::time::timeout(WRITE_LIMIT, self.meter.write_all(&bytes)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "the demo's meter cannot write"),
                Err(_) => tracing::debug!("the terminal takes nothing; a telegram is cut off"),
            }
        }
    }

    /// Without a reader a cable keeps nothing: who opens the port later must not hear of old currents.
    fn forget_unread(&self) {
        if self
            .keeper
            .bytes_to_read()
            .is_ok_and(|unread| unread > UNREAD_MAX)
        {
            let cleared = self.keeper.clear(ClearBuffer::Input);
            tracing::debug!(
                ?cleared,
                "nobody reads the demo's meter; telegrams are lost"
            );
        }
    }
}

/// Swedish meters keep normal time all year.
fn meter_clock(time: Timestamp) -> String {
    let local = Offset::constant(1).to_datetime(time);
    format!("{}W", local.strftime("%y%m%d%H%M%S"))
}

#[cfg(test)]
mod tests {
    use headroom_sim::House;
    use tokio::io::AsyncReadExt as _;

    use super::*;
    use crate::clock::Clock;

    fn plant() -> Plant {
        let house = House::new(headroom_sim::demo::house(), 1);
        Plant::new(house, Clock::new(1.0, 0))
    }

    /// A reader that comes late hears nothing that is older than the last few telegrams.
    #[tokio::test]
    async fn unread_telegrams_are_lost() {
        let plant = plant();
        let port = Port::open().unwrap();
        let path = port.path().to_owned();
        let (send, receive) = mpsc::channel(1);
        let task = tokio::spawn(port.run(receive, plant.clone()));
        let sample = |second: u64| MeterSample {
            measured_at_ms: second * 1000,
            ..MeterSample::default()
        };
        for second in 0..20 {
            send.send(sample(second)).await.unwrap();
            // The kernel hands over what is written at its leisure; meters write once a second.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut reader = SerialStream::open(&tokio_serial::new(&path, 115_200)).unwrap();
        let newest = meter_clock(plant.wall_at(19_000));
        let mut heard = Vec::new();
        let listen = async {
            while !String::from_utf8_lossy(&heard).contains(&newest) {
                reader.read_buf(&mut heard).await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(5), listen)
            .await
            .unwrap();
        let heard = String::from_utf8_lossy(&heard);
        for second in 0..10 {
            assert!(
                !heard.contains(&meter_clock(plant.wall_at(second * 1000))),
                "{second} s"
            );
        }
        task.abort();
    }

    /// The whole of a telegram passes the terminal, byte by byte as it was written, also to a second reader.
    #[tokio::test]
    async fn telegrams_arrive_at_the_path() {
        let plant = plant();
        let port = Port::open().unwrap();
        let path = port.path().to_owned();
        let (send, receive) = mpsc::channel(4);
        let task = tokio::spawn(port.run(receive, plant.clone()));
        let mut house = House::new(headroom_sim::demo::house(), 1);
        house.step(3_000);
        for _ in 0..2 {
            let sample = house.fetch_sample().unwrap();
            let clock = meter_clock(plant.wall_at(sample.measured_at_ms));
            let expected = telegram(&sample, &Identity::default(), &clock);
            let mut reader = SerialStream::open(&tokio_serial::new(&path, 115_200)).unwrap();
            send.send(sample).await.unwrap();
            let mut bytes = vec![0; expected.len()];
            let read = reader.read_exact(&mut bytes);
            tokio::time::timeout(Duration::from_secs(5), read)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(bytes, expected);
        }
        drop(send);
        task.await.unwrap();
    }
}

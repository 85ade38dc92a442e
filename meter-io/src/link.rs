//! An open source, whatever its kind.

use crate::{
    feed::{Feed, Given},
    file::Replay,
    http,
    meter::Heard,
    modbus, mqtt,
    serial::{self, Line},
    source::SourceKind,
    tcp,
};
use headroom_codec::{Decoder, Options};
use std::{io, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    sync::Semaphore,
    time::{Instant, timeout},
};
use tokio_serial::SerialStream;

/// Bytes read at once: a second of the fastest serial line is 11 500.
const READ_SIZE: usize = 4096;
/// Serial drivers and network file systems may hang while opening.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Where telegrams come from.
#[derive(Debug)]
pub(crate) enum Link {
    Serial(Box<SerialStream>),
    Tcp(TcpStream),
    File(Box<Replay>),
    Feed(Feed),
}

impl Link {
    /// Opens a source.
    pub(crate) async fn open(
        kind: &SourceKind,
        line: Option<Line>,
        opener: &mut Opener,
        options: &Options,
    ) -> io::Result<Self> {
        match kind {
            SourceKind::Serial { path, .. } => {
                let line = line.ok_or_else(|| io::Error::other("no line parameters"))?;
                let path = opener.stable.clone().unwrap_or_else(|| path.clone());
                let open = move || Ok((serial::open(&path, line)?, serial::stable_name(&path)));
                let (port, name) = opener.blocking(open).await?;
                if name.is_some() {
                    opener.stable = name;
                }
                Ok(Self::Serial(Box::new(port)))
            }
            SourceKind::Tcp { address } => tcp::open(address).await.map(Self::Tcp),
            SourceKind::File { path, interval } => {
                let path = path.clone();
                let bytes = opener.blocking(move || Replay::read_file(&path)).await?;
                Ok(Self::File(Box::new(Replay::new(bytes, *interval, options))))
            }
            SourceKind::Http(meter) => http::open(meter, options).await.map(Self::Feed),
            SourceKind::Modbus(meter) => modbus::open(meter, opener).await.map(Self::Feed),
            SourceKind::Mqtt(topic) => mqtt::open(topic, options).await.map(Self::Feed),
        }
    }

    /// Waits for what comes next. `None`: the other end is gone. Cancel-safe.
    pub(crate) async fn next(&mut self, decoder: &mut Decoder) -> io::Result<Option<Given>> {
        let mut buffer = Vec::with_capacity(READ_SIZE);
        match self {
            Self::Serial(port) => port.read_buf(&mut buffer).await?,
            Self::Tcp(stream) => stream.read_buf(&mut buffer).await?,
            Self::File(replay) => replay.read(&mut buffer).await,
            Self::Feed(feed) => return feed.next().await.map(Some),
        };
        let received = Instant::now();
        let mut heard = Vec::new();
        decoder.push_raw(&buffer, |item, raw| {
            let raw = raw.to_vec();
            heard.push(Heard { item, raw });
        });
        let bytes = buffer.len();
        let high = buffer.iter().filter(|byte| !byte.is_ascii()).count();
        let given = Given {
            bytes,
            high,
            received,
            heard,
        };
        Ok((bytes > 0).then_some(given))
    }

    /// Changes the parameters of a serial line.
    pub(crate) fn change(&mut self, line: Line) -> io::Result<()> {
        match self {
            Self::Serial(port) => serial::change(port, line),
            Self::Tcp(_) | Self::File(_) | Self::Feed(_) => Ok(()),
        }
    }

    /// Whether its bytes come when the meter sends them: a replay keeps its own time, and a feed gives whole messages.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::Serial(_) | Self::Tcp(_))
    }

    /// Whether silence means that something is wrong: a replay that is over is only over.
    pub(crate) fn may_be_lost(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self, Self::File(replay) if replay.is_over())
    }
}

/// What outlives a link of a source.
#[derive(Debug)]
pub(crate) struct Opener {
    /// The name of the serial port by what is plugged in.
    stable: Option<PathBuf>,
    /// One attempt at a time: a driver that hangs holds one thread, however often it is tried.
    turn: Arc<Semaphore>,
}

impl Default for Opener {
    fn default() -> Self {
        Self {
            stable: None,
            turn: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Opener {
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let Ok(turn) = Arc::clone(&self.turn).try_acquire_owned() else {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "its driver still hangs",
            ));
        };
        let work = move || {
            let result = work();
            drop(turn);
            result
        };
        match timeout(OPEN_TIMEOUT, tokio::task::spawn_blocking(work)).await {
            Ok(Ok(result)) => result,
            Ok(Err(failed)) => Err(io::Error::other(failed)),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "it did not open within 10 s",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test(start_paused = true)]
    async fn a_driver_that_hangs_holds_one_thread() {
        let opener = Opener::default();
        let (release, hang) = mpsc::channel::<()>();
        // Virtual time stands still while a blocking thread runs, so the attempt is given up by hand.
        let attempt = opener.blocking(move || hang.recv().map_err(io::Error::other));
        tokio::pin!(attempt);
        tokio::select! {
            biased;
            _ = &mut attempt => panic!("it hangs"),
            () = tokio::task::yield_now() => {}
        }
        let second = opener.blocking(|| Ok(())).await;
        assert_eq!(second.unwrap_err().to_string(), "its driver still hangs");
        release.send(()).unwrap();
        attempt.await.unwrap();
        opener.blocking(|| Ok(())).await.unwrap();
    }
}

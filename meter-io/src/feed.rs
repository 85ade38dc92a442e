//! A source that is asked, or tells, over a network: it runs beside the link and hands over what it got.
//!
//! A request takes its time, and a link must be cancel-safe: so each such source is a task of its own with a short queue.

use crate::meter::Heard;
use headroom_codec::Item;
use std::{future::Future, io};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, spawn},
    time::Instant,
};

/// The link takes each at once; a source that is faster waits.
const QUEUE: usize = 4;

/// What came at once.
#[derive(Debug)]
pub(crate) struct Given {
    /// Bytes of the answer or message.
    pub(crate) bytes: usize,
    /// How many of them have their highest bit set; counted where they came over a line.
    pub(crate) high: usize,
    /// When the last of them was received.
    pub(crate) received: Instant,
    /// What they say. Empty: nothing new.
    pub(crate) heard: Vec<Heard>,
}

/// The receiving end. Dropping it ends the source.
#[derive(Debug)]
pub(crate) struct Feed {
    given: mpsc::Receiver<io::Result<Given>>,
    task: AbortHandle,
}

/// The giving end.
#[derive(Debug, Clone)]
pub(crate) struct Giver(mpsc::Sender<io::Result<Given>>);

impl Feed {
    /// Runs `work`, which gives until its link is lost, and then tells why.
    pub(crate) fn start<W, F>(work: W) -> Self
    where
        W: FnOnce(Giver) -> F,
        F: Future<Output = io::Error> + Send + 'static,
    {
        let (sender, given) = mpsc::channel(QUEUE);
        let running = work(Giver(sender.clone()));
        let task = spawn(async move {
            let lost = running.await;
            // Nobody listens any more: the link was dropped.
            drop(sender.send(Err(lost)).await);
        });
        Self {
            given,
            task: task.abort_handle(),
        }
    }

    /// What comes next. Cancel-safe.
    pub(crate) async fn next(&mut self) -> io::Result<Given> {
        self.given
            .recv()
            .await
            .unwrap_or_else(|| Err(io::Error::other("the source failed inside Headroom")))
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Giver {
    /// Hands over items of one answer or message that was just received, each with its bytes.
    pub(crate) async fn give(&self, bytes: usize, items: Vec<(Item, Vec<u8>)>) {
        let heard = items
            .into_iter()
            .map(|(item, raw)| Heard { item, raw })
            .collect();
        let given = Given {
            bytes,
            high: 0,
            received: Instant::now(),
            heard,
        };
        // A link that is gone aborts this task at once.
        drop(self.0.send(Ok(given)).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_codec::{Protocol, Telegram};

    #[tokio::test]
    async fn what_is_given_arrives_in_order_and_then_why_it_ended() {
        let mut feed = Feed::start(|giver| async move {
            for bytes in 1..=9 {
                let item = Item::Telegram(Telegram::new(Protocol::Shelly));
                giver.give(bytes, vec![(item, Vec::new())]).await;
            }
            io::Error::other("unplugged")
        });
        for bytes in 1..=9 {
            let given = feed.next().await.unwrap();
            assert_eq!((given.bytes, given.heard.len()), (bytes, 1));
        }
        assert_eq!(feed.next().await.unwrap_err().to_string(), "unplugged");
        assert!(feed.next().await.is_err());
    }

    #[tokio::test]
    async fn a_source_that_fails_is_a_lost_link() {
        let mut feed = Feed::start(|_| async { panic!("a defect") });
        assert!(feed.next().await.is_err());
    }
}

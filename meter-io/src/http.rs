//! Meters that are asked over HTTP, once a second.
//!
//! Input: a [`HttpMeter`]. Output: a feed of telegrams. Each kind of meter asks in its own way and knows what of an answer
//! is new; an answer without anything new gives no telegram, so that a frozen value grows old.

mod amsreader;
mod client;
mod fresh;
mod homewizard;
mod shelly;
mod tls;
mod trust;

use crate::{
    feed::{Feed, Giver},
    source::{HttpKind, HttpMeter},
};
use amsreader::Amsreader;
use client::Client;
use headroom_codec::{Item, Options, Protocol, Reason, Rejected, Telegram};
use homewizard::Homewizard;
use shelly::Shelly;
use std::{io, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// The fastest of these meters has new values every second; `HomeWizard` asks for no less than half of that.
const POLL: Duration = Duration::from_secs(1);

/// What one round of questions gave.
struct Answer {
    /// Bytes of all answers.
    bytes: usize,
    /// What is new in them, each with its bytes.
    items: Vec<(Item, Vec<u8>)>,
}

impl Answer {
    /// An answer in JSON, read.
    fn read(protocol: Protocol, body: Vec<u8>, read: Result<Telegram, Reason>) -> Self {
        let bytes = body.len();
        let item = match read {
            Ok(telegram) => Item::Telegram(telegram),
            Err(reason) => Item::Rejected(Rejected {
                protocol,
                reason,
                bytes,
            }),
        };
        let items = vec![(item, body)];
        Self { bytes, items }
    }

    /// An answer that says nothing new.
    fn nothing_new(bytes: usize) -> Self {
        let items = Vec::new();
        Self { bytes, items }
    }
}

/// How a kind of meter is asked.
enum Asker {
    Homewizard(Box<Homewizard>),
    Amsreader(Box<Amsreader>),
    Shelly(Box<Shelly>),
}

impl Asker {
    async fn ask(&mut self, client: &Client) -> io::Result<Answer> {
        match self {
            Self::Homewizard(meter) => meter.ask(client).await,
            Self::Amsreader(meter) => meter.ask(client).await,
            Self::Shelly(meter) => meter.ask(client).await,
        }
    }
}

/// Asks once, so that an open link is one that answered, and goes on asking.
pub(crate) async fn open(meter: &HttpMeter, options: &Options) -> io::Result<Feed> {
    let client = Client::new(meter)?;
    let (client, mut asker) = match meter.kind {
        HttpKind::HomewizardV1 => {
            let asker = Homewizard::first(&client, options).await?;
            (client, Asker::Homewizard(Box::new(asker)))
        }
        HttpKind::HomewizardV2 => {
            let token = options.key.as_ref().ok_or_else(|| {
                let text = "version 2 needs the token that the meter gives when it is paired (docs/meters.md): enter it as the meter's key";
                io::Error::other(text)
            })?;
            let client = client.with_token(token.digits());
            let asker = Homewizard::second(options);
            (client, Asker::Homewizard(Box::new(asker)))
        }
        HttpKind::Amsreader => (
            client,
            Asker::Amsreader(Box::new(Amsreader::new(&meter.path))),
        ),
        HttpKind::Shelly => {
            let asker = Shelly::open(&client).await?;
            (client, Asker::Shelly(Box::new(asker)))
        }
    };
    let first = asker.ask(&client).await?;
    Ok(Feed::start(move |giver| async move {
        giver.give(first.bytes, first.items).await;
        poll(&client, &mut asker, &giver).await
    }))
}

/// Asks until it fails, and tells why.
async fn poll(client: &Client, asker: &mut Asker, giver: &Giver) -> io::Error {
    let mut ticks = interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        match asker.ask(client).await {
            Ok(answer) => giver.give(answer.bytes, answer.items).await,
            Err(error) => return error,
        }
    }
}

//! `HomeWizard` meters: the raw telegram of a P1 reader where there is one, else the values of its page.
//!
//! The raw telegram has its checksum, the meter's clock and the resolution of the currents; the page has none of these.

use super::{
    Answer,
    client::{Client, Page},
    fresh::Fresh,
};
use headroom_codec::{Decoder, Item, MeterTime, Options, Protocol, Reason, Rejected, Text, json};
use std::io;

/// What a product is called that has no telegram to give.
const KWH_METERS: [&str; 2] = ["HWE-KWH", "SDM"];

pub(super) struct Homewizard {
    telegram_page: &'static str,
    values_page: &'static str,
    /// One for all answers: it remembers the frame counter of a ciphered telegram.
    decoder: Decoder,
    product: Option<Text>,
    /// It has no raw telegram.
    values_only: bool,
    /// The clock of the last telegram that was given.
    time: Option<MeterTime>,
    /// The last telegram that was given.
    body: Vec<u8>,
    /// Of values without a clock.
    fresh: Fresh,
}

impl Homewizard {
    /// By the first interface.
    pub(super) async fn first(client: &Client, options: &Options) -> io::Result<Self> {
        let device = client.get("api").await?.body()?;
        let product = json::homewizard_device(&device)
            .ok_or_else(|| io::Error::other("what answers there is no HomeWizard meter"))?;
        let values_only = KWH_METERS.iter().any(|kind| product.starts_with(kind));
        Ok(Self {
            telegram_page: "api/v1/telegram",
            values_page: "api/v1/data",
            decoder: Decoder::new(options),
            product: Some(product),
            values_only,
            time: None,
            body: Vec::new(),
            fresh: Fresh::default(),
        })
    }

    /// By the second interface.
    pub(super) fn second(options: &Options) -> Self {
        Self {
            telegram_page: "api/telegram",
            values_page: "api/measurement",
            // The key was the token of the meter.
            decoder: Decoder::new(&Options {
                protocol: options.protocol,
                ..Options::default()
            }),
            product: None,
            values_only: false,
            time: None,
            body: Vec::new(),
            fresh: Fresh::default(),
        }
    }

    pub(super) async fn ask(&mut self, client: &Client) -> io::Result<Answer> {
        if !self.values_only {
            match client.get(self.telegram_page).await? {
                Page::Body(body) if body.starts_with(b"/") => return Ok(self.telegram(body)),
                // It has the page, and nothing on it yet: its meter was not heard.
                Page::Body(body) if body.trim_ascii().is_empty() => {
                    return Ok(Answer::nothing_new(body.len()));
                }
                Page::Body(_) | Page::Missing => self.values_only = true,
            }
        }
        let body = client.get(self.values_page).await?.body()?;
        Ok(self.values(body))
    }

    fn telegram(&mut self, body: Vec<u8>) -> Answer {
        let bytes = body.len();
        if self.body == body {
            return Answer::nothing_new(bytes);
        }
        let mut items = self.decoder.push(&body);
        // A telegram without a checksum ends with its line, which the page may leave out.
        items.append(&mut self.decoder.push(b"\r\n"));
        self.decoder.reset();
        let telegram = match items.pop() {
            Some(Item::Telegram(telegram)) => telegram,
            other => {
                let cut = Item::Rejected(Rejected {
                    protocol: Protocol::P1,
                    reason: Reason::Cut,
                    bytes,
                });
                let items = vec![(other.unwrap_or(cut), body)];
                return Answer { bytes, items };
            }
        };
        if let Some(time) = telegram.meter_time
            && self.time.replace(time) == Some(time)
        {
            return Answer::nothing_new(bytes);
        }
        self.body.clone_from(&body);
        let items = vec![(Item::Telegram(telegram), body)];
        Answer { bytes, items }
    }

    fn values(&mut self, body: Vec<u8>) -> Answer {
        let mut read = json::homewizard(&body);
        if let Ok(telegram) = &mut read {
            telegram.meter_model = telegram.meter_model.or(self.product);
            let new = match telegram.meter_time {
                Some(time) => self.time.replace(time) != Some(time),
                None => self.fresh.is_new(telegram),
            };
            if !new {
                return Answer::nothing_new(body.len());
            }
        }
        Answer::read(Protocol::Homewizard, body, read)
    }
}

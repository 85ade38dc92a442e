//! The last telegrams of the meter, for people who look for what is wrong.
//!
//! Input: what the source gives beside its readings. Output: [`MeterTraced`], oldest first, made anonymous only when somebody
//! asks. What cannot be made anonymous is told and not shown.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headroom_meter_io::{Heard, Item, Key, Telegram, anonymous};
use headroom_web::MeterTraced;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Telegrams that are kept: each list of a meter comes within this many.
const MOST: usize = 12;
/// The longest telegram that is kept.
const LONGEST: usize = 8 * 1024;
/// Telegrams that wait to be kept; what does not fit is not shown.
const QUEUE: usize = 32;
/// Damaged bytes come by the thousand from a bad line: one is kept in this time.
const DAMAGE_EVERY: Duration = Duration::from_secs(2);

/// The last telegrams; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct MeterTrace(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// Encryption and authentication key of the meter.
    keys: [Option<Key>; 2],
    telegrams: VecDeque<(Timestamp, Heard)>,
    damaged: Option<Instant>,
}

impl MeterTrace {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Every change under the lock is complete in itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another meter is read from now on, with these keys. What it says goes into the queue.
    pub(super) fn begin(&self, keys: [Option<Key>; 2]) -> mpsc::Sender<Heard> {
        *self.lock() = Kept {
            keys,
            ..Kept::default()
        };
        let (tap, mut queue) = mpsc::channel(QUEUE);
        let trace = self.clone();
        // It ends with the source, which holds the other end.
        tokio::spawn(async move {
            while let Some(heard) = queue.recv().await {
                trace.add(heard, Timestamp::now());
            }
        });
        tap
    }

    fn add(&self, heard: Heard, time: Timestamp) {
        if heard.raw.len() > LONGEST {
            return;
        }
        let mut kept = self.lock();
        if matches!(heard.item, Item::Rejected(_)) {
            let now = Instant::now();
            if kept.damaged.is_some_and(|last| now - last < DAMAGE_EVERY) {
                return;
            }
            kept.damaged = Some(now);
        }
        if kept.telegrams.len() >= MOST {
            kept.telegrams.pop_front();
        }
        kept.telegrams.push_back((time, heard));
    }

    /// What is kept, oldest first.
    pub(crate) fn all(&self) -> Vec<MeterTraced> {
        let kept = self.lock();
        let telegrams = kept.telegrams.iter();
        telegrams
            .map(|(time, heard)| MeterTraced {
                time: *time,
                telegram: shown(heard, &kept.keys),
                valid: matches!(heard.item, Item::Telegram(_)),
            })
            .collect()
    }
}

/// A telegram as text, or as hexadecimal digits; in parentheses why it is not shown.
fn shown(heard: &Heard, keys: &[Option<Key>; 2]) -> String {
    let bytes = heard.raw.len();
    match &heard.item {
        Item::Telegram(telegram) => {
            let [key, auth_key] = keys.each_ref().map(Option::as_ref);
            if let Some(masked) = anonymous(telegram.protocol, &heard.raw, key, auth_key) {
                return text_or_hex(&masked);
            }
            // Network meters send no telegrams.
            let decoded = Telegram {
                meter_id: None,
                ..telegram.clone()
            };
            serde_json::to_string(&decoded).unwrap_or_default()
        }
        Item::Rejected(lost) => format!(
            "({} bytes of {}: {})",
            bytes.max(lost.bytes),
            lost.protocol,
            lost.reason
        ),
    }
}

fn text_or_hex(bytes: &[u8]) -> String {
    let printable = |byte: &u8| byte.is_ascii_graphic() || b" \r\n\t".contains(byte);
    match std::str::from_utf8(bytes) {
        // TIC begins and ends with STX and ETX.
        Ok(text) if bytes.iter().filter(|byte| !printable(byte)).count() <= 2 => text
            .chars()
            .filter(|c| !c.is_control() || "\r\n\t".contains(*c))
            .collect(),
        _ => bytes.iter().fold(String::new(), |mut text, byte| {
            for nibble in [byte >> 4, byte & 0x0f] {
                text.extend(char::from_digit(nibble.into(), 16));
            }
            text
        }),
    }
}

//! Sending a test message, as the page asks for it. The alarms themselves go another way: the controller hears them as
//! every listener does ([`crate::App::events`]).

use std::pin::Pin;

use serde::{Deserialize, Serialize};

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// JSON to an address of somebody.
    Webhook,
    /// A topic of an ntfy server.
    Ntfy,
    /// A mail server.
    Email,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Webhook, Self::Ntfy, Self::Email];

    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Ntfy => "ntfy",
            Self::Email => "email",
        }
    }
}

/// How a test ended: delivered, or why not, in words.
pub type Delivered<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Sends messages by the channels that are configured.
pub trait Notifier: Send + Sync + std::fmt::Debug {
    /// Sends a test message by a channel, once, and bounded in time.
    fn test(&self, channel: Channel) -> Delivered<'_>;
}

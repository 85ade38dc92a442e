//! What a meter source does at the moment, for the page, the log and `headroom listen`.

use crate::serial::Line;
use headroom_codec::{FrameCounters, Protocol, Reason};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// The state of a source.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterStatus {
    /// The source as it was written, a password as `***`.
    pub source: String,
    /// The port is open. It may still be silent.
    pub connected: bool,
    /// A replayed file has been played to its end.
    pub ended: bool,
    /// What is heard, in a sentence; if that is not enough, what to do.
    pub text: String,
    /// Line parameters of a serial port in use, such as `115200 8N1`.
    pub serial: Option<String>,
    /// The line parameters of a serial port that gave telegrams: worth remembering, see `Settings::remembered`.
    pub line: Option<Line>,
    /// The frame counters of ciphered telegrams: worth remembering, see `Settings::frame_counters`.
    pub frame_counters: FrameCounters,
    /// Family of the last telegram.
    pub protocol: Option<Protocol>,
    /// Id of the meter, once a telegram told it.
    pub meter_id: Option<String>,
    /// Model of the meter, once a telegram told it.
    pub meter_model: Option<String>,
    /// Seconds between telegrams with currents, learnt.
    pub period_s: Option<f64>,
    /// Seconds between telegrams with the total power alone, learnt.
    pub power_period_s: Option<f64>,
    /// Each list by what it holds (`power`, `currents`, `currents and energy`, `energy`): one may stay away while another
    /// one comes.
    pub lists: BTreeMap<&'static str, ListStatus>,
    /// When the last telegram was received.
    pub last_telegram: Option<Instant>,
    /// When the last telegram with currents was received.
    pub last_currents: Option<Instant>,
    /// Valid telegrams since the start.
    pub telegrams: u64,
    /// Bytes since the start.
    pub bytes: u64,
    /// What was rejected since the start, by reason; `checksum` is always there.
    pub rejected: BTreeMap<&'static str, u64>,
}

/// One list of a meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ListStatus {
    /// Seconds between two of them, learnt; `None` before the second one.
    pub period_s: Option<f64>,
    /// When the last one was received.
    pub last: Instant,
}

/// Text of a meter without control characters: a terminal would obey them.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

impl MeterStatus {
    pub(crate) fn new(source: String) -> Self {
        Self {
            source,
            connected: false,
            ended: false,
            text: "Not opened yet.".to_owned(),
            serial: None,
            line: None,
            frame_counters: FrameCounters::default(),
            protocol: None,
            meter_id: None,
            meter_model: None,
            period_s: None,
            power_period_s: None,
            lists: BTreeMap::new(),
            last_telegram: None,
            last_currents: None,
            telegrams: 0,
            bytes: 0,
            rejected: BTreeMap::from([(Reason::Checksum.code(), 0)]),
        }
    }

    /// What is known of the meter, for a sentence.
    pub(crate) fn meter(&self) -> String {
        let family = match self.protocol {
            Some(Protocol::P1) => "P1",
            Some(Protocol::Hdlc) => "HDLC",
            Some(Protocol::Mbus) => "M-Bus",
            Some(Protocol::Sml) => "SML",
            Some(Protocol::Tic) => "TIC",
            Some(Protocol::Homewizard) => "HomeWizard",
            Some(Protocol::Amsreader) => "amsreader",
            Some(Protocol::Shelly) => "Shelly",
            Some(Protocol::Modbus) => "Modbus",
            None => "No",
        };
        match &self.meter_model {
            Some(model) => format!("{family} telegrams of {model}"),
            None => format!("{family} telegrams"),
        }
    }
}

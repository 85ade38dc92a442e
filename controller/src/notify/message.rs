//! What is sent: an alarm that began or ended, or a test, in the words of each channel.

use headroom_store::Alarm;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::publish::VERSION;

/// Longest text of a message, in bytes: what ntfy takes before it makes a file of it.
const TEXT_MAX: usize = 3500;

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    /// What the house is called.
    pub(super) site: String,
    pub(super) event: Event,
}

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Event {
    /// An alarm began.
    Raised(Alarm),
    /// An alarm ended.
    Ended(Alarm),
    /// Somebody tries the channel.
    Test(Timestamp),
}

impl Event {
    pub(super) fn of(alarm: &Alarm) -> Self {
        match alarm.until {
            None => Self::Raised(alarm.clone()),
            Some(_) => Self::Ended(alarm.clone()),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Raised(_) => "alarm.raised",
            Self::Ended(_) => "alarm.ended",
            Self::Test(_) => "test",
        }
    }

    /// Whether something is wrong now.
    pub(super) const fn is_raised(&self) -> bool {
        matches!(self, Self::Raised(_))
    }
}

impl Message {
    /// The first line, in the language of the notifications. Without line breaks.
    pub(super) fn title(&self, language: &str) -> String {
        let [raised, ended, test] = words(language);
        let word = match &self.event {
            Event::Raised(_) => raised,
            Event::Ended(_) => ended,
            Event::Test(_) => test,
        };
        let site: String = self.site.chars().filter(|it| !it.is_control()).collect();
        format!("{site}: {word}")
    }

    /// What happened, what was done, what to do.
    pub(super) fn text(&self) -> String {
        let text = match &self.event {
            Event::Raised(alarm) | Event::Ended(alarm) => alarm.text.clone(),
            Event::Test(_) => "Headroom can send alarms here.".to_owned(),
        };
        if text.len() <= TEXT_MAX {
            return text;
        }
        let cut = text.floor_char_boundary(TEXT_MAX);
        format!("{}…", text.get(..cut).unwrap_or_default())
    }

    /// When it happened.
    pub(super) fn time(&self) -> Timestamp {
        match &self.event {
            Event::Raised(alarm) => alarm.since,
            Event::Ended(alarm) => alarm.until.unwrap_or(alarm.since),
            Event::Test(at) => *at,
        }
    }

    /// For programs: `docs/api.md` has the fields.
    pub(super) fn json(&self, language: &str) -> Value {
        let alarm = match &self.event {
            Event::Raised(alarm) | Event::Ended(alarm) => Some(alarm),
            Event::Test(_) => None,
        };
        let told = |at: Timestamp| format!("{at:.3}");
        json!({
            "event": self.event.name(),
            "time": told(self.time()),
            "site": self.site,
            "id": alarm.map(|it| it.id),
            "code": alarm.map(|it| &it.code),
            "load": alarm.and_then(|it| it.load.as_ref()),
            "since": alarm.map(|it| told(it.since)),
            "until": alarm.and_then(|it| it.until).map(told),
            "title": self.title(language),
            "text": self.text(),
            "version": VERSION,
        })
    }
}

/// An alarm begins, an alarm ends, a test: in the languages of the page.
fn words(language: &str) -> [&'static str; 3] {
    match language {
        "nb" => ["alarm", "alarmen er over", "testmelding"],
        "sv" => ["larm", "larmet är över", "testmeddelande"],
        "da" => ["alarm", "alarmen er ovre", "testbesked"],
        "fi" => ["hälytys", "hälytys on päättynyt", "testiviesti"],
        "et" => ["häire", "häire on lõppenud", "proovisõnum"],
        "nl" => ["alarm", "alarm voorbij", "testbericht"],
        "de" => ["Alarm", "Alarm beendet", "Testnachricht"],
        "fr" => ["alarme", "alarme terminée", "message d’essai"],
        _ => ["alarm", "alarm is over", "test message"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_told_when_it_begins_and_when_it_ends() {
        let alarm = Alarm {
            id: 7,
            code: "meter_lost".to_owned(),
            load: None,
            since: Timestamp::UNIX_EPOCH,
            until: None,
            text: "å".repeat(3000),
        };
        let message = |alarm: &Alarm| Message {
            site: "Home\r\nX: y".to_owned(),
            event: Event::of(alarm),
        };
        let raised = message(&alarm);
        assert_eq!(raised.title("de"), "HomeX: y: Alarm");
        assert!(raised.event.is_raised() && raised.text().len() < TEXT_MAX + 4);
        let body = raised.json("en");
        assert_eq!(
            (&body["event"], &body["code"]),
            (&json!("alarm.raised"), &json!("meter_lost"))
        );
        let ended = message(&Alarm {
            until: Some(Timestamp::MAX),
            ..alarm
        });
        assert_eq!(ended.json("en")["event"], "alarm.ended");
        assert_eq!(ended.title("xx"), "HomeX: y: alarm is over");
    }
}

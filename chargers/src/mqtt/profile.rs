//! The topics of devices behind a broker, and the names by which they are asked for.
//!
//! In topics and payloads `{t}` is the topic that is configured, `{n}` the channel, `{me}` this client,
//! `{s}` the lease in seconds, `{a}` the limit in whole amperes.
//!
//! Sources: Tasmota, "MQTT" and "Commands"; Shelly, "MQTT" of both generations' API; `Zigbee2MQTT`, "MQTT
//! Topics and Messages"; go-e, "API v2, MQTT"; `OpenEVSE`, firmware API, "MQTT".

use std::time::Duration;

use headroom_core::event::ChargerStatus;

/// A device that is asked tells its state within this, or is not there.
const ASKED: Duration = Duration::from_secs(15);
/// A device that is not asked tells some value at least this often.
const UNASKED: Duration = Duration::from_mins(1);
/// Most channels of one device.
const CHANNEL_MAX: u32 = 31;

/// What Headroom needs of a device's topics.
#[derive(Debug)]
pub(crate) struct Topics {
    /// Its name in the configuration; the channel may follow.
    pub(crate) name: &'static str,
    /// The channel if none is named, and the first that can be; `None` if there are no channels.
    pub(crate) channel: Option<(&'static str, u32)>,
    /// What is subscribed to.
    pub(crate) listen: &'static [&'static str],
    /// What makes the device tell its state. Without it the device tells by itself.
    pub(crate) ask: &'static [Message],
    /// What is in which message.
    pub(crate) rules: &'static [Rule],
    /// How it is told.
    pub(crate) tell: Tell,
    /// Without its state for so long the device is not there.
    pub(crate) quiet: Duration,
    /// Whether what it was told falls back by itself.
    pub(crate) on_loss: OnLoss,
}

/// A message, with placeholders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message {
    pub(crate) topic: &'static str,
    pub(crate) payload: &'static str,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) topic: &'static str,
    /// A JSON pointer (RFC 6901); empty is the whole message.
    pub(crate) pointer: &'static str,
    pub(crate) gives: Gives,
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gives {
    /// Whether a relay is closed: a boolean, 0 or 1, or `on` and `off` in any case.
    On,
    /// Watts.
    Power,
    /// The current of a terminal, from 0, in so many steps to an ampere.
    Current(usize, u32),
    /// The current of every terminal, in so many steps to an ampere.
    EachCurrent(u32),
    /// The limit in force, in so many steps to an ampere.
    Limit(u32),
    /// Paused if it is one of these numbers.
    PausedIf(&'static [i64]),
    /// State of the car by a table of numbers.
    Status(&'static [(i64, ChargerStatus)]),
    /// Energy in so many steps to a kilowatt-hour.
    Energy(u32),
    /// Whether the broker has lost the device: this word says so.
    LostIf(&'static str),
}

/// How a device is told.
#[derive(Debug)]
pub(crate) enum Tell {
    Relay {
        on: &'static [Message],
        off: &'static [Message],
    },
    Charger {
        limit: &'static [Message],
        pause: &'static [Message],
    },
}

/// What becomes of an order when nobody repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnLoss {
    /// The device itself opens the relay after the lease.
    Opens,
    /// It stays as it is.
    HoldsLast,
}

const fn message(topic: &'static str, payload: &'static str) -> Message {
    Message { topic, payload }
}

const fn rule(topic: &'static str, pointer: &'static str, gives: Gives) -> Rule {
    Rule {
        topic,
        pointer,
        gives,
    }
}

const TASMOTA_RULES: &[Rule] = &[
    rule("stat/{t}/POWER{n}", "", Gives::On),
    rule("tele/{t}/STATE", "/POWER{n}", Gives::On),
    rule("stat/{t}/STATUS8", "/StatusSNS/ENERGY/Power", Gives::Power),
    rule("tele/{t}/SENSOR", "/ENERGY/Power", Gives::Power),
    rule("tele/{t}/LWT", "", Gives::LostIf("Offline")),
];
const TASMOTA_LISTEN: &[&str] = &["stat/{t}/+", "tele/{t}/+"];
const TASMOTA_ASK: &[Message] = &[
    message("cmnd/{t}/STATUS", "8"),
    message("cmnd/{t}/POWER{n}", ""),
];
const TASMOTA_OFF: &[Message] = &[message("cmnd/{t}/POWER{n}", "OFF")];
const ZIGBEE_ASK: &[Message] = &[message("{t}/get", r#"{"state":""}"#)];
const ZIGBEE_OFF: &[Message] = &[message("{t}/set", r#"{"state":"OFF"}"#)];
const ZIGBEE_RULES: &[Rule] = &[
    rule("{t}", "/state", Gives::On),
    rule("{t}", "/power", Gives::Power),
    rule("{t}/availability", "/state", Gives::LostIf("offline")),
];

/// Every profile.
pub(crate) static PROFILES: &[Topics] = &[
    Topics {
        name: "tasmota",
        channel: Some(("", 1)),
        listen: TASMOTA_LISTEN,
        ask: TASMOTA_ASK,
        rules: TASMOTA_RULES,
        tell: Tell::Relay {
            on: &[message("cmnd/{t}/POWER{n}", "ON")],
            off: TASMOTA_OFF,
        },
        quiet: ASKED,
        on_loss: OnLoss::HoldsLast,
    },
    // The timer is not stored; a rule of the owner, which is, opens the relay when it ends.
    Topics {
        name: "tasmota_timer",
        channel: None,
        listen: TASMOTA_LISTEN,
        ask: TASMOTA_ASK,
        rules: TASMOTA_RULES,
        tell: Tell::Relay {
            on: &[
                message("cmnd/{t}/RuleTimer1", "{s}"),
                message("cmnd/{t}/POWER", "ON"),
            ],
            off: TASMOTA_OFF,
        },
        quiet: ASKED,
        on_loss: OnLoss::Opens,
    },
    Topics {
        name: "shelly_gen2",
        channel: Some(("0", 0)),
        listen: &["{me}/rpc", "{t}/status/switch:{n}", "{t}/online"],
        ask: &[message(
            "{t}/rpc",
            r#"{"id":1,"src":"{me}","method":"Switch.GetStatus","params":{"id":{n}}}"#,
        )],
        rules: &[
            rule("{me}/rpc", "/result/output", Gives::On),
            rule("{me}/rpc", "/result/apower", Gives::Power),
            rule("{t}/status/switch:{n}", "/output", Gives::On),
            rule("{t}/status/switch:{n}", "/apower", Gives::Power),
            rule("{t}/online", "", Gives::LostIf("false")),
        ],
        tell: Tell::Relay {
            on: &[message(
                "{t}/rpc",
                r#"{"id":2,"src":"{me}","method":"Switch.Set","params":{"id":{n},"on":true,"toggle_after":{s}}}"#,
            )],
            off: &[message(
                "{t}/rpc",
                r#"{"id":2,"src":"{me}","method":"Switch.Set","params":{"id":{n},"on":false}}"#,
            )],
        },
        quiet: ASKED,
        on_loss: OnLoss::Opens,
    },
    Topics {
        name: "shelly_gen1",
        channel: Some(("0", 0)),
        listen: &["{t}/relay/{n}", "{t}/relay/{n}/power", "{t}/online"],
        ask: &[message("{t}/command", "update")],
        rules: &[
            rule("{t}/relay/{n}", "", Gives::On),
            rule("{t}/relay/{n}/power", "", Gives::Power),
            rule("{t}/online", "", Gives::LostIf("false")),
        ],
        tell: Tell::Relay {
            on: &[message("{t}/relay/{n}/command", "on")],
            off: &[message("{t}/relay/{n}/command", "off")],
        },
        quiet: ASKED,
        on_loss: OnLoss::HoldsLast,
    },
    Topics {
        name: "zigbee2mqtt",
        channel: None,
        listen: &["{t}", "{t}/availability"],
        ask: ZIGBEE_ASK,
        rules: ZIGBEE_RULES,
        tell: Tell::Relay {
            on: &[message("{t}/set", r#"{"state":"ON"}"#)],
            off: ZIGBEE_OFF,
        },
        quiet: ASKED,
        on_loss: OnLoss::HoldsLast,
    },
    // On with timed off (ZCL, cluster On/Off): not every device has it.
    Topics {
        name: "zigbee2mqtt_timed",
        channel: None,
        listen: &["{t}", "{t}/availability"],
        ask: ZIGBEE_ASK,
        rules: ZIGBEE_RULES,
        tell: Tell::Relay {
            on: &[message("{t}/set", r#"{"state":"ON","on_time":{s}}"#)],
            off: ZIGBEE_OFF,
        },
        quiet: ASKED,
        on_loss: OnLoss::Opens,
    },
    Topics {
        name: "go_e",
        channel: None,
        listen: &["{t}/+"],
        ask: &[],
        rules: &[
            rule("{t}/nrg", "/4", Gives::Current(0, 1)),
            rule("{t}/nrg", "/5", Gives::Current(1, 1)),
            rule("{t}/nrg", "/6", Gives::Current(2, 1)),
            rule("{t}/amp", "", Gives::Limit(1)),
            rule("{t}/frc", "", Gives::PausedIf(&[1])),
            rule("{t}/eto", "", Gives::Energy(1000)),
            rule(
                "{t}/car",
                "",
                Gives::Status(&[
                    (1, ChargerStatus::Available),
                    (2, ChargerStatus::Charging),
                    (3, ChargerStatus::SuspendedEvse),
                    (4, ChargerStatus::SuspendedEv),
                    (5, ChargerStatus::Faulted),
                ]),
            ),
        ],
        tell: Tell::Charger {
            limit: &[message("{t}/amp/set", "{a}"), message("{t}/frc/set", "0")],
            pause: &[message("{t}/frc/set", "1")],
        },
        quiet: UNASKED,
        on_loss: OnLoss::HoldsLast,
    },
    Topics {
        name: "openevse",
        channel: None,
        listen: &["{t}/+"],
        ask: &[],
        rules: &[
            rule("{t}/amp", "", Gives::EachCurrent(1000)),
            rule("{t}/pilot", "", Gives::Limit(1)),
            rule("{t}/total_energy", "", Gives::Energy(1)),
            rule(
                "{t}/state",
                "",
                Gives::Status(&[
                    (1, ChargerStatus::Available),
                    (2, ChargerStatus::SuspendedEv),
                    (3, ChargerStatus::Charging),
                    (4, ChargerStatus::Charging),
                    (5, ChargerStatus::Faulted),
                    (6, ChargerStatus::Faulted),
                    (7, ChargerStatus::Faulted),
                    (8, ChargerStatus::Faulted),
                    (9, ChargerStatus::Faulted),
                    (10, ChargerStatus::Faulted),
                    (11, ChargerStatus::Faulted),
                    (254, ChargerStatus::SuspendedEvse),
                    (255, ChargerStatus::SuspendedEvse),
                ]),
            ),
            rule("{t}/state", "", Gives::PausedIf(&[254, 255])),
        ],
        tell: Tell::Charger {
            limit: &[message(
                "{t}/claim/set",
                r#"{"state":"active","charge_current":{a},"max_current":{a}}"#,
            )],
            pause: &[message("{t}/claim/set", r#"{"state":"disabled"}"#)],
        },
        quiet: UNASKED,
        on_loss: OnLoss::HoldsLast,
    },
];

/// A profile as a configuration names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Profile {
    pub(crate) topics: &'static Topics,
    /// The channel as it stands in topics; `None` is the profile's own.
    pub(crate) channel: Option<u32>,
}

impl Profile {
    /// Whether it is for a charger; else for a relay.
    pub(crate) const fn is_charger(&self) -> bool {
        matches!(self.topics.tell, Tell::Charger { .. })
    }

    /// The channel as it stands in topics.
    pub(crate) fn channel_text(&self) -> String {
        match (self.channel, self.topics.channel) {
            (Some(channel), _) => channel.to_string(),
            (None, Some((own, _))) => own.to_owned(),
            (None, None) => String::new(),
        }
    }
}

/// Names of the profiles for chargers or for relays, for people.
pub(crate) fn names(charger: bool) -> String {
    let fitting = PROFILES
        .iter()
        .filter(|topics| matches!(topics.tell, Tell::Charger { .. }) == charger);
    let named = fitting.map(|topics| match topics.channel {
        Some((_, first)) => format!("{0}, {0}_N (N from {first} to {CHANNEL_MAX})", topics.name),
        None => topics.name.to_owned(),
    });
    named.collect::<Vec<_>>().join(", ")
}

/// The profile of that name: `tasmota`, or `tasmota_2` for its second relay.
pub(crate) fn profile(name: &str) -> Option<Profile> {
    let exact = PROFILES.iter().find(|topics| topics.name == name);
    if let Some(topics) = exact {
        return Some(Profile {
            topics,
            channel: None,
        });
    }
    let (family, channel) = name.rsplit_once('_')?;
    let number: u32 = channel.parse().ok()?;
    let topics = PROFILES.iter().find(|topics| topics.name == family)?;
    let (_, first) = topics.channel?;
    // Each has one name alone.
    let fits = number.to_string() == channel && (first..=CHANNEL_MAX).contains(&number);
    fits.then_some(Profile {
        topics,
        channel: Some(number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_may_follow_the_name() {
        for (name, family, channel) in [
            ("tasmota", "tasmota", ""),
            ("tasmota_2", "tasmota", "2"),
            ("tasmota_timer", "tasmota_timer", ""),
            ("shelly_gen2", "shelly_gen2", "0"),
            ("shelly_gen2_3", "shelly_gen2", "3"),
            ("go_e", "go_e", ""),
        ] {
            let found = profile(name).unwrap();
            assert_eq!(found.topics.name, family);
            assert_eq!(found.channel_text(), channel, "{name}");
        }
        for name in [
            "",
            "Tasmota",
            "tasmota_0",
            "tasmota_",
            "tasmota_02",
            "tasmota_32",
            "go_e_1",
            "go",
            "_1",
        ] {
            assert!(profile(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_device_that_opens_by_itself_is_told_when() {
        for topics in PROFILES {
            let timed = match topics.tell {
                Tell::Relay { on, .. } => on.iter().any(|message| message.payload.contains("{s}")),
                Tell::Charger { .. } => false,
            };
            assert_eq!(topics.on_loss == OnLoss::Opens, timed, "{}", topics.name);
        }
    }
}

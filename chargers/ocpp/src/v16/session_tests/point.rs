//! A scripted charge point with a car, in virtual time: it keeps profiles by the rules of OCPP 1.6
//! (chapter 3.13), obeys them by its own clock, and has the peculiarities that it is given.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// How it differs from an obedient one.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "peculiarities, each for itself"
)]
pub(crate) struct Manner {
    pub(crate) takes: Takes,
    /// Says yes and draws what the car wants.
    pub(crate) ignores: bool,
    /// Units that it takes, and says so.
    pub(crate) units: &'static str,
    pub(crate) max_stack: u64,
    pub(crate) max_periods: usize,
    /// It refuses to hold a second profile.
    pub(crate) one_profile: bool,
    /// It applies a default to the next transaction only.
    pub(crate) default_next_session: bool,
    /// Its answers take so long.
    pub(crate) answers_after: Duration,
    /// It answers this many calls and then none.
    pub(crate) answers_at_most: usize,
    /// Its clock minus the time, in seconds.
    pub(crate) clock_s: i64,
    pub(crate) stamps: Stamps,
    /// Its values are from so long ago.
    pub(crate) reports_after: Duration,
    pub(crate) boots: Boots,
    /// A call before its boot makes it break the connection.
    pub(crate) breaks_on_early_call: bool,
    pub(crate) reconnects_every: Option<Duration>,
    pub(crate) values: Values,
    /// `transactionId` of its meter values, where it is not the right one.
    pub(crate) says_transaction: Option<i32>,
    pub(crate) second_connector: bool,
    pub(crate) switches_phases: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    All,
    Nothing,
    /// It does not know the action.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamps {
    Zulu,
    /// Two hours ahead, without a zone; times with a zone are understood.
    Local,
    /// Two hours ahead, without a zone, and every time is read as such.
    OnlyLocal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Boots {
    AtOnce,
    /// So long after the connection, each time.
    After(Duration),
    Never,
    /// Each second for so long.
    Storm(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    Amperes,
    /// One phase, which it calls `N`.
    OnN,
    Kilowatts,
    Numbers,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            takes: Takes::All,
            ignores: false,
            units: "Current,Power",
            max_stack: 8,
            max_periods: 8,
            one_profile: false,
            default_next_session: false,
            answers_after: Duration::from_millis(100),
            answers_at_most: usize::MAX,
            clock_s: 0,
            stamps: Stamps::Zulu,
            reports_after: Duration::ZERO,
            boots: Boots::AtOnce,
            breaks_on_early_call: false,
            reconnects_every: None,
            values: Values::Amperes,
            says_transaction: None,
            second_connector: false,
            switches_phases: false,
        }
    }
}

#[derive(Debug, Clone)]
struct Stored {
    connector: i64,
    profile: Value,
    /// By its own clock.
    received: Timestamp,
}

/// What the car takes at most, in amperes, and what the charger gives without any profile.
const CAR_A: f64 = 16.0;

#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) manner: Manner,
    profiles: Vec<Stored>,
    /// The defaults of the time when the transaction began.
    frozen: Vec<Stored>,
    pub(crate) transaction: Option<i64>,
    answered: usize,
    pub(crate) booted: bool,
    draws: (f64, usize),
    history: Vec<(Duration, f64, usize)>,
}

impl Point {
    pub(crate) fn new(manner: Manner) -> Self {
        Self {
            manner,
            profiles: Vec::new(),
            frozen: Vec::new(),
            transaction: None,
            answered: 0,
            booted: false,
            draws: (0.0, 3),
            history: Vec::new(),
        }
    }

    fn own_time(&self, wall: Timestamp) -> Timestamp {
        wall + SignedDuration::from_secs(self.manner.clock_s)
    }

    /// Its own time as it compares it with the times that it is sent.
    fn reading_time(&self, wall: Timestamp) -> Timestamp {
        let ahead = if self.manner.stamps == Stamps::OnlyLocal {
            2
        } else {
            0
        };
        self.own_time(wall) + SignedDuration::from_hours(ahead)
    }

    fn stamp(&self, wall: Timestamp) -> String {
        let own = self.own_time(wall);
        match self.manner.stamps {
            Stamps::Zulu => crate::time::write(own),
            Stamps::Local | Stamps::OnlyLocal => {
                let local = crate::time::write(own + SignedDuration::from_hours(2));
                local.trim_end_matches('Z').to_owned()
            }
        }
    }

    pub(crate) fn begin_transaction(&mut self, id: i64) {
        self.transaction = Some(id);
        self.frozen = self.profiles.clone();
    }

    /// The answer to a call: kind of frame and payload. `None`: it hangs.
    pub(crate) fn answer(
        &mut self,
        action: &str,
        payload: &Value,
        wall: Timestamp,
    ) -> Option<(u8, Value)> {
        self.answered += 1;
        if self.answered > self.manner.answers_at_most {
            return None;
        }
        let status = |word: &str| Some((3, json!({"status": word})));
        match action {
            "SetChargingProfile" => match self.manner.takes {
                Takes::Unknown => Some((4, json!("NotImplemented"))),
                Takes::Nothing => status("Rejected"),
                Takes::All => status(self.install(payload, wall)),
            },
            "GetConfiguration" => Some((
                3,
                json!({"configurationKey": [
                {"key": "ChargingScheduleAllowedChargingRateUnit", "readonly": true,
                    "value": self.manner.units},
                {"key": "ChargeProfileMaxStackLevel", "readonly": true,
                    "value": self.manner.max_stack.to_string()},
                {"key": "ConnectorSwitch3to1PhaseSupported", "readonly": true,
                    "value": self.manner.switches_phases.to_string()},
                {"key": "NumberOfConnectors", "readonly": true,
                    "value": if self.manner.second_connector { "2" } else { "1" }}]}),
            )),
            "ClearChargingProfile" => {
                let before = self.profiles.len();
                let purpose = &payload["chargingProfilePurpose"];
                self.profiles
                    .retain(|stored| stored.profile["chargingProfilePurpose"] != *purpose);
                status(if self.profiles.len() < before {
                    "Accepted"
                } else {
                    "Unknown"
                })
            }
            "GetCompositeSchedule" => {
                let (limit, _) = self.limit(wall).unwrap_or((CAR_A, 3));
                Some((
                    3,
                    json!({"status": "Accepted", "connectorId": 1,
                    "scheduleStart": self.stamp(wall), "chargingSchedule": {
                        "chargingRateUnit": "A",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}}),
                ))
            }
            _ => status("Accepted"),
        }
    }

    fn install(&mut self, payload: &Value, wall: Timestamp) -> &'static str {
        let profile = payload["csChargingProfiles"].clone();
        let connector = payload["connectorId"].as_i64().unwrap();
        let purpose = profile["chargingProfilePurpose"].as_str().unwrap();
        let stack = profile["stackLevel"].as_u64().unwrap();
        let unit = match profile["chargingSchedule"]["chargingRateUnit"]
            .as_str()
            .unwrap()
        {
            "A" => "Current",
            _ => "Power",
        };
        let theirs = profile["transactionId"].as_i64();
        let periods = &profile["chargingSchedule"]["chargingSchedulePeriod"];
        if stack > self.manner.max_stack
            || periods.as_array().unwrap().len() > self.manner.max_periods
            || !self.manner.units.contains(unit)
            || (purpose == "TxProfile" && (theirs.is_none() || theirs != self.transaction))
            || (purpose == "ChargePointMaxProfile" && connector != 0)
        {
            return "Rejected";
        }
        let replaced = |stored: &Stored| {
            let same = |name: &str| stored.profile[name] == profile[name];
            same("chargingProfileId")
                || (stored.connector == connector
                    && same("chargingProfilePurpose")
                    && same("stackLevel"))
        };
        let kept = self
            .profiles
            .iter()
            .filter(|stored| !replaced(stored))
            .count();
        if self.manner.one_profile && kept > 0 {
            return "Rejected";
        }
        self.profiles.retain(|stored| !replaced(stored));
        let received = self.reading_time(wall);
        self.profiles.push(Stored {
            connector,
            profile,
            received,
        });
        "Accepted"
    }

    /// The limit now in amperes and phases, by its profiles alone.
    fn limit(&self, wall: Timestamp) -> Option<(f64, usize)> {
        let own = self.reading_time(wall);
        let defaults = if self.manner.default_next_session && self.transaction.is_some() {
            &self.frozen
        } else {
            &self.profiles
        };
        let of = |list: &[Stored], purpose: &str| {
            list.iter()
                .filter(|stored| stored.profile["chargingProfilePurpose"] == purpose)
                .filter_map(|stored| {
                    let rank = (stored.profile["stackLevel"].as_u64()?, stored.connector);
                    Some((rank, limit_of(stored, own)?))
                })
                .max_by_key(|(rank, _)| *rank)
                .map(|(_, limit)| limit)
        };
        let transaction =
            of(&self.profiles, "TxProfile").or_else(|| of(defaults, "TxDefaultProfile"));
        let maximum = of(&self.profiles, "ChargePointMaxProfile");
        [transaction, maximum]
            .into_iter()
            .flatten()
            .min_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// What it draws now, in amperes on each of its phases.
    pub(crate) fn draw(&self) -> f64 {
        self.draws.0
    }

    pub(crate) fn phases(&self) -> usize {
        self.draws.1
    }

    /// Lets time pass for charger and car.
    pub(crate) fn live(&mut self, now: Duration, wall: Timestamp) {
        let (limit, phases) = self.limit(wall).unwrap_or((CAR_A, 3));
        let limit = if self.manner.ignores { CAR_A } else { limit };
        let wanted = if self.transaction.is_some() && limit >= 6.0 {
            limit.min(CAR_A)
        } else {
            0.0
        };
        let phases = if self.manner.values == Values::OnN {
            1
        } else if self.manner.switches_phases {
            phases
        } else {
            3
        };
        self.draws = (wanted, phases);
        self.history.push((now, wanted, phases));
    }

    /// Its `MeterValues`.
    pub(crate) fn meter_values(&self, now: Duration, wall: Timestamp) -> Value {
        let then = now.saturating_sub(self.manner.reports_after);
        let sampled = self.history.iter().rev().find(|(at, ..)| *at <= then);
        let (_, ampere, phases) = sampled.copied().unwrap_or((now, 0.0, 3));
        let line = |index: usize| if index < phases { ampere } else { 0.0 };
        let names = ["L1", "L2", "L3"];
        let told: Vec<Value> = match self.manner.values {
            Values::OnN => vec![json!({"measurand": "Current.Import", "phase": "N",
                "value": format!("{ampere}")})],
            Values::Kilowatts => (0..3)
                .flat_map(|index| {
                    let kilowatts = line(index) * 0.23;
                    [
                        json!({"measurand": "Power.Active.Import", "unit": "kW",
                            "phase": names[index], "value": format!(" {kilowatts:.3}")}),
                        json!({"measurand": "Voltage", "unit": "V", "phase": names[index],
                            "value": "230"}),
                    ]
                })
                .collect(),
            Values::Numbers => (0..3)
                .map(|index| {
                    json!({"measurand": "Current.Import", "phase": names[index],
                    "unit": "A", "value": line(index)})
                })
                .collect(),
            Values::Amperes => (0..3)
                .map(|index| {
                    json!({"measurand": "Current.Import", "phase": names[index],
                    "unit": "A", "value": format!("{:.1}", line(index))})
                })
                .collect(),
        };
        let sampled_at = wall - SignedDuration::try_from(now.saturating_sub(then)).unwrap();
        let transaction = self
            .manner
            .says_transaction
            .map(i64::from)
            .or(self.transaction);
        json!({"connectorId": 1, "transactionId": transaction, "meterValue": [
            {"timestamp": self.stamp(sampled_at), "sampledValue": told}]})
    }

    pub(crate) fn status(&self, connector: u32, status: &str, wall: Timestamp) -> Value {
        json!({"connectorId": connector, "errorCode": "NoError", "status": status,
            "timestamp": self.stamp(wall)})
    }
}

/// The limit of one profile now in amperes and phases, if it has one.
fn limit_of(stored: &Stored, own: Timestamp) -> Option<(f64, usize)> {
    let schedule = &stored.profile["chargingSchedule"];
    let start = schedule["startSchedule"]
        .as_str()
        .map_or(stored.received, |start| start.parse().unwrap());
    let elapsed = own.duration_since(start).as_secs();
    let ended = schedule["duration"]
        .as_i64()
        .is_some_and(|duration| elapsed >= duration);
    let periods = schedule["chargingSchedulePeriod"].as_array().unwrap();
    let period = periods
        .iter()
        .rfind(|period| period["startPeriod"].as_i64().unwrap() <= elapsed)?;
    if elapsed < 0 || ended {
        return None;
    }
    let phases = usize::try_from(period["numberPhases"].as_u64().unwrap_or(3)).unwrap();
    let limit = period["limit"].as_f64().unwrap();
    let by_phase = if schedule["chargingRateUnit"] == "W" {
        limit / 230.0 / f64::from(u32::try_from(phases).unwrap())
    } else {
        limit
    };
    Some((by_phase, phases))
}

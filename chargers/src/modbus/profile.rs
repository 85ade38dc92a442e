//! The register tables of chargers, and the names by which they are asked for.
//!
//! Sources: Alfen, "Implementation of Modbus Slave TCP/IP for Alfen `NG9xx` platform"; KEBA, "`KeContact`
//! P30 Modbus TCP Programmers Guide"; Phoenix Contact, register list of the CHARX control modular.

use std::time::Duration;

use headroom_core::event::ChargerStatus;

use super::register::{Kind, Register};

/// Charging points of one CHARX control modular group.
const CHARX_POINTS: u16 = 48;
/// Registers from one charging point of a CHARX to the next.
const CHARX_OFFSET: u16 = 1000;
/// Least current at which a car charges (IEC 61851-1), in milliamperes.
pub(crate) const LEAST_MA: i64 = 6000;

/// What Headroom needs of a charger's register table.
#[derive(Debug)]
pub(crate) struct Charger {
    /// The beginning of its name in the configuration.
    pub(crate) name: &'static str,
    /// What it is called by people.
    pub(crate) model: &'static str,
    /// What is read in one request each.
    pub(crate) blocks: &'static [Block],
    /// The limit per phase, written.
    pub(crate) limit: Register,
    /// Which function writes.
    pub(crate) write: Write,
    /// Whether it charges at all, written: 1 or 0. Without one a limit of 0 pauses.
    pub(crate) enable: Option<Register>,
    /// The same, read.
    pub(crate) enabled: Option<Register>,
    /// The limit that is in force, read.
    pub(crate) applied: Register,
    /// The current at each terminal.
    pub(crate) currents: [Register; 3],
    /// Energy, in kilowatt-hours.
    pub(crate) energy: Option<Register>,
    /// How many phases it uses: 1 or 3; read and written.
    pub(crate) phases: Option<Register>,
    /// State of the car.
    pub(crate) state: State,
    /// What it does when nobody writes any more.
    pub(crate) on_loss: OnLoss,
    /// Least time between two writes of a limit.
    pub(crate) gap: Duration,
}

/// Registers that are read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) start: u16,
    pub(crate) count: u16,
    /// Whether a charger that refuses it cannot be used. Older firmware lacks some.
    pub(crate) needed: bool,
}

/// The function that writes registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    /// Write single register (6).
    Single,
    /// Write multiple registers (16), also for one.
    Multiple,
}

/// Where the state of the car stands.
#[derive(Debug)]
pub(crate) enum State {
    /// Letters of IEC 61851-1, such as `C2`.
    Letters(Register),
    /// Numbers of KEBA: of the charger, and of the plug.
    Keba { state: Register, plug: Register },
}

/// What a charger does when nobody writes any more.
#[derive(Debug)]
pub(crate) enum OnLoss {
    /// It falls to a safe current after a time. Both are set by the installer and can only be read.
    Validity {
        /// Seconds that the present limit still holds.
        left: Register,
        /// Where it falls to.
        safe: Register,
        /// The limit is written again at least this often.
        keep_alive: Duration,
    },
    /// It falls to a safe current after a time. Headroom sets both.
    FailSafe(FailSafe),
    /// It keeps the last limit for ever.
    HoldsLast,
}

/// Registers of a fail-safe function.
#[derive(Debug)]
pub(crate) struct FailSafe {
    /// The current in force, read.
    pub(crate) current: Register,
    /// The time in force, in seconds, read.
    pub(crate) timeout: Register,
    /// The current, written.
    pub(crate) set_current: Register,
    /// The time, written.
    pub(crate) set_timeout: Register,
    /// 1 keeps both over a restart. It is a memory that wears, so that it is written on a change only.
    pub(crate) persist: Register,
    /// Times that it takes, in seconds.
    pub(crate) range_s: (u32, u32),
}

const fn block(start: u16, count: u16, needed: bool) -> Block {
    Block {
        start,
        count,
        needed,
    }
}

/// Alfen `NG9xx` (Eve Single, Eve Double, Twin). The unit is the socket.
static ALFEN: Charger = Charger {
    name: "alfen",
    model: "Alfen NG9xx",
    blocks: &[
        block(320, 6, true),
        block(1200, 16, true),
        block(374, 4, false),
    ],
    limit: Register::whole(1210, Kind::F32),
    write: Write::Multiple,
    enable: None,
    enabled: None,
    applied: Register::whole(1206, Kind::F32),
    currents: [
        Register::whole(320, Kind::F32),
        Register::whole(322, Kind::F32),
        Register::whole(324, Kind::F32),
    ],
    energy: Some(Register::scaled(374, Kind::F64, 1000)),
    phases: Some(Register::whole(1215, Kind::U16)),
    state: State::Letters(Register::whole(1201, Kind::Text(5))),
    on_loss: OnLoss::Validity {
        left: Register::whole(1208, Kind::U32),
        safe: Register::whole(1212, Kind::F32),
        keep_alive: Duration::from_secs(10),
    },
    gap: Duration::ZERO,
};

/// KEBA `KeContact` P30 (c- and x-series) and P40, and what BMW sold of it. It gives one value for each request.
static KEBA: Charger = Charger {
    name: "keba",
    model: "KEBA P30 or P40",
    blocks: &[
        block(1000, 2, true),
        block(1004, 2, true),
        block(1008, 2, true),
        block(1010, 2, true),
        block(1012, 2, true),
        block(1100, 2, true),
        block(1036, 2, false),
        block(1600, 2, false),
        block(1602, 2, false),
    ],
    limit: Register::scaled(5004, Kind::U16, 1000),
    write: Write::Single,
    enable: Some(Register::whole(5014, Kind::U16)),
    enabled: None,
    applied: Register::scaled(1100, Kind::U32, 1000),
    currents: [
        Register::scaled(1008, Kind::U32, 1000),
        Register::scaled(1010, Kind::U32, 1000),
        Register::scaled(1012, Kind::U32, 1000),
    ],
    energy: Some(Register::scaled(1036, Kind::U32, 10_000)),
    phases: None,
    state: State::Keba {
        state: Register::whole(1000, Kind::U32),
        plug: Register::whole(1004, Kind::U32),
    },
    on_loss: OnLoss::FailSafe(FailSafe {
        current: Register::scaled(1600, Kind::U32, 1000),
        timeout: Register::whole(1602, Kind::U32),
        set_current: Register::scaled(5016, Kind::U16, 1000),
        set_timeout: Register::whole(5018, Kind::U16),
        persist: Register::whole(5020, Kind::U16),
        range_s: (10, 600),
    }),
    gap: Duration::from_secs(5),
};

/// Phoenix Contact CHARX control modular. The registers of charging point n begin at n times 1000.
static CHARX: Charger = Charger {
    name: "phoenix_charx",
    model: "Phoenix Contact CHARX",
    blocks: &[block(238, 6, true), block(299, 3, true)],
    limit: Register::whole(301, Kind::U16),
    write: Write::Multiple,
    enable: Some(Register::whole(300, Kind::U16)),
    enabled: Some(Register::whole(300, Kind::U16)),
    applied: Register::whole(301, Kind::U16),
    currents: [
        Register::scaled(238, Kind::I32, 1000),
        Register::scaled(240, Kind::I32, 1000),
        Register::scaled(242, Kind::I32, 1000),
    ],
    energy: None,
    phases: None,
    state: State::Letters(Register::whole(299, Kind::Text(1))),
    on_loss: OnLoss::HoldsLast,
    gap: Duration::from_secs(1),
};

/// A profile as a configuration names it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Profile {
    /// A charger, and what is added to each of its registers.
    Charger(&'static Charger, u16),
    /// A relay.
    Relay(Relay),
}

/// A relay behind Modbus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relay {
    /// A coil: closed is on.
    Coil(u16),
    /// A holding register with one value for closed and one for open.
    Holding { address: u16, on: u16, off: u16 },
}

impl Profile {
    /// Whether it is for a charger; else for a relay.
    pub(crate) const fn is_charger(&self) -> bool {
        matches!(self, Self::Charger(..))
    }
}

/// Names of the profiles for chargers or for relays, for people.
pub(crate) const fn names(charger: bool) -> &'static str {
    if charger {
        "alfen, keba, phoenix_charx_N (N from 1 to 48)"
    } else {
        "relay_coil_N, relay_holding_N, relay_holding_N_ON_OFF (N, ON and OFF from 0 to 65535)"
    }
}

/// The profile of that name, for chargers and relays alike.
pub(crate) fn profile(name: &str) -> Option<Profile> {
    if let Some(numbers) = name.strip_prefix("relay_coil_") {
        return Some(Profile::Relay(Relay::Coil(number(numbers)?)));
    }
    if let Some(numbers) = name.strip_prefix("relay_holding_") {
        let mut numbers = numbers.split('_').map(number);
        let address = numbers.next()??;
        let (on, off) = match (numbers.next(), numbers.next(), numbers.next()) {
            (None, ..) => (1, 0),
            (Some(on), Some(off), None) => (on?, off?),
            _ => return None,
        };
        let relay = Relay::Holding { address, on, off };
        return (on != off).then_some(Profile::Relay(relay));
    }
    if let Some(point) = name.strip_prefix("phoenix_charx_") {
        let point = number(point).filter(|point| (1..=CHARX_POINTS).contains(point))?;
        return Some(Profile::Charger(&CHARX, point * CHARX_OFFSET));
    }
    let mut plain = [&ALFEN, &KEBA].into_iter();
    plain
        .find(|charger| charger.name == name)
        .map(|charger| Profile::Charger(charger, 0))
}

/// A number in its plain form alone, so that each profile has one name.
fn number(text: &str) -> Option<u16> {
    let number: u16 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// The status that letters of IEC 61851-1 mean; without a 2 the charger does not offer current.
pub(crate) fn letters(text: &str) -> ChargerStatus {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some('A'), _) => ChargerStatus::Available,
        (Some('B' | 'C' | 'D'), Some('1')) => ChargerStatus::SuspendedEvse,
        (Some('B'), _) => ChargerStatus::SuspendedEv,
        (Some('C' | 'D'), _) => ChargerStatus::Charging,
        (Some('E' | 'F'), _) => ChargerStatus::Faulted,
        _ => ChargerStatus::Unknown,
    }
}

/// The status that KEBA's numbers mean. The plug says whether there is a car.
pub(crate) fn keba(state: f64, plug: f64) -> ChargerStatus {
    /// Plugged in at the car: 5, and locked there: 7.
    const AT_THE_CAR: f64 = 5.0;
    let car = plug >= AT_THE_CAR;
    match state {
        3.0 => ChargerStatus::Charging,
        4.0 => ChargerStatus::Faulted,
        _ if !car => ChargerStatus::Available,
        1.0 | 5.0 => ChargerStatus::SuspendedEvse,
        2.0 => ChargerStatus::SuspendedEv,
        0.0 => ChargerStatus::Preparing,
        _ => ChargerStatus::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_profile_has_one_name() {
        for name in ["alfen", "keba", "phoenix_charx_1", "phoenix_charx_48"] {
            assert!(
                matches!(profile(name), Some(Profile::Charger(..))),
                "{name}"
            );
        }
        let relay = |name| match profile(name) {
            Some(Profile::Relay(relay)) => Some(relay),
            _ => None,
        };
        assert_eq!(relay("relay_coil_0"), Some(Relay::Coil(0)));
        let holding = |address, on, off| Some(Relay::Holding { address, on, off });
        assert_eq!(relay("relay_holding_7"), holding(7, 1, 0));
        assert_eq!(relay("relay_holding_7_256_512"), holding(7, 256, 512));
        for name in [
            "",
            "Alfen",
            "phoenix_charx",
            "phoenix_charx_0",
            "phoenix_charx_49",
            "phoenix_charx_01",
            "relay_coil_",
            "relay_coil_+1",
            "relay_coil_65536",
            "relay_holding_1_1",
            "relay_holding_1_1_1",
            "relay_holding_1_1_0_0",
        ] {
            assert!(profile(name).is_none(), "{name}");
        }
    }

    #[test]
    fn every_value_that_is_read_is_in_a_block() {
        for charger in [&ALFEN, &KEBA, &CHARX] {
            let mut read = charger.currents.to_vec();
            read.extend([charger.applied]);
            read.extend(charger.enabled);
            read.extend(charger.energy);
            read.extend(charger.phases);
            match &charger.state {
                State::Letters(register) => read.push(*register),
                State::Keba { state, plug } => read.extend([*state, *plug]),
            }
            match &charger.on_loss {
                OnLoss::Validity { left, safe, .. } => read.extend([*left, *safe]),
                OnLoss::FailSafe(fail_safe) => {
                    read.extend([fail_safe.current, fail_safe.timeout]);
                }
                OnLoss::HoldsLast => {}
            }
            for register in read {
                let mut blocks = charger.blocks.iter();
                let whole = |block: &Block| {
                    block.start <= register.address
                        && register.address + register.count() <= block.start + block.count
                };
                assert!(blocks.any(whole), "{}: {register:?}", charger.name);
            }
        }
    }

    #[test]
    fn states_of_the_car() {
        for (text, status) in [
            ("A", ChargerStatus::Available),
            ("B1", ChargerStatus::SuspendedEvse),
            ("B2", ChargerStatus::SuspendedEv),
            ("C1", ChargerStatus::SuspendedEvse),
            ("C2", ChargerStatus::Charging),
            ("D2", ChargerStatus::Charging),
            ("E", ChargerStatus::Faulted),
            ("F", ChargerStatus::Faulted),
            ("", ChargerStatus::Unknown),
            ("x", ChargerStatus::Unknown),
        ] {
            assert_eq!(letters(text), status, "{text:?}");
        }
        assert_eq!(keba(3.0, 7.0), ChargerStatus::Charging);
        assert_eq!(keba(2.0, 7.0), ChargerStatus::SuspendedEv);
        assert_eq!(keba(1.0, 5.0), ChargerStatus::SuspendedEvse);
        assert_eq!(keba(1.0, 3.0), ChargerStatus::Available);
        assert_eq!(keba(4.0, 7.0), ChargerStatus::Faulted);
        assert_eq!(keba(9.0, 7.0), ChargerStatus::Unknown);
    }
}

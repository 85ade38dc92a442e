//! Télé-information client of Linky meters (Enedis-NOI-CPT_54E).
//!
//! STX, groups `LF label SEP data SEP checksum CR`, ETX. SEP is a space in the historique mode and a tab in the standard
//! mode, where a time stamp may stand before the data. The checksum has six bits: a frame counts only if every group of
//! it is right. Powers are apparent (VA), no active power; of the standard mode they are kept for each phase, since they
//! are finer than its whole amperes.

use crate::{
    decoder::{Desk, Reason, Step},
    parity,
    profile::{Gather, Register},
    quantity::Quantity,
    telegram::{Protocol, Telegram, Text},
    time::MeterTime,
};

/// STX without and with the parity bit of a 7E1 line. ETX has even parity as it is.
const START: [u8; 2] = [0x02, 0x82];
const END: u8 = 0x03;
/// The meter interrupts a frame with it; EOT with the parity bit.
const INTERRUPTED: [u8; 2] = [0x04, 0x84];
/// The longest frame of the standard mode, three-phase and producer, has about 1.6 KiB.
const MAX_LEN: usize = 4 * 1024;

/// The address opens a frame of either mode; a short frame begins with what the meter warns of.
const FIRST_LABELS: [&str; 3] = ["ADCO", "ADSC", "ADIR1"];
/// The longest label is `SMAXSN1-1`. A damaged tab would make one of a label and its time stamp.
const MAX_LABEL: usize = 9;
/// A letter for the season and twelve digits.
const STAMP_LEN: usize = 13;

#[derive(Debug)]
pub(crate) struct Framer;

impl crate::decoder::Framer for Framer {
    fn protocol(&self) -> Protocol {
        Protocol::Tic
    }

    fn scan(&mut self, stream: &[u8], at: usize, end: bool, desk: &mut Desk) -> Step {
        let window = stream.get(at..).unwrap_or_default();
        match memchr::memchr2(START[0], START[1], window) {
            Some(0) => {}
            Some(start) => return Step::Skip(start),
            None => return Step::Skip(window.len()),
        }
        match begins(window) {
            None if !end => return Step::Need,
            Some(true) => {}
            None | Some(false) => return Step::Skip(1),
        }
        let stop = window
            .iter()
            .skip(1)
            .position(|byte| *byte == END || START.contains(byte) || INTERRUPTED.contains(byte));
        let Some(stop) = stop.map(|stop| stop + 1) else {
            return if window.len() > MAX_LEN || end {
                Step::Lost(window.len(), Reason::Cut)
            } else {
                Step::Need
            };
        };
        if window.get(stop) != Some(&END) {
            return Step::Lost(stop, Reason::Cut);
        }
        let len = stop + 1;
        match parity::strip(window.get(..stop).unwrap_or_default())
            .ok_or(Reason::Parity)
            .and_then(|text| read(&text, &mut desk.telegram))
        {
            Ok(()) => Step::Telegram(len),
            Err(reason) => Step::Lost(len, reason),
        }
    }
}

/// Whether STX, line feed and a label that opens a frame stand first; `None` while it is too short to tell. One flipped
/// bit makes STX of a checksum: what stands behind is then the rest of a frame, all of it right.
fn begins(window: &[u8]) -> Option<bool> {
    let mut plain = window.iter().skip(1).map(|byte| byte & 0x7F).peekable();
    // Some captures have a carriage return before the line feed.
    plain.next_if_eq(&b'\r');
    if plain.next()? != b'\n' {
        return Some(false);
    }
    let mut open = false;
    for label in FIRST_LABELS {
        let mut left = plain.clone();
        let wrong = label
            .bytes()
            .position(|letter| left.next_if_eq(&letter).is_none());
        match (wrong, left.peek()) {
            (None, _) => return Some(true),
            // A frame that was interrupted in its first label.
            (Some(1..), Some(byte)) if INTERRUPTED.contains(byte) => return Some(true),
            (Some(_), None) => open = true,
            (Some(_), Some(_)) => {}
        }
    }
    if open { None } else { Some(false) }
}

fn read(text: &[u8], telegram: &mut Telegram) -> Result<(), Reason> {
    let mut gather = Gather::new(telegram, Protocol::Tic);
    let mut energy: Option<i64> = None;
    let mut apparent = None;
    let groups = text
        .get(1..)
        .unwrap_or_default()
        .split(|byte| *byte == b'\r');
    for raw in groups {
        let raw = raw.strip_prefix(b"\n").unwrap_or(raw);
        if raw.is_empty() || raw == b"\n" {
            continue;
        }
        let group = Group::parse(raw).ok_or(Reason::Checksum)?;
        if let Some((_, register)) = REGISTERS.iter().find(|(label, _)| *label == group.label) {
            let quantity = Quantity::parse(group.data).ok_or(Reason::Malformed)?;
            gather.set(*register, quantity);
        } else if group.label == APPARENT_TOTAL {
            let total = Quantity::parse(group.data).and_then(Quantity::milli);
            apparent = Some(total.ok_or(Reason::Malformed)?);
        } else if ENERGIES.contains(&group.label) {
            let index = Quantity::parse(group.data)
                .and_then(Quantity::milli)
                .ok_or(Reason::Malformed)?;
            energy = energy.unwrap_or(0).checked_add(index);
        } else if ["ADCO", "ADSC"].contains(&group.label) {
            // Twelve digits: the checksum does not cover the bit that makes a letter of a digit.
            if !group.data.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Reason::Malformed);
            }
            gather.telegram().meter_id = Text::from(group.data).ok();
        } else if group.label == "DATE" {
            let stamp = group.stamp.ok_or(Reason::Malformed)?;
            gather.telegram().meter_time = time(stamp);
        }
    }
    let telegram = gather.finish();
    telegram.energy_import_mwh = telegram.energy_import_mwh.or(energy);
    if let [first, second, third] = &mut telegram.phases
        && second.is_empty()
        && third.is_empty()
    {
        first.apparent_mva = first.apparent_mva.or(apparent);
    }
    if telegram.is_empty() {
        Err(Reason::Unknown)
    } else {
        Ok(())
    }
}

/// Of a single-phase meter it is the phase's own; three-phase meters have one for each phase beside it.
const APPARENT_TOTAL: &str = "SINSTS";

const REGISTERS: &[(&str, Register)] = &[
    ("IINST", Register::Current(0)),
    ("IINST1", Register::Current(0)),
    ("IINST2", Register::Current(1)),
    ("IINST3", Register::Current(2)),
    // Sent while a phase is above its limit, in short frames.
    ("ADIR1", Register::Current(0)),
    ("ADIR2", Register::Current(1)),
    ("ADIR3", Register::Current(2)),
    ("IRMS1", Register::Current(0)),
    ("IRMS2", Register::Current(1)),
    ("IRMS3", Register::Current(2)),
    ("URMS1", Register::Voltage(0)),
    ("URMS2", Register::Voltage(1)),
    ("URMS3", Register::Voltage(2)),
    ("SINSTS1", Register::PhaseApparent(0)),
    ("SINSTS2", Register::PhaseApparent(1)),
    ("SINSTS3", Register::PhaseApparent(2)),
    ("EAST", Register::ImportEnergy(0)),
    ("EAIT", Register::ExportEnergy(0)),
];

/// Indices of the historique mode, one per tariff period.
const ENERGIES: &[&str] = &[
    "BASE", "HCHC", "HCHP", "EJPHN", "EJPHPM", "BBRHCJB", "BBRHPJB", "BBRHCJW", "BBRHPJW",
    "BBRHCJR", "BBRHPJR",
];

struct Group<'a> {
    label: &'a str,
    stamp: Option<&'a str>,
    data: &'a str,
}

impl<'a> Group<'a> {
    /// Parsed from its end: the checksum may be a space itself.
    fn parse(raw: &'a [u8]) -> Option<Self> {
        let (&sum, covered) = raw.split_last()?;
        let (&separator, text) = covered.split_last()?;
        let counted = match separator {
            b'\t' => covered,
            b' ' => text,
            _ => return None,
        };
        let total = counted
            .iter()
            .fold(0_u8, |total, byte| total.wrapping_add(*byte));
        if (total & 0x3F) + 0x20 != sum {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        let (label, data) = text.split_once(char::from(separator))?;
        // The checksum does not cover the upper bits: a damaged label must not pass as an unknown one.
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "+-_".contains(c);
        if !(1..=MAX_LABEL).contains(&label.len())
            || !label.chars().all(plain)
            || !data.chars().all(|c| c == '\t' || !c.is_control())
        {
            return None;
        }
        let (stamp, data) = match data.split_once('\t') {
            Some((stamp, data)) if is_stamp(stamp) => (Some(stamp), data),
            // A damaged letter I is a tab.
            Some(_) => return None,
            None => (None, data),
        };
        Some(Self { label, stamp, data })
    }
}

/// The season is no letter while the clock is lost; the digits are always there.
fn is_stamp(stamp: &str) -> bool {
    stamp.len() == STAMP_LEN && stamp.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

/// `SYYMMDDhhmmss`: H in winter, E in summer, in lower case while the clock is not sure.
fn time(stamp: &str) -> Option<MeterTime> {
    let offset = match stamp.chars().next()? {
        'H' | 'h' => 60,
        'E' | 'e' => 120,
        _ => return None,
    };
    MeterTime::from_digits(stamp.get(1..)?, Some(offset))
}

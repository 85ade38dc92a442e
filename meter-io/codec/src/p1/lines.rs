//! The lines of a P1 telegram whose frame is known to be right.
//!
//! Lines that are not understood are skipped: makers add their own, and the CRC has vouched for the bytes. Without a
//! CRC (DSMR 2.2 and 3.0, Iskra in Slovenia, German D0) every line must follow the grammar, the telegram must be of a
//! kind that has none, and its values must be possible in a house. Such a telegram counts at once: a second one that
//! agrees is not waited for, since at 10 s each that would double the age of every reading, and a captured telegram
//! could not be decoded at all. Where parity bits are there, the framer has checked them before.

use crate::{
    decoder::Reason,
    profile::{self, Gather, Obis, Register},
    quantity::Quantity,
    telegram::{Protocol, Telegram, Text},
    time::MeterTime,
};
use memchr::memchr;

/// Voltages between a line and neutral, or between two lines, that a house has (mV); 0 is a conductor that is not there.
const POSSIBLE_MV: std::ops::RangeInclusive<i64> = 180_000..=260_000;
/// More no direct meter carries (mA).
const POSSIBLE_MA: i64 = 200_000;

/// `A-B:C.D.E` with the text from the first bracket on.
struct Line<'a> {
    obis: Obis,
    groups: &'a [u8],
}

impl<'a> Line<'a> {
    /// `None` if the line does not begin with a code, as the value on a line of its own in DSMR 2.2.
    fn parse(line: &'a [u8]) -> Option<Self> {
        let (medium, rest) = field(line)?;
        let (channel, rest) = field(rest.strip_prefix(b"-")?)?;
        let (c, rest) = field(rest.strip_prefix(b":")?)?;
        let (d, rest) = field(rest.strip_prefix(b".")?)?;
        let (e, rest) = field(rest.strip_prefix(b".")?)?;
        // The sixth field is the billing period: 255 is the present one.
        let rest = match rest.strip_prefix(b"*") {
            Some(period) => field(period)?.1,
            None => rest,
        };
        let groups = rest.trim_ascii_start();
        groups.starts_with(b"(").then_some(Self {
            obis: Obis(medium, channel, c, d, e),
            groups,
        })
    }

    /// The text in the first brackets.
    fn first(&self) -> Option<&'a [u8]> {
        let inner = self.groups.get(1..)?;
        inner.get(..inner.iter().position(|byte| *byte == b')')?)
    }

    /// The same as text.
    fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.first()?).ok()
    }

    /// A number with its unit, in the base unit.
    fn quantity(&self) -> Option<(profile::Dimension, Quantity)> {
        let first = self.first()?;
        let star = first.iter().position(|byte| *byte == b'*')?;
        let (number, unit) = first.split_at_checked(star)?;
        let unit = std::str::from_utf8(unit.get(1..)?).ok()?;
        let (dimension, shift) = profile::unit(unit)?;
        Some((dimension, Quantity::from_ascii(number)?.shifted(shift)?))
    }
}

/// A number of up to three digits, and what follows it.
fn field(text: &[u8]) -> Option<(u8, &[u8])> {
    let mut value: u16 = 0;
    let mut digits = 0;
    for byte in text.iter().take(3).take_while(|byte| byte.is_ascii_digit()) {
        value = value * 10 + u16::from(byte - b'0');
        digits += 1;
    }
    let rest = text.get(digits..)?;
    (digits > 0).then_some((u8::try_from(value).ok()?, rest))
}

/// `(…)(…)`: nothing before, between and behind.
fn closed(mut groups: &[u8]) -> bool {
    while let Some(inner) = groups.strip_prefix(b"(") {
        let Some(end) = inner.iter().position(|byte| matches!(byte, b'(' | b')')) else {
            return false;
        };
        let (Some(b')'), Some(rest)) = (inner.get(end), inner.get(end + 1..)) else {
            return false;
        };
        if rest.is_empty() {
            return true;
        }
        groups = rest;
    }
    false
}

const CLOCK: Obis = Obis(0, 0, 1, 0, 0);
/// Time and date apart: Iskra in Slovenia.
const TIME_OF_DAY: Obis = Obis(1, 0, 0, 9, 1);
const DATE: Obis = Obis(1, 0, 0, 9, 2);
const VERSION: Obis = Obis(1, 3, 0, 2, 8);
const VERSION_BELGIUM: Obis = Obis(0, 0, 96, 1, 4);
/// Reactive power of L1: only the Nordic data model has it (Energiföretagen H1, SESKO SK 13-1).
const NORDIC: Obis = Obis(1, 0, 23, 7, 0);
/// Codes of the meter's id, the one that counts most first: DSMR, Luxembourg, others, German D0.
const IDS: [Obis; 5] = [
    Obis(0, 0, 96, 1, 1),
    Obis(0, 0, 42, 0, 0),
    Obis(0, 0, 96, 1, 0),
    Obis(0, 0, 96, 1, 255),
    Obis(1, 0, 0, 0, 0),
];

/// Reads `/`…`!`. `bare`: it came without a CRC.
pub(super) fn read(text: &[u8], bare: bool, telegram: &mut Telegram) -> Result<(), Reason> {
    let (header, body) = text.split_at(memchr(b'\n', text).unwrap_or(text.len()));
    let header = header.get(1..).unwrap_or_default();
    // A telegram that was cut in its first line, and the next one behind: no checksum tells.
    if bare
        && header
            .windows(5)
            .any(|inner| inner.starts_with(b"/") && super::is_header(inner) == Some(true))
    {
        return Err(Reason::Cut);
    }
    let mut gather = Gather::new(telegram, Protocol::P1);
    let mut said = Said::default();
    for raw in Lines(body) {
        let raw = raw.trim_ascii();
        if raw.is_empty() || raw == b"!" {
            continue;
        }
        let Some(line) = Line::parse(raw) else {
            // DSMR 2.2 puts the gas meter's value on a line of its own.
            if bare && !closed(raw) {
                return Err(Reason::Malformed);
            }
            continue;
        };
        if bare && !closed(line.groups) {
            return Err(Reason::Malformed);
        }
        if let Some(register) = line.obis.register() {
            match line.quantity() {
                Some((dimension, quantity)) if dimension == register.dimension() => {
                    if quantity.mantissa < 0 && !may_be_negative(register, bare) {
                        return Err(Reason::Impossible);
                    }
                    gather.set(signed(register, quantity), quantity);
                }
                _ if bare => return Err(Reason::Malformed),
                _ => {}
            }
        } else if bare && [VERSION, VERSION_BELGIUM, NORDIC].contains(&line.obis) {
            // These kinds always carry a CRC: without it the end was lost.
            return Err(Reason::NoChecksum);
        } else {
            said.take(&line);
        }
    }
    let model = readable(header.trim_ascii());
    let telegram = gather.finish();
    telegram.meter_time = said.time(&model);
    telegram.meter_id = said.id();
    telegram.meter_model = Some(model);
    if telegram.is_empty() {
        Err(Reason::Unknown)
    } else if bare && !is_possible(telegram) {
        Err(Reason::Malformed)
    } else {
        Ok(())
    }
}

/// As much of it as a text holds, with a mark where bytes are no text.
fn readable(bytes: &[u8]) -> Text {
    let mut text = Text::new();
    for chunk in bytes.utf8_chunks() {
        let mark = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
        let mut letters = chunk.valid().chars().chain(mark);
        if letters.any(|letter| text.try_push(letter).is_err()) {
            break;
        }
    }
    text
}

/// Lines without their line feed.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = self
            .0
            .split_at_checked(memchr(b'\n', self.0).unwrap_or(self.0.len()))?;
        self.0 = rest.get(1..).unwrap_or_default();
        Some(line)
    }
}

/// Whether a register has a sign. The powers drawn have one on German D0 meters, which send no CRC; a minus anywhere else
/// was never seen on a meter.
fn may_be_negative(register: Register, bare: bool) -> bool {
    match register {
        Register::SignedPower
        | Register::PhaseSigned(_)
        | Register::ImportReactive
        | Register::ExportReactive => true,
        Register::ImportPower | Register::PhaseImport(_) => bare,
        Register::ExportPower
        | Register::PhaseExport(_)
        | Register::PhaseApparent(_)
        | Register::Current(_)
        | Register::Voltage(_)
        | Register::ImportEnergy(_)
        | Register::ExportEnergy(_) => false,
    }
}

/// Meters with one register for both directions (German D0) send what is fed in as a negative import.
fn signed(register: Register, quantity: Quantity) -> Register {
    match register {
        Register::ImportPower if quantity.mantissa < 0 => Register::SignedPower,
        Register::PhaseImport(phase) if quantity.mantissa < 0 => Register::PhaseSigned(phase),
        register => register,
    }
}

/// Whether a house can have these values. It is asked only where no checksum vouches for them.
fn is_possible(telegram: &Telegram) -> bool {
    telegram.phases.iter().all(|phase| {
        phase
            .voltage_mv
            .is_none_or(|voltage| voltage == 0 || POSSIBLE_MV.contains(&voltage))
            && phase
                .current_ma
                .is_none_or(|current| current <= POSSIBLE_MA)
    })
}

/// What the lines said of the meter, as sent. It means what it means only when the whole telegram is known.
#[derive(Default)]
struct Said<'a> {
    ids: [Option<&'a str>; IDS.len()],
    clock: Option<&'a str>,
    time_of_day: Option<&'a str>,
    date: Option<&'a str>,
    nordic: bool,
}

impl<'a> Said<'a> {
    fn take(&mut self, line: &Line<'a>) {
        match line.obis {
            CLOCK => self.clock = line.text(),
            TIME_OF_DAY => self.time_of_day = line.text(),
            DATE => self.date = line.text(),
            NORDIC => self.nordic = true,
            obis => {
                if let Some(rank) = IDS.iter().position(|id| *id == obis)
                    && let Some(slot) = self.ids.get_mut(rank)
                {
                    *slot = line.text();
                }
            }
        }
    }

    fn id(&self) -> Option<Text> {
        let mut ids = self.ids.iter().flatten();
        ids.find_map(|id| Text::from(id).ok().filter(|id| !id.is_empty()))
    }

    fn time(&self, model: &str) -> Option<MeterTime> {
        match (self.clock, self.date, self.time_of_day) {
            (Some(clock), _, _) => time(clock, self.nordic, model),
            (None, Some(date), Some(time)) => {
                let mut digits = Text::from(date).ok()?;
                digits.try_push_str(time).ok()?;
                MeterTime::from_digits(&digits, None)
            }
            _ => None,
        }
    }
}

/// Minutes of Central European Time, in which all P1 countries but Finland and the Baltic ones live.
const CENTRAL_EUROPE: i16 = 60;
/// Headers of meters that are not read in Central Europe alone: Aidon's are sold in Sweden and Finland alike, ESO is the
/// grid company of Lithuania. Their zone is not known.
const ELSEWHERE: [&str; 2] = ["ADN", "ESO"];

/// `YYMMDDhhmmssX`: X is S in summer and W in winter.
fn time(clock: &str, nordic: bool, model: &str) -> Option<MeterTime> {
    let here = !ELSEWHERE.iter().any(|maker| model.starts_with(maker));
    if let Some(digits) = clock.strip_suffix('W') {
        return MeterTime::from_digits(digits, here.then_some(CENTRAL_EUROPE));
    }
    if let Some(digits) = clock.strip_suffix('S') {
        // Swedish meters keep normal time all year, and may still say S.
        let offset = (here && !nordic).then_some(CENTRAL_EUROPE + 60);
        return MeterTime::from_digits(digits, offset);
    }
    // NES meters write `20240111 09:35:00`.
    let mut digits = Text::new();
    for digit in clock.chars().filter(char::is_ascii_digit) {
        digits.try_push(digit).ok()?;
    }
    match digits.len() {
        14 => MeterTime::from_digits(digits.strip_prefix("20")?, None),
        _ => MeterTime::from_digits(&digits, None),
    }
}

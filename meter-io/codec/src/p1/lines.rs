//! The lines of a P1 telegram whose frame is known to be right.
//!
//! Lines that are not understood are skipped: makers add their own, and the CRC has vouched for the bytes. Without a
//! CRC every line must follow the grammar, and the telegram must be of a kind that has none.

use crate::{
    decoder::Reason,
    profile::{self, Gather, Obis},
    quantity::Quantity,
    telegram::{Protocol, Telegram},
    time::MeterTime,
};

/// Longer lines are not looked at: DSMR 5 texts have up to 2048 digits.
const MAX_LINE: usize = 8 * 1024;

/// `A-B:C.D.E` with the text from the first bracket on.
struct Line<'a> {
    obis: Obis,
    groups: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (code, _) = line.split_once('(')?;
        let groups = line.get(code.len()..)?;
        let code = code.trim();
        let code = code.split_once('*').map_or(code, |(code, _)| code);
        let (medium, code) = code.split_once('-')?;
        let (channel, code) = code.split_once(':')?;
        let mut values = code.split('.').map(|value| value.parse::<u8>().ok());
        let (c, d, e) = (values.next()??, values.next()??, values.next()??);
        if values.next().is_some() {
            return None;
        }
        Some(Self {
            obis: Obis(medium.parse().ok()?, channel.parse().ok()?, c, d, e),
            groups,
        })
    }

    /// The text in the first brackets.
    fn first(&self) -> Option<&'a str> {
        self.groups
            .strip_prefix('(')?
            .split_once(')')
            .map(|(value, _)| value)
    }

    fn is_closed(&self) -> bool {
        closed(self.groups)
    }

    /// A number with its unit, in the base unit.
    fn quantity(&self) -> Option<(profile::Dimension, Quantity)> {
        let (number, unit) = self.first()?.split_once('*')?;
        let (dimension, shift) = profile::unit(unit)?;
        Some((dimension, Quantity::parse(number)?.shifted(shift)?))
    }
}

/// `(…)(…)`, nothing behind.
fn closed(groups: &str) -> bool {
    groups.starts_with('(') && groups.trim_end().ends_with(')')
}

const CLOCK: Obis = Obis(0, 0, 1, 0, 0);
const VERSION: Obis = Obis(1, 3, 0, 2, 8);
const VERSION_BELGIUM: Obis = Obis(0, 0, 96, 1, 4);
const DEVICE_NAME: Obis = Obis(0, 0, 42, 0, 0);
const EQUIPMENT_ID: Obis = Obis(0, 0, 96, 1, 1);
const EQUIPMENT_ID_0: Obis = Obis(0, 0, 96, 1, 0);
/// Reactive power of L1: only the Nordic data model has it (Energiföretagen H1, SESKO SK 13-1).
const NORDIC: Obis = Obis(1, 0, 23, 7, 0);

/// Reads `/`…`!`. `bare`: it came without a CRC.
pub(super) fn read(text: &[u8], bare: bool) -> Result<Telegram, Reason> {
    let mut lines = text.split(|byte| *byte == b'\n');
    let header = lines
        .next()
        .and_then(|line| line.get(1..))
        .unwrap_or_default();
    // A telegram that was cut in its first line, and the next one behind: no checksum tells.
    if bare
        && header
            .windows(5)
            .any(|inner| super::is_header(inner) == Some(true) && inner.starts_with(b"/"))
    {
        return Err(Reason::Cut);
    }
    let mut gather = Gather::new(Telegram::new(Protocol::P1));
    let mut clock = None;
    let mut ids = [None; 3];
    let mut nordic = false;
    for raw in lines {
        let raw = raw.trim_ascii_end();
        if raw.is_empty() || raw == b"!" || raw.len() > MAX_LINE {
            continue;
        }
        let text = std::str::from_utf8(raw).unwrap_or_default();
        let Some(line) = Line::parse(text) else {
            // DSMR 2.2 puts the gas meter's value on a line of its own.
            if bare && !closed(text) {
                return Err(Reason::Malformed);
            }
            continue;
        };
        if bare && !line.is_closed() {
            return Err(Reason::Malformed);
        }
        match line.obis {
            CLOCK => clock = line.first(),
            // These kinds always carry a CRC: without it the end was lost.
            VERSION | VERSION_BELGIUM | NORDIC if bare => return Err(Reason::NoChecksum),
            NORDIC => nordic = true,
            EQUIPMENT_ID => ids[0] = line.first(),
            DEVICE_NAME => ids[1] = line.first(),
            EQUIPMENT_ID_0 => ids[2] = line.first(),
            obis => {
                if let Some(register) = obis.register() {
                    match line.quantity() {
                        Some((dimension, quantity)) if dimension == register.dimension() => {
                            gather.set(register, quantity);
                        }
                        _ if bare => return Err(Reason::Malformed),
                        _ => {}
                    }
                }
            }
        }
    }
    let model = String::from_utf8_lossy(header).trim().to_owned();
    let telegram = gather.telegram();
    telegram.meter_time = clock.and_then(|clock| time(clock, nordic, &model));
    telegram.meter_id = ids
        .into_iter()
        .flatten()
        .find(|id| !id.is_empty())
        .map(ToOwned::to_owned);
    telegram.meter_model = Some(model);
    let telegram = gather.finish();
    if telegram.is_empty() {
        Err(Reason::Unknown)
    } else {
        Ok(telegram)
    }
}

/// Minutes of Central European Time, in which all P1 countries but Finland and the Baltic ones live.
const CENTRAL_EUROPE: i16 = 60;

/// `YYMMDDhhmmssX`: X is S in summer and W in winter.
fn time(clock: &str, nordic: bool, model: &str) -> Option<MeterTime> {
    if let Some(digits) = clock.strip_suffix('W') {
        // Aidon's P1 meters are sold in Sweden and Finland alike: their zone is not known.
        let offset = if nordic && model.starts_with("ADN") {
            None
        } else {
            Some(CENTRAL_EUROPE)
        };
        return MeterTime::from_digits(digits, offset);
    }
    if let Some(digits) = clock.strip_suffix('S') {
        // Swedish meters keep normal time all year, and may still say S.
        let offset = if nordic {
            None
        } else {
            Some(CENTRAL_EUROPE + 60)
        };
        return MeterTime::from_digits(digits, offset);
    }
    // NES meters write `20240111 09:35:00`.
    let digits: String = clock.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        14 => MeterTime::from_digits(digits.strip_prefix("20")?, None),
        _ => MeterTime::from_digits(&digits, None),
    }
}

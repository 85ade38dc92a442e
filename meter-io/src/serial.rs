//! Serial ports: opening, line parameters and their order of trial, stable names.
//!
//! P1 and TIC lines of 7E1 are opened as 8N1: both have ten bits per character, and the decoder strips the parity bit.

use headroom_codec::Protocol;
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};
use tokio_serial::{DataBits, Parity, SerialPort, SerialPortBuilderExt, SerialStream, StopBits};

/// Where Linux names ports by what is plugged in, so that the name stays when the number changes.
const BY_ID: &str = "/dev/serial/by-id";
/// Names of ports that may have a meter.
const PORTS: [&str; 4] = ["ttyUSB", "ttyACM", "ttyAMA", "serial"];
/// Enough for any house; a machine with more has something else plugged in.
const MAX_PORTS: usize = 64;
/// The rates of serial drivers.
pub(crate) const BAUD: std::ops::RangeInclusive<u32> = 300..=4_000_000;
/// Slow ASCII lines have seven data bits.
const SEVEN_BITS_BELOW: u32 = 19_200;

/// Parity of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineParity {
    /// No parity bit.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// The parameters of a line; eight data bits and one stop bit, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Rate in baud.
    pub baud: u32,
    /// Parity.
    pub parity: LineParity,
}

/// In the order of how many houses have them.
const CANDIDATES: [Line; 7] = [
    Line {
        baud: 115_200,
        parity: LineParity::None,
    },
    Line {
        baud: 2_400,
        parity: LineParity::Even,
    },
    Line {
        baud: 2_400,
        parity: LineParity::None,
    },
    Line {
        baud: 9_600,
        parity: LineParity::None,
    },
    Line {
        baud: 115_200,
        parity: LineParity::Even,
    },
    Line {
        baud: 38_400,
        parity: LineParity::None,
    },
    Line {
        baud: 1_200,
        parity: LineParity::None,
    },
];

impl Line {
    /// The lines to try, given what is pinned. Never empty.
    pub(crate) fn candidates(
        baud: Option<u32>,
        parity: Option<LineParity>,
        protocol: Option<Protocol>,
    ) -> Vec<Self> {
        let ascii = matches!(protocol, Some(Protocol::P1 | Protocol::Tic));
        let parity = match (baud, parity) {
            (Some(baud), Some(LineParity::Even)) if ascii && baud < SEVEN_BITS_BELOW => {
                Some(LineParity::None)
            }
            (_, parity) => parity,
        };
        if let (Some(baud), Some(parity)) = (baud, parity) {
            return vec![Self { baud, parity }];
        }
        let mut lines: Vec<Self> = CANDIDATES
            .into_iter()
            .filter(|line| baud.is_none_or(|baud| line.baud == baud))
            .filter(|line| parity.is_none_or(|parity| line.parity == parity))
            .collect();
        // A rate or parity of which the table knows less than all: both parities, or all rates.
        if let Some(baud) = baud {
            for parity in [LineParity::None, LineParity::Even] {
                let line = Self { baud, parity };
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        } else if let (true, Some(parity)) = (lines.is_empty(), parity) {
            lines = CANDIDATES
                .into_iter()
                .map(|line| Self { parity, ..line })
                .collect();
        }
        lines
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            LineParity::None => 'N',
            LineParity::Even => 'E',
            LineParity::Odd => 'O',
        };
        write!(f, "{} 8{parity}1", self.baud)
    }
}

impl FromStr for Line {
    type Err = LineError;

    /// As it is written by `Display`: `115200 8N1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (baud, format) = text.split_once(' ')?;
            let parity = match format {
                "8N1" => LineParity::None,
                "8E1" => LineParity::Even,
                "8O1" => LineParity::Odd,
                _ => return None,
            };
            let baud = baud.parse().ok().filter(|baud| BAUD.contains(baud))?;
            Some(Self { baud, parity })
        };
        read().ok_or_else(|| LineError(text.to_owned()))
    }
}

/// Text that is no line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} are no line parameters: write them as 115200 8N1")]
pub struct LineError(String);

fn parity(line: Line) -> Parity {
    match line.parity {
        LineParity::None => Parity::None,
        LineParity::Even => Parity::Even,
        LineParity::Odd => Parity::Odd,
    }
}

/// Opens a port. It may block for as long as its driver likes.
pub(crate) fn open(path: &Path, line: Line) -> io::Result<SerialStream> {
    let port = tokio_serial::new(path.to_string_lossy(), line.baud)
        .data_bits(DataBits::Eight)
        .stop_bits(StopBits::One)
        .parity(parity(line))
        .open_native_async()?;
    Ok(port)
}

/// Changes the line of an open port.
pub(crate) fn change(port: &mut SerialStream, line: Line) -> io::Result<()> {
    port.set_baud_rate(line.baud)?;
    port.set_parity(parity(line))?;
    Ok(())
}

/// The name by what is plugged in, if the port has one.
pub(crate) fn stable_name(path: &Path) -> Option<PathBuf> {
    let target = fs::canonicalize(path).ok()?;
    entries(Path::new(BY_ID))
        .into_iter()
        .find(|link| fs::canonicalize(link).is_ok_and(|linked| linked == target))
}

/// Serial ports of this machine that may have a meter, each by its most stable name.
pub fn serial_ports() -> Vec<PathBuf> {
    let mut ports = entries(Path::new(BY_ID));
    let named: Vec<PathBuf> = ports
        .iter()
        .filter_map(|link| fs::canonicalize(link).ok())
        .collect();
    let others = entries(Path::new("/dev")).into_iter().filter(|path| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        PORTS.iter().any(|prefix| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        }) && fs::canonicalize(path).is_ok_and(|path| !named.contains(&path))
    });
    ports.extend(others);
    ports.truncate(MAX_PORTS);
    ports
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(
        baud: Option<u32>,
        parity: Option<LineParity>,
        protocol: Option<Protocol>,
    ) -> Vec<String> {
        Line::candidates(baud, parity, protocol)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn what_is_pinned_is_not_tried_otherwise() {
        assert_eq!(names(None, None, None).first().unwrap(), "115200 8N1");
        assert_eq!(names(Some(2400), None, None), ["2400 8E1", "2400 8N1"]);
        assert_eq!(names(Some(19_200), None, None), ["19200 8N1", "19200 8E1"]);
        assert_eq!(
            names(Some(2400), Some(LineParity::Even), None),
            ["2400 8E1"]
        );
        assert_eq!(
            names(None, Some(LineParity::Even), None),
            ["2400 8E1", "115200 8E1"]
        );
        assert_eq!(
            names(None, Some(LineParity::Odd), None).len(),
            CANDIDATES.len()
        );
    }

    #[test]
    fn a_line_is_read_as_it_is_written() {
        for text in ["115200 8N1", "2400 8E1", "300 8O1"] {
            assert_eq!(text.parse::<Line>().unwrap().to_string(), text);
        }
        for text in ["", "115200", "115200 7E1", "5 8N1", "-1 8N1", "9600  8N1"] {
            assert!(text.parse::<Line>().is_err(), "{text}");
        }
    }

    #[test]
    fn seven_even_is_read_as_eight_none() {
        let even = Some(LineParity::Even);
        assert_eq!(names(Some(9600), even, Some(Protocol::P1)), ["9600 8N1"]);
        assert_eq!(
            names(Some(115_200), even, Some(Protocol::P1)),
            ["115200 8E1"]
        );
        assert_eq!(names(Some(9600), even, Some(Protocol::Hdlc)), ["9600 8E1"]);
    }
}

//! `headroom decode`: raw bytes of a meter to one JSON line per valid telegram.
//!
//! Input: a file or standard input, raw or as hexadecimal text. Output: telegrams on standard output as soon as they are
//! complete; what was skipped, and why, on standard error at the end. Exit 0 when at least one telegram was valid, 2 when
//! none, 1 on wrong usage or an unreadable file.

use clap::Args;
use headroom_codec::{Decoder, Item, Key, Options, Protocol, Reason, UnknownProtocol};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

const NONE_VALID: u8 = 2;
const UNREADABLE: u8 = 1;
const READ_SIZE: usize = 64 * 1024;
/// Bytes of the input that are kept to see whether it is hexadecimal text.
const HEAD_LEN: usize = 64;

/// Decode raw telegrams of a meter into JSON lines
#[derive(Debug, Args)]
pub(crate) struct DecodeArgs {
    /// Family of the telegrams: auto, p1, hdlc, mbus, sml or tic
    #[arg(long, default_value = "auto", value_parser = parse_protocol, value_name = "FAMILY")]
    protocol: Family,
    /// Encryption key, 32 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    key: Option<Key>,
    /// Authentication key, 32 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    auth_key: Option<Key>,
    /// The input is hexadecimal text; white space is ignored
    #[arg(long)]
    hex: bool,
    /// File to read; standard input if left out
    file: Option<PathBuf>,
}

/// A protocol, or whatever the bytes look like.
#[derive(Debug, Clone, Copy)]
struct Family(Option<Protocol>);

fn parse_protocol(name: &str) -> Result<Family, UnknownProtocol> {
    if name == "auto" {
        Ok(Family(None))
    } else {
        name.parse().map(|family| Family(Some(family)))
    }
}

/// Runs the command.
pub(crate) fn run(args: &DecodeArgs) -> ExitCode {
    let name = args.file.as_deref().filter(|path| *path != Path::new("-"));
    let input: Box<dyn Read> = match name {
        None => Box::new(io::stdin().lock()),
        Some(path) => match File::open(path) {
            Ok(file) => Box::new(file),
            Err(error) => return unreadable(name, &error),
        },
    };
    let options = Options {
        protocol: args.protocol.0,
        key: args.key.clone(),
        auth_key: args.auth_key.clone(),
    };
    let mut outcome = Outcome::new(&options, io::BufWriter::new(io::stdout().lock()));
    let result = if args.hex {
        outcome.read(HexText::new(input))
    } else {
        outcome.read(input)
    };
    outcome.summarise(args);
    match result {
        // Whoever read the lines has enough of them.
        Err(Stopped::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Stopped::Output(error)) => {
            eprintln!("headroom decode: standard output: {error}");
            ExitCode::from(UNREADABLE)
        }
        Err(Stopped::Input(error)) => unreadable(name, &error),
        Ok(()) if outcome.valid > 0 => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(NONE_VALID),
    }
}

fn unreadable(name: Option<&Path>, error: &io::Error) -> ExitCode {
    let name = name.map_or_else(
        || "standard input".to_owned(),
        |path| path.display().to_string(),
    );
    eprintln!("headroom decode: {name}: {error}");
    ExitCode::from(UNREADABLE)
}

enum Stopped {
    Input(io::Error),
    Output(io::Error),
}

struct Outcome<W> {
    decoder: Decoder,
    output: W,
    valid: u64,
    /// Count and bytes of what was rejected.
    rejected: BTreeMap<(Protocol, Reason), (u64, u64)>,
    head: Vec<u8>,
}

impl<W: Write> Outcome<W> {
    fn new(options: &Options, output: W) -> Self {
        Self {
            decoder: Decoder::new(options),
            output,
            valid: 0,
            rejected: BTreeMap::new(),
            head: Vec::new(),
        }
    }

    fn read(&mut self, mut input: impl Read) -> Result<(), Stopped> {
        let mut buffer = vec![0; READ_SIZE];
        loop {
            let count = match input.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let items = self.decoder.finish();
                    self.take(items).map_err(Stopped::Output)?;
                    return Err(Stopped::Input(error));
                }
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            let wanted = HEAD_LEN.saturating_sub(self.head.len()).min(count);
            self.head
                .extend_from_slice(bytes.get(..wanted).unwrap_or_default());
            let items = if count == 0 {
                self.decoder.finish()
            } else {
                self.decoder.push(bytes)
            };
            self.take(items).map_err(Stopped::Output)?;
            if count == 0 {
                return Ok(());
            }
        }
    }

    fn take(&mut self, items: Vec<Item>) -> io::Result<()> {
        for item in items {
            match item {
                Item::Telegram(telegram) => {
                    self.valid += 1;
                    serde_json::to_writer(&mut self.output, &telegram)?;
                    self.output.write_all(b"\n")?;
                }
                Item::Rejected(rejected) => {
                    let (count, bytes) = self
                        .rejected
                        .entry((rejected.protocol, rejected.reason))
                        .or_default();
                    *count += 1;
                    *bytes += rejected.bytes as u64;
                }
            }
        }
        self.output.flush()
    }

    fn summarise(&self, args: &DecodeArgs) {
        for ((protocol, reason), (count, bytes)) in &self.rejected {
            eprintln!(
                "skipped: {count} × {protocol}, {bytes} bytes: {reason}{}",
                advice(*reason)
            );
        }
        let unexplained = self.decoder.unexplained();
        if unexplained > 0 {
            eprintln!("skipped: {unexplained} bytes that belong to no telegram");
        }
        if self.decoder.received() == 0 {
            eprintln!("headroom decode: the input is empty");
        } else if self.valid == 0 {
            eprintln!(
                "headroom decode: no valid telegram in {} bytes",
                self.decoder.received()
            );
            if !args.hex && looks_like_hex(&self.head) {
                eprintln!("the input looks like hexadecimal text: try --hex");
            }
        }
    }
}

fn advice(reason: Reason) -> &'static str {
    match reason {
        Reason::NeedsKey => " (--key)",
        Reason::WrongKey => " (check --key)",
        Reason::WrongAuthKey => " (check --auth-key, or leave it out)",
        _ => "",
    }
}

fn looks_like_hex(head: &[u8]) -> bool {
    !head.is_empty()
        && head
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || byte.is_ascii_whitespace())
}

/// Hexadecimal text as the bytes that it means.
struct HexText<R> {
    inner: R,
    half: Option<u8>,
    read: u64,
}

impl<R: Read> HexText<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            half: None,
            read: 0,
        }
    }
}

impl<R: Read> Read for HexText<R> {
    /// Gives 0 at the end only; half a byte at the end is an error, as is any other character.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut text = vec![0; buffer.len()];
        loop {
            let count = self.inner.read(&mut text)?;
            if count == 0 {
                return match self.half {
                    None => Ok(0),
                    Some(_) => Err(invalid("the last byte has one digit only".to_owned())),
                };
            }
            let mut written = 0;
            let mut room = buffer.iter_mut();
            for byte in text.iter().take(count) {
                self.read += 1;
                if byte.is_ascii_whitespace() {
                    continue;
                }
                let digit = char::from(*byte)
                    .to_digit(16)
                    .and_then(|digit| u8::try_from(digit).ok());
                let Some(digit) = digit else {
                    return Err(invalid(format!(
                        "character {} is no hexadecimal digit; leave --hex out for raw bytes",
                        self.read
                    )));
                };
                match self.half.take() {
                    None => self.half = Some(digit),
                    Some(high) => {
                        if let Some(place) = room.next() {
                            *place = high << 4 | digit;
                            written += 1;
                        }
                    }
                }
            }
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        HexText::new(text.as_bytes()).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn hexadecimal_text_may_be_broken_anywhere() {
        assert_eq!(hex("7e A0\n2\na").unwrap(), [0x7E, 0xA0, 0x2A]);
        assert!(hex("").unwrap().is_empty());
        assert!(hex("7ea").unwrap_err().to_string().contains("one digit"));
        assert!(
            hex("7e:a0")
                .unwrap_err()
                .to_string()
                .contains("character 3")
        );
    }

    #[test]
    fn telegrams_become_lines_and_rejections_are_counted() {
        let text = b"/HRM5OLD\r\n\r\n1-0:1.7.0(0001.01*kW)\r\n!\r\n\
            /HRM5NEW\r\n\r\n1-0:1.7.0(0001.01*kW)\r\n!0000\r\n";
        let mut outcome = Outcome::new(&Options::default(), Vec::new());
        assert!(outcome.read(text.as_slice()).is_ok());
        assert_eq!(outcome.valid, 1);
        assert_eq!(
            outcome.rejected.get(&(Protocol::P1, Reason::Checksum)),
            Some(&(1, 40))
        );
        let lines = String::from_utf8(outcome.output).unwrap();
        assert!(
            lines.ends_with("}\n") && lines.contains("\"import_w\":1010.0"),
            "{lines}"
        );
    }
}

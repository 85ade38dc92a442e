//! `headroom decode`: raw bytes of a meter to one JSON line per valid telegram.
//!
//! Input: a file or standard input, raw or as hexadecimal text. Output: telegrams on standard output as soon as they are
//! complete; what was skipped, and why, on standard error at the end. Exit 0 when at least one telegram was valid, 2 when
//! none, 1 on wrong usage or an unreadable file.

mod hex_text;

use crate::listen::escaped;
use clap::Args;
use headroom_codec::{Decoder, Item, Key, Options, Protocol, Reason, UnknownProtocol};
use hex_text::HexText;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, IsTerminal, Read, Write},
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
        None => {
            let input = io::stdin().lock();
            if input.is_terminal() {
                tell!("headroom decode: reading from the terminal; Ctrl-D ends it");
            }
            Box::new(input)
        }
        Some(path) => match File::open(path) {
            Ok(file) => Box::new(file),
            Err(error) => return unreadable(name, &error),
        },
    };
    let options = Options {
        protocol: args.protocol.0,
        key: args.key.clone(),
        auth_key: args.auth_key.clone(),
        capture: true,
        ..Options::default()
    };
    let mut outcome = Outcome::new(&options, io::BufWriter::new(io::stdout().lock()));
    let result = if args.hex {
        outcome.read(HexText::new(input))
    } else {
        outcome.read(input)
    };
    match result {
        // Whoever read the lines has enough of them.
        Err(Stopped::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Stopped::Output(error)) => {
            tell!("headroom decode: standard output: {error}");
            ExitCode::from(UNREADABLE)
        }
        Err(Stopped::Input(error)) => {
            outcome.tell_skipped();
            unreadable(name, &error)
        }
        Ok(()) => {
            outcome.tell_skipped();
            for sentence in outcome.sentences(args) {
                tell!("headroom decode: {sentence}");
            }
            if outcome.valid > 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(NONE_VALID)
            }
        }
    }
}

fn unreadable(name: Option<&Path>, error: &io::Error) -> ExitCode {
    let name = name.map_or_else(
        || "standard input".to_owned(),
        |path| path.display().to_string(),
    );
    match error.kind() {
        io::ErrorKind::NotFound => tell!("headroom decode: there is no file {name}"),
        io::ErrorKind::IsADirectory => {
            tell!("headroom decode: {name} is a directory: name a file with telegrams");
        }
        io::ErrorKind::PermissionDenied => {
            tell!("headroom decode: {name} may not be read by this user");
        }
        _ => tell!("headroom decode: {name}: {error}"),
    }
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
    /// Valid telegrams that were encrypted.
    encrypted: u64,
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
            encrypted: 0,
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
                    self.encrypted += u64::from(telegram.encrypted);
                    let line = escaped(&serde_json::to_string(&telegram)?);
                    writeln!(self.output, "{line}")?;
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

    fn tell_skipped(&self) {
        for ((protocol, reason), (count, bytes)) in &self.rejected {
            tell!("skipped: {count} × {protocol}, {bytes} bytes: {reason}");
        }
        let unexplained = self.decoder.unexplained();
        if unexplained > 0 {
            tell!("skipped: {unexplained} bytes that belong to no telegram");
        }
    }

    /// What is wrong, and what to do.
    fn sentences(&self, args: &DecodeArgs) -> Vec<String> {
        let mut sentences = Vec::new();
        let bytes = self.decoder.received();
        if bytes == 0 {
            sentences.push("the input is empty".to_owned());
        } else if self.valid == 0 {
            let why = self
                .rejected
                .keys()
                .map(|(_, reason)| *reason)
                .max_by_key(|reason| weight(*reason))
                .map_or_else(|| self.no_telegram(args).to_owned(), advice);
            sentences.push(format!("no valid telegram in {bytes} bytes: {why}"));
        }
        if args.auth_key.is_some() && args.key.is_none() {
            sentences.push(
                "--auth-key does nothing without --key, the key that decrypts: give both"
                    .to_owned(),
            );
        } else if args.key.is_some() && self.valid > 0 && !self.met_encryption() {
            sentences.push("--key was not needed: nothing here is encrypted".to_owned());
        }
        sentences
    }

    fn met_encryption(&self) -> bool {
        self.encrypted > 0
            || self
                .rejected
                .keys()
                .any(|(_, reason)| weight(*reason) >= weight(Reason::Replayed))
    }

    /// Nothing even looked like a telegram.
    fn no_telegram(&self, args: &DecodeArgs) -> &'static str {
        if !args.hex && looks_like_hex(&self.head) {
            "the input looks like hexadecimal text, try --hex"
        } else if self.decoder.unexplained() < self.decoder.received() {
            "frames in it are right, but no message is complete; it is cut off"
        } else if args.protocol.0.is_some() {
            "nothing in it looks like that protocol; leave --protocol out to try all of them"
        } else {
            "nothing in it looks like a telegram; it is no meter's output, was recorded at a wrong speed, or is cut off"
        }
    }
}

/// Of several reasons the one that tells most: what a key would solve comes before damage.
fn weight(reason: Reason) -> u8 {
    match reason {
        Reason::NeedsKey => 9,
        Reason::WrongKey => 8,
        Reason::WrongAuthKey => 7,
        Reason::Replayed => 6,
        Reason::Unknown => 5,
        Reason::Malformed => 4,
        Reason::Checksum | Reason::NoChecksum => 3,
        Reason::Parity | Reason::Gap => 2,
        _ => 1,
    }
}

/// The reason, with what to do.
fn advice(reason: Reason) -> String {
    match reason {
        Reason::NeedsKey => "it is encrypted, and there is no key; give the one of the grid company with --key".to_owned(),
        Reason::WrongKey => "it is encrypted, and the key does not fit; check --key".to_owned(),
        Reason::WrongAuthKey => {
            "it is encrypted, the encryption key fits and the authentication key does not; check --auth-key or leave it \
             out"
            .to_owned()
        }
        Reason::Unknown | Reason::Malformed => format!("{reason}; please report this meter with a capture"),
        Reason::Checksum => format!("{reason}, bytes were changed or lost on the way"),
        Reason::Parity => format!("{reason}, the line is noisy or was read with other parameters"),
        Reason::Cut => "it is cut off before its end".to_owned(),
        _ => reason.to_string(),
    }
}

fn looks_like_hex(head: &[u8]) -> bool {
    !head.is_empty()
        && head
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_says_what_to_do() {
        for (reason, says) in [
            (
                Reason::NeedsKey,
                "give the one of the grid company with --key",
            ),
            (Reason::WrongKey, "the key does not fit; check --key"),
            (Reason::WrongAuthKey, "check --auth-key or leave it out"),
            (Reason::Unknown, "please report this meter with a capture"),
            (Reason::Malformed, "please report this meter with a capture"),
            (Reason::Checksum, "bytes were changed or lost on the way"),
            (Reason::Parity, "noisy or was read with other parameters"),
            (Reason::Cut, "cut off before its end"),
            (Reason::Replayed, "sent before, and sent again"),
        ] {
            let advice = advice(reason);
            assert!(advice.contains(says), "{advice}");
        }
        // What a key would solve comes before damage.
        let order = [
            Reason::NeedsKey,
            Reason::WrongKey,
            Reason::WrongAuthKey,
            Reason::Replayed,
            Reason::Unknown,
            Reason::Malformed,
            Reason::Checksum,
            Reason::Gap,
            Reason::Cut,
        ];
        assert!(order.is_sorted_by(|more, less| weight(*more) > weight(*less)));
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

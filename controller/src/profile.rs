//! `headroom profile test`: a profile of an HTTP device tried on the device, before anything depends on it.
//!
//! Input: a profile by its name, of the program or of the house, or by its file, and an address. Output: a table of what was asked, what came back and what was
//! understood. Only with `--write` the device is told something: a charger 6 A, a relay to open. Exit 0 when all was
//! understood, 1 when the profile or its use is wrong or the device takes no order, 2 when the device gives nothing that is understood, 3 when it
//! does not show what it was told.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use headroom_chargers::{
    Exchange, NOT_SAID, OnLoss, Profile, ProfileKind, Trial, Understood, http_profile,
    http_profiles,
};

use crate::data::DataArgs;

/// The device gave nothing that was understood.
const NOTHING: u8 = 2;
/// It would not be told: a password or a parameter is wrong, or the device is set so.
const REFUSED: u8 = 1;
/// The device does not show what it was told.
const NOT_SHOWN: u8 = 3;
/// Devices take a moment until they show what they were told.
const SHOWS_WITHIN: Duration = Duration::from_secs(3);
/// A profile is a page of text; the reader of profiles refuses more than 32 kB by itself.
const MAX_FILE: u64 = 1024 * 1024;

/// The folder of the house's own profiles, in the data directory.
const PROFILES: &str = "profiles";

/// Profiles of HTTP devices
#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    /// Try a profile on a device: read it, and with --write tell it 6 A or off and read it back
    Test {
        /// Name of a profile that comes with the program or is in the folder `profiles` of the data directory, or a file
        #[arg(value_name = "FILE|NAME")]
        profile: String,
        /// Where the device is: its host, maybe with a port, with or without http:// before it
        #[arg(long, value_name = "URL")]
        against: String,
        /// A parameter of the profile
        #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parse_param)]
        params: Vec<(String, String)>,
        /// Tell it something: a charger 6 A, a relay to open
        #[arg(long)]
        write: bool,
        #[command(flatten)]
        data: DataArgs,
    },
}

fn parse_param(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("must be NAME=VALUE, such as --param token=abc")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Runs the command.
pub(crate) async fn run(args: ProfileArgs) -> anyhow::Result<ExitCode> {
    let ProfileCommand::Test {
        profile,
        against,
        params,
        write,
        data,
    } = args.command;
    // Where there is no house, there are its profiles only that come with the program.
    if let Ok(directory) = data.directory() {
        headroom_chargers::use_http_profiles(&directory.join(PROFILES));
    }
    let profile = load(&profile)?;
    let host = host(&against)?;
    let params: BTreeMap<String, String> = params.into_iter().collect();
    let mut out = io::stdout().lock();
    introduce(&mut out, &profile)?;
    let mut trial = Trial::new(profile, host, &params).context("the profile cannot be tried")?;
    let Some(before) = read(&mut out, &mut trial, "read").await? else {
        return Ok(ExitCode::from(NOTHING));
    };
    if !write {
        writeln!(
            out,
            "\nNothing was written. With --write it is told: {}.",
            trial.order()
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "\ntell: {}", trial.order())?;
    let (exchanges, result) = trial.tell().await;
    show(&mut out, &exchanges)?;
    if let Err(error) = result {
        writeln!(out, "  failed: {error}")?;
        return Ok(ExitCode::from(REFUSED));
    }
    tokio::time::sleep(SHOWS_WITHIN).await;
    let Some(after) = read(&mut out, &mut trial, "read back").await? else {
        return Ok(ExitCode::from(NOTHING));
    };
    verdict(&mut out, &trial, &before, &after)
}

fn load(name: &str) -> anyhow::Result<Profile> {
    if let Some(profile) = http_profile(name) {
        return Ok(profile?);
    }
    let path = Path::new(name);
    if !(path.try_exists()).with_context(|| format!("{name} cannot be read"))? {
        bail!(
            "there is no profile and no file \"{name}\". Profiles: {}",
            http_profiles().join(", ")
        );
    }
    let size = path.metadata().map(|metadata| metadata.len());
    if size.with_context(|| format!("{name} cannot be read"))? > MAX_FILE {
        bail!("{name} is far too long for a profile");
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
    Profile::new(&text).with_context(|| format!("{name} is no profile that can be used"))
}

/// The host of an address that has nothing else.
fn host(url: &str) -> anyhow::Result<&str> {
    let host = url.strip_prefix("http://").unwrap_or(url);
    let host = host.strip_suffix('/').unwrap_or(host);
    if host.is_empty() || host.contains('/') {
        bail!(
            "--against must be http://HOST or http://HOST:PORT, not \"{url}\"; paths are the profile's"
        );
    }
    Ok(host)
}

fn introduce(out: &mut impl Write, profile: &Profile) -> io::Result<()> {
    let kind = match profile.kind {
        ProfileKind::Charger => "charger",
        ProfileKind::Relay => "relay",
    };
    let on_loss = match profile.safety.on_loss {
        OnLoss::Keeps => "keeps what it was told",
        OnLoss::Falls => "falls to less by itself",
        OnLoss::Reverts => "goes back to a limit of its own",
    };
    writeln!(out, "{} ({kind})", profile.title)?;
    writeln!(out, "without Headroom: {on_loss}. {}", profile.safety.text)
}

/// Reads the device and shows it; `None` if nothing was understood.
async fn read(
    out: &mut impl Write,
    trial: &mut Trial,
    what: &str,
) -> anyhow::Result<Option<Understood>> {
    writeln!(out, "\n{what}:")?;
    let (exchanges, result) = trial.read().await;
    show(out, &exchanges)?;
    match result {
        Ok(understood) => {
            writeln!(out, "  understood:")?;
            for (name, value) in &understood {
                writeln!(out, "    {name:<12} {value}")?;
            }
            for complaint in trial.complaints() {
                writeln!(out, "  not understood: {complaint}")?;
            }
            Ok(Some(understood))
        }
        Err(error) => {
            writeln!(out, "  failed: {error}")?;
            writeln!(
                out,
                "  Check the address, that its local HTTP interface is switched on, and the parameters."
            )?;
            Ok(None)
        }
    }
}

fn show(out: &mut impl Write, exchanges: &[Exchange]) -> io::Result<()> {
    for exchange in exchanges {
        writeln!(out, "  asked     {}", exchange.asked)?;
        writeln!(out, "  answered  {}", exchange.answered)?;
    }
    Ok(())
}

/// Whether it shows what it was told.
fn verdict(
    out: &mut impl Write,
    trial: &Trial,
    before: &Understood,
    after: &Understood,
) -> anyhow::Result<ExitCode> {
    let (name, wanted) = trial.shows();
    let value = |understood: &Understood| {
        let found = understood.iter().find(|(own, _)| *own == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let (before, after) = (value(before), value(after));
    if after == wanted {
        writeln!(out, "\n{name} was {before} and is {after}, as it was told.")?;
        return Ok(ExitCode::SUCCESS);
    }
    if after == NOT_SAID {
        writeln!(
            out,
            "\nIt does not tell its limit: compare what it draws with what it was told."
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(
        out,
        "\n{name} was {before} and is {after}, not {wanted}: it said yes and does not show it. Look at the device, \
         and for another master that writes to it."
    )?;
    Ok(ExitCode::from(NOT_SHOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_nothing_else() {
        assert_eq!(host("http://192.0.2.7:8080/").unwrap(), "192.0.2.7:8080");
        assert_eq!(host("charger.local").unwrap(), "charger.local");
        for bad in ["", "http://", "https://192.0.2.7", "http://192.0.2.7/api"] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parameters_have_a_name_and_a_value() {
        assert_eq!(parse_param("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(parse_param("a").is_err());
    }
}

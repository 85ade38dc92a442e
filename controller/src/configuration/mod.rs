//! `headroom export` and `headroom apply`: the whole configuration as one file, out and in.
//!
//! Where the service runs, `apply` goes through its socket and is in force at once; where it does not, the data directory is
//! locked meanwhile. Either way the same checks are made, and what is wrong changes nothing.

mod comments;
mod file;
pub(crate) mod lines;
pub(crate) mod socket;
mod text;

use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use headroom_core::config::LeaseProof;
use headroom_core::validate::FieldError;
use headroom_core::{Learnt, PerPhase};
use headroom_store::{DataDirectory, House, StateDb, StoreError};
use headroom_web::apply::{Applied, ApplyError, Checks, Wanted, apply_to};

use crate::data::DataArgs;
use crate::learnt::LEARNT_HOUSE;
use crate::untouched::Untouched;

/// Of a file with secrets.
const PRIVATE: u32 = 0o600;

/// The whole configuration as one commented TOML file, on standard output
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Also write it with its secrets into this file, for its owner alone
    #[arg(long, value_name = "FILE")]
    with_secrets: Option<PathBuf>,
    /// Overwrite that file if it is there
    #[arg(long, requires = "with_secrets")]
    force: bool,
}

/// Put the configuration of a file in force, at once if the service runs
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The file, as `headroom export` writes it; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    data: DataArgs,
}

/// `headroom export`.
pub(crate) async fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let state = args.data.open_state().await?;
    let house = state.house();
    if let Some(path) = &args.with_secrets {
        if path.as_os_str() == "-" {
            bail!("secrets go into a file for its owner alone: name one with --with-secrets FILE");
        }
        if path.exists() && !args.force {
            bail!(
                "{} is there already: choose another name, or overwrite it with --force",
                path.display()
            );
        }
        write_private(path, &text::write(&house)?)
            .with_context(|| format!("{} was not written", path.display()))?;
    }
    let mut hidden: House = (*house).clone();
    hidden.hide_secrets();
    let mut output = io::stdout().lock();
    output.write_all(text::write(&hidden)?.as_bytes())?;
    output.flush()?;
    Ok(())
}

/// Writes a file that only its owner can read, also where it was there before for everybody.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(PRIVATE)
        .open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(PRIVATE))?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// `headroom apply`.
pub(crate) async fn apply(args: &ApplyArgs) -> anyhow::Result<()> {
    let name = args.file.display().to_string();
    let text = read_file(&args.file).with_context(|| name.clone())?;
    let wanted = file::read(&text).with_context(|| name.clone())?;
    let claims: Vec<String> = (wanted.house.config.chargers.iter())
        .filter(|charger| charger.lease == LeaseProof::Proven)
        .map(|charger| charger.id.clone())
        .collect();
    let directory = args.data.directory()?;
    let what = format!("{} applied", file_name(&args.file));
    let author = author();
    headroom_chargers::use_http_profiles(&directory.join("profiles"));
    let before = Untouched::look(&directory);
    let applied = match DataDirectory::lock(&directory) {
        // The service runs: it has the configuration in its hands.
        Err(StoreError::Locked { .. }) => socket::ask(&directory, &author, &what, &wanted).await?,
        Err(error) => return Err(error.into()),
        Ok(_lock) => {
            let applied = match args.data.open_or_begin_state().await {
                Ok((state, begun)) => {
                    let applied = apply_here(&state, &author, &what, wanted).await;
                    state.close().await;
                    applied.inspect(|_| begun.tell()).map_err(in_words)
                }
                Err(error) => Err(error),
            };
            applied.inspect_err(|_| before.restore())?
        }
    };
    tell(&applied)?;
    for id in unproven(&directory, &claims).await? {
        writeln!(
            io::stderr(),
            "chargers.{id}.lease: \"proven\" was taken as \"claimed\": it is proven by a passed cut test here, and by nothing else"
        )?;
    }
    Ok(())
}

fn read_file(path: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let limit = file::FILE_MAX + 1;
    if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(path).context("the file cannot be read")?;
        file.take(limit)
            .read_to_end(&mut bytes)
            .context("the file cannot be read")?;
    }
    if u64::try_from(bytes.len()).is_ok_and(|length| length >= limit) {
        bail!("the file is larger than 1 MiB: that is no configuration");
    }
    String::from_utf8(bytes)
        .map_err(|_| anyhow::anyhow!("nothing was changed: the file is no text"))
}

fn file_name(path: &Path) -> String {
    if path == Path::new("-") {
        return "standard input".to_owned();
    }
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Who sits at the computer, as the system says; for the list of versions.
fn author() -> String {
    let name = |variable| {
        std::env::var(variable)
            .ok()
            .filter(|name: &String| !name.is_empty())
    };
    match name("SUDO_USER").or_else(|| name("USER")) {
        Some(name) => format!("{name} (command line)"),
        None => "command line".to_owned(),
    }
}

/// Without the service.
async fn apply_here(
    state: &StateDb,
    author: &str,
    what: &str,
    wanted: Wanted,
) -> Result<Applied, ApplyError> {
    let learnt = state.learnt(LEARNT_HOUSE).await.ok().flatten();
    let learnt: Option<Learnt> = learnt.and_then(|text| serde_json::from_str(&text).ok());
    let main = learnt.and_then(|learnt| learnt.circuits.get("main").copied());
    let checks = Checks {
        highest_background: PerPhase(main.unwrap_or_default().highest_a),
        meter: &crate::meter::check,
        profile: &headroom_chargers::profile_problem,
    };
    let mut edit = state.edit().await;
    apply_to(&mut edit, author, what, wanted, &checks).await
}

/// Why nothing was changed, for people.
fn in_words(error: ApplyError) -> anyhow::Error {
    match error {
        ApplyError::Invalid(errors) => wrong(&errors),
        ApplyError::Store(error) => error.into(),
        ApplyError::NotTold => anyhow::anyhow!(
            "the controlling loop does not take commands now; what was stored is in force after the next start"
        ),
    }
}

/// All that is wrong, a line for each.
fn wrong(errors: &[FieldError]) -> anyhow::Error {
    let words: Vec<_> = errors
        .iter()
        .map(|error| format!("\n  {} {}", error.field, error.message))
        .collect();
    anyhow::anyhow!("nothing was changed:{}", words.concat())
}

/// Chargers that the file calls proven and that are not: a file proves nothing.
async fn unproven(directory: &Path, claims: &[String]) -> anyhow::Result<Vec<String>> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let house = StateDb::look(directory).await?;
    let chargers = house.config.chargers.into_iter();
    let unproven = chargers.filter(|it| it.lease != LeaseProof::Proven && claims.contains(&it.id));
    Ok(unproven.map(|it| it.id).collect())
}

fn tell(applied: &Applied) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match applied.version {
        None => writeln!(output, "nothing to change: it is in force already")?,
        Some(version) => {
            writeln!(output, "version {version} of the configuration is in force")?;
            for change in &applied.changes {
                writeln!(
                    output,
                    "  {}: {} -> {}",
                    change.field, change.before, change.after
                )?;
            }
        }
    }
    output.flush()?;
    Ok(())
}

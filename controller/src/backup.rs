//! `headroom backup` and `headroom restore`: everything in one file, out and in.

use std::fs::File;
use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use headroom_store::{
    BackupError, DataDirectory, Manifest, StoreError, back_up, stage, take_over_now,
};

use crate::data::{DataArgs, has_state};
use crate::publish::VERSION;
use crate::untouched::Untouched;

/// Both databases in one file, for its owner alone; the service may run
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file that is written; it holds passwords and keys
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Overwrite the file if it is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// Put a backup in the place of the data, after all of it was verified; what was there is kept aside
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The file, as `headroom backup` writes it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    data: DataArgs,
}

/// `headroom backup`.
pub(crate) async fn backup(args: &BackupArgs) -> anyhow::Result<()> {
    let directory = args.data.directory()?;
    // What may not be looked at is not what is not there.
    has_state(&directory)?;
    let manifest = back_up(&directory, &args.file, VERSION, args.force).await?;
    let mut out = stdout().lock();
    writeln!(out, "{} holds {}", args.file.display(), contents(&manifest))?;
    if !manifest.files.iter().any(|it| it.name == "journal.db") {
        writeln!(
            out,
            "the journal is not in it: there is none, or it is damaged"
        )?;
    }
    out.flush()?;
    Ok(())
}

/// `headroom restore`.
pub(crate) async fn restore(args: &RestoreArgs) -> anyhow::Result<()> {
    let path = args.data.directory()?;
    let file = File::open(&args.file)
        .with_context(|| format!("{} cannot be read", args.file.display()))?;
    let before = Untouched::look(&path);
    let directory = match DataDirectory::lock(&path) {
        Err(error @ StoreError::Locked { .. }) => {
            return Err(error).context(
                "nothing was changed: stop the service first, or send the file to it (POST /api/v1/restore)",
            );
        }
        locked => locked?,
    };
    let staged = stage(directory.path(), file).await.map_err(in_words);
    let staged = staged.inspect_err(|_| before.restore())?;
    let manifest = staged.commit()?;
    let aside = take_over_now(&directory)?;
    let mut out = stdout().lock();
    writeln!(out, "restored {}", contents(&manifest))?;
    if let Some(aside) = aside {
        writeln!(out, "what was there before is in {}", aside.display())?;
    }
    out.flush()?;
    Ok(())
}

fn in_words(error: BackupError) -> anyhow::Error {
    match error {
        BackupError::Store(error) => anyhow::Error::new(error).context("nothing was changed"),
        error => error.into(),
    }
}

fn contents(manifest: &Manifest) -> String {
    let files: Vec<_> = manifest
        .files
        .iter()
        .map(|file| format!("{} ({} bytes)", file.name, file.size))
        .collect();
    format!(
        "{}, made {:.3} by Headroom {}",
        files.join(" and "),
        manifest.made,
        manifest.version
    )
}

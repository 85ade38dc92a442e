//! `headroom password reset`: back in, for who sits at the computer.

use std::io::Write;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use headroom_store::{Role, StateDb, hash_password, new_charger_password};

use crate::data::DataArgs;

#[derive(Debug, Args)]
pub(crate) struct PasswordArgs {
    #[command(subcommand)]
    command: PasswordCommand,
}

#[derive(Debug, Subcommand)]
enum PasswordCommand {
    /// Give a user a new password; it is printed once, alone on standard output, and ends their sessions
    Reset {
        /// Which user; default: the installer, if there is one only
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Runs the command, beside the running service or without it.
pub(crate) async fn run(args: &PasswordArgs) -> anyhow::Result<()> {
    let PasswordCommand::Reset { name, data } = &args.command;
    let state = data.open_state().await?;
    let name = match name {
        Some(name) => name.clone(),
        None => the_installer(&state).await?,
    };
    let password = new_charger_password();
    let hash = hash_password(&password)?;
    let reset = state.set_password(&name, &hash).await;
    reset.with_context(|| format!("the password of \"{name}\" was not changed"))?;
    tracing::info!(name, "the password was reset");
    writeln!(std::io::stdout().lock(), "{password}").with_context(|| {
        format!("the password of \"{name}\" is a new one, but it cannot be shown on standard output: reset it again")
    })
}

async fn the_installer(state: &StateDb) -> anyhow::Result<String> {
    let users = state.users().await?;
    let mut installers = users
        .into_iter()
        .filter(|user| user.role == Role::Installer);
    match (installers.next(), installers.next()) {
        (Some(only), None) => Ok(only.name),
        (None, _) => {
            bail!(
                "nobody has been set up yet: open the page and use the set-up code that the service prints"
            )
        }
        (Some(_), Some(_)) => bail!("there are several installers: say which one with --name"),
    }
}

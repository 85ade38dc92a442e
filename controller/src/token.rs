//! `headroom token`: API tokens, beside the running service or before its first set-up.

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};
use headroom_store::Role;

use crate::service::DataArgs;

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token; its secret is printed once, alone on standard output
    Create {
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may do
        #[arg(long, value_enum)]
        role: RoleName,
        #[command(flatten)]
        data: DataArgs,
    },
    /// List the tokens, without their secrets
    List {
        #[command(flatten)]
        data: DataArgs,
    },
    /// Take a token back
    Revoke {
        /// Its name
        name: String,
        #[command(flatten)]
        data: DataArgs,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    /// Reads
    Viewer,
    /// Reads, sets priorities, commands loads
    User,
    /// Everything
    Installer,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::User => Self::User,
            RoleName::Installer => Self::Installer,
        }
    }
}

/// Runs the command, beside the running service or before its first set-up.
pub(crate) async fn run(args: &TokenArgs) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match &args.command {
        TokenCommand::Create { name, role, data } => {
            let (_, secret) = data
                .open_state()
                .await?
                .create_token(name, (*role).into())
                .await?;
            writeln!(out, "{secret}")?;
        }
        TokenCommand::List { data } => {
            for token in data.open_state().await?.tokens().await? {
                writeln!(
                    out,
                    "{}\t{}\t{}",
                    token.name,
                    token.role.as_str(),
                    token.created
                )?;
            }
        }
        TokenCommand::Revoke { name, data } => data.open_state().await?.delete_token(name).await?,
    }
    Ok(())
}

//! `headroom token`: API tokens, beside the running service or before its first set-up.

use std::io::Write;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use headroom_store::Role;
use headroom_web::{NAME_RULE, is_name};

use crate::data::DataArgs;

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token; its secret is printed once, alone on standard output
    Create {
        /// What it is for: 1 to 64 characters
        #[arg(long, value_parser = parse_name)]
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

fn parse_name(text: &str) -> Result<String, String> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("it {NAME_RULE}"))
    }
}

/// Runs the command, beside the running service or before its first set-up.
pub(crate) async fn run(args: &TokenArgs) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match &args.command {
        TokenCommand::Create { name, role, data } => {
            let (state, begun) = data.open_or_begin_state().await?;
            let made = state.create_token(name, (*role).into()).await;
            let (_, secret) = made.with_context(|| format!("no token \"{name}\" was made"))?;
            begun.tell();
            writeln!(out, "{secret}").with_context(|| {
                format!(
                    "token \"{name}\" was made, but its secret cannot be shown on standard output: revoke it and make another"
                )
            })?;
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
        TokenCommand::Revoke { name, data } => {
            let state = data.open_state().await?;
            let revoked = state.delete_token(name).await;
            revoked.with_context(|| format!("no token \"{name}\" was revoked"))?;
        }
    }
    Ok(())
}

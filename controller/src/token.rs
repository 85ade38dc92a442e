//! `headroom token`: API tokens, beside the running service or before its first set-up.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use headroom_store::{Role, StateDb};

use crate::service::data_directory;

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
        data: Data,
    },
    /// List the tokens, without their secrets
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Take a token back
    Revoke {
        /// Its name
        name: String,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, Args)]
struct Data {
    /// The data directory
    #[arg(long = "data", env = "HEADROOM_DATA", value_name = "DIR")]
    directory: Option<PathBuf>,
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

/// Runs the command. The database takes several programs at once, so the service may run beside it.
pub(crate) fn run(args: &TokenArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut out = std::io::stdout().lock();
        match &args.command {
            TokenCommand::Create { name, role, data } => {
                let (_, secret) = open(data).await?.create_token(name, (*role).into()).await?;
                writeln!(out, "{secret}")?;
            }
            TokenCommand::List { data } => {
                for token in open(data).await?.tokens().await? {
                    writeln!(out, "{}\t{}\t{}", token.name, token.role.as_str(), token.created)?;
                }
            }
            TokenCommand::Revoke { name, data } => open(data).await?.delete_token(name).await?,
        }
        Ok(())
    })
}

async fn open(data: &Data) -> anyhow::Result<StateDb> {
    let directory = data_directory(data.directory.as_deref())?;
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make the data directory {}", directory.display()))?;
    Ok(StateDb::open(&directory).await?)
}

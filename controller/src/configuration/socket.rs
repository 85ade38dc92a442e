//! The socket in the data directory: commands beside the running service talk to it.
//!
//! One line of JSON asks, one line answers. Only who may read the data directory reaches it; the socket's own mode says so
//! once more.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use headroom_store::{Change, House};
use headroom_web::App;
use headroom_web::apply::{Applied, Wanted, apply};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

const FILE: &str = "control.sock";
const MODE: u32 = 0o600;
/// Longest question, in bytes: a configuration with everything in it is far below.
const LINE_MAX: u64 = 4 * 1024 * 1024;
/// Who has not asked by then never will; and who has not been answered by then will not be.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a failed accept (no file descriptors left).
const PAUSE: Duration = Duration::from_millis(100);

/// What is asked.
#[derive(Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
enum Question {
    /// To put a configuration in force.
    Apply {
        author: String,
        what: String,
        house: Box<House>,
        order: Option<Vec<Vec<String>>>,
        says_mode: bool,
    },
}

/// What is answered.
#[derive(Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum Answer {
    /// It is in force.
    Applied {
        version: Option<i64>,
        changes: Vec<Change>,
    },
    /// It is not, and why, in words.
    Refused { why: String },
}

/// The listening end; its file goes with it.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The next start removes what is left behind.
        drop(std::fs::remove_file(&self.path));
    }
}

/// Opens the socket in a data directory that this process has locked. Without one the service runs all the same.
pub(crate) fn open(directory: &Path) -> Option<Socket> {
    let path = directory.join(FILE);
    // Nobody listens there: the directory is locked.
    drop(std::fs::remove_file(&path));
    let listening = UnixListener::bind(&path).and_then(|listener| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(MODE))?;
        Ok(listener)
    });
    match listening {
        Ok(listener) => Some(Socket { listener, path }),
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "commands beside the service cannot reach it");
            None
        }
    }
}

impl Socket {
    /// Answers until the task is ended, one after the other.
    pub(crate) async fn serve(self, app: App) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    if timeout(PATIENCE, answer(stream, &app)).await.is_err() {
                        tracing::warn!("a command beside the service took too long");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a command beside the service was not heard");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

async fn answer(stream: UnixStream, app: &App) {
    let (reading, mut writing) = stream.into_split();
    let mut line = String::new();
    let answer = match BufReader::new(reading.take(LINE_MAX))
        .read_line(&mut line)
        .await
    {
        Ok(_) => match serde_json::from_str(&line) {
            Ok(question) => to(question, app).await,
            Err(error) => Answer::Refused {
                why: format!(
                    "the running service does not understand this command ({error}): is it another version?"
                ),
            },
        },
        Err(error) => Answer::Refused {
            why: format!("the command was not heard: {error}"),
        },
    };
    let text = serde_json::to_string(&answer).unwrap_or_default() + "\n";
    if let Err(error) = writing.write_all(text.as_bytes()).await {
        tracing::debug!(%error, "who asked is gone");
    }
}

async fn to(question: Question, app: &App) -> Answer {
    let Question::Apply {
        author,
        what,
        house,
        order,
        says_mode,
    } = question;
    let wanted = Wanted {
        house: *house,
        order,
        says_mode,
    };
    // As a whole or not at all, also when who asked goes away meanwhile.
    let app = app.clone();
    let applying = tokio::spawn(async move { apply(&app, &author, &what, wanted).await });
    match applying.await {
        Ok(Ok(Applied { version, changes })) => Answer::Applied { version, changes },
        Ok(Err(error)) => Answer::Refused {
            why: format!("{:#}", super::in_words(error)),
        },
        Err(error) => Answer::Refused {
            why: format!("the change failed: {error}"),
        },
    }
}

/// Asks the running service to put a configuration in force.
///
/// # Errors
/// When it does not answer, or refuses.
pub(super) async fn ask(
    directory: &Path,
    author: &str,
    what: &str,
    wanted: &Wanted,
) -> anyhow::Result<Applied> {
    let path = directory.join(FILE);
    let question = serde_json::to_string(&Question::Apply {
        author: author.to_owned(),
        what: what.to_owned(),
        house: Box::new(wanted.house.clone()),
        order: wanted.order.clone(),
        says_mode: wanted.says_mode,
    })?;
    let asking = async {
        let mut stream = UnixStream::connect(&path).await?;
        stream.write_all(question.as_bytes()).await?;
        stream.write_all(b"\n").await?;
        let mut line = String::new();
        BufReader::new(stream.take(LINE_MAX))
            .read_line(&mut line)
            .await?;
        std::io::Result::Ok(line)
    };
    let line = timeout(PATIENCE * 2, asking)
        .await
        .map_err(std::io::Error::from)
        .and_then(|line| line)
        .with_context(|| {
            format!(
                "Headroom runs with the data directory {} and does not answer at its socket; nothing is known of a change: look at \
                 its log, or stop it and try again",
                directory.display()
            )
        })?;
    match serde_json::from_str(&line).context("the running service gave no answer")? {
        Answer::Applied { version, changes } => Ok(Applied { version, changes }),
        Answer::Refused { why } => bail!("{why}"),
    }
}

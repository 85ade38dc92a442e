//! `POST /backup`, `POST /restore`: everything in one file, out and in, while the service runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use headroom_core::validate::FieldError;
use headroom_store::{BackupError, back_up, stage};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::SemaphorePermit;
use tokio::time::{sleep, timeout};

use crate::app::Shared;
use crate::body::MaybeSent;
use crate::identity::Who;
use crate::problem::Problem;

/// Largest backup that is taken: twice the journal of a year.
const RESTORE_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// A sender that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes that are sent at a time.
const CHUNK: usize = 64 * 1024;
/// The answer is on its way before the program starts anew.
const BEFORE_RESTART: Duration = Duration::from_millis(500);
/// When to ask again while another backup is written.
const AGAIN_S: u64 = 30;

/// A file in the data directory that goes with the value; a start removes one that was left behind.
struct Passing(PathBuf);

impl Passing {
    fn new(directory: &Path, what: &str) -> Result<Self, Problem> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|_| Problem::internal())?;
        let name = format!("tmp-{what}-{:016x}.tar", u64::from_ne_bytes(bytes));
        Ok(Self(directory.join(name)))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // The next start removes what is left behind.
        drop(std::fs::remove_file(&self.0));
    }
}

fn turn(shared: &Shared) -> Result<SemaphorePermit<'_>, Problem> {
    shared.app.upkeep.turn.try_acquire().map_err(|_| {
        Problem::throttled(
            AGAIN_S,
            "Another backup is being written or put back. Wait until it is done.",
        )
    })
}

/// Answers the file that `headroom backup` writes.
pub(crate) async fn backup(
    State(shared): State<Shared>,
    who: Who,
    MaybeSent(body): MaybeSent,
) -> Result<Response, Problem> {
    if let Some(name) = body.as_object().and_then(|body| body.keys().next()) {
        return Err(Problem::field(name, "unknown", "is not known here"));
    }
    let _turn = turn(&shared)?;
    let app = &shared.app;
    app.journal.flush().await;
    let passing = Passing::new(&app.upkeep.directory, "backup")?;
    let written = back_up(&app.upkeep.directory, &passing.0, app.version, false).await;
    let manifest = written.map_err(problem)?;
    let failed = |error: std::io::Error| {
        tracing::warn!(%error, "the backup cannot be read");
        Problem::internal()
    };
    // Opened, it needs no name any more.
    let file = File::open(&passing.0).await.map_err(failed)?;
    let length = file.metadata().await.map_err(failed)?.len();
    drop(passing);
    tracing::info!(who = who.author(), "a backup was written");
    let name = manifest.made.strftime("headroom-%Y%m%dT%H%M%SZ.tar");
    let headers = [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    let chunks = futures_util::stream::unfold(file, |mut file| async move {
        let mut chunk = vec![0; CHUNK];
        match file.read(&mut chunk).await {
            Ok(0) => None,
            Ok(read) => {
                chunk.truncate(read);
                Some((Ok(chunk), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    });
    Ok((StatusCode::CREATED, headers, Body::from_stream(chunks)).into_response())
}

/// Verifies a backup, puts it where the next start takes it over whole, and starts the program anew.
pub(crate) async fn restore(
    State(shared): State<Shared>,
    who: Who,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let app = &shared.app;
    let Some(restart) = app.upkeep.restart.clone() else {
        return Err(Problem::field(
            "",
            "conflict",
            "is not for the demo, which makes its house anew at each start",
        ));
    };
    let _turn = turn(&shared)?;
    let passing = Passing::new(&app.upkeep.directory, "upload")?;
    receive(request.into_body(), &passing.0).await?;
    let file = std::fs::File::open(&passing.0).map_err(|_| Problem::internal())?;
    let staged = stage(&app.upkeep.directory, file).await.map_err(problem)?;
    let committed = tokio::task::spawn_blocking(move || staged.commit()).await;
    let manifest = committed
        .map_err(|_| Problem::internal())?
        .map_err(problem)?;
    tracing::warn!(who = who.author(), made = %manifest.made, "a backup is put in the place of the data");
    tokio::spawn(async move {
        sleep(BEFORE_RESTART).await;
        restart.send_replace(true);
    });
    let answer = json!({
        "made": format!("{:.3}", manifest.made),
        "version": manifest.version,
        "files": manifest.files,
        "restarts_at": format!("{:.3}", Timestamp::now() + BEFORE_RESTART),
        "text": "The backup is whole. Headroom starts anew with it now; what was there is kept in the data directory as \
                 before-restore-…. People, passwords and tokens are those of the backup.",
    });
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Writes a body into a file, for its owner alone.
async fn receive(body: Body, path: &Path) -> Result<(), Problem> {
    let failed = |error: std::io::Error| {
        tracing::warn!(%error, "an uploaded backup cannot be written");
        Problem::unavailable(
            "The backup cannot be written: check the disk's space and health. Nothing was changed.",
        )
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .await
        .map_err(failed)?;
    let broken = || Problem::malformed("The request broke off. Nothing was changed.");
    let mut chunks = body.into_data_stream();
    let mut received: u64 = 0;
    while let Some(chunk) = timeout(SILENCE, chunks.next())
        .await
        .map_err(|_| broken())?
    {
        let chunk = chunk.map_err(|_| broken())?;
        received = received.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if received > RESTORE_MAX {
            return Err(Problem::too_large_for(
                "The file is larger than 2 GiB: that is no backup. Nothing was changed.",
            ));
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)
}

fn problem(error: BackupError) -> Problem {
    match error {
        BackupError::Configuration(errors) => Problem::invalid(errors),
        BackupError::Store(error) => error.into(),
        BackupError::File { .. } => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a backup failed");
            Problem::unavailable(format!("{error}. Nothing was changed."))
        }
        error => Problem::invalid(vec![FieldError {
            field: "file".to_owned(),
            code: "format",
            message: error.to_string(),
        }]),
    }
}

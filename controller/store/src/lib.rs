//! What Headroom keeps on disk: two SQLite databases in one data directory.
//!
//! - [`StateDb`] is `state.db`: configuration, users, sessions, API tokens. A change that was answered is
//!   never lost (WAL, `synchronous = FULL`).
//! - [`Journal`] is `journal.db`: readings, the engine's other inputs, decisions, what became of commands,
//!   alarms. It may lose its last second in a power cut (WAL, `synchronous = NORMAL`, group commit), and is
//!   set aside and begun anew when it is damaged.
//!
//! Invariants
//! - Nobody who guards a fuse ever waits for a disk: [`Journal`] takes records without blocking and counts
//!   those that it had to drop.
//! - The files and the directory belong to their owner alone (modes 0600 and 0700).
//! - All SQL stands in `sql.rs` of its database, as constants, and a test prepares each against a freshly
//!   migrated database.
#![warn(missing_docs)]

mod backup;
mod check;
mod credential;
mod database;
mod diff;
mod directory;
mod energy;
mod error;
mod house;
mod inspect;
mod journal;
mod migrations;
mod notifications;
mod state;
pub mod times;

pub use backup::{BackupError, BackupFile, Manifest, Staged, back_up, stage, take_over_now};
pub use credential::{
    PASSWORD_CHARACTERS, hash_password, new_charger_password, same_secret, verify_password,
};
pub use diff::Change;
pub use directory::DataDirectory;
pub use energy::{Cause, EnergyMeter, EnergyRow, SLOT_MS};
pub use error::StoreError;
pub use house::{House, hide_password_of, keep_password_of};
pub use inspect::{Database, inspect};
pub use journal::{
    Alarm, AlarmBook, CheckpointMark, DecidedSpan, Decision, DecisionAction, DecisionFilter,
    Journal, JournalInput, JournalReader, LoadEnergy, Page, RecordedDecision, Retention, Run, Step,
    TimelineLine, TimelinePoint, WrittenReason,
};
pub use notifications::{EmailChannel, EmailTls, HttpChannel, Notifications};
pub use state::{ConfigVersion, Edit, Role, Session, SessionUser, StateDb, Token, User};

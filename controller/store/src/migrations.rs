//! The migrations of both databases, built into the program (`migrations/README.md`).

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

type Files = &'static [(&'static str, &'static str)];

macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../migrations/", $folder, "/", $name)))),+]
    };
}

const STATE: Files =
    files!("state": "0001_initial.sql", "0002_learnt.sql", "0003_charger_report.sql");
const JOURNAL: Files = files!("journal": "0001_initial.sql", "0002_checkpoint.sql", "0003_energy.sql", "0004_blocks.sql", "0005_decision_kinds.sql");

/// Brings a `state.db` up to date.
pub(crate) fn state() -> Migrator {
    migrator(STATE)
}

/// Brings a `journal.db` up to date.
pub(crate) fn journal() -> Migrator {
    migrator(JOURNAL)
}

fn migrator(files: Files) -> Migrator {
    let migrations = files.iter().map(|(name, sql)| {
        let (number, rest) = name.split_once('_').expect("files are named NNNN_what.sql");
        let number = number.parse().expect("files are named NNNN_what.sql");
        let what = rest.trim_end_matches(".sql");
        Migration::new(
            number,
            what.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folders_is_built_in() {
        for (folder, files) in [("state", STATE), ("journal", JOURNAL)] {
            let path = format!("{}/../../migrations/{folder}", env!("CARGO_MANIFEST_DIR"));
            let mut on_disk: Vec<_> = std::fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            on_disk.sort_unstable();
            let built_in: Vec<_> = files.iter().map(|(name, _)| *name).collect();
            assert_eq!(on_disk, built_in, "migrations/{folder}");
        }
    }

    #[test]
    fn numbers_count_up_from_one() {
        for migrator in [state(), journal()] {
            let numbers: Vec<_> = migrator.iter().map(|migration| migration.version).collect();
            let expected: Vec<_> = (1..).take(numbers.len()).collect();
            assert_eq!(numbers, expected);
        }
    }
}

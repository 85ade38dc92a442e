//! The profiles that come with the program, and those in the folder of the house.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{Profile, ProfileError};

/// Name and text of each.
const PROFILES: [(&str, &str); 10] = [
    ("go-e-v1", include_str!("../../profiles/go-e-v1.toml")),
    ("go-e-v2", include_str!("../../profiles/go-e-v2.toml")),
    (
        "home-assistant-charger",
        include_str!("../../profiles/home-assistant-charger.toml"),
    ),
    (
        "home-assistant-switch",
        include_str!("../../profiles/home-assistant-switch.toml"),
    ),
    ("openevse", include_str!("../../profiles/openevse.toml")),
    ("peblar", include_str!("../../profiles/peblar.toml")),
    (
        "shelly-gen1",
        include_str!("../../profiles/shelly-gen1.toml"),
    ),
    ("smartevse", include_str!("../../profiles/smartevse.toml")),
    ("tasmota", include_str!("../../profiles/tasmota.toml")),
    ("warp", include_str!("../../profiles/warp.toml")),
];

/// Where the house's own profiles are.
static FOLDER: OnceLock<PathBuf> = OnceLock::new();
/// Longest file that is read; the reader of profiles refuses less.
const MAX_FILE: u64 = 64 * 1024;
/// Own profiles that are looked at.
const MAX_OWN: usize = 64;

/// Names the folder of the house's own profiles: `NAME.toml` is the profile `NAME`. Once; it need not exist.
pub fn use_folder(folder: &Path) {
    if FOLDER.set(folder.to_owned()).is_err() {
        tracing::debug!("the folder of profiles was named before");
    }
}

/// Their names, in order: those that come with the program, then the house's own.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = PROFILES
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    names.extend(
        FOLDER
            .get()
            .into_iter()
            .flat_map(|folder| own_names(folder)),
    );
    names
}

fn own_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let name = name.strip_suffix(".toml")?;
            is_name(name).then(|| name.to_owned())
        })
        .take(MAX_OWN)
        .collect();
    names.sort_unstable();
    names
}

/// A name that leads nowhere else.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    (1..=32).contains(&name.len()) && name.chars().all(plain)
}

/// One of them; `None` if there is none of that name. What comes with the program cannot be replaced.
pub fn shipped(name: &str) -> Option<Result<Profile, ProfileError>> {
    if let Some((_, text)) = PROFILES.iter().find(|(own, _)| *own == name) {
        return Some(Profile::new(text));
    }
    own(FOLDER.get()?, name)
}

fn own(folder: &Path, name: &str) -> Option<Result<Profile, ProfileError>> {
    if !is_name(name) {
        return None;
    }
    let path = folder.join(format!("{name}.toml"));
    let length = path.metadata().ok()?.len();
    if length > MAX_FILE {
        tracing::warn!(path = %path.display(), "this file is far too long for a profile");
        return None;
    }
    let text = std::fs::read_to_string(&path)
        .inspect_err(
            |error| tracing::warn!(path = %path.display(), %error, "a profile cannot be read"),
        )
        .ok()?;
    Some(Profile::new(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_houses_own_profiles_are_found_by_their_names_and_nothing_else_is() {
        let folder = std::env::temp_dir().join(format!("headroom-profiles-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (_, text) = PROFILES[0];
        std::fs::write(folder.join("my-box.toml"), text).unwrap();
        std::fs::write(folder.join("broken.toml"), "x = ").unwrap();
        std::fs::write(folder.join("notes.txt"), "x").unwrap();
        std::fs::write(folder.join("long.toml"), "#".repeat(70_000)).unwrap();
        assert_eq!(own_names(&folder), ["broken", "long", "my-box"]);
        assert!(own(&folder, "my-box").unwrap().is_ok());
        assert!(own(&folder, "broken").unwrap().is_err());
        for nobody in ["long", "notes", "../my-box", "MY-BOX", "", "none"] {
            assert!(own(&folder, nobody).is_none(), "{nobody}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

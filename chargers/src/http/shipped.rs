//! The profiles that come with the program.

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

/// Their names, in order.
pub fn names() -> Vec<&'static str> {
    PROFILES.iter().map(|(name, _)| *name).collect()
}

/// One of them; `None` if there is none of that name.
pub fn shipped(name: &str) -> Option<Result<Profile, ProfileError>> {
    let (_, text) = PROFILES.iter().find(|(own, _)| *own == name)?;
    Some(Profile::new(text))
}

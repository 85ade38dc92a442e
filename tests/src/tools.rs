//! Programs of others that the tests run: from Debian, or with the Python of `./check`.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::program;

/// Where Debian puts services, which not every user searches.
const SERVICES: &str = "/usr/sbin";

/// A program by its name; `None` when it is not installed.
///
/// # Panics
/// With `HEADROOM_REQUIRE_PEERS=1` its absence is a failure.
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .chain([PathBuf::from(SERVICES)])
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.or_else(|| missing(&format!("there is no {name}: ./check installs it")))
}

/// The charge point of `tests/peers/rust`, which `./check` builds; `None` without it.
///
/// # Panics
/// With `HEADROOM_REQUIRE_PEERS=1` its absence is a failure.
pub fn rust_peer() -> Option<Command> {
    let path = program::workspace().join("target/tools/peer/debug/headroom-peer");
    if !path.is_file() {
        return missing("tests/peers/rust is not built: ./check builds it");
    }
    Some(Command::new(path))
}

/// A script of `tests/peers/node` with the packages of its lock file; `None` without Node or without them.
///
/// # Panics
/// With `HEADROOM_REQUIRE_PEERS=1` their absence is a failure.
pub fn node_script(name: &str) -> Option<Command> {
    let node = tool("node")?;
    let folder = program::workspace().join("tests/peers/node");
    if !folder.join("node_modules").is_dir() {
        let folder = folder.display();
        return missing(&format!("{folder} has no packages: ./check installs them"));
    }
    let mut command = Command::new(node);
    command.arg(folder.join(name));
    Some(command)
}

/// A script of `tests/peers` with a Python that has its package; `None` without one.
///
/// # Panics
/// With `HEADROOM_REQUIRE_PEERS=1` its absence is a failure.
pub fn script(name: &str, package: &str) -> Option<Command> {
    let python = env::var_os("HEADROOM_PYTHON").unwrap_or_else(|| {
        let folder = program::workspace().join("target/tools/venv/bin");
        OsString::from(folder.join("python"))
    });
    if !has(Path::new(&python), package) {
        let python = python.display();
        return missing(&format!(
            "{python} has no {package} package: ./check installs it"
        ));
    }
    let mut command = Command::new(python);
    command.arg(program::workspace().join("tests/peers").join(name));
    Some(command)
}

/// A script, with a Python that has Home Assistant; `None` without one.
///
/// # Panics
/// With `HEADROOM_HOME_ASSISTANT=1` its absence is a failure.
pub fn home_assistant(script: &str) -> Option<Command> {
    let python = env::var_os("HEADROOM_HOME_ASSISTANT_PYTHON").map_or_else(
        || program::workspace().join("target/tools/home-assistant/bin/python"),
        PathBuf::from,
    );
    if !has(&python, "homeassistant, hass_frontend") {
        let wanted = env::var("HEADROOM_HOME_ASSISTANT").as_deref() == Ok("1");
        assert!(!wanted, "{} has no Home Assistant", python.display());
        println!("skipped: no Home Assistant; HEADROOM_HOME_ASSISTANT=1 ./check installs it");
        return None;
    }
    let mut command = Command::new(python);
    command.arg(program::workspace().join("tests/peers").join(script));
    Some(command)
}

fn has(python: &Path, package: &str) -> bool {
    Command::new(python)
        .args(["-c", &format!("import {package}")])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn missing<T>(what: &str) -> Option<T> {
    assert_ne!(
        env::var("HEADROOM_REQUIRE_PEERS").as_deref(),
        Ok("1"),
        "{what}"
    );
    println!("skipped: {what}");
    None
}

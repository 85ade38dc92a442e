//! The program under test, and the folders around it.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

/// The binary: `HEADROOM_BIN`, else a debug build of this workspace, made now so that it is never stale.
///
/// # Panics
/// If there is none.
pub fn headroom() -> &'static Path {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let binary = BINARY.get_or_init(|| match env::var_os("HEADROOM_BIN") {
        Some(path) => {
            let path = workspace().join(path);
            let missing = format!("HEADROOM_BIN: there is no file {}", path.display());
            path.is_file().then_some(path).ok_or(missing)
        }
        None => build(),
    });
    binary.as_ref().unwrap_or_else(|why| panic!("{why}"))
}

fn build() -> Result<PathBuf, String> {
    let output = cargo()
        .args([
            "build", "--quiet", "--locked", "-p", "headroom", "--bin", "headroom",
        ])
        .args(["--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .filter(|_| output.status.success())
        .ok_or_else(|| "cargo build -p headroom failed".to_owned())
}

/// Cargo, in the workspace.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace()).stdin(Stdio::null());
    command
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The folder with captured telegrams; `None` when it is not there.
///
/// `HEADROOM_CORPUS` names it, else it is looked for beside the repository. With
/// `HEADROOM_REQUIRE_CORPUS=1` its absence is a failure.
pub fn corpus() -> Option<PathBuf> {
    let folder = env::var_os("HEADROOM_CORPUS")
        .map_or_else(|| workspace().join("../shared/telegrams"), PathBuf::from);
    if folder.join("index.json").is_file() {
        return Some(folder);
    }
    assert_ne!(
        env::var("HEADROOM_REQUIRE_CORPUS").as_deref(),
        Ok("1"),
        "there are no captured telegrams in {}",
        folder.display()
    );
    println!(
        "skipped: there are no captured telegrams in {}",
        folder.display()
    );
    None
}

/// A Python with the packages of `tests/peers/requirements.txt`; `None` when there is none.
///
/// `HEADROOM_PYTHON` names it, else the one that `./check` installs is taken. With
/// `HEADROOM_REQUIRE_PEERS=1` its absence is a failure.
pub fn python() -> Option<PathBuf> {
    let python = env::var_os("HEADROOM_PYTHON").map_or_else(
        || workspace().join("target/tools/venv/bin/python"),
        PathBuf::from,
    );
    let works = Command::new(&python)
        .args(["-c", "import ocpp, websockets"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if works {
        return Some(python);
    }
    assert_ne!(
        env::var("HEADROOM_REQUIRE_PEERS").as_deref(),
        Ok("1"),
        "{} has no ocpp package: ./check installs it",
        python.display()
    );
    println!(
        "skipped: {} has no ocpp package: ./check installs it",
        python.display()
    );
    None
}

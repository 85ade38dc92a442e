//! The clock of this computer: decisions are kept with their time, and sessions end by it.

use std::path::Path;

use jiff::Timestamp;

use super::Finding;

const CHECK: &str = "clock";
/// Before this program was written no clock that is right can stand: 2026-01-01.
const EARLIEST_S: i64 = 1_767_225_600;
/// Nor after 2100-01-01.
const LATEST_S: i64 = 4_102_444_800;
/// Where systemd-timesyncd says what it has done.
const TIMESYNC: &str = "/run/systemd/timesync";
/// Files of other programs that keep the clock.
const KEEPERS: [(&str, &str); 4] = [
    ("/run/chrony/chronyd.pid", "chrony"),
    ("/run/chronyd.pid", "chrony"),
    ("/run/ntpd.pid", "ntpd"),
    ("/run/ntpsec/ntpd.pid", "ntpsec"),
];

pub(super) fn all() -> Vec<Finding> {
    vec![plausible(Timestamp::now()), keeper(Path::new("/"))]
}

fn plausible(now: Timestamp) -> Finding {
    if (EARLIEST_S..LATEST_S).contains(&now.as_second()) {
        Finding::ok(CHECK, format!("it is {now:.0}"))
    } else {
        Finding::problem(
            CHECK,
            format!("it says {now:.0}, which cannot be"),
            "set the clock (timedatectl set-time), or let it be set over the network (timedatectl set-ntp true)",
        )
    }
}

/// Who keeps the clock right, as far as files below `root` tell.
fn keeper(root: &Path) -> Finding {
    let there = |path: &str| root.join(path.trim_start_matches('/')).exists();
    if there(&format!("{TIMESYNC}/synchronized")) {
        return Finding::ok(CHECK, "it is set over the network (systemd-timesyncd)");
    }
    if let Some((_, name)) = KEEPERS.iter().find(|(path, _)| there(path)) {
        return Finding::ok(CHECK, format!("{name} keeps it"));
    }
    if there(TIMESYNC) {
        return Finding::warning(
            CHECK,
            "systemd-timesyncd runs, and has not reached a time server yet",
            "look at timedatectl timesync-status",
        );
    }
    Finding::ok(
        CHECK,
        "nothing here tells whether it is set over the network",
    )
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_clock_that_was_never_set_is_a_problem() {
        for (second, state) in [
            (0, State::Problem),
            (EARLIEST_S - 1, State::Problem),
            (EARLIEST_S, State::Ok),
            (LATEST_S, State::Problem),
        ] {
            let now = Timestamp::from_second(second).unwrap();
            assert_eq!(plausible(now).state, state, "{now}");
        }
    }

    #[test]
    fn whoever_keeps_the_clock_is_named() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(keeper(root.path()).state, State::Ok);
        std::fs::create_dir_all(root.path().join("run/systemd/timesync")).unwrap();
        assert_eq!(keeper(root.path()).state, State::Warning);
        std::fs::write(root.path().join("run/systemd/timesync/synchronized"), "").unwrap();
        assert_eq!(keeper(root.path()).state, State::Ok);
    }
}

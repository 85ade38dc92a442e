//! A meter's port: a pseudo-terminal behind a name that stays, as udev gives one.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    fd::OwnedFd,
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, tcgetattr, tcsetattr},
};

use crate::wait;

/// The meter's end of the cable.
#[derive(Debug)]
pub struct MeterPort {
    link: PathBuf,
    master: Option<OwnedFd>,
}

impl MeterPort {
    /// Plugs a cable in; `link` is its name in the file system.
    pub fn new(link: &Path) -> Self {
        let mut port = Self {
            link: link.to_owned(),
            master: None,
        };
        port.plug_in();
        port
    }

    /// As a meter SOURCE: P1 at 115200 baud, so that nothing has to be detected.
    pub fn source(&self) -> String {
        format!(
            "serial:{}?baud=115200&parity=none&protocol=p1",
            self.link.display()
        )
    }

    /// As a meter SOURCE that has to be detected.
    pub fn source_to_detect(&self) -> String {
        format!("serial:{}", self.link.display())
    }

    /// A new terminal behind the old name.
    pub fn plug_in(&mut self) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let mut attributes = tcgetattr(&master).unwrap();
        attributes.make_raw();
        tcsetattr(&master, OptionalActions::Now, &attributes).unwrap();
        // A reader that has gone must not block the house.
        let flags = fcntl_getfl(&master).unwrap();
        fcntl_setfl(&master, flags | OFlags::NONBLOCK).unwrap();
        drop(fs::remove_file(&self.link));
        symlink(name.to_str().unwrap(), &self.link).unwrap();
        self.master = Some(master);
    }

    /// Pulls the cable out.
    pub fn unplug(&mut self) {
        self.master = None;
        drop(fs::remove_file(&self.link));
    }

    /// Sends bytes. What nobody reads is lost, as it is with a meter.
    pub fn send(&self, mut bytes: &[u8]) {
        let Some(master) = &self.master else { return };
        while !bytes.is_empty() {
            let written = wait::at_most(Duration::from_millis(100), || {
                rustix::io::write(master, bytes)
                    .ok()
                    .filter(|written| *written > 0)
            });
            let Some(written) = written else { return };
            bytes = &bytes[written..];
        }
    }
}

//! A serial port that is put on the network by Debian's ser2net or socat.

use std::{fs, path::Path, process::Command};

use crate::{process::Process, tools};

/// ser2net on a port of loopback; `None` without it.
pub fn ser2net(folder: &Path, serial: &Path, port: u16) -> Option<Process> {
    let program = tools::tool("ser2net")?;
    let file = folder.join("ser2net.yaml");
    // Its own name of a link's target: it locks ports by name.
    let serial = fs::canonicalize(serial).unwrap();
    let serial = serial.display();
    let settings = format!(
        "connection: &meter\n  accepter: tcp,127.0.0.1,{port}\n  connector: serialdev,{serial},115200n81,local\n  \
         options:\n    kickolduser: true\n"
    );
    fs::write(&file, settings).unwrap();
    let process = Process::start(Command::new(program).args(["-n", "-u", "-c"]).arg(file));
    Some(process)
}

/// socat on a port of loopback, for one connection; `None` without it.
pub fn socat(serial: &Path, port: u16) -> Option<Process> {
    let program = tools::tool("socat")?;
    let from = format!("GOPEN:{}", serial.display());
    let to = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr");
    Some(Process::start(
        Command::new(program).args(["-u", &from, &to]),
    ))
}

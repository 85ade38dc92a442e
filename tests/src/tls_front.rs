//! TLS before a meter, by Python's own server (`peers/tls_front.py`).

use std::time::Duration;

use crate::{certificates::Identity, process::Process, tools};

/// Python starts in a second; on a busy machine in some.
const START: Duration = Duration::from_secs(30);

/// A meter's port with TLS.
#[derive(Debug)]
pub struct TlsFront {
    /// `address:port`.
    pub host: String,
    process: Process,
}

impl TlsFront {
    /// Before the meter at `to`; `None` without Python.
    pub fn start(identity: &Identity, to: &str, options: &[&str]) -> Option<Self> {
        let mut command = tools::script("tls_front.py", "ssl")?;
        command.arg("--certificate").arg(&identity.certificate);
        command.arg("--key").arg(&identity.key);
        command.args(["--to", to]).args(options);
        let process = Process::start(&mut command);
        let port = |line: &str| line.strip_prefix("port ").map(str::to_owned);
        let port = process.stdout.find(0, START, port);
        let port = port.unwrap_or_else(|| panic!("no port: {:?}", process.stderr.all()));
        let host = format!("127.0.0.1:{port}");
        Some(Self { host, process })
    }

    /// The versions of TLS of the connections over which something was asked.
    pub fn connections(&self) -> Vec<String> {
        self.process.stdout.all().into_iter().skip(1).collect()
    }
}

//! A mail server of others (`peers/mail_server.py`, aiosmtpd): STARTTLS and a login, or nothing.

use std::time::Duration;

use serde_json::Value;

use crate::{certificates::Identity, process::Process, tools};

/// Python starts in a second; on a busy machine in some.
const START: Duration = Duration::from_secs(30);

/// A mail server that keeps what it takes.
#[derive(Debug)]
pub struct MailServer {
    /// On 127.0.0.1.
    pub port: u16,
    process: Process,
}

impl MailServer {
    /// For one user; `None` without Python.
    pub fn start(identity: &Identity, user: &str, password: &str) -> Option<Self> {
        let mut command = tools::script("mail_server.py", "aiosmtpd")?;
        command.arg("--certificate").arg(&identity.certificate);
        command.arg("--key").arg(&identity.key);
        command.args(["--user", user, "--password", password]);
        let process = Process::start(&mut command);
        let port = |line: &str| line.strip_prefix("port ")?.parse().ok();
        let port = process.stdout.find(0, START, port);
        let port = port.unwrap_or_else(|| panic!("no port: {:?}", process.stderr.all()));
        Some(Self { port, process })
    }

    /// The first mail with these words in its subject.
    pub fn wait(&self, subject: &str, limit: Duration) -> Value {
        let found = self.process.stdout.find(0, limit, |line| {
            let mail: Value = serde_json::from_str(line).ok()?;
            mail["subject"].as_str()?.contains(subject).then_some(mail)
        });
        found.unwrap_or_else(|| panic!("no mail \"{subject}\": {:?}", self.all()))
    }

    /// Everything that it took.
    pub fn all(&self) -> Vec<String> {
        self.process.stdout.all().into_iter().skip(1).collect()
    }
}

//! An MQTT broker in a process of its own: Debian's mosquitto, on loopback, with nothing that lasts.

use std::{
    fs,
    io::Write,
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{controller::free_port, process::Process, tools, wait};

const START: Duration = Duration::from_secs(20);
/// User and password of a broker that asks for them.
pub const USER: &str = "meter";
/// With characters that a source has to escape.
pub const PASSWORD: &str = "ope n/s@same";

/// One broker.
#[derive(Debug)]
pub struct Broker {
    /// Its port on loopback.
    pub port: u16,
    process: Process,
    folder: String,
    login: bool,
}

impl Broker {
    /// A broker that anybody may use; `None` without mosquitto.
    pub fn start(folder: &Path) -> Option<Self> {
        Self::launch(folder, free_port(), false)
    }

    /// A broker that wants [`USER`] and [`PASSWORD`].
    pub fn with_login(folder: &Path) -> Option<Self> {
        Self::launch(folder, free_port(), true)
    }

    fn launch(folder: &Path, port: u16, login: bool) -> Option<Self> {
        let mosquitto = tools::tool("mosquitto")?;
        tools::tool("mosquitto_pub")?;
        let path = folder.to_str().unwrap();
        let mut lines = format!(
            "listener {port} 127.0.0.1\npersistence false\nallow_anonymous {}\n",
            !login
        );
        if login {
            let passwords = format!("{path}/passwords");
            let mut command = Command::new(tools::tool("mosquitto_passwd")?);
            let made = command
                .args(["-c", "-b", &passwords, USER, PASSWORD])
                .status();
            assert!(made.unwrap().success());
            lines = format!("{lines}password_file {passwords}\n");
        }
        // As root it would drop its rights, and no longer read its own files.
        lines.push_str("user root\n");
        let file = format!("{path}/mosquitto.conf");
        fs::write(&file, lines).unwrap();
        let process = Process::start(Command::new(mosquitto).args(["-v", "-c", &file]));
        wait::until("the broker listens", START, || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Some(Self {
            port,
            process,
            folder: path.to_owned(),
            login,
        })
    }

    /// Publishes one message with Debian's own client.
    pub fn publish(&self, topic: &str, payload: &[u8], retain: bool) {
        let mut command = Command::new("mosquitto_pub");
        command
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-t",
                topic,
                "-s",
            ])
            .stdin(Stdio::piped());
        if retain {
            command.arg("-r");
        }
        if self.login {
            command.args(["-u", USER, "-P", PASSWORD]);
        }
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(payload).unwrap();
        assert!(child.wait().unwrap().success(), "published");
    }

    /// Waits until a client has subscribed, from `mark` of the log on.
    pub fn wait_subscribed(&self, mark: usize) {
        let subscribed = |line: &str| line.contains("Sending SUBACK").then_some(());
        let found = self.process.stderr.find(mark, START, subscribed);
        found.unwrap_or_else(|| panic!("nobody subscribed: {:?}", self.process.stderr.all()));
    }

    /// Where its log is now, to wait from.
    pub fn mark(&self) -> usize {
        self.process.stderr.mark()
    }

    /// Ends it and starts it again on the same port.
    pub fn restart(&mut self) {
        self.process.kill();
        let folder = self.folder.clone();
        *self = Self::launch(Path::new(&folder), self.port, self.login).unwrap();
    }

    /// Pulls the plug.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

//! Certificates of a meter and of its maker, made by `openssl`, in a folder that ends with the test.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::tools;

/// Times as the meters of `HomeWizard` have them.
pub const LONG: [&str; 2] = ["20250101000000Z", "20491231235959Z"];

/// One maker: who signs.
#[derive(Debug)]
pub struct Maker {
    openssl: PathBuf,
    folder: TempDir,
}

/// A meter's certificate and its key.
#[derive(Debug)]
pub struct Identity {
    /// Of the certificate (PEM).
    pub certificate: PathBuf,
    /// Of the key (PEM).
    pub key: PathBuf,
}

impl Maker {
    /// One with the name of `HomeWizard`'s, and as theirs of X.509 version 1; `None` without `openssl`.
    pub fn new() -> Option<Self> {
        let maker = Self {
            openssl: tools::tool("openssl")?,
            folder: TempDir::new().unwrap(),
        };
        fs::write(maker.file("index.txt"), "").unwrap();
        let folder = maker.folder.path().display();
        let config = format!(
            "[ca]\ndefault_ca = own\n[own]\ndatabase = {folder}/index.txt\nnew_certs_dir = {folder}\ndefault_md = sha256\n\
             policy = any\nunique_subject = no\nrand_serial = yes\n[any]\ncommonName = supplied\n"
        );
        fs::write(maker.file("ca.conf"), config).unwrap();
        maker.request(
            "ca",
            "/C=NL/ST=ZH/O=HomeWizard/CN=Appliance Access CA",
            "rsa:2048",
        );
        let made = ["x509", "-req", "-days", "30", "-in", "ca.csr"];
        maker.run(&made, &["-signkey", "ca.key", "-out", "ca.pem"]);
        Some(maker)
    }

    /// The file with its certificate.
    pub fn ca(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// Makes a meter's identity, valid between these times (`YYYYMMDDHHMMSSZ`).
    pub fn sign(&self, serial: &str, [from, until]: [&str; 2]) -> Identity {
        let name = format!("{serial}-{from}");
        let subject = format!("/CN=appliance\\/p1dongle\\/{serial}");
        self.request(&name, &subject, "rsa:2048");
        fs::write(self.file("names"), format!("subjectAltName=DNS:{serial}\n")).unwrap();
        let files = [".csr", ".pem"].map(|ending| format!("{name}{ending}"));
        self.run(
            &[
                "ca", "-batch", "-notext", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile",
                "ca.key",
            ],
            &[
                "-extfile",
                "names",
                "-startdate",
                from,
                "-enddate",
                until,
                "-in",
                &files[0],
                "-out",
                &files[1],
            ],
        );
        Identity {
            certificate: self.file(&files[1]),
            key: self.file(&format!("{name}.key")),
        }
    }

    fn request(&self, name: &str, subject: &str, key: &str) {
        let files = [".key", ".csr"].map(|ending| format!("{name}{ending}"));
        self.run(
            &["req", "-new", "-newkey", key, "-nodes", "-subj", subject],
            &["-keyout", &files[0], "-out", &files[1]],
        );
    }

    fn run(&self, what: &[&str], how: &[&str]) {
        let output = Command::new(&self.openssl)
            .args(what)
            .args(how)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "openssl {what:?} {how:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::join(self.folder.path(), name)
    }
}

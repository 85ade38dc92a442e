//! TLS with an authority of one's own: on the same port as plain HTTP, on or off at once.
//!
//! Everything lies in one file of the data directory, for its owner alone, and in no export and no backup. A certificate is
//! made anew a month before its end; the authority stays, so that nobody has to trust another one.

mod certificate;

use std::fs::OpenOptions;
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use headroom_core::validate::FieldError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use self::certificate::{Pair, authority, leaf};
use crate::origin::is_host_name;

/// The file in the data directory.
const FILE: &str = "tls.json";
/// Names of one certificate.
const NAMES_MAX: usize = 20;
/// Letters in a line of PEM (RFC 7468, section 2).
const PEM_LINE: usize = 64;

/// Whether the page is served over TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// Plain HTTP.
    #[default]
    Off,
    /// TLS with a certificate of the house's own authority; plain HTTP leads there.
    SelfSigned,
}

/// As `PUT /tls` takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSettings {
    /// Whether the page is served over TLS.
    pub mode: TlsMode,
    /// Names and addresses under which the page is asked for; those of this computer are added.
    pub names: Vec<String>,
}

/// As `GET /tls` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TlsView {
    pub(crate) mode: TlsMode,
    pub(crate) names: Vec<String>,
    /// SHA-256 of the authority's certificate, in hexadecimal digits with colons.
    pub(crate) ca_fingerprint: Option<String>,
    /// When the page's certificate ends; it is made anew before.
    #[serde(serialize_with = "headroom_store::times::maybe")]
    pub(crate) not_after: Option<Timestamp>,
}

/// The file.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    settings: TlsSettings,
    ca: Option<Pair>,
    leaf: Option<Pair>,
}

/// TLS of one service.
pub struct Tls {
    path: PathBuf,
    /// Names of this computer, which stand in every certificate.
    own: Vec<String>,
    now: RwLock<(Kept, Option<TlsAcceptor>)>,
    /// One change at a time.
    turn: Mutex<()>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("settings", &self.kept().settings)
            .finish_non_exhaustive()
    }
}

/// Why it cannot be.
#[derive(Debug)]
pub(crate) enum TlsError {
    Disk(std::io::Error),
    Certificate(rcgen::Error),
    Rustls(rustls::Error),
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Disk(error) => write!(f, "{FILE} cannot be kept ({error})"),
            Self::Certificate(error) => write!(f, "no certificate can be made ({error})"),
            Self::Rustls(error) => write!(f, "the certificate cannot be used ({error})"),
        }
    }
}

impl Tls {
    /// As it is kept in the data directory. What cannot be read is told in the log, and TLS is off. `own` are the names of
    /// this computer.
    pub fn open(directory: &Path, own: &[String]) -> Arc<Self> {
        let path = directory.join(FILE);
        let kept = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::error!(%error, "{FILE} cannot be read: TLS is off until it is set again");
                Kept::default()
            }),
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    tracing::error!(%error, "{FILE} cannot be read: TLS is off until it is set again");
                }
                Kept::default()
            }
        };
        let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
        for name in own {
            names.push(name.clone());
            if !name.contains('.') {
                names.push(format!("{name}.local"));
            }
        }
        let tls = Arc::new(Self {
            path,
            own: names,
            now: RwLock::default(),
            turn: Mutex::default(),
        });
        let wanted = kept.settings.clone();
        tls.put_in_force(kept, None);
        if wanted.mode == TlsMode::SelfSigned
            && let Err(error) = tls.set(wanted)
        {
            tracing::error!(%error, "TLS is off");
        }
        tls
    }

    fn kept(&self) -> Kept {
        self.now
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .clone()
    }

    fn put_in_force(&self, kept: Kept, acceptor: Option<TlsAcceptor>) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = (kept, acceptor);
    }

    /// What shakes hands; `None`: TLS is off.
    pub fn acceptor(&self) -> Option<TlsAcceptor> {
        self.now
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .clone()
    }

    pub(crate) fn view(&self) -> TlsView {
        let kept = self.kept();
        let is_on = kept.settings.mode == TlsMode::SelfSigned;
        TlsView {
            mode: kept.settings.mode,
            names: kept.settings.names,
            ca_fingerprint: kept.ca.map(|ca| fingerprint(&ca.certificate)),
            not_after: kept.leaf.filter(|_| is_on).map(|leaf| leaf.not_after),
        }
    }

    /// The authority's certificate as PEM (RFC 7468).
    pub(crate) fn authority(&self) -> Option<String> {
        let ca = self.kept().ca?;
        let text = STANDARD.encode(ca.certificate);
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(PEM_LINE.min(rest.len()));
            pem.push_str(line);
            pem.push('\n');
            rest = more;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        Some(pem)
    }

    /// Puts settings in force at once, and keeps them. Writes a file: short, but on the disk.
    ///
    /// # Errors
    /// When they cannot be kept or used; then all is as before.
    pub(crate) fn set(&self, settings: TlsSettings) -> Result<(), TlsError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.kept();
        let now = Timestamp::now();
        let mut kept = Kept {
            settings,
            ..before.clone()
        };
        let acceptor = if kept.settings.mode == TlsMode::SelfSigned {
            let ca = match before.ca.filter(|ca| !ca.is_due(now)) {
                Some(ca) => ca,
                None => authority(now).map_err(TlsError::Certificate)?,
            };
            let same = kept.settings.names == before.settings.names && kept.ca.is_some();
            let leaf = match before.leaf.filter(|leaf| same && !leaf.is_due(now)) {
                Some(leaf) => leaf,
                None => {
                    leaf(&ca, &self.names(&kept.settings), now).map_err(TlsError::Certificate)?
                }
            };
            let acceptor = acceptor(&ca, &leaf).map_err(TlsError::Rustls)?;
            kept.ca = Some(ca);
            kept.leaf = Some(leaf);
            Some(acceptor)
        } else {
            None
        };
        self.keep(&kept).map_err(TlsError::Disk)?;
        self.put_in_force(kept, acceptor);
        Ok(())
    }

    /// Makes what ends soon anew. To be called now and then.
    pub(crate) fn renew(&self) {
        let kept = self.kept();
        let is_due = kept.leaf.is_some_and(|leaf| leaf.is_due(Timestamp::now()));
        if kept.settings.mode == TlsMode::SelfSigned && is_due {
            match self.set(kept.settings) {
                Ok(()) => tracing::info!("the page has a new certificate"),
                Err(error) => tracing::error!(%error, "the page's certificate is not renewed"),
            }
        }
    }

    /// Those of this computer and those that are set, each once.
    fn names(&self, settings: &TlsSettings) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.own.iter().chain(&settings.names) {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Beside the old file, then in its place: a power cut leaves one of them.
    fn keep(&self, kept: &Kept) -> std::io::Result<()> {
        let beside = self.path.with_extension("json.new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(&serde_json::to_vec(kept)?)?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.path)
    }
}

impl TlsSettings {
    /// What cannot be right.
    pub(crate) fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.names.len() > NAMES_MAX {
            errors.push(FieldError {
                field: "names".to_owned(),
                code: "range",
                message: "has more than 20 entries".to_owned(),
            });
        }
        for (index, name) in self.names.iter().enumerate().take(NAMES_MAX) {
            if !is_host_name(name) && name.parse::<IpAddr>().is_err() {
                errors.push(FieldError {
                    field: format!("names[{index}]"),
                    code: "format",
                    message: "must be a host name or an address, without https:// and port"
                        .to_owned(),
                });
            }
        }
        errors
    }
}

fn acceptor(ca: &Pair, leaf: &Pair) -> Result<TlsAcceptor, rustls::Error> {
    let chain = vec![
        CertificateDer::from(leaf.certificate.clone()),
        CertificateDer::from(ca.certificate.clone()),
    ];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.key.clone()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// As people compare it: pairs of digits with colons.
fn fingerprint(certificate: &[u8]) -> String {
    let pairs: Vec<String> = (Sha256::digest(certificate).iter())
        .map(|byte| format!("{byte:02X}"))
        .collect();
    pairs.join(":")
}

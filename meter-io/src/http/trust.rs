//! Whether a certificate is one of `HomeWizard`'s meters.
//!
//! The maker signs the certificate of each meter. Its name is the meter's, `appliance/p1dongle/5c2faf000001`, and not that
//! of the host: in a home an address says nothing of who is there, and no authority would sign one. So the name is not
//! compared with the host; all else is checked as for a web server: the chain up to the maker's certificate, the times, the
//! use, and the signature of the handshake. What that proves is that some meter of this maker answers; `id=` asks for one
//! of them. The maker revokes nothing that one could ask for.
//!
//! The times of the maker's own certificate do not count, only its name and key (RFC 5280, 6.1.1 d): meters whose
//! certificates hold until 2049 are not lost in 2031.

use crate::source::Trust;
use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};

/// The certificate of the maker.
const HOMEWIZARD: &[u8] = include_bytes!("homewizard-ca.pem");
/// Of a file with certificates; one has 2 kB.
const MAX_FILE: u64 = 64 * 1024;
/// The tag of a sequence, of a set and of an object identifier (X.690, 8.9, 8.11, 8.19).
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// Where a length starts that is not in the byte itself, and the one whose next byte is the length (X.690, 8.1.3).
const LONG_LENGTH: u8 = 0x80;
const LENGTH_FOLLOWS: u8 = 0x81;
/// The attribute `commonName` (X.520, 2.5.4.3).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// A TLS client that trusts such meters and nobody else.
pub(super) fn client(trust: &Trust) -> io::Result<ClientConfig> {
    let roots = match &trust.ca {
        None => roots(HOMEWIZARD),
        Some(path) => read(path)
            .and_then(|pem| roots(&pem))
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }?;
    let provider = ring::default_provider();
    let meters = Meters {
        roots,
        algorithms: provider.signature_verification_algorithms,
        serial: trust.serial.clone(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(meters))
        .with_no_client_auth();
    Ok(config)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("this is not a file"));
    }
    let mut pem = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut pem)?;
    Ok(pem)
}

fn roots(pem: &[u8]) -> io::Result<RootCertStore> {
    let no_certificate = || io::Error::other("there is no certificate in it that can be read");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| no_certificate())?;
        roots.add(certificate).map_err(|_| no_certificate())?;
    }
    if roots.is_empty() {
        return Err(no_certificate());
    }
    Ok(roots)
}

/// What is wrong with a certificate, for its user; `None` if it is something else that failed.
pub(super) fn explain(error: &Error, trust: &Trust) -> Option<String> {
    let Error::InvalidCertificate(wrong) = error else {
        return None;
    };
    Some(match wrong {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            let signer = trust.ca.as_deref().map_or_else(
                || "HomeWizard".to_owned(),
                |path| format!("who is in {}", path.display()),
            );
            format!(
                "its certificate is not signed by {signer}: another device has this address, or somebody is in between"
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired, or the clock of this computer is ahead: look at the clock first".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is of a later time: the clock of this computer is behind".to_owned()
        }
        CertificateError::Other(OtherError(other)) if other.is::<OtherMeter>() => other.to_string(),
        other => format!("its certificate is not one of a meter: {other:?}"),
    })
}

/// Checks certificates of meters.
struct Meters {
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
    serial: Option<String>,
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meters({:?})", self.serial)
    }
}

impl ServerCertVerifier for Meters {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            algorithms,
        )?;
        if let Some(wanted) = &self.serial {
            is_meter(end_entity, wanted)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The certificate is good, and of a meter with another serial number.
#[derive(Debug, thiserror::Error)]
#[error("this is the meter {name:?}, and id= asks for {wanted}")]
struct OtherMeter {
    name: String,
    wanted: String,
}

fn is_meter(certificate: &CertificateDer<'_>, wanted: &str) -> Result<(), Error> {
    let parsed = webpki::EndEntityCert::try_from(certificate).ok();
    let name = parsed.and_then(|parsed| common_name(parsed.subject()));
    let name = name.unwrap_or_default();
    // `appliance/<model>/<serial>`
    let serial = name.rsplit('/').next().unwrap_or_default();
    if serial.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let wanted = wanted.to_owned();
    let other = OtherError(Arc::new(OtherMeter { name, wanted }));
    Err(CertificateError::Other(other).into())
}

/// The common name in a `Name` (RFC 5280, 4.1.2.4); the last one, if it has some.
fn common_name(mut subject: &[u8]) -> Option<String> {
    let mut name = None;
    while !subject.is_empty() {
        let (mut attributes, rest) = element(subject, SET)?;
        subject = rest;
        while !attributes.is_empty() {
            let (attribute, rest) = element(attributes, SEQUENCE)?;
            attributes = rest;
            let (kind, value) = element(attribute, OBJECT_IDENTIFIER)?;
            if kind == COMMON_NAME {
                let (text, _) = element(value, *value.first()?)?;
                name = Some(String::from_utf8_lossy(text).into_owned());
            }
        }
    }
    name
}

/// The content of the first element, which has this tag, and what follows it (X.690, 8.1; lengths up to 255).
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (mut length, mut rest) = rest.split_first()?;
    if *length == LENGTH_FOLLOWS {
        (length, rest) = rest.split_first()?;
    } else if *length >= LONG_LENGTH {
        return None;
    }
    if *found != tag {
        return None;
    }
    rest.split_at_checked(usize::from(*length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_makers_certificate_is_the_one_that_its_note_tells() {
        let certificate = CertificateDer::from_pem_slice(HOMEWIZARD).unwrap();
        let hex = Sha256::digest(&certificate)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .join(":");
        let note = String::from_utf8_lossy(HOMEWIZARD);
        assert!(note.contains(&format!("SHA-256   {hex}\n")), "{hex}");
        assert_eq!(roots(HOMEWIZARD).unwrap().len(), 1);
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        for pem in [
            "",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nMIID",
        ] {
            assert!(roots(pem.as_bytes()).is_err(), "{pem:?}");
        }
    }

    #[test]
    fn the_common_name_is_found_among_others() {
        let attribute = |kind: u8, text: &[u8]| {
            let length = u8::try_from(text.len()).unwrap();
            let mut attribute = vec![0x06, 3, 0x55, 0x04, kind, 0x0C, length];
            attribute.extend_from_slice(text);
            let length = u8::try_from(attribute.len()).unwrap();
            let mut set = vec![SET, length + 2, SEQUENCE, length];
            set.append(&mut attribute);
            set
        };
        let subject = [attribute(10, b"Maker"), attribute(3, b"appliance/x/1")].concat();
        assert_eq!(common_name(&subject).as_deref(), Some("appliance/x/1"));
        assert_eq!(common_name(&attribute(10, b"Maker")), None);
        for end in 1..subject.len() {
            assert_ne!(
                common_name(&subject[..end]).as_deref(),
                Some("appliance/x/1")
            );
        }
        assert_eq!(
            element(&[SET, 0x81, 2, 7, 8, 9], SET),
            Some((&[7, 8][..], &[9][..]))
        );
        for bytes in [
            &[][..],
            &[SET],
            &[SET, 0x81],
            &[SET, 0x82, 0, 1, 7],
            &[SET, 2, 7],
            &[SET, 0x80],
        ] {
            assert_eq!(element(bytes, SET), None, "{bytes:?}");
        }
    }
}

//! The authority of one house, and the certificate that it gives the page: X.509 (RFC 5280), P-256.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use serde::{Deserialize, Serialize};

/// People trust the authority by hand, on each of their devices: not every year.
const CA_DAYS: i64 = 3650;
/// Browsers take no certificate that is valid for longer than 398 days.
const LEAF_DAYS: i64 = 397;
/// Made anew when it has less left than this.
const RENEW_DAYS: i64 = 30;
/// Clocks of devices are not all right.
const BEFORE_DAYS: i64 = 2;

/// A certificate with its key, in DER.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Pair {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) not_after: Timestamp,
}

impl Pair {
    /// Whether another one is due.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.not_after.duration_since(now) < days(RENEW_DAYS)
    }
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// Sets the span of a certificate, in whole days. Answers its end.
fn span(
    params: &mut CertificateParams,
    now: Timestamp,
    length: i64,
) -> Result<Timestamp, rcgen::Error> {
    let at = |moment: Timestamp| {
        let date = moment.to_zoned(TimeZone::UTC).date();
        let part = |part: i8| u8::try_from(part).unwrap_or(1);
        (
            date,
            date_time_ymd(date.year().into(), part(date.month()), part(date.day())),
        )
    };
    let wrong = |_| rcgen::Error::Time;
    let (_, from) = at(now.checked_sub(days(BEFORE_DAYS)).map_err(wrong)?);
    let (end, until) = at(now.checked_add(days(length)).map_err(wrong)?);
    params.not_before = from;
    params.not_after = until;
    let end = end.to_zoned(TimeZone::UTC).map_err(wrong)?;
    Ok(end.timestamp())
}

/// As it was when it signed itself, so that what it signs fits.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Headroom's own authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    params
}

/// A new authority.
pub(super) fn authority(now: Timestamp) -> Result<Pair, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = authority_params();
    let not_after = span(&mut params, now, CA_DAYS)?;
    Ok(Pair {
        certificate: params.self_signed(&key)?.der().to_vec(),
        key: key.serialize_der(),
        not_after,
    })
}

/// A new certificate for these names and addresses.
pub(super) fn leaf(ca: &Pair, names: &[String], now: Timestamp) -> Result<Pair, rcgen::Error> {
    let ca_key = KeyPair::try_from(ca.key.as_slice())?;
    let issuer = Issuer::new(authority_params(), ca_key);
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.to_vec())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Headroom");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let not_after = span(&mut params, now, LEAF_DAYS)?;
    Ok(Pair {
        certificate: params.signed_by(&key, &issuer)?.der().to_vec(),
        key: key.serialize_der(),
        not_after: not_after.min(ca.not_after),
    })
}

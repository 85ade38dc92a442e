//! Passwords, random secrets and set-up codes.
//!
//! Random secrets have 256 bits and are stored as their SHA-256: nothing is to be gained by a slow hash.
//! Passwords are chosen by people and stored as argon2id with the parameters that OWASP recommends
//! (19 MiB, two passes), which are the defaults of the crate.

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::StoreError;

/// How many characters a password has; there is no other rule.
pub const PASSWORD_CHARACTERS: std::ops::RangeInclusive<usize> = 12..=128;

/// So that a token is recognised where it should not stand (logs, repositories).
const TOKEN_PREFIX: &str = "hr_";
const SECRET_BYTES: usize = 32;
const SALT_BYTES: usize = 16;
/// Without letters and digits that look alike, since people type it from a screen.
const CODE_ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Characters of a set-up code: 40 bits, with a throttle before it.
const CODE_CHARACTERS: usize = 8;
/// OCPP 1.6 security extensions allow 16 to 40 characters; many chargers can only be given letters and digits.
const CHARGER_PASSWORD_CHARACTERS: usize = 24;

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random numbers, or nothing is safe");
    bytes
}

fn letters(count: usize) -> String {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        for byte in random::<32>() {
            let letter = CODE_ALPHABET.get(usize::from(byte) % CODE_ALPHABET.len());
            if text.len() < count {
                text.extend(letter.map(|letter| char::from(*letter)));
            }
        }
    }
    text
}

/// A new secret for a session or an API token.
pub(crate) fn new_token() -> String {
    format!(
        "{TOKEN_PREFIX}{}",
        URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>())
    )
}

/// A new set-up code, `ABCD-1234`.
pub(crate) fn new_setup_code() -> String {
    let mut code = letters(CODE_CHARACTERS);
    code.insert(CODE_CHARACTERS / 2, '-');
    code
}

/// A set-up code as it is compared: small letters, spaces and dashes do not matter.
pub(crate) fn plain_code(code: &str) -> String {
    code.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// A new password for a charge point, for HTTP Basic (OCPP security profile 1).
pub fn new_charger_password() -> String {
    letters(CHARGER_PASSWORD_CHARACTERS)
}

/// What is stored of a session or token.
pub(crate) fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether two secrets are the same, in a time that tells nothing about where they differ.
pub fn same_secret(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// Hashes a password for [`crate::StateDb`]. Takes a good part of a second and 19 MiB: run it where it
/// blocks nobody.
///
/// # Errors
/// [`StoreError::Password`] if there is no memory for it.
pub fn hash_password(password: &str) -> Result<String, StoreError> {
    hash_with(&Argon2::default(), password)
}

fn hash_with(argon2: &Argon2<'_>, password: &str) -> Result<String, StoreError> {
    let salt = SaltString::encode_b64(&random::<SALT_BYTES>()).map_err(|_| StoreError::Password)?;
    let hash = argon2
        .hash_password(password.as_bytes(), &salt)
        .map_err(|_| StoreError::Password)?;
    Ok(hash.to_string())
}

/// Whether a password is the one that was hashed. As slow as [`hash_password`].
///
/// Without a hash (an unknown user) it works just as long and says no, so that the time does not tell
/// which users there are.
pub fn verify_password(password: &str, hash: Option<&str>) -> bool {
    /// The hash of a password that nobody has.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let known = hash.is_some();
    let matches = PasswordHash::new(hash.unwrap_or(NOBODY)).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    });
    known && matches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_only() {
        let cheap = Argon2::new(
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            argon2::Params::new(64, 1, 1, None).unwrap(),
        );
        let hash = hash_with(&cheap, "correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert!(verify_password("correct horse battery", Some(&hash)));
        assert!(!verify_password("correct horse batterz", Some(&hash)));
        assert!(!verify_password("correct horse battery", Some("no hash")));
    }

    #[test]
    fn an_unknown_user_has_no_password_but_costs_as_much() {
        let nobody = PasswordHash::new(
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        );
        let default = argon2::Params::default();
        let params = argon2::Params::try_from(&nobody.unwrap()).unwrap();
        assert_eq!(
            (params.m_cost(), params.t_cost()),
            (default.m_cost(), default.t_cost())
        );
        assert!(!verify_password("whatever it may be", None));
    }

    #[test]
    fn codes_are_easy_to_type() {
        let code = new_setup_code();
        let (left, right) = code.split_once('-').unwrap();
        assert_eq!((left.len(), right.len()), (4, 4));
        assert_eq!(
            plain_code(&code.to_lowercase().replace('-', " ")),
            code.replace('-', "")
        );
        assert!(!code.contains(['0', 'O', '1', 'I']));
    }

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (one, other) = (new_token(), new_token());
        assert_ne!(one, other);
        assert_eq!(one.len(), 3 + 43);
        assert!(new_charger_password().len() >= 20);
        assert!(same_secret(&token_hash(&one), &token_hash(&one)));
        assert!(!same_secret(&token_hash(&one), &token_hash(&other)));
    }
}

//! The identity of a charge point: what it is called in the address that it connects to.
//!
//! One rule for the configuration and for the port. OCPP 2.0.1 allows letters, digits and
//! `* - _ = : + | @ .`; makers of 1.6 put spaces between them too.

/// Longest identity: OCPP 1.6 names 20 characters, makers use more, 2.0.1 names 48.
pub const IDENTITY_MAX: usize = 48;

/// The rule in words, to stand behind the name of a field.
pub const IDENTITY_RULE: &str =
    "must be 1 to 48 letters, digits and any of _ . : * | = @ + - or spaces between them";

/// Whether a text can be an identity: nothing in it means something in a path, in a log or on a page.
pub fn is_identity(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.:*|=@+ -".contains(c);
    text.len() <= IDENTITY_MAX
        && text.chars().all(allowed)
        && text.chars().any(|c| c.is_ascii_alphanumeric())
        && text.trim() == text
        && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers_names_are_identities_and_paths_are_none() {
        for good in [
            "CP1",
            "DE*ABC*E1|2",
            "EVB-P1234567 a",
            "02:00:00:00:00:01",
            "a@b",
        ] {
            assert!(is_identity(good), "{good}");
        }
        let long = "x".repeat(IDENTITY_MAX + 1);
        for bad in [
            "", " ", "---", "a/b", "..", "a..b", " a", "a ", "a\n", "<b>", "é", "a%20", "a#", &long,
        ] {
            assert!(!is_identity(bad), "{bad:?}");
        }
    }
}

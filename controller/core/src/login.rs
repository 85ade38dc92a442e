//! Passwords inside addresses, such as `mqtt://user:password@host/topic`: taken out, and put back.

/// Stands for a password that is stored elsewhere.
pub const HIDDEN: &str = "***";

/// The address with [`HIDDEN`] in place of its password, and the password. One with an unescaped `/` or `@` is taken whole:
/// rather a part of the address too much.
pub fn hide_password(address: &str) -> (String, Option<String>) {
    let hidden = || {
        let (scheme, rest) = address.split_once("//")?;
        let (login, host) = rest.rsplit_once('@')?;
        let (user, password) = login.split_once(':')?;
        Some((
            format!("{scheme}//{user}:{HIDDEN}@{host}"),
            Some(password.to_owned()),
        ))
    };
    hidden().unwrap_or_else(|| (address.to_owned(), None))
}

/// The address with its password again.
pub fn show_password(address: &str, password: &str) -> String {
    let shown = || {
        let (scheme, rest) = address.split_once("//")?;
        let (login, host) = rest.rsplit_once('@')?;
        let (user, hidden) = login.split_once(':')?;
        (hidden == HIDDEN).then(|| format!("{scheme}//{user}:{password}@{host}"))
    };
    shown().unwrap_or_else(|| address.to_owned())
}

/// Scheme, user and host of an address with a login, with [`HIDDEN`] in the place of its password: whom the password is
/// sent to.
pub fn whom(address: &str) -> Option<&str> {
    let at = address.rfind('@')?;
    let rest = address.get(at..)?;
    let end = rest.find(['/', '?']).map_or(address.len(), |end| at + end);
    address.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hidden_whatever_it_looks_like_and_comes_back() {
        for (address, shown) in [
            ("mqtt://jo:secret@broker/ams", "mqtt://jo:***@broker/ams"),
            ("mqtt://jo:a/b?c:d@e@broker/ams", "mqtt://jo:***@broker/ams"),
            ("http://:secret@host", "http://:***@host"),
        ] {
            let (hidden, password) = hide_password(address);
            assert_eq!(hidden, shown);
            assert_eq!(show_password(&hidden, &password.unwrap()), address);
        }
        for address in [
            "mqtt://jo@broker/ams",
            "tcp://host:2001",
            "serial:/dev/ttyUSB0?baud=2400",
        ] {
            assert_eq!(hide_password(address), (address.to_owned(), None));
            assert_eq!(show_password(address, "secret"), address);
        }
    }
}

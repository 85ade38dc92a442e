//! Where alarms are sent besides the page: a webhook, ntfy, e-mail. Part of the configuration, with its secrets apart.

use headroom_core::config::Secret;
use headroom_core::validate::FieldError;
use serde::{Deserialize, Serialize};

use crate::house::SecretField;

/// Languages of the messages, as the page has them.
const LANGUAGES: [&str; 9] = ["en", "nb", "sv", "da", "fi", "et", "nl", "de", "fr"];
/// Longest address of a channel.
const URL_MAX: usize = 512;
/// Longest secret of a channel; the tokens of services have some 200.
const SECRET_MAX: usize = 1024;
/// Longest address of a person (RFC 5321, section 4.5.3.1.3, without its brackets).
const ADDRESS_MAX: usize = 254;
/// People that one alarm is mailed to.
const RECIPIENTS_MAX: usize = 10;

/// As `GET,PUT /notifications` has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notifications {
    /// The language of the messages' first line.
    pub language: String,
    /// A program of somebody, which gets JSON.
    pub webhook: Option<HttpChannel>,
    /// A topic of an ntfy server.
    pub ntfy: Option<HttpChannel>,
    /// A mail server.
    pub email: Option<EmailChannel>,
}

/// Something that is told over HTTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpChannel {
    /// Where, with `http://` or `https://`.
    pub url: String,
    /// Sent as `Authorization: Bearer`. Never given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
}

/// A mail server, and who is written to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailChannel {
    /// Host name or address of the mail server.
    pub host: String,
    /// Its port; 587 is usual with `starttls`, 465 with `tls`.
    pub port: u16,
    /// How the connection is secured.
    #[serde(default)]
    pub tls: EmailTls,
    /// The name to log in with; `null`: no login.
    #[serde(default)]
    pub user: Option<String>,
    /// The password to log in with. Never given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// The sender's address.
    pub from: String,
    /// The receivers' addresses, 1 to 10.
    pub to: Vec<String>,
}

/// How the connection to a mail server is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmailTls {
    /// Plain at first, TLS before anything is told (RFC 3207); without it nothing is sent.
    #[default]
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// None: a mail server of the house.
    None,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            language: "en".to_owned(),
            webhook: None,
            ntfy: None,
            email: None,
        }
    }
}

impl Notifications {
    /// Each secret field, whether it is set or not.
    pub(crate) fn secret_fields(&mut self) -> Vec<SecretField<'_>> {
        let mut fields = Vec::new();
        for (name, channel) in [("webhook", &mut self.webhook), ("ntfy", &mut self.ntfy)] {
            if let Some(HttpChannel { url, token }) = channel {
                fields.push(SecretField {
                    path: format!("notifications.{name}.token"),
                    place: url.clone(),
                    secret: token,
                });
            }
        }
        if let Some(email) = &mut self.email {
            fields.push(SecretField {
                path: "notifications.email.password".to_owned(),
                place: format!("{:?}", (&email.host, email.port, email.tls, &email.user)),
                secret: &mut email.password,
            });
        }
        fields
    }

    /// Takes over the secrets of before where none is written, and drops those of a place that is another one now: a
    /// secret goes to nobody but whom it was written for.
    pub fn keep_secrets_of(&mut self, before: &Self) {
        for (now, before) in [
            (&mut self.webhook, &before.webhook),
            (&mut self.ntfy, &before.ntfy),
        ] {
            if let (Some(now), Some(before)) = (now, before)
                && now.token.is_none()
                && now.url == before.url
            {
                now.token.clone_from(&before.token);
            }
        }
        if let (Some(now), Some(before)) = (&mut self.email, &before.email)
            && now.password.is_none()
            && (&now.host, now.port, now.tls, &now.user)
                == (&before.host, before.port, before.tls, &before.user)
        {
            now.password.clone_from(&before.password);
        }
    }

    /// Says what cannot be right; paths begin with `notifications.`.
    pub(crate) fn check(&self, errors: &mut Vec<FieldError>) {
        if !LANGUAGES.contains(&self.language.as_str()) {
            let message = format!("must be one of {}", LANGUAGES.join(", "));
            push(errors, "language", "unknown", message);
        }
        for (name, channel) in [("webhook", &self.webhook), ("ntfy", &self.ntfy)] {
            if let Some(channel) = channel {
                check_url(&format!("{name}.url"), &channel.url, errors);
                check_secret(&format!("{name}.token"), channel.token.as_ref(), errors);
            }
        }
        if let Some(ntfy) = &self.ntfy
            && topic(&ntfy.url).is_none()
        {
            let message = "must end with a topic, such as https://ntfy.sh/our-house";
            push(errors, "ntfy.url", "format", message);
        }
        if let Some(email) = &self.email {
            email.check(errors);
        }
    }
}

impl EmailChannel {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if !is_host(&self.host) {
            let message = "must be a host name or an address, without a port";
            push(errors, "email.host", "format", message);
        }
        if self.port == 0 {
            push(errors, "email.port", "range", "must be 1 to 65535");
        }
        check_secret("email.password", self.password.as_ref(), errors);
        let user = self.user.as_deref();
        if user.is_some_and(|user| !is_line(user, ADDRESS_MAX)) {
            let message = "must have 1 to 254 characters, without line breaks";
            push(errors, "email.user", "range", message);
        }
        if user.is_none() && self.password.is_some() {
            let message = "has no use without a user";
            push(errors, "email.password", "conflict", message);
        }
        if self.tls == EmailTls::None && self.password.is_some() && !is_near(&self.host) {
            let message = "would send the password in the clear: choose \"starttls\" or \"tls\"";
            push(errors, "email.tls", "conflict", message);
        }
        let address = "must be an address such as house@example.org";
        if !is_address(&self.from) {
            push(errors, "email.from", "format", address);
        }
        if self.to.is_empty() || self.to.len() > RECIPIENTS_MAX {
            push(errors, "email.to", "range", "must have 1 to 10 addresses");
        }
        for (index, to) in self.to.iter().enumerate().take(RECIPIENTS_MAX) {
            if !is_address(to) {
                push(errors, &format!("email.to[{index}]"), "format", address);
            }
        }
    }
}

fn push(errors: &mut Vec<FieldError>, field: &str, code: &'static str, message: impl Into<String>) {
    errors.push(FieldError {
        field: format!("notifications.{field}"),
        code,
        message: message.into(),
    });
}

fn check_secret(field: &str, secret: Option<&Secret>, errors: &mut Vec<FieldError>) {
    // It stands in a header or a command: visible characters of ASCII, and spaces.
    let fits = |secret: &Secret| {
        let text = secret.expose();
        (1..=SECRET_MAX).contains(&text.len())
            && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
    };
    // A password may be of any letters; only a token is bound to a header.
    let password = |secret: &Secret| is_line(secret.expose(), SECRET_MAX);
    let right = if field.ends_with("password") {
        secret.is_none_or(password)
    } else {
        secret.is_none_or(fits)
    };
    if !right {
        let message = "must have 1 to 1024 characters, without line breaks";
        push(errors, field, "format", message);
    }
}

fn check_url(field: &str, url: &str, errors: &mut Vec<FieldError>) {
    let message =
        "must begin with http:// or https://, then a host, such as https://example.org/hook";
    let Some(rest) = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
    else {
        return push(errors, field, "format", message);
    };
    let visible = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        let message = "must not hold a name and a password: write a token";
        return push(errors, field, "format", message);
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, "1"),
    };
    let right = is_host(host)
        && port.parse::<u16>().is_ok_and(|port| port > 0)
        && url.len() <= URL_MAX
        && url.bytes().all(visible);
    if !right {
        push(errors, field, "format", message);
    }
}

/// The topic of an address of ntfy.
fn topic(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (_, topic) = rest.split_once('/')?;
    Some(topic).filter(|topic| !topic.is_empty() && !topic.ends_with('/'))
}

/// A host name, an address, or an address of IPv6 in brackets.
fn is_host(host: &str) -> bool {
    if let Some(inside) = host.strip_prefix('[') {
        return inside
            .strip_suffix(']')
            .is_some_and(|it| it.parse::<std::net::Ipv6Addr>().is_ok());
    }
    (1..=253).contains(&host.len())
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        && !host.starts_with(['.', '-'])
}

/// This computer.
fn is_near(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn is_line(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// What a mail server may be told as a sender or receiver. Names with quotes and letters beyond ASCII are left out.
fn is_address(address: &str) -> bool {
    let local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+-/=?^_`{|}~".contains(&byte);
    address.len() <= ADDRESS_MAX
        && address.rsplit_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && name.bytes().all(local) && is_host(host)
        })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn all() -> Value {
        json!({"language": "nb",
            "webhook": {"url": "https://example.org/hook?a=1", "token": "canary-hook"},
            "ntfy": {"url": "http://[2001:db8::1]:8080/house", "token": "canary-ntfy"},
            "email": {"host": "mail.example.org", "port": 587, "user": "house", "password": "canary-mail",
                "from": "house@example.org", "to": ["kari@example.org"]}})
    }

    fn wrong(value: &Value) -> Vec<(String, &'static str)> {
        let notifications: Notifications = serde_json::from_value(value.clone()).unwrap();
        let mut errors = Vec::new();
        notifications.check(&mut errors);
        errors.into_iter().map(|it| (it.field, it.code)).collect()
    }

    #[test]
    fn what_is_right_passes_and_each_thing_that_is_wrong_is_told() {
        assert_eq!(wrong(&all()), []);
        assert_eq!(wrong(&json!({})), []);
        for (pointer, value, code) in [
            ("/language", json!("xx"), "unknown"),
            ("/webhook/url", json!("ftp://example.org/"), "format"),
            ("/webhook/url", json!("https://"), "format"),
            ("/webhook/url", json!("https://a:b@example.org/"), "format"),
            ("/webhook/url", json!("https://example.org:0/"), "format"),
            ("/webhook/url", json!("https://exa mple.org/"), "format"),
            (
                "/webhook/url",
                json!("http://example.org/\r\nX: y"),
                "format",
            ),
            ("/webhook/token", json!("a\nb"), "format"),
            ("/webhook/token", json!("å"), "format"),
            ("/ntfy/url", json!("https://ntfy.sh"), "format"),
            ("/ntfy/url", json!("https://ntfy.sh/"), "format"),
            ("/email/host", json!("mail.example.org:587"), "format"),
            ("/email/port", json!(0), "range"),
            ("/email/from", json!("house"), "format"),
            ("/email/from", json!("a@b\r\nRCPT TO:<c@d>"), "format"),
            ("/email/to", json!([]), "range"),
            ("/email/tls", json!("none"), "conflict"),
        ] {
            let mut it = all();
            *it.pointer_mut(pointer).unwrap_or(&mut Value::Null) = value.clone();
            if pointer == "/email/tls" {
                it["email"]["tls"] = value.clone();
            }
            let field = format!("notifications{}", pointer.replace('/', "."));
            assert_eq!(wrong(&it), [(field, code)], "{pointer} {value}");
        }
    }

    #[test]
    fn a_secret_stays_with_the_place_that_it_was_written_for() {
        let before: Notifications = serde_json::from_value(all()).unwrap();
        let mut same = before.clone();
        for field in same.secret_fields() {
            *field.secret = None;
        }
        let mut moved = same.clone();
        same.keep_secrets_of(&before);
        assert_eq!(same, before);
        for it in [&mut moved.webhook, &mut moved.ntfy].into_iter().flatten() {
            it.url = "https://evil.example/x".to_owned();
        }
        moved.email.as_mut().unwrap().host = "evil.example".to_owned();
        let expected = moved.clone();
        moved.keep_secrets_of(&before);
        assert_eq!(moved, expected);
        assert!(!format!("{before:?}").contains("canary"));
    }
}

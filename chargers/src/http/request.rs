//! One named request of a profile.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use minijinja::Value;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::Deserialize;

use super::{
    caller::Call,
    jq::Jq,
    profile::{Auth, Param, ProfileError, ProfileKind},
    template::{Place, TemplateError, Values, render},
};

/// What is encoded of names and values in a query: everything that could end them. Devices with small
/// servers know what a comma, a colon and a second equals sign are, and not always how they are encoded.
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'+')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
/// Headers that are nobody's but the client's.
const OWN_HEADERS: [&str; 4] = ["host", "content-length", "transfer-encoding", "upgrade"];

/// A request as a profile has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRequest {
    method: String,
    path: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    ok: Option<String>,
    #[serde(default)]
    when: Option<String>,
    #[serde(default)]
    optional: bool,
}

/// A request that was checked.
#[derive(Debug)]
pub(super) struct Request {
    method: Method,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    /// Must be true of the answer; without it a status of 2xx is enough.
    pub(super) ok: Option<Jq>,
    /// It is made only if this parameter is not empty.
    pub(super) when: Option<String>,
    /// A device that does not know it has no answer, and that is no failure.
    pub(super) optional: bool,
}

impl Request {
    pub(super) fn new(name: &str, raw: RawRequest) -> Result<Self, ProfileError> {
        let field = |part: &str| format!("requests.{name}.{part}");
        let value = |part: &str, what: &str| ProfileError::Value {
            field: field(part),
            what: what.to_owned(),
        };
        let method = method(&raw.method)
            .ok_or_else(|| value("method", "must be GET, POST, PUT, PATCH or DELETE"))?;
        if !raw.path.starts_with('/')
            || raw.path.contains(['?', '#', '\\'])
            || raw.path.starts_with("//")
        {
            return Err(value(
                "path",
                "begins with one / and has no query: the host is configured",
            ));
        }
        for header in raw.headers.keys() {
            let known = HeaderName::from_bytes(header.as_bytes());
            if known.is_err() || OWN_HEADERS.contains(&header.to_ascii_lowercase().as_str()) {
                return Err(value("headers", "names a header that a profile cannot set"));
            }
        }
        let ok = raw
            .ok
            .map(|program| Jq::new(&program))
            .transpose()
            .map_err(|error| ProfileError::jq(field("ok"), &error))?;
        Ok(Self {
            method,
            path: raw.path,
            query: raw.query,
            headers: raw.headers,
            body: raw.body,
            ok,
            when: raw.when,
            optional: raw.optional,
        })
    }

    /// Fills all templates once, with values such as they will have.
    pub(super) fn check(
        &self,
        name: &str,
        kind: ProfileKind,
        params: &BTreeMap<String, Param>,
        auth: Option<&Auth>,
    ) -> Result<(), ProfileError> {
        let field = format!("requests.{name}");
        if let Some(when) = self
            .when
            .as_ref()
            .filter(|when| !params.contains_key(*when))
        {
            return Err(ProfileError::Value {
                field: format!("{field}.when"),
                what: format!("there is no parameter \"{when}\""),
            });
        }
        let mut values: Values = params
            .keys()
            .map(|param| (param.clone(), Value::from("x")))
            .collect();
        values.extend(match kind {
            ProfileKind::Charger => limit_values(6_000, 3, 60, 0),
            ProfileKind::Relay => switch_values(60),
        });
        let call = self
            .build(&values, auth)
            .map_err(|error| ProfileError::template(&field, &error))?;
        if let Some(body) = call.body.filter(|body| !body.is_empty())
            && serde_json::from_str::<serde_json::Value>(&body).is_err()
        {
            return Err(ProfileError::Value {
                field: format!("{field}.body"),
                what: format!("must give JSON, or be empty, not: {body}"),
            });
        }
        Ok(())
    }

    /// Whether a value of that name stands in it.
    pub(super) fn names(&self, value: &str) -> bool {
        let mut templates = std::iter::once(&self.path)
            .chain(self.query.values())
            .chain(&self.body);
        templates.any(|template| template.contains(value))
    }

    /// The request with its values. A part of the query and a header that come out empty are left out.
    pub(super) fn build(
        &self,
        values: &Values,
        auth: Option<&Auth>,
    ) -> Result<Call, TemplateError> {
        let path = render(Place::Path, &self.path, values)?;
        let mut query = Vec::new();
        for (name, template) in &self.query {
            let value = render(Place::Text, template, values)?;
            if !value.is_empty() {
                let (name, value) = (
                    utf8_percent_encode(name, QUERY),
                    utf8_percent_encode(&value, QUERY),
                );
                query.push(format!("{name}={value}"));
            }
        }
        let mut headers = HeaderMap::new();
        for (name, template) in &self.headers {
            let value = render(Place::Text, template, values)?;
            insert(&mut headers, name, &value);
        }
        if let Some(auth) = auth {
            let user = render(Place::Text, &auth.user, values)?;
            let password = render(Place::Text, &auth.password, values)?;
            if !user.is_empty() {
                let both = BASE64_STANDARD.encode(format!("{user}:{password}"));
                insert(
                    &mut headers,
                    AUTHORIZATION.as_str(),
                    &format!("Basic {both}"),
                );
            }
        }
        let body = self
            .body
            .as_ref()
            .map(|body| render(Place::Json, body, values))
            .transpose()?;
        if body.as_ref().is_some_and(|body| !body.is_empty()) {
            insert(&mut headers, CONTENT_TYPE.as_str(), "application/json");
        }
        Ok(Call {
            method: self.method.clone(),
            path,
            query: (!query.is_empty()).then(|| query.join("&")),
            headers,
            body,
        })
    }
}

/// A value that cannot stand in a header is left out; the device then says what it misses.
fn insert(headers: &mut HeaderMap, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_str(value)) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
}

/// What the templates of a charger's requests may name: the limit in amperes (`a`, a whole number if it is one),
/// milliamperes (`ma`) and tenths of amperes (`da`), and what belongs to it.
pub(super) fn limit_values(
    limit_ma: i64,
    phases: u8,
    lease_s: u32,
    safe_ma: i64,
) -> Vec<(String, Value)> {
    vec![
        ("a".to_owned(), ampere(limit_ma)),
        ("ma".to_owned(), limit_ma.into()),
        ("da".to_owned(), (limit_ma / 100).into()),
        ("phases".to_owned(), phases.into()),
        ("lease_s".to_owned(), lease_s.into()),
        ("safe_a".to_owned(), ampere(safe_ma)),
    ]
}

/// What the templates of a relay's requests may name.
pub(super) fn switch_values(lease_s: u32) -> Vec<(String, Value)> {
    vec![("lease_s".to_owned(), lease_s.into())]
}

fn ampere(milliampere: i64) -> Value {
    if milliampere % 1_000 == 0 {
        (milliampere / 1_000).into()
    } else {
        headroom_core::units::Milliamps(milliampere).to_f64().into()
    }
}

/// Methods that profiles may use.
fn method(name: &str) -> Option<Method> {
    match name {
        "GET" => Some(Method::GET),
        "POST" => Some(Method::POST),
        "PUT" => Some(Method::PUT),
        "PATCH" => Some(Method::PATCH),
        "DELETE" => Some(Method::DELETE),
        _ => None,
    }
}

//! The OpenAPI document: made here, kept in `web/openapi.json`, and served from there, so that what makes it is no part of
//! the program.

mod calls;
#[expect(
    dead_code,
    clippy::struct_field_names,
    reason = "shapes of the API, of which nothing is ever made"
)]
mod schemas;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Map, json};

use self::calls::{CALLS, Call};
use super::*;

/// What each call may be refused with.
const REFUSALS: &[(u16, &str)] = &[
    (400, "`malformed`"),
    (401, "`unauthenticated`, `setup_required`"),
    (403, "`forbidden`, `csrf`"),
    (404, "`not_found`"),
    (405, "`method_not_allowed`"),
    (409, "`exists`"),
    (413, "`too_large`"),
    (421, "`host_not_allowed`"),
    (422, "`invalid`"),
    (429, "`throttled`"),
    (500, "`internal`"),
    (503, "`unavailable`"),
];

fn schema(name: &str) -> Value {
    match name.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        Some(item) => json!({"type": "object", "required": ["items", "next"], "properties": {
            "items": {"type": "array", "items": schema(item)},
            "next": {"type": ["string", "null"], "description": "The cursor of the next page"}}}),
        None => json!({"$ref": format!("#/components/schemas/{name}")}),
    }
}

/// A body by the name of its schema or its media type.
fn content(name: &str) -> Value {
    if name == "application/json" {
        return json!({"application/json": {"schema": {"type": "object"}}});
    }
    if name.contains('/') {
        return json!({name: {"schema": {"type": "string"}}});
    }
    json!({"application/json": {"schema": schema(name)}})
}

fn parameter(name: &str, place: &str) -> Value {
    let of = match name {
        "limit" => json!({"type": "integer", "minimum": 1, "maximum": 500}),
        "step_s" => json!({"type": "integer", "minimum": 1, "maximum": 86400}),
        "from" | "to" => json!({"type": "string", "format": "date-time"}),
        "renewals" => json!({"type": "boolean"}),
        _ => json!({"type": "string"}),
    };
    json!({"name": name, "in": place, "required": place == "path", "schema": of})
}

fn operation(call: &Call) -> Value {
    let mut responses = Map::new();
    let mut good = json!({"description": "Done"});
    if !call.answer.is_empty() {
        good["content"] = content(call.answer);
    }
    responses.insert(call.status.to_string(), good);
    for (status, _) in REFUSALS {
        let refusal = json!({"$ref": format!("#/components/responses/{status}")});
        responses.insert(status.to_string(), refusal);
    }
    let in_path = call
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path.map(|name| parameter(name, "path")).collect();
    parameters.extend(call.query.iter().map(|name| parameter(name, "query")));
    if call.path.contains('.') {
        // A file is not cut into pages.
        for limit in parameters.iter_mut().filter(|it| it["name"] == "limit") {
            limit["schema"]["maximum"] = 100_000.into();
        }
    }
    let id = call
        .path
        .trim_start_matches("/api/v1")
        .replace(['/', '-', '.'], "_")
        .replace(['{', '}'], "");
    let mut operation = json!({
        "operationId": format!("{}{id}", call.method),
        "summary": call.what,
        "parameters": parameters,
        "responses": responses,
        "security": match call.role {
            Some(_) => json!([{"token": []}, {"session": []}]),
            None => json!([]),
        },
    });
    if let Some(role) = call.role {
        operation["x-least-role"] = role.into();
    }
    if !call.body.is_empty() {
        let name = call.body.trim_start_matches('?');
        let required = !call.body.starts_with('?');
        operation["requestBody"] = json!({"required": required, "content": content(name)});
    }
    operation
}

/// The whole document.
fn document() -> Value {
    let refusals: Map<String, Value> = (REFUSALS.iter())
        .map(|(status, codes)| {
            let problem = json!({"application/problem+json": {"schema": schema("Problem")}});
            (
                status.to_string(),
                json!({"description": codes, "content": problem}),
            )
        })
        .collect();
    let mut paths = Map::new();
    for call in CALLS {
        let path = paths.entry(call.path).or_insert(json!({}));
        path[call.method] = operation(call);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Headroom",
            "description": "Keeps the main fuse of a house. docs/api.md tells what the fields mean.",
            "license": {"name": "MIT OR Apache-2.0"},
            "version": "1",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "responses": refusals,
            "schemas": schemas::schemas(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": crate::identity::COOKIE,
                    "description": "Changes need the header X-CSRF-Token as well"},
            },
        },
    })
}

fn kept() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("openapi.json")
}

/// Written anew with `HEADROOM_WRITE_OPENAPI=1 cargo test -p headroom-web openapi`.
#[test]
fn the_document_that_is_kept_is_the_one_that_is_made() {
    let made = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os("HEADROOM_WRITE_OPENAPI").is_some() {
        std::fs::write(kept(), &made).unwrap();
    }
    let kept = std::fs::read_to_string(kept()).unwrap_or_default();
    assert!(
        kept == made,
        "web/openapi.json is another one now: HEADROOM_WRITE_OPENAPI=1 cargo test -p headroom-web openapi, then npm run \
         types in web/ui"
    );
}

/// Methods and paths as they stand in the source of the routes.
fn routes() -> BTreeSet<(String, String)> {
    let source = include_str!("../../routes.rs");
    let mut found = BTreeSet::new();
    for piece in source.split(".route(").skip(1) {
        let (_, rest) = piece.split_once('"').unwrap();
        let (path, handlers) = rest.split_once('"').unwrap();
        for method in ["get", "put", "post", "patch", "delete"] {
            // `get(` as a call, not as a part of `alarms::get)`.
            let is_there = handlers
                .match_indices(&format!("{method}("))
                .any(|(at, _)| {
                    let before = handlers[..at].chars().next_back();
                    matches!(before, Some(' ' | '.' | '\n'))
                });
            if is_there {
                found.insert((method.to_owned(), path.to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_route_is_in_the_document_and_nothing_else_is() {
    let at_root = ["/healthz", "/readyz", "/metrics", "/ca.crt"];
    let mut expected = BTreeSet::new();
    for (method, path) in routes() {
        let path = if at_root.contains(&path.as_str()) {
            path
        } else {
            format!("/api/v1{path}")
        };
        if path.ends_with("/{verb}") {
            for verb in ["pause", "resume", "boost", "limit"] {
                expected.insert((method.clone(), path.replace("{verb}", verb)));
            }
        } else if !UNDOCUMENTED.contains(&path.as_str()) {
            expected.insert((method, path));
        }
    }
    assert!(expected.len() > 50, "{expected:?}");
    let told: BTreeSet<_> = CALLS
        .iter()
        .map(|it| (it.method.to_owned(), it.path.to_owned()))
        .collect();
    let lacking: Vec<_> = expected.difference(&told).collect();
    let gone: Vec<_> = told.difference(&expected).collect();
    assert!(
        lacking.is_empty() && gone.is_empty(),
        "not told: {lacking:?}; not there: {gone:?}"
    );
}

/// Files, not calls.
const UNDOCUMENTED: &[&str] = &[];

#[tokio::test]
async fn it_is_served_as_it_is_kept() {
    let rig = Rig::new().await;
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(kept()).unwrap()).unwrap();
    assert!(rig.read("openapi.json").await == kept);
}

/// Every schema that is named is there.
#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    for piece in text.split("#/components/schemas/").skip(1) {
        let name = piece.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
}

/// What a role is asked for is what the document says.
#[tokio::test]
async fn the_roles_are_those_that_are_asked_for() {
    let rig = Rig::new().await;
    for call in CALLS {
        let Some(role) = call.role else { continue };
        let path = with_names(call.path);
        let method: Method = call.method.to_uppercase().parse().unwrap();
        for (name, secret) in [("viewer", &rig.viewer), ("user", &rig.user)] {
            let answer = rig.call(method.clone(), &path).token(secret).send();
            // Events never end; that they are answered is enough.
            if call.path.ends_with("/events") {
                continue;
            }
            let may = role == "viewer" || role == name;
            let refused = answer.await.status == StatusCode::FORBIDDEN;
            assert_eq!(refused, !may, "{} {path} as {name}", call.method);
        }
    }
}

/// What a browser can be made to send by a page of somebody else changes nothing, whichever the call.
#[tokio::test]
async fn every_change_by_cookie_comes_from_our_own_page() {
    let rig = Rig::new().await;
    let state = &rig.app.state;
    state
        .create_user("ada", Role::Installer, "hash")
        .await
        .unwrap();
    let session = state.begin_session("ada", Timestamp::now()).await.unwrap();
    let cookie = format!("headroom_session={}", session.token);
    let csrf = crate::identity::csrf_of_session(&session.token);
    let mut changes = 0;
    for call in CALLS.iter().filter(|call| call.method != "get") {
        changes += 1;
        let path = with_names(call.path);
        let send = |headers: &[(&str, &str)]| {
            let method: Method = call.method.to_uppercase().parse().unwrap();
            let request = rig.call(method, &path).header("cookie", &cookie);
            headers
                .iter()
                .fold(request.text("{}"), |it, (name, value)| {
                    it.header(name, value)
                })
                .send()
        };
        let name = format!("{} {path}", call.method);
        let evil = ("origin", "http://evil.example");
        let mut tries = vec![
            vec![("x-csrf-token", csrf.as_str()), evil],
            vec![("x-csrf-token", &csrf), ("sec-fetch-site", "same-site")],
        ];
        // Before a session there is none whose token could be asked for.
        if call.role.is_some() {
            tries.push(vec![]);
            tries.push(vec![("x-csrf-token", session.token.as_str())]);
        }
        for headers in tries {
            let answer = send(&headers).await;
            assert_eq!(answer.problem(), (403, "csrf"), "{name} {headers:?}");
        }
    }
    assert!(changes > 30, "{changes}");
    // None of them ended it.
    let read = rig.call(Method::GET, "status").header("cookie", &cookie);
    assert_eq!(read.send().await.status, 200);
}

/// Whichever the call: a host that is not ours, and a token in the address.
#[tokio::test]
async fn every_call_asks_for_our_own_name_and_takes_no_token_from_the_address() {
    let rig = Rig::new().await;
    for call in CALLS {
        let method: Method = call.method.to_uppercase().parse().unwrap();
        let path = with_names(call.path);
        let rebound = rig.call(method.clone(), &path).token(&rig.installer);
        let rebound = rebound.host("evil.example").text("{}").send().await;
        assert_eq!(rebound.problem(), (421, "host_not_allowed"), "{path}");
        let policy = rebound.headers[header::CONTENT_SECURITY_POLICY].to_str();
        let policy = policy.unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
        if call.role.is_some() {
            let path = format!("{path}?token={0}&access_token={0}", rig.installer);
            let answer = rig.call(method, &path).text("{}").send().await;
            assert_eq!(answer.status, 401, "{path}");
        }
    }
}

fn with_names(path: &str) -> String {
    path.replace("{id}", "x")
        .replace("{name}", "x")
        .replace("{n}", "4711")
}

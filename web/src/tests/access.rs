//! Who may do what, from where, and how often they may guess.

use axum::http::Method;
use serde_json::json;

use super::*;

const PASSWORD: &str = "correct horse battery";

/// Every route, with the least role that it asks for; `None` is everybody.
const ROUTES: &[(Method, &str, Option<Role>)] = &[
    (Method::GET, "session", Some(Role::Viewer)),
    (Method::GET, "openapi.json", Some(Role::Viewer)),
    (Method::GET, "status", Some(Role::Viewer)),
    (Method::GET, "site", Some(Role::Viewer)),
    (Method::PUT, "site", Some(Role::Installer)),
    (Method::GET, "meter", Some(Role::Viewer)),
    (Method::PUT, "meter", Some(Role::Installer)),
    (Method::GET, "meter/candidates", Some(Role::Viewer)),
    (Method::GET, "chargers", Some(Role::Viewer)),
    (Method::POST, "chargers", Some(Role::Installer)),
    (Method::GET, "chargers/unmatched", Some(Role::Viewer)),
    (Method::GET, "chargers/x", Some(Role::Viewer)),
    (Method::GET, "reports", Some(Role::Viewer)),
    (Method::PATCH, "chargers/x", Some(Role::Installer)),
    (Method::DELETE, "chargers/x", Some(Role::Installer)),
    (Method::GET, "slow-loads", Some(Role::Viewer)),
    (Method::POST, "slow-loads", Some(Role::Installer)),
    (Method::GET, "slow-loads/x", Some(Role::Viewer)),
    (Method::PATCH, "slow-loads/x", Some(Role::Installer)),
    (Method::DELETE, "slow-loads/x", Some(Role::Installer)),
    (Method::GET, "discovery", Some(Role::Viewer)),
    (Method::GET, "priorities", Some(Role::Viewer)),
    (Method::PUT, "priorities", Some(Role::User)),
    (Method::POST, "loads/x/pause", Some(Role::User)),
    (Method::POST, "loads/x/resume", Some(Role::User)),
    (Method::POST, "loads/x/boost", Some(Role::User)),
    (Method::POST, "loads/x/limit", Some(Role::User)),
    (
        Method::POST,
        "chargers/x/availability",
        Some(Role::Installer),
    ),
    (Method::POST, "chargers/x/reset", Some(Role::Installer)),
    (Method::POST, "chargers/x/start", Some(Role::User)),
    (Method::POST, "chargers/x/stop", Some(Role::User)),
    (Method::GET, "decisions", Some(Role::Viewer)),
    (Method::GET, "decisions/1", Some(Role::Viewer)),
    (Method::GET, "decisions.csv", Some(Role::Viewer)),
    (Method::GET, "decisions.jsonl", Some(Role::Viewer)),
    (Method::GET, "decisions.parquet", Some(Role::Viewer)),
    (Method::GET, "readings", Some(Role::Viewer)),
    (Method::GET, "alarms", Some(Role::Viewer)),
    (Method::GET, "config/versions", Some(Role::Viewer)),
    (
        Method::POST,
        "config/versions/4711/restore",
        Some(Role::Installer),
    ),
    (Method::POST, "what-if", Some(Role::Viewer)),
    (Method::GET, "diagnostics", Some(Role::Viewer)),
    (Method::GET, "demo", Some(Role::Viewer)),
    (Method::PATCH, "demo", Some(Role::User)),
    (Method::POST, "demo/cars", Some(Role::User)),
    (Method::GET, "tls", Some(Role::Viewer)),
    (Method::PUT, "tls", Some(Role::Installer)),
    (Method::GET, "/ca.crt", None),
    (Method::GET, "notifications", Some(Role::Installer)),
    (Method::PUT, "notifications", Some(Role::Installer)),
    (Method::POST, "notifications/test", Some(Role::Installer)),
    (Method::POST, "backup", Some(Role::Installer)),
    (Method::POST, "restore", Some(Role::Installer)),
    (Method::GET, "users", Some(Role::Installer)),
    (Method::POST, "users", Some(Role::Installer)),
    (Method::DELETE, "users/x", Some(Role::Installer)),
    (Method::GET, "tokens", Some(Role::Installer)),
    (Method::POST, "tokens", Some(Role::Installer)),
    (Method::DELETE, "tokens/x", Some(Role::Installer)),
    (Method::GET, "/metrics", Some(Role::Viewer)),
    (Method::GET, "/healthz", None),
    (Method::GET, "/readyz", None),
    (Method::GET, "/", None),
];

#[tokio::test]
async fn every_route_asks_for_its_role() {
    let rig = Rig::new().await;
    for (method, path, least) in ROUTES {
        let name = format!("{method} {path}");
        let nobody = rig.call(method.clone(), path).send().await;
        match least {
            Some(_) => assert_eq!(nobody.problem(), (401, "setup_required"), "{name}"),
            None => assert_ne!(nobody.status, 401, "{name}"),
        }
        for (role, secret) in [
            (Role::Viewer, &rig.viewer),
            (Role::User, &rig.user),
            (Role::Installer, &rig.installer),
        ] {
            let answer = rig.call(method.clone(), path).token(secret).send().await;
            let may = least.is_none_or(|least| role >= least);
            if may {
                assert!(
                    ![401, 403].contains(&answer.status.as_u16()),
                    "{name} as {role:?}: {answer:?}"
                );
            } else {
                assert_eq!(answer.problem(), (403, "forbidden"), "{name} as {role:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_must_be_known_and_stands_in_the_header() {
    let rig = Rig::new().await;
    rig.app
        .state
        .create_user("ada", Role::Installer, "hash")
        .await
        .unwrap();
    for authorization in ["Bearer hr_wrong", "Bearer", "Basic YTpi", "Bearer ", ""] {
        let answer = rig
            .call(Method::GET, "status")
            .header("authorization", authorization)
            .send()
            .await;
        assert_eq!(
            answer.problem(),
            (401, "unauthenticated"),
            "{authorization}"
        );
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    let in_url = format!("status?token={0}&access_token={0}", rig.installer);
    assert_eq!(rig.call(Method::GET, &in_url).send().await.status, 401);
    rig.app.state.delete_token("viewer").await.unwrap();
    let revoked = rig
        .call(Method::GET, "status")
        .token(&rig.viewer)
        .send()
        .await;
    assert_eq!(revoked.status, 401);
}

#[tokio::test]
async fn a_house_is_set_up_once_and_then_asks_for_the_password() {
    let rig = Rig::new().await;
    let code = rig.app.state.setup_code().await.unwrap().unwrap();
    let set_up = |code: &str, password: &str| {
        let body = json!({"code": code, "name": "ada", "password": password});
        rig.call(Method::POST, "setup").json(&body).send()
    };
    let early = json!({"name": "ada", "password": PASSWORD});
    let early = rig.call(Method::POST, "login").json(&early).send().await;
    assert_eq!(early.problem(), (401, "setup_required"));
    assert_eq!(
        set_up("AAAA-AAAA", PASSWORD).await.problem(),
        (401, "unauthenticated")
    );
    assert_eq!(
        set_up(&code, "too short").await.field(),
        ("password", "range")
    );
    assert_eq!(
        set_up(&code, &"x".repeat(129)).await.field(),
        ("password", "range")
    );
    assert!(!rig.app.state.is_set_up().await.unwrap());

    let done = set_up(&code, PASSWORD).await;
    assert_eq!(done.status, 201, "{done:?}");
    assert_eq!(done.body["role"], "installer");
    let cookie = done.headers["set-cookie"].to_str().unwrap();
    for part in [
        "headroom_session=hr_",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(set_up(&code, PASSWORD).await.problem(), (409, "exists"));

    let log_in = |name: &str, password: &str| {
        let body = json!({"name": name, "password": password});
        rig.call(Method::POST, "login").json(&body).send()
    };
    for (name, password) in [
        ("ada", "another password"),
        ("eve", PASSWORD),
        ("ada", &"x".repeat(5000)),
    ] {
        assert_eq!(
            log_in(name, password).await.problem(),
            (401, "unauthenticated")
        );
    }
    let session = log_in("ada", PASSWORD).await;
    assert_eq!(session.status, 200, "{session:?}");
    let cookie = session.headers["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let csrf = session.body["csrf"].as_str().unwrap();

    let me = rig
        .call(Method::GET, "session")
        .header("cookie", &cookie)
        .send()
        .await;
    assert_eq!(
        me.body,
        json!({"role": "installer", "name": "ada", "csrf": csrf, "demo": false})
    );
    let out = rig.call(Method::POST, "logout").header("cookie", &cookie);
    let out = out.header("x-csrf-token", csrf).send().await;
    assert_eq!(out.status, 204);
    assert!(
        out.headers["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    let after = rig
        .call(Method::GET, "session")
        .header("cookie", &cookie)
        .send()
        .await;
    assert_eq!(after.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn of_two_set_ups_at_the_same_time_one_succeeds() {
    let rig = Rig::new().await;
    let code = rig.app.state.setup_code().await.unwrap().unwrap();
    let set_up = |name: &str| {
        let body = json!({"code": code, "name": name, "password": PASSWORD});
        rig.call(Method::POST, "setup").json(&body).send()
    };
    let (one, other) = tokio::join!(set_up("ada"), set_up("bob"));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(rig.app.state.users().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_by_cookie_needs_its_csrf_token_and_our_own_page() {
    let rig = Rig::new().await;
    rig.app
        .state
        .create_user("ada", Role::Installer, "hash")
        .await
        .unwrap();
    let session = rig
        .app
        .state
        .begin_session("ada", Timestamp::now())
        .await
        .unwrap();
    let cookie = format!("other=1; headroom_session={}", session.token);
    let csrf = crate::identity::csrf_of_session(&session.token);
    let body = json!({"order": []});
    let change = |headers: &[(&str, &str)]| {
        let call = rig
            .call(Method::PUT, "priorities")
            .header("cookie", &cookie)
            .json(&body);
        headers
            .iter()
            .fold(call, |call, (name, value)| call.header(name, value))
            .send()
    };
    for wrong in [
        &[][..],
        &[("x-csrf-token", "")],
        &[("x-csrf-token", "wrong")],
        &[
            ("x-csrf-token", csrf.as_str()),
            ("origin", "http://evil.example"),
        ],
        &[("x-csrf-token", &csrf), ("origin", "null")],
        &[("x-csrf-token", &csrf), ("sec-fetch-site", "cross-site")],
    ] {
        assert_eq!(change(wrong).await.problem(), (403, "csrf"), "{wrong:?}");
    }
    for right in [
        &[("x-csrf-token", csrf.as_str())][..],
        &[
            ("x-csrf-token", &csrf),
            ("origin", "http://localhost:8080"),
            ("sec-fetch-site", "same-origin"),
        ],
    ] {
        assert_eq!(change(right).await.status, 200, "{right:?}");
    }
    let read = rig
        .call(Method::GET, "status")
        .header("cookie", &cookie)
        .send()
        .await;
    assert_eq!(read.status, 200);
    // A token is never sent by a browser on its own.
    let foreign = rig.installer(Method::PUT, "priorities").json(&body);
    assert_eq!(
        foreign
            .header("origin", "http://evil.example")
            .send()
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_open_demo_is_open_to_its_own_page_only() {
    let rig = Rig::with(|app| app.open_demo = true).await;
    let me = rig.call(Method::GET, "session").send().await;
    assert_eq!(
        (me.body["role"].as_str(), me.body["demo"].as_bool()),
        (Some("installer"), Some(true))
    );
    let body = json!({"order": []});
    let change = || rig.call(Method::PUT, "priorities").json(&body);
    assert_eq!(change().send().await.status, 200);
    let foreign = change()
        .header("origin", "http://evil.example")
        .send()
        .await;
    assert_eq!(foreign.problem(), (403, "csrf"));
    let rebound = change().host("evil.example").send().await;
    assert_eq!(rebound.problem(), (421, "host_not_allowed"));
}

#[tokio::test]
async fn the_public_view_is_for_reading() {
    let rig = Rig::new().await;
    rig.app
        .state
        .create_user("ada", Role::Installer, "hash")
        .await
        .unwrap();
    assert_eq!(
        rig.call(Method::GET, "status").send().await.problem(),
        (401, "unauthenticated")
    );
    let answer = rig
        .do_it(Method::PUT, "site", json!({"public_view": true}))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(rig.call(Method::GET, "status").send().await.status, 200);
    // A viewer may, but not everybody in the network.
    let told = rig.call(Method::GET, "diagnostics").token(&rig.viewer);
    assert_eq!(told.send().await.status, 200);
    assert_eq!(
        rig.call(Method::GET, "diagnostics").send().await.problem(),
        (401, "unauthenticated")
    );
    let me = rig.call(Method::GET, "session").send().await;
    assert_eq!(me.body["role"], "viewer");
    let change = rig
        .call(Method::PUT, "priorities")
        .json(&json!({"order": []}))
        .send()
        .await;
    assert_eq!(change.problem(), (401, "unauthenticated"));
    assert_eq!(
        rig.call(Method::GET, "tokens").send().await.problem(),
        (403, "forbidden")
    );
}

#[tokio::test]
async fn only_hosts_of_our_own_are_answered() {
    let rig = Rig::with(|app| app.host_names.push("Headroom.Example".into())).await;
    for host in [
        "127.0.0.1:8080",
        "[::1]:8080",
        "pi.local",
        "LOCALHOST",
        "headroom.example:8080",
    ] {
        assert_eq!(
            rig.installer(Method::GET, "status")
                .host(host)
                .send()
                .await
                .status,
            200,
            "{host}"
        );
    }
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "user@localhost",
        "",
    ] {
        let answer = rig.installer(Method::GET, "status").host(host).send().await;
        assert_eq!(answer.problem(), (421, "host_not_allowed"), "{host}");
    }
    let two = rig
        .installer(Method::GET, "status")
        .header("host", "evil.example")
        .send()
        .await;
    assert_eq!(two.status, 421);
}

#[tokio::test]
async fn a_name_that_is_not_ours_is_told_how_to_become_ours() {
    let rig = Rig::new().await;
    for (host, name) in [
        ("headroom.example:8080", "--host-name headroom.example "),
        ("user@localhost", "--host-name NAME "),
    ] {
        let answer = rig.installer(Method::GET, "status").host(host).send().await;
        assert_eq!(answer.problem(), (421, "host_not_allowed"));
        assert!(answer.text.contains(name), "{}", answer.text);
        assert!(
            answer.text.contains("HEADROOM_HOST_NAMES"),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn who_has_forgotten_the_password_is_told_what_to_do() {
    let rig = Rig::new().await;
    let made = rig
        .app
        .state
        .create_user("ada", Role::Installer, "hash")
        .await;
    made.unwrap();
    let body = json!({"name": "ada", "password": "not this one"});
    let answer = rig.call(Method::POST, "login").json(&body).send().await;
    assert_eq!(answer.problem(), (401, "unauthenticated"));
    assert!(
        answer.text.contains("`headroom password reset`"),
        "{}",
        answer.text
    );
}

/// Who only wants to read is not told about changes; who wants a change is.
#[tokio::test]
async fn only_changes_are_told_that_nothing_was_changed() {
    let rig = Rig::new().await;
    rig.app
        .state
        .create_user("ada", Role::Installer, "hash")
        .await
        .unwrap();
    let viewer = |method, path| rig.call(method, path).token(&rig.viewer);
    let reads = [
        rig.call(Method::GET, "status"),
        viewer(Method::GET, "tokens"),
        viewer(Method::GET, "setup"),
        viewer(Method::GET, "status/nothing"),
        viewer(Method::GET, "chargers/none"),
        viewer(Method::GET, "chargers?limit=0"),
        viewer(Method::GET, "chargers?cursor=none"),
        viewer(Method::GET, "decisions?code=none"),
        viewer(
            Method::GET,
            "readings?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        ),
        viewer(
            Method::GET,
            "decisions?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        ),
    ];
    for read in reads {
        let answer = read.send().await;
        assert!(answer.problem().0 >= 400);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(!detail.to_lowercase().contains("changed"), "{detail}");
    }
    let changes = [
        rig.call(Method::PUT, "site").json(&json!({})),
        viewer(Method::PUT, "site").json(&json!({})),
        viewer(Method::DELETE, "status"),
        rig.installer(Method::PUT, "site").json(&json!({"fuse": 1})),
    ];
    for change in changes {
        let answer = change.send().await;
        assert!(answer.problem().0 >= 400);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains("Nothing was changed."), "{detail}");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_and_told() {
    let rig = Rig::new().await;
    rig.app.state.setup_code().await.unwrap();
    let guess = || {
        let body = json!({"code": "AAAA-AAAA", "name": "eve", "password": PASSWORD});
        rig.call(Method::POST, "setup").json(&body).send()
    };
    for _ in 0..5 {
        assert_eq!(guess().await.problem(), (401, "unauthenticated"));
    }
    let throttled = guess().await;
    assert_eq!(throttled.problem(), (429, "throttled"));
    assert_eq!(throttled.headers["retry-after"], "1");
}

#[tokio::test]
async fn users_and_tokens_come_and_go() {
    let rig = Rig::new().await;
    let body = json!({"name": "bob", "password": PASSWORD, "role": "user"});
    let made = rig.do_it(Method::POST, "users", body.clone()).await;
    assert_eq!(
        (made.status.as_u16(), made.body["role"].as_str()),
        (201, Some("user"))
    );
    assert!(!made.text.contains(PASSWORD) && !made.text.contains("argon2"));
    assert_eq!(
        rig.do_it(Method::POST, "users", body).await.problem(),
        (409, "exists")
    );
    let bad = json!({"name": "eve", "password": PASSWORD, "role": "root"});
    assert_eq!(
        rig.do_it(Method::POST, "users", bad).await.field(),
        ("role", "unknown")
    );
    let users = rig.read("users").await;
    assert_eq!(users["items"][0]["name"], "bob");
    rig.app
        .state
        .create_user("ada", Role::Installer, "hash")
        .await
        .unwrap();
    let last = rig.installer(Method::DELETE, "users/ada").send().await;
    assert_eq!(last.field(), ("name", "conflict"));
    rig.app.state.delete_user("ada").await.unwrap_err();
    assert_eq!(
        rig.installer(Method::DELETE, "users/bob")
            .send()
            .await
            .status,
        204
    );
    assert_eq!(
        rig.installer(Method::DELETE, "users/bob")
            .send()
            .await
            .problem(),
        (404, "not_found")
    );

    let made = rig
        .do_it(
            Method::POST,
            "tokens",
            json!({"name": "script", "role": "viewer"}),
        )
        .await;
    assert_eq!(made.status, 201);
    let secret = made.body["secret"].as_str().unwrap();
    assert!(made.body["id"].is_number());
    assert_eq!(
        rig.call(Method::GET, "status")
            .token(secret)
            .send()
            .await
            .status,
        200
    );
    assert!(!rig.read("tokens").await.to_string().contains(secret));
    assert_eq!(
        rig.installer(Method::DELETE, "tokens/script")
            .send()
            .await
            .status,
        204
    );
    assert_eq!(
        rig.call(Method::GET, "status")
            .token(secret)
            .send()
            .await
            .status,
        401
    );
    let bad = json!({"name": " x", "role": "viewer"});
    assert_eq!(
        rig.do_it(Method::POST, "tokens", bad).await.field(),
        ("name", "format")
    );
}

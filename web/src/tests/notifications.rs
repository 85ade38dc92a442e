//! Where alarms are sent: secrets go in and never out, and a secret stays with the place that it was written for.

use serde_json::json;

use super::*;

fn all() -> Value {
    json!({"language": "de",
        "webhook": {"url": "https://example.org/hook", "token": "canary-hook"},
        "ntfy": {"url": "https://ntfy.example.org/house", "token": "canary-ntfy"},
        "email": {"host": "mail.example.org", "port": 587, "tls": "starttls", "user": "house",
            "password": "canary-mail", "from": "house@example.org", "to": ["kari@example.org"]}})
}

fn shown() -> Value {
    json!({"language": "de",
        "webhook": {"url": "https://example.org/hook", "token_set": true},
        "ntfy": {"url": "https://ntfy.example.org/house", "token_set": true},
        "email": {"host": "mail.example.org", "port": 587, "tls": "starttls", "user": "house", "password_set": true,
            "from": "house@example.org", "to": ["kari@example.org"]}})
}

#[tokio::test]
async fn secrets_go_in_and_do_not_come_out() {
    let mut rig = Rig::new().await;
    let empty = json!({"language": "en", "webhook": null, "ntfy": null, "email": null});
    assert_eq!(rig.read("notifications").await, empty);
    let put = rig.do_it(Method::PUT, "notifications", all()).await;
    assert_eq!((put.status.as_u16(), &put.body), (200, &shown()));
    assert_eq!(rig.read("notifications").await, shown());
    for path in ["notifications", "config/versions", "diagnostics", "site"] {
        let text = rig.installer(Method::GET, path).send().await.text;
        assert!(!text.contains("canary"), "{path}: {text}");
    }
    assert!(rig.everything().to_string().contains("canary-mail"));
    assert!(
        rig.loop_was_told().is_none(),
        "it is none of the loop's business"
    );
}

#[tokio::test]
async fn what_is_read_can_be_written_and_a_secret_stays_with_its_place() {
    let rig = Rig::new().await;
    rig.do_it(Method::PUT, "notifications", all()).await;
    let secrets = || rig.everything().to_string().matches("canary").count();
    rig.do_it(Method::PUT, "notifications", shown()).await;
    assert_eq!(secrets(), 3, "as it is read, so it stays");
    let mut moved = shown();
    moved["webhook"]["url"] = json!("https://evil.example/hook");
    moved["email"]["to"] = json!(["ola@example.org"]);
    let put = rig.do_it(Method::PUT, "notifications", moved).await;
    assert_eq!(put.body["webhook"]["token_set"], false);
    assert_eq!(put.body["email"]["password_set"], true);
    assert_eq!(secrets(), 2);
    let mut without = shown();
    without["ntfy"]["token"] = Value::Null;
    let put = rig.do_it(Method::PUT, "notifications", without).await;
    assert_eq!(put.body["ntfy"]["token_set"], false);
    let put = rig.do_it(Method::PUT, "notifications", json!({})).await;
    assert_eq!((put.body["email"].clone(), secrets()), (Value::Null, 0));
}

#[tokio::test]
async fn a_version_that_is_put_back_gives_a_secret_to_nobody_else() {
    let rig = Rig::new().await;
    let put = |url: &str, token: &str| {
        let body = json!({"webhook": {"url": url, "token": token}});
        rig.do_it(Method::PUT, "notifications", body)
    };
    put("https://one.example/", "canary-one").await;
    put("https://two.example/", "canary-two").await;
    let restored = rig
        .do_it(Method::POST, "config/versions/1/restore", json!({}))
        .await;
    assert_eq!(restored.status, 201, "{restored:?}");
    let webhook = &rig.read("notifications").await["webhook"];
    assert_eq!(
        *webhook,
        json!({"url": "https://one.example/", "token_set": false})
    );
}

#[tokio::test]
async fn a_viewer_sees_no_address_in_the_versions() {
    let rig = Rig::new().await;
    rig.do_it(Method::PUT, "notifications", all()).await;
    let versions = |secret: &str| {
        let call = rig.call(Method::GET, "config/versions").token(secret);
        call.send()
    };
    assert!(
        versions(&rig.installer)
            .await
            .text
            .contains("example.org/hook")
    );
    let seen = versions(&rig.viewer).await;
    assert!(!seen.text.contains("example.org"), "{}", seen.text);
    assert!(seen.text.contains("notifications.webhook"));
}

#[tokio::test]
async fn what_is_wrong_is_told_by_its_field() {
    let rig = Rig::new().await;
    for (body, field, code) in [
        (json!({"language": "xx"}), "language", "unknown"),
        (
            json!({"webhook": {"url": "example.org"}}),
            "webhook.url",
            "format",
        ),
        (json!({"webhook": {}}), "webhook.url", "required"),
        (json!({"sms": null}), "sms", "unknown"),
        (
            json!({"email": {"host": "a", "port": 70000, "from": "a@b", "to": []}}),
            "email.port",
            "range",
        ),
    ] {
        let answer = rig.do_it(Method::PUT, "notifications", body.clone()).await;
        assert_eq!(answer.field(), (field, code), "{body}");
    }
}

#[tokio::test]
async fn a_test_says_how_it_went() {
    let rig = Rig::new().await;
    let test = |channel: &str| {
        let body = json!({"channel": channel});
        rig.do_it(Method::POST, "notifications/test", body)
    };
    assert_eq!(test("webhook").await.field(), ("channel", "conflict"));
    assert_eq!(test("pigeon").await.field(), ("channel", "unknown"));
    rig.do_it(Method::PUT, "notifications", all()).await;
    let good = test("webhook").await;
    assert_eq!(
        (good.status.as_u16(), &good.body["delivered"]),
        (201, &json!(true))
    );
    let bad = test("email").await;
    assert_eq!(
        (bad.status.as_u16(), &bad.body["delivered"]),
        (201, &json!(false))
    );
    assert!(
        bad.body["text"]
            .as_str()
            .unwrap()
            .contains("nobody is at home")
    );
}

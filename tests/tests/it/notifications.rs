//! Alarms by e-mail, taken by a mail server of others, and shown on the page when that is gone.

use std::time::Duration;

use headroom_tests::{
    api::Api,
    certificates::{LONG, Maker},
    controller::{address, command},
    mail_server::MailServer,
    process::Process,
    wait,
};
use serde_json::json;

const PASSWORD: &str = "canary of the mailbox";

#[test]
fn an_alarm_is_mailed_when_it_begins_and_when_it_ends_and_an_outage_is_on_the_page() {
    let Some(maker) = Maker::new() else { return };
    let identity = maker.sign("localhost", LONG);
    let Some(server) = MailServer::start(&identity, "house", PASSWORD) else {
        return;
    };
    let mut demo = command(&["demo", "--speed", "10", "--listen", "127.0.0.1:0"]);
    demo.env("SSL_CERT_FILE", maker.ca());
    let process = Process::start(&mut demo);
    let api = Api::new(&address(&process));
    let channel = |port: u16, tls: &str| {
        json!({"language": "nb", "email": {"host": "localhost", "port": port, "tls": tls, "user": "house",
            "password": PASSWORD, "from": "house@example.org", "to": ["kari@example.org", "ola@example.org"]}})
    };
    let test = || {
        let told = api.post("notifications/test", &json!({"channel": "email"}));
        told.expect(201).json
    };
    drop(
        api.put("notifications", &channel(server.port, "starttls"))
            .expect(200),
    );
    let told = test();
    assert_eq!(told["delivered"], true, "{told}");
    let mail = server.wait("testmelding", Duration::from_secs(60));
    assert_eq!(mail["to"], json!(["kari@example.org", "ola@example.org"]));
    assert_eq!(
        (
            &mail["from"],
            &mail["sender"],
            &mail["tls"],
            &mail["authenticated"],
            &mail["date"]
        ),
        (
            &json!("house@example.org"),
            &json!("Headroom <house@example.org>"),
            &json!(true),
            &json!(true),
            &json!(true)
        ),
        "{mail}"
    );
    assert!(mail["message_id"].is_string(), "{mail}");

    // What begins and what ends, in their order.
    drop(
        api.patch("demo", &json!({"meter_cable": false}))
            .expect(200),
    );
    let begun = server.wait("Demo house: alarm", Duration::from_secs(60));
    assert!(begun["text"].as_str().unwrap().contains("meter"), "{begun}");
    drop(api.patch("demo", &json!({"meter_cable": true})).expect(200));
    server.wait("alarmen er over", Duration::from_secs(60));

    // It wants TLS: without it nothing is told to it, and in particular no password.
    drop(
        api.put("notifications", &channel(server.port, "none"))
            .expect(200),
    );
    assert_eq!(test()["delivered"], false);
    // Nobody is there any more.
    let port = server.port;
    drop(server);
    drop(
        api.put("notifications", &channel(port, "starttls"))
            .expect(200),
    );
    let told = test();
    assert_eq!(told["delivered"], false, "{told}");
    drop(
        api.patch("demo", &json!({"meter_cable": false}))
            .expect(200),
    );
    let alarm = wait::until(
        "the alarm about the channel",
        Duration::from_secs(60),
        || {
            let status = api.get("status").expect(200).json;
            let alarms = status["alarms"].as_array().unwrap().clone();
            alarms
                .into_iter()
                .find(|it| it["code"] == "notification_failing")
        },
    );
    assert!(
        alarm["text"].as_str().unwrap().contains("email: localhost"),
        "{alarm}"
    );
    drop(api.put("notifications", &json!({})).expect(200));
    wait::until("its end", Duration::from_secs(60), || {
        let status = api.get("status").expect(200).text;
        (!status.contains("notification_failing")).then_some(())
    });
    for line in process.stderr.all() {
        assert!(!line.contains("canary"), "{line}");
    }
}

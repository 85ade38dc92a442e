//! The tests of chargers over HTTP: what the loop is asked, what it answers, and what stays of a proof.

use headroom_core::config::LeaseProof;
use headroom_core::trial::StepKind;
use serde_json::json;

use super::*;
use crate::api::chargers::take_back_proofs;
use crate::{ChargerTest, Measured, TestRefused};

const CHARGER: &str = "chargers/ev1";

async fn rig() -> Rig {
    let mut rig = Rig::new().await;
    for body in [
        json!({"id": "ev1", "driver": {"kind": "ocpp", "charge_point_id": "CP1", "password": "sixteen letters x"}}),
        json!({"id": "ev2", "driver": {"kind": "http", "profile": "openevse", "host": "192.0.2.9"}}),
    ] {
        let made = rig.do_it(Method::POST, "chargers", body).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    while rig.loop_was_told().is_some() {}
    rig
}

fn begun(charger: &str, cut: bool) -> ChargerTest {
    ChargerTest {
        charger: charger.to_owned(),
        state: "running",
        cut,
        started: Timestamp::UNIX_EPOCH,
        ended: None,
        step: 1,
        of: 6,
        kind: StepKind::Limit,
        text: "The test begins.".into(),
        measured: Measured {
            told_a: None,
            reported_a: None,
            lines_a: vec![None; 3],
        },
    }
}

/// A request, and what the loop answers to it.
async fn answered(
    rig: &mut Rig,
    method: Method,
    body: &str,
    answer: impl FnOnce(ControlRequest),
) -> Answer {
    let call = rig
        .installer(method, "chargers/ev1/test")
        .text(body.to_owned());
    let told = &mut rig.told;
    let (reply, ()) = tokio::join!(call.send(), async {
        answer(told.recv().await.unwrap());
    });
    reply
}

#[tokio::test]
async fn a_test_begins_with_the_whole_object() {
    let mut rig = rig().await;
    for (body, wanted) in [("", true), ("{}", true), (r#"{"cut": false}"#, false)] {
        let reply = answered(&mut rig, Method::POST, body, |request| {
            let ControlRequest::Test {
                charger,
                cut,
                answer,
            } = request
            else {
                panic!("{request:?}")
            };
            assert_eq!(cut, wanted);
            answer.send(Ok(begun(&charger, cut))).unwrap();
        })
        .await;
        assert_eq!(reply.status, 201, "{reply:?}");
        let expected = json!({
            "charger": "ev1", "state": "running", "cut": wanted, "started": "1970-01-01T00:00:00.000Z", "ended": null,
            "step": 1, "of": 6, "kind": "limit", "text": "The test begins.",
            "measured": {"told_a": null, "reported_a": null, "lines_a": [null, null, null]},
        });
        assert_eq!(reply.body, expected);
    }
}

#[tokio::test]
async fn a_test_that_cannot_begin_says_why() {
    let mut rig = rig().await;
    let refuse = |refused: TestRefused| {
        move |request| {
            if let ControlRequest::Test { answer, .. } = request {
                answer.send(Err(refused)).unwrap();
            }
        }
    };
    let running = TestRefused::Running("a test runs already".into());
    let reply = answered(&mut rig, Method::POST, "", refuse(running)).await;
    assert_eq!(reply.problem(), (409, "exists"));
    assert_eq!(reply.body["detail"], "A test runs already.");
    let observe = TestRefused::Impossible {
        field: "test",
        why: "in observe mode nothing is commanded".into(),
    };
    let reply = answered(&mut rig, Method::POST, "", refuse(observe)).await;
    assert_eq!(reply.field(), ("test", "conflict"));
    assert!(reply.text.contains("observe mode"), "{reply:?}");

    for (path, body, status) in [
        ("chargers/nobody/test", json!({}), 404),
        ("chargers/ev1/test", json!({"cut": 1}), 422),
        ("chargers/ev1/test", json!({"cutt": true}), 422),
    ] {
        let reply = rig.do_it(Method::POST, path, body.clone()).await;
        assert_eq!(reply.status, status, "{path} {body}: {reply:?}");
    }
    for role in [&rig.viewer, &rig.user] {
        let call = rig.call(Method::POST, "chargers/ev1/test").token(role);
        assert_eq!(call.send().await.problem(), (403, "forbidden"));
    }
    assert!(rig.loop_was_told().is_none());
}

#[tokio::test]
async fn a_running_test_can_be_ended() {
    let mut rig = rig().await;
    for (runs, status) in [(true, 204), (false, 404)] {
        let reply = answered(&mut rig, Method::DELETE, "", |request| {
            let ControlRequest::EndTest { charger, answer } = request else {
                panic!("{request:?}")
            };
            assert_eq!(charger, "ev1");
            answer.send(runs).unwrap();
        })
        .await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
    // A loop that is gone is told, and not waited for.
    let reply = answered(&mut rig, Method::DELETE, "", drop).await;
    assert_eq!(reply.problem(), (503, "unavailable"));
}

#[tokio::test]
async fn the_last_report_is_there_until_the_charger_goes() {
    let rig = rig().await;
    let path = "chargers/ev1/report";
    let reply = rig.installer(Method::GET, path).send().await;
    assert_eq!(reply.problem(), (404, "not_found"));
    let now = Timestamp::UNIX_EPOCH;
    for body in [r#"{"result": "failed"}"#, r#"{"result": "passed"}"#] {
        let state = &rig.app.state;
        state.keep_report("ev1", now, "passed", body).await.unwrap();
    }
    let reply = rig.call(Method::GET, path).token(&rig.viewer).send().await;
    assert_eq!(
        (reply.status.as_u16(), &reply.body),
        (200, &json!({"result": "passed"}))
    );

    let gone = rig.installer(Method::DELETE, CHARGER).send().await;
    assert_eq!(gone.status, 204);
    let reply = rig.installer(Method::GET, path).send().await;
    assert_eq!(reply.problem(), (404, "not_found"));
    let again = json!({"id": "ev1", "driver": {"kind": "ocpp", "charge_point_id": "CP7"}});
    assert_eq!(rig.do_it(Method::POST, "chargers", again).await.status, 201);
    let reply = rig.installer(Method::GET, path).send().await;
    assert_eq!(reply.problem(), (404, "not_found"), "it is another one");
}

#[tokio::test]
async fn the_last_report_of_each_charger_is_listed_and_no_other() {
    let rig = rig().await;
    let listed = async || rig.read("reports").await["items"].clone();
    assert_eq!(listed().await, json!([]));
    let now = Timestamp::UNIX_EPOCH;
    let [first, last] = ["failed", "aborted"].map(|it| json!({"charger": "ev1", "result": it}));
    // Of a charger that is not there any more something may have been left.
    let gone = json!({"charger": "ev9", "result": "passed"});
    for (charger, report) in [("ev1", &first), ("ev1", &last), ("ev9", &gone)] {
        let (result, body) = (report["result"].as_str().unwrap(), report.to_string());
        let state = &rig.app.state;
        state
            .keep_report(charger, now, result, &body)
            .await
            .unwrap();
    }
    assert_eq!(listed().await, json!([last]));
}

#[tokio::test]
async fn a_proof_is_given_by_no_request_and_taken_back_by_what_makes_it_void() {
    let rig = rig().await;
    let prove = async || {
        let mut edit = rig.app.state.edit().await;
        edit.house.config.chargers[0].lease = LeaseProof::Proven;
        edit.commit("test", "charger ev1").await.unwrap();
    };
    let ocpp =
        |id: &str| json!({"kind": "ocpp", "charge_point_id": id, "password": "sixteen letters x"});
    for (body, lease) in [
        (json!({"name": "Garage"}), "proven"),
        (json!({"max_current_a": 10}), "proven"),
        (json!({"safe_current_a": 6}), "claimed"),
        (json!({"lease_s": 60}), "claimed"),
        (json!({"driver": ocpp("CP3")}), "claimed"),
        (json!({"lease": "none"}), "none"),
    ] {
        prove().await;
        let reply = rig.do_it(Method::PATCH, CHARGER, body.clone()).await;
        assert_eq!(reply.status, 200, "{body}: {reply:?}");
        assert_eq!(reply.body["lease"], lease, "{body}");
    }
    let reply = rig
        .do_it(Method::PATCH, CHARGER, json!({"lease": "proven"}))
        .await;
    assert_eq!(reply.field(), ("lease", "conflict"));
    prove().await;
    // Nor is it kept by naming it beside what makes it void.
    let body = json!({"lease": "proven", "driver": ocpp("CP4")});
    let reply = rig.do_it(Method::PATCH, CHARGER, body).await;
    assert_eq!(reply.field(), ("lease", "conflict"));
}

#[tokio::test]
async fn what_a_test_does_is_told_as_it_happens() {
    let rig = rig().await;
    let call = rig.call(Method::GET, "events").token(&rig.viewer);
    let response = call.respond().await;
    let mut stream = response.into_body().into_data_stream();
    let event = ServerEvent::Test(Arc::new(begun("ev1", true)));
    rig.app.events.send(event).unwrap();
    let mut text = String::new();
    while !text.contains("event: test") || !text.ends_with("\n\n") {
        use futures_util::StreamExt;
        let bytes = stream.next().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&bytes).unwrap());
    }
    assert!(
        text.contains(r#""charger":"ev1","state":"running""#),
        "{text}"
    );
}

#[tokio::test]
async fn a_whole_configuration_proves_nothing_either() {
    let rig = rig().await;
    let before = (*rig.app.state.house()).clone();
    let mut proven = before.clone();
    proven.config.chargers[0].lease = LeaseProof::Proven;
    let mut wanted = proven.clone();
    take_back_proofs(&mut wanted, &before);
    assert_eq!(wanted, before);
    // What was proven stays so, unless something else is promised.
    let mut wanted = proven.clone();
    take_back_proofs(&mut wanted, &proven);
    assert_eq!(wanted, proven);
    wanted.config.chargers[0].lease_s += 1;
    take_back_proofs(&mut wanted, &proven);
    assert_eq!(wanted.config.chargers[0].lease, LeaseProof::Claimed);
}

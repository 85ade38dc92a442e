//! A charge point of the demo against a tiny central system on a real websocket, at sixty times the speed.

use headroom_sim::{House, demo::house};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use super::*;
use crate::clock::Clock;

/// Real time for a whole test; a simulated minute takes a second.
const TEST_LIMIT: Duration = Duration::from_secs(20);

/// The simulated time of day.
fn wall(plant: &Plant) -> Timestamp {
    plant.wall_at(plant.now_ms())
}

/// Accepts one connection; gives what the charge point sent as path and authorisation.
async fn accept(listener: &TcpListener) -> (Socket, String, String) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut seen = (String::new(), String::new());
    #[expect(clippy::result_large_err, reason = "the type that the library wants")]
    let check = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        let header = |name| {
            request
                .headers()
                .get(name)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(header(header::SEC_WEBSOCKET_PROTOCOL), "ocpp1.6");
        seen = (
            request.uri().path().to_owned(),
            header(header::AUTHORIZATION),
        );
        let chosen = HeaderValue::from_static("ocpp1.6");
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
        Ok(response)
    };
    let socket = tokio_tungstenite::accept_hdr_async(stream, check)
        .await
        .unwrap();
    (socket, seen.0, seen.1)
}

/// The next call, answered. Answers to our own calls are skipped.
async fn serve(socket: &mut Socket, plant: &Plant) -> (String, Value) {
    loop {
        let message = socket.next().await.unwrap().unwrap();
        let Message::Text(text) = message else {
            continue;
        };
        let frame: Vec<Value> = serde_json::from_str(&text).unwrap();
        let [kind, id, action, payload] = frame.as_slice() else {
            continue;
        };
        if *kind != 2 {
            continue;
        }
        let time = wall(plant).to_string();
        let answer = match action.as_str().unwrap() {
            "BootNotification" => {
                json!({"status": "Accepted", "interval": 60, "currentTime": time})
            }
            "StartTransaction" => json!({"transactionId": 99, "idTagInfo": {"status": "Accepted"}}),
            "Heartbeat" => json!({"currentTime": time}),
            _ => json!({}),
        };
        send(socket, &json!([3, id, answer])).await.unwrap();
        return (action.as_str().unwrap().to_owned(), payload.clone());
    }
}

/// Serves until meter values show this current on the first terminal.
async fn until_amps(socket: &mut Socket, plant: &Plant, fits: impl Fn(f64) -> bool) {
    loop {
        let (action, payload) = serve(socket, plant).await;
        if action == "MeterValues" {
            let values = payload["meterValue"][0]["sampledValue"].as_array().unwrap();
            let current = values
                .iter()
                .find(|value| value["measurand"] == "Current.Import")
                .unwrap();
            if fits(current["value"].as_str().unwrap().parse().unwrap()) {
                return;
            }
        }
    }
}

fn profile(start: Timestamp, amps: f64, lease_s: u32) -> Value {
    json!([2, "set", "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": {
        "chargingProfileId": 7, "stackLevel": 1, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute", "chargingSchedule": {
            "startSchedule": start.to_string(), "chargingRateUnit": "A", "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": amps}, {"startPeriod": lease_s, "limit": 0.0}]}}}])
}

/// A house whose time runs, a central system's listener, and a charge point that connects to it.
async fn set_up() -> (Plant, TcpListener, tokio::task::JoinSet<()>) {
    let plant = Plant::new(House::new(house(), 1), Clock::new(60.0, 0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    let (samples, _) = tokio::sync::mpsc::channel(1);
    tasks.spawn(plant.clone().run(samples));
    let address = listener.local_addr().unwrap();
    tasks.spawn(Station::new(plant.clone(), "ev1", "secret", address).run());
    (plant, listener, tasks)
}

#[tokio::test]
async fn the_car_follows_what_the_central_system_says_until_the_lease_runs_out() {
    let test = async {
        let (plant, listener, _tasks) = set_up().await;
        let (mut socket, path, authorisation) = accept(&listener).await;
        assert_eq!(path, "/ev1");
        assert_eq!(
            authorisation,
            format!("Basic {}", STANDARD.encode("ev1:secret"))
        );
        assert_eq!(serve(&mut socket, &plant).await.0, "BootNotification");
        while serve(&mut socket, &plant).await.0 != "StartTransaction" {}
        send(&mut socket, &profile(wall(&plant), 10.0, 60))
            .await
            .unwrap();
        until_amps(&mut socket, &plant, |amps| (amps - 10.0).abs() < 0.05).await;
        until_amps(&mut socket, &plant, |amps| amps < 0.05).await;
        let offered = plant.with(|house| house.charge_points()[0].readings().offered_a);
        assert!(
            offered.abs() < 1e-9,
            "the lease has run out in the charge point itself"
        );
    };
    tokio::time::timeout(TEST_LIMIT, test).await.unwrap();
}

#[tokio::test]
async fn it_comes_back_after_a_lost_connection_and_a_cut_network() {
    let test = async {
        let (plant, listener, _tasks) = set_up().await;
        let (mut socket, ..) = accept(&listener).await;
        while serve(&mut socket, &plant).await.0 != "StartTransaction" {}
        drop(socket);
        let (mut socket, ..) = accept(&listener).await;
        assert_eq!(serve(&mut socket, &plant).await.0, "BootNotification");
        // The session goes on: it is not started twice.
        for _ in 0..5 {
            assert_ne!(serve(&mut socket, &plant).await.0, "StartTransaction");
        }
        let network = |up| plant.with(|house| house.charge_point("ev1").unwrap().set_network(up));
        network(false);
        while let Some(Ok(_)) = socket.next().await {}
        network(true);
        accept(&listener).await;
    };
    tokio::time::timeout(TEST_LIMIT, test).await.unwrap();
}

#[tokio::test]
async fn it_answers_while_its_own_call_waits() {
    let test = async {
        let (plant, listener, _tasks) = set_up().await;
        let (mut socket, ..) = accept(&listener).await;
        // Its boot is not answered; our call is.
        send(&mut socket, &json!([2, "q", "GetConfiguration", {}]))
            .await
            .unwrap();
        send(&mut socket, &json!([2, "x", "Sing", {}]))
            .await
            .unwrap();
        let mut answers = Vec::new();
        while answers.len() < 2 {
            if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
                let frame: Vec<Value> = serde_json::from_str(&text).unwrap();
                if frame[0] != 2 {
                    answers.push((frame[0].clone(), frame[1].clone()));
                }
            }
        }
        assert_eq!(answers, [(json!(3), json!("q")), (json!(4), json!("x"))]);
        drop(plant);
    };
    tokio::time::timeout(TEST_LIMIT, test).await.unwrap();
}

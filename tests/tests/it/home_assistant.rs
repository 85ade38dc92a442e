//! Home Assistant as the judge: its real core, headless, of the profile that drives it, with a number and a switch as the
//! charger, and of the search of the network, beside its own. An optional step: it is skipped where Home Assistant is not
//! installed.

use std::{
    collections::BTreeMap,
    env,
    time::{Duration, Instant},
};

use headroom_tests::{
    controller::{Controller, command, free_port},
    house::House,
    http_meter::HttpMeter,
    network_meter,
    peer::Peer,
    process::Process,
    pty::MeterPort,
    telegram::Values,
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(60);
/// The first three numbers of the addresses of a network of this machine alone, which has .11 to .16. `./check` makes it.
const HOUSE_NETWORK: &str = "HEADROOM_HOUSE_NETWORK";

#[test]
fn a_charger_of_home_assistant_is_lowered_paused_and_given_back() {
    let dir = TempDir::new().unwrap();
    let port = free_port();
    let Some((peer, token)) = Peer::home_assistant(port, &dir.path().join("home-assistant"), &[])
    else {
        return;
    };
    let meter = MeterPort::new(&dir.path().join("meter"));
    let controller = Controller::start(&dir.path().join("data"), Some(&meter.source()));
    let tuning = json!({"raise_after_s": 2, "restart_after_s": 3, "hold_s": 3, "lost_after_s": 12, "frozen_after_s": 60});
    controller.configure_site(25.0, &tuning);
    let house = House::new(meter);
    house.background([2, 1, 3]);
    house.add(peer.draw(), &[0, 1, 2]);
    let charger = json!({
        "id": "ev1", "max_current_a": 16, "min_current_a": 6, "phases": ["l1", "l2", "l3"], "safe_current_a": 0, "lease": "none",
        "driver": {"kind": "http", "profile": "home-assistant-charger", "host": format!("127.0.0.1:{port}"), "password": token,
            "params": {"limit_entity": "input_number.limit", "switch_entity": "input_boolean.charge",
                "number_domain": "input_number", "switch_domain": "input_boolean",
                "current_l1": "input_number.l1", "current_l2": "input_number.l2", "current_l3": "input_number.l3"}},
    });
    let mark = peer.mark();
    let made = controller.api.post("chargers", &charger).expect(201).json;
    assert!(!made.to_string().contains(&token));
    peer.wait_current(mark, SOON, 16.0..=16.0);
    controller.wait_status("its own word of it", SOON, |status| {
        let load = &status["loads"][0];
        (load["measured_a"][2] == 16.0 && load["acknowledged_a"] == 16.0).then_some(())
    });

    // A cooker on L2: 14 A and 16 A are more than 25 A.
    let mark = peer.mark();
    house.background([1, 14, 1]);
    let begun = Instant::now();
    peer.wait_current(mark, SOON, 6.0..=11.0);
    println!(
        "benchmark: overload to a charger of Home Assistant at its new current: {:?}",
        begun.elapsed()
    );
    house.wait_relieved(1, 25_300);

    // Less than 6 A is left: it is switched off.
    let mark = peer.mark();
    house.background([1, 22, 1]);
    let begun = Instant::now();
    peer.wait("off", mark, SOON, |line| {
        (line["on"] == false && line["current_a"][0] == 0.0).then_some(())
    });
    println!(
        "benchmark: overload to a switched off charger of Home Assistant: {:?}",
        begun.elapsed()
    );
    let mark = peer.mark();
    house.background([1, 1, 1]);
    peer.wait_current(mark, SOON, 16.0..=16.0);

    // Its answer to a call that does nothing is 200 all the same: what counts is what is read back.
    let can =
        controller.api.get("diagnostics").expect(200).json["chargers"][0]["capabilities"].clone();
    assert_eq!(
        (&can["limits"], &can["lease"]),
        (&json!("proven"), &json!("not_there")),
        "{can}"
    );
}

/// The devices that stand in the house, by the last number of their address.
fn devices(network: &str) -> Value {
    let device = |number: u8, kind: &str, name: &str, properties: Value| json!({"type": kind, "name": name, "address": format!("{network}.{number}"), "properties": properties});
    let homewizard = |product: &str, name: &str, serial: &str| json!({"api_enabled": "1", "path": "/api/v1", "serial": serial, "product_name": name, "product_type": product});
    json!([
        device(
            11,
            "_shelly._tcp",
            "shellyplus1-0000000000a1",
            json!({"gen": "2", "app": "Plus1", "ver": "1.4.4"})
        ),
        device(
            12,
            "_http._tcp",
            "shelly1-0000000000B2",
            json!({"id": "shelly1-0000000000B2"})
        ),
        device(
            13,
            "_shelly._tcp",
            "shellypro3em-0000000000c3",
            json!({"gen": "2", "app": "Pro3EM", "ver": "1.4.4"})
        ),
        device(
            14,
            "_hwenergy._tcp",
            "p1meter-0000D4",
            homewizard("HWE-P1", "P1 meter", "0000000000d4")
        ),
        device(
            15,
            "_hwenergy._tcp",
            "energysocket-0000E5",
            homewizard("HWE-SKT", "Energy Socket", "0000000000e5")
        ),
        device(
            16,
            "_http._tcp",
            "PBLR-0000645",
            json!({"sn": "00-0000-0F6", "pn": "6004-2300-7501"})
        ),
        device(11, "_http._tcp", "printer of the office", json!({})),
    ])
}

/// The Shellys ask for a password, so that Home Assistant offers them by their first page alone.
fn shelly(network: &str, number: u8, page: &Value) -> HttpMeter {
    let device = HttpMeter::start_at(&format!("{network}.{number}:80"));
    device.json("/shelly", page);
    device
}

/// What Headroom lists, by name.
fn listed(controller: &Controller) -> BTreeMap<String, Value> {
    let found = controller.api.get("discovery").expect(200).json;
    let items = found["items"].as_array().unwrap().iter();
    items
        .map(|item| (item["name"].as_str().unwrap().to_owned(), item.clone()))
        .collect()
}

/// What Home Assistant offers to set up, by name.
fn offered(peer: &mut Peer) -> BTreeMap<String, Value> {
    let mark = peer.mark();
    peer.tell("found");
    let devices = peer.wait("what it found", mark, SOON, |line| {
        (line["event"] == "found").then(|| line["devices"].clone())
    });
    let devices = devices.as_array().unwrap().iter();
    devices
        .map(|device| (device["name"].as_str().unwrap().to_owned(), device.clone()))
        .collect()
}

#[test]
fn what_home_assistant_finds_in_the_network_headroom_finds() {
    let Ok(network) = env::var(HOUSE_NETWORK) else {
        let wanted = env::var("HEADROOM_HOME_ASSISTANT").as_deref() == Ok("1");
        assert!(!wanted, "there is no {HOUSE_NETWORK}");
        println!(
            "skipped: no {HOUSE_NETWORK}; HEADROOM_HOME_ASSISTANT=1 ./check makes a network of its own"
        );
        return;
    };
    let dir = TempDir::new().unwrap();
    let Some((mut peer, _)) = Peer::home_assistant(
        free_port(),
        &dir.path().join("home-assistant"),
        &["--zeroconf"],
    ) else {
        return;
    };
    let values = Values::default();
    let second_generation = |model: &str, mac: &str| {
        json!({"name": null, "id": mac, "mac": mac, "model": model, "gen": 2, "fw_id": "20260101-000000/1.4.4-g0000000",
            "ver": "1.4.4", "app": "", "auth_en": true, "auth_domain": mac})
    };
    let first_generation = json!({"type": "SHSW-1", "mac": "0000000000B2", "auth": true, "fw": "20230913-112003/v1.14.0-gcb84623", "discoverable": true});
    let _shellys = [
        shelly(
            &network,
            11,
            &second_generation("SNSW-001X16EU", "0000000000A1"),
        ),
        shelly(&network, 12, &first_generation),
        shelly(
            &network,
            13,
            &second_generation("SPEM-003CEBEU", "0000000000C3"),
        ),
    ];
    let p1 = HttpMeter::start_at(&format!("{network}.14:80"));
    network_meter::set_homewizard_p1(&p1, &values, 10);
    let controller = Controller::start(&dir.path().join("data"), None);
    assert!(listed(&controller).is_empty(), "nothing is there yet");

    let begun = Instant::now();
    let devices = devices(&network);
    let _announcer = Peer::announcer(&devices).unwrap();
    let ours = wait::until("Headroom to find them", SOON, || {
        let ours = listed(&controller);
        (ours.len() >= 5).then_some(ours)
    });
    println!(
        "benchmark: five devices announced to listed: {:?}",
        begun.elapsed()
    );
    let theirs = wait::until("Home Assistant to find them", SOON, || {
        let theirs = offered(&mut peer);
        (theirs.len() >= 6).then_some(theirs)
    });

    // Each device that Home Assistant offers Headroom lists, at the address that was announced, but for the one that is
    // neither a charger nor a relay that it drives nor a meter of a house. Neither lists the printer.
    let mut names: Vec<_> = theirs.keys().map(String::as_str).collect();
    names.retain(|name| *name != "energysocket-0000E5");
    assert_eq!(names, ours.keys().map(String::as_str).collect::<Vec<_>>());
    for (name, ours) in &ours {
        let mut announced = devices.as_array().unwrap().iter();
        let announced = announced
            .find(|device| device["name"] == name.as_str())
            .unwrap();
        assert_eq!(ours["host"], announced["address"], "{name}");
        if let Some(url) = theirs[name]["url"].as_str() {
            assert_eq!(
                url,
                format!("http://{}", ours["host"].as_str().unwrap()),
                "{name}"
            );
        }
    }
    let kinds = |name: &str| (ours[name]["kind"].clone(), theirs[name]["handler"].clone());
    for (name, kind, handler) in [
        ("shellyplus1-0000000000a1", "relay", "shelly"),
        ("shelly1-0000000000B2", "relay", "shelly"),
        ("shellypro3em-0000000000c3", "meter", "shelly"),
        ("p1meter-0000D4", "meter", "homewizard"),
        ("PBLR-0000645", "charger", "peblar"),
    ] {
        assert_eq!(kinds(name), (json!(kind), json!(handler)), "{name}");
    }

    // Both take the meter as it was found, and read the same of it.
    let mark = peer.mark();
    peer.tell("confirm p1meter-0000D4");
    peer.wait("the meter set up", mark, SOON, |line| {
        (line["event"] == "confirmed").then(|| assert_eq!(line["result"], "create_entry"))
    });
    let power_w = wait::until("its power", SOON, || {
        let mark = peer.mark();
        peer.tell("state sensor.p1_meter_power");
        let state = peer.wait("a state", mark, SOON, |line| {
            (line["event"] == "state").then(|| line["state"].clone())
        });
        state.as_str()?.parse::<f64>().ok()
    });
    let source = ours["p1meter-0000D4"]["source"].as_str().unwrap();
    let reader = Process::start(&mut command(&["listen", source]));
    let reading = reader
        .stdout
        .find(0, SOON, |line| serde_json::from_str::<Value>(line).ok());
    assert_eq!(reading.unwrap()["import_w"], power_w);
    let meter = controller.api.put("meter", &json!({"source": source}));
    assert_eq!(meter.status, 200, "{}", meter.text);
    controller.wait_status("the currents", SOON, |status| {
        let phases = status["phases"].as_array()?.iter();
        let measured: Vec<_> = phases.map(|phase| phase["measured_a"].as_f64()).collect();
        (measured == [4.3, 5.1, 3.9].map(Some)).then_some(())
    });

    // What was found later is none of ours either; what is set up is offered no more.
    let later = listed(&controller);
    assert!(later.keys().eq(ours.keys()), "{later:?}");
    assert_eq!(later["p1meter-0000D4"]["already_configured"], true);
    let left = offered(&mut peer);
    let expected = theirs.keys().filter(|name| *name != "p1meter-0000D4");
    assert!(left.keys().eq(expected), "{left:?}");
}

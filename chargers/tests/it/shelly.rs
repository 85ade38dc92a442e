//! Slow loads behind relays.

use headroom_chargers::DeviceEvent;
use headroom_core::{event::Outcome, units::Watts};

use crate::{
    house::{House, slow_load},
    relay::{Mood, RunningRelay},
};

#[tokio::test]
async fn on_is_a_lease_and_off_is_plain() {
    for password in [None, Some("p\"a:ss")] {
        let mut relay = RunningRelay::start(password).await;
        let mut house = House::start().await;
        house
            .devices
            .configure(&[], &[slow_load("heater", &relay.host, password)], true);
        house
            .slow_load(|report| report.connected && report.on == Some(false))
            .await;

        house.switch(1, "heater", true);
        assert_eq!(house.outcome().await, (1, Outcome::Accepted));
        assert_eq!(
            relay.calls.recv().await.unwrap(),
            "id=0&on=true&toggle_after=90"
        );
        let report = house.slow_load(|report| report.on == Some(true)).await;
        assert_eq!(report.power_w, Some(Watts(1950)));

        house.switch(2, "heater", true);
        assert_eq!(
            house.outcome().await,
            (2, Outcome::Accepted),
            "a renewal is sent again"
        );
        assert_eq!(
            relay.calls.recv().await.unwrap(),
            "id=0&on=true&toggle_after=90"
        );

        house.switch(3, "heater", false);
        assert_eq!(house.outcome().await, (3, Outcome::Accepted));
        assert_eq!(relay.calls.recv().await.unwrap(), "id=0&on=false");
        house.slow_load(|report| report.on == Some(false)).await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_a_refusal_and_a_lost_link() {
    let relay = RunningRelay::start(Some("right")).await;
    for password in [None, Some("wrong")] {
        let mut house = House::start().await;
        house
            .devices
            .configure(&[], &[slow_load("heater", &relay.host, password)], true);
        house.slow_load(|report| !report.connected).await;
        house.switch(1, "heater", true);
        assert_eq!(house.outcome().await, (1, Outcome::Rejected));
    }
}

#[tokio::test]
async fn bad_answers_are_refusals() {
    let relay = RunningRelay::start(None).await;
    let mut house = House::start().await;
    house
        .devices
        .configure(&[], &[slow_load("heater", &relay.host, None)], true);
    let mut command = 0;
    for mood in [Mood::Refusing, Mood::Redirecting, Mood::Huge] {
        relay.mood(mood);
        command += 1;
        house.switch(command, "heater", true);
        assert_eq!(
            house.outcome().await,
            (command, Outcome::Rejected),
            "{mood:?}"
        );
    }
    relay.mood(Mood::Good);
    house.slow_load(|report| report.connected).await;
}

#[tokio::test]
async fn a_dead_relay_is_a_time_out_and_a_lost_link_and_holds_up_nobody() {
    let dead = RunningRelay::start(None).await;
    let good = RunningRelay::start(None).await;
    dead.mood(Mood::Silent);
    let mut house = House::start().await;
    let loads = [
        slow_load("dead", &dead.host, None),
        slow_load("good", &good.host, None),
    ];
    house.devices.configure(&[], &loads, true);
    house.switch(1, "dead", true);
    house.switch(2, "good", true);
    assert_eq!(house.outcome().await, (2, Outcome::Accepted));
    assert_eq!(house.outcome().await, (1, Outcome::Timeout));
    good.stop();
    house
        .slow_load(|report| report.id == "dead" && !report.connected)
        .await;
}

#[tokio::test]
async fn a_removed_or_strange_load_is_a_time_out() {
    let relay = RunningRelay::start(None).await;
    let mut house = House::start().await;
    let load = slow_load("heater", &relay.host, None);
    house
        .devices
        .configure(&[], &[load, slow_load("odd", "not a host", None)], true);
    house.slow_load(|report| report.connected).await;
    house.switch(1, "odd", true);
    assert_eq!(house.outcome().await, (1, Outcome::Timeout));
    house.devices.configure(&[], &[], true);
    house.switch(2, "heater", true);
    assert_eq!(house.outcome().await, (2, Outcome::Timeout));
    house.so_far();
    house.switch(3, "heater", true);
    assert!(
        matches!(house.event().await, DeviceEvent::Outcome { command: 3, .. }),
        "no more polls"
    );
}

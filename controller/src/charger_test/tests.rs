//! What follows from a test, and that nothing follows where it should not.

use headroom_core::Milliamps;
use headroom_core::config::LeaseProof;
use headroom_core::units::Phase;
use serde_json::json;

use super::*;

fn charger() -> Charger {
    let driver = json!({"kind": "ocpp", "charge_point_id": "CP1"});
    let charger = json!({"id": "ev1", "driver": driver, "phases": ["l1", "l2", "l3"]});
    serde_json::from_value(charger).unwrap()
}

async fn state(charger: &Charger) -> (tempfile::TempDir, StateDb) {
    let directory = tempfile::tempdir().unwrap();
    let state = StateDb::open(directory.path()).await.unwrap();
    let mut edit = state.edit().await;
    edit.house.config.chargers.push(charger.clone());
    edit.commit("test", "charger ev1").await.unwrap();
    drop(edit);
    (directory, state)
}

#[tokio::test]
async fn what_follows_from_a_test_is_stored_and_told() {
    let charger = charger();
    let (_directory, state) = state(&charger).await;
    let (requests, mut told) = mpsc::channel(1);
    let limits = Limits {
        lease: Some(LeaseProof::None),
        min_current_a: Some(Milliamps::from_amps(9)),
        phases_unknown: true,
    };
    apply(&state, &requests, &charger, &limits).await.unwrap();
    let stored = state.house().config.chargers[0].clone();
    assert_eq!(stored.lease, LeaseProof::None);
    assert_eq!(stored.min_current_a, Milliamps::from_amps(9));
    assert_eq!(stored.phases, None);
    let Some(ControlRequest::Configure(config, _)) = told.recv().await else {
        panic!("the loop is told")
    };
    assert_eq!(config.chargers, [stored]);
}

#[tokio::test]
async fn nothing_follows_for_a_charger_that_was_configured_otherwise_meanwhile() {
    let now = charger();
    let (_directory, state) = state(&now).await;
    let (requests, mut told) = mpsc::channel(1);
    let limits = Limits {
        lease: Some(LeaseProof::Proven),
        ..Limits::default()
    };
    for change in [
        (|it: &mut Charger| it.driver = None) as fn(&mut Charger),
        |it| it.lease_s = 60,
        |it| it.safe_current_a = Milliamps::from_amps(6),
        |it| it.id.push('2'),
    ] {
        let mut tested = now.clone();
        change(&mut tested);
        apply(&state, &requests, &tested, &limits).await.unwrap();
        assert_eq!(state.house().config.chargers, std::slice::from_ref(&now));
    }
    assert!(told.try_recv().is_err());
    let mut tested = now.clone();
    tested.phases = Some(vec![Phase::L2]);
    apply(&state, &requests, &tested, &limits).await.unwrap();
    let lease = state.house().config.chargers[0].lease;
    assert_eq!(
        lease,
        LeaseProof::Proven,
        "other changes are no matter of the lease"
    );
}

//! What a change may not bring in: values that the engine can bear, and that nobody can mean.
//!
//! Only what is new is looked at. What an older version took stays in force, so that it stands in the way of no other
//! change.

use std::collections::BTreeMap;

use headroom_core::config::{Circuit, Driver, Grid, Meter};
use headroom_core::login::hide_password;
use headroom_core::units::Phase;
use headroom_core::validate::FieldError;
use headroom_store::House;

/// What in `house` cannot be meant and was not in `before`. `check_meter` tells what is wrong with a meter; its fields begin
/// with `meter.`.
pub(crate) fn implausible(
    house: &House,
    before: &House,
    check_meter: &dyn Fn(&Meter) -> Vec<FieldError>,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    site(house, before, &mut errors);
    circuit_meters(house, before, check_meter, &mut errors);
    between_lines(house, before, &mut errors);
    same_devices(house, before, &mut errors);
    errors
}

fn push(errors: &mut Vec<FieldError>, field: String, code: &'static str, message: String) {
    errors.push(FieldError {
        field,
        code,
        message,
    });
}

fn site(house: &House, before: &House, errors: &mut Vec<FieldError>) {
    let (site, before) = (&house.config.site, &before.config.site);
    if site.name.trim().is_empty() && site.name != before.name {
        let message = "must not be blank: it stands in messages, and tells houses apart";
        push(errors, "site.name".into(), "format", message.into());
    }
    let tuning = &site.tuning;
    if let Some(stale) = tuning.stale_after_s
        && stale > tuning.lost_after_s
        && *tuning != before.tuning
    {
        let message = format!(
            "must not be above lost_after_s ({} s): a reading is stale first, and lost later",
            tuning.lost_after_s
        );
        push(
            errors,
            "site.tuning.stale_after_s".into(),
            "conflict",
            message,
        );
    }
    let rating = site.main_fuse.rating_a.per_phase();
    let highest = Phase::ALL.map(|phase| rating.get(phase)).into_iter().max();
    let fuse_as_before = site.main_fuse == before.main_fuse;
    if let (Some(step), Some(highest)) = (site.largest_step_a, highest)
        && step > highest
        && !(fuse_as_before && site.largest_step_a == before.largest_step_a)
    {
        let message = format!(
            "must not be above the main fuse's {highest}, which no fuse bears as a step; leave it null, and it is learnt"
        );
        push(errors, "site.largest_step_a".into(), "range", message);
    }
}

fn circuit_meters(
    house: &House,
    before: &House,
    check_meter: &dyn Fn(&Meter) -> Vec<FieldError>,
    errors: &mut Vec<FieldError>,
) {
    let known = &before.config.site.circuits;
    for circuit in &house.config.site.circuits {
        let Some(source) = &circuit.meter else {
            continue;
        };
        let field = format!("site.circuits.{}.meter", circuit.id);
        if known.iter().any(|it| it.meter.as_ref() == Some(source)) {
            continue;
        }
        let main = &house.meter.source;
        let same = |it: &&Circuit| it.meter.as_ref() == Some(source);
        if main.as_ref() == Some(source)
            || house.config.site.circuits.iter().filter(same).count() > 1
        {
            let message =
                "is read already: the meter of a circuit is one that measures that circuit alone";
            push(errors, field, "duplicate", message.into());
            continue;
        }
        if hide_password(source).1.is_some() {
            let message = "cannot hold a password, which everybody who may look would see: use a source without one";
            push(errors, field, "conflict", message.into());
            continue;
        }
        let meter = Meter {
            source: Some(source.clone()),
            ..Meter::default()
        };
        let wrong = check_meter(&meter).into_iter();
        errors.extend(wrong.map(|error| FieldError {
            field: field.clone(),
            ..error
        }));
    }
}

/// Without a neutral a load hangs between two lines, or on all three.
fn between_lines(house: &House, before: &House, errors: &mut Vec<FieldError>) {
    if house.config.site.grid != Grid::It3ph {
        return;
    }
    let same_grid = before.config.site.grid == Grid::It3ph;
    let known = &before.config.chargers;
    for charger in &house.config.chargers {
        let was = known.iter().find(|it| it.id == charger.id);
        if charger.phases.as_ref().is_some_and(|it| it.len() == 1)
            && !(same_grid && was.is_some_and(|was| was.phases == charger.phases))
        {
            let message = "cannot be one line on it_3ph, where a charger of one phase hangs between two: name both, such \
                           as [\"l1\",\"l2\"]";
            let field = format!("chargers.{}.phases", charger.id);
            push(errors, field, "conflict", message.into());
        }
    }
}

/// Two loads that are one device would be told against each other.
fn same_devices(house: &House, before: &House, errors: &mut Vec<FieldError>) {
    fn drivers(house: &House) -> impl Iterator<Item = (&'static str, &str, &Driver)> {
        let chargers = house.config.chargers.iter();
        let slow_loads = house.config.slow_loads.iter();
        let chargers = chargers.map(|it| ("chargers", it.id.as_str(), &it.driver));
        let slow_loads = slow_loads.map(|it| ("slow_loads", it.id.as_str(), &it.driver));
        let all = chargers.chain(slow_loads);
        all.filter_map(|(kind, id, driver)| Some((kind, id, driver.as_ref()?)))
    }
    let known: BTreeMap<&str, &Driver> = drivers(before).map(|(_, id, it)| (id, it)).collect();
    // Those that were there first have the device; who comes to it is told.
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    let is_known = |id: &str, driver: &Driver| known.get(id) == Some(&driver);
    let (old, new): (Vec<_>, Vec<_>) =
        drivers(house).partition(|(_, id, driver)| is_known(id, driver));
    for (_, id, driver) in old {
        if let Some((device, _)) = device(driver) {
            taken.insert(device, id);
        }
    }
    for (kind, id, driver) in new {
        let Some((device, field)) = device(driver) else {
            continue;
        };
        match taken.get(&device) {
            Some(other) if *other != id => {
                let message = format!(
                    "is taken: \"{other}\" is the same device; choose another one, or remove that load"
                );
                let field = format!("{kind}.{id}.driver.{field}");
                push(errors, field, "duplicate", message);
            }
            _ => drop(taken.insert(device, id)),
        }
    }
}

/// Which device a driver reaches, and the field that tells it from others at the same address. The store looks at OCPP.
fn device(driver: &Driver) -> Option<(String, &'static str)> {
    let at = |host: &str, port: &str| {
        let host = host.to_ascii_lowercase();
        host.strip_suffix(port).unwrap_or(&host).to_owned()
    };
    match driver {
        Driver::Ocpp { .. } => None,
        Driver::ShellyGen2 { host, channel, .. } => {
            Some((format!("shelly {} {channel}", at(host, ":80")), "channel"))
        }
        Driver::Http {
            profile,
            host,
            params,
            ..
        } => {
            let host = at(host, ":80");
            Some((format!("http {profile} {host} {params:?}"), "host"))
        }
        // A profile there is one of several channels.
        Driver::Modbus {
            profile,
            address,
            unit,
            ..
        } => {
            let address = at(address, ":502");
            Some((format!("modbus {profile} {address} {unit}"), "unit"))
        }
        Driver::Mqtt {
            profile,
            broker,
            topic,
            ..
        } => {
            let broker = at(broker, ":1883");
            Some((format!("mqtt {profile} {broker} {topic}"), "topic"))
        }
    }
}

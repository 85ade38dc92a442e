//! What the network meters of several makers say of the same [`Values`], by their documented interfaces.

use headroom_encode::{Phase, Values, p1};
use serde_json::{Map, Value, json};

use crate::http_meter::HttpMeter;

/// A P1 reader of `HomeWizard`, first interface: its raw telegram, and its values.
pub fn homewizard_p1(values: &Values, second: u32) -> HttpMeter {
    let meter = HttpMeter::start();
    set_homewizard_p1(&meter, values, second);
    meter
}

/// All pages of such a reader.
pub fn set_homewizard_p1(meter: &HttpMeter, values: &Values, second: u32) {
    device(meter, "HWE-P1", "P1 meter");
    set_telegram(meter, values, second);
    let mut data = json!({
        "wifi_ssid": "test", "wifi_strength": 80, "smr_version": 50, "meter_model": "TEST 100", "unique_id": "54455354",
        "active_tariff": 2, "total_power_import_kwh": kilowatt_hours(values.energy_import_mwh),
        "total_power_export_kwh": kilowatt_hours(values.energy_export_mwh), "active_power_w": total(values),
    });
    homewizard_phases(data.as_object_mut().unwrap(), values, |current_ma| {
        json!(current_ma / 1000)
    });
    meter.json("/api/v1/data", &data);
}

/// The next raw telegram of the meter behind the reader.
pub fn set_telegram(meter: &HttpMeter, values: &Values, second: u32) {
    meter.text("/api/v1/telegram", &p1::telegram(values, second));
}

/// A kWh meter of `HomeWizard`: no telegram. Of its currents the active ones are nine tenths of the apparent ones.
pub fn homewizard_kwh(values: &Values) -> HttpMeter {
    let meter = HttpMeter::start();
    device(&meter, "HWE-KWH3", "kWh meter");
    let mut data = json!({
        "wifi_strength": 90, "total_power_import_kwh": kilowatt_hours(values.energy_import_mwh),
        "active_power_w": total(values), "active_apparent_power_va": 8000.5, "active_reactive_power_var": 310.0,
    });
    let data_map = data.as_object_mut().unwrap();
    homewizard_phases(data_map, values, |current_ma| {
        json!(amperes(current_ma * 9 / 10))
    });
    for (name, phase) in ["l1", "l2", "l3"].iter().zip(&values.phases) {
        let apparent = phase.current_ma.map(amperes);
        data_map.insert(format!("active_apparent_current_{name}_a"), json!(apparent));
    }
    meter.json("/api/v1/data", &data);
    meter
}

/// The second interface of a reader without raw telegrams.
pub fn homewizard_second(values: &Values, time: &str) -> HttpMeter {
    let meter = HttpMeter::start();
    set_measurement(&meter, values, time);
    meter
}

/// The next values of the second interface.
pub fn set_measurement(meter: &HttpMeter, values: &Values, time: &str) {
    let mut data = json!({
        "protocol_version": 50, "meter_model": "TEST 100", "unique_id": "54455354", "timestamp": time,
        "energy_import_kwh": kilowatt_hours(values.energy_import_mwh), "power_w": total(values),
    });
    let data_map = data.as_object_mut().unwrap();
    for (name, phase) in ["l1", "l2", "l3"].iter().zip(&values.phases) {
        data_map.insert(format!("power_{name}_w"), json!(watts(phase)));
        let current = phase.current_ma.map(|current| current / 1000);
        data_map.insert(format!("current_{name}_a"), json!(current));
    }
    meter.json("/api/measurement", &data);
}

fn device(meter: &HttpMeter, product_type: &str, product_name: &str) {
    meter.json(
        "/api",
        &json!({
            "product_type": product_type, "product_name": product_name, "serial": "000000000000",
            "firmware_version": "5.18", "api_version": "v1",
        }),
    );
}

fn homewizard_phases(data: &mut Map<String, Value>, values: &Values, current: fn(i64) -> Value) {
    for (name, phase) in ["l1", "l2", "l3"].iter().zip(&values.phases) {
        let voltage = phase.voltage_mv.map(amperes);
        data.insert(format!("active_voltage_{name}_v"), json!(voltage));
        data.insert(format!("active_power_{name}_w"), json!(watts(phase)));
        // Signed by the direction of the power.
        let exports = watts(phase).is_some_and(|watts| watts < 0.0);
        let sign = if exports { -1 } else { 1 };
        let current = phase.current_ma.map(|milli| current(milli * sign));
        data.insert(format!("active_current_{name}_a"), json!(current));
    }
}

/// The page of an amsreader. `state`: of its port, 1 is well. `estimated`: it computes the second line's current.
pub fn amsreader(values: &Values, state: u8, estimated: bool) -> Value {
    let phase = |phase: &Phase| {
        json!({
            "u": phase.voltage_mv.map_or(0.0, amperes), "i": phase.current_ma.map_or(0.0, amperes),
            "p": 0, "q": 0, "f": 0.0,
        })
    };
    let [first, second, third] = &values.phases;
    let mut second = phase(second);
    second["e"] = json!(estimated);
    json!({
        "im": 20000, "om": 0, "mf": 40, "i": values.import_mw.unwrap_or(0) / 1000,
        "e": values.export_mw.unwrap_or(0) / 1000, "ri": 0, "re": 0,
        "ic": kilowatt_hours(values.energy_import_mwh), "ec": 0.0, "f": 0.0,
        "l1": phase(first), "l2": second, "l3": phase(third),
        "v": 3.3, "r": -60, "t": 30.0, "u": 86400, "em": 1, "hm": state, "wm": 1, "mm": 0, "me": 0,
        "mt": 2, "ds": if estimated { 1 } else { 2 }, "he": 0, "c": 1_800_000_000,
    })
}

/// A Shelly Pro 3EM with one meter of three phases.
pub fn shelly(values: &Values, locked: bool) -> HttpMeter {
    let meter = HttpMeter::start();
    shelly_device(&meter, "triphase", locked);
    let mut status = json!({
        "id": 0, "n_current": null, "total_current": 9.0, "total_act_power": total(values),
        "total_aprt_power": 2400.0, "user_calibrated_phase": [], "errors": ["phase_sequence"],
    });
    for (name, phase) in ["a", "b", "c"].iter().zip(&values.phases) {
        status[format!("{name}_current")] = json!(phase.current_ma.map(amperes));
        status[format!("{name}_voltage")] = json!(phase.voltage_mv.map(amperes));
        status[format!("{name}_act_power")] = json!(watts(phase));
        status[format!("{name}_aprt_power")] = json!(800.0);
        status[format!("{name}_pf")] = json!(0.98);
        status[format!("{name}_freq")] = json!(50.0);
    }
    meter.json("/rpc/EM.GetStatus?id=0", &status);
    meter
}

/// A Shelly Pro 3EM with three meters of one phase.
pub fn shelly_single_phases(values: &Values) -> HttpMeter {
    let meter = HttpMeter::start();
    shelly_device(&meter, "monophase", false);
    for (id, phase) in values.phases.iter().enumerate() {
        let status = json!({
            "id": id, "current": phase.current_ma.map(amperes), "voltage": phase.voltage_mv.map(amperes),
            "act_power": watts(phase), "aprt_power": 800.0, "pf": 0.98, "freq": 50.0, "calibration": "factory",
        });
        meter.json(&format!("/rpc/EM1.GetStatus?id={id}"), &status);
    }
    meter
}

fn shelly_device(meter: &HttpMeter, profile: &str, locked: bool) {
    meter.json(
        "/shelly",
        &json!({
            "name": null, "id": "shellypro3em-000000000000", "mac": "000000000000", "slot": 0,
            "model": "SPEM-003CEBEU", "gen": 2, "fw_id": "20260101-000000/1.4.4-g0000000", "ver": "1.4.4",
            "app": "Pro3EM", "auth_en": locked, "auth_domain": null, "profile": profile,
        }),
    );
}

/// Thousandths to the unit: amperes, volts or watts.
#[expect(clippy::cast_precision_loss, reason = "small test values")]
fn amperes(milli: i64) -> f64 {
    milli as f64 / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "small test values")]
fn kilowatt_hours(milli: Option<i64>) -> Option<f64> {
    milli.map(|milli| milli as f64 / 1e6)
}

/// Signed: drawn is positive.
fn watts(phase: &Phase) -> Option<f64> {
    let drawn = phase.import_mw?;
    Some(amperes(drawn - phase.export_mw.unwrap_or(0)))
}

fn total(values: &Values) -> f64 {
    amperes(values.import_mw.unwrap_or(0) - values.export_mw.unwrap_or(0))
}

//! The makers' lists, shape by shape.

use super::*;

fn three(value: fn(u16) -> Vec<u8>, start: u16) -> Vec<Vec<u8>> {
    (0..3).map(|index| value(start + index)).collect()
}

fn row(parts: &[&[Vec<u8>]]) -> Vec<u8> {
    structure(&parts.concat())
}

#[test]
fn landis_gyr_e450_of_burgenland_is_read_with_14_and_11_items() {
    let values = [
        three(u16v, 230),
        three(u16v, 420),
        [966, 0, 5_000_000, 7].map(u32v).to_vec(),
    ]
    .concat();
    let unknown = three(u16v, 1);
    let id = [octets("1000000000000001")];
    for body in [row(&[&values, &unknown, &id]), row(&[&values, &id])] {
        let telegram = framed(&body);
        assert_eq!(currents(&telegram), [Some(4200), Some(4210), Some(4220)]);
        assert_eq!(
            voltages(&telegram),
            [Some(230_000), Some(231_000), Some(232_000)]
        );
        assert_eq!(
            (telegram.import_mw, telegram.export_mw),
            (Some(966_000), Some(0))
        );
        assert_eq!(telegram.energy_import_mwh, Some(5_000_000_000));
        assert_eq!(telegram.meter_id.as_deref(), Some("1000000000000001"));
    }
}

#[test]
fn landis_gyr_e450_of_switzerland_is_read_through_its_descriptors() {
    let descriptor = |code: [u8; 5]| structure(&[u16v(3), obis(code), vec![0x0F, 2], u16v(0)]);
    let list = |voltage: u16| {
        let codes = [
            [0, 0, 1, 0, 0],
            [1, 0, 1, 7, 0],
            [1, 0, 31, 7, 0],
            [1, 0, 32, 7, 0],
        ];
        let descriptors: Vec<Vec<u8>> = codes.into_iter().map(descriptor).collect();
        assert_eq!(descriptors[0].len(), 18);
        structure(&[
            sequence(1, &descriptors),
            clock(),
            u32v(966),
            u16v(420),
            u16v(voltage),
        ])
    };
    for (sent, millivolt) in [(230, 230_000), (2301, 230_100)] {
        let telegram = framed(&list(sent));
        assert_eq!(telegram.phases[0].voltage_mv, Some(millivolt));
        assert_eq!(telegram.phases[0].current_ma, Some(4200));
        assert_eq!(telegram.import_mw, Some(966_000));
        assert_eq!(
            telegram.meter_time.unwrap().to_string(),
            "2026-01-15T12:00:10"
        );
    }
}

#[test]
fn landis_gyr_e450_with_33_items_has_no_currents() {
    let mut items = vec![clock()];
    for code in 1..=4 {
        for (kind, tariff) in [(8, 0), (8, 1), (8, 2), (7, 0)] {
            items.extend([obis([1, 0, code, kind, tariff]), u32v(1000)]);
        }
    }
    assert_eq!(items.len(), 33);
    let telegram = framed(&structure(&items));
    assert!(!telegram.has_currents());
    assert_eq!(telegram.import_mw, Some(1_000_000));
    assert_eq!(telegram.energy_import_mwh, Some(1_000_000));
}

#[test]
fn landis_gyr_embriq_keeps_whole_volts_and_hundredths_of_ampere() {
    let mut items = vec![
        text_item([1, 1, 0, 2, 129], "EMBRIQ_V1_1"),
        text_item([0, 0, 96, 1, 0], "1000000000000001"),
        text_item([0, 0, 96, 1, 7], "ZMF100"),
    ];
    for (code, unit) in [(1, 27), (2, 27), (3, 29), (4, 29)] {
        items.push(item([1, 0, code, 7, 0], u32v(560), 0, unit));
    }
    for (code, value) in [(31, 3180), (51, 0), (71, 3432)] {
        items.push(item([1, 0, code, 7, 0], i16v(value), -2, 33));
    }
    for (code, value) in [(32, 233), (52, 0), (72, 233)] {
        items.push(item([1, 0, code, 7, 0], u16v(value), 0, 35));
    }
    let telegram = framed(&sequence(1, &items));
    assert_eq!(currents(&telegram), [Some(31_800), Some(0), Some(34_320)]);
    assert_eq!(telegram.phases[0].voltage_step_mv, Some(1000));
    assert_eq!(telegram.list, Some(2));
}

const ISKRA: &str = "ISK1030000000001";

fn iskra(rest: &[&[Vec<u8>]]) -> Telegram {
    let name = [octets(ISKRA), octets("10000001")];
    framed(&row(&[&[&name[..]], rest].concat()))
}

#[test]
fn iskra_lists_are_told_apart_by_length_and_types() {
    let powers = [966, 0, 5, 7].map(u32v);
    let (volts, amperes) = (three(u16v, 2300), three(u16v, 420));
    let per_phase = [300, 310, 320, 0, 0, 0].map(u32v);
    for telegram in [
        iskra(&[&powers, &volts, &amperes, &per_phase]),
        iskra(&[&volts, &amperes, &powers]),
    ] {
        assert_eq!(currents(&telegram), [Some(4200), Some(4210), Some(4220)]);
        assert_eq!(
            voltages(&telegram),
            [Some(230_000), Some(230_100), Some(230_200)]
        );
        assert_eq!(
            (telegram.import_mw, telegram.export_mw),
            (Some(966_000), Some(0))
        );
        assert_eq!(telegram.meter_id.as_deref(), Some("10000001"));
    }
    let first = iskra(&[&powers, &volts, &amperes, &per_phase]).phases[0];
    assert_eq!((first.import_mw, first.export_mw), (Some(300_000), Some(0)));
    for telegram in [
        iskra(&[&powers, &volts[..1], &amperes[..1], &per_phase[2..4]]),
        iskra(&[&volts[..1], &amperes[..1], &powers]),
    ] {
        assert_eq!(currents(&telegram), [Some(4200), None, None]);
        assert_eq!(telegram.import_mw, Some(966_000));
    }
}

#[test]
fn iskra_energies_are_never_taken_for_powers() {
    let eight = [100, 200, 30, 40, 1, 2, 3, 4].map(u32v);
    let telegram = iskra(&[&eight]);
    assert_eq!((telegram.import_mw, telegram.has_currents()), (None, false));
    assert_eq!(telegram.energy_import_mwh, Some(300_000));
    let breaker = [vec![0x03, 1], vec![0x11, 2]];
    let telegram = iskra(&[&breaker, &eight]);
    assert_eq!(telegram.import_mw, None);
    assert_eq!(telegram.energy_import_mwh, Some(100_000));
    assert_eq!(telegram.energy_export_mwh, Some(40_000));
}

#[test]
fn iskra_of_croatia_has_33_and_of_switzerland_15_items() {
    let texts = [octets("10000001"), clock(), octets("x")];
    let energies = [900, 500, 400, 70, 30, 40, 1, 2, 3, 4].map(u32v);
    let powers = [966, 0, 1000, 300, 310, 356, 0, 0, 0].map(u32v);
    let (volts, amperes) = (three(u16v, 2300), three(u16v, 420));
    let rest = [0, 0, 0, 0, 0].map(u32v);
    let telegram = framed(&row(&[&texts, &energies, &powers, &volts, &amperes, &rest]));
    assert_eq!(currents(&telegram), [Some(4200), Some(4210), Some(4220)]);
    assert_eq!(voltages(&telegram)[2], Some(230_200));
    assert_eq!(telegram.import_mw, Some(966_000));
    assert_eq!(telegram.phases[2].import_mw, Some(356_000));
    assert_eq!(telegram.energy_import_mwh, Some(900_000));
    assert_eq!(telegram.energy_export_mwh, Some(70_000));
    let between = [vec![0x09, 0], clock()];
    let two = [0, 966].map(u32v);
    let volts = [u16v(2300), u16v(2302)];
    let telegram = framed(&row(&[&energies[..6], &between, &two, &amperes, &volts]));
    assert_eq!(currents(&telegram), [Some(4200), Some(4210), Some(4220)]);
    assert_eq!(voltages(&telegram), [Some(230_000), None, Some(230_200)]);
    assert_eq!((telegram.import_mw, telegram.export_mw), (None, None));
    assert!(telegram.meter_time.is_some());
}

#[test]
fn austrian_lists_come_in_structures_or_flat() {
    let codes = [
        (32, 2301_u16, -1, 35),
        (52, 2302, -1, 35),
        (72, 2303, -1, 35),
    ];
    let amperes = [(31, 420_u16, -2, 33), (51, 421, -2, 33), (71, 422, -2, 33)];
    let mut nested = vec![
        structure(&[obis([0, 0, 1, 0, 0]), clock()]),
        structure(&[obis([0, 0, 96, 1, 0]), octets("1HRM0100000001")]),
        structure(&[obis([0, 0, 42, 0, 0]), octets("HRM1100100000001")]),
    ];
    let mut flat = vec![clock()];
    for (code, value, scaler, unit) in codes.into_iter().chain(amperes) {
        nested.push(item([1, 0, code, 7, 0], u16v(value), scaler, unit));
        flat.extend([obis([1, 0, code, 7, 0]), u16v(value), scale(scaler, unit)]);
    }
    for (code, kind, value, unit) in [
        (1, 7, 966, 27),
        (2, 7, 0, 27),
        (1, 8, 5000, 30),
        (2, 8, 7, 30),
    ] {
        nested.push(item([1, 0, code, kind, 0], u32v(value), 0, unit));
        flat.extend([obis([1, 0, code, kind, 0]), u32v(value), scale(0, unit)]);
    }
    for code in [3, 4] {
        nested.push(item([1, 0, code, 8, 0], u32v(5), 0, 32));
    }
    nested.push(item([1, 0, 13, 7, 0], u16v(999), -3, 255));
    flat.extend([obis([1, 0, 13, 7, 0]), u16v(999), scale(-3, 255)]);
    flat.push(octets("1HRM0100000001"));
    assert_eq!((nested.len(), flat.len()), (16, 35));
    for items in [nested, flat] {
        let telegram = framed(&structure(&items));
        assert_eq!(currents(&telegram), [Some(4200), Some(4210), Some(4220)]);
        assert_eq!(voltages(&telegram)[1], Some(230_200));
        assert_eq!(
            (telegram.import_mw, telegram.export_mw),
            (Some(966_000), Some(0))
        );
        assert_eq!(telegram.energy_import_mwh, Some(5_000_000));
        assert_eq!(telegram.meter_id.as_deref(), Some("1HRM0100000001"));
        assert!(telegram.meter_time.is_some());
    }
}

fn kaifa(count: usize, energy: fn(u64) -> Vec<u8>) -> Vec<Vec<u8>> {
    let phases = if count == 9 || count == 14 { 1 } else { 3 };
    let mut items = vec![
        octets("KFM_001"),
        octets("6970630000000001"),
        octets("MA304T4"),
    ];
    items.extend([446, 0, 0, 5].map(u32v));
    items.extend([1616, 914, 950].into_iter().take(phases).map(u32v));
    items.extend([1387, 1378, 1377].into_iter().take(phases).map(u32v));
    if count > 13 {
        items.push(clock());
        items.extend([5_000_000_000, 7, 8, 9].map(energy));
    }
    assert_eq!(items.len(), count);
    items
}

#[test]
fn kaifa_lists_of_9_13_14_and_18_items_and_energies_of_64_bits() {
    for count in [9, 13, 14, 18] {
        let telegram = framed(&structure(&kaifa(count, number)));
        let three = count == 13 || count == 18;
        assert_eq!(
            currents(&telegram),
            [Some(1616), three.then_some(914), three.then_some(950)]
        );
        assert_eq!(telegram.phases[0].voltage_mv, Some(138_700));
        assert_eq!(telegram.export_mvar, Some(5000));
        let hourly = count > 13;
        assert_eq!(telegram.list, Some(if hourly { 3 } else { 2 }));
        assert_eq!(
            telegram.energy_import_mwh,
            hourly.then_some(5_000_000_000_000)
        );
        assert_eq!(telegram.meter_time.is_some(), hourly);
    }
}

#[test]
fn kaifas_swedish_list_is_told_by_its_codes_whatever_its_length() {
    let mut items = vec![
        obis([1, 0, 0, 2, 129]),
        octets("KFM_001"),
        obis([0, 0, 96, 1, 0]),
        octets("1000000000000001"),
    ];
    for code in [1, 2, 3, 4] {
        items.extend([obis([1, 0, code, 7, 0]), u32v(966)]);
    }
    for code in [31, 51, 71] {
        items.extend([obis([1, 0, code, 7, 0]), u32v(4200)]);
    }
    // As long as the Norwegian list 3, and its first item is a code.
    assert_eq!(items.len(), 18);
    let telegram = framed(&structure(&items));
    assert_eq!(currents(&telegram), [Some(4200); 3]);
    assert_eq!(telegram.import_mw, Some(966_000));
}

fn kamstrup(model: Option<&str>, extra: usize, voltage: u16) -> Telegram {
    let mut items = vec![visible("Kamstrup_V0001")];
    if let Some(model) = model {
        items.extend([obis([1, 1, 96, 1, 1]), visible(model)]);
    }
    items.extend([obis([1, 1, 1, 8, 0]), u32v(123)]);
    items.extend([obis([1, 1, 32, 7, 0]), u16v(voltage)]);
    while items.len() < extra {
        items.extend([obis([1, 1, 33, 7, 0]), u16v(98)]);
    }
    framed(&structure(&items))
}

#[test]
fn kamstrups_energy_has_the_step_of_its_market_or_none() {
    let energy = |model, items| kamstrup(model, items, 230).energy_import_mwh;
    assert_eq!(energy(Some("6841121HR000000040"), 35), Some(1_230_000));
    assert_eq!(energy(Some("6841138HR000000090"), 35), Some(123_000));
    assert_eq!(energy(None, 65), Some(1_230_000));
    assert_eq!(energy(None, 37), Some(1_230_000));
    assert_eq!(energy(Some("6841138HR000000077"), 35), None);
    assert_eq!(energy(None, 35), None);
}

#[test]
fn a_voltage_without_scaler_is_told_by_its_size() {
    for (sent, millivolt) in [
        (0, 0),
        (59, 59_000),
        (231, 231_000),
        (2314, 231_400),
        (23_145, 231_450),
    ] {
        let telegram = kamstrup(None, 65, sent);
        assert_eq!(telegram.phases[0].voltage_mv, Some(millivolt), "{sent}");
    }
}

#[test]
fn the_same_value_of_any_width_reads_the_same() {
    let wide = [
        u16v(966),
        u32v(966),
        number(966),
        i16v(966),
        vec![0x14, 0, 0, 0, 0, 0, 0, 3, 0xC6],
    ];
    for value in wide {
        let items = [item([1, 0, 1, 7, 0], value, 0, 27)];
        assert_eq!(framed(&sequence(1, &items)).import_mw, Some(966_000));
    }
}

#[test]
fn kaifas_places_hold_integers_of_any_width() {
    let widths: [fn(u16) -> Vec<u8>; 6] = [
        u16v,
        |value| u32v(value.into()),
        |value| number(value.into()),
        |value| i16v(i16::try_from(value).unwrap()),
        |value| [&[0x05, 0, 0][..], &value.to_be_bytes()].concat(),
        |value| [&[0x14, 0, 0, 0, 0, 0, 0][..], &value.to_be_bytes()].concat(),
    ];
    for (count, phases) in [(9, 1), (13, 3), (14, 1), (18, 3)] {
        for value in widths {
            let mut items = vec![
                octets("KFM_001"),
                octets("6970630000000001"),
                octets("MA304H4"),
            ];
            items.extend([446, 0, 0, 5].map(value));
            items.extend([1616, 914, 950].into_iter().take(phases).map(value));
            items.extend([2387, 2378, 2377].into_iter().take(phases).map(value));
            if count > 13 {
                items.push(clock());
                items.extend([5000, 7, 8, 9].map(value));
            }
            assert_eq!(items.len(), count);
            let telegram = framed(&structure(&items));
            assert_eq!(telegram.phases[0].current_ma, Some(1616), "{count}");
            assert_eq!(telegram.phases[0].voltage_mv, Some(238_700), "{count}");
            assert_eq!(telegram.import_mw, Some(446_000), "{count}");
            let energy = telegram.energy_import_mwh;
            assert_eq!(energy, (count > 13).then_some(5_000_000), "{count}");
        }
    }
    // List 1.
    assert_eq!(framed(&structure(&[u16v(446)])).import_mw, Some(446_000));
}

#[test]
fn a_low_voltage_of_a_known_step_is_no_supply() {
    for (sent, millivolt) in [(101, 10_100), (599, 59_900), (600, 60_000), (0, 0)] {
        let mut items = vec![
            octets("KFM_001"),
            octets("6970630000000001"),
            octets("MA304H4"),
        ];
        items.extend([446, 0, 0, 5, 1616, 914, 950, sent, sent, sent].map(u32v));
        let telegram = framed(&structure(&items));
        assert_eq!(telegram.phases[0].voltage_mv, Some(millivolt), "{sent}");
        // Iskra sends tenths of a volt too.
        let rest = [
            vec![u16v(u16::try_from(sent).unwrap()); 3],
            three(u16v, 420),
            [966, 0, 5, 7].map(u32v).to_vec(),
        ];
        let rest: Vec<&[Vec<u8>]> = rest.iter().map(Vec::as_slice).collect();
        let telegram = iskra(&rest);
        assert_eq!(telegram.phases[0].voltage_mv, Some(millivolt), "{sent}");
    }
}

//! P1 telegrams as the meters of each country write them, and the habits that a reader must know. All meters, ids and
//! values are invented.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use headroom_codec::{Decoder, Item, Options, Reason, Telegram};
use headroom_encode::{arc, cipher, p1, p1_body, seven_even, x25};

fn items(bytes: &[u8]) -> Vec<Item> {
    let mut decoder = Decoder::new(&Options {
        key: headroom_encode::KEY.parse().ok(),
        auth_key: headroom_encode::AUTH_KEY.parse().ok(),
        ..Options::default()
    });
    let mut items = decoder.push(bytes);
    items.extend(decoder.finish());
    items
}

fn only(bytes: &[u8]) -> Telegram {
    let mut items = items(bytes);
    match (items.pop(), items.as_slice()) {
        (Some(Item::Telegram(telegram)), []) => telegram,
        (last, others) => panic!("{others:?} {last:?}"),
    }
}

fn telegrams(bytes: &[u8]) -> Vec<Telegram> {
    let items = items(bytes).into_iter();
    items
        .filter_map(|item| match item {
            Item::Telegram(telegram) => Some(telegram),
            Item::Rejected(_) => None,
        })
        .collect()
}

fn refused(bytes: &[u8]) -> Reason {
    match items(bytes).as_slice() {
        [Item::Rejected(rejected)] => rejected.reason,
        items => panic!("{items:?}"),
    }
}

/// Without a CRC.
fn bare(lines: &str) -> Vec<u8> {
    [&p1_body(lines)[..], b"\r\n"].concat()
}

/// With a CRC written as asked.
fn ended(lines: &str, end: impl Fn(u16) -> String) -> Vec<u8> {
    let text = p1_body(lines);
    let end = end(arc(&text));
    [&text[..], end.as_bytes()].concat()
}

/// Currents and their steps in mA.
fn currents(telegram: &Telegram) -> [Option<(i64, i64)>; 3] {
    telegram
        .phases
        .map(|phase| Some((phase.current_ma?, phase.current_step_ma?)))
}

fn voltages(telegram: &Telegram) -> [Option<i64>; 3] {
    telegram.phases.map(|phase| phase.voltage_mv)
}

/// Power drawn and fed in, of each phase.
fn powers(telegram: &Telegram) -> [(Option<i64>, Option<i64>); 3] {
    telegram
        .phases
        .map(|phase| (phase.import_mw, phase.export_mw))
}

fn clock(telegram: &Telegram) -> String {
    telegram
        .meter_time
        .map_or_else(|| "none".to_owned(), |time| time.to_string())
}

const NOTHING: [Option<(i64, i64)>; 3] = [None; 3];

const DSMR_2: &str = "HRM5\\TWO
    0-0:96.1.1(48524D3030303032)
    1-0:1.8.1(00100.100*kWh)
    1-0:1.8.2(00200.200*kWh)
    1-0:2.8.1(00000.000*kWh)
    1-0:2.8.2(00000.000*kWh)
    0-0:96.14.0(0001)
    1-0:1.7.0(0001.01*kW)
    1-0:2.7.0(0000.00*kW)
    0-0:17.0.0(016*A)
    0-0:96.3.10(1)
    0-0:96.13.0()
    0-1:96.1.0(48524D3030303033)
    0-1:24.1.0(03)
    0-1:24.3.0(260115120000)(08)(60)(1)(0-1:24.2.0)(m3)
    (00001.001)
    0-1:24.4.0(1)";

#[test]
fn netherlands_dsmr_2_and_3_have_power_alone_and_no_crc() {
    for bytes in [bare(DSMR_2), seven_even(&bare(DSMR_2))] {
        let telegram = only(&bytes);
        assert_eq!(telegram.import_mw, Some(1_010_000));
        assert_eq!(telegram.export_mw, Some(0));
        assert_eq!(telegram.energy_import_mwh, Some(300_300_000));
        assert_eq!(telegram.meter_id.as_deref(), Some("48524D3030303032"));
        assert_eq!(telegram.meter_model.as_deref(), Some("HRM5\\TWO"));
        assert!(
            telegram
                .phases
                .iter()
                .all(headroom_codec::PhaseValues::is_empty)
        );
        assert_eq!(clock(&telegram), "none");
    }
}

const DSMR_4: &str = "HRM5\\FOUR
    1-3:0.2.8(42)
    0-0:1.0.0(260715120010S)
    0-0:96.1.1(48524D3030303034)
    1-0:1.8.1(000100.100*kWh)
    1-0:2.8.1(000000.500*kWh)
    1-0:1.7.0(01.193*kW)
    1-0:2.7.0(00.000*kW)
    0-0:17.0.0(016.1*kW)
    1-0:99.97.0(2)(0-0:96.7.19)(260108204600W)(0000000240*s)(260208151004W)(0000000301*s)
    1-0:31.7.0(002*A)
    1-0:51.7.0(014*A)
    1-0:71.7.0(000*A)
    1-0:21.7.0(00.378*kW)
    1-0:41.7.0(00.815*kW)
    1-0:61.7.0(00.000*kW)";

#[test]
fn netherlands_dsmr_4_has_whole_amperes_and_no_voltage() {
    let telegram = only(&p1(DSMR_4));
    let ampere = |current: i64| Some((current * 1000, 1000));
    assert_eq!(currents(&telegram), [ampere(2), ampere(14), ampere(0)]);
    assert_eq!(voltages(&telegram), [None; 3]);
    assert_eq!(
        powers(&telegram).map(|(import, _)| import),
        [Some(378_000), Some(815_000), Some(0)]
    );
    assert_eq!(clock(&telegram), "2026-07-15T12:00:10+02:00");
    assert_eq!(telegram.energy_export_mwh, Some(500_000));
}

#[test]
fn netherlands_one_phase_is_one_phase() {
    let lines: Vec<&str> = DSMR_4
        .lines()
        .filter(|line| {
            !["51.7", "71.7", "41.7", "61.7"]
                .iter()
                .any(|code| line.contains(code))
        })
        .collect();
    let telegram = only(&p1(&lines.join("\n")));
    assert_eq!(currents(&telegram), [Some((2000, 1000)), None, None]);
    assert!(telegram.phases[1].is_empty() && telegram.phases[2].is_empty());
}

#[test]
fn netherlands_dsmr_5_may_hold_a_text_of_2048_digits() {
    let lines = format!(
        "{DSMR_4}\n0-0:96.13.0({})\n1-0:32.7.0(230.4*V)",
        "3F".repeat(1024)
    );
    let telegram = only(&p1(&lines.replace("(42)", "(50)")));
    assert_eq!(voltages(&telegram), [Some(230_400), None, None]);
}

#[test]
fn belgium_has_hundredths_of_ampere_and_thirteen_monthly_peaks() {
    let peaks = (1..=13).fold(String::new(), |peaks, month| {
        peaks + &format!("(26{month:02}01000000W)(26{month:02}03181500W)(05.{month:03}*kW)")
    });
    let telegram = only(&p1(&format!(
        "FLU5\\HRM_BE
        0-0:96.1.4(50217)
        0-0:96.1.1(48524D3030303035)
        0-0:1.0.0(260115120010W)
        1-0:1.8.1(000100.001*kWh)
        1-0:1.8.2(000200.002*kWh)
        1-0:1.4.0(02.351*kW)
        1-0:1.6.0(260103181500W)(05.231*kW)
        0-0:98.1.0(13)(1-0:1.6.0)(1-0:1.6.0){peaks}
        1-0:1.7.0(03.400*kW)
        1-0:2.7.0(00.000*kW)
        1-0:32.7.0(234.7*V)
        1-0:52.7.0(000.0*V)
        1-0:72.7.0(234.6*V)
        1-0:31.7.0(003.40*A)
        1-0:51.7.0(015.88*A)
        1-0:71.7.0(014.00*A)
        0-0:96.3.10(1)
        0-0:17.0.0(999.9*kW)
        1-0:31.4.0(999.99*A)"
    )));
    assert_eq!(
        currents(&telegram),
        [Some((3400, 10)), Some((15_880, 10)), Some((14_000, 10))]
    );
    // Three wires without neutral: no voltage of L2 is sent as 0, and its current is real.
    assert_eq!(voltages(&telegram), [Some(234_700), Some(0), Some(234_600)]);
    assert_eq!(telegram.energy_import_mwh, Some(300_003_000));
}

#[test]
fn luxembourg_is_ciphered_and_has_a_threshold_that_is_no_current() {
    let lines = "HRM5\\253833635_LU
        1-3:0.2.8(42)
        0-0:1.0.0(260115120010W)
        0-0:42.0.0(48524D3030303036)
        1-0:1.8.0(000100.100*kWh)
        1-0:2.8.0(000000.200*kWh)
        1-0:1.7.0(00.500*kW)
        1-0:3.7.0(00.020*kvar)
        1-0:4.7.0(00.001*kvar)
        0-0:17.0.0(27.600*kVA)
        1-1:31.4.0(100*A)(-063*A)
        0-0:96.13.0()
        1-0:32.7.0(231.0*V)
        1-0:52.7.0(001.0*V)
        1-0:72.7.0(000.0*V)
        1-0:31.7.0(002*A)";
    for (bytes, encrypted) in [
        (p1(lines), false),
        (cipher(&p1(lines), 0x30, headroom_encode::TITLE, 5), true),
    ] {
        let telegram = only(&bytes);
        assert_eq!(telegram.encrypted, encrypted);
        assert_eq!(telegram.meter_id.as_deref(), Some("48524D3030303036"));
        assert_eq!(currents(&telegram), [Some((2000, 1000)), None, None]);
        assert_eq!(
            (telegram.import_mvar, telegram.export_mvar),
            (Some(20_000), Some(1000))
        );
        assert_eq!(telegram.energy_export_mwh, Some(200_000));
    }
}

const SWEDEN: &str = "LGF5E360
    0-0:1.0.0(260115120010W)
    1-0:1.8.0(00001279.123*kWh)
    1-0:2.8.0(00000000.000*kWh)
    1-0:1.7.0(0002.021*kW)
    1-0:2.7.0(0000.000*kW)
    1-0:3.7.0(0000.000*kVAr)
    1-0:4.7.0(0001.279*kVAr)
    1-0:21.7.0(0002.021*kW)
    1-0:22.7.0(0000.000*kW)
    1-0:41.7.0(0000.000*kW)
    1-0:42.7.0(0000.450*kW)
    1-0:23.7.0(0000.000*kVAr)
    1-0:24.7.0(0000.500*kVAr)
    1-0:32.7.0(230.1*V)
    1-0:52.7.0(231.2*V)
    1-0:72.7.0(232.3*V)
    1-0:31.7.0(009.7*A)
    1-0:51.7.0(002.3*A)
    1-0:71.7.0(000.0*A)";

#[test]
fn sweden_finland_and_estonia_have_tenths_of_ampere_and_each_direction_of_a_phase() {
    let telegram = only(&p1(SWEDEN));
    assert_eq!(
        currents(&telegram),
        [Some((9700, 100)), Some((2300, 100)), Some((0, 100))]
    );
    assert_eq!(
        powers(&telegram),
        [
            (Some(2_021_000), Some(0)),
            (Some(0), Some(450_000)),
            (None, None)
        ]
    );
    assert_eq!(telegram.export_mvar, Some(1_279_000));
    assert_eq!(telegram.meter_id, None, "left out on purpose");
    assert_eq!(clock(&telegram), "2026-01-15T12:00:10+01:00");
    // Normal time all year, and some still say S: then nobody can tell.
    let summer = SWEDEN.replace("260115120010W", "260715120010S");
    assert_eq!(clock(&only(&p1(&summer))), "2026-07-15T12:00:10");
    // Aidon's are sold in two time zones.
    let aidon = SWEDEN.replace("LGF5E360", "ADN9 7534");
    assert_eq!(clock(&only(&p1(&aidon))), "2026-01-15T12:00:10");
}

#[test]
fn denmark_writes_the_clock_as_free_text_and_nes_meters_send_8e1() {
    let telegram = only(&p1("NES5:83335-3E
        0-0:1.0.0(20260115 12:00:10)
        0-0:96.1.1(48524D3030303037)
        1-0:1.7.0(0000.186*kW)
        1-0:31.7.0(001.3*A)
        1-0:21.7.0(0000.186*kW)"));
    // The serial port takes the parity bit of 8E1 off: the bytes are the same.
    assert_eq!(telegram.meter_model.as_deref(), Some("NES5:83335-3E"));
    assert_eq!(clock(&telegram), "2026-01-15T12:00:10");
    assert_eq!(currents(&telegram), [Some((1300, 100)), None, None]);
}

#[test]
fn lithuania_has_kiloamperes_which_are_whole_amperes() {
    let lines = "ESO5\\HRM_LT
        0-0:1.0.0(260115120010W)
        1-0:32.7.0(0000.242*kV)
        1-0:52.7.0(0000.241*kV)
        1-0:31.7.0(0000.005*kA)
        1-0:51.7.0(0000.012*kA)
        1-0:31.4.0(0000.003*kA)
        1-0:21.7.0(0001.205*kW)
        1-0:14.7.0(0000.049*kHz)
        1-0:13.7.0(00998)
        1-0:15.7.0(0001.205*kW)
        1-0:1.8.0(0000123.456*kWh)";
    // Whether its telegrams end with a CRC is not known: both are read.
    for bytes in [p1(lines), bare(lines)] {
        let telegram = only(&bytes);
        assert_eq!(
            currents(&telegram),
            [Some((5000, 1000)), Some((12_000, 1000)), None]
        );
        assert_eq!(voltages(&telegram), [Some(242_000), Some(241_000), None]);
        assert_eq!((telegram.import_mw, telegram.export_mw), (None, None));
        // The clock is of another zone than Central Europe.
        assert_eq!(clock(&telegram), "2026-01-15T12:00:10");
    }
}

const HUNGARY: &str = "HLY5/D545-METER
    0-0:1.0.0(260115120010W)
    0-0:42.0.0(48524D3030303038)
    0-0:96.1.0(48524D3030303039)
    0-0:96.50.68(ON)
    0-0:17.0.0(90.000*kW)
    1-0:1.8.0(000173.640*kWh)
    1-0:1.8.1(000047.719*kWh)
    1-0:32.7.0(240.4*V)
    1-0:52.7.0(239.1*V)
    1-0:72.7.0(241.2*V)
    1-0:31.7.0(003.25*A)
    1-0:51.7.0(004.00*A)
    1-0:71.7.0(000.41*A)
    1-0:13.7.0(4.556)
    1-0:1.7.0(00.000*kW)
    1-0:2.7.0(02.601*kW)
    1-0:5.7.0(00.000*kvar)
    1-0:31.4.0(200.00*A)";

fn x25_ended(lines: &str) -> Vec<u8> {
    let text = p1_body(lines);
    let crc = x25(&text);
    [&text[..], format!("{crc:04X}\r\n").as_bytes()].concat()
}

#[test]
fn hungary_has_no_power_of_phases_and_holley_another_crc() {
    for bytes in [p1(HUNGARY), x25_ended(HUNGARY)] {
        let telegram = only(&bytes);
        assert_eq!(
            currents(&telegram),
            [Some((3250, 10)), Some((4000, 10)), Some((410, 10))]
        );
        assert_eq!(powers(&telegram), [(None, None); 3]);
        assert_eq!(telegram.export_mw, Some(2_601_000));
        assert_eq!(telegram.energy_import_mwh, Some(173_640_000), "the total");
        assert_eq!(telegram.meter_id.as_deref(), Some("48524D3030303038"));
    }
}

#[test]
fn the_kind_of_crc_is_kept_for_the_meter() {
    let (arc, x25) = (p1(HUNGARY), x25_ended(HUNGARY));
    for (first, second) in [(&arc, &x25), (&x25, &arc)] {
        let found = items(&[&first[..], second, first].concat());
        let [
            Item::Telegram(_),
            Item::Rejected(rejected),
            Item::Telegram(_),
        ] = found.as_slice()
        else {
            panic!("{found:?}");
        };
        assert_eq!(rejected.reason, Reason::Checksum);
    }
}

#[test]
fn a_damaged_telegram_that_fits_the_other_crc_costs_two_telegrams_and_not_the_meter() {
    let (arc, x25) = (p1(HUNGARY), x25_ended(HUNGARY));
    let told = |telegrams: &[&Vec<u8>]| -> Vec<bool> {
        let bytes: Vec<u8> = telegrams.iter().copied().flatten().copied().collect();
        let is_telegram = |item: &Item| matches!(item, Item::Telegram(_));
        items(&bytes).iter().map(is_telegram).collect()
    };
    // The first one is the damaged one.
    let all = [&x25, &arc, &arc, &arc, &arc];
    assert_eq!(told(&all), [true, false, false, true, true]);
    // One of the right kind in between, and it is two of the other kind again.
    let mixed = [&arc, &x25, &x25, &arc, &x25, &x25, &arc];
    assert_eq!(told(&mixed), [true, false, false, true, false, false, true]);
}

#[test]
fn switzerland_has_its_totals_on_channel_1() {
    let telegram = only(&p1("GRE5\\HRM_CH
        0-0:1.0.0(260115120010W)
        0-0:96.1.1(48524D3030303130)
        1-1:1.7.0(00.300*kW)
        1-1:2.7.0(00.000*kW)
        1-1:1.8.1(000100.000*kWh)
        1-1:1.8.2(000050.000*kWh)
        1-0:32.7.0(230.1*V)
        1-0:31.7.0(003.40*A)
        1-0:21.7.0(00.700*kW)
        1-0:22.7.0(00.000*kW)
        1-0:41.7.0(00.000*kW)
        1-0:42.7.0(00.400*kW)"));
    assert_eq!(telegram.import_mw, Some(300_000));
    assert_eq!(telegram.energy_import_mwh, Some(150_000_000));
    assert_eq!(
        powers(&telegram),
        [
            (Some(700_000), Some(0)),
            (Some(0), Some(400_000)),
            (None, None)
        ]
    );
}

#[test]
fn austria_has_watts_and_no_phases() {
    let lines = "EST5\\253710000_A
        1-3:0.2.8(50)
        0-0:1.0.0(260715120010S)
        1-0:1.8.0(006545766*Wh)
        1-0:1.8.1(005017120*Wh)
        1-0:1.7.0(000000286*W)
        1-0:2.7.0(000000000*W)
        1-0:2.8.0(000000058*Wh)
        1-0:3.7.0(000000000*var)
        1-0:4.7.0(000000166*var)";
    for bytes in [
        p1(lines),
        cipher(&p1(lines), 0x30, headroom_encode::TITLE, 6),
    ] {
        let telegram = only(&bytes);
        assert_eq!(telegram.import_mw, Some(286_000));
        assert_eq!(telegram.energy_import_mwh, Some(6_545_766_000));
        assert_eq!(telegram.energy_export_mwh, Some(58_000));
        assert_eq!(telegram.export_mvar, Some(166_000));
        assert_eq!(currents(&telegram), NOTHING);
    }
}

const SLOVENIA: &str = "ISK9\\2HRM_SI
    1-0:0.9.1(120010)
    1-0:0.9.2(260115)
    1-0:1.8.0(0001234.567*kWh)
    1-0:1.7.0(0002.500*kW)
    1-0:2.7.0(0000.000*kW)
    1-0:32.7.0(00234.6*V)
    1-0:52.7.0(00235.1*V)
    1-0:72.7.0(00233.9*V)
    1-0:31.7.0(00009*A)
    1-0:51.7.0(00001*A)
    1-0:71.7.0(00000*A)
    1-0:21.7.0(0002.213*kW)";

#[test]
fn slovenia_has_seven_bits_no_crc_and_the_clock_in_two_lines() {
    for bytes in [seven_even(&bare(SLOVENIA)), bare(SLOVENIA)] {
        let telegram = only(&bytes);
        assert_eq!(
            currents(&telegram),
            [Some((9000, 1000)), Some((1000, 1000)), Some((0, 1000))]
        );
        assert_eq!(
            voltages(&telegram),
            [Some(234_600), Some(235_100), Some(233_900)]
        );
        assert_eq!(clock(&telegram), "2026-01-15T12:00:10");
    }
    let mut damaged = seven_even(&bare(SLOVENIA));
    damaged[60] ^= 4;
    assert_eq!(refused(&damaged), Reason::Parity);
}

#[test]
fn poland_has_one_phase_and_sends_its_limit_three_times() {
    let telegram = only(&p1("EGM5G15
        0-0:1.0.0(260115120010W)
        0-0:96.1.0(48524D3030303131)
        0-0:17.0.0(16500)
        0-0:17.0.0(16500)
        0-0:17.0.0(00000)
        1-0:1.8.0(000100.000*kWh)
        1-0:1.7.0(01.234*kW)"));
    assert_eq!(telegram.import_mw, Some(1_234_000));
    assert_eq!(currents(&telegram), NOTHING);
    assert_eq!(telegram.meter_id.as_deref(), Some("48524D3030303131"));
}

#[test]
fn german_d0_has_periods_unpadded_numbers_and_a_sign() {
    let lines = "ESY5Q3HRM V3.04
        1-0:0.0.0*255(48524D12)
        1-0:1.8.0*255(26107.7034231*kWh)
        1-0:21.7.255*255(199.49*W)
        1-0:41.7.255*255(-38.21*W)
        1-0:61.7.255*255(0.5*W)
        1-0:1.7.255*255(-161.78*W)
        0-0:96.5.5*255(80)
        0-0:96.1.255*255(1HRM48524D)";
    for bytes in [bare(lines), seven_even(&bare(lines))] {
        let telegram = only(&bytes);
        assert_eq!(
            (telegram.import_mw, telegram.export_mw),
            (Some(0), Some(161_780))
        );
        assert_eq!(
            powers(&telegram),
            [
                (Some(199_490), None),
                (Some(0), Some(38_210)),
                (Some(500), None)
            ]
        );
        assert_eq!(telegram.energy_import_mwh, Some(26_107_703_423));
        assert_eq!(telegram.meter_id.as_deref(), Some("1HRM48524D"));
    }
}

#[test]
fn norway_may_send_p1_behind_transformers_as_it_is() {
    let telegram = only(&p1("KAM5
        0-0:1.0.0(260115120010W)
        1-0:1.7.0(0000.100*kW)
        1-0:31.7.0(000.5*A)"));
    assert_eq!(currents(&telegram), [Some((500, 100)), None, None]);
}

#[test]
fn a_crc_is_read_in_every_way_it_is_written() {
    let plain = only(&p1(DSMR_4));
    // A text whose CRC begins with a zero, which some meters leave out.
    let short = (0..10_000)
        .map(|number| format!("{DSMR_4}\n0-0:96.13.1({number})"))
        .find(|lines| arc(&p1_body(lines)) < 0x1000)
        .unwrap();
    let three = ended(&short, |crc| format!("{crc:X}\r\n"));
    assert_eq!(only(&three), plain, "three digits");
    let nul = ended(&short, |crc| format!("{crc:x}\0"));
    assert_eq!(only(&nul), plain, "three digits and NUL");
    let nothing = ended(&short, |crc| format!("{crc:X}"));
    assert_eq!(only(&nothing), plain, "three digits and nothing");
    for (end, what) in [
        ("\r\n", "as it should be"),
        ("\0", "NUL behind"),
        ("", "nothing behind"),
        ("\n", "line feed alone"),
    ] {
        let lower = ended(DSMR_4, |crc| format!("{crc:04x}{end}"));
        assert_eq!(only(&lower), plain, "lower case, {what}");
    }
    assert_eq!(
        refused(&ended(DSMR_4, |crc| format!("{:04X}\r\n", crc ^ 1))),
        Reason::Checksum
    );
}

#[test]
fn lost_carriage_returns_are_put_back_for_both_checksums() {
    for whole in [p1(HUNGARY), x25_ended(HUNGARY)] {
        let copied: Vec<u8> = whole
            .iter()
            .copied()
            .filter(|byte| *byte != b'\r')
            .collect();
        assert_eq!(only(&copied), only(&whole));
        let mut damaged = copied;
        damaged[40] ^= 1;
        assert_eq!(refused(&damaged), Reason::Checksum);
    }
}

#[test]
fn lines_are_read_with_the_habits_of_their_makers() {
    let telegram = only(&p1("HRM5HABITS
        1-0:1.7.0*255 (0001.500*kW)
        1-0:31.7.0(0004*A)(0005*A)
        1-0:51.7.0 (  0006.5 * a )
        1-0:71.7.0(7000*mA)
        1-0:71.7.0(8000*mA)
        1-0:32.7.0(230*v)
        1-0:3.7.0(1.5*KVAR)
        1-0:1.8.0
        (00012.5*kWh)
        no code at all
        (00001.001)"));
    assert_eq!(telegram.import_mw, Some(1_500_000));
    assert_eq!(
        currents(&telegram),
        [
            Some((4000, 1000)),
            Some((6500, 100)),
            // The last of two counts.
            Some((8000, 1))
        ]
    );
    assert_eq!(voltages(&telegram)[0], Some(230_000));
    assert_eq!(telegram.import_mvar, Some(1_500_000));
}

#[test]
fn malformed_codes_and_values_are_skipped_where_a_crc_vouches() {
    let broken = [
        "1-0:4:24.7.0(1*kW)",
        "1-0:99:97.0(1*kW)",
        "1,0:1.7.0(9.999*kW)",
        "1)0:1.7.0(9.999*kW)",
        "1-0:1.7.0.0(9.999*kW)",
        "1-0:1.7(9.999*kW)",
        "1-0:+1.7.0(9.999*kW)",
        "1-0:0001.7.0(9.999*kW)",
        "1-0:257.7.0(9.999*kW)",
        "1-0:7\".3.0(9.999*kW)",
        "1-0:1.7.0(9.999*A)",
        "1-0:1.7.0(9.999)",
        "1-0:1.7.0(9,999*kW)",
        "1-0:1.7.0(*kW)",
        "1-0:1.7.0(9.999*kW",
        "1-0:1.7.0()",
        "1-0:1.7.0(99999999999999999999*kW)",
    ];
    for line in broken {
        let telegram = only(&p1(&format!("HRM5\\X\n1-0:1.7.0(0.500*kW)\n{line}")));
        assert_eq!(telegram.import_mw, Some(500_000), "{line}");
        // Without a CRC a line outside the grammar is a damaged line.
        let bytes = bare(&format!("HRM5\\X\n1-0:1.7.0(0.500*kW)\n{line}"));
        assert_eq!(refused(&bytes), Reason::Malformed, "{line}");
    }
}

#[test]
fn without_a_crc_the_values_must_be_possible() {
    for (from, to) in [
        ("00234.6*V", "00334.6*V"),
        ("00234.6*V", "00134.6*V"),
        ("00009*A", "00209*A"),
        ("00009*A)", "00009*A)("),
        ("00009*A)", "00009*A))"),
        ("00009*A)", "00009*A)1-0"),
    ] {
        let lines = SLOVENIA.replace(from, to);
        assert_ne!(lines, SLOVENIA);
        assert_eq!(refused(&bare(&lines)), Reason::Malformed, "{to}");
    }
    // A conductor that is not there.
    let lines = SLOVENIA.replace("00234.6*V", "00000.0*V");
    assert_eq!(voltages(&only(&bare(&lines)))[0], Some(0));
    // With a CRC they are handed on: whether they can be is asked where the fuse is known.
    let lines = SLOVENIA.replace("00234.6*V", "00334.6*V");
    assert_eq!(voltages(&only(&p1(&lines)))[0], Some(334_600));
}

#[test]
fn without_a_crc_a_telegram_of_a_kind_that_has_one_is_refused() {
    for lines in [DSMR_4, SWEDEN] {
        assert_eq!(refused(&bare(lines)), Reason::NoChecksum);
    }
    let found = items(&[p1(HUNGARY), bare(DSMR_2)].concat());
    assert!(
        matches!(
            found.as_slice(),
            [Item::Telegram(_), Item::Rejected(rejected)] if rejected.reason == Reason::NoChecksum
        ),
        "one CRC was seen: {found:?}"
    );
}

#[test]
fn a_telegram_that_was_cut_gives_way_to_the_next() {
    for whole in [
        p1(DSMR_4),
        p1(HUNGARY),
        bare(DSMR_2),
        seven_even(&bare(SLOVENIA)),
    ] {
        let expected = only(&whole);
        for cut in 1..whole.len() - 2 {
            let stream = [&whole[..cut], &whole].concat();
            let found = telegrams(&stream);
            assert_eq!(found.last(), Some(&expected), "cut at {cut}");
            assert!(
                found.iter().all(|telegram| *telegram == expected),
                "cut at {cut}"
            );
        }
    }
}

#[test]
fn a_mark_ends_a_telegram_at_the_beginning_of_a_line_only() {
    let lines = "HRM5!1234
        0-0:96.13.0(3F!ABCD)
        1-0:1.7.0(01.193*kW)
        note !FFFF";
    let telegram = only(&p1(lines));
    assert_eq!(telegram.meter_model.as_deref(), Some("HRM5!1234"));
    assert_eq!(telegram.import_mw, Some(1_193_000));
}

#[test]
fn telegrams_come_whole_out_of_any_chunks() {
    let stream = [p1(HUNGARY), seven_even(&p1(HUNGARY)), p1(HUNGARY)].concat();
    for size in 1..=7 {
        let mut decoder = Decoder::new(&Options::default());
        let count = stream
            .chunks(size)
            .flat_map(|chunk| decoder.push(chunk))
            .filter(|item| matches!(item, Item::Telegram(_)))
            .count();
        assert_eq!(count, 3, "chunks of {size}");
    }
}

#[test]
fn clocks_that_cannot_be_are_none_and_cost_nothing_else() {
    for time in [
        "632525252525S",
        "000000000000W",
        "260115120010X1",
        "",
        "2026-01-15",
    ] {
        let telegram = only(&p1(&DSMR_4.replace("260715120010S", time)));
        assert_eq!(clock(&telegram), "none", "{time}");
        assert_eq!(telegram.import_mw, Some(1_193_000));
    }
    let odd = only(&p1(&DSMR_4.replace("260715120010S", "000101000000W")));
    assert_eq!(clock(&odd), "2000-01-01T00:00:00+01:00");
}

#[test]
fn ids_and_headers_beyond_any_meter_are_not_kept() {
    let long = "31".repeat(70);
    let lines = DSMR_4.replace("48524D3030303034", &long);
    assert_eq!(only(&p1(&lines)).meter_id, None);
    let lines = DSMR_4.replace("HRM5\\FOUR", &format!("HRM5{long}"));
    assert_eq!(only(&p1(&lines)).meter_model.unwrap().len(), 96);
}

#[test]
fn a_copied_telegram_beyond_its_bound_is_refused() {
    let texts = "0-0:96.13.0(3F3F)\n".repeat(700);
    let lines = format!("{DSMR_4}\n{texts}");
    assert!(p1(&lines).len() > 12 * 1024);
    assert_eq!(only(&p1(&lines)).import_mw, Some(1_193_000));
    assert_eq!(refused(&seven_even(&p1(&lines))), Reason::TooLong);
}

#[test]
fn a_value_that_cannot_be_is_refused() {
    let impossible = [
        "1-0:31.7.0(-001*A)",
        "1-0:51.7.0(-0.01*A)",
        "1-0:32.7.0(-230.1*V)",
        "1-0:1.8.1(-000123.456*kWh)",
        "1-0:2.8.0(-000123.456*kWh)",
        "1-0:2.7.0(-00.100*kW)",
        "1-0:22.7.0(-00.100*kW)",
    ];
    for line in impossible {
        let lines = format!("HRM5\\X\n1-0:1.7.0(00.500*kW)\n{line}");
        for bytes in [p1(&lines), bare(&lines)] {
            let mut decoder = Decoder::new(&Options::default());
            let mut found = decoder.push(&bytes);
            found.extend(decoder.finish());
            assert!(
                matches!(
                    found.as_slice(),
                    [Item::Rejected(rejected)] if rejected.reason == Reason::Impossible
                ),
                "{line}: {found:?}"
            );
        }
    }
    assert_eq!(Reason::Impossible.code(), "impossible");
    assert_eq!(Reason::Impossible.to_string(), "a value that cannot be");
    // Minus nothing is nothing, and registers with a sign have one.
    for line in [
        "1-0:31.7.0(-0*A)",
        "1-0:16.7.0(-000500*W)",
        "1-0:36.7.0(-000500*W)",
    ] {
        only(&p1(&format!("HRM5\\X\n1-0:1.8.0(000500.0*kWh)\n{line}")));
    }
}

//! The current of L2 rebuilt from captures of three-wire meters that do send it, by hiding it.

use headroom_codec::{Decoder, Item, Options, Telegram};
use headroom_core::it::ThreeWire;
use headroom_core::units::{Milliamps, Millivolts, Vars, Watts};
use headroom_tests::program;
use std::fs;

/// Captures of meters on three wires that send all three currents.
const THREE_WIRE: [&str; 5] = [
    "no-kaifa-it-list2.hex",
    "no-kaifa-it-stream-b.hex",
    "no-kaifa-list-3.hex",
    "xx-kamstrup-10s.hex",
    "xx-kamstrup-1h.hex",
];
/// Meters send 0 V for the pair that they do not measure.
const NO_VOLTAGE_BELOW_MV: i64 = 100_000;

/// What such a meter would say without I2, and the I2 that it sent.
fn hidden(telegram: &Telegram) -> Option<(ThreeWire, Milliamps)> {
    let [l1, l2, l3] = telegram.phases;
    let watts = |milli: i64| milli / 1000;
    Some((
        ThreeWire {
            l1: Milliamps(l1.current_ma?),
            l3: Milliamps(l3.current_ma?),
            u12: Millivolts(l1.voltage_mv?),
            u32: Millivolts(l3.voltage_mv?),
            u13: l2
                .voltage_mv
                .filter(|mv| *mv >= NO_VOLTAGE_BELOW_MV)
                .map(Millivolts),
            power: Watts(watts(telegram.import_mw? - telegram.export_mw.unwrap_or(0))),
            reactive: Vars(watts(
                telegram.import_mvar? - telegram.export_mvar.unwrap_or(0),
            )),
        },
        Milliamps(l2.current_ma?),
    ))
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap())
        .collect()
}

#[test]
fn the_missing_line_is_never_far_below_what_the_meter_sent() {
    let Some(folder) = program::corpus() else {
        return;
    };
    println!("capture                        I1     I3   I2 sent  rebuilt  I1+I3");
    let mut errors: Vec<f64> = Vec::new();
    for name in THREE_WIRE {
        let bytes = from_hex(&fs::read_to_string(folder.join(name)).unwrap());
        for item in Decoder::new(&Options::default()).push(&bytes) {
            let Item::Telegram(telegram) = item else {
                continue;
            };
            let Some((said, sent)) = hidden(&telegram) else {
                continue;
            };
            let most = said.l1 + said.l3;
            let rebuilt = said.l2().unwrap_or(most);
            println!(
                "{name:28} {:>6.3} {:>6.3} {:>8.3} {:>8.3} {:>6.3}",
                said.l1.to_f64(),
                said.l3.to_f64(),
                sent.to_f64(),
                rebuilt.to_f64(),
                most.to_f64()
            );
            errors.push((rebuilt - sent).to_f64());
        }
    }
    errors.sort_by(f64::total_cmp);
    let mean = errors.iter().sum::<f64>() / f64::from(u32::try_from(errors.len()).unwrap());
    let lowest = errors[errors.len() / 100];
    println!(
        "{} readings: mean excess {mean:.2} A, first percentile {lowest:.2} A",
        errors.len()
    );
    assert!(errors.len() >= 7);
    assert!(lowest >= -1.5, "{lowest}");
    assert!(mean <= 1.0, "{mean}");
}

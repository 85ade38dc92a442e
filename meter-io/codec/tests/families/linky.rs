//! What Linky sends beside whole amperes.

use super::*;

#[test]
fn apparent_power_of_each_phase_is_kept_beside_whole_amperes() {
    let telegram = only(&tic(
        true,
        &[
            ("ADSC", None, "012345678910"),
            ("IRMS1", None, "001"),
            ("IRMS2", None, "002"),
            ("IRMS3", None, "000"),
            ("URMS1", None, "230"),
            ("SINSTS", None, "00999"),
            ("SINSTS1", None, "00263"),
            ("SINSTS2", None, "00510"),
            ("SINSTS3", None, "00099"),
        ],
    ));
    let apparent = telegram.phases.map(|phase| phase.apparent_mva);
    assert_eq!(apparent, [Some(263_000), Some(510_000), Some(99_000)]);
    assert_eq!(currents(&telegram), [Some(1000), Some(2000), Some(0)]);
    let line = serde_json::to_string(&telegram).unwrap();
    assert!(!line.contains("apparent"), "{line}");
}

#[test]
fn the_total_is_the_phase_of_a_single_phase_meter_only() {
    let groups = [
        ("ADSC", None, "012345678910"),
        ("IRMS1", None, "001"),
        ("URMS1", None, "242"),
        ("SINSTS", None, "00263"),
    ];
    let single = only(&tic(true, &groups));
    assert_eq!(single.phases[0].apparent_mva, Some(263_000));
    let mut three = groups.to_vec();
    three.insert(2, ("IRMS2", None, "002"));
    let telegram = only(&tic(true, &three));
    assert_eq!(telegram.phases[0].apparent_mva, None);
}

#[test]
fn short_frames_of_an_overload_are_read() {
    let telegram = only(&tic(
        false,
        &[
            ("ADIR1", None, "034"),
            ("ADIR2", None, "029"),
            ("ADIR3", None, "031"),
            ("ADCO", None, "012345678910"),
            ("IINST1", None, "034"),
            ("IINST2", None, "029"),
            ("IINST3", None, "031"),
        ],
    ));
    assert_eq!(
        currents(&telegram),
        [Some(34_000), Some(29_000), Some(31_000)]
    );
    assert_eq!(telegram.phases[0].current_step_ma, Some(1000));
}

#[test]
fn an_interrupted_frame_is_cut_and_the_next_one_read() {
    let groups = [("ADCO", None, "012345678910"), ("IINST", None, "012")];
    let frame = tic(false, &groups);
    for cut in 3..frame.len() - 1 {
        let stream = [&frame[..cut], &[0x04], &frame].concat();
        assert_eq!(
            outcomes(items(&keys(), &stream)),
            [Some(Reason::Cut), None],
            "at {cut}"
        );
    }
}

#[test]
fn a_damaged_group_never_makes_a_single_phase_meter_of_three() {
    let groups = [
        ("ADSC", None, "012345678910"),
        ("IRMS1", None, "001"),
        ("IRMS2", None, "002"),
        ("IRMS3", None, "003"),
    ];
    let frame = tic(true, &groups);
    for at in 0..frame.len() {
        // The faults that Linky lines show: a line feed becomes something like it.
        for damage in [0x01, 0x04, 0x05] {
            let mut bytes = frame.clone();
            bytes[at] ^= damage;
            for telegram in telegrams(&bytes) {
                assert_eq!(currents(&telegram), [Some(1000), Some(2000), Some(3000)]);
            }
        }
    }
}

const HISTORIQUE: [(&str, Option<&str>, &str); 6] = [
    ("ADCO", None, "012345678910"),
    ("HCHC", None, "013817000"),
    ("HCHP", None, "020000000"),
    ("ADPS", None, "034"),
    ("IINST", None, "007"),
    ("PAPP", None, "01600"),
];

const STANDARD: [(&str, Option<&str>, &str); 9] = [
    ("ADSC", None, "012345678910"),
    ("DATE", Some("H260115120010"), ""),
    ("EAST", None, "013817013"),
    ("EAIT", None, "000000042"),
    ("IRMS1", None, "001"),
    ("IRMS2", None, "002"),
    ("IRMS3", None, "003"),
    ("URMS1", None, "230"),
    ("SINSTS1", None, "00263"),
];

#[test]
fn no_single_bit_changes_what_a_frame_says() {
    for (standard, groups) in [(false, &HISTORIQUE[..]), (true, &STANDARD[..])] {
        let frame = tic(standard, groups);
        let whole = only(&frame);
        for at in 0..frame.len() {
            for bit in 0..8 {
                let mut bytes = frame.clone();
                bytes[at] ^= 1 << bit;
                for telegram in telegrams(&bytes) {
                    assert_eq!(telegram, whole, "bit {bit} of byte {at}");
                }
            }
        }
    }
}

#[test]
fn the_rest_of_a_frame_is_none() {
    for (standard, groups) in [(false, &HISTORIQUE[..]), (true, &STANDARD[..])] {
        for first in 1..groups.len() {
            let rest = tic(standard, &groups[first..]);
            assert!(telegrams(&rest).is_empty(), "from group {first} on");
            let broken = [&[0x02, b'\r'], &rest[1..]].concat();
            assert!(telegrams(&broken).is_empty(), "from group {first} on");
        }
        let frame = tic(standard, groups);
        let captured = [&[0x02, b'\r'], &frame[1..]].concat();
        assert_eq!(telegrams(&captured).len(), 1);
        // Byte by byte the first label is waited for.
        let mut decoder = Decoder::new(&keys());
        let found: Vec<Item> = frame
            .iter()
            .flat_map(|byte| decoder.push(&[*byte]))
            .collect();
        assert_eq!(outcomes(found), [None]);
    }
}

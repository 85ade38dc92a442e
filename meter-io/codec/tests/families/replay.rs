//! The frame counters of ciphered telegrams.

use super::*;
use headroom_codec::FrameCounters;

/// Writes a telegram of a system title with a frame counter.
type Port = fn([u8; 8], u32) -> Vec<u8>;

/// The keys that a port needs.
fn keys_of(name: &str) -> Options {
    Options {
        auth_key: keys().auth_key.filter(|_| !name.contains("untagged")),
        ..keys()
    }
}

/// The same telegram in each kind of ciphered port.
fn ports() -> Vec<(&'static str, Port)> {
    vec![
        ("p1", |title, counter| {
            cipher(&p1(LINES), 0x30, title, counter)
        }),
        ("hdlc", |title, counter| {
            hdlc(&KAMSTRUP, &cipher(&kamstrup_apdu(3), 0x30, title, counter))
        }),
        ("mbus untagged", |title, counter| {
            mbus(&cipher(&kamstrup_apdu(3), 0x20, title, counter), 240)
        }),
        ("blocks", |title, counter| {
            blocks(&cipher(&kamstrup_apdu(3), 0x30, title, counter), 100).concat()
        }),
    ]
}

#[test]
fn a_counter_that_does_not_rise_is_refused() {
    for (name, port) in ports() {
        let mut decoder = Decoder::new(&keys_of(name));
        let mut push = |counter| outcomes(decoder.push(&port(TITLE, counter)));
        assert_eq!(push(7), [None], "{name}");
        assert_eq!(push(7), [Some(Reason::Replayed)], "{name}, the same");
        assert_eq!(push(6), [Some(Reason::Replayed)], "{name}, a lower one");
        assert_eq!(push(u32::MAX), [None], "{name}, a higher one");
        assert_eq!(push(8), [Some(Reason::Replayed)], "{name}, lower again");
    }
}

#[test]
fn a_capture_may_repeat_a_telegram_but_not_go_back() {
    for (name, port) in ports() {
        let mut decoder = Decoder::new(&Options {
            capture: true,
            ..keys_of(name)
        });
        let mut push = |counter| outcomes(decoder.push(&port(TITLE, counter)));
        assert_eq!(push(7), [None], "{name}");
        assert_eq!(push(7), [None], "{name}, the same");
        assert_eq!(push(6), [Some(Reason::Replayed)], "{name}, a lower one");
    }
}

#[test]
fn each_meter_has_its_own_counter_and_a_new_connection_forgets_none() {
    for (name, port) in ports() {
        let mut decoder = Decoder::new(&keys_of(name));
        assert_eq!(outcomes(decoder.push(&port(TITLE, 900))), [None], "{name}");
        decoder.reset();
        let found = outcomes(decoder.push(&port(TITLE, 899)));
        assert_eq!(found, [Some(Reason::Replayed)], "{name}");
        let found = outcomes(decoder.push(&port(OTHER, 1)));
        assert_eq!(found, [None], "{name}, another meter");
        let found = outcomes(decoder.push(&port(TITLE, 900)));
        assert_eq!(found, [Some(Reason::Replayed)], "{name}, the first again");
    }
}

#[test]
fn the_memory_is_of_the_titles_heard_last() {
    let (_, port) = ports()[0];
    let mut decoder = Decoder::new(&keys());
    let mut push = |last: u8, counter| {
        let title = [b'H', b'R', b'M', 0, 0, 0, 0, last];
        outcomes(decoder.push(&port(title, counter)))
    };
    for last in 0..4 {
        assert_eq!(push(last, 9), [None]);
    }
    assert_eq!(push(0, 9), [Some(Reason::Replayed)]);
    for last in 4..100 {
        assert_eq!(push(last, 9), [None]);
    }
    assert_eq!(push(99, 9), [Some(Reason::Replayed)]);
    assert_eq!(push(0, 9), [None], "forgotten");
}

#[test]
fn a_counter_that_did_not_open_counts_for_nothing() {
    for (name, port) in ports() {
        let mut decoder = Decoder::new(&keys_of(name));
        let mut high = port(TITLE, 7);
        // The first byte of the counter, of a frame whose checksums are then wrong, or right.
        let at = high.windows(4).position(|four| four == [0, 0, 0, 7]);
        high[at.unwrap()] = 0xFF;
        decoder.push(&high);
        decoder.reset();
        assert_eq!(outcomes(decoder.push(&port(TITLE, 8))), [None], "{name}");
    }
    let wrong = Options {
        key: Some("FF0102030405060708090A0B0C0D0E0F".parse().unwrap()),
        ..keys()
    };
    let untagged = hdlc(&KAMSTRUP, &cipher(&kamstrup_apdu(3), 0x20, TITLE, 9));
    let twice = [&untagged[..], &untagged].concat();
    assert_eq!(
        outcomes(items(&wrong, &twice)),
        [Some(Reason::WrongKey), Some(Reason::WrongKey)]
    );
}

#[test]
fn with_an_authentication_key_no_telegram_is_heard_without_a_tag() {
    let list = |security, counter| {
        hdlc(
            &KAMSTRUP,
            &cipher(&kamstrup_apdu(3), security, TITLE, counter),
        )
    };
    let of = |options: &Options| {
        let mut decoder = Decoder::new(options);
        move |security, counter| outcomes(decoder.push(&list(security, counter)))
    };
    let mut live = of(&keys());
    assert_eq!(live(0x20, 1), [Some(Reason::NoTag)], "the very first");
    assert_eq!(live(0x30, 1), [None], "its counter counts for nothing");
    assert_eq!(live(0x20, 2), [Some(Reason::NoTag)]);
    // Without the authentication key no tag is checked, and none is asked for.
    let mut keyless = of(&Options {
        auth_key: None,
        ..keys()
    });
    assert_eq!(keyless(0x30, 1), [None]);
    assert_eq!(keyless(0x20, 2), [None]);
    // A capture may hold both kinds, and each telegram says which it is.
    let mut capture = of(&Options {
        capture: true,
        ..keys()
    });
    assert_eq!(capture(0x30, 1), [None]);
    assert_eq!(capture(0x20, 2), [None]);
    assert_eq!(Reason::NoTag.code(), "no_tag");
    assert!(Reason::NoTag.to_string().contains("tag"));
}

#[test]
fn counters_from_before_count_too() {
    for (name, port) in ports() {
        let mut first = Decoder::new(&keys_of(name));
        let heard = first.push(&port(TITLE, 7)).pop();
        let Some(Item::Telegram(telegram)) = heard else {
            panic!("{name}: {heard:?}");
        };
        let mut counters = FrameCounters::default();
        counters.heard(telegram.frame_counter.unwrap());
        // As after a restart.
        let mut decoder = Decoder::new(&Options {
            counters: counters.to_string().parse().unwrap(),
            ..keys_of(name)
        });
        let mut push = |title, counter| outcomes(decoder.push(&port(title, counter)));
        assert_eq!(push(TITLE, 7), [Some(Reason::Replayed)], "{name}");
        assert_eq!(push(OTHER, 1), [None], "{name}, another meter");
        assert_eq!(push(TITLE, 8), [None], "{name}");
    }
}

#[test]
fn the_reason_says_what_happened() {
    assert_eq!(Reason::Replayed.code(), "replayed");
    assert!(Reason::Replayed.to_string().contains("frame counter"));
}

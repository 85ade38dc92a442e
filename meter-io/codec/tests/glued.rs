//! Captured telegrams of real meters in streams: of one meter for long, and of one meter behind another.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod captures;

use captures::{Case, Random, cases, decode, single};
use headroom_codec::{Options, Protocol, Telegram};

/// Whether `found` are some of `whole`, in their order.
fn are_some_of(found: &[Telegram], whole: &[Telegram]) -> bool {
    let mut rest = whole.iter();
    found
        .iter()
        .all(|telegram| rest.any(|other| other == telegram))
}

#[test]
fn captured_streams_lose_only_what_was_damaged_or_cut() {
    let mut random = Random(3);
    for case in cases() {
        let whole = decode(&case.options, &case.bytes);
        if whole.len() < 2 {
            continue;
        }
        for _ in 0..50 {
            let (head, tail) = case.bytes.split_at(random.below(case.bytes.len()));
            let (before, behind) = (decode(&case.options, head), decode(&case.options, tail));
            assert!(
                whole.starts_with(&before) && whole.ends_with(&behind),
                "{} cut at {}",
                case.name,
                head.len()
            );
            assert!(
                before.len() + behind.len() + 1 >= whole.len(),
                "{} cut at {} lost more than one",
                case.name,
                head.len()
            );
        }
        for _ in 0..100 {
            let mut bytes = case.bytes.clone();
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
            let found = decode(&case.options, &bytes);
            assert!(
                are_some_of(&found, &whole) && found.len() + 2 >= whole.len(),
                "{} flipped in byte {at}: {} of {}",
                case.name,
                found.len(),
                whole.len()
            );
        }
    }
}

/// Options for two captures in one stream; `None` if each needs a key of its own.
fn options_of_both(first: &Case, second: &Case) -> Option<Options> {
    let one = |first: &Option<_>, second: &Option<_>| match (first, second) {
        (Some(first), Some(second)) if first != second => None,
        (first, second) => Some(first.clone().or_else(|| second.clone())),
    };
    Some(Options {
        key: one(&first.options.key, &second.options.key)?,
        auth_key: one(&first.options.auth_key, &second.options.auth_key)?,
        ..first.options.clone()
    })
}

#[test]
fn a_telegram_behind_that_of_another_meter_is_decoded_as_alone() {
    let mut random = Random(5);
    let all: Vec<(Case, Telegram)> = single(cases()).collect();
    for (first, one) in &all {
        for (second, other) in &all {
            let Some(options) = options_of_both(first, second) else {
                continue;
            };
            let names = format!("{} and {}", first.name, second.name);
            let same = |found: &Telegram, alone: &Telegram| {
                Telegram {
                    authenticated: alone.authenticated,
                    ..found.clone()
                } == *alone
            };
            let glued = decode(&options, &[&first.bytes[..], &second.bytes].concat());
            // A line that has shown a checksum must keep it.
            let clear_p1 =
                |telegram: &Telegram| telegram.protocol == Protocol::P1 && !telegram.encrypted;
            let loses_checksum =
                clear_p1(one) && clear_p1(other) && first.checked && !second.checked;
            match glued.as_slice() {
                [found] => assert!(loses_checksum && same(found, one), "{names}: {found:?}"),
                [a, b] => assert!(
                    !loses_checksum && same(a, one) && same(b, other),
                    "{names}: {glued:?}"
                ),
                _ => panic!("{names}: {} telegrams", glued.len()),
            }
            // What was cut of one may swallow the next of another, but not all that follow, and nothing wrong comes out.
            if !(first.checked && second.checked) {
                continue;
            }
            let cut = &first.bytes[..random.below(first.bytes.len())];
            let stream = [cut, &second.bytes.repeat(3)].concat();
            let found = decode(&options, &stream);
            assert!(
                found
                    .iter()
                    .all(|found| same(found, one) || same(found, other)),
                "{names} cut at {}: {found:?}",
                cut.len()
            );
            assert!(
                found.iter().any(|found| same(found, other)),
                "{names} cut at {}: not found",
                cut.len()
            );
        }
    }
}

//! Profiles that cannot be used say why.

use super::*;

const GOOD: &str = r#"
title = "A charger"
kind = "charger"
[params.key]
text = "its key"
[requests.ask]
method = "GET"
path = "/ask"
[requests.set]
method = "POST"
path = "/set/{{ key }}"
headers = { X-Key = "{{ key }}" }
body = '{"a": {{ a }}, "key": {{ key }}}'
[read]
ask = ["ask"]
limit_a = ".ask.limit"
[limit]
ask = ["set"]
pause = ["set"]
min_a = 6
max_a = 16
step_a = 0.5
[pace]
gap_s = 2
writes_per_day = 100
[safety]
on_loss = "keeps"
text = "Keeps it."
"#;

#[test]
fn what_cannot_be_right_is_told_with_its_place() {
    assert!(Profile::new(GOOD).is_ok());
    for (good, bad, says) in [
        ("title", "titel", "unknown field `titel`"),
        (
            "kind = \"charger\"",
            "kind = \"car\"",
            "unknown variant `car`",
        ),
        (
            "kind = \"charger\"",
            "kind = \"relay\"",
            "a relay has [switch]",
        ),
        (
            "limit_a = \".ask.limit\"",
            "limit_a = \".ask.\"",
            "read.limit_a",
        ),
        (
            "limit_a = \".ask.limit\"",
            "energy_kwh = \".ask.limit\"",
            "must be read back",
        ),
        (
            "limit_a = \".ask.limit\"",
            "limit_a = \".ask.limit\"\non = \".x\"",
            "a relay has on",
        ),
        (
            "ask = [\"ask\"]",
            "ask = [\"what\"]",
            "read.ask: there is no request \"what\"",
        ),
        ("ask = [\"set\"]", "ask = []", "limit.ask: names no request"),
        ("\"GET\"", "\"get\"", "requests.ask.method: must be GET"),
        ("\"GET\"", "\"CONNECT\"", "requests.ask.method: must be GET"),
        ("\"/ask\"", "\"ask\"", "requests.ask.path"),
        ("\"/ask\"", "\"http://192.0.2.9/ask\"", "requests.ask.path"),
        ("\"/ask\"", "\"//192.0.2.9/ask\"", "requests.ask.path"),
        ("\"/ask\"", "\"/ask?x=1\"", "requests.ask.path"),
        ("\"/ask\"", "\"/ask\"\nok = \"(\"", "requests.ask.ok"),
        (
            "\"/ask\"",
            "\"/ask\"\nwhen = \"no\"",
            "there is no parameter \"no\"",
        ),
        ("{{ a }}", "{{ ampere }}", "names a value that there is not"),
        (
            "{{ a }}",
            "{% for x in key %}{% endfor %}",
            "must give JSON",
        ),
        (
            "\"key\": {{ key }}",
            "\"key\": \"{{ key }}\"",
            "must give JSON",
        ),
        ("X-Key", "Host", "a header that a profile cannot set"),
        ("X-Key", "\"X Key\"", "a header that a profile cannot set"),
        ("min_a = 6", "min_a = 17", "the least not above the most"),
        (
            "min_a = 6",
            "min_a = nan",
            "limit.min_a: must be a finite number",
        ),
        ("step_a = 0.5", "step_a = 0", "step_a is from"),
        ("max_a = 16", "max_a = 1e9", "from 1 to 500"),
        (
            "gap_s = 2",
            "gap_s = -1",
            "pace.gap_s: must be from 0.5 to 3600",
        ),
        (
            "gap_s = 2",
            "gap_s = inf",
            "pace.gap_s: must be a finite number",
        ),
        ("on_loss = \"keeps\"", "", "missing field `on_loss`"),
        (
            "on_loss = \"keeps\"",
            "on_loss = \"hopes\"",
            "unknown variant `hopes`",
        ),
        (
            "text = \"Keeps it.\"",
            "text = \"Keeps it.\"\nkeep_alive_s = 0",
            "safety.keep_alive_s",
        ),
    ] {
        assert!(GOOD.contains(good), "{good}");
        let error = Profile::new(&GOOD.replacen(good, bad, 1)).unwrap_err();
        assert!(error.to_string().contains(says), "{bad}: {error}");
    }
    assert!(matches!(
        Profile::new(&"#".repeat(MAX_PROFILE + 1)),
        Err(ProfileError::TooLong)
    ));
}

#[test]
fn limits_are_rounded_down_and_never_up() {
    let profile = Profile::new(GOOD).unwrap();
    let limit = profile.limit.unwrap();
    for (told, want) in [
        (6_000, Some(6_000)),
        (6_499, Some(6_000)),
        (6_500, Some(6_500)),
        (15_999, Some(15_500)),
        (99_999, Some(16_000)),
        (5_999, None),
        (0, None),
        (-1, None),
    ] {
        assert_eq!(limit.fit(Milliamps(told)), want.map(Milliamps), "{told}");
    }
}

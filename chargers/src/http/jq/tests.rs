//! The jq of profiles: what it can, what it cannot, and that nothing makes it panic.

use serde_json::{Value, json};

use super::{Jq, JqError, MAX_PARTS, MAX_PROGRAM};

fn input() -> Value {
    json!({"nrg": [1, 2, 3, 4, 5.5, -6, null], "car": 2, "amp": "16", "on": true, "deep": {"a b": [{"x": 1}]}})
}

fn first(program: &str) -> Result<Option<Value>, JqError> {
    Jq::new(program)?.first(&input())
}

#[test]
fn what_profiles_need() {
    for (program, want) in [
        (".nrg[4:7]", json!([5.5, -6, null])),
        (".nrg[-2]", json!(-6)),
        (".nrg[:-5]", json!([1, 2])),
        (".nrg[1.9]", json!(2)),
        (".amp | tonumber / 10", json!(1.6)),
        (".amp | tonumber", json!(16)),
        (
            r#"{"1": "a", "2": "b"}[.car | tostring] // "c""#,
            json!("b"),
        ),
        (r#"{"1": "a"}[.car | tostring] // "c""#, json!("c")),
        ("if .on then .car else 0 end", json!(2)),
        (".deep[\"a b\"][0].x", json!(1)),
        ("[.nrg[] | select(. != null and . > 3)] | add", json!(9.5)),
        (".nrg | map(. // 0) | length", json!(7)),
        (".car as $c | .nrg[$c]", json!(3)),
        ("(.amp | ascii_downcase) + \"x\"", json!("16x")),
        (".missing.far.away // .car", json!(2)),
        ("[.nrg[0] / 3 | floor, 2.5 | round]", json!([0.0, 3.0])),
        (".amp | fromjson", json!(16)),
        ("[.nrg[:3] | all(. > 0), any(. > 2)]", json!([true, true])),
        ("\"\\(.car) of \\(.nrg[0])\"", json!("2 of 1")),
        ("-.car", json!(-2.0)),
        (".amp | tonumber? // 3", json!(16)),
        (".on | tonumber? // 3", json!(3)),
        ("[.. | numbers? // empty] | length", json!(0)),
    ] {
        let found = first(program);
        if program.contains("numbers") {
            assert!(found.is_err(), "not there: {program}");
            continue;
        }
        assert_eq!(found, Ok(Some(want)), "{program}");
    }
    for nothing in [
        ".missing",
        ".nrg[99]",
        ".nrg[-99]",
        "empty",
        "null",
        ".nrg[6]",
        "null[1:2]",
    ] {
        assert_eq!(first(nothing), Ok(None), "{nothing}");
    }
}

#[test]
fn what_is_wrong_is_told() {
    for (program, says) in [
        ("if", "term is missing at its end"),
        ("(.a", "closing parenthesis"),
        (".a |", "term"),
        ("foo", "there is no filter `foo` here"),
        ("$x", "there is no variable `$x` here"),
        ("def f: f; f", "a profile has no \"def\""),
        ("import \"a\" as a; .", "a profile has no \"import\""),
        ("label $x | .", "a profile has no \"label\""),
        ("env", "there is no filter `env`"),
        ("input", "there is no filter `input`"),
        ("range(1e9)", "there is no filter `range`"),
        ("repeat(.)", "there is no filter `repeat`"),
        ("recurse", "there is no filter `recurse`"),
        ("until(false; .)", "there is no filter `until`"),
        (".car.x", "cannot index 2 with \"x\""),
        (".amp + 1", "cannot calculate \"16\" + 1"),
        (".car / 0", "cannot calculate 2 / 0"),
        (".car = 3", "cannot change an answer"),
        (".nrg[0] |= 3", "cannot change an answer"),
        (".nrg[1:2] |= [3]", "cannot change an answer"),
        (".on | tonumber", "cannot use true as number"),
        (".amp[0:1]", "array"),
        ("{(.car): 1}", "key of an object"),
    ] {
        let error = first(program).unwrap_err().to_string();
        assert!(error.contains(says), "{program}: {error}");
    }
    for long in [
        " ".repeat(MAX_PROGRAM + 1),
        ".|".repeat(MAX_PARTS + 1) + ".",
    ] {
        assert_eq!(Jq::new(&long).unwrap_err(), JqError::TooLong);
    }
}

#[test]
fn nothing_makes_it_panic_or_grow() {
    // As little stack as a thread of the runtime has.
    let all = || {
        let many = |part: &str| part.repeat(MAX_PROGRAM / part.len());
        let programs = [
            many("("),
            many("["),
            many("{a:"),
            many("-"),
            many(".[0]"),
            many(".a?"),
            many(".|") + ".",
            many("..|") + ".",
            many("if . then "),
            many("\"\\("),
            many(".+") + ".",
            many("not|") + ".",
            many(". as $x|") + ".",
            many(".//") + ".",
            format!("{}.{}", "(".repeat(500), ")".repeat(500)),
            format!("{}.{}", "[".repeat(500), "]".repeat(500)),
            format!("\"aaaaaaaa\"{}", "|.+.".repeat(48)),
            format!("[1]{}", "|.+.".repeat(48)),
            format!("1{}", "|[.,.]".repeat(30)),
            format!("1{}", "|{a:.,b:.}".repeat(18)),
            format!("[.,.]{}", "|map(.,.)".repeat(30)),
            format!("[1{}]", "|(.,.)".repeat(30)),
            format!("1{}", "|(.,.)".repeat(30)),
            "\u{0}".to_owned(),
            "é".to_owned(),
            "1e999".to_owned(),
            ".nrg[1e99]".to_owned(),
            ".nrg[-1e99:1e99]".to_owned(),
            "reduce .nrg[] as $x ([]; . + [$x, $x])".to_owned(),
            "foreach .nrg[] as $x (0; . + 1)".to_owned(),
            "first(.nrg[])".to_owned(),
            "try error catch .".to_owned(),
            "halt".to_owned(),
        ];
        for program in programs {
            if let Ok(jq) = Jq::new(&program) {
                drop(jq.first(&input()));
                drop(jq.first(&Value::Null));
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    thread.spawn(all).unwrap().join().unwrap();
}

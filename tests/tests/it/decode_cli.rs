//! `headroom decode` on captures of real meters, and on what is none.

use std::fs;

use headroom_tests::{
    controller,
    process::Outcome,
    program,
    telegram::{AUTH_KEY, KEY, Security, Values, aidon, families, kaifa, kamstrup, p1},
};
use serde_json::Value;
use tempfile::TempDir;

fn index() -> Vec<(std::path::PathBuf, Value)> {
    let Some(folder) = program::corpus() else {
        return Vec::new();
    };
    let text = fs::read_to_string(folder.join("index.json")).unwrap();
    let index: Vec<Value> = serde_json::from_str(&text).unwrap();
    index
        .into_iter()
        .map(|entry| (folder.join(entry["file"].as_str().unwrap()), entry))
        .collect()
}

fn decode_file(path: &std::path::Path, more: &[&str]) -> Outcome {
    let mut arguments = vec!["decode"];
    arguments.extend(more);
    if path.extension().is_some_and(|extension| extension == "hex") {
        arguments.push("--hex");
    }
    arguments.push(path.to_str().unwrap());
    controller::run(&arguments, b"")
}

fn keys(entry: &Value) -> Vec<&str> {
    let mut arguments = Vec::new();
    for (field, flag) in [("key", "--key"), ("auth_key", "--auth-key")] {
        if let Some(key) = entry[field].as_str() {
            arguments.extend([flag, key]);
        }
    }
    arguments
}

/// Fields that `expected` names agree, numbers by value; others are not compared.
fn agrees(expected: &Value, given: &Value) -> bool {
    match (expected, given) {
        (Value::Object(expected), Value::Object(given)) => expected
            .iter()
            .all(|(field, value)| given.get(field).is_some_and(|given| agrees(value, given))),
        (Value::Array(expected), Value::Array(given)) => {
            expected.len() == given.len() && expected.iter().zip(given).all(|(e, g)| agrees(e, g))
        }
        (Value::Number(expected), Value::Number(given)) => expected.as_f64() == given.as_f64(),
        (expected, given) => expected == given,
    }
}

#[test]
fn captures_of_real_meters_give_what_they_mean() {
    let mut wrong = Vec::new();
    let mut telegrams = 0;
    for (path, entry) in index() {
        let name = entry["file"].as_str().unwrap();
        let outcome = decode_file(&path, &keys(&entry));
        let given = outcome.json_lines();
        let expected = entry["expected"].as_array().unwrap();
        telegrams += given.len();
        let code = if given.is_empty() { 2 } else { 0 };
        if outcome.code != Some(code) {
            wrong.push(format!(
                "{name}: exit code {:?} with {} telegrams",
                outcome.code,
                given.len()
            ));
        }
        if given.is_empty() && outcome.stderr.trim().is_empty() {
            wrong.push(format!(
                "{name}: no telegram, and nothing on standard error"
            ));
        }
        match entry["valid"].as_bool() {
            Some(false) if !given.is_empty() => wrong.push(format!("{name}: gave a telegram")),
            Some(true) if given.len() != expected.len() => {
                wrong.push(format!(
                    "{name}: {} telegrams of {}",
                    given.len(),
                    expected.len()
                ));
            }
            _ => {}
        }
        for (expected, given) in expected.iter().zip(&given) {
            if !agrees(expected, given) {
                wrong.push(format!(
                    "{name}:\n  expected {expected}\n  given    {given}"
                ));
            }
        }
    }
    println!("{telegrams} telegrams decoded");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_wrong_key_gives_no_line_and_says_so() {
    for (path, entry) in index() {
        if entry["key"].is_null() || entry["valid"] != true {
            continue;
        }
        let name = entry["file"].as_str().unwrap();
        let wrong = decode_file(&path, &["--key", "0102030405060708090A0B0C0D0E0F10"]);
        assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(2), ""), "{name}");
        assert!(
            wrong.stderr.contains("encrypted") && wrong.stderr.contains("key"),
            "{name}: {}",
            wrong.stderr
        );
        let none = decode_file(&path, &[]);
        assert_eq!((none.code, none.stdout.as_str()), (Some(2), ""), "{name}");
        assert!(none.stderr.contains("encrypted"), "{name}: {}", none.stderr);
        if entry["auth_key"].is_string() {
            let unproven = decode_file(&path, &["--key", entry["key"].as_str().unwrap()]);
            assert_eq!(unproven.code, Some(0), "{name}: {}", unproven.stderr);
            for line in unproven.json_lines() {
                assert_eq!(
                    (&line["encrypted"], &line["authenticated"]),
                    (&true.into(), &false.into()),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn wrong_usage_exits_with_1() {
    for (arguments, says) in [
        (&["decode", "--protocol", "morse"][..], "morse"),
        (&["decode", "--key", "xyz"], "32 hexadecimal digits"),
        (&["decode", "--key", "0102"], "this has 4"),
        (&["decode", "--auth-key", "0102"], "this has 4"),
        (&["decode", "--frobnicate"], "--frobnicate"),
    ] {
        let outcome = controller::run(arguments, b"");
        assert_eq!(outcome.code, Some(1), "{arguments:?}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(
            outcome.stderr.contains(says),
            "{arguments:?}: {}",
            outcome.stderr
        );
    }
}

/// What is wrong with an input is said in one sentence of the program; `skipped:` lines count what was passed over.
fn sentences(outcome: &Outcome) -> Vec<&str> {
    outcome
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("headroom decode: "))
        .collect()
}

#[test]
fn each_wrong_input_gets_one_sentence_and_its_exit_code() {
    let dir = TempDir::new().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let values = Values::default();
    let missing = dir.path().join("missing").to_str().unwrap().to_owned();
    let folder = dir.path().to_str().unwrap().to_owned();
    let empty = file("empty", b"");
    let plain = file("plain", &aidon::list_2(&values));
    let hex = file("hex", b"7E A0 2A 41");
    let noise = file("noise", &[0x55; 300]);
    let cut_hdlc = file("cut_hdlc", &aidon::list_2(&values)[..100]);
    let cut_p1 = file("cut_p1", &p1::telegram(&values, 0)[..200]);
    let segmented = families().into_iter();
    let segmented = segmented
        .filter(|family| family.name == "iskra segments")
        .map(|family| family.encode(&family.carries.values(&[Some(0x4000_0000)])))
        .next()
        .unwrap();
    let frame = segmented.iter().skip(1).position(|byte| *byte == 0x7E);
    let cut_segments = file("cut_segments", &segmented[..frame.unwrap() + 2]);
    let mut damaged = kaifa::list_2(&values);
    damaged[40] ^= 1;
    let damaged = file("damaged", &damaged);
    for (arguments, code, says) in [
        (vec![missing.as_str()], 1, "there is no file"),
        (vec![&folder], 1, "is a directory"),
        (vec![&empty], 2, "the input is empty"),
        (vec!["--hex", &empty], 2, "the input is empty"),
        (vec!["--hex", &plain], 1, "is no hexadecimal digit"),
        (vec![&hex], 2, "try --hex"),
        (vec![&noise], 2, "nothing in it looks like a telegram"),
        (vec!["--protocol", "sml", &plain], 2, "leave --protocol out"),
        (vec![&cut_hdlc], 2, "cut off"),
        (vec![&cut_p1], 2, "cut off"),
        (vec![&cut_segments], 2, "no message is complete"),
        (vec![&damaged], 2, "the checksum is wrong"),
        (
            vec!["--key", "000102030405060708090A0B0C0D0E0F", &plain],
            0,
            "--key was not needed",
        ),
        (
            vec!["--auth-key", "000102030405060708090A0B0C0D0E0F", &plain],
            0,
            "--auth-key does nothing without --key",
        ),
    ] {
        let outcome = controller::run(&[&["decode"], arguments.as_slice()].concat(), b"");
        assert_eq!(
            outcome.code,
            Some(code),
            "{arguments:?}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout.is_empty(), code != 0, "{arguments:?}");
        let said = sentences(&outcome);
        assert!(
            said.len() == 1 && said[0].contains(says),
            "{arguments:?} says {says:?}: {}",
            outcome.stderr
        );
    }
    for (input, says) in [
        (&b"7E A0 zz"[..], "character 7 is no hexadecimal digit"),
        (b"7E A", "the last byte has one digit only"),
    ] {
        let outcome = controller::run(&["decode", "--hex"], input);
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(
            sentences(&outcome) == [format!("standard input: {says}").as_str()]
                || sentences(&outcome)[0].starts_with(&format!("standard input: {says}")),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn what_a_key_would_solve_is_said_in_one_sentence() {
    let other = "0102030405060708090A0B0C0D0E0F10";
    let mut ciphered = 0;
    for family in families() {
        let name = family.name;
        let both = ["--key", KEY, "--auth-key", AUTH_KEY];
        let fits = match family.security {
            Security::Clear => continue,
            Security::Encrypted => &both[..2],
            Security::Authenticated => &both[..],
        };
        ciphered += 1;
        let telegram = family.encode(&family.carries.values(&[Some(0x4000_0000)]));
        let decode = |keys: &[&str]| controller::run(&[&["decode"], keys].concat(), &telegram);
        let mut wrong = vec![
            (vec![], "encrypted, and there is no key"),
            (vec!["--key", other], "the key does not fit"),
        ];
        if family.security == Security::Authenticated {
            let keys = vec!["--key", KEY, "--auth-key", other];
            wrong.push((keys, "the authentication key does not"));
        }
        for (keys, says) in wrong {
            let outcome = decode(&keys);
            assert_eq!(
                (outcome.code, outcome.stdout.as_str()),
                (Some(2), ""),
                "{name} {keys:?}: {}",
                outcome.stderr
            );
            let said = sentences(&outcome);
            assert!(
                said.len() == 1 && said[0].contains(says),
                "{name} {keys:?}: {}",
                outcome.stderr
            );
        }
        let outcome = decode(fits);
        assert_eq!(outcome.code, Some(0), "{name}: {}", outcome.stderr);
        assert_eq!(sentences(&outcome), [""; 0], "{name}");
        let line = &outcome.json_lines()[0];
        assert_eq!(line["encrypted"], true, "{name}");
        assert_eq!(
            line["authenticated"],
            family.security == Security::Authenticated,
            "{name}"
        );
    }
    assert!(ciphered >= 6, "{ciphered} kinds of ciphered telegrams");
}

#[test]
fn any_bytes_are_accepted_and_give_exit_code_2() {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut noise = Vec::new();
    while noise.len() < 100_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        noise.extend(random.to_be_bytes());
    }
    for input in [
        &b""[..],
        b"\0",
        b"hello\n",
        &[0x7E; 50_000],
        &[b'/'; 50_000],
        &noise,
    ] {
        let outcome = controller::run(&["decode"], input);
        assert_eq!(
            outcome.code,
            Some(2),
            "{} bytes: {}",
            input.len(),
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "");
        assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    }
    // Memory stays bounded on a stream that never ends a telegram.
    let endless = [
        b"/HRT5\\2X\r\n\r\n".as_slice(),
        &b"1-0:1.7.0(0001.000*kW)\r\n".repeat(400_000),
    ]
    .concat();
    let outcome = controller::run(&["decode"], &endless);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
}

#[test]
fn hex_text_ignores_white_space() {
    let telegram = aidon::list_2(&Values::default());
    let hex: Vec<String> = telegram.iter().map(|byte| format!("{byte:02x}")).collect();
    for text in [
        hex.join(""),
        hex.join(" "),
        hex.join("\r\n"),
        hex.join(" \t").to_uppercase(),
    ] {
        let outcome = controller::run(&["decode", "--hex"], text.as_bytes());
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert_eq!(outcome.json_lines().len(), 1);
    }
}

#[test]
fn a_damaged_telegram_is_lost_alone_and_named() {
    let values = Values::default();
    for telegram in [
        aidon::list_2(&values),
        kaifa::list_2(&values),
        kamstrup::list_a(&values),
        p1::telegram(&values, 0),
    ] {
        for at in [telegram.len() / 3, telegram.len() / 2, telegram.len() - 8] {
            let mut damaged = telegram.clone();
            damaged[at] ^= 0x04;
            let cut = &telegram[..at];
            let stream = [&telegram[..], &damaged, &telegram, cut, &telegram].concat();
            let outcome = controller::run(&["decode"], &stream);
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            assert_eq!(outcome.json_lines().len(), 3, "{}", outcome.stderr);
            assert!(
                !outcome.stderr.trim().is_empty(),
                "what was skipped is said"
            );
            let alone = controller::run(&["decode"], &damaged);
            assert_eq!((alone.code, alone.stdout.as_str()), (Some(2), ""));
        }
    }
}

#[test]
fn a_named_protocol_is_the_only_one_that_is_heard() {
    let stream = [
        aidon::list_2(&Values::default()),
        p1::telegram(&Values::default(), 0),
    ]
    .concat();
    for (protocol, heard) in [
        ("auto", vec!["hdlc", "p1"]),
        ("hdlc", vec!["hdlc"]),
        ("p1", vec!["p1"]),
    ] {
        let outcome = controller::run(&["decode", "--protocol", protocol], &stream);
        let given: Vec<_> = outcome
            .json_lines()
            .iter()
            .map(|line| line["protocol"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(given, heard, "{protocol}: {}", outcome.stderr);
    }
    assert_eq!(
        controller::run(&["decode", "--protocol", "sml"], &stream).code,
        Some(2)
    );
}

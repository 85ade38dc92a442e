//! Backup while running, restore that verifies before it replaces, the doctor, diagnostics without secrets, and deaths
//! in the middle of writing.

use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use headroom_tests::{
    api::Api,
    controller::{self, Controller, create_token, free_port},
    house::House,
    process::Outcome,
    pty::MeterPort,
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(30);
/// What the product promises after a death.
const BACK: Duration = Duration::from_secs(5);

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn command(name: &str, file: &Path, data: &Path, more: &[&str]) -> Outcome {
    let arguments = [&[name, text(file), "--data", text(data)], more].concat();
    controller::run(&arguments, b"")
}

/// Sends bytes; answers status and body.
fn post_bytes(api: &Api, path: &str, bytes: &[u8]) -> (u16, Vec<u8>) {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(SOON))
        .build();
    let agent: ureq::Agent = config.into();
    let request = agent.post(api.url(path)).header(
        "authorization",
        format!("Bearer {}", api.token.as_ref().unwrap()),
    );
    let mut answer = request.send(bytes).unwrap();
    let body = answer.body_mut().with_config().limit(1 << 30).read_to_vec();
    (answer.status().as_u16(), body.unwrap())
}

fn names(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(prefix)
        })
        .collect();
    found.sort();
    found
}

/// All that a person sees of a service's data.
fn seen(api: &Api) -> Value {
    let paths = [
        "site",
        "meter",
        "chargers",
        "slow-loads",
        "priorities",
        "users",
        "tokens",
        "config/versions",
    ];
    let all = paths.map(|path| (path.to_owned(), api.get(path).expect(200).json));
    Value::Object(all.into_iter().collect())
}

/// The data in a directory, every file with its bytes.
fn bytes_of(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = names(directory, "").into_iter();
    files
        .map(|path| (path.clone(), fs::read(path).unwrap_or_default()))
        .collect()
}

#[test]
fn a_backup_of_a_running_service_is_put_into_an_empty_directory() {
    let dir = TempDir::new().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("house.tar"));
    let meter = MeterPort::new(&dir.path().join("meter"));
    let source = meter.source();
    let _house = House::new(meter);
    let mut controller = Controller::start(&data, Some(&source));
    controller.configure_site(25.0, &json!({}));
    controller.add_charger("ev1", &json!({"name": "Garage"}));
    let person = json!({"name": "ada", "password": "correct horse battery", "role": "user"});
    drop(controller.api.post("users", &person).expect(201));
    let decided = wait::until("a decision", SOON, || {
        let decisions = controller.decisions();
        (!decisions.is_empty()).then_some(decisions)
    });
    let before = seen(&controller.api);

    let written = command("backup", &file, &data, &[]);
    assert_eq!(written.code, Some(0), "{written:?}");
    assert!(written.stdout.contains("state.db") && written.stdout.contains("journal.db"));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // Nothing is overwritten unasked.
    let again = command("backup", &file, &data, &[]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(command("backup", &file, &data, &["--force"]).code, Some(0));
    assert!(names(dir.path(), "tmp-").is_empty() && names(&data, "tmp-").is_empty());

    // A running service is not pulled from under its feet.
    let refused = command("restore", &file, &data, &[]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("stop the service"),
        "{}",
        refused.stderr
    );
    assert_eq!(seen(&controller.api), before);
    controller.process.kill();

    let empty = dir.path().join("empty");
    let restored = command("restore", &file, &empty, &[]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    controller.data = empty.clone();
    controller.restart();
    assert_eq!(seen(&controller.api), before);
    let login = json!({"name": "ada", "password": "correct horse battery"});
    drop(controller.api.anonymous().post("login", &login).expect(200));
    let known: BTreeSet<_> = controller
        .decisions()
        .iter()
        .map(|it| it["id"].as_i64())
        .collect();
    assert!(decided.iter().all(|it| known.contains(&it["id"].as_i64())));
    assert!(names(&empty, "before-restore-").is_empty());
}

#[test]
fn a_backup_that_is_not_whole_or_newer_is_refused_and_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("house.tar"));
    let mut controller = Controller::start(&data, None);
    controller.configure_site(25.0, &json!({}));
    assert_eq!(command("backup", &file, &data, &[]).code, Some(0));
    let whole = fs::read(&file).unwrap();
    let half = whole.len() / 2;
    let mut flipped = whole.clone();
    // The first page of state.db begins behind the manifest and two headers.
    flipped[2048 + 40] ^= 0xff;
    let newer =
        String::from_utf8_lossy(&whole[512..1024]).replace("\"format\": 1", "\"format\": 9");
    let newer = [&whole[..512], newer.as_bytes(), &whole[1024..]].concat();
    let bad: [(&str, &[u8], &str); 5] = [
        ("truncated", &whole[..half], "too early"),
        ("empty", b"", "shorter than it must be"),
        ("something else", &[b'x'; 4096], "no tar archive"),
        ("flipped", &flipped, "checksum"),
        ("newer", &newer, "newer"),
    ];
    let before = seen(&controller.api);
    for (what, bytes, _) in bad {
        let (status, body) = post_bytes(&controller.api, "restore", bytes);
        assert_eq!(status, 422, "{what}: {}", String::from_utf8_lossy(&body));
    }
    assert_eq!(seen(&controller.api), before);
    assert!(names(&data, "tmp-").is_empty() && names(&data, "restore-").is_empty());
    controller.process.terminate();
    wait::until("its end", SOON, || controller.process.ended());
    let before = bytes_of(&data);
    for (what, bytes, why) in bad {
        let bad = dir.path().join("bad.tar");
        fs::write(&bad, bytes).unwrap();
        let refused = command("restore", &bad, &data, &[]);
        assert_eq!(refused.code, Some(1), "{what}");
        assert!(
            refused.stderr.contains(why) && refused.stderr.contains("nothing was changed"),
            "{what}: {}",
            refused.stderr
        );
        assert_eq!(bytes_of(&data), before, "{what}");
    }
    assert_eq!(
        command("restore", &dir.path().join("none"), &data, &[]).code,
        Some(1)
    );
}

#[test]
fn a_backup_goes_out_and_in_over_the_api_and_the_service_starts_anew() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let mut controller = Controller::start(&data, None);
    // On a port that stays.
    controller.restart();
    controller.configure_site(25.0, &json!({}));
    let (status, backup) = post_bytes(&controller.api, "backup", b"");
    assert_eq!(status, 201);
    let old = seen(&controller.api);
    controller.configure_site(63.0, &json!({}));
    let later = create_token(&data, "later", "viewer");
    assert_ne!(seen(&controller.api), old);

    let viewer = controller.api.with_token(&later);
    assert_eq!(post_bytes(&viewer, "backup", b"").0, 403);
    // The role is asked first; whoever sends much would not be read to the end.
    assert_eq!(post_bytes(&viewer, "restore", &backup[..1024]).0, 403);
    assert_eq!(viewer.get("diagnostics").status, 200);
    assert!(viewer.get("diagnostics").text.contains("ocpp_listen"));

    let id = controller.process.id();
    let mark = controller.process.stderr.mark();
    let said = controller.process.stdout.mark();
    let (status, answer) = post_bytes(&controller.api, "restore", &backup);
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&answer));
    let up = controller.process.stderr.find(mark, SOON, |line| {
        line.contains("Headroom is up").then_some(())
    });
    assert!(up.is_some());
    // Where the page is was said before, once.
    assert_eq!(controller.process.stdout.mark(), said);
    assert_eq!(controller.process.id(), id);
    assert_eq!(seen(&controller.api), old);
    assert_eq!(viewer.get("status").status, 401, "its token came later");
    let aside = names(&data, "before-restore-");
    assert_eq!(aside.len(), 1);
    // What was there can be put back too.
    let kept = controller::run(&["export", "--data", text(&aside[0])], b"");
    assert!(kept.stdout.contains("rating_a = 63"), "{kept:?}");
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let (web, ocpp) = (free_port(), free_port());
    let doctor = |data: &Path, web: u16, ocpp: u16| {
        let (web, ocpp) = (format!("127.0.0.1:{web}"), format!("127.0.0.1:{ocpp}"));
        let arguments = [
            "doctor",
            "--json",
            "--data",
            text(data),
            "--listen",
            &web,
            "--ocpp-listen",
            &ocpp,
        ];
        let outcome = controller::run(&arguments, b"");
        let answer: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
        (outcome.code, answer)
    };
    let problems = |answer: &Value| -> Vec<String> {
        let checks = answer["checks"].as_array().unwrap().iter();
        checks
            .filter(|check| check["state"] == "problem")
            .inspect(|check| assert!(check["to_do"].is_string(), "{check}"))
            .map(|check| format!("{} {}", check["check"], check["text"]))
            .collect()
    };
    // Serial ports of the machine on which the test runs are not its subject.
    let others = |answer: &Value| -> Vec<String> {
        problems(answer)
            .into_iter()
            .filter(|it| !it.contains("serial"))
            .collect()
    };
    let (_, answer) = doctor(&data, web, ocpp);
    assert!(
        others(&answer).is_empty(),
        "before the first start: {answer:#}"
    );

    // Of the running service itself nothing is wrong.
    let controller = Controller::start(&data, None);
    let own = controller
        .api
        .base
        .rsplit_once(':')
        .unwrap()
        .1
        .parse()
        .unwrap();
    let (_, answer) = doctor(&data, own, controller.ocpp_port);
    assert!(others(&answer).is_empty(), "{answer:#}");
    assert!(
        answer.to_string().contains("in use by the running service"),
        "{answer:#}"
    );
    drop(controller);

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken_port = taken.local_addr().unwrap().port();
    let (code, answer) = doctor(&data, taken_port, ocpp);
    assert_eq!((code, &answer["ok"]), (Some(3), &json!(false)));
    assert!(
        problems(&answer)[0].contains("another program listens"),
        "{answer:#}"
    );

    fs::write(data.join("journal.db"), vec![b'x'; 8192]).unwrap();
    for left in ["journal.db-wal", "journal.db-shm"] {
        drop(fs::remove_file(data.join(left)));
    }
    let (code, answer) = doctor(&data, web, ocpp);
    assert_eq!(code, Some(3));
    assert!(
        others(&answer)[0].contains("journal.db is damaged"),
        "{answer:#}"
    );
    let plain = controller::run(&["doctor", "--data", text(&data)], b"");
    assert!(
        plain.stdout.contains("problem  database"),
        "{}",
        plain.stdout
    );
}

#[test]
fn diagnostics_hold_no_secret() {
    const KEY: &str = "C0FFEE00C0FFEE00C0FFEE00C0FFEE00";
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let controller = Controller::start(&data, None);
    controller.configure_site(25.0, &json!({}));
    controller.add_charger("ev1", &json!({}));
    let meter = json!({"source": "mqtt://user:canary-source@127.0.0.1:1/canary-topic", "key": KEY, "auth_key": KEY});
    drop(controller.api.put("meter", &meter).expect(200));
    let relay = json!({"id": "heater", "rated_w": 2000, "phases": ["l1"], "driver":
        {"kind": "shelly_gen2", "host": "127.0.0.1:1", "channel": 0, "password": "canary-relay"}});
    drop(controller.api.post("slow-loads", &relay).expect(201));
    let person = json!({"name": "ada", "password": "canary-person-password", "role": "installer"});
    drop(controller.api.post("users", &person).expect(201));
    let loaded = |status: &Value| (status["loads"].as_array().unwrap().len() == 2).then_some(());
    controller.wait_status("both loads", SOON, loaded);

    let answer = controller.api.get("diagnostics").expect(200);
    let token = controller.api.token.clone().unwrap();
    let secrets = [
        KEY,
        &KEY.to_lowercase(),
        "canary-source",
        "canary-relay",
        "canary-person-password",
        &controller::password("ev1"),
        &token,
    ];
    for secret in secrets {
        assert!(
            !answer.text.contains(secret),
            "{secret} is in {:#}",
            answer.json
        );
    }
    let told = answer.json;
    assert_eq!(told["chargers"][0]["driver"], json!({"kind": "ocpp"}));
    assert_eq!(told["relays"][0]["driver"], json!({"kind": "shelly_gen2"}));
    assert!(
        told["chargers"][0]["capabilities"]["limits"].is_string(),
        "{told:#}"
    );
    assert_eq!(told["databases"][0]["file"], "state.db");
    assert!(told["databases"][1]["bytes"].as_u64().unwrap() > 0);
    assert_eq!(told["journal"]["problem"], Value::Null);
    assert_eq!(told["loop"], json!({"alive": true, "ready": true}));
    assert!(told["system"]["memory_used_bytes"].as_u64().unwrap() > 1_000_000);
    assert!(told["meter"].get("meter_id").is_none());
}

/// What was answered before the death.
#[derive(Default)]
struct Acknowledged {
    margin: u32,
    tokens: BTreeSet<String>,
}

/// Changes the configuration and makes tokens as fast as they are answered, until the service is dead.
fn write_until_dead(api: &Api, round: u32, told: &Mutex<Acknowledged>, end: &AtomicBool) {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(SOON))
        .build();
    let agent: ureq::Agent = config.into();
    let bearer = format!("Bearer {}", api.token.as_ref().unwrap());
    let mut number = told.lock().unwrap().margin;
    while !end.load(Ordering::Relaxed) {
        number += 1;
        let site = json!({"name": format!("House {number}"), "mode": "control",
            "main_fuse": {"rating_a": 25, "characteristic": "gg"}});
        let put = agent.put(api.url("site")).header("authorization", &bearer);
        match put.send(site.to_string()) {
            Ok(answer) => {
                assert_eq!(answer.status(), 200);
                told.lock().unwrap().margin = number;
            }
            Err(_) => return,
        }
        let name = format!("t{round}-{number}");
        // There may be only so many.
        if number.is_multiple_of(20) {
            let token = json!({"name": name, "role": "viewer"}).to_string();
            let post = agent
                .post(api.url("tokens"))
                .header("authorization", &bearer);
            match post.send(token) {
                Ok(answer) if answer.status() == 201 => {
                    told.lock().unwrap().tokens.insert(name);
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

/// `HEADROOM_KILLS` rounds, else 30. Every fifth waits until the service is in control again.
#[test]
fn deaths_while_writing_lose_nothing_that_was_answered() {
    let rounds: u32 = std::env::var("HEADROOM_KILLS").map_or(30, |text| text.parse().unwrap());
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let meter = MeterPort::new(&dir.path().join("meter"));
    let source = meter.source();
    let _house = House::new(meter);
    let mut controller = Controller::start(&data, Some(&source));
    controller.restart();
    controller.configure_site(25.0, &json!({}));
    let told = Arc::new(Mutex::new(Acknowledged::default()));
    let (mut worst_up, mut back) = (Duration::ZERO, Vec::new());
    let mut decided: BTreeSet<i64> = BTreeSet::new();
    let mut random: u32 = 4711;
    for round in 0..rounds {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let after = Duration::from_millis(u64::from(random >> 8) % 400);
        let end = Arc::new(AtomicBool::new(false));
        let writer = {
            let (api, told, end) = (controller.api.clone(), Arc::clone(&told), Arc::clone(&end));
            thread::spawn(move || write_until_dead(&api, round, &told, &end))
        };
        // The moment is the test's own choice: it waits for nothing.
        thread::sleep(after);
        controller.process.kill();
        end.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        let died = Instant::now();
        controller.restart();
        worst_up = worst_up.max(died.elapsed());

        let name = controller.api.get("site").expect(200).json["name"].clone();
        let kept = name
            .as_str()
            .unwrap()
            .trim_start_matches("House ")
            .parse::<u32>()
            .unwrap_or(0);
        let mut told = told.lock().unwrap();
        // One more may have been stored whose answer did not get out.
        assert!(
            (told.margin..=told.margin + 1).contains(&kept),
            "round {round}: {kept} for {}",
            told.margin
        );
        told.margin = kept;
        let tokens = controller.api.get("tokens?limit=500").expect(200).text;
        for token in &told.tokens {
            assert!(
                tokens.contains(&format!("\"{token}\"")),
                "round {round}: {token} is lost"
            );
        }
        let journal = controller.api.get("diagnostics").expect(200).json["journal"].clone();
        assert_eq!(
            (&journal["problem"], &journal["set_aside"]),
            (&Value::Null, &json!(false)),
            "round {round}"
        );
        if round % 5 == 4 || round + 1 == rounds {
            controller.wait_status("control", SOON, |status| {
                let state = status["state"].as_str().unwrap();
                state.starts_with("operating").then_some(())
            });
            back.push(died.elapsed());
            let now: BTreeSet<_> = controller
                .decisions()
                .iter()
                .map(|it| it["id"].as_i64().unwrap())
                .collect();
            assert!(
                decided.is_subset(&now),
                "round {round}: decisions that were shown are lost"
            );
            decided = now;
        }
    }
    let told = told.lock().unwrap();
    back.sort_unstable();
    let (usual, worst) = (back[back.len() / 2], back[back.len() - 1]);
    println!(
        "{rounds} deaths: answering again within {} ms, in control within {} ms, mostly within {} ms, {} changes and {} tokens kept",
        worst_up.as_millis(),
        worst.as_millis(),
        usual.as_millis(),
        told.margin,
        told.tokens.len()
    );
    assert!(worst <= BACK, "{back:?}");
}

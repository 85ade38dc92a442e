use super::*;
use headroom_codec::Protocol;

fn kind(source: &str) -> SourceKind {
    crate::Source::parse(source).unwrap().kind().clone()
}

struct Case {
    status: MeterStatus,
    kind: SourceKind,
    hearing: Hearing,
    line: Option<&'static str>,
    trouble: Option<Trouble>,
    /// Seconds since the trouble.
    trouble_s: u64,
    damage: Damage,
    proven: bool,
    /// Seconds since the link was opened.
    now_s: u64,
}

impl Case {
    fn new(source: &str) -> Self {
        Self {
            status: MeterStatus::new(source.to_owned()),
            kind: kind(source),
            hearing: Hearing::new(),
            line: source.starts_with("serial").then_some("115200 8N1"),
            trouble: None,
            trouble_s: 0,
            damage: Damage::default(),
            proven: true,
            now_s: 60,
        }
    }

    fn after(&self, seconds: u64) -> Instant {
        self.hearing.opened + Duration::from_secs(seconds)
    }

    fn bytes(mut self, bytes: u64, high: u64) -> Self {
        self.hearing.trial = Some(self.after(1));
        (self.hearing.trial_bytes, self.hearing.trial_high) = (bytes, high);
        self
    }

    /// Telegrams with power until now, with currents until `currents_s`.
    fn telegrams(mut self, currents_s: Option<u64>) -> Self {
        self.hearing.first_good = Some(self.after(1));
        self.hearing.last_good = Some(self.after(self.now_s));
        self.status.protocol = Some(Protocol::Hdlc);
        self.status.last_telegram = self.hearing.last_good;
        self.status.power_period_s = Some(2.5);
        if let Some(seconds) = currents_s {
            self.status.last_currents = Some(self.after(seconds));
            self.status.period_s = Some(10.0);
        }
        self
    }

    fn reject(&mut self, reason: Reason) {
        self.trouble = Some(Trouble::Rejected(reason));
    }

    fn text(&self) -> String {
        let trouble = self.trouble.clone();
        let trouble = trouble.map(|it| (it, self.after(self.now_s - self.trouble_s)));
        Facts {
            status: &self.status,
            kind: &self.kind,
            hearing: &self.hearing,
            line: self.line,
            more_lines: self.line.is_some(),
            over: false,
            proven: self.proven && self.hearing.last_good.is_some(),
            trouble: trouble.as_ref(),
            damage: self.damage,
            now: self.after(self.now_s),
        }
        .text()
    }
}

#[test]
fn bytes_without_a_telegram() {
    let text = Case::new("serial:/dev/null").bytes(300, 10).text();
    assert_eq!(
        text,
        "300 bytes heard at 115200 8N1, and no telegram among them so far: wrong speed, or an inverted signal. Other \
         line parameters follow."
    );
    let text = Case::new("tcp://host:1").bytes(300, 200).text();
    assert!(
        text.ends_with("more likely inverted: most bytes have their highest bit set."),
        "{text}"
    );
    let text = Case::new("tcp://host:1").bytes(3, 3).text();
    assert_eq!(text, "3 bytes heard, and no telegram among them so far.");
}

#[test]
fn silence() {
    let mut case = Case::new("serial:/dev/null");
    for says in [
        "115200 8N1 for 60 s",
        "cable",
        "grid company opened",
        "Another program",
    ] {
        let text = case.text();
        assert!(text.contains(says), "{text}");
    }
    case.now_s = 5;
    assert_eq!(case.text(), "Open, listening at 115200 8N1.");
    assert!(
        Case::new("tcp://host:1")
            .text()
            .contains("is the reader connected")
    );
    assert!(
        Case::new("homewizard://host")
            .text()
            .ends_with("connected to its meter?")
    );
}

#[test]
fn values_that_stand_still() {
    let mut case = Case::new("shelly://host").telegrams(Some(59));
    case.now_s = 68;
    let text = case.text();
    assert!(text.ends_with("every 10.0 s. Nothing new has come for 5 s: the device answers, and its values stand still. Is it connected to its meter?"), "{text}");
    case.now_s = 67;
    assert!(!case.text().contains("Nothing new"));
}

#[test]
fn keys() {
    for (reason, says) in [
        (Reason::NeedsKey, "encrypted: needs the key: enter the key"),
        (
            Reason::WrongKey,
            "the key does not fit: check the encryption key",
        ),
        (Reason::WrongAuthKey, "check the authentication key"),
    ] {
        let mut case = Case::new("serial:/dev/null").telegrams(None);
        case.reject(reason);
        assert!(case.text().contains(says), "{}", case.text());
    }
}

#[test]
fn power_without_currents() {
    let text = |currents_s| Case::new("serial:/dev/null").telegrams(currents_s).text();
    assert_eq!(
        text(Some(35)),
        "HDLC telegrams at 115200 8N1, every 10.0 s."
    );
    let late = text(Some(20));
    assert!(
        late.contains("has not come for 40 s") && late.contains("long telegrams"),
        "{late}"
    );
    let never = text(None);
    assert!(
        never.contains("no currents") && never.contains("weak supply"),
        "{never}"
    );
    let mut young = Case::new("serial:/dev/null");
    young.now_s = 20;
    assert_eq!(
        young.telegrams(None).text(),
        "HDLC telegrams at 115200 8N1, every 2.5 s."
    );
}

#[test]
fn damage_is_told_by_its_share_while_whole_telegrams_come() {
    let mut case = Case::new("serial:/dev/null").telegrams(Some(59));
    case.reject(Reason::Checksum);
    for count in 0..20 {
        case.damage.count(count % 5 == 0);
    }
    let text = case.text();
    assert!(
        text.contains("4 of the last 20 were damaged") && text.contains("cable"),
        "{text}"
    );
    case.damage = Damage::default();
    assert!(!case.text().contains("damaged"));
    case.now_s = 90;
    let text = case.text();
    assert!(
        text.contains("the checksum is wrong: look at the cable"),
        "{text}"
    );
}

#[test]
fn what_a_device_says_of_itself() {
    let mut case = Case::new("http://host/data.json").telegrams(Some(59));
    case.reject(Reason::Old);
    assert!(
        case.text().contains("nothing new of its meter"),
        "{}",
        case.text()
    );
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let text = error(&kind("http://jo:secret@host:81/data.json"), &refused);
    assert!(
        text.starts_with("host:81: ") && text.contains("Nothing listens"),
        "{text}"
    );
}

/// A telegram that cannot be true behind a main fuse of 25 A.
fn impossible(amps: i64) -> Trouble {
    let place = crate::Place {
        main_fuse: Some(headroom_core::units::PerPhase::all(
            headroom_core::units::Milliamps::from_amps(25),
        )),
        ..crate::Place::default()
    };
    let mut telegram = headroom_codec::Telegram::new(Protocol::P1);
    telegram.phases[0].current_ma = Some(amps * 1000);
    let refused = crate::Translator::new(1.0).translate(&telegram, place);
    Trouble::Impossible(refused.unwrap_err())
}

#[test]
fn what_to_do_about_a_value_that_cannot_be() {
    let mut case = Case::new("tcp://host:1").telegrams(None);
    case.trouble = Some(impossible(120));
    let text = case.text();
    assert!(
        text.contains("120 A is over") && text.contains("transformer ratio"),
        "{text}"
    );
    case.trouble = Some(impossible(-5));
    let text = case.text();
    assert!(
        text.ends_with("cannot be. Look at the meter and the cable."),
        "{text}"
    );
}

#[test]
fn what_gave_no_reading_is_told_while_more_of_it_may_come() {
    for trouble in [impossible(120), Trouble::Rejected(Reason::NeedsKey)] {
        let mut case = Case::new("tcp://host:1");
        case.hearing.first_good = Some(case.after(1));
        case.hearing.last_good = case.hearing.first_good;
        case.hearing.last_byte = case.hearing.first_good;
        case.trouble = Some(trouble);
        (case.now_s, case.trouble_s) = (16, 15);
        let text = case.text();
        assert!(
            text.contains("refused") || text.contains("needs the key"),
            "{text}"
        );
        (case.now_s, case.trouble_s) = (28, 27);
        let text = case.text();
        assert!(text.contains("nothing heard for 20 s"), "{text}");
        case = case.bytes(5000, 0);
        case.hearing.unread = 4000;
        let text = case.text();
        assert!(
            text.starts_with("4000 bytes heard, and no telegram"),
            "{text}"
        );
        // Another link: what an earlier one heard is over.
        case.hearing = Hearing::new();
        let text = case.text();
        assert!(text.contains("nothing heard for 20 s"), "{text}");
        // A meter that sends each minute is not silent after a quarter of one.
        case.hearing.last_good = Some(case.after(20));
        case.hearing.frames.heard(case.after(0));
        case.hearing.frames.heard(case.after(20));
        (case.now_s, case.trouble_s) = (80, 60);
        let text = case.text();
        assert!(
            text.contains("refused") || text.contains("needs the key"),
            "{text}"
        );
    }
}

#[test]
fn bytes_behind_the_last_telegram() {
    let mut case = Case::new("tcp://host:1").telegrams(Some(59));
    case.now_s = 90;
    case.hearing.unread = 5000;
    let text = case.text();
    assert!(
        text.ends_with("5000 bytes were heard since, and no telegram among them."),
        "{text}"
    );
}

#[test]
fn frames_that_are_all_damaged_tell_why_nothing_new_comes() {
    let mut case = Case::new("tcp://host:1").telegrams(Some(10));
    case.hearing.unread = 5000;
    case.trouble = Some(Trouble::Rejected(Reason::Checksum));
    // The parameters of the line are doubted after a minute; the reason is told all the same.
    (case.now_s, case.trouble_s, case.proven) = (90, 1, false);
    let text = case.text();
    assert!(text.contains("Nothing new has come for "), "{text}");
    assert!(
        text.contains("checksum") && text.contains("cable"),
        "{text}"
    );
    // Damage of long ago is no news.
    case.trouble_s = 60;
    assert!(!case.text().contains("checksum"), "{}", case.text());
}

#[test]
fn a_clock_that_stands_or_goes_back() {
    for (stale, says) in [
        (Stale::Stands, "clock stands still"),
        (Stale::Back, "clock went back"),
    ] {
        let mut case = Case::new("tcp://host:1").telegrams(Some(59));
        case.trouble = Some(Trouble::Stale(stale));
        assert!(case.text().contains(says), "{}", case.text());
    }
}

#[test]
fn each_list_has_its_own_watchdog() {
    let mut case = Case::new("tcp://host:1").telegrams(Some(59));
    let list = |last| ListStatus {
        period_s: Some(2.5),
        last,
    };
    case.status.lists.insert("power", list(case.after(53)));
    assert!(!case.text().contains("has not come"), "{}", case.text());
    case.status.lists.insert("power", list(case.after(39)));
    let text = case.text();
    assert!(
        text.contains("list with the power has not come for 20 s, others still do"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_captured_is_not_asked_for() {
    for (source, says) in [
        ("mqtt://host/topic", "and of nothing else?"),
        ("shelly://host", "the device that the source names"),
        ("tcp://host:1", "send a capture"),
    ] {
        let mut case = Case::new(source).telegrams(Some(59));
        case.reject(Reason::Malformed);
        assert!(case.text().contains(says), "{}", case.text());
    }
}

/// Each piece of advice, by what asks for it: a person at the meter can do nothing with the reason alone.
#[test]
fn each_reason_says_what_to_do() {
    for (source, reason, advice) in [
        (
            "tcp://host:1",
            Reason::NoTag,
            "leave the authentication key out if this meter never sends one",
        ),
        (
            "tcp://host:1",
            Reason::Replayed,
            "something repeats old telegrams. If the meter has begun to count anew, take its key out",
        ),
        (
            "http://host/data.json",
            Reason::Old,
            "look at the device and its place at the meter",
        ),
        (
            "shelly://host",
            Reason::Faulty,
            "look at the device and its clamps",
        ),
        (
            "modbus://host:502/sdm630",
            Reason::Unknown,
            "is the profile that of the meter?",
        ),
        (
            "tcp://host:1",
            Reason::Unknown,
            "please send a capture (headroom listen)",
        ),
    ] {
        let mut case = Case::new(source).telegrams(Some(59));
        case.reject(reason);
        let text = case.text();
        assert!(
            text.starts_with("Telegrams are heard, but the last one was rejected: ")
                && text.contains(&format!("{reason}: {advice}")),
            "{text}"
        );
        assert!(!text.contains("?."), "{text}");
    }
}

#[test]
fn each_silence_and_each_error_says_what_to_do() {
    for (source, says) in [
        (
            "serial:/dev/null",
            "program that has this port open takes its bytes away.",
        ),
        (
            "tcp://host:1",
            "is connected to the reader may take its bytes away.",
        ),
        (
            "mqtt://host/topic",
            "is the topic right, and does the reader publish there?",
        ),
        ("shelly://host", "is the device connected to its meter?"),
    ] {
        let text = Case::new(source).text();
        assert!(text.ends_with(says), "{text}");
    }
    for (said, says) in [
        (
            "Unable to acquire exclusive lock on serial port",
            "fuser -v /dev/x names it.",
        ),
        ("Device or resource busy", "fuser -v /dev/x names it."),
        ("Not a typewriter", "/dev/x: this is no serial port."),
    ] {
        let text = error(&kind("serial:/dev/x"), &io::Error::other(said));
        assert!(text.ends_with(says), "{text}");
    }
    for (source, kind_of, says) in [
        (
            "serial:/dev/x",
            io::ErrorKind::NotFound,
            Some("Is it plugged in, and the name right?"),
        ),
        (
            "serial:/dev/x",
            io::ErrorKind::PermissionDenied,
            Some("must be in the group of the port (dialout)."),
        ),
        (
            "tcp://host:1",
            io::ErrorKind::ConnectionRefused,
            Some("Nothing listens on that port of that host."),
        ),
        ("file:x", io::ErrorKind::NotFound, None),
        ("tcp://host:1", io::ErrorKind::TimedOut, None),
    ] {
        let cause = io::Error::from(kind_of);
        let text = error(&kind(source), &cause);
        match says {
            Some(says) => assert!(text.ends_with(says), "{text}"),
            None => assert!(text.ends_with(&format!("{cause}.")), "{text}"),
        }
    }
}

#[test]
fn a_list_is_missed_only_while_others_come() {
    let mut case = Case::new("tcp://host:1").telegrams(Some(59));
    let list = |period_s, last| ListStatus { period_s, last };
    // Once: nobody knows when the next one is due.
    case.status
        .lists
        .insert("energy", list(None, case.after(1)));
    assert!(!case.text().contains("has not come"), "{}", case.text());
    // That of the currents has a sentence of its own.
    case.status
        .lists
        .insert("currents", list(Some(2.5), case.after(1)));
    assert!(!case.text().contains("has not come"), "{}", case.text());
    case.status
        .lists
        .insert("energy", list(Some(2.5), case.after(1)));
    let text = case.text();
    assert!(
        text.ends_with("The list with the energy has not come for 55 s, others still do: look at the cable, and at the supply of the adapter."),
        "{text}"
    );
}

/// The page of the service takes these sentences apart where no field says as much: here are the words that it knows.
#[test]
fn the_page_knows_the_words() {
    let words = include_str!("../../../tests/browser/words.json");
    let knows = |name: &str, text: &str| {
        let entry = format!("\"{name}\": \"{text}\"");
        assert!(words.contains(&entry), "{entry}");
    };
    knows(
        "meter_period",
        &Case::new("serial:/dev/null").telegrams(Some(59)).text(),
    );
    // `ENOENT`
    let missing = io::Error::from_raw_os_error(2);
    let text = error(&kind("file:/capture"), &missing);
    knows("file_unread", &text.replace("/capture", "{path}"));
}

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
    obstacle: Option<Reason>,
    damage: Damage,
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
            obstacle: None,
            damage: Damage::default(),
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

    fn text(&self) -> String {
        Facts {
            status: &self.status,
            kind: &self.kind,
            hearing: &self.hearing,
            line: self.line,
            more_lines: self.line.is_some(),
            over: false,
            proven: self.hearing.last_good.is_some(),
            impossible: None,
            obstacle: self.obstacle,
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
        case.obstacle = Some(reason);
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
    case.obstacle = Some(Reason::Checksum);
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
    case.obstacle = Some(Reason::Old);
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

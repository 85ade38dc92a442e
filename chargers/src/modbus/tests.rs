//! A charger and relays on loopback: what is read, what is written, and in which order.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use headroom_core::{
    event::ChargerStatus,
    units::{Milliamps, WattHours},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{ModbusDevice, profile};
use crate::polled::{CallError, Order, PolledDevice, Repeat, Seen};

const UNIT: u8 = 3;

/// A unit with registers; what is not in the map is an illegal address.
#[derive(Clone, Debug, Default)]
struct Unit {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    registers: BTreeMap<u16, u16>,
    coils: BTreeMap<u16, bool>,
    /// Address and words of each write.
    writes: Vec<(u16, Vec<u16>)>,
    /// The connection is closed after each answer.
    closes: bool,
    /// Requests get no answer.
    mute: bool,
    /// What it says it wrote, if not what it was told.
    echoes: Option<u16>,
    /// Registers that it does not let be written.
    refuses: Vec<u16>,
}

impl Unit {
    async fn start(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(self.clone().serve(stream));
            }
        });
        address
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut head = [0; 7];
        while stream.read_exact(&mut head).await.is_ok() {
            let length = usize::from(u16::from_be_bytes([head[4], head[5]])) - 1;
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            if self.state.lock().unwrap().mute || head[6] != UNIT {
                continue;
            }
            let answer = self.answer(&body);
            let length = u16::try_from(answer.len() + 1).unwrap().to_be_bytes();
            let mut frame = vec![head[0], head[1], 0, 0, length[0], length[1], UNIT];
            frame.extend(answer);
            stream.write_all(&frame).await.unwrap();
            if self.state.lock().unwrap().closes {
                return;
            }
        }
    }

    fn answer(&self, body: &[u8]) -> Vec<u8> {
        let mut state = self.state.lock().unwrap();
        let word = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
        let (function, address, value) = (body[0], word(1), word(3));
        let refused = vec![function | 0x80, 2];
        if function > 4 && state.refuses.contains(&address) {
            return refused;
        }
        match function {
            1 => match state.coils.get(&address) {
                Some(on) => vec![1, 1, u8::from(*on)],
                None => refused,
            },
            3 => {
                let words: Option<Vec<u16>> = (address..address + value)
                    .map(|address| state.registers.get(&address).copied())
                    .collect();
                let Some(words) = words else { return refused };
                let mut answer = vec![3, u8::try_from(words.len() * 2).unwrap()];
                answer.extend(words.iter().flat_map(|word| word.to_be_bytes()));
                answer
            }
            5 => {
                state.coils.insert(address, value == 0xff00);
                body.to_vec()
            }
            6 => {
                state.writes.push((address, vec![value]));
                let mut echo = body.to_vec();
                match state.echoes {
                    Some(other) => echo[3..].copy_from_slice(&other.to_be_bytes()),
                    None => drop(state.registers.insert(address, value)),
                }
                echo
            }
            16 => {
                let words: Vec<u16> = (0..value).map(|i| word(6 + 2 * usize::from(i))).collect();
                for (address, word) in (address..).zip(&words) {
                    state.registers.insert(address, *word);
                }
                state.writes.push((address, words));
                body[..5].to_vec()
            }
            _ => vec![function | 0x80, 1],
        }
    }

    fn set(&self, address: u16, words: &[u16]) {
        let mut state = self.state.lock().unwrap();
        state
            .registers
            .extend((address..).zip(words.iter().copied()));
    }

    fn float(&self, address: u16, value: f32) {
        let [a, b, c, d] = value.to_bits().to_be_bytes();
        self.set(
            address,
            &[u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])],
        );
    }

    fn writes(&self) -> Vec<(u16, Vec<u16>)> {
        std::mem::take(&mut self.state.lock().unwrap().writes)
    }
}

async fn device(name: &str, unit: &Unit) -> ModbusDevice {
    let address = unit.clone().start().await;
    ModbusDevice::new("ev1", profile(name).unwrap(), &address, UNIT, 3)
}

fn limit(ma: i64, lease_s: u32, safe: i64) -> Order {
    Order::Limit {
        limit: Milliamps(ma),
        phases: 3,
        lease_s,
        safe: Milliamps(safe),
    }
}

/// An Alfen with a car.
fn alfen() -> Unit {
    let unit = Unit::default();
    for (address, amperes) in [(320, 15.5), (322, 15.75), (324, 0.0)] {
        unit.float(address, amperes);
    }
    unit.set(1200, &[1, 0x4332, 0, 0, 0, 0]);
    unit.float(1206, 16.0);
    unit.set(1208, &[0, 57]);
    unit.float(1210, 16.0);
    unit.float(1212, 6.0);
    unit.set(1214, &[1, 3]);
    unit
}

#[tokio::test]
async fn an_alfen_is_read_and_its_limit_written_as_a_float() {
    let unit = alfen();
    let mut device = device("alfen", &unit).await;
    let current_a = [15_500, 15_750, 0].map(|ma| Some(Milliamps(ma))).to_vec();
    let expected = |limit| Seen::Charger {
        status: ChargerStatus::Charging,
        current_a: Some(current_a.clone()),
        limit: Some(Milliamps(limit)),
        energy: None,
    };
    assert_eq!(device.read().await.unwrap(), expected(16_000));
    // 374 is not there in this firmware, and nothing else is lost with it.
    let kwh = 1_234_500.0_f64.to_bits().to_be_bytes();
    let words: Vec<u16> = kwh
        .chunks(2)
        .map(|w| u16::from_be_bytes([w[0], w[1]]))
        .collect();
    unit.set(374, &words);
    let Seen::Charger { energy, .. } = device.read().await.unwrap() else {
        panic!("a charger");
    };
    assert_eq!(energy, Some(WattHours(1_234_500)));

    device.tell(&limit(9_999, 120, 0)).await.unwrap();
    let tenths = 9.9_f32.to_bits().to_be_bytes();
    let words = [[tenths[0], tenths[1]], [tenths[2], tenths[3]]].map(u16::from_be_bytes);
    assert_eq!(unit.writes(), [(1210, words.to_vec())]);
    // Below the least current it pauses, and says so.
    device.tell(&limit(5_900, 120, 0)).await.unwrap();
    assert_eq!(unit.writes(), [(1210, vec![0, 0])]);
    unit.float(1206, 0.0);
    let Seen::Charger { limit, .. } = device.read().await.unwrap() else {
        panic!("a charger");
    };
    assert_eq!(limit, Some(Milliamps(0)));
}

#[tokio::test]
async fn an_alfens_limit_is_kept_alive_well_within_its_validity() {
    let unit = alfen();
    let mut device = device("alfen", &unit).await;
    let every = |seconds| Repeat::Every(Duration::from_secs(seconds));
    assert_eq!(device.pace().repeat, every(1), "not known yet");
    device.read().await.unwrap();
    assert_eq!(device.pace().repeat, every(10), "57 s");
    unit.set(1208, &[0, 0]);
    device.read().await.unwrap();
    assert_eq!(device.pace().repeat, every(1), "it has run out");
    unit.set(1208, &[0, 9]);
    device.read().await.unwrap();
    assert_eq!(device.pace().repeat, every(3));
}

#[tokio::test]
async fn an_alfen_is_told_another_number_of_phases_when_it_has_told_its_own() {
    let unit = alfen();
    let mut device = device("alfen", &unit).await;
    let one = Order::Limit {
        limit: Milliamps(10_000),
        phases: 1,
        lease_s: 60,
        safe: Milliamps(0),
    };
    device.tell(&one).await.unwrap();
    assert_eq!(unit.writes().len(), 1, "the limit alone");
    device.read().await.unwrap();
    device.tell(&one).await.unwrap();
    assert_eq!(unit.writes().last(), Some(&(1215, vec![1])));
}

/// A KEBA with a car.
fn keba() -> Unit {
    let unit = Unit::default();
    for (address, value) in [
        (1000, 3),
        (1004, 7),
        (1008, 9_950),
        (1010, 0),
        (1012, 0),
        (1100, 10_000),
    ] {
        unit.set(address, &[0, value]);
    }
    unit
}

#[tokio::test]
async fn a_keba_gets_its_fail_safe_before_it_gets_more_and_after_it_gets_less() {
    let unit = keba();
    unit.set(1600, &[0, 0]);
    unit.set(1602, &[0, 0]);
    let mut device = device("keba", &unit).await;
    device.read().await.unwrap();
    let fail_safe = |seconds| [(5016, vec![6_000]), (5018, vec![seconds]), (5020, vec![1])];
    let ten = [(5004, vec![10_000]), (5014, vec![1])];
    device.tell(&limit(10_000, 120, 6_500)).await.unwrap();
    let writes = unit.writes();
    assert_eq!(
        writes[..3].iter().map(|w| w.0).collect::<Vec<_>>(),
        [5016, 5018, 5020]
    );
    assert_eq!(writes[0].1, [6_500]);
    assert_eq!(writes[3..], ten);
    // The same lease wears no memory, and a renewal is written for its watchdog.
    device.tell(&limit(10_000, 120, 6_500)).await.unwrap();
    assert_eq!(unit.writes(), ten);
    assert_eq!(device.pace().repeat, Repeat::Always);
    // A reduction goes first; 5 s are less than it takes.
    device.tell(&limit(6_000, 5, 6_000)).await.unwrap();
    let writes = unit.writes();
    assert_eq!(writes[0], (5004, vec![6_000]));
    assert_eq!(writes[2..], fail_safe(10));
    // A pause leaves the current as it is.
    device.tell(&limit(0, 10, 6_000)).await.unwrap();
    assert_eq!(unit.writes(), [(5014, vec![0])]);
    // Somebody switched the fail-safe off.
    unit.set(1602, &[0, 0]);
    device.read().await.unwrap();
    device.tell(&limit(0, 10, 6_000)).await.unwrap();
    let zero = [(5014, vec![0])];
    assert_eq!(unit.writes(), [&zero[..], &fail_safe(10)].concat());
}

#[tokio::test]
async fn a_charx_is_found_at_the_registers_of_its_charging_point() {
    let unit = Unit::default();
    unit.set(2238, &[0, 7_000, 0, 7_100, 0xffff, 0xffff]);
    unit.set(2299, &[0x4332, 1, 8]);
    let mut device = device("phoenix_charx_2", &unit).await;
    let seen = device.read().await.unwrap();
    let expected = Seen::Charger {
        status: ChargerStatus::Charging,
        current_a: Some([7_000, 7_100, 1].map(|ma| Some(Milliamps(ma))).to_vec()),
        limit: Some(Milliamps(8_000)),
        energy: None,
    };
    assert_eq!(seen, expected);
    device.tell(&limit(7_800, 60, 0)).await.unwrap();
    assert_eq!(unit.writes(), [(2301, vec![7]), (2300, vec![1])]);
    device.tell(&limit(0, 60, 0)).await.unwrap();
    assert_eq!(unit.writes(), [(2300, vec![0])]);
    let Seen::Charger { limit, .. } = device.read().await.unwrap() else {
        panic!("a charger");
    };
    assert_eq!(limit, Some(Milliamps(0)), "it is disabled");
    assert_eq!(device.pace().repeat, Repeat::Needless);
}

#[tokio::test]
async fn relays_switch_and_are_read_back() {
    let unit = Unit::default();
    let on = |on| Order::Switch { on, lease_s: 120 };
    let read = |seen: Seen| match seen {
        Seen::SlowLoad { on, .. } => on,
        Seen::Charger { .. } => panic!("a relay"),
    };
    let mut coil = device("relay_coil_4", &unit).await;
    for closed in [true, false] {
        coil.tell(&on(closed)).await.unwrap();
        assert_eq!(unit.state.lock().unwrap().coils[&4], closed);
        assert_eq!(read(coil.read().await.unwrap()), Some(closed));
    }
    let mut holding = device("relay_holding_8_256_512", &unit).await;
    for (closed, word) in [(true, 256), (false, 512)] {
        holding.tell(&on(closed)).await.unwrap();
        assert_eq!(unit.writes(), [(8, vec![word])]);
        assert_eq!(read(holding.read().await.unwrap()), Some(closed));
    }
    unit.set(8, &[7]);
    assert_eq!(read(holding.read().await.unwrap()), None, "neither value");
    let error = holding.tell(&limit(6_000, 60, 0)).await.unwrap_err();
    assert!(matches!(error, CallError::Refused(_)), "{error}");
}

#[tokio::test]
async fn what_is_refused_is_told_and_a_closed_connection_is_made_anew() {
    let unit = alfen();
    unit.state.lock().unwrap().closes = true;
    let mut station = device("alfen", &unit).await;
    for _ in 0..3 {
        station.read().await.unwrap();
    }
    let error = device("keba", &unit).await.read().await.unwrap_err();
    assert!(error.to_string().contains("data address"), "{error}");
    let nobody = profile("alfen").unwrap();
    let mut gone = ModbusDevice::new("ev1", nobody, "127.0.0.1:1", UNIT, 3);
    let error = gone.read().await.unwrap_err();
    assert!(matches!(error, CallError::NoAnswer(_)), "{error}");
}

#[tokio::test]
async fn a_late_answer_is_not_taken_for_the_next_one() {
    let unit = alfen();
    let mut device = device("alfen", &unit).await;
    device.read().await.unwrap();
    unit.state.lock().unwrap().mute = true;
    let error = device.read().await.unwrap_err();
    assert!(matches!(error, CallError::NoAnswer(_)), "{error}");
    unit.state.lock().unwrap().mute = false;
    device.read().await.unwrap();
    // A call that is dropped takes its connection with it.
    unit.state.lock().unwrap().mute = true;
    let dropped = tokio::time::timeout(Duration::from_millis(50), device.read()).await;
    assert!(dropped.is_err());
    unit.state.lock().unwrap().mute = false;
    device.tell(&limit(8_000, 60, 0)).await.unwrap();
    assert_eq!(unit.writes().len(), 1);
}

#[tokio::test]
async fn a_keba_that_keeps_another_fail_safe_is_not_written_for_ever() {
    let unit = keba();
    unit.set(1600, &[0, 0]);
    unit.set(1602, &[0, 0]);
    let mut device = device("keba", &unit).await;
    let mut persisted = 0;
    for _ in 0..10 {
        device.read().await.unwrap();
        device.tell(&limit(10_000, 120, 0)).await.unwrap();
        let writes = unit.writes();
        persisted += writes
            .iter()
            .filter(|(address, _)| *address == 5020)
            .count();
    }
    assert_eq!(persisted, 6);
}

#[tokio::test]
async fn a_write_that_is_answered_with_something_else_was_not_taken() {
    let unit = Unit::default();
    unit.state.lock().unwrap().echoes = Some(9);
    let mut relay = device("relay_holding_8", &unit).await;
    let order = Order::Switch {
        on: false,
        lease_s: 60,
    };
    let error = relay.tell(&order).await.unwrap_err();
    assert!(matches!(error, CallError::Strange(_)), "{error}");
}

#[tokio::test]
async fn a_keba_without_a_fail_safe_takes_its_limit_and_the_limit_goes_first() {
    let unit = keba();
    unit.set(1100, &[0, 32_000]);
    unit.state.lock().unwrap().refuses = vec![5016, 5018, 5020];
    let mut station = device("keba", &unit).await;
    // Its profile alone does not tell whether it has one.
    assert_eq!(station.falls_by_itself(), None);
    station.tell(&limit(6_000, 60, 0)).await.unwrap();
    assert_eq!(station.falls_by_itself(), Some(false));
    assert_eq!(unit.writes(), [(5004, vec![6_000]), (5014, vec![1])]);
    station.tell(&limit(10_000, 60, 0)).await.unwrap();
    assert_eq!(unit.writes(), [(5004, vec![10_000]), (5014, vec![1])]);
}

#[tokio::test]
async fn a_keba_that_runs_higher_than_it_was_told_is_lowered_before_anything_else() {
    let unit = keba();
    unit.set(1600, &[0, 0]);
    unit.set(1602, &[0, 0]);
    let mut station = device("keba", &unit).await;
    station.tell(&limit(8_000, 60, 0)).await.unwrap();
    unit.writes();
    // It was restarted.
    unit.set(1100, &[0, 32_000]);
    unit.set(1602, &[0, 0]);
    station.read().await.unwrap();
    station.tell(&limit(10_000, 60, 0)).await.unwrap();
    assert_eq!(unit.writes()[0], (5004, vec![10_000]));
}

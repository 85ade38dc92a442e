use super::*;
use crate::telegram::PhaseValues;
use proptest::prelude::*;

/// The registers of a meter: all 0 but those that a test sets.
struct Bank {
    profile: &'static Profile,
    answers: Vec<Vec<u16>>,
}

impl Bank {
    fn new(name: &str) -> Self {
        let profile = Profile::find(name).unwrap();
        let blocks = profile.blocks.iter();
        let answers = blocks.map(|block| vec![0; block.count.into()]).collect();
        Self { profile, answers }
    }

    fn put(&mut self, address: u16, registers: &[u16]) {
        for (address, register) in (address..).zip(registers) {
            let blocks = self.profile.blocks.iter().zip(&mut self.answers);
            for (block, answer) in blocks {
                let index = address.checked_sub(block.start).map(usize::from);
                if let Some(slot) = index.and_then(|index| answer.get_mut(index)) {
                    *slot = *register;
                }
            }
        }
    }

    fn float(&mut self, address: u16, value: f32) {
        let [a, b, c, d] = value.to_be_bytes();
        self.put(
            address,
            &[u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])],
        );
    }

    fn telegram(&self) -> Result<Telegram, Reason> {
        self.profile.telegram(&self.answers)
    }
}

/// The two registers of a number, the high one first.
fn pair(value: i32) -> [u16; 2] {
    let [a, b, c, d] = value.to_be_bytes();
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}

fn swapped(value: i32) -> [u16; 2] {
    let [high, low] = pair(value);
    [low, high]
}

fn phase(current_ma: i64, step_ma: i64, voltage_mv: i64, power_mw: i64) -> PhaseValues {
    PhaseValues {
        current_ma: Some(current_ma),
        current_step_ma: Some(step_ma),
        voltage_mv: Some(voltage_mv),
        import_mw: Some(power_mw.max(0)),
        export_mw: Some(power_mw.min(0).abs()),
        ..PhaseValues::default()
    }
}

/// Voltages alone differ in their step.
fn without_voltage_step(telegram: &Telegram) -> [PhaseValues; 3] {
    telegram.phases.map(|phase| PhaseValues {
        voltage_step_mv: None,
        ..phase
    })
}

#[test]
fn floats_of_eastron() {
    for name in ["sdm630", "sdm72"] {
        let mut bank = Bank::new(name);
        for (address, value) in [
            (0x00, 230.1),
            (0x02, 229.9),
            (0x04, 231.0),
            (0x06, 7.25),
            (0x08, 12.5),
            (0x0A, 3.125),
            (0x0C, 1668.2),
            (0x0E, -2873.75),
            (0x10, 0.0),
            (0x34, -1205.55),
            (0x3C, -310.5),
            (0x48, 4321.5),
            (0x4A, 12.25),
        ] {
            bank.float(address, value);
        }
        let telegram = bank.telegram().unwrap();
        assert_eq!(
            without_voltage_step(&telegram),
            [
                phase(7_250, 1, 230_100, 1_668_200),
                phase(12_500, 1, 229_900, -2_873_750),
                phase(3_125, 1, 231_000, 0),
            ],
            "{name}"
        );
        assert_eq!(
            (telegram.import_mw, telegram.export_mw),
            (Some(0), Some(1_205_550))
        );
        assert_eq!(
            (telegram.import_mvar, telegram.export_mvar),
            (Some(0), Some(310_500))
        );
        assert_eq!(telegram.energy_import_mwh, Some(4_321_500_000));
        assert_eq!(telegram.energy_export_mwh, Some(12_250_000));
        assert_eq!(telegram.meter_model.as_deref(), Some(bank.profile.model));
    }
}

#[test]
fn integers_of_carlo_gavazzi_have_their_low_register_first() {
    for name in ["em24", "em24_e1", "em340"] {
        let mut bank = Bank::new(name);
        for (address, value) in [
            (0x00, 2_301),
            (0x02, 2_299),
            (0x04, 2_310),
            (0x0C, 70_250),
            (0x0E, 12_500),
            (0x10, 3_125),
            (0x12, 16_682),
            (0x14, -28_737),
            (0x16, 0),
            (0x28, 160_000),
            (0x2C, 3_105),
            (0x34, 43_215),
            (0x4E, 122),
        ] {
            bank.put(address, &swapped(value));
        }
        let telegram = bank.telegram().unwrap();
        assert_eq!(
            without_voltage_step(&telegram),
            [
                phase(70_250, 1, 230_100, 1_668_200),
                phase(12_500, 1, 229_900, -2_873_700),
                phase(3_125, 1, 231_000, 0),
            ],
            "{name}"
        );
        assert_eq!(telegram.import_mw, Some(16_000_000), "{name}");
        let rest = (
            telegram.import_mvar,
            telegram.energy_import_mwh,
            telegram.energy_export_mwh,
        );
        let expected = match name {
            "em24" => (None, None, None),
            _ => (Some(310_500), Some(4_321_500_000), Some(12_200_000)),
        };
        assert_eq!(rest, expected, "{name}");
    }
}

fn abb() -> Bank {
    let mut bank = Bank::new("abb_b23");
    for (address, value) in [
        (0x5B00, 2_301),
        (0x5B02, 2_299),
        (0x5B04, 2_310),
        (0x5B0C, 725),
        (0x5B0E, 1_250),
        (0x5B10, 312),
        (0x5B14, -120_555),
        (0x5B16, 166_820),
        (0x5B18, -287_375),
        (0x5B1C, 31_050),
    ] {
        bank.put(address, &pair(value));
    }
    bank.put(0x5000, &[0, 0, 6, 38_934]);
    bank.put(0x5004, &[0xFFFF; 4]);
    bank
}

#[test]
fn integers_of_abb() {
    let telegram = abb().telegram().unwrap();
    assert_eq!(
        without_voltage_step(&telegram),
        [
            phase(7_250, 10, 230_100, 1_668_200),
            phase(12_500, 10, 229_900, -2_873_750),
            phase(3_120, 10, 231_000, 0),
        ]
    );
    assert_eq!(
        (telegram.import_mw, telegram.export_mw),
        (Some(0), Some(1_205_550))
    );
    assert_eq!(
        telegram.energy_import_mwh,
        Some((6 * 65_536 + 38_934) * 10_000)
    );
    assert_eq!(telegram.energy_export_mwh, None);
}

#[test]
fn what_a_meter_marks_as_not_available_is_missing() {
    let mut bank = abb();
    bank.put(0x5B02, &[0xFFFF; 2]);
    bank.put(0x5B0E, &[0xFFFF; 2]);
    bank.put(0x5B18, &[0x7FFF, 0xFFFF]);
    let telegram = bank.telegram().unwrap();
    assert!(telegram.phases[1].is_empty(), "{telegram:?}");
    assert!(telegram.phases[2].current_ma.is_some());

    let mut bank = Bank::new("sdm630");
    bank.float(0x00, 230.0);
    bank.float(0x06, f32::NAN);
    assert_eq!(bank.telegram().unwrap().phases[0].current_ma, None);
    let mut bank = Bank::new("em340");
    bank.put(0x00, &swapped(2_300));
    bank.put(0x0C, &swapped(i32::MAX));
    assert_eq!(bank.telegram().unwrap().phases[0].current_ma, None);
}

#[test]
fn what_cannot_be_is_refused() {
    for (address, value) in [
        (0x00, -1.0),
        (0x00, 1e6),
        (0x06, f32::INFINITY),
        (0x06, 1e30),
        (0x06, 20_000.0),
        (0x06, 1e-41),
        (0x34, 1e8),
        (0x48, -1.0),
    ] {
        let mut bank = Bank::new("sdm630");
        bank.float(0x00, 230.0);
        bank.float(address, value);
        assert_eq!(
            bank.telegram(),
            Err(Reason::Malformed),
            "{address:#x} {value}"
        );
    }
}

#[test]
fn the_profile_of_another_meter_gives_no_reading() {
    let nothing = Bank::new("sdm630");
    assert_eq!(nothing.telegram(), Err(Reason::Unknown));
    // A Gavazzi meter read as an Eastron, and the other way round.
    let mut bank = Bank::new("sdm630");
    bank.put(0x00, &swapped(2_301));
    bank.put(0x0C, &swapped(7_250));
    assert_eq!(bank.telegram(), Err(Reason::Malformed));
    let mut bank = Bank::new("em24");
    bank.float(0x00, 230.1);
    bank.float(0x06, 7.25);
    assert_eq!(bank.telegram(), Err(Reason::Malformed));
}

#[test]
fn answers_of_the_wrong_size_are_refused() {
    let mut bank = abb();
    bank.answers[1].pop();
    assert_eq!(bank.telegram(), Err(Reason::Malformed));
    bank.answers.clear();
    assert_eq!(bank.telegram(), Err(Reason::Malformed));
}

#[test]
fn each_field_lies_in_a_block_and_each_block_in_a_request() {
    for profile in Profile::ALL {
        let answers: Vec<Vec<u16>> = profile
            .blocks
            .iter()
            .map(|block| vec![0; block.count.into()])
            .collect();
        for field in profile.fields {
            assert!(
                profile.registers(field, &answers).is_some(),
                "{} {:#x}",
                profile.name,
                field.address
            );
        }
        // The longest answer of the protocol has 125 registers.
        assert!(profile.blocks.iter().all(|block| block.count <= 125));
        assert!(
            profile
                .fields
                .iter()
                .any(|field| matches!(field.fills, Register::Current(2)))
        );
    }
}

proptest! {
    #[test]
    fn any_registers_give_a_possible_telegram_or_none(
        index in 0..Profile::ALL.len(),
        words in proptest::collection::vec(any::<u16>(), 0..200),
    ) {
        let mut bank = Bank::new(Profile::ALL[index].name);
        for (slot, word) in bank.answers.iter_mut().flatten().zip(words.iter().cycle()) {
            *slot = *word;
        }
        if let Ok(telegram) = bank.telegram() {
            for phase in &telegram.phases {
                prop_assert!(phase.current_ma.is_none_or(|current| (0..=CURRENT_MAX_MA).contains(&current)));
                prop_assert!(phase.voltage_mv.is_none_or(|voltage| (0..=VOLTAGE_MAX_MV).contains(&voltage)));
            }
        }
    }
}

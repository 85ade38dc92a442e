//! What a telegram is to tell: one description for the lists of every maker.

/// Values in thousandths of the unit, as the decoder gives them. What is `None` is left out where the list allows it;
/// a list with a fixed place for it holds 0 there. What a list has no place for is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// The meter's number.
    pub meter_id: Option<String>,
    /// The meter's model; of P1 the line behind `/`. Lists that need one and get none send an own one.
    pub model: Option<String>,
    /// The meter's clock.
    pub clock: Option<Clock>,
    /// Active power drawn, in milliwatt.
    pub import_mw: Option<i64>,
    /// Active power fed in, in milliwatt.
    pub export_mw: Option<i64>,
    /// Reactive power drawn, in millivar.
    pub import_mvar: Option<i64>,
    /// Reactive power fed in, in millivar.
    pub export_mvar: Option<i64>,
    /// L1, L2 and L3.
    pub phases: [Phase; 3],
    /// Energy drawn, in thousandths of a watt-hour.
    pub energy_import_mwh: Option<i64>,
    /// Energy fed in, in thousandths of a watt-hour.
    pub energy_export_mwh: Option<i64>,
}

/// What is known of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phase {
    /// Current, in milliampere.
    pub current_ma: Option<i64>,
    /// Voltage, in millivolt.
    pub voltage_mv: Option<i64>,
    /// Active power drawn, in milliwatt.
    pub import_mw: Option<i64>,
    /// Active power fed in, in milliwatt.
    pub export_mw: Option<i64>,
    /// Apparent power drawn, in millivoltampere.
    pub apparent_mva: Option<i64>,
}

impl Values {
    /// Of which nothing is known.
    pub fn nothing() -> Self {
        Self {
            meter_id: None,
            model: None,
            clock: None,
            import_mw: None,
            export_mw: None,
            import_mvar: None,
            export_mvar: None,
            phases: [Phase::default(); 3],
            energy_import_mwh: None,
            energy_export_mwh: None,
        }
    }

    /// The example with these instead: power in watts, currents in milliampere, voltages in millivolt.
    pub fn house(import_w: u32, current_ma: [u32; 3], voltage_mv: [u32; 3]) -> Self {
        let mut values = Self {
            import_mw: Some(i64::from(import_w) * 1000),
            ..Self::default()
        };
        for ((phase, current), voltage) in values.phases.iter_mut().zip(current_ma).zip(voltage_mv)
        {
            phase.current_ma = Some(current.into());
            phase.voltage_mv = Some(voltage.into());
        }
        values
    }

    pub(crate) fn id(&self) -> &str {
        self.meter_id.as_deref().unwrap_or_default()
    }

    pub(crate) fn model_or<'a>(&'a self, own: &'a str) -> &'a str {
        self.model.as_deref().unwrap_or(own)
    }
}

impl Default for Values {
    /// A house that draws a little on three phases. The meter and its number are invented.
    fn default() -> Self {
        let phase = |current_ma| Phase {
            current_ma: Some(current_ma),
            voltage_mv: Some(230_000),
            ..Phase::default()
        };
        Self {
            meter_id: Some("7300000000000001".to_owned()),
            import_mw: Some(2_870_000),
            export_mw: Some(0),
            import_mvar: Some(310_000),
            export_mvar: Some(0),
            phases: [phase(4_300), phase(5_100), phase(3_900)],
            energy_import_mwh: Some(12_345_678_000),
            energy_export_mwh: Some(1_500_000),
            clock: Some(Clock::default()),
            ..Self::nothing()
        }
    }
}

/// A moment of a meter's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Years since 2000.
    pub year: u8,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 28, so that every month has it.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// Local time minus UTC in minutes.
    pub offset_min: Option<i16>,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            year: 26,
            month: 1,
            day: 15,
            hour: 12,
            minute: 0,
            second: 10,
            offset_min: None,
        }
    }
}

impl Clock {
    /// The twelve bytes of DLMS; no clock is all "not specified". The day of the week is never given.
    pub fn dlms(clock: Option<Self>) -> [u8; 12] {
        let Some(clock) = clock else {
            return [0xFF; 12];
        };
        let [y1, y2] = (2000 + u16::from(clock.year)).to_be_bytes();
        // From local time to UTC: the other way.
        let [d1, d2] = clock
            .offset_min
            .map_or(0x8000_u16.to_be_bytes(), |offset| (-offset).to_be_bytes());
        let Self {
            month,
            day,
            hour,
            minute,
            second,
            ..
        } = clock;
        [
            y1, y2, month, day, 0xFF, hour, minute, second, 0xFF, d1, d2, 0,
        ]
    }

    /// `YYMMDDhhmmss`.
    pub fn digits(&self) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            ..
        } = self;
        format!("{year:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
    }

    /// As the decoder shows it: RFC 3339, without an offset if there is none.
    pub fn rfc3339(&self) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            offset_min,
        } = self;
        let offset = offset_min.map_or(String::new(), |offset| {
            let sign = if offset < 0 { '-' } else { '+' };
            let minutes = offset.unsigned_abs();
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        });
        format!("20{year:02}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}")
    }
}

/// A value in steps of a list; 0 if it is missing.
///
/// # Panics
/// If it is no whole number of steps: encoders round nothing.
pub(crate) fn steps(value: Option<i64>, step: i64) -> i64 {
    let value = value.unwrap_or(0);
    assert_eq!(value % step, 0, "{value} is no multiple of {step}");
    value / step
}

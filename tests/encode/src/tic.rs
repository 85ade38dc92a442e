//! Frames of the télé-information client (Enedis-NOI-CPT_54E).

use crate::{
    carries::{Carries, Clocks, may, must},
    checksum,
    values::{Values, steps},
};

/// One group: label, optional time stamp, data.
pub type Group<'a> = (&'a str, Option<&'a str>, &'a str);

/// The meter's mode and phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Historique with one phase.
    Historique1,
    /// Historique with three phases.
    Historique3,
    /// Historique with three phases, the short frame of an overload.
    Short,
    /// Standard with one phase.
    Standard1,
    /// Standard with three phases.
    Standard3,
}

impl Mode {
    fn is_standard(self) -> bool {
        matches!(self, Self::Standard1 | Self::Standard3)
    }

    fn lines(self) -> &'static [usize] {
        match self {
            Self::Historique1 | Self::Standard1 => &[0],
            Self::Historique3 | Self::Short | Self::Standard3 => &[0, 1, 2],
        }
    }
}

const UNIT: i64 = 1000;

/// A frame of a mode.
pub fn frame(values: &Values, mode: Mode) -> Vec<u8> {
    let number = |value, digits: usize| format!("{:0digits$}", steps(value, UNIT));
    let currents = values.phases.map(|phase| number(phase.current_ma, 3));
    let voltages = values
        .phases
        .map(|phase| phase.voltage_mv.map(|_| number(phase.voltage_mv, 3)));
    let apparents = values
        .phases
        .map(|phase| phase.apparent_mva.map(|_| number(phase.apparent_mva, 5)));
    let [drawn, fed_in] = [values.energy_import_mwh, values.energy_export_mwh]
        .map(|energy| energy.map(|_| number(energy, 9)));
    let stamp = values.clock.map(|clock| {
        let season = if clock.offset_min == Some(60) {
            'H'
        } else {
            'E'
        };
        format!("{season}{}", clock.digits())
    });
    let id = values.id();
    let mut groups: Vec<Group<'_>> = Vec::new();
    match mode {
        Mode::Historique1 => {
            groups.extend([("ADCO", None, id), ("ISOUSC", None, "45")]);
            groups.extend(drawn.as_deref().map(|energy| ("BASE", None, energy)));
            groups.extend([("IINST", None, &*currents[0]), ("PAPP", None, "00920")]);
        }
        Mode::Historique3 => {
            groups.extend([("ADCO", None, id), ("ISOUSC", None, "30")]);
            groups.extend(drawn.as_deref().map(|energy| ("BASE", None, energy)));
            let labels = ["IINST1", "IINST2", "IINST3"];
            groups.extend(
                labels
                    .into_iter()
                    .zip(&currents)
                    .map(|(l, i)| (l, None, &**i)),
            );
        }
        Mode::Short => {
            // What the meter warns of stands before its number.
            groups.push(("ADIR1", None, &currents[0]));
            groups.push(("ADCO", None, id));
            let labels = ["IINST1", "IINST2", "IINST3"];
            groups.extend(
                labels
                    .into_iter()
                    .zip(&currents)
                    .map(|(l, i)| (l, None, &**i)),
            );
        }
        Mode::Standard1 | Mode::Standard3 => {
            groups.extend([("ADSC", None, id), ("VTIC", None, "02")]);
            groups.extend(stamp.as_deref().map(|stamp| ("DATE", Some(stamp), "")));
            groups.extend(drawn.as_deref().map(|energy| ("EAST", None, energy)));
            groups.extend(fed_in.as_deref().map(|energy| ("EAIT", None, energy)));
            let labels = [
                ("IRMS1", "URMS1", "SINSTS1"),
                ("IRMS2", "URMS2", "SINSTS2"),
                ("IRMS3", "URMS3", "SINSTS3"),
            ];
            for (line, (current, voltage, apparent)) in labels.into_iter().enumerate() {
                if !mode.lines().contains(&line) {
                    continue;
                }
                // With one phase the total is that of the phase.
                let one = mode == Mode::Standard1;
                let apparent = if one { "SINSTS" } else { apparent };
                groups.push((current, None, &*currents[line]));
                groups.extend(voltages[line].as_deref().map(|data| (voltage, None, data)));
                groups.extend(
                    apparents[line]
                        .as_deref()
                        .map(|data| (apparent, None, data)),
                );
            }
        }
    }
    tic(mode.is_standard(), &groups)
}

pub(crate) fn carries(mode: Mode) -> Carries {
    let energy = if mode == Mode::Short {
        None
    } else {
        may(UNIT, 999_999_999)
    };
    let carries = Carries {
        id: Some(12),
        energy_import: energy,
        ..Carries::NOTHING
    }
    .on(mode.lines(), |slots| slots.current = must(UNIT, 999));
    if !mode.is_standard() {
        return carries;
    }
    Carries {
        clock: Clocks::Zone,
        energy_export: energy,
        ..carries
    }
    .on(mode.lines(), |slots| {
        slots.voltage = may(UNIT, 999);
        slots.apparent = may(UNIT, 99_999);
    })
}

/// A TIC frame of any groups.
pub fn tic(standard: bool, groups: &[Group<'_>]) -> Vec<u8> {
    let separator = if standard { '\t' } else { ' ' };
    let mut frame = vec![0x02];
    for (label, stamp, data) in groups {
        let mut text = format!("{label}{separator}");
        if let Some(stamp) = stamp {
            text += stamp;
            text.push(separator);
        }
        text += data;
        let mut counted = text.clone().into_bytes();
        if standard {
            counted.push(b'\t');
        }
        let sum = checksum::sum(&counted) & 0x3F;
        frame.push(b'\n');
        frame.extend(text.bytes());
        frame.push(separator as u8);
        frame.push(sum + 0x20);
        frame.push(b'\r');
    }
    frame.push(0x03);
    frame
}

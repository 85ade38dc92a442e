//! Telegrams written for tests. The meters, their numbers and their values are invented.

pub mod aidon;
pub mod hdlc;
pub mod kaifa;
pub mod kamstrup;
pub mod p1;

/// What a telegram tells. Encoders round nothing: a value that their list cannot hold is a mistake of the test.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Number of the meter.
    pub meter_id: String,
    /// Imported active power, in watts.
    pub import_w: u32,
    /// Exported active power, in watts.
    pub export_w: u32,
    /// Imported reactive power, in var.
    pub import_var: u32,
    /// Exported reactive power, in var.
    pub export_var: u32,
    /// Current of each line, in milliamperes.
    pub current_ma: [u32; 3],
    /// Voltage of each line, in millivolts.
    pub voltage_mv: [u32; 3],
}

impl Default for Values {
    fn default() -> Self {
        Self {
            meter_id: "7300000000000001".to_owned(),
            import_w: 2_870,
            export_w: 0,
            import_var: 310,
            export_var: 0,
            current_ma: [4_300, 5_100, 3_900],
            voltage_mv: [230_000; 3],
        }
    }
}

/// A value in steps of a list.
///
/// # Panics
/// If it is no whole number of steps.
pub(crate) fn steps(value: u32, step: u32) -> u32 {
    assert_eq!(value % step, 0, "{value} is no multiple of {step}");
    value / step
}

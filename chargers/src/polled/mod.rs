//! Devices that are asked and told: one task for each, whatever they speak.

mod device;
mod said;
mod shown;
mod task;
#[cfg(test)]
mod tests;
mod wear;

pub(crate) use device::{Alone, CallError, Order, Pace, PolledDevice, Repeat, Seen};
pub(crate) use shown::Shown;
pub(crate) use task::{Link, Polled, Told};

//! The whole engine, to be kept and taken up again: where a replay of the journal begins.
//!
//! Invariant: an engine that is taken up from its checkpoint goes on as the one that it was taken of, byte for byte.
//! Every field of the engine's state is therefore part of it; one that cannot be kept does not compile.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Engine;
use crate::config::Config;

/// The shape of what is kept. It grows whenever a checkpoint of before cannot be read any more.
const SHAPE: u32 = 1;

/// An engine as it stood after a step. It holds no driver and no secret: the engine looks at none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    shape: Shape,
    engine: Engine,
}

/// The number of the shape, which comes first and must be the one that this program reads.
#[derive(Clone, Debug)]
struct Shape;

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(SHAPE)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match u32::deserialize(from)? {
            SHAPE => Ok(Self),
            other => Err(D::Error::custom(format_args!(
                "the checkpoint has shape {other}, and this program reads shape {SHAPE}"
            ))),
        }
    }
}

impl Engine {
    /// The engine as it stands. It takes a copy and no more: turning it into text is for whoever keeps it.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut engine = self.clone();
        engine.config.forget_devices();
        Checkpoint {
            shape: Shape,
            engine,
        }
    }

    /// The engine that a checkpoint was taken of.
    pub fn from_checkpoint(checkpoint: Checkpoint) -> Self {
        checkpoint.engine
    }
}

impl Config {
    /// Takes out how devices and meters are reached, which the engine does not look at and which may hold secrets. That a
    /// circuit has a meter counts, and stays.
    pub fn forget_devices(&mut self) {
        for driver in (self.chargers.iter_mut().map(|charger| &mut charger.driver))
            .chain(self.slow_loads.iter_mut().map(|load| &mut load.driver))
        {
            *driver = None;
        }
        for source in (self.site.circuits.iter_mut()).filter_map(|circuit| circuit.meter.as_mut()) {
            source.clear();
        }
    }
}

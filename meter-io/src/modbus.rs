//! Meters that are asked for their registers, over TCP or on a serial line.

mod answer;
mod drained;

use crate::{
    feed::{Feed, Giver},
    link::Opener,
    serial,
    source::{ModbusMeter, ModbusWay},
    tcp,
};
use answer::Trouble;
use drained::Drained;
use headroom_codec::{
    Item, Protocol, Rejected,
    modbus::{Block, Function, Profile},
};
use std::{io, time::Duration};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_modbus::{
    Request, Response, Slave,
    client::{Client, Context, rtu, tcp as modbus_tcp},
};

/// The port of Modbus over TCP (IANA).
const PORT: u16 = 502;
/// A meter answers in some 50 ms; one behind a gateway with other meters, in some hundred.
const PATIENCE: Duration = Duration::from_secs(1);
/// An answer may be lost on a line; the second one in a row is no accident.
const ATTEMPTS: usize = 2;
/// Answers in a row that are right and hold no values of such a meter: it is another one.
const STRANGE_MAX: usize = 3;

/// Reaches the meter and asks it in turn, from now on.
pub(crate) async fn open(meter: &ModbusMeter, opener: &Opener) -> io::Result<Feed> {
    let unit = Slave(meter.unit);
    let context = match &meter.way {
        ModbusWay::Tcp {
            authority,
            rtu: frames,
        } => {
            let stream = tcp::open(&authority.address(PORT)).await?;
            stream.set_nodelay(true)?;
            let stream = Drained(stream);
            if *frames {
                rtu::attach_slave(stream, unit)
            } else {
                modbus_tcp::attach_slave(stream, unit)
            }
        }
        ModbusWay::Serial { path, line } => {
            let (path, line) = (path.clone(), *line);
            let port = opener.blocking(move || serial::open(&path, line)).await?;
            rtu::attach_slave(Drained(port), unit)
        }
    };
    let meter = meter.clone();
    Ok(Feed::start(|giver| poll(context, meter, giver)))
}

/// Asks until an answer fails; tells why.
async fn poll(mut context: Context, meter: ModbusMeter, giver: Giver) -> io::Error {
    let mut turns = interval(meter.interval);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut strange = 0;
    loop {
        turns.tick().await;
        let answers = match read(&mut context, meter.profile).await {
            Ok(answers) => answers,
            Err(trouble) => return trouble.told(&meter),
        };
        let raw: Vec<u8> = answers
            .iter()
            .flatten()
            .flat_map(|register| register.to_be_bytes())
            .collect();
        let bytes = raw.len();
        let item = match meter.profile.telegram(&answers) {
            Ok(telegram) => {
                strange = 0;
                Item::Telegram(telegram)
            }
            Err(reason) => {
                strange += 1;
                Item::Rejected(Rejected {
                    protocol: Protocol::Modbus,
                    reason,
                    bytes,
                })
            }
        };
        giver.give(bytes, vec![(item, raw)]).await;
        if strange >= STRANGE_MAX {
            return Trouble::Strange.told(&meter);
        }
    }
}

/// All blocks of a profile.
async fn read(context: &mut Context, profile: &Profile) -> Result<Vec<Vec<u16>>, Trouble> {
    let mut answers = Vec::with_capacity(profile.blocks.len());
    for block in profile.blocks {
        answers.push(ask(context, profile.function, *block).await?);
    }
    Ok(answers)
}

/// One block. A second attempt is made after a silence alone: all else would happen again.
async fn ask(context: &mut Context, function: Function, block: Block) -> Result<Vec<u16>, Trouble> {
    let Block { start, count } = block;
    for _ in 0..ATTEMPTS {
        let request = match function {
            Function::Holding => Request::ReadHoldingRegisters(start, count),
            Function::Input => Request::ReadInputRegisters(start, count),
        };
        match timeout(PATIENCE, context.call(request)).await {
            // An error of the connection, and within it one that the meter tells.
            Ok(Ok(Ok(
                Response::ReadHoldingRegisters(registers) | Response::ReadInputRegisters(registers),
            ))) if registers.len() == usize::from(count) => return Ok(registers),
            Ok(Ok(Ok(_))) => return Err(Trouble::Size(block)),
            Ok(Ok(Err(code))) => return Err(Trouble::Refused(block, code)),
            Ok(Err(error)) => return Err(Trouble::Failed(error)),
            Err(_) => {}
        }
    }
    Err(Trouble::Silence)
}

#[cfg(test)]
mod tests;

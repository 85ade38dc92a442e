//! What a meter answered instead of its registers, in words that say what to do.

use crate::source::{ModbusMeter, ModbusWay};
use headroom_codec::modbus::Block;
use std::io;
use tokio_modbus::{Error, ExceptionCode, ProtocolError};

/// Why there are no registers.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No answer, also to a second request.
    Silence,
    /// The meter refuses the request for these registers.
    Refused(Block, ExceptionCode),
    /// The answer to the request for these registers has another number of them.
    Size(Block),
    /// The answers hold no values of such a meter.
    Strange,
    /// The connection is lost, or what came is no answer to what was asked.
    Failed(Error),
}

impl Trouble {
    pub(super) fn told(self, meter: &ModbusMeter) -> io::Error {
        let unit = meter.unit;
        let profile = meter.profile.name;
        match self {
            Self::Silence => {
                let check = match meter.way {
                    ModbusWay::Tcp { rtu: true, .. } | ModbusWay::Serial { .. } => {
                        "the unit number, the line parameters and the wiring"
                    }
                    ModbusWay::Tcp { rtu: false, .. } => {
                        "the unit number, and whether the meter speaks Modbus TCP there"
                    }
                };
                let text = format!("unit {unit} did not answer, twice within 1 s: check {check}");
                io::Error::new(io::ErrorKind::TimedOut, text)
            }
            Self::Refused(block, code) => {
                let registers = registers(block);
                io::Error::other(refusal(code, unit, profile, &registers))
            }
            Self::Size(block) => io::Error::other(format!(
                "the answer of unit {unit} has another size than {} that were asked for",
                registers(block)
            )),
            Self::Strange => io::Error::other(format!(
                "the registers of unit {unit} do not hold what a {} has there: choose the profile of your meter",
                meter.profile.model
            )),
            Self::Failed(Error::Transport(error)) => transport(error),
            Self::Failed(Error::Protocol(ProtocolError::HeaderMismatch { .. })) => {
                io::Error::other(format!(
                    "an answer came that was not asked for: another unit than {unit} answers, or another program uses \
                     the same line"
                ))
            }
            Self::Failed(Error::Protocol(ProtocolError::FunctionCodeMismatch { .. })) => {
                io::Error::other("the answer is one to another request")
            }
        }
    }
}

fn registers(block: Block) -> String {
    let last = block.start.saturating_add(block.count.saturating_sub(1));
    format!("the registers {:#06x} to {last:#06x}", block.start)
}

fn refusal(code: ExceptionCode, unit: u8, profile: &str, registers: &str) -> String {
    let other = format!("so it is no {profile}: choose the profile of your meter");
    match code {
        ExceptionCode::IllegalFunction => {
            format!("unit {unit} does not know the request (illegal function), {other}")
        }
        ExceptionCode::IllegalDataAddress => {
            format!("unit {unit} does not have {registers} (illegal data address), {other}")
        }
        ExceptionCode::IllegalDataValue => {
            format!("unit {unit} does not give {registers} at once (illegal data value), {other}")
        }
        ExceptionCode::GatewayPathUnavailable => {
            format!(
                "the gateway has no way to unit {unit} (gateway path unavailable): check its settings"
            )
        }
        ExceptionCode::GatewayTargetDevice => format!(
            "the gateway got no answer from unit {unit} (gateway target device failed to respond): check the unit number, \
             the gateway's line parameters and the wiring"
        ),
        code => format!("unit {unit} answered an error: {code}"),
    }
}

/// The library tells an end of the connection as it comes: also as an error without a reason.
fn transport(error: io::Error) -> io::Error {
    let ended = matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof
    );
    if ended || error.raw_os_error() == Some(0) {
        let text = "the other end closed the connection; many meters and gateways serve one program at a time";
        return io::Error::new(io::ErrorKind::ConnectionAborted, text);
    }
    error
}

//! Requests to one unit over TCP, guarded by tower's layers.
//!
//! The connection is made when it is needed. A request that is given up takes the connection with it, so that
//! a late answer meets nobody.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context as Wake, Poll},
    time::Duration,
};

use tokio::net::TcpStream;
use tokio_modbus::{
    Error, ProtocolError, Request, Response, Slave,
    client::{Client as _, Context, tcp},
};
use tower::{
    BoxError, Service, ServiceBuilder, ServiceExt as _, limit::ConcurrencyLimit, limit::RateLimit,
    timeout::Timeout,
};

use crate::polled::CallError;

/// The port of Modbus over TCP (IANA).
const PORT: u16 = 502;
/// Time for one answer, with the connection if there is none: chargers answer in some 50 ms.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Requests that a small device can take, in [`RATE_PER`]; a poll has up to nine.
const RATE: u64 = 50;
const RATE_PER: Duration = Duration::from_secs(1);

type Stack = Timeout<ConcurrencyLimit<RateLimit<Wire>>>;

/// The way to one unit.
#[derive(Debug)]
pub(crate) struct Link {
    stack: Stack,
}

impl Link {
    /// `address` is a host, maybe with a port.
    pub(crate) fn new(address: &str, unit: u8) -> Self {
        let wire = Wire {
            address: with_port(address, PORT),
            unit: Slave(unit),
            kept: Arc::default(),
        };
        let stack = ServiceBuilder::new()
            .timeout(ANSWER_WITHIN)
            .concurrency_limit(1)
            .rate_limit(RATE, RATE_PER)
            .service(wire);
        Self { stack }
    }

    /// Reads holding registers.
    pub(crate) async fn holding(&mut self, start: u16, count: u16) -> Result<Vec<u16>, CallError> {
        match self
            .call(Request::ReadHoldingRegisters(start, count))
            .await?
        {
            Response::ReadHoldingRegisters(words) if words.len() == usize::from(count) => Ok(words),
            _ => Err(strange()),
        }
    }

    /// Reads one coil.
    pub(crate) async fn coil(&mut self, address: u16) -> Result<bool, CallError> {
        match self.call(Request::ReadCoils(address, 1)).await? {
            // A whole byte of them is sent.
            Response::ReadCoils(coils) => coils.first().copied().ok_or_else(strange),
            _ => Err(strange()),
        }
    }

    /// Writes; the answer repeats what was written and where. One that repeats something else did not take it.
    pub(crate) async fn write(&mut self, request: Request<'static>) -> Result<(), CallError> {
        let answer = self.call(request.clone()).await?;
        let taken = match (&request, &answer) {
            (Request::WriteSingleCoil(to, on), Response::WriteSingleCoil(at, is)) => {
                (to, on) == (at, is)
            }
            (Request::WriteSingleRegister(to, word), Response::WriteSingleRegister(at, is)) => {
                (to, word) == (at, is)
            }
            (
                Request::WriteMultipleRegisters(to, words),
                Response::WriteMultipleRegisters(at, count),
            ) => to == at && words.len() == usize::from(*count),
            _ => false,
        };
        if taken {
            return Ok(());
        }
        let text = "its answer to a write repeats something else than what was written";
        Err(CallError::Strange(text.to_owned()))
    }

    async fn call(&mut self, request: Request<'static>) -> Result<Response, CallError> {
        let service = self.stack.ready().await.map_err(CallError::NoAnswer)?;
        let answer = service.call(request).await;
        answer.map_err(|error| match error.downcast::<CallError>() {
            Ok(told) => *told,
            Err(other) => CallError::NoAnswer(other),
        })
    }
}

/// `host`, `host:port`, `[v6]`, `[v6]:port` or a bare v6 address, with a port in any case.
pub(crate) fn with_port(address: &str, port: u16) -> String {
    let colons = address.matches(':').count();
    if address.starts_with('[') {
        return if address.ends_with(']') {
            format!("{address}:{port}")
        } else {
            address.to_owned()
        };
    }
    match colons {
        0 => format!("{address}:{port}"),
        1 => address.to_owned(),
        _ => format!("[{address}]:{port}"),
    }
}

/// The connection as a service.
#[derive(Clone)]
struct Wire {
    address: String,
    unit: Slave,
    kept: Arc<Mutex<Option<Context>>>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut wire = f.debug_struct("Wire");
        wire.field("address", &self.address)
            .field("unit", &self.unit);
        wire.finish_non_exhaustive()
    }
}

impl Wire {
    async fn ask(self, request: Request<'static>) -> Result<Response, BoxError> {
        let kept = self.lock().take();
        if let Some(mut context) = kept {
            match context.call(request.clone()).await {
                // Many chargers close a connection that is quiet for a while; a new one is made below.
                Err(Error::Transport(_)) => {}
                answer => return self.keep(context, answer),
            }
        }
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let mut context = tcp::attach_slave(stream, self.unit);
        let answer = context.call(request).await;
        self.keep(context, answer)
    }

    /// Keeps a connection that is in order for the next request.
    fn keep(
        &self,
        context: Context,
        answer: tokio_modbus::Result<Response>,
    ) -> Result<Response, BoxError> {
        match answer {
            Ok(Ok(response)) => {
                *self.lock() = Some(context);
                Ok(response)
            }
            Ok(Err(code)) => {
                *self.lock() = Some(context);
                Err(Box::new(CallError::Refused(format!("Modbus says: {code}"))))
            }
            Err(Error::Transport(error)) => Err(error.into()),
            Err(Error::Protocol(
                ProtocolError::HeaderMismatch { .. } | ProtocolError::FunctionCodeMismatch { .. },
            )) => Err(Box::new(strange())),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Context>> {
        // Every change under the lock is complete in itself.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service<Request<'static>> for Wire {
    type Response = Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Wake<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<'static>) -> Self::Future {
        Box::pin(self.clone().ask(request))
    }
}

fn strange() -> CallError {
    CallError::Strange("it is no answer to the request".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_a_port() {
        for (given, full) in [
            ("charger.local", "charger.local:502"),
            ("192.0.2.7:1502", "192.0.2.7:1502"),
            ("2001:db8::1", "[2001:db8::1]:502"),
            ("[2001:db8::1]", "[2001:db8::1]:502"),
            ("[2001:db8::1]:5", "[2001:db8::1]:5"),
        ] {
            assert_eq!(with_port(given, PORT), full);
        }
    }
}

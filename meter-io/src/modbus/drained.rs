//! A connection on which only the other end's answers count.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes thrown away at once.
const SCRATCH: usize = 256;
/// Bytes thrown away before one write: the longest answer has 256. More is no Modbus at all.
const THROWN_MAX: usize = 64 * 1024;

/// What lies in the receive buffer when a request is sent can be no answer to it: the answer to one that was given up,
/// or noise of the line. On a serial line nothing else tells the two apart.
#[derive(Debug)]
pub(super) struct Drained<T>(pub(super) T);

impl<T: AsyncRead + Unpin> AsyncRead for Drained<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Drained<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut thrown = 0;
        loop {
            let mut scratch = [0; SCRATCH];
            let mut scratch = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.0).poll_read(cx, &mut scratch)? {
                Poll::Ready(()) if scratch.filled().is_empty() => {
                    return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
                }
                Poll::Ready(()) => thrown += scratch.filled().len(),
                Poll::Pending => break,
            }
            if thrown > THROWN_MAX {
                return Poll::Ready(Err(io::Error::other("it sends without being asked")));
            }
        }
        let written = ready!(Pin::new(&mut self.0).poll_write(cx, bytes))?;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

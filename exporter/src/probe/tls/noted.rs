//! What TLS said when a connection broke, kept beside whoever carries it.
//!
//! HTTP/2's library keeps an error's kind and text alone; that a peer asked for a client certificate would be lost.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::explain;
use crate::probe::Failure;

/// A stream whose first error of TLS is kept.
#[derive(Debug)]
pub struct Noted<S> {
    stream: S,
    note: Note,
}

/// The first error of TLS, where there was one.
#[derive(Clone, Debug, Default)]
pub struct Note(Arc<OnceLock<Failure>>);

impl Note {
    /// What it means.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        self.0.get().cloned()
    }

    fn of<T>(&self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &result
            && let Some(failure) = explain(error)
        {
            let _ = self.0.set(failure);
        }
        result
    }
}

impl<S> Noted<S> {
    /// The stream, and where its error will be.
    pub fn new(stream: S) -> (Self, Note) {
        let note = Note::default();
        (Self { stream, note: note.clone() }, note)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.note.of(result)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note.of(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note.of(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.note.of(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.note.of(result)
    }
}

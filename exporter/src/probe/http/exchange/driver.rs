//! Polls a connection and what waits for it in one task.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::task::AbortHandle;

use super::fault;
use crate::probe::Failure;
use crate::probe::tls::Note;

/// A connection of one exchange; it ends when this is dropped.
#[derive(Debug)]
pub(in crate::probe) struct Driver<C> {
    connection: Pin<Box<C>>,
    /// How it ended, when it has.
    ended: Option<hyper::Result<()>>,
    /// What TLS said of it, where its library does not pass that on.
    note: Note,
}

impl<C: Future<Output = hyper::Result<()>>> Driver<C> {
    pub(in crate::probe) fn new(connection: C) -> Self {
        Self { connection: Box::pin(connection), ended: None, note: Note::default() }
    }

    /// The same, with what TLS says below it.
    pub(in crate::probe) fn noting(self, note: Note) -> Self {
        Self { note, ..self }
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        if self.ended.is_none()
            && let Poll::Ready(result) = self.connection.as_mut().poll(cx)
        {
            self.ended = Some(result);
        }
    }

    /// Waits for `work` and drives the connection meanwhile.
    pub(in crate::probe) async fn with<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|cx| {
            // First the work, for it may have something to send; then again, for it may have got its answer.
            if let Poll::Ready(output) = work.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            self.poll(cx);
            work.as_mut().poll(cx)
        })
        .await
    }

    /// Drives the connection once, without waiting.
    pub(in crate::probe) async fn nudge(&mut self) {
        poll_fn(|cx| {
            self.poll(cx);
            Poll::Ready(())
        })
        .await;
    }

    /// What an error of the work means: where the connection broke, that is the cause.
    pub(in crate::probe) fn explain(&self, error: &hyper::Error) -> Failure {
        if let Some(of_tls) = self.note.failure() {
            return of_tls;
        }
        match &self.ended {
            Some(Err(cause)) if error.is_canceled() || error.is_closed() => fault::explain(cause),
            _ => fault::explain(error),
        }
    }
}

/// The tasks HTTP/2 starts for one connection; dropping this ends them, whatever the peer does.
#[derive(Debug, Default)]
pub(in crate::probe) struct Tasks(Arc<Mutex<Vec<AbortHandle>>>);

impl Tasks {
    pub(in crate::probe) fn executor(&self) -> Executor {
        Executor(Arc::clone(&self.0))
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }
}

/// Starts tasks that end with their [`Tasks`].
#[derive(Clone, Debug)]
pub(in crate::probe) struct Executor(Arc<Mutex<Vec<AbortHandle>>>);

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        let handle = tokio::spawn(task).abort_handle();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
    }
}

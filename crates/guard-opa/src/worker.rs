//! The thread that the client's I/O happens on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::{ConfigError, OpaError};

/// A thread with a runtime, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    handle: Handle,
    /// Dropping it is the signal to end.
    _running: oneshot::Sender<()>,
}

impl Worker {
    pub(crate) fn start() -> Result<Self, ConfigError> {
        let start = |error: std::io::Error| ConfigError::Start(error.to_string());
        let runtime = Builder::new_current_thread().enable_all().build().map_err(start)?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel::<()>();
        let work = move || {
            // The sender never sends: this ends when it is dropped, and the open calls with it.
            let _ = runtime.block_on(ended);
        };
        thread::Builder::new().name("hexarch-opa".into()).spawn(work).map_err(start)?;
        Ok(Self { handle, _running: running })
    }

    /// Runs a future over there. Dropping the answer cancels the work.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, OpaError>> + Send + 'static,
    ) -> Running<T> {
        Running(self.handle.spawn(work))
    }

    /// Has work done over there that nobody waits for. It ends with the thread.
    pub(crate) fn start_work(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(work));
    }
}

/// The answer of work on the worker's thread.
pub(crate) struct Running<T>(JoinHandle<Result<T, OpaError>>);

impl<T> Future for Running<T> {
    type Output = Result<T, OpaError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|joined| joined.unwrap_or(Err(OpaError::Stopped)))
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

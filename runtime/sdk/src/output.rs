//! The output port of a source.

use crate::owned::Pool;
use crate::{BatchBuilder, Closed, Context};
use pipeline_abi::*;
use std::future::Future;
use std::sync::Arc;
use std::task::Poll;

/// Where a source hands out its batches.
pub struct Output {
    port: *mut PlPort,
    context: Context,
    pool: Arc<Pool>,
    /// A batch that waits for credit. It stays here when a `send` is given up, so that it is never lost.
    waiting: Option<Waiting>,
}

struct Waiting(*const PlBatch);

impl Drop for Waiting {
    fn drop(&mut self) {
        // SAFETY: gives back the one reference, which did not move to the host.
        unsafe { ((*(*self.0).vt).release)(self.0) }
    }
}

impl Output {
    /// # Safety
    /// `port` is an output port of this instance, and nobody else uses it.
    pub(crate) unsafe fn bind(port: *mut PlPort, context: Context) -> Self {
        let waker = context.control().ports.context();
        // SAFETY: the host's port; `notify` and its context outlive every call.
        unsafe { ((*(*port).vt).bind)(port, crate::wake::notify, waker) };
        Output {
            port,
            context,
            pool: Pool::new(),
            waiting: None,
        }
    }

    /// An empty batch, in memory of an earlier one where possible.
    #[must_use]
    pub fn batch(&self) -> BatchBuilder {
        BatchBuilder::new(self.pool.take())
    }

    /// Hands a batch to the stages behind this one, waiting while they have no room. An empty batch is nothing.
    ///
    /// When the future is dropped before it is ready, the batch is still sent: by the next call, or when `run` returns.
    ///
    /// # Errors
    /// [`Closed`] when nobody will ever take it.
    pub async fn send(&mut self, batch: BatchBuilder) -> Result<(), Closed> {
        self.flush().await?;
        if !batch.is_empty() {
            self.waiting = Some(Waiting(batch.finish().0));
        }
        self.flush().await
    }

    /// Gives up the batch that a dropped [`send`](Self::send) left waiting, if there is one: it is not sent.
    pub fn discard(&mut self) {
        self.waiting = None;
    }

    /// Sends what waits.
    pub(crate) async fn flush(&mut self) -> Result<(), Closed> {
        if self.waiting.is_some() {
            // Gives other tasks of the stage their turn from time to time even if there is always credit.
            tokio::task::coop::consume_budget().await;
        }
        std::future::poll_fn(|cx| {
            let Some(waiting) = self.waiting.take() else {
                return Poll::Ready(Ok(()));
            };
            self.context.control().ports.register(cx.waker());
            // SAFETY: the host's port, used by this thread only; a valid batch.
            match unsafe { ((*(*self.port).vt).send)(self.port, waiting.0) } {
                PL_OK => {
                    // The reference moved.
                    std::mem::forget(waiting);
                    Poll::Ready(Ok(()))
                }
                PL_AGAIN => {
                    self.waiting = Some(waiting);
                    Poll::Pending
                }
                _ => Poll::Ready(Err(Closed)),
            }
        })
        .await
    }

    /// Waits for something, but no longer than until the stage is asked to drain: then `None`.
    pub async fn until_draining<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.context.draining() => None,
            value = wait => Some(value),
        }
    }
}

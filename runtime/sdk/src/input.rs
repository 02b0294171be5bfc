//! The input ports of a sink.

use crate::phase::Phase;
use crate::{Batch, Context};
use pipeline_abi::*;
use std::collections::VecDeque;
use std::task::Poll;

const AT_ONCE: usize = 64;

/// Where a sink receives its batches, from all its inputs in turn.
pub struct Input {
    ports: Vec<*mut PlPort>,
    /// The port to ask first the next time.
    turn: usize,
    received: VecDeque<Batch>,
    context: Context,
}

impl Input {
    /// # Safety
    /// `ports` are the input ports of this instance, and nobody else uses them.
    pub(crate) unsafe fn bind(ports: &[*mut PlPort], context: Context) -> Self {
        for &port in ports {
            let waker = context.control().ports.context();
            // SAFETY: the host's port; `notify` and its context outlive every call.
            unsafe { ((*(*port).vt).bind)(port, crate::wake::notify, waker) };
        }
        Input {
            ports: ports.to_vec(),
            turn: 0,
            received: VecDeque::with_capacity(AT_ONCE),
            context,
        }
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The next batch. `None` when the stage is asked to drain and nothing is left: settle what is in hand, then return.
    ///
    /// Nothing is lost when the future is dropped before it is ready.
    pub async fn recv(&mut self) -> Option<Batch> {
        // Gives other tasks of the stage their turn from time to time even if there is always a batch.
        tokio::task::coop::consume_budget().await;
        std::future::poll_fn(|cx| {
            let control = self.context.control();
            if self.received.is_empty() {
                control.ports.register(cx.waker());
                // Read before the ports: what the host moved into them before it asked to drain is then seen.
                let phase = control.phase();
                self.receive();
                if self.received.is_empty() && phase >= Phase::Draining {
                    return Poll::Ready(None);
                }
            }
            self.received
                .pop_front()
                .map_or(Poll::Pending, |batch| Poll::Ready(Some(batch)))
        })
        .await
    }

    /// Takes what waits in the first port that has something; all ports are armed if none has.
    fn receive(&mut self) {
        let mut batches = [std::ptr::null::<PlBatch>(); AT_ONCE];
        for _ in 0..self.ports.len() {
            let port = self.ports[self.turn];
            self.turn = (self.turn + 1) % self.ports.len();
            // SAFETY: the host's port, used by this thread only; room for `AT_ONCE` references.
            let count = unsafe { ((*(*port).vt).recv)(port, batches.as_mut_ptr(), AT_ONCE as u32) };
            if count > 0 {
                // SAFETY: so many references moved here.
                self.received.extend(
                    batches[..count as usize]
                        .iter()
                        .map(|&batch| unsafe { Batch::from_raw(batch) }),
                );
                return;
            }
        }
    }
}

//! Questions to the brokers that are asked again and again.
//!
//! Invariant: the stage's own thread never waits for an answer, nothing wakes up but to ask, and no client is kept alive by it.

use pipeline_sdk::prelude::*;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer of the brokers is waited for: a stage that closes waits as long, and what comes late is asked for again.
pub(crate) const ANSWER: Duration = Duration::from_millis(500);

/// Calls `ask` with the client, with pauses, until it breaks off, the stage closes or the client is gone. It may block, but for a
/// bounded time: a stage that closes waits for it. To be called on the stage's runtime.
pub fn ask_again<C: Send + Sync + 'static>(
    context: &Context,
    client: &Arc<C>,
    pause: Duration,
    mut ask: impl FnMut(&C) -> ControlFlow<()> + Send + 'static,
) {
    let (asking, client) = (context.clone(), Arc::downgrade(client));
    context.spawn(async move {
        while !asking.is_closing() {
            let Some(client) = client.upgrade() else {
                return;
            };
            let asked = asking.spawn_blocking(move || {
                let answer = ask(&client);
                drop(client);
                (ask, answer)
            });
            ask = match asked.await {
                Ok((ask, ControlFlow::Continue(()))) => ask,
                // Otherwise it panicked, which fails the stage.
                Ok((_, ControlFlow::Break(()))) | Err(_) => return,
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = asking.closing() => {}
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline_sdk::testing;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    /// Asks until asked for the `last` time; gives the count of each time.
    fn count(
        context: &Context,
        client: &Arc<()>,
        pause: Duration,
        last: u32,
    ) -> UnboundedReceiver<u32> {
        let (asked, times) = unbounded_channel();
        let mut count = 0;
        ask_again(context, client, pause, move |()| {
            count += 1;
            asked.send(count).unwrap();
            match count == last {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        times
    }

    #[tokio::test]
    async fn it_asks_until_it_is_answered() {
        let (context, client) = (Context::detached("test"), Arc::default());
        let mut times = count(&context, &client, Duration::ZERO, 3);
        for count in 1..=3 {
            assert_eq!(times.recv().await, Some(count));
        }
        assert_eq!(times.recv().await, None);
    }

    #[tokio::test]
    async fn a_pause_ends_when_the_stage_closes() {
        let (context, client) = (Context::detached("test"), Arc::default());
        let mut times = count(&context, &client, Duration::MAX, 2);
        assert_eq!(times.recv().await, Some(1));
        testing::close(&context);
        assert_eq!(times.recv().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_gone_is_not_asked() {
        let (context, client) = (Context::detached("test"), Arc::default());
        let mut times = count(&context, &client, Duration::from_secs(60), 2);
        assert_eq!(times.recv().await, Some(1));
        drop(client);
        assert_eq!(times.recv().await, None);
    }
}

//! Sources: where messages enter a flow.

use crate::instance::{self, Ports};
use crate::{Context, Invalid, Output, Result, host};
use pipeline_abi::*;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A stage that brings messages into a flow.
///
/// One instance has one thread with one single-threaded tokio runtime; its futures need not be `Send`.
#[expect(
    async_fn_in_trait,
    reason = "the futures stay on the instance's own thread"
)]
pub trait Source: Sized + 'static {
    /// The word of `use:`.
    const NAME: &'static str;

    /// Whether what was not settled when the process ends comes again after the next start.
    const REPLAYABLE: bool = false;

    /// The settings under `with:`. The doc comment of the struct is the stage's documentation, those of its fields are the
    /// documentation of the settings.
    type Config: DeserializeOwned + JsonSchema + Send + 'static;

    /// Says what the schema of the settings cannot.
    fn validate(_config: &Self::Config) -> Vec<Invalid> {
        Vec::new()
    }

    /// Opens the stage. Listeners listen when it returns; other machines are not waited for.
    ///
    /// # Errors
    /// Whatever keeps the stage from working: it is tried again with growing waits.
    async fn open(config: Self::Config, context: Context) -> Result<Self>;

    /// Hands out messages until the stage is asked to drain (see [`Output::until_draining`]) or the source is at its end.
    ///
    /// # Errors
    /// Whatever keeps the stage from going on: it is closed and opened again.
    async fn run(&mut self, output: &mut Output) -> Result<()>;

    /// Closes the stage, after everything that it handed out was settled or time ran out.
    ///
    /// # Errors
    /// What could not be ended in order; it is logged.
    async fn close(self) -> Result<()> {
        Ok(())
    }
}

/// # Safety
/// `open` and all that it points to are valid for the call, as the host promises.
pub(crate) unsafe fn open<S: Source>(open: &PlOpen, config: S::Config) -> Result<*mut PlStage> {
    if open.n_inputs != 0 || open.n_outputs != 1 {
        return Err(format!(
            "a source has no input and one output, not {} and {}",
            open.n_inputs, open.n_outputs
        )
        .into());
    }
    // SAFETY: promised by the caller.
    let (context, ports) =
        unsafe { (Context::new(open), Ports::new(open.outputs, open.n_outputs)) };
    instance::start(context, async move |context| {
        live::<S>(config, context, ports).await
    })
}

async fn live<S: Source>(config: S::Config, context: Context, ports: Ports) -> Result<()> {
    let Some(opened) = instance::until_closing(&context, S::open(config, context.clone())).await
    else {
        return Ok(());
    };
    let mut stage = opened?;
    if instance::opened(&context).await {
        // SAFETY: the one output port, which only this thread uses.
        let mut output = unsafe { Output::bind(ports.0[0], context.clone()) };
        if let Some(ended) =
            instance::until_closing(&context, hand_out(&mut stage, &mut output)).await
        {
            ended?;
            if !context.is_draining() {
                host::emit(context.cookie(), PL_EVENT_FINISHED, PL_OK, "");
                context.draining().await;
            }
            instance::drained(&context).await;
        }
    }
    stage.close().await
}

async fn hand_out<S: Source>(stage: &mut S, output: &mut Output) -> Result<()> {
    stage.run(output).await?;
    Ok(output.flush().await?)
}

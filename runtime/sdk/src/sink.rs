//! Sinks: where messages leave a flow, or pass on to a stage that takes what was delivered.

use crate::instance::{self, Ports};
use crate::{Context, Input, Invalid, Result};
use pipeline_abi::*;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A stage that delivers messages.
///
/// One instance has one thread with one single-threaded tokio runtime; its futures need not be `Send`.
#[expect(
    async_fn_in_trait,
    reason = "the futures stay on the instance's own thread"
)]
pub trait Sink: Sized + 'static {
    /// The word of `use:`.
    const NAME: &'static str;

    /// Fewest inputs that the stage works with; 0 for one that also has a way in of its own.
    const MIN_INPUTS: u32 = 1;

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

    /// Delivers until [`Input::recv`] gives `None`, and settles each message once. Retrying is the sink's own work, see
    /// [`Input::lanes`].
    ///
    /// # Errors
    /// Whatever keeps the stage from going on: it is closed and opened again, and gets what it had not settled again.
    async fn run(&mut self, input: &mut Input) -> Result<()>;

    /// Closes the stage.
    ///
    /// # Errors
    /// What could not be ended in order; it is logged.
    async fn close(self) -> Result<()> {
        Ok(())
    }
}

/// # Safety
/// `open` and all that it points to are valid for the call, as the host promises.
pub(crate) unsafe fn open<S: Sink>(open: &PlOpen, config: S::Config) -> Result<*mut PlStage> {
    if open.n_inputs < S::MIN_INPUTS {
        return Err(format!(
            "`{}` needs at least {} inputs, not {}",
            S::NAME,
            S::MIN_INPUTS,
            open.n_inputs
        )
        .into());
    }
    // SAFETY: promised by the caller.
    let (context, ports) = unsafe { (Context::new(open), Ports::new(open.inputs, open.n_inputs)) };
    instance::start(context, async move |context| {
        live::<S>(config, context, ports).await
    })
}

async fn live<S: Sink>(config: S::Config, context: Context, ports: Ports) -> Result<()> {
    let Some(opened) = instance::until_closing(&context, S::open(config, context.clone())).await
    else {
        return Ok(());
    };
    let mut stage = opened?;
    if instance::opened(&context).await {
        // SAFETY: the input ports, which only this thread uses.
        let mut input = unsafe { Input::bind(&ports.0, context.clone()) };
        if let Some(ended) = instance::until_closing(&context, stage.run(&mut input)).await {
            ended?;
            if !context.is_draining() {
                return Err(instance::ended_early());
            }
            instance::drained(&context).await;
        }
    }
    stage.close().await
}

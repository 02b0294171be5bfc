//! Filters: stages without a thread that change, split or drop messages on their way.

use crate::builder::BatchBuilder;
use crate::context::Context;
use crate::instance::guard;
use crate::owned::Pool;
use crate::phase::Phase;
use crate::workers::panic_text;
use crate::{Batch, Emit, Invalid, Message, Reject, Result, host};
use pipeline_abi::*;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A stage that makes of each message nothing, one message or several.
///
/// It is called on the thread of a neighbouring stage, one call at a time, and must not block.
pub trait Filter: Sized + Send + 'static {
    /// The word of `use:`.
    const NAME: &'static str;

    /// The settings under `with:`. The doc comment of the struct is the stage's documentation, those of its fields are the
    /// documentation of the settings.
    type Config: DeserializeOwned + JsonSchema + Send + 'static;

    /// Says what the schema of the settings cannot.
    fn validate(_config: &Self::Config) -> Vec<Invalid> {
        Vec::new()
    }

    /// Opens the stage.
    ///
    /// # Errors
    /// Whatever keeps the stage from working: it is tried again with growing waits.
    fn open(config: Self::Config, context: Context) -> Result<Self>;

    /// Processes one message. With `Ok` and nothing emitted it is dropped on purpose.
    ///
    /// A batch whose output does not fit one batch is processed again in halves: a message may then be seen twice.
    ///
    /// # Errors
    /// [`Reject`] for a message that cannot be processed; what was emitted for it before is taken back.
    fn process(&mut self, message: Message<'_>, out: &mut Emit<'_>) -> Result<(), Reject>;
}

/// The memory behind a `PlStage` of a filter.
#[repr(C)]
struct Instance<F> {
    header: PlStage, // first: a pointer to it is a pointer to `Instance`
    context: Context,
    filter: F,
    pool: Arc<Pool>,
    /// Why messages of the last call were rejected, and the same as the host reads it.
    reasons: Vec<(u32, String)>,
    rejects: Vec<PlReject>,
}

/// # Safety
/// `open` and all that it points to are valid for the call, as the host promises.
pub(crate) unsafe fn open<F: Filter>(open: &PlOpen, config: F::Config) -> Result<*mut PlStage> {
    // SAFETY: promised by the caller.
    let context = unsafe { Context::new(open) };
    let _entered = host::enter(context.cookie());
    let filter = F::open(config, context.clone())?;
    host::emit(context.cookie(), PL_EVENT_OPENED, PL_OK, "");
    let vt: &'static PlStageVt = const { &vt::<F>() };
    let instance = Instance {
        header: PlStage { vt },
        context,
        filter,
        pool: Pool::new(),
        reasons: Vec::new(),
        rejects: Vec::new(),
    };
    Ok(Box::into_raw(Box::new(instance)).cast())
}

const fn vt<F: Filter>() -> PlStageVt {
    PlStageVt {
        struct_size: size_of::<PlStageVt>() as u32,
        reserved: 0,
        start: start_call,
        drain: drain_call::<F>,
        close: close_call::<F>,
        process: Some(process_call::<F>),
    }
}

unsafe extern "C" fn start_call(_stage: *mut PlStage) -> i32 {
    PL_OK
}

unsafe extern "C" fn drain_call<F: Filter>(stage: *mut PlStage, _deadline_ms: u32) -> i32 {
    // SAFETY: the host calls with an instance that it has not closed; the cookie does not change.
    let cookie = unsafe { (*stage.cast::<Instance<F>>()).context.cookie() };
    host::emit(cookie, PL_EVENT_DRAINED, PL_OK, "");
    PL_OK
}

unsafe extern "C" fn close_call<F: Filter>(stage: *mut PlStage, timeout_ms: u32) -> i32 {
    let until = Instant::now() + Duration::from_millis(u64::from(timeout_ms));
    // SAFETY: made by `Box::into_raw` in `open`; this is the last call.
    let instance = unsafe { Box::from_raw(stage.cast::<Instance<F>>()) };
    guard(move || {
        let context = instance.context.clone();
        let _entered = host::enter(context.cookie());
        context.control().advance(Phase::Closing);
        drop(instance);
        if !context.threads().join(until) {
            return PL_ERR_TIMEOUT;
        }
        host::emit(context.cookie(), PL_EVENT_CLOSED, PL_OK, "");
        PL_OK
    })
}

unsafe extern "C" fn process_call<F: Filter>(
    stage: *mut PlStage,
    batch: *const PlBatch,
    out: *mut PlFiltered,
) -> i32 {
    // SAFETY: the host calls on one thread at a time, with an instance that it has not closed, and keeps the batch; the
    // reference taken here is given back when `input` is dropped.
    let (instance, input, out) = unsafe {
        ((*(*batch).vt).retain)(batch);
        (
            &mut *stage.cast::<Instance<F>>(),
            Batch::from_raw(batch),
            &mut *out,
        )
    };
    let _entered = host::enter(instance.context.cookie());
    let processed = catch_unwind(AssertUnwindSafe(|| process(instance, &input, out)));
    processed.unwrap_or_else(|panic| {
        host::emit(
            instance.context.cookie(),
            PL_EVENT_FAILED,
            PL_ERR_PANIC,
            &panic_text(&*panic),
        );
        PL_ERR_PANIC
    })
}

fn process<F: Filter>(instance: &mut Instance<F>, input: &Batch, out: &mut PlFiltered) -> i32 {
    let mut builder = BatchBuilder::new(instance.pool.take());
    builder.topic_of(PlStr::new(input.topic().as_bytes()));
    instance.reasons.clear();
    for (index, message) in (0..).zip(input) {
        let (before, mut overflow) = (builder.len(), false);
        let processed = instance.filter.process(
            message,
            &mut Emit::new(&mut builder, message, index, &mut overflow),
        );
        if overflow {
            return PL_AGAIN;
        }
        if let Err(Reject(why)) = processed {
            builder.truncate(before);
            instance.reasons.push((index, why));
        }
    }
    instance.rejects.clear();
    instance
        .rejects
        .extend(instance.reasons.iter().map(|(index, why)| PlReject {
            index: *index,
            reserved: 0,
            why: PlStr::new(why.as_bytes()),
        }));
    out.n_rejects = instance.rejects.len() as u32;
    out.rejects = instance.rejects.as_ptr();
    if !builder.is_empty() {
        (out.batch, out.origin) = builder.finish();
    }
    PL_OK
}

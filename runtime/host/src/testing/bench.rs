//! What a test says to the stages of the fake plugin, and what it learns from them.

use super::Made;
use parking_lot::{Condvar, Mutex};
use pipeline_abi::{PL_AGAIN, PL_OK, PlBatch, PlPort};
use serde_json::Value;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

static BENCHES: LazyLock<Mutex<HashMap<String, Arc<Bench>>>> = LazyLock::new(Mutex::default);

/// What a sink does with a message.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Done,
    Reject(&'static str),
    /// Keeps it until the test says done to all that is kept.
    Keep,
    /// Fails as a panic would: nothing that it holds is settled.
    Fail(&'static str),
    /// Drops its reference without a word.
    Forget,
}

/// What a filter answers for a batch: outputs with their origin, and rejects; or an error.
pub(crate) type Filtering = Result<(Vec<(u32, String)>, Vec<(u32, &'static str)>), i32>;

type Acting = Box<dyn FnMut(&str) -> Act + Send>;
type Opening = Box<dyn FnMut(&Value) -> Result<(), String> + Send>;
type Processing = Box<dyn FnMut(&[String]) -> Filtering + Send>;

/// One stage of a test, over all its instances.
pub(crate) struct Bench {
    pub(crate) id: String,
    pub(super) acting: Mutex<Acting>,
    pub(super) opening: Mutex<Opening>,
    pub(super) processing: Mutex<Processing>,
    /// Most batches that a sink takes at once.
    pub(crate) take: Mutex<usize>,
    /// Payloads in the order in which the stage got them; a failure is `!`.
    pub(crate) seen: Mutex<Vec<String>>,
    /// `open`, `start`, `drain`, `close`, and the settings of each `open`.
    pub(crate) calls: Mutex<Vec<String>>,
    /// How long `close` blocks.
    pub(crate) blocks_in_close: Mutex<Duration>,
    /// What `close` answers.
    pub(crate) close_status: Mutex<i32>,
    /// A sink says that it is drained without having settled what it keeps.
    pub(crate) forgets_when_drained: Mutex<bool>,
    pub(super) instance: Mutex<Current>,
    /// Headers of every message that was seen.
    pub(crate) headers: Mutex<Vec<Vec<(String, String)>>>,
}

#[derive(Default)]
pub(super) struct Current {
    pub(super) cookie: u64,
    pub(super) output: Option<Port>,
    pub(super) notified: Arc<Notified>,
}

#[derive(Clone, Copy)]
pub(super) struct Port(pub(super) *mut PlPort);
// SAFETY: tests call a port from one thread at a time.
unsafe impl Send for Port {}

/// A wake-up that is not lost.
#[derive(Default)]
pub(crate) struct Notified {
    raised: Mutex<bool>,
    changed: Condvar,
}

impl Notified {
    pub(crate) fn raise(&self) {
        *self.raised.lock() = true;
        self.changed.notify_all();
    }

    /// Waits for a wake-up; panics when there is none in ten seconds, since that would be a lost one.
    pub(crate) fn wait(&self) {
        assert!(self.wait_for(Duration::from_secs(10)), "a wake-up was lost");
    }

    pub(crate) fn wait_for(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut raised = self.raised.lock();
        while !*raised {
            if self.changed.wait_until(&mut raised, until).timed_out() {
                return false;
            }
        }
        std::mem::take(&mut raised)
    }

    /// A context for `PlNotify` that lives for ever.
    pub(crate) fn context(this: &Arc<Notified>) -> *mut c_void {
        Arc::into_raw(this.clone()).cast_mut().cast()
    }
}

/// The `PlNotify` of [`Notified`].
pub(crate) unsafe extern "C" fn notify(ctx: *mut c_void) {
    // SAFETY: a context that is never freed.
    unsafe { &*ctx.cast::<Notified>() }.raise();
}

impl Bench {
    /// A new stage, which does everything right until it is told otherwise.
    pub(crate) fn new(id: &str) -> Arc<Self> {
        let bench = Arc::new(Bench {
            id: format!(
                "{id}-{:?}-{}",
                std::thread::current().id(),
                BENCHES.lock().len()
            ),
            acting: Mutex::new(Box::new(|_| Act::Done)),
            opening: Mutex::new(Box::new(|_| Ok(()))),
            processing: Mutex::new(Box::new(|messages| {
                Ok((
                    messages
                        .iter()
                        .cloned()
                        .enumerate()
                        .map(|(i, m)| (i as u32, m))
                        .collect(),
                    vec![],
                ))
            })),
            take: Mutex::new(64),
            seen: Mutex::default(),
            calls: Mutex::default(),
            blocks_in_close: Mutex::default(),
            close_status: Mutex::new(PL_OK),
            forgets_when_drained: Mutex::default(),
            instance: Mutex::default(),
            headers: Mutex::default(),
        });
        BENCHES.lock().insert(bench.id.clone(), bench.clone());
        bench
    }

    pub(super) fn find(id: &str) -> Option<Arc<Bench>> {
        BENCHES.lock().get(id).cloned()
    }

    /// What a sink does with each message from now on.
    pub(crate) fn act(&self, acting: impl FnMut(&str) -> Act + Send + 'static) {
        *self.acting.lock() = Box::new(acting);
    }

    /// Whether `open` succeeds from now on, given the settings.
    pub(crate) fn on_open(
        &self,
        opening: impl FnMut(&Value) -> Result<(), String> + Send + 'static,
    ) {
        *self.opening.lock() = Box::new(opening);
    }

    /// What a filter answers from now on.
    pub(crate) fn process(&self, processing: impl FnMut(&[String]) -> Filtering + Send + 'static) {
        *self.processing.lock() = Box::new(processing);
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().clone()
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().clone()
    }

    pub(super) fn called(&self, call: impl Into<String>) {
        self.calls.lock().push(call.into());
    }

    /// Sends as a source would, once.
    pub(crate) fn try_send(&self, batch: *const PlBatch) -> i32 {
        let Some(Port(port)) = self.instance.lock().output else {
            panic!("no output")
        };
        // SAFETY: an output port of the current instance, used by one test thread.
        unsafe { ((*(*port).vt).send)(port, batch) }
    }

    /// Sends as a source would, waiting for credit.
    pub(crate) fn send<S: AsRef<str>>(&self, payloads: &[S]) -> Arc<Made> {
        let (batch, made) = super::made(payloads);
        let notified = self.instance.lock().notified.clone();
        loop {
            match self.try_send(batch) {
                PL_OK => return made,
                PL_AGAIN => notified.wait(),
                status => panic!("send answered {status}"),
            }
        }
    }

    /// Reports an event of the current instance.
    pub(crate) fn event(&self, event: u32, status: i32, text: &str) {
        super::plugin::event(self.instance.lock().cookie, event, status, text);
    }

    /// The cookie of the current instance.
    pub(crate) fn cookie(&self) -> u64 {
        self.instance.lock().cookie
    }
}

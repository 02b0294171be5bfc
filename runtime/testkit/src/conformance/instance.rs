//! An open instance and the control calls, in the order that the ABI allows.

use crate::host::{self, Event};
use crate::port::Port;
use crate::subject::{Role, Subject};
use crate::violations::expect;
use pipeline_abi::*;
use std::mem::offset_of;
use std::time::{Duration, Instant};

/// Longer than any stage may need for an answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// A control call that takes longer has waited for something.
const PROMPT: Duration = Duration::from_millis(500);

/// How an instance is opened.
pub(crate) struct Opening<'a> {
    pub(crate) settings: &'a str,
    pub(crate) inputs: u32,
    pub(crate) outputs: u32,
    /// Batches that each output takes.
    pub(crate) credit: usize,
}

impl<'a> Opening<'a> {
    /// As a chain would open it.
    pub(crate) fn of(subject: &'a Subject) -> Self {
        Opening {
            settings: &subject.settings,
            inputs: subject.inputs(),
            outputs: subject.outputs(),
            credit: usize::MAX,
        }
    }
}

/// An instance between `open` and `close`; closed when dropped.
pub(crate) struct Instance {
    stage: *mut PlStage,
    cookie: u64,
    pub(crate) inputs: Vec<&'static Port>,
    pub(crate) outputs: Vec<&'static Port>,
}

impl Instance {
    /// Calls `open`. An error is the plugin's own text.
    pub(crate) fn open(subject: &Subject, opening: &Opening<'_>) -> Result<Self, String> {
        let inputs: Vec<_> = (0..opening.inputs).map(|_| Port::input()).collect();
        let outputs: Vec<_> = (0..opening.outputs)
            .map(|_| Port::output(opening.credit))
            .collect();
        let (input_ports, output_ports) = (pointers(&inputs), pointers(&outputs));
        let names = vec![PlStr::new(b"neighbour"); inputs.len().max(outputs.len())];
        let text = |text: &str| PlStr {
            ptr: text.as_ptr(),
            len: text.len(),
        };
        let open = PlOpen {
            struct_size: size_of::<PlOpen>() as u32,
            instance: 0,
            instances: 1,
            n_inputs: opening.inputs,
            n_outputs: opening.outputs,
            retry_initial_ms: 10,
            retry_max_ms: 100,
            window_messages: 4096 * opening.outputs,
            cookie: host::new_cookie(),
            flow: text("conformance"),
            stage: text("subject"),
            kind: text(&subject.kind.kind),
            state_dir: PlStr::EMPTY,
            config_json: text(opening.settings),
            inputs: input_ports.as_ptr(),
            input_names: names.as_ptr(),
            outputs: output_ports.as_ptr(),
            output_names: names.as_ptr(),
            window_bytes: (16 << 20) * u64::from(opening.outputs),
            trace_ratio: 1.0,
            traces_per_second: 0.0,
        };
        let mut stage = std::ptr::null_mut();
        let answer = promptly("open", || subject.plugin.open(&open, &mut stage));
        if answer.status == PL_OK && !stage.is_null() {
            check_functions(stage, subject.kind.role)?;
            return Ok(Instance {
                stage,
                cookie: open.cookie,
                inputs,
                outputs,
            });
        }
        host::forget(open.cookie);
        let text = String::from_utf8_lossy(&answer.text).into_owned();
        expect(answer.status < 0, || {
            format!("`open` answers {} and no instance", answer.status)
        });
        expect(!text.is_empty(), || {
            "`open` fails without a text".to_owned()
        });
        Err(format!("it is refused: {text}"))
    }

    /// Opens as a chain would and waits until the instance says so.
    pub(crate) fn ready(subject: &Subject, opening: &Opening<'_>) -> Result<Self, String> {
        let instance = Self::open(subject, opening)?;
        instance.wait(PL_EVENT_OPENED)?;
        Ok(instance)
    }

    /// As [`Instance::ready`], and started.
    pub(crate) fn running(subject: &Subject, opening: &Opening<'_>) -> Result<Self, String> {
        let instance = Self::ready(subject, opening)?;
        instance.start()?;
        Ok(instance)
    }

    fn vt(&self) -> &PlStageVt {
        // SAFETY: the instance is open, so that its table is there.
        unsafe { &*(*self.stage).vt }
    }

    /// Waits for an event; an error when the instance fails or takes too long.
    pub(crate) fn wait(&self, event: u32) -> Result<Event, String> {
        match host::wait(self.cookie, &[event, PL_EVENT_FAILED], PATIENCE) {
            Some(told) if told.event == event => Ok(told),
            Some(failed) => Err(format!("the instance failed: {}", failed.text)),
            None => Err(format!("no event {event} within {PATIENCE:?}")),
        }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        host::events(self.cookie)
    }

    pub(crate) fn start(&self) -> Result<(), String> {
        // SAFETY: the instance is ready, and this is called once.
        status(
            "start",
            promptly("start", || unsafe { (self.vt().start)(self.stage) }),
        )
    }

    pub(crate) fn drain(&self) -> Result<(), String> {
        let deadline = PATIENCE.as_millis() as u32;
        // SAFETY: the instance runs, and this is called once.
        status(
            "drain",
            promptly("drain", || unsafe {
                (self.vt().drain)(self.stage, deadline)
            }),
        )
    }

    /// Calls a filter.
    pub(crate) fn process(
        &self,
        batch: *const PlBatch,
        out: &mut PlFiltered,
    ) -> Result<i32, String> {
        let process = self.vt().process.ok_or("`process` is null")?;
        // SAFETY: between `start` and `close`, on one thread; the batch is borrowed for the call.
        Ok(unsafe { process(self.stage, batch, out) })
    }

    /// Calls `close`, after which the ports may not be used; answers what is left to look at.
    pub(crate) fn close(mut self) -> Result<Closed, String> {
        self.close_once()?;
        Ok(Closed {
            cookie: self.cookie,
            ports: [&*self.inputs, &*self.outputs].concat(),
        })
    }

    fn close_once(&mut self) -> Result<(), String> {
        let stage = std::mem::replace(&mut self.stage, std::ptr::null_mut());
        // SAFETY: the last call for this instance.
        let answer = unsafe { ((*(*stage).vt).close)(stage, PATIENCE.as_millis() as u32) };
        host::forget(self.cookie);
        for port in self.inputs.iter().chain(&self.outputs) {
            port.retire();
        }
        status("close", answer)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if !self.stage.is_null() {
            // The check failed already; what is told of `close` would hide why.
            let _ = self.close_once();
        }
    }
}

/// What remains of an instance after `close`.
pub(crate) struct Closed {
    cookie: u64,
    ports: Vec<&'static Port>,
}

impl Closed {
    pub(crate) fn events(&self) -> Vec<Event> {
        host::events(self.cookie)
    }

    /// Notifies each port, as a host may that was just about to.
    pub(crate) fn notify_late(&self) {
        for port in &self.ports {
            port.notify();
        }
    }
}

/// Looks at the instance's table before anything of it is called; an instance without functions cannot even be closed.
fn check_functions(stage: *mut PlStage, role: Role) -> Result<(), String> {
    // SAFETY: the plugin answered with this instance.
    let vt = unsafe { (*stage).vt };
    // SAFETY: null, or a table that is there as long as the instance; its size comes first.
    let size = unsafe { vt.cast::<u32>().as_ref() }.ok_or("the instance has no functions")?;
    if (*size as usize) < size_of::<PlStageVt>() {
        return Err(format!(
            "the instance's functions have a struct_size of {size}"
        ));
    }
    let functions = [
        ("start", offset_of!(PlStageVt, start), true),
        ("drain", offset_of!(PlStageVt, drain), true),
        ("close", offset_of!(PlStageVt, close), true),
        (
            "process",
            offset_of!(PlStageVt, process),
            role == Role::Filter,
        ),
    ];
    for (name, offset, wanted) in functions {
        // SAFETY: the table is long enough; read as a word because a Rust function is never null.
        let is_null = unsafe { vt.byte_add(offset).cast::<usize>().read() == 0 };
        if is_null == wanted {
            return Err(format!(
                "`{name}` is {}",
                if is_null { "null" } else { "not null" }
            ));
        }
    }
    Ok(())
}

fn pointers(ports: &[&'static Port]) -> Vec<*mut PlPort> {
    ports.iter().map(|port| port.as_ptr()).collect()
}

fn status(call: &str, status: i32) -> Result<(), String> {
    if status == PL_OK {
        Ok(())
    } else {
        Err(format!("`{call}` answers {status}"))
    }
}

/// Notes a call that waits.
fn promptly<T>(call: &str, run: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let answer = run();
    expect(begun.elapsed() < PROMPT, || {
        format!("`{call}` took {:?}", begun.elapsed())
    });
    answer
}

//! One open instance of a stage, and the control calls on it.

use super::{Post, Seat};
use crate::flow::StageSpec;
use crate::loader::Role;
use crate::port::{InputPort, OutputPort};
use crate::route::Processor;
use crate::{callbacks, text};
use pipeline_abi::{PL_ERR_TIMEOUT, PL_OK, PlOpen, PlPort, PlStage, PlStageVt, PlStr, PlText};
use std::mem::{offset_of, size_of};
use std::sync::Arc;
use std::time::Duration;

/// Longest error text of `open`, bytes.
const ERROR_MAX: usize = 4096;

/// An instance that `open` made. Used on the supervisor's thread alone.
pub(super) struct Instance {
    stage: *mut PlStage,
    cookie: u64,
    ports: Ports,
}

/// The ports of an instance.
pub(super) struct Ports {
    inputs: Vec<Arc<InputPort>>,
    output: Option<Arc<OutputPort>>,
}

/// What a closed instance leaves.
pub(super) struct Closed {
    /// Switched off; kept for late calls.
    pub(super) ports: Ports,
    /// How it says that it failed, unless that was taken up before.
    pub(super) said: Option<String>,
}

/// An instance whose threads did not end in time.
pub(super) struct StuckInClose;

impl Instance {
    /// Opens an instance. `Err` says why there is none.
    pub(super) fn open(
        seat: &Arc<Seat>,
        spec: &StageSpec,
        post: &Post,
    ) -> Result<Instance, String> {
        if spec.plugin.kind(&spec.kind).is_none() {
            return Err(format!(
                "the plugin `{}` has no stage `{}`",
                spec.plugin.path.display(),
                spec.kind
            ));
        }
        let (inputs, output) = post.ports(seat);
        let ports = Ports { inputs, output };
        let cookie = callbacks::register(seat);
        seat.mailbox().begin(cookie);
        let opened = call_open(seat, spec, post, &ports, cookie).and_then(|stage| {
            check(stage, post.role()).map(|()| Instance {
                stage,
                cookie,
                ports: ports.clone(),
            })
        });
        opened.inspect_err(|_| {
            forget(seat, cookie);
            ports.close();
        })
    }

    fn vt(&self) -> &PlStageVt {
        // SAFETY: checked when the instance was opened.
        unsafe { &*(*self.stage).vt }
    }

    pub(super) fn start(&self) -> Result<(), String> {
        // SAFETY: a checked function of an open instance, called once, on the control thread.
        status("start", unsafe { (self.vt().start)(self.stage) })
    }

    pub(super) fn drain(&self, within: Duration) -> Result<(), String> {
        // SAFETY: as above.
        status("drain", unsafe {
            (self.vt().drain)(self.stage, millis(within))
        })
    }

    /// What a filter's neighbours call.
    pub(super) fn processor(&self) -> Option<Processor> {
        self.vt().process.map(|process| Processor {
            stage: self.stage,
            process,
        })
    }

    /// Closes the instance, which then is gone, or leaks it if it does not end in time. The ports are switched off but stay
    /// allocated: they are the answer.
    pub(super) fn close(self, seat: &Arc<Seat>, timeout: Duration) -> Result<Closed, StuckInClose> {
        // SAFETY: as above; nothing refers to the instance afterwards.
        let status = unsafe { (self.vt().close)(self.stage, millis(timeout)) };
        let said = seat.mailbox().failure();
        forget(seat, self.cookie);
        self.ports.close();
        if status == PL_ERR_TIMEOUT {
            std::mem::forget(self.ports);
            return Err(StuckInClose);
        }
        Ok(Closed {
            ports: self.ports,
            said,
        })
    }
}

impl Clone for Ports {
    fn clone(&self) -> Self {
        Ports {
            inputs: self.inputs.clone(),
            output: self.output.clone(),
        }
    }
}

impl Ports {
    fn close(&self) {
        self.inputs.iter().for_each(|port| port.close());
        self.output.iter().for_each(|port| port.close());
    }
}

fn forget(seat: &Seat, cookie: u64) {
    callbacks::unregister(cookie);
    seat.hub().host.registry.retire(&seat.labels());
    seat.mailbox().begin(0);
}

fn call_open(
    seat: &Seat,
    spec: &StageSpec,
    post: &Post,
    ports: &Ports,
    cookie: u64,
) -> Result<*mut PlStage, String> {
    let inputs: Vec<*mut PlPort> = ports.inputs.iter().map(|port| port.pointer()).collect();
    let outputs: Vec<*mut PlPort> = ports.output.iter().map(|port| port.pointer()).collect();
    let from = ports.inputs.iter().map(|port| borrowed(port.edge().from()));
    let (input_names, behind) = (from.collect::<Vec<_>>(), post.behind());
    let output_names = [borrowed(&behind)];
    let config = spec.config.to_string();
    let state_dir = spec.state_dir.as_ref().map(|path| path.to_string_lossy());
    let (window, hub) = (post.window(), seat.hub());
    let open = PlOpen {
        struct_size: size_of::<PlOpen>() as u32,
        instance: hub.instance,
        instances: hub.instances,
        n_inputs: inputs.len() as u32,
        n_outputs: outputs.len() as u32,
        retry_initial_ms: millis(spec.retry.initial),
        retry_max_ms: millis(spec.retry.max),
        window_messages: u32::try_from(window.messages).unwrap_or(u32::MAX),
        cookie,
        flow: borrowed(&hub.flow),
        stage: borrowed(seat.name()),
        kind: borrowed(&spec.kind),
        state_dir: state_dir.as_deref().map_or(PlStr::EMPTY, borrowed),
        config_json: borrowed(&config),
        inputs: inputs.as_ptr(),
        input_names: input_names.as_ptr(),
        outputs: outputs.as_ptr(),
        output_names: output_names.as_ptr(),
        window_bytes: window.bytes,
        trace_ratio: seat.host().sampling.ratio,
        traces_per_second: seat.host().sampling.per_second,
    };
    answer(spec, &open)
}

/// Calls `open`.
fn answer(spec: &StageSpec, open: &PlOpen) -> Result<*mut PlStage, String> {
    let mut room = [0; ERROR_MAX];
    let (ptr, cap) = (room.as_mut_ptr(), room.len());
    let mut error = PlText { ptr, cap, len: 0 };
    let mut stage = std::ptr::null_mut();
    // SAFETY: a checked function; all that is borrowed lives for the call, and the ports until after `close`.
    let status = unsafe { (spec.plugin.raw().open)(open, &raw mut stage, &raw mut error) };
    if status == PL_OK {
        return Ok(stage);
    }
    let said = String::from_utf8_lossy(&room[..error.len.min(room.len())]);
    Err(match text::clipped(&said, ERROR_MAX) {
        "" => format!("`open` failed with status {status}"),
        said => said.to_owned(),
    })
}

/// Text that a plugin may look at as long as `text` lives.
fn borrowed(text: &str) -> PlStr {
    PlStr::new(text.as_bytes())
}

/// Checks what `open` made before any of it is called.
fn check(stage: *mut PlStage, role: Role) -> Result<(), String> {
    if stage.is_null() || !stage.is_aligned() {
        return Err(
            "`open` answered with a null or misaligned stage (a bug of the stage)".to_owned(),
        );
    }
    // SAFETY: a stage begins with the pointer to its functions.
    let vt = unsafe { (*stage).vt };
    if vt.is_null() || !vt.is_aligned() {
        return Err("the stage has no functions (a bug of the stage)".to_owned());
    }
    // SAFETY: the table begins with its size.
    let size = unsafe { vt.cast::<u32>().read() };
    if (size as usize) < size_of::<PlStageVt>() {
        let expected = size_of::<PlStageVt>();
        return Err(format!(
            "the stage's table of functions has {size} bytes, expected at least {expected}"
        ));
    }
    let mut functions = vec![
        ("start", offset_of!(PlStageVt, start)),
        ("drain", offset_of!(PlStageVt, drain)),
        ("close", offset_of!(PlStageVt, close)),
    ];
    if role == Role::Filter {
        functions.push(("process", offset_of!(PlStageVt, process)));
    }
    for (function, offset) in functions {
        // SAFETY: the table is large enough; a function pointer may be read as an integer whatever it holds.
        if unsafe { vt.byte_add(offset).cast::<usize>().read() } == 0 {
            return Err(format!(
                "the stage has no function `{function}` (it is null)"
            ));
        }
    }
    Ok(())
}

fn status(call: &str, status: i32) -> Result<(), String> {
    if status == PL_OK {
        Ok(())
    } else {
        Err(format!("`{call}` failed with status {status}"))
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

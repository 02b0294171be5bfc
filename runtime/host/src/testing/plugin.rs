//! A plugin inside the test binary.

use super::bench::{Bench, Current, Notified, Port, notify};
use super::filter;
use super::sink::Worker;
use crate::callbacks::TABLE;
use crate::flow::{Buffer, FlowSpec, OnReject, Restart, Retry, StageSpec};
use crate::loader::Plugin;
use pipeline_abi::*;
use std::mem::size_of;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static PLUGIN: PlPlugin = PlPlugin {
    magic: PL_MAGIC,
    struct_size: size_of::<PlPlugin>() as u32,
    abi_major: PL_ABI_MAJOR,
    abi_minor: PL_ABI_MINOR,
    min_host_minor: 0,
    reserved: 0,
    features: 0,
    describe,
    validate,
    open,
};

const DESCRIPTION: &str = r#"{"name": "fake", "version": "1", "stages": [
    {"kind": "source", "role": "source", "doc": "", "inputs": {"min": 0, "max": 0}, "replayable": true, "config_schema": {}},
    {"kind": "filter", "role": "filter", "doc": "", "inputs": {"min": 1, "max": null}, "config_schema": {}},
    {"kind": "sink", "role": "sink", "doc": "", "inputs": {"min": 1, "max": null}, "config_schema": {}}
]}"#;

static LOADED: LazyLock<Arc<Plugin>> = LazyLock::new(|| {
    // SAFETY: a static plugin that does what the ABI says.
    Arc::new(unsafe { Plugin::new(&raw const PLUGIN, Path::new("fake.so")) }.unwrap())
});

/// A stage of kind `kind` that the bench plays.
pub(crate) fn stage(name: &str, kind: &str, bench: &Bench, from: &[&str]) -> StageSpec {
    StageSpec {
        name: name.into(),
        kind: kind.into(),
        plugin: LOADED.clone(),
        config: serde_json::json!({ "bench": bench.id }),
        from: from.iter().map(|from| (*from).to_owned()).collect(),
        buffer: Buffer::default(),
        retry: Retry::default(),
        on_reject: OnReject::Drop,
        restart: Restart::Always,
        state_dir: None,
    }
}

/// A flow of stages.
pub(crate) fn flow(stages: Vec<StageSpec>) -> FlowSpec {
    FlowSpec {
        name: "flow".into(),
        instance: 0,
        instances: 1,
        stages,
    }
}

#[repr(C)]
struct Stage {
    base: PlStage,
    bench: Arc<Bench>,
    cookie: u64,
    inputs: Vec<Port>,
    worker: Option<Worker>,
    is_sink: bool,
}

static VT: PlStageVt = PlStageVt {
    struct_size: size_of::<PlStageVt>() as u32,
    reserved: 0,
    start,
    drain,
    close,
    process: Some(process),
};

/// Calls the host's `event`.
pub(super) fn event(cookie: u64, event: u32, status: i32, text: &str) {
    // SAFETY: the host's table.
    unsafe {
        (TABLE.event)(
            TABLE.ctx,
            cookie,
            event,
            status,
            PlStr {
                ptr: text.as_ptr(),
                len: text.len(),
            },
        )
    }
}

unsafe extern "C" fn describe(out: *mut PlStr) -> i32 {
    // SAFETY: the caller's room.
    unsafe { *out = PlStr::new(DESCRIPTION.as_bytes()) };
    PL_OK
}

unsafe extern "C" fn validate(_: PlStr, _: PlStr, _: *mut PlText) -> i32 {
    PL_OK
}

unsafe extern "C" fn open(open: *const PlOpen, out: *mut *mut PlStage, error: *mut PlText) -> i32 {
    // SAFETY: all borrowed for this call, as the ABI says.
    unsafe {
        let open = &*open;
        let config: serde_json::Value = serde_json::from_slice(open.config_json.bytes()).unwrap();
        let bench = Bench::find(config["bench"].as_str().unwrap()).unwrap();
        bench.called(format!("open {}", config["setting"].as_str().unwrap_or_default()).trim());
        if let Err(why) = (bench.opening.lock())(&config) {
            std::ptr::copy_nonoverlapping(why.as_ptr(), (*error).ptr, why.len().min((*error).cap));
            (*error).len = why.len();
            return PL_ERR;
        }
        let ports = |ports: *const *mut PlPort, count: u32| -> Vec<Port> {
            (0..count as usize)
                .map(|index| Port(*ports.add(index)))
                .collect()
        };
        let output = ports(open.outputs, open.n_outputs).first().copied();
        let notified: Arc<Notified> = Arc::default();
        if let Some(Port(port)) = output {
            ((*(*port).vt).bind)(port, notify, Notified::context(&notified));
        }
        *bench.instance.lock() = Current {
            cookie: open.cookie,
            output,
            notified,
        };
        let stage = Stage {
            base: PlStage { vt: &VT },
            bench,
            cookie: open.cookie,
            inputs: ports(open.inputs, open.n_inputs),
            worker: None,
            is_sink: open.kind.text() == "sink",
        };
        *out = Box::into_raw(Box::new(stage)).cast();
        event(open.cookie, PL_EVENT_OPENED, 0, "");
    }
    PL_OK
}

unsafe fn stage_of<'a>(stage: *mut PlStage) -> &'a mut Stage {
    // SAFETY: the base is the first field of what `open` made.
    unsafe { &mut *stage.cast() }
}

unsafe extern "C" fn start(this: *mut PlStage) -> i32 {
    // SAFETY: the stage contract.
    let stage = unsafe { stage_of(this) };
    stage.bench.called("start");
    if stage.is_sink {
        stage.worker = Some(Worker::start(
            stage.bench.clone(),
            stage.cookie,
            &stage.inputs,
        ));
    }
    PL_OK
}

unsafe extern "C" fn drain(this: *mut PlStage, _: u32) -> i32 {
    // SAFETY: the stage contract.
    let stage = unsafe { stage_of(this) };
    stage.bench.called("drain");
    match &stage.worker {
        Some(worker) => worker.drain(),
        None => event(stage.cookie, PL_EVENT_DRAINED, 0, ""),
    }
    PL_OK
}

unsafe extern "C" fn close(this: *mut PlStage, _: u32) -> i32 {
    // SAFETY: the stage contract; `open` made it in a box.
    let mut stage = unsafe { Box::from_raw(this.cast::<Stage>()) };
    stage.bench.called("close");
    if let Some(worker) = &mut stage.worker {
        worker.stop();
    }
    let blocks = *stage.bench.blocks_in_close.lock();
    std::thread::sleep(blocks.max(Duration::ZERO));
    *stage.bench.close_status.lock()
}

unsafe extern "C" fn process(
    this: *mut PlStage,
    input: *const PlBatch,
    out: *mut PlFiltered,
) -> i32 {
    // SAFETY: the stage contract.
    unsafe { filter::process(&stage_of(this).bench, input, out) }
}

//! The plugin side of the ABI's entry: what `export_stage!` expands to.

use crate::instance::guard;
use crate::workers::panic_text;
use crate::{Filter, Invalid, Result, Sink, Source, error, filter, host, settings, sink, source};
use pipeline_abi::*;
use schemars::JsonSchema;
use serde_json::{Value, json};
use std::marker::PhantomData;
use std::panic::catch_unwind;
use std::sync::OnceLock;

/// Makes the shared object's one exported symbol lead to a stage: `export_stage!(source X)`, `export_stage!(sink X)` or
/// `export_stage!(filter X)`.
#[macro_export]
macro_rules! export_stage {
    (source $stage:ty) => {
        $crate::export_stage!(@ $crate::__private::SourceStage<$stage>);
    };
    (sink $stage:ty) => {
        $crate::export_stage!(@ $crate::__private::SinkStage<$stage>);
    };
    (filter $stage:ty) => {
        $crate::export_stage!(@ $crate::__private::FilterStage<$stage>);
    };
    (@ $exported:ty) => {
        const _: () = {
            use $crate::__private::abi;
            static PLUGIN: abi::PlPlugin = $crate::__private::plugin::<$exported>(describe);

            unsafe extern "C" fn describe(out: *mut abi::PlStr) -> i32 {
                // SAFETY: the host gives a place for the answer.
                unsafe { $crate::__private::describe::<$exported>(env!("CARGO_PKG_VERSION"), out) }
            }

            /// The plugin, or null when it cannot work with this host.
            // SAFETY: the one exported symbol, named by the ABI.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn pl_plugin_entry_v1(host: *const abi::PlHost) -> *const abi::PlPlugin {
                // SAFETY: called once by the host with a table that stays valid.
                unsafe { $crate::__private::entry(host, &PLUGIN) }
            }
        };
    };
}

/// A stage of any role, as the ABI sees it.
pub trait Exported {
    /// The word of `use:`.
    const NAME: &'static str;
    /// The stage's role in the description.
    const ROLE: &'static str;
    /// Fewest and most inputs.
    const INPUTS: (u32, u32);
    /// As [`Source::REPLAYABLE`].
    const REPLAYABLE: bool;
    /// As the stage's `Config`.
    type Config: serde::de::DeserializeOwned + JsonSchema + Send + 'static;

    /// As the stage's `validate`.
    fn validate(config: &Self::Config) -> Vec<Invalid>;

    /// Opens an instance.
    ///
    /// # Errors
    /// Why it cannot be opened.
    ///
    /// # Safety
    /// `open` and all that it points to are valid for the call.
    unsafe fn open(open: &PlOpen, config: Self::Config) -> Result<*mut PlStage>;
}

macro_rules! exported {
    ($wrapper:ident, $role:ident, $name:literal, $inputs:expr, $replayable:expr, $open:path) => {
        /// Makes a stage of this role an [`Exported`] one.
        pub struct $wrapper<S>(PhantomData<S>);

        impl<S: $role> Exported for $wrapper<S> {
            const NAME: &'static str = S::NAME;
            const ROLE: &'static str = $name;
            const INPUTS: (u32, u32) = $inputs;
            const REPLAYABLE: bool = $replayable;
            type Config = S::Config;

            fn validate(config: &S::Config) -> Vec<Invalid> {
                S::validate(config)
            }

            unsafe fn open(open: &PlOpen, config: S::Config) -> Result<*mut PlStage> {
                // SAFETY: promised by the caller.
                unsafe { $open(open, config) }
            }
        }
    };
}
exported!(
    SourceStage,
    Source,
    "source",
    (0, 0),
    S::REPLAYABLE,
    source::open::<S>
);
exported!(
    SinkStage,
    Sink,
    "sink",
    (S::MIN_INPUTS, u32::MAX),
    false,
    sink::open::<S>
);
exported!(
    FilterStage,
    Filter,
    "filter",
    (1, 1),
    false,
    filter::open::<S>
);

/// The plugin of one stage.
#[must_use]
pub const fn plugin<E: Exported>(describe: unsafe extern "C" fn(*mut PlStr) -> i32) -> PlPlugin {
    PlPlugin {
        magic: PL_MAGIC,
        struct_size: size_of::<PlPlugin>() as u32,
        abi_major: PL_ABI_MAJOR,
        abi_minor: PL_ABI_MINOR,
        min_host_minor: 0,
        reserved: 0,
        features: 0,
        describe,
        validate: validate::<E>,
        open: open::<E>,
    }
}

/// Answers the entry symbol.
///
/// # Safety
/// `host` is null or points to a host's table that stays valid until the process ends.
pub unsafe fn entry(host: *const PlHost, plugin: &'static PlPlugin) -> *const PlPlugin {
    let accepted = guard(|| {
        // SAFETY: promised by the caller.
        if !unsafe { host::set(host) } {
            return PL_ERR_UNSUPPORTED;
        }
        crate::bridge::install();
        PL_OK
    });
    if accepted == PL_OK {
        plugin
    } else {
        std::ptr::null()
    }
}

/// Answers `PlPlugin::describe`.
///
/// # Safety
/// `out` points to a place for the answer.
pub unsafe fn describe<E: Exported>(version: &str, out: *mut PlStr) -> i32 {
    static JSON: OnceLock<String> = OnceLock::new();
    guard(|| {
        let json = JSON.get_or_init(|| description::<E>(version).to_string());
        // SAFETY: promised by the caller.
        unsafe { out.write(PlStr::new(json.as_bytes())) };
        PL_OK
    })
}

fn description<E: Exported>(version: &str) -> Value {
    let schema = schemars::schema_for!(E::Config).to_value();
    let doc = schema.get("description").cloned().unwrap_or_default();
    json!({
        "name": E::NAME,
        "version": version,
        "stages": [{
            "kind": E::NAME,
            "role": E::ROLE,
            "doc": doc,
            "inputs": { "min": E::INPUTS.0, "max": E::INPUTS.1 },
            "replayable": E::REPLAYABLE,
            "config_schema": schema,
        }],
    })
}

/// Answers `PlPlugin::validate`.
///
/// # Safety
/// As the ABI says.
pub unsafe extern "C" fn validate<E: Exported>(
    kind: PlStr,
    config_json: PlStr,
    findings: *mut PlText,
) -> i32 {
    guard(|| {
        // SAFETY: both are borrowed for the call.
        let (kind, json) = unsafe { (kind.text(), config_json.bytes()) };
        let found = match settings::read::<E::Config>(json) {
            _ if kind != E::NAME => vec![Invalid::new("", unknown_kind::<E>(kind))],
            Ok(config) => E::validate(&config),
            Err(invalid) => vec![invalid],
        };
        if found.is_empty() {
            return PL_OK;
        }
        // SAFETY: the host's buffer.
        unsafe { write_text(findings, &json!(found).to_string()) };
        PL_ERR_INVALID
    })
}

/// Answers `PlPlugin::open`.
///
/// # Safety
/// As the ABI says.
pub unsafe extern "C" fn open<E: Exported>(
    open: *const PlOpen,
    out: *mut *mut PlStage,
    error: *mut PlText,
) -> i32 {
    // SAFETY: the host's structure, valid for the call.
    let opened = catch_unwind(|| unsafe { open_stage::<E>(&*open) })
        .unwrap_or_else(|panic| Err((PL_ERR_PANIC, panic_text(&*panic))));
    match opened {
        Ok(stage) => {
            // SAFETY: the host's place for the answer.
            unsafe { out.write(stage) };
            PL_OK
        }
        Err((status, why)) => {
            // SAFETY: the host's buffer.
            unsafe { write_text(error, &why) };
            status
        }
    }
}

/// # Safety
/// `open` and all that it points to are valid for the call.
unsafe fn open_stage<E: Exported>(open: &PlOpen) -> Result<*mut PlStage, (i32, String)> {
    // SAFETY: promised by the caller.
    let (kind, json) = unsafe { (open.kind.text(), open.config_json.bytes()) };
    if kind != E::NAME {
        return Err((PL_ERR_UNSUPPORTED, unknown_kind::<E>(kind)));
    }
    let config = settings::read::<E::Config>(json).map_err(|invalid| {
        (
            PL_ERR_INVALID,
            format!("`{}`: {}", invalid.pointer, invalid.message),
        )
    })?;
    // SAFETY: promised by the caller.
    unsafe { E::open(open, config) }.map_err(|error| (PL_ERR, error::chain(&*error)))
}

fn unknown_kind<E: Exported>(kind: &str) -> String {
    format!("unknown stage `{kind}` (expected `{}`)", E::NAME)
}

/// # Safety
/// `buffer` is null or a buffer of the host's.
unsafe fn write_text(buffer: *mut PlText, text: &str) {
    // SAFETY: promised by the caller.
    if let Some(buffer) = unsafe { buffer.as_mut() } {
        let fits = text.len().min(buffer.cap);
        // SAFETY: `cap` bytes of the host's, not part of `text`.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), buffer.ptr, fits) };
        buffer.len = text.len();
    }
}

//! The plugin: the one exported symbol and what it leads to.

use crate::{PlHost, PlOpen, PlStage, PlStr, PlText};

/// Major version of this ABI; part of the entry symbol's name.
pub const PL_ABI_MAJOR: u16 = 1;
/// Minor version of this ABI.
pub const PL_ABI_MINOR: u16 = 0;
/// First word of every plugin description: `PLIN` in memory order.
pub const PL_MAGIC: u32 = 0x4E49_4C50;
/// Name of the one exported symbol, zero-terminated.
pub const PL_ENTRY_SYMBOL: &[u8] = b"pl_plugin_entry_v1\0";

/// A plugin. Static: valid until the process ends. The functions may be called on any thread, before any instance exists
/// and at the same time, and return promptly.
#[repr(C)]
#[derive(Debug)]
pub struct PlPlugin {
    /// `PL_MAGIC`.
    pub magic: u32,
    /// Bytes of this structure that the plugin filled in.
    pub struct_size: u32,
    /// `PL_ABI_MAJOR` that the plugin was built with.
    pub abi_major: u16,
    /// `PL_ABI_MINOR` that the plugin was built with.
    pub abi_minor: u16,
    /// Lowest minor version of a host that the plugin works with.
    pub min_host_minor: u16,
    /// Zero.
    pub reserved: u16,
    /// Zero.
    pub features: u64,
    /// Describes the stages of this plugin as JSON text that lives as long as the plugin:
    /// `{"name", "version", "stages": [{"kind", "role": "source" | "filter" | "sink", "doc", "inputs": {"min", "max"},
    /// "replayable", "config_schema"}]}`.
    pub describe: unsafe extern "C" fn(out: *mut PlStr) -> i32,
    /// Says what a schema cannot. `PL_OK`, or `PL_ERR_INVALID` with a JSON array of `{"pointer", "message"}` in `findings`.
    pub validate:
        unsafe extern "C" fn(kind: PlStr, config_json: PlStr, findings: *mut PlText) -> i32,
    /// Makes an instance, which answers by `PL_EVENT_OPENED` or `PL_EVENT_FAILED`, perhaps before this returns.
    pub open:
        unsafe extern "C" fn(*const PlOpen, out: *mut *mut PlStage, error: *mut PlText) -> i32,
}

// SAFETY: static data and functions that may be called on any thread.
unsafe impl Send for PlPlugin {}
// SAFETY: as above.
unsafe impl Sync for PlPlugin {}

/// The type of the entry symbol. Called once a process; answers null when the plugin refuses this host.
pub type PlEntry = unsafe extern "C" fn(host: *const PlHost) -> *const PlPlugin;

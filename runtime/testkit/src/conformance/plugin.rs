//! The plugin's table, loaded and called.

use crate::host;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use pipeline_abi::*;
use std::mem::offset_of;
use std::path::Path;

/// `RTLD_NODELETE` of glibc and musl, which libloading does not name.
const RTLD_NODELETE: i32 = 0x1000;

/// The answer of a call that writes text: its status, the whole text's length, and what fitted.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) len: usize,
    pub(crate) text: Vec<u8>,
    /// Whether the plugin wrote beyond the buffer.
    pub(crate) overran: bool,
}

/// A loaded plugin. Its functions are checked to be there before anything of it is called.
#[derive(Clone, Copy)]
pub(crate) struct Plugin(&'static PlPlugin);

impl Plugin {
    /// Loads the object, calls its entry and checks the table that it answers with.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        let path = path
            .canonicalize()
            .map_err(|error| format!("find the object: {error}"))?;
        // SAFETY: loading runs the object's initialisers, which is what the user asked for.
        let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) }
            .map_err(|error| reason("load the object", &error))?;
        // SAFETY: the symbol's type is fixed by its name.
        let entry = unsafe { library.get::<PlEntry>(PL_ENTRY_SYMBOL) }
            .map(|symbol| *symbol)
            .map_err(|error| reason("find the entry", &error))?;
        std::mem::forget(library);
        // SAFETY: as the ABI says: once, with a table that stays.
        let table = unsafe { entry(&raw const host::TABLE) };
        // SAFETY: null or a table that stays; its head is checked before the rest is read.
        check_table(unsafe { table.as_ref() }.ok_or("the entry answers null")?)?;
        // SAFETY: as above.
        Ok(Plugin(unsafe { &*table }))
    }

    /// The description as JSON text.
    pub(crate) fn describe(self) -> Result<&'static str, String> {
        let mut out = PlStr::EMPTY;
        // SAFETY: `out` is a place for the answer.
        let status = unsafe { (self.0.describe)(&raw mut out) };
        if status != PL_OK {
            return Err(format!("`describe` answers {status}"));
        }
        // SAFETY: the plugin promises that the text stays.
        std::str::from_utf8(unsafe { out.bytes() })
            .map_err(|_| "the description is not UTF-8".to_owned())
    }

    /// Calls `validate` with a buffer of `cap` bytes.
    pub(crate) fn validate(self, kind: &str, config: &[u8], cap: usize) -> Answer {
        answer(cap, |findings| {
            // SAFETY: all is borrowed for the call.
            unsafe { (self.0.validate)(PlStr::new(kind.as_bytes()), PlStr::new(config), findings) }
        })
    }

    /// Calls `open`; on `PL_OK` the instance is in `out`.
    pub(crate) fn open(self, open: &PlOpen, out: &mut *mut PlStage) -> Answer {
        // SAFETY: all is borrowed for the call.
        answer(1024, |error| unsafe { (self.0.open)(open, out, error) })
    }
}

fn check_table(table: &PlPlugin) -> Result<(), String> {
    let wrong = if table.magic != PL_MAGIC {
        format!("`magic` is {:#x}, expected {PL_MAGIC:#x}", table.magic)
    } else if (table.struct_size as usize) < size_of::<PlPlugin>() {
        format!(
            "`struct_size` is {}, expected at least {}",
            table.struct_size,
            size_of::<PlPlugin>()
        )
    } else if table.abi_major != PL_ABI_MAJOR {
        format!(
            "`abi_major` is {}, expected {PL_ABI_MAJOR}",
            table.abi_major
        )
    } else if table.min_host_minor > PL_ABI_MINOR {
        format!(
            "`min_host_minor` is {}, this host has {PL_ABI_MINOR}",
            table.min_host_minor
        )
    } else if let Some(name) = null_function(table) {
        format!("`{name}` is null")
    } else {
        return Ok(());
    };
    Err(wrong)
}

/// The first function that is not there; the table has its full length.
fn null_function(table: &PlPlugin) -> Option<&'static str> {
    let functions = [
        ("describe", offset_of!(PlPlugin, describe)),
        ("validate", offset_of!(PlPlugin, validate)),
        ("open", offset_of!(PlPlugin, open)),
    ];
    let is_null = |offset: usize| {
        // SAFETY: a field of the table, read as a word because a Rust function is never null.
        unsafe {
            std::ptr::from_ref(table)
                .byte_add(offset)
                .cast::<usize>()
                .read()
                == 0
        }
    };
    functions
        .into_iter()
        .find(|(_, offset)| is_null(*offset))
        .map(|(name, _)| name)
}

/// The error with what the dynamic linker said.
fn reason(what: &str, error: &libloading::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{what}: {source}"),
        None => format!("{what}: {error}"),
    }
}

/// Gives a call a buffer with guard bytes behind it.
fn answer(cap: usize, call: impl FnOnce(*mut PlText) -> i32) -> Answer {
    const GUARD: [u8; 16] = [0xC3; 16];
    let mut memory = vec![0; cap];
    memory.extend_from_slice(&GUARD);
    let mut text = PlText {
        ptr: memory.as_mut_ptr(),
        cap,
        len: 0,
    };
    let status = call(&raw mut text);
    let overran = memory[cap..] != GUARD;
    memory.truncate(text.len.min(cap));
    Answer {
        status,
        len: text.len,
        text: memory,
        overran,
    }
}

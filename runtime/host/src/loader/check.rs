//! Checks what an entry symbol answered, before it is believed to be a plugin.

use super::LoadError;
use pipeline_abi::{PL_ABI_MAJOR, PL_ABI_MINOR, PL_MAGIC, PlPlugin};
use std::mem::{offset_of, size_of};
use std::path::Path;

/// The plugin behind a pointer that `path` answered.
///
/// # Safety
/// `plugin` is null or points to static memory of at least eight bytes, and of as many as its second word says.
pub(super) unsafe fn plugin(
    plugin: *const PlPlugin,
    path: &Path,
) -> Result<&'static PlPlugin, LoadError> {
    let path = || path.to_path_buf();
    if plugin.is_null() {
        return Err(LoadError::Refused { path: path() });
    }
    if !plugin.is_aligned() {
        return Err(LoadError::Misaligned { path: path() });
    }
    // SAFETY: promised by the caller.
    let word = |index| unsafe { plugin.cast::<u32>().add(index).read() };
    if word(0) != PL_MAGIC {
        return Err(LoadError::Magic {
            path: path(),
            found: word(0),
        });
    }
    if (word(1) as usize) < size_of::<PlPlugin>() {
        return Err(LoadError::Size {
            path: path(),
            found: word(1),
        });
    }
    // SAFETY: the plugin says that it is at least as large as the structure that we know.
    let half = |offset| unsafe { plugin.byte_add(offset).cast::<u16>().read() };
    let major = half(offset_of!(PlPlugin, abi_major));
    if major != PL_ABI_MAJOR {
        return Err(LoadError::Major {
            path: path(),
            found: major,
        });
    }
    let needs = half(offset_of!(PlPlugin, min_host_minor));
    if needs > PL_ABI_MINOR {
        return Err(LoadError::HostTooOld {
            path: path(),
            needs,
        });
    }
    let functions = [
        ("describe", offset_of!(PlPlugin, describe)),
        ("validate", offset_of!(PlPlugin, validate)),
        ("open", offset_of!(PlPlugin, open)),
    ];
    for (function, offset) in functions {
        // SAFETY: as above; a function pointer may be read as an integer whatever it holds.
        if unsafe { plugin.byte_add(offset).cast::<usize>().read() } == 0 {
            return Err(LoadError::NullFunction {
                path: path(),
                function,
            });
        }
    }
    // SAFETY: static, large enough, and no function pointer in it is null.
    Ok(unsafe { &*plugin })
}

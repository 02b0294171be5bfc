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
    // SAFETY: as above.
    if let Some(function) = unsafe { missing_function(plugin) } {
        return Err(LoadError::NullFunction {
            path: path(),
            function,
        });
    }
    // SAFETY: static, large enough, and no function pointer in it is null.
    Ok(unsafe { &*plugin })
}

/// The first function of a plugin that is null.
///
/// # Safety
/// `plugin` leads to as many bytes as the structure has.
unsafe fn missing_function(plugin: *const PlPlugin) -> Option<&'static str> {
    let functions = [
        ("describe", offset_of!(PlPlugin, describe)),
        ("validate", offset_of!(PlPlugin, validate)),
        ("open", offset_of!(PlPlugin, open)),
    ];
    // SAFETY: promised by the caller; a function pointer may be read as an integer whatever it holds.
    let is_null = |offset| unsafe { plugin.byte_add(offset).cast::<usize>().read() } == 0;
    let missing = functions.into_iter().find(|(_, offset)| is_null(*offset));
    missing.map(|(function, _)| function)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline_abi::{PL_OK, PlOpen, PlStage, PlStr, PlText};
    use std::mem::{MaybeUninit, transmute_copy};

    unsafe extern "C" fn describe(_: *mut PlStr) -> i32 {
        PL_OK
    }
    unsafe extern "C" fn validate(_: PlStr, _: PlStr, _: *mut PlText) -> i32 {
        PL_OK
    }
    unsafe extern "C" fn open(_: *const PlOpen, _: *mut *mut PlStage, _: *mut PlText) -> i32 {
        PL_OK
    }

    fn good() -> PlPlugin {
        PlPlugin {
            magic: PL_MAGIC,
            struct_size: size_of::<PlPlugin>() as u32,
            abi_major: PL_ABI_MAJOR,
            abi_minor: PL_ABI_MINOR + 1,
            min_host_minor: PL_ABI_MINOR,
            reserved: 0,
            features: 0,
            describe,
            validate,
            open,
        }
    }

    fn refusal(of: &PlPlugin) -> String {
        // SAFETY: as large as it says; leaking a copy makes it static.
        let copy: &'static PlPlugin = Box::leak(Box::new(unsafe {
            transmute_copy::<PlPlugin, PlPlugin>(of)
        }));
        // SAFETY: as above.
        unsafe { plugin(copy, Path::new("x.so")) }
            .err()
            .unwrap()
            .to_string()
    }

    #[test]
    fn good_plugin_of_a_newer_minor_version_is_accepted() {
        let good: &'static PlPlugin = Box::leak(Box::new(good()));
        // SAFETY: static and complete.
        assert!(unsafe { plugin(good, Path::new("x.so")) }.is_ok());
    }

    #[test]
    fn each_defect_is_its_own_refusal() {
        let magic = refusal(&PlPlugin { magic: 7, ..good() });
        assert_eq!(
            magic,
            "`x.so` has the magic word 0x00000007 (expected 0x4e494c50)"
        );
        let size = refusal(&PlPlugin {
            struct_size: 16,
            ..good()
        });
        assert_eq!(
            size,
            "`x.so` has a description of 16 bytes (expected at least 48)"
        );
        let major = refusal(&PlPlugin {
            abi_major: 9,
            ..good()
        });
        assert_eq!(major, "`x.so` was built for ABI 9 (expected 1)");
        let minor = refusal(&PlPlugin {
            min_host_minor: PL_ABI_MINOR + 1,
            ..good()
        });
        assert_eq!(minor, "`x.so` needs a host with ABI 1.1 (this one has 1.0)");
        // SAFETY: null is answered with a refusal.
        let null = unsafe { plugin(std::ptr::null(), Path::new("x.so")) }
            .err()
            .unwrap();
        assert_eq!(null.to_string(), "`x.so` refused this host (ABI 1.0)");
    }

    #[test]
    fn null_function_is_found_without_calling_it() {
        let mut raw = MaybeUninit::new(good());
        // SAFETY: overwrites a word inside; nobody reads it as a function pointer.
        unsafe {
            raw.as_mut_ptr()
                .byte_add(offset_of!(PlPlugin, validate))
                .cast::<usize>()
                .write(0)
        };
        // SAFETY: large enough, and leaked.
        let refused = unsafe { plugin(Box::leak(Box::new(raw)).as_ptr(), Path::new("x.so")) };
        assert_eq!(
            refused.err().unwrap().to_string(),
            "`x.so` has no function `validate` (it is null)"
        );
    }
}

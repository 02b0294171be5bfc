//! Borrowed bytes, status codes and the caller's text buffer.

/// Borrowed bytes; UTF-8 wherever the documentation says text. Valid as long as each use says, never longer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PlStr {
    /// First byte; may be null when `len` is 0.
    pub ptr: *const u8,
    /// Number of bytes.
    pub len: usize,
}

impl PlStr {
    /// No bytes.
    pub const EMPTY: PlStr = PlStr {
        ptr: core::ptr::null(),
        len: 0,
    };

    /// Borrows `bytes`; the caller keeps them alive as long as the receiver may look.
    #[must_use]
    pub const fn new(bytes: &[u8]) -> Self {
        PlStr {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// The bytes.
    ///
    /// # Safety
    /// `ptr` is null or points to `len` bytes that stay valid and unchanged for `'a`.
    #[must_use]
    pub const unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() {
            &[]
        } else {
            // SAFETY: promised by the caller.
            unsafe { core::slice::from_raw_parts(self.ptr, self.len) }
        }
    }

    /// The text, or a placeholder where a plugin sent bytes that are not UTF-8.
    ///
    /// # Safety
    /// As [`PlStr::bytes`].
    #[must_use]
    pub unsafe fn text<'a>(self) -> &'a str {
        // SAFETY: promised by the caller.
        core::str::from_utf8(unsafe { self.bytes() }).unwrap_or("<not UTF-8>")
    }
}

// SAFETY: a `PlStr` is a pair of words; whoever reads through it vouches for what it points to.
unsafe impl Send for PlStr {}
// SAFETY: as above.
unsafe impl Sync for PlStr {}

/// A buffer of the caller's that the callee fills with text (an error, a list of findings).
#[repr(C)]
#[derive(Debug)]
pub struct PlText {
    /// The caller's memory, `cap` bytes.
    pub ptr: *mut u8,
    /// Bytes that fit.
    pub cap: usize,
    /// Set by the callee to the length of the whole text, which may be more than `cap`: then the first `cap` bytes were
    /// written and the caller may call again with a larger buffer.
    pub len: usize,
}

/// The call did what it says.
pub const PL_OK: i32 = 0;
/// Nothing moved: no credit, or nothing to receive. The port is armed and will notify once.
pub const PL_AGAIN: i32 = 1;
/// The call failed; text says why.
pub const PL_ERR: i32 = -1;
/// The callee panicked (or threw) and caught it.
pub const PL_ERR_PANIC: i32 = -2;
/// An argument or the settings are not acceptable.
pub const PL_ERR_INVALID: i32 = -3;
/// Not offered by this plugin or host.
pub const PL_ERR_UNSUPPORTED: i32 = -4;
/// The time given was not enough.
pub const PL_ERR_TIMEOUT: i32 = -5;
/// The other end of a port is gone for good.
pub const PL_CLOSED: i32 = -6;

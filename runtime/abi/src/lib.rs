//! The C ABI between a pipeline host and its stage plugins, version 1: the `repr(C)` twin of `include/pipeline/*.h`.
//!
//! Only plain data and `extern "C"` functions cross the boundary: no `Box`, `Vec`, `Arc` or Rust enum, since every shared
//! object has its own allocator, its own standard library and perhaps another compiler. The headers hold the contract in
//! full (who may call what, on which thread, in which state, and who frees); this crate repeats it where Rust code reads it.
//!
//! Invariant: within a major version structures only grow at their end. `layout.in` lists every size and offset; the build
//! asserts them for C11, C++17 and Rust alike.
#![no_std]

mod base;
mod host;
mod message;
mod plugin;
mod port;
mod stage;

pub use base::*;
pub use host::*;
pub use message::*;
pub use plugin::*;
pub use port::*;
pub use stage::*;

mod layout {
    //! Compile-time proof that this twin agrees with `layout.in`, as the build script proves it of the headers.
    use super::*;
    use core::mem::{align_of, offset_of, size_of};
    include!(concat!(env!("OUT_DIR"), "/layout.rs"));
}

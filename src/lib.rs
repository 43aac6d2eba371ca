//! libkeepalive, the C library: TCP keepalive in seconds, read back from the kernel.
//!
//! [`abi`] exports what `keepalive_core` does.

mod abi;

pub use abi::*;
pub use keepalive_core::types::*;

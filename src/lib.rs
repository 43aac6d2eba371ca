//! libkeepalive, the C library: notice dead TCP connections in seconds, not hours.
//!
//! `keepalive_core` does the work; [`abi`] exports it to C.

mod abi;

pub use abi::*;
pub use keepalive_core::types::*;

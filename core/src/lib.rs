//! What libkeepalive does, in Rust. Nothing is exported here, and each module has one concern.
//!
//! The C library (`src/abi.rs`) and the preload object (`preload/`) use it. [`sys`] has every
//! unsafe system call; the other modules are safe code.

#![deny(unsafe_code)]
#![allow(clippy::missing_errors_doc, clippy::must_use_candidate)] // the manual is in src/abi.rs

pub mod descriptors;
pub mod errors;
mod found_before;
pub mod liveness;
pub mod options;
pub mod platform;
pub mod promise;
pub mod sockets;
#[allow(unsafe_code)]
pub mod sys;
pub mod types;

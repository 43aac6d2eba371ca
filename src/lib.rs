//! TCP keepalive that is correct, atomic, readable back and testable.
//!
//! The product is the C library: [`abi`] holds every exported function and is its manual. The other
//! modules hold one concern each and contain no export; [`sys`] holds every unsafe system call.

mod abi;
mod descriptors;
mod errors;
mod found_before;
mod liveness;
mod options;
mod platform;
mod sockets;
mod sys;

pub use abi::*;

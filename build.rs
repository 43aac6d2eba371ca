//! Gives the shared library its soname.
//!
//! The soname ends in the major version, which is also the version of the ABI. The soname
//! libkeepalive.so.0 belongs to another project. `nodelete` keeps the library in memory when PHP
//! closes it at the end of each request.

use std::env::var;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let major = cargo("CARGO_PKG_VERSION_MAJOR");
    match cargo("CARGO_CFG_TARGET_OS").as_str() {
        "macos" | "ios" => println!(
            "cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libkeepalive.{major}.dylib"
        ),
        _ => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libkeepalive.so.{major}");
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
    }
}

/// A variable that cargo sets for build scripts.
fn cargo(name: &str) -> String {
    var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}

//! Links the object without the compiler's unwinder.
//!
//! A library that is missing would end every program that is started with the object: the smallest
//! images have no `libgcc_s.so.1`. The code here cannot panic, so nothing in it needs to unwind. An
//! empty library replaces `libgcc_s`, and `-z defs` fails the build if that changes. GNU ld,
//! because LLVM's linker keeps the personality function, and what it needs, for functions that it
//! has dropped. On 32-bit ARM every function's unwinding table names the unwinder, so there it
//! stays.

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("PROFILE").as_deref() != Ok("release") {
        return; // only an optimised build drops what is not needed
    }
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("arm") {
        return;
    }
    let folder = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&folder).join("libgcc_s.so"), "/* an empty linker script */\n")
        .expect("OUT_DIR can be written");
    for argument in ["-fuse-ld=bfd", "-Wl,-z,defs", &format!("-L{folder}")] {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
}

//! Chooses where `dlopen()` is exported, and links the object without the compiler's unwinder and
//! without the library for threads that glibc had before 2.34.
//!
//! A library that is missing would end every program that is started with the object: the smallest
//! images have no `libgcc_s.so.1`. The code here cannot panic, so nothing in it needs to unwind.
//! `libpthread` would be found in most images, but a program without threads works faster without
//! it. Empty libraries replace both, and `-z defs` fails the build if one is needed again. GNU ld,
//! because LLVM's linker keeps the personality function, and what it needs, for functions that it
//! has dropped. On 32-bit ARM every function's unwinding table names the unwinder, so there both
//! stay.

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let architecture = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it");
    // For i386 the compiler does not jump. musl has no RTLD_DEEPBIND.
    println!("cargo:rustc-check-cfg=cfg(dlopen_jumps)");
    if env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu")
        && ["x86_64", "aarch64", "arm", "s390x"].contains(&architecture.as_str())
    {
        println!("cargo:rustc-cfg=dlopen_jumps");
    }
    if env::var("PROFILE").as_deref() != Ok("release") {
        return; // only an optimised build drops what is not needed
    }
    if architecture == "arm" {
        return;
    }
    let folder = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    for library in ["libgcc_s.so", "libpthread.so"] {
        fs::write(Path::new(&folder).join(library), "/* an empty linker script */\n")
            .expect("OUT_DIR can be written");
    }
    println!("cargo:rustc-link-search=native={folder}");
    for argument in ["-fuse-ld=bfd", "-Wl,-z,defs"] {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
}

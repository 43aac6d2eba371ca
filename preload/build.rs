//! Decides whether `dlopen()` is exported, and links the object without two libraries: the
//! compiler's unwinder, and `libpthread`, which is separate in glibc before 2.34.
//!
//! If a library that the object needs is missing, no program starts with the object. The smallest
//! container images have no `libgcc_s.so.1`, the unwinder. The code here cannot panic, so it never
//! unwinds. `libpthread` is in most images, but a program without threads is faster without it.
//!
//! Empty libraries replace both. If the object does need something of them, `-z defs` fails the
//! build. The linker is GNU ld: if LLVM's linker drops a function, it keeps the personality
//! function (for unwinding), and everything that this function needs. On 32-bit ARM the unwinding
//! table of every function names the unwinder, so there both libraries stay.

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let architecture = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it");
    // dlopen() in src/exports.rs must end in a jump, and for i386 the compiler does not make one.
    // musl has no RTLD_DEEPBIND, so it needs no such dlopen().
    println!("cargo:rustc-check-cfg=cfg(dlopen_jumps)");
    if env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu")
        && ["x86_64", "aarch64", "arm", "s390x"].contains(&architecture.as_str())
    {
        println!("cargo:rustc-cfg=dlopen_jumps");
    }
    if env::var("PROFILE").as_deref() != Ok("release") {
        return; // only an optimised build drops the code that needs the two libraries
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

//! Writes the headers from src/abi.rs into `OUT_DIR`, and gives the shared library its soname.
//!
//! `make headers` copies them to where they are committed; tests/headers.rs compares.

use std::env::var;
use std::path::{Path, PathBuf};

use cbindgen::{Builder, Config, DocumentationStyle, Language};

fn main() {
    println!("cargo:rerun-if-changed=src/abi.rs");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    write_headers(&PathBuf::from(cargo("OUT_DIR")));
    name_library();
}

fn write_headers(to: &Path) {
    let config = Config::from_file("cbindgen.toml").expect("cbindgen.toml is readable");
    let builder = || Builder::new().with_src("src/abi.rs");
    let version = |part| cargo(&format!("CARGO_PKG_VERSION_{part}"));

    let c = Config {
        include_guard: Some("KEEPALIVE_H".into()),
        cpp_compat: true,
        no_includes: true,
        sys_includes: vec!["stddef.h".into(), "stdint.h".into()],
        after_includes: Some(format!(
            "\n#define KA_VERSION_MAJOR {}\n#define KA_VERSION_MINOR {}\n#define KA_VERSION_PATCH {}",
            version("MAJOR"),
            version("MINOR"),
            version("PATCH"),
        )),
        header: Some(
            "/* keepalive.h: TCP keepalive that is correct, atomic and readable back. Link with -lkeepalive.\n\
             \x20* Generated from src/abi.rs by `make headers`; do not edit.\n\
             \x20*\n\
             \x20* Functions return 0, a count or a descriptor on success and a negative errno on failure.\n\
             \x20* None closes a descriptor, allocates memory that the caller must free, or prints, and each\n\
             \x20* may be called from any thread. */"
                .into(),
        ),
        ..config.clone()
    };
    builder()
        .with_config(c)
        .generate()
        .expect("src/abi.rs is C")
        .write_to_file(to.join("keepalive.h"));

    // PHP's FFI knows no preprocessor and no `extern "C"`; the types of stdint.h are built in.
    let ffi = Config {
        language: Language::C,
        no_includes: true,
        documentation: false,
        documentation_style: DocumentationStyle::C,
        header: Some(
            "/* For PHP's FFI::cdef. Generated from src/abi.rs by `make headers`; do not edit. */"
                .into(),
        ),
        ..config
    };
    // The same as a constant: preloaded with the classes, it costs no request a file to read.
    let constant = Config {
        header: Some(
            "<?php\n\n\
             declare(strict_types=1);\n\n\
             namespace Keepalive\\Internal;\n\n\
             /**\n\
             \x20* What keepalive-ffi.h says. Generated from src/abi.rs by `make headers`; do not edit.\n\
             \x20*\n\
             \x20* @internal\n\
             \x20*/\n\
             final class Declarations\n\
             {\n\
             \x20   public const C = <<<'C'"
                .into(),
        ),
        trailer: Some("C;\n}".into()),
        ..ffi.clone()
    };
    for (config, file) in [(ffi, "keepalive-ffi.h"), (constant, "Declarations.php")] {
        builder()
            .with_config(config)
            .generate()
            .expect("src/abi.rs is C")
            .write_to_file(to.join(file));
    }
}

/// The soname has the major version, because it is the ABI's; and .so.0 is another project's.
/// `nodelete` keeps the library mapped when PHP drops its handle at the end of each request.
fn name_library() {
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

//! The committed headers are what build.rs generates, and their version is Cargo.toml's.

use std::env::var_os;
use std::fs::{read_to_string, write};
use std::path::Path;

/// Compares a committed header, or writes it when `make headers` asks for that.
fn check(generated: &str, committed: &str) {
    let generated = read_to_string(Path::new(env!("OUT_DIR")).join(generated)).unwrap();
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join(committed);
    if var_os("KEEPALIVE_WRITE_HEADERS").is_some() {
        write(&committed, &generated).unwrap();
    }
    assert!(
        read_to_string(&committed).unwrap_or_default() == generated,
        "{} is stale: run `make headers` and commit it",
        committed.display()
    );
}

#[test]
fn the_c_header_is_fresh() {
    check("keepalive.h", "include/keepalive.h");
}

#[test]
fn the_header_for_php_is_fresh() {
    check("keepalive-ffi.h", "php/keepalive-ffi.h");
}

#[test]
fn the_declarations_in_php_are_fresh() {
    check("Declarations.php", "php/src/Internal/Declarations.php");
}

#[test]
fn the_version_macros_agree_with_cargo_toml() {
    let header = read_to_string("include/keepalive.h").unwrap();
    for (name, value) in [
        ("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("PATCH", env!("CARGO_PKG_VERSION_PATCH")),
    ] {
        let line = format!("#define KA_VERSION_{name} {value}\n");
        assert!(header.contains(&line), "no line {line}");
    }
}

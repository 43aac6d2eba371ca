//! `ka_strerror`, `ka_version` and `ka_options`: what programs show, and what they cannot include.

use std::ffi::CStr;

use keepalive::{ka_options, ka_strerror, ka_version};
use libc::c_int;

fn sentence(error: c_int) -> &'static str {
    let text = ka_strerror(error);
    assert!(!text.is_null());
    // SAFETY: the manual promises a static, NUL terminated string.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap()
}

#[test]
fn every_error_that_the_manual_names_has_a_sentence_that_starts_with_its_name() {
    let header = std::fs::read_to_string("include/keepalive.h").unwrap();
    let names = [
        ("EACCES", libc::EACCES),
        ("EAFNOSUPPORT", libc::EAFNOSUPPORT),
        ("EBADF", libc::EBADF),
        ("EFAULT", libc::EFAULT),
        ("EINVAL", libc::EINVAL),
        ("EMFILE", libc::EMFILE),
        ("ENFILE", libc::ENFILE),
        ("ENOBUFS", libc::ENOBUFS),
        ("ENOENT", libc::ENOENT),
        ("ENOMEM", libc::ENOMEM),
        ("ENOPROTOOPT", libc::ENOPROTOOPT),
        ("ENOTSOCK", libc::ENOTSOCK),
        ("EOPNOTSUPP", libc::EOPNOTSUPP),
        ("EPERM", libc::EPERM),
        ("ERANGE", libc::ERANGE),
    ];
    for (name, errno) in names {
        let sentence = sentence(-errno);
        assert!(sentence.starts_with(&format!("{name}: ")), "{name}: {sentence}");
        assert!(sentence.ends_with('.'), "{sentence}");
    }
    // And the other way: none is documented that is missing above.
    let documented = header.split("-E").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(rest.len());
        format!("E{}", &rest[..end])
    });
    for name in documented {
        assert!(names.iter().any(|(known, _)| *known == name), "{name} is in the header only");
    }
}

#[test]
fn success_counts_and_unknown_errors_have_a_sentence_too() {
    for success in [0, 1, 42, c_int::MAX] {
        assert_eq!(sentence(success), "Success: no error.");
    }
    let header = std::fs::read_to_string("include/keepalive.h").unwrap();
    assert!(header.contains("0 and counts are \"Success: no error.\""));
    for unknown in [-9999, c_int::MIN, -c_int::MAX] {
        assert!(sentence(unknown).contains("errno(3)"), "{unknown}: {}", sentence(unknown));
    }
}

#[test]
fn the_version_is_cargos() {
    // SAFETY: the manual promises a static, NUL terminated string.
    let version = unsafe { CStr::from_ptr(ka_version()) };
    assert_eq!(version.to_str(), Ok(env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_option_numbers_are_the_system_headers() {
    let numbers = ka_options();
    assert_eq!(numbers.sol_socket, libc::SOL_SOCKET);
    assert_eq!(numbers.so_keepalive, libc::SO_KEEPALIVE);
    assert_eq!(numbers.ipproto_tcp, libc::IPPROTO_TCP);
    assert_eq!(numbers.tcp_keepidle, libc::TCP_KEEPIDLE);
    assert_eq!(numbers.tcp_keepintvl, libc::TCP_KEEPINTVL);
    assert_eq!(numbers.tcp_keepcnt, libc::TCP_KEEPCNT);
    assert_eq!(numbers.tcp_user_timeout, libc::TCP_USER_TIMEOUT);
}

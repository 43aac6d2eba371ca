//! `LIBKEEPALIVE_LOG`: one line for each socket that is set or refused.
//!
//! The lines are for the administrator. A line is dropped if writing it would make the program
//! wait, could end the program (SIGPIPE, SIGXFSZ), or could send the line into a connection.

use std::ffi::CStr;
use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::slice;

use keepalive_core::errors::{Errno, describe};
use keepalive_core::sys::identity;
use keepalive_core::types::{KA_UNCHANGED, ka_settings};
use libc::{PATH_MAX, STDERR_FILENO, c_int};

use crate::system::{self, LONGEST_ADDRESS, until_nul};
use crate::variables::Wrong;

#[allow(clippy::cast_sign_loss)] // 4096
const LONGEST_PATH: usize = PATH_MAX as usize;

#[allow(clippy::large_enum_variant)] // there is one, in static memory
pub enum Log {
    Off,
    /// Standard error, with its device and inode at the start: a daemon may close it, and then its
    /// next connection gets descriptor 2.
    Stderr(Option<(u64, u64)>),
    /// A path, filled up with NUL bytes. The file is opened for each line: programs close
    /// descriptors that they do not know, and the line would go to whatever gets the number next.
    File([u8; LONGEST_PATH]),
}

/// What the program was doing with a socket.
#[derive(Clone, Copy)]
pub enum Subject {
    Opened,
    ConnectingTo(SocketAddr),
    ListeningAt(SocketAddr),
    /// Switching keepalive off; it was left on.
    KeptOn,
}

impl Log {
    pub fn parse(text: &[u8]) -> Result<Self, &'static str> {
        if text == b"stderr" {
            return Ok(Self::Stderr(identity(STDERR_FILENO).ok()));
        }
        if !text.starts_with(b"/") {
            return Err("it is neither stderr nor a path that begins with /");
        }
        let mut path = [0; LONGEST_PATH];
        match path.split_at_mut_checked(text.len()) {
            Some((place, [_nul, ..])) => place.copy_from_slice(text),
            _ => return Err("the path is too long"),
        }
        Ok(Self::File(path))
    }

    /// One line about a socket.
    pub fn write(
        &self,
        fd: c_int,
        subject: Subject,
        settings: &ka_settings,
        result: Result<(), Errno>,
    ) {
        match self {
            Self::Off => {}
            Self::Stderr(at_the_start) => {
                if at_the_start.is_some() && identity(STDERR_FILENO).ok() == *at_the_start {
                    system::write(STDERR_FILENO, line(fd, subject, settings, result).text());
                }
            }
            Self::File(path) => {
                if let Ok(path) = CStr::from_bytes_until_nul(path) {
                    system::append(path, line(fd, subject, settings, result).text());
                }
            }
        }
    }
}

/// The one line about a variable that cannot be used.
pub fn refuse(wrong: &Wrong) {
    let mut line = Line::new();
    let Wrong { name, part, why } = wrong;
    let _ = write!(line, "libkeepalive-preload: \"");
    line.push_foreign(part.get(..100).unwrap_or(part));
    let _ = writeln!(line, "\" in {name} cannot be used: {why}. Nothing is set.");
    system::write(STDERR_FILENO, line.text());
}

fn line(fd: c_int, subject: Subject, settings: &ka_settings, result: Result<(), Errno>) -> Line {
    let mut line = Line::new();
    // It does not fail: text that is too long is cut.
    let _ = write_line(&mut line, fd, subject, settings, result);
    line
}

fn write_line(
    line: &mut Line,
    fd: c_int,
    subject: Subject,
    settings: &ka_settings,
    result: Result<(), Errno>,
) -> fmt::Result {
    line.write_str("libkeepalive-preload: ")?;
    line.push_foreign(until_nul(&system::thread_name()));
    write!(line, "[{}]: socket {fd}", std::process::id())?;
    match subject {
        Subject::Opened | Subject::KeptOn => {}
        Subject::ConnectingTo(address) => line.push_address(", connecting to ", address)?,
        Subject::ListeningAt(address) => line.push_address(", listening at ", address)?,
    }
    if let Subject::KeptOn = subject {
        return line.write_str(": not switched off\n");
    }
    if let Err(Errno(errno)) = result {
        line.write_str(": not set: ")?;
        line.push(describe(-errno).to_bytes());
        return line.write_str("\n");
    }
    line.write_str(": set")?;
    for (name, value, unit) in [
        ("idle", settings.idle, " s"),
        ("interval", settings.intvl, " s"),
        ("count", settings.cnt, ""),
        ("user timeout", settings.user_timeout_ms, " ms"),
    ] {
        if value == KA_UNCHANGED {
            write!(line, ", {name} left")?;
        } else {
            write!(line, ", {name} {value}{unit}")?;
        }
    }
    line.write_str("\n")
}

/// Text on the stack.
struct Line {
    bytes: [u8; 384],
    length: usize,
}

impl Line {
    fn new() -> Self {
        Self { bytes: [0; 384], length: 0 }
    }

    /// As much as fits; the end of a line that is too long is dropped.
    fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = *byte;
                self.length += 1;
            }
        }
    }

    /// Text from outside. Control characters are replaced: a line break would begin another line.
    fn push_foreign(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push(if byte.is_ascii_control() { b"?" } else { slice::from_ref(byte) });
        }
    }

    fn push_address(&mut self, before: &str, address: SocketAddr) -> fmt::Result {
        let mut room = [0; LONGEST_ADDRESS];
        let (open, close) = if address.is_ipv6() { ("[", "]") } else { ("", "") };
        write!(self, "{before}{open}")?;
        self.push(system::write_address(address.ip(), &mut room));
        write!(self, "{close}:{}", address.port())
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

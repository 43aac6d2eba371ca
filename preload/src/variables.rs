//! The settings in the environment: `LIBKEEPALIVE`, `LIBKEEPALIVE_TO` and `LIBKEEPALIVE_LOG`.

use std::ffi::CStr;

use keepalive_core::platform::{MAX_CNT, MAX_IDLE, MAX_INTVL};
use keepalive_core::promise;
use keepalive_core::types::{KA_UNCHANGED, ka_settings};
use libc::c_int;

use crate::log::Log;
use crate::rules::{Rules, number};

pub struct Variables {
    pub settings: ka_settings,
    pub rules: Rules,
    pub log: Log,
}

/// A variable that cannot be used, the part of it that is wrong, and why.
pub struct Wrong<'a> {
    pub name: &'static str,
    pub part: &'a [u8],
    pub why: &'static str,
}

impl Variables {
    /// `None` if `LIBKEEPALIVE` is missing: then there is nothing to do. An empty variable counts
    /// as missing.
    pub fn read<'a>(
        variable: impl Fn(&CStr) -> Option<&'a [u8]>,
    ) -> Result<Option<Self>, Wrong<'a>> {
        let given = |name| variable(name).filter(|value| !value.is_empty());
        let Some(value) = given(c"LIBKEEPALIVE") else { return Ok(None) };
        let settings = parse_settings(value).map_err(|why| Wrong {
            name: "LIBKEEPALIVE",
            part: value,
            why,
        })?;
        let rules = match given(c"LIBKEEPALIVE_TO") {
            None => Rules::NONE,
            Some(value) => Rules::parse(value).map_err(|(part, why)| Wrong {
                name: "LIBKEEPALIVE_TO",
                part,
                why,
            })?,
        };
        let log = match given(c"LIBKEEPALIVE_LOG") {
            None => Log::Off,
            Some(value) => Log::parse(value).map_err(|why| Wrong {
                name: "LIBKEEPALIVE_LOG",
                part: value,
                why,
            })?,
        };
        Ok(Some(Self { settings, rules, log }))
    }
}

/// "within=30", "60,10,6" or "60,10,6,120000".
fn parse_settings(text: &[u8]) -> Result<ka_settings, &'static str> {
    if let Some(seconds) = text.strip_prefix(b"within=") {
        return in_range(seconds, promise::SHORTEST, promise::LONGEST)
            .and_then(|seconds| promise::detect_within(seconds).ok())
            .ok_or("within= takes 6 to 14400 seconds");
    }
    let mut parts = text.split(|&byte| byte == b',');
    let (Some(idle), Some(intvl), Some(cnt), user_timeout, None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("it is neither within=SECONDS nor IDLE,INTERVAL,COUNT[,USER_TIMEOUT_MS]");
    };
    Ok(ka_settings {
        enabled: 1,
        idle: in_range(idle, 1, MAX_IDLE).ok_or("the idle time is not 1 to 32767 seconds")?,
        intvl: in_range(intvl, 1, MAX_INTVL).ok_or("the interval is not 1 to 32767 seconds")?,
        cnt: in_range(cnt, 1, MAX_CNT).ok_or("the count is not 1 to 127 probes")?,
        user_timeout_ms: match user_timeout {
            None => KA_UNCHANGED,
            Some(text) => in_range(text, 0, c_int::MAX)
                .ok_or("the user timeout is not 0 to 2147483647 milliseconds")?,
        },
    })
}

fn in_range(text: &[u8], smallest: c_int, largest: c_int) -> Option<c_int> {
    let number = c_int::try_from(number(text)?).ok()?;
    (smallest..=largest).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(all: &'a [(&str, &str)]) -> Result<Option<Variables>, Wrong<'a>> {
        Variables::read(|name| {
            all.iter()
                .find(|(other, _)| Ok(*other) == name.to_str())
                .map(|(_, value)| value.as_bytes())
        })
    }

    fn settings(text: &str) -> Option<ka_settings> {
        read(&[("LIBKEEPALIVE", text)]).ok().flatten().map(|variables| variables.settings)
    }

    #[test]
    fn nothing_is_done_without_the_variable_or_when_it_is_empty() {
        assert!(matches!(read(&[]), Ok(None)));
        assert!(matches!(read(&[("LIBKEEPALIVE", "")]), Ok(None)));
        assert!(matches!(read(&[("LIBKEEPALIVE_TO", "nonsense")]), Ok(None)));
    }

    #[test]
    fn within_is_the_promise() {
        for seconds in [6, 30, 14_400] {
            assert_eq!(
                settings(&format!("within={seconds}")),
                Some(promise::detect_within(seconds).unwrap())
            );
        }
    }

    #[test]
    fn values_are_taken_as_they_are() {
        let three = ka_settings { enabled: 1, idle: 60, intvl: 10, cnt: 6, user_timeout_ms: -1 };
        assert_eq!(settings("60,10,6"), Some(three));
        for (text, user_timeout_ms) in
            [("60,10,6,120000", 120_000), ("60,10,6,0", 0), ("60,10,6,2147483647", c_int::MAX)]
        {
            assert_eq!(settings(text), Some(ka_settings { user_timeout_ms, ..three }));
        }
        assert_eq!(
            settings("32767,32767,127"),
            Some(ka_settings { idle: 32767, intvl: 32767, cnt: 127, ..three })
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "on",
            "1",
            "60,10",
            "60,10,6,1,1",
            "60,10,6,",
            "60,10,",
            ",,",
            "0,10,6",
            "60,0,6",
            "60,10,0",
            "-1,10,6",
            "32768,10,6",
            "60,32768,6",
            "60,10,128",
            "60,10,6,-1",
            "60,10,6,2147483648",
            "60, 10,6",
            " 60,10,6",
            "60,10,6 ",
            "+60,10,6",
            "60.5,10,6",
            "1e2,10,6",
            "99999999999999999999,10,6",
            "within=",
            "within=5",
            "within=14401",
            "within=30s",
            "within= 30",
            "within=+30",
            "WITHIN=30",
            "within=30,60",
        ] {
            assert!(read(&[("LIBKEEPALIVE", text)]).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn one_wrong_variable_is_enough() {
        let on = ("LIBKEEPALIVE", "within=30");
        for (name, value, part) in [
            ("LIBKEEPALIVE_TO", "*:1,db.example:3306,*:2", "db.example:3306"),
            ("LIBKEEPALIVE_LOG", "keepalive.log", "keepalive.log"),
            ("LIBKEEPALIVE_LOG", "stdout", "stdout"),
        ] {
            let all = [on, (name, value)];
            let Err(wrong) = read(&all) else { panic!("{value} was taken") };
            assert_eq!((wrong.name, wrong.part), (name, part.as_bytes()));
        }
        assert!(read(&[on, ("LIBKEEPALIVE_TO", ""), ("LIBKEEPALIVE_LOG", "")]).is_ok());
        assert!(read(&[on, ("LIBKEEPALIVE_LOG", "/var/log/keepalive.log")]).is_ok());
        assert!(read(&[on, ("LIBKEEPALIVE_LOG", &format!("/{}", "x".repeat(4095)))]).is_err());
    }
}

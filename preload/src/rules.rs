//! `LIBKEEPALIVE_TO`: which addresses are meant.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::system;

/// The largest number of rules. They are stored without allocating, so there is a limit.
const MOST: usize = 64;

/// All rules; an address has to match one of them.
pub struct Rules {
    rules: [Option<Rule>; MOST],
}

/// "10.0.0.0/8:6379": the network, and the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    /// `None` is any address.
    network: Option<Network>,
    /// `None` is any port.
    port: Option<u16>,
}

/// The first `length` bits of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Network {
    V4 { address: Ipv4Addr, length: u32 },
    V6 { address: Ipv6Addr, length: u32 },
}

impl Rules {
    pub const NONE: Self = Self { rules: [None; MOST] };

    /// Comma-separated rules. Fails with the one that is wrong, and why.
    pub fn parse(text: &[u8]) -> Result<Self, (&[u8], &'static str)> {
        let mut rules = Self::NONE;
        let mut places = rules.rules.iter_mut();
        for rule in text.split(|&byte| byte == b',') {
            let place = places.next().ok_or((rule, "it is one more than the 64 there may be"))?;
            *place = Some(Rule::parse(rule).map_err(|why| (rule, why))?);
        }
        Ok(rules)
    }

    pub fn is_empty(&self) -> bool {
        matches!(self.rules, [None, ..])
    }

    /// Whether one of the rules includes the address. The caller has turned IPv4 in IPv6 into IPv4.
    pub fn include(&self, address: SocketAddr) -> bool {
        self.rules.iter().map_while(Option::as_ref).any(|rule| rule.includes(address))
    }
}

impl Rule {
    fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let (host, port) = match text.strip_prefix(b"[") {
            Some(rest) => {
                let (host, after) = split_once(rest, b']').ok_or("a closing ] is missing")?;
                if !host.contains(&b':') {
                    return Err("brackets are for IPv6 addresses");
                }
                match after {
                    b"" => (host, None),
                    [b':', port @ ..] => (host, Some(port)),
                    _ => return Err("only :PORT may follow the ]"),
                }
            }
            None => match split_once(text, b':') {
                None => (text, None),
                Some((_, port)) if port.contains(&b':') => {
                    return Err("an IPv6 address needs brackets, as in [2001:db8::1]:443");
                }
                Some((host, port)) => (host, Some(port)),
            },
        };
        Ok(Self { network: parse_host(host)?, port: parse_port(port)? })
    }

    fn includes(&self, address: SocketAddr) -> bool {
        self.port.is_none_or(|port| port == address.port())
            && self.network.is_none_or(|network| network.includes(address.ip()))
    }
}

fn parse_host(text: &[u8]) -> Result<Option<Network>, &'static str> {
    if text == b"*" {
        return Ok(None);
    }
    let (address, length) = match split_once(text, b'/') {
        None => (text, None),
        Some((address, length)) => {
            (address, Some(number(length).ok_or("a number of bits has to follow the /")?))
        }
    };
    let address = system::parse_address(address)
        .ok_or("it is neither an IP address nor *; names are not looked up")?;
    match (address, address.to_canonical()) {
        (IpAddr::V6(_), IpAddr::V4(address)) => match length.unwrap_or(128) {
            length @ 96..=128 => Ok(Some(Network::V4 { address, length: length - 96 })),
            _ => Err("the network of an IPv4 address in IPv6 has 96 to 128 bits"),
        },
        (_, IpAddr::V4(address)) => match length.unwrap_or(32) {
            length @ 0..=32 => Ok(Some(Network::V4 { address, length })),
            _ => Err("an IPv4 network has 0 to 32 bits"),
        },
        (_, IpAddr::V6(address)) => match length.unwrap_or(128) {
            length @ 0..=128 => Ok(Some(Network::V6 { address, length })),
            _ => Err("an IPv6 network has 0 to 128 bits"),
        },
    }
}

fn parse_port(text: Option<&[u8]>) -> Result<Option<u16>, &'static str> {
    match text {
        None | Some(b"*") => Ok(None),
        Some(text) => match number(text).map(u16::try_from) {
            Some(Ok(port @ 1..)) => Ok(Some(port)),
            _ => Err("the port is neither * nor 1 to 65535"),
        },
    }
}

impl Network {
    fn includes(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4 { address, length }, IpAddr::V4(other)) => {
                let differing = address.to_bits() ^ other.to_bits();
                differing.checked_shr(32 - length).unwrap_or(0) == 0
            }
            (Self::V6 { address, length }, IpAddr::V6(other)) => {
                let differing = address.to_bits() ^ other.to_bits();
                differing.checked_shr(128 - length).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// The text before and after the first `separator`. The compiler thinks that the standard library's
/// function for this could panic.
fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let mut parts = text.splitn(2, |&byte| byte == separator);
    Some((parts.next()?, parts.next()?))
}

/// A number of decimal digits only.
pub fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u32, |number, &byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::Rules;

    fn include(rules: &str, address: &str) -> bool {
        let rules =
            Rules::parse(rules.as_bytes()).unwrap_or_else(|(_, why)| panic!("{rules}: {why}"));
        rules.include(address.parse().unwrap())
    }

    #[test]
    fn a_rule_includes_what_it_names_and_nothing_else() {
        for (rule, address, expected) in [
            ("*:3306", "192.0.2.1:3306", true),
            ("*:3306", "[2001:db8::1]:3306", true),
            ("*:3306", "192.0.2.1:3307", false),
            ("*", "192.0.2.1:1", true),
            ("*:*", "[::1]:65535", true),
            ("10.0.0.0/8", "10.255.0.1:1", true),
            ("10.0.0.0/8", "11.0.0.1:1", false),
            ("10.0.0.0/8:6379", "10.1.2.3:6379", true),
            ("10.0.0.0/8:6379", "10.1.2.3:6380", false),
            ("10.0.0.77/8", "10.1.2.3:1", true),
            ("10.0.0.5:5432", "10.0.0.5:5432", true),
            ("10.0.0.5:5432", "10.0.0.4:5432", false),
            ("10.0.0.5:*", "10.0.0.5:1", true),
            ("10.0.0.5", "10.0.0.5:1", true),
            ("0.0.0.0/0", "203.0.113.9:80", true),
            ("0.0.0.0/0", "[2001:db8::1]:80", false),
            ("10.0.0.5/32", "10.0.0.5:1", true),
            ("[2001:db8::/32]:443", "[2001:db8:ffff::1]:443", true),
            ("[2001:db8::/32]:443", "[2001:db9::1]:443", false),
            ("[2001:db8::/32]:443", "[2001:db8::1]:80", false),
            ("[2001:db8::1]", "[2001:db8::1]:9", true),
            ("[2001:db8::1]:*", "[2001:db8::2]:9", false),
            ("[::/0]", "[2001:db8::1]:80", true),
            ("[::/0]", "192.0.2.1:80", false),
            // IPv4 in IPv6 counts as IPv4.
            ("[::ffff:10.0.0.5]:80", "10.0.0.5:80", true),
            ("[::ffff:10.0.0.0/104]:80", "10.9.9.9:80", true),
            ("[::ffff:10.0.0.0/104]:80", "11.9.9.9:80", false),
        ] {
            assert_eq!(include(rule, address), expected, "{rule} includes {address}");
        }
    }

    #[test]
    fn of_several_rules_one_is_enough() {
        let rules = "10.0.0.5:5432,*:3306,[2001:db8::/32]:443";
        assert!(include(rules, "10.0.0.5:5432"));
        assert!(include(rules, "192.0.2.1:3306"));
        assert!(include(rules, "[2001:db8::7]:443"));
        assert!(!include(rules, "192.0.2.1:443"));
    }

    #[test]
    fn there_are_64_rules_at_most() {
        assert!(include(&["*:1"; 64].join(","), "192.0.2.1:1"));
        assert!(Rules::parse(["*:1"; 65].join(",").as_bytes()).is_err());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            ",",
            "*:1,",
            ",*:1",
            " *:1",
            "*: 1",
            "*:1 ,*:2",
            "*:0",
            "*:65536",
            "*:+1",
            "*:-1",
            "*:",
            "*:x",
            "*:1:2",
            "**",
            "*/8",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/",
            "10.0.0.0/x",
            "10.0.0",
            "10.0.0.0.0",
            "010.0.0.1",
            "db.example:3306",
            "localhost",
            "2001:db8::1",
            "[2001:db8::1",
            "[2001:db8::1]443",
            "[2001:db8::1]:",
            "[2001:db8::/129]:1",
            "[10.0.0.5]:1",
            "[*]:1",
            "[::ffff:10.0.0.5/95]",
            "[fe80::1%eth0]:1",
            "10.0.0.5:5432/8",
            "tcp://10.0.0.5:1",
        ] {
            assert!(Rules::parse(text.as_bytes()).is_err(), "{text:?} was taken");
        }
    }
}

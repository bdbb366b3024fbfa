//! Values of the configuration that are more than a text or a number, each refusing nonsense with a reason.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Implements serde through `FromStr` and `Display`.
macro_rules! as_text {
    ($name:ty) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

/// A value that another crate reads from a text and shows as one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parsed<T>(pub T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Parsed).map_err(de::Error::custom)
    }
}

impl<T: fmt::Display> Serialize for Parsed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A number of bytes: `"50M"`, `"1G"`, `"4096"`; K, M, G, T are powers of 1024.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub struct ByteSize(pub u64);
as_text!(ByteSize);

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no size: write for example \"50M\" or \"1G\"");
        let trimmed = text.trim();
        let digits = trimmed.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let shift =
            match trimmed[digits.len()..].to_ascii_uppercase().trim_end_matches('B').trim_end_matches('I') {
                "" => 0,
                "K" => 10,
                "M" => 20,
                "G" => 30,
                "T" => 40,
                _ => return Err(wrong()),
            };
        let number: u64 = digits.trim().parse().map_err(|_| wrong())?;
        number.checked_mul(1 << shift).map(ByteSize).ok_or_else(wrong)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (shift, unit) in [(40, "T"), (30, "G"), (20, "M"), (10, "K")] {
            if self.0 != 0 && self.0.trailing_zeros() >= shift {
                return write!(f, "{}{unit}", self.0 >> shift);
            }
        }
        write!(f, "{}", self.0)
    }
}

/// A span of time: `"90s"`, `"5m"`, `"4h"`, `"5d"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub struct Span(pub Duration);
as_text!(Span);

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Span {
        Span(Duration::from_secs(seconds))
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("\"{text}\" is no span of time: write for example \"30s\", \"5m\", \"4h\" or \"5d\"");
        let text = text.trim();
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86400,
            _ => return Err(wrong()),
        };
        let number: u64 = digits.trim().parse().map_err(|_| wrong())?;
        number.checked_mul(unit).map(Span::seconds).ok_or_else(wrong)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        for (unit, name) in [(86400, "d"), (3600, "h"), (60, "m")] {
            if seconds != 0 && seconds.is_multiple_of(unit) {
                return write!(f, "{}{name}", seconds / unit);
            }
        }
        write!(f, "{seconds}s")
    }
}

/// Where a listener listens: `address:port` or `unix:/path`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Bind {
    /// TCP.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}
as_text!(Bind);

impl Bind {
    /// Whether only this machine reaches it.
    pub fn is_loopback(&self) -> bool {
        match self {
            Bind::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Bind::Unix(_) => true,
        }
    }
}

impl FromStr for Bind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Bind::Unix(path.into()));
        }
        text.parse().map(Bind::Tcp).map_err(|_| {
            format!("\"{text}\" is no address to listen on: write for example \"127.0.0.1:2525\", \"[::]:25\" or \"unix:/run/troika/lmtp\"")
        })
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bind::Tcp(address) => address.fmt(f),
            Bind::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A name server: an address, with a port if it is not 53.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameServer(pub SocketAddr);
as_text!(NameServer);

impl FromStr for NameServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(NameServer(SocketAddr::new(address, 53)));
        }
        text.parse().map(NameServer).map_err(|_| {
            format!("\"{text}\" is no name server: write its address, for example \"9.9.9.9\" or \"127.0.0.1:5353\"")
        })
    }
}

impl fmt::Display for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A domain name, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostName(model::Domain);
as_text!(HostName);

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        model::Domain::new(text).map(HostName).map_err(|_| format!("\"{text}\" is no host name"))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_ascii())
    }
}

/// Networks in CIDR form.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Networks(pub Vec<ipnet::IpNet>);

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: String| -> Result<ipnet::IpNet, String> {
            if let Ok(address) = text.parse::<std::net::IpAddr>() {
                return Ok(address.into());
            }
            text.parse().map_err(|_| {
                format!("\"{text}\" is no network: write for example \"192.168.0.0/16\" or \"::1/128\"")
            })
        };
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.into_iter().map(read).collect::<Result<_, _>>().map(Networks).map_err(de::Error::custom)
    }
}

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

/// Permissions in octal, as chmod has them: `"0660"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SocketMode(pub u32);

impl<'de> Deserialize<'de> for SocketMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SocketMode, D::Error> {
        let text = String::deserialize(deserializer)?;
        match u32::from_str_radix(&text, 8) {
            Ok(mode) if mode <= 0o777 => Ok(SocketMode(mode)),
            _ => Err(serde::de::Error::custom(format!(
                "{text:?} is no mode; write it in octal, like \"0660\""
            ))),
        }
    }
}

impl Serialize for SocketMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:04o}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_read_and_shown() {
        for (text, bytes) in [("0", 0), ("4096", 4096), ("50M", 50 << 20), ("1 GiB", 1 << 30), ("2kb", 2048)]
        {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "M", "1X", "-1", "99999999999T"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
        assert_eq!(ByteSize(50 << 20).to_string(), "50M");
        assert_eq!("90s".parse::<Span>().unwrap().to_string(), "90s");
        assert_eq!("120m".parse::<Span>().unwrap().to_string(), "2h");
        assert!("5".parse::<Span>().is_err());
    }

    #[test]
    fn name_servers_have_port_53_unless_told() {
        for (text, shown) in [
            ("9.9.9.9", "9.9.9.9:53"),
            ("127.0.0.1:5353", "127.0.0.1:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]", "[2001:db8::1]:53"),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
        ] {
            assert_eq!(text.parse::<NameServer>().unwrap().to_string(), shown);
        }
        assert!("ns.example.org".parse::<NameServer>().is_err());
    }
}

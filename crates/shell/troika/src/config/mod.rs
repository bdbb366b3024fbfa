//! The configuration: one TOML file. Every key, its meaning and its default stand in `keys.rs` and nowhere else; the
//! commented example (`troika config example`) is generated from it.

mod keys;
mod section;
mod values;

pub use keys::*;
pub use section::Section;
pub use values::*;

use std::path::{Path, PathBuf};

/// Why a configuration is not used: file, line, reason, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// None of the usual places has one.
    #[error(
        "there is no configuration: give one with --config, or have ./troika.toml or /etc/troika/troika.toml; `troika quickstart` makes one"
    )]
    Missing,
    /// It can't be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{path}:{line}: {why}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What, and what would be right.
        why: String,
    },
}

impl Config {
    /// Finds the file: the one given, else `./troika.toml`, else `/etc/troika/troika.toml`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`].
    pub fn find(given: Option<&Path>) -> Result<PathBuf, ConfigError> {
        if let Some(path) = given {
            return Ok(path.to_owned());
        }
        ["troika.toml", "/etc/troika/troika.toml"]
            .into_iter()
            .map(PathBuf::from)
            .find(|path| path.is_file())
            .ok_or(ConfigError::Missing)
    }

    /// Reads and checks a file. Relative paths in it are taken from the file's own folder.
    ///
    /// # Errors
    /// With file, line and reason.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
        let mut config = Config::parse(&text).map_err(|(line, why)| ConfigError::Wrong {
            path: path.to_owned(),
            line,
            why,
        })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        config.resolve_paths(&folder);
        Ok(config)
    }

    /// Reads and checks a text; the error is the line (from 1) and the reason.
    ///
    /// # Errors
    /// An unknown key, a bad value, or values that do not go together.
    pub fn parse(text: &str) -> Result<Config, (usize, String)> {
        let config: Config = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            (line_of(text, at), error.message().to_owned())
        })?;
        config.check().map_err(|(needle, why)| (find_line(text, &needle), why))?;
        Ok(config)
    }

    /// What no single value shows. The error names a text to look for in the file, and the reason.
    fn check(&self) -> Result<(), (String, String)> {
        let token = &self.http.operator_token;
        let is_good = token.len() >= 16 && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !token.is_empty() && !is_good {
            let why = "operator_token has at least 16 letters, digits or signs (`openssl rand -hex 16`)";
            return Err(("operator_token".into(), why.into()));
        }
        for listener in &self.listener {
            let bind = listener.bind.to_string();
            let unix = matches!(listener.bind, Bind::Unix(_));
            if unix && listener.protocol != ListenerProtocol::Lmtp {
                return Err((bind, "only LMTP can listen on a unix socket".into()));
            }
            if unix && listener.tls != ListenerTls::None {
                return Err((bind, "a unix socket has no TLS: write tls = \"none\"".into()));
            }
            if listener.protocol == ListenerProtocol::Http && listener.tls == ListenerTls::Starttls {
                return Err((bind, "HTTP has no STARTTLS: write tls = \"none\"".into()));
            }
            if listener.protocol == ListenerProtocol::Http
                && !listener.bind.is_loopback()
                && listener.tls != ListenerTls::Implicit
            {
                return Err((
                    bind,
                    "http without TLS shows metrics without a log-in, so it listens on loopback only; with tls = \"implicit\" it shows others the MTA-STS policy".into(),
                ));
            }
            if let Some(wrong) = self.mta_sts.mx.iter().find(|host| !transport::sts::is_pattern(host)) {
                return Err((wrong.clone(), format!("{wrong:?} is no host name, nor \"*.\" and a domain")));
            }
            if listener.plaintext_auth && !listener.bind.is_loopback() && !unix {
                return Err((
                    bind,
                    "plaintext_auth on an address that others reach would send passwords in clear; only loopback may have it".into(),
                ));
            }
            if listener.client_ca.is_some() && listener.tls == ListenerTls::None {
                return Err((bind, "client_ca needs TLS: write tls = \"starttls\" or \"implicit\"".into()));
            }
            if (listener.mode.is_some() || listener.group.is_some()) && !unix {
                return Err((bind, "mode and group are for unix sockets".into()));
            }
            let twins = self.listener.iter().filter(|other| other.bind == listener.bind).count();
            if twins > 1 {
                return Err((bind, "two listeners have the same address".into()));
            }
        }
        self.route.iter().try_for_each(check_route)
    }

    fn resolve_paths(&mut self, folder: &Path) {
        let absolute = |path: &mut PathBuf| {
            if path.is_relative() {
                *path = folder.join(&*path);
            }
        };
        absolute(&mut self.server.data_dir);
        for certificate in &mut self.certificate {
            absolute(&mut certificate.certificate);
            absolute(&mut certificate.key);
        }
        let passwords = self.route.iter_mut().map(|route| &mut route.password_file);
        let single = [
            &mut self.oauth.keys,
            &mut self.oauth.client_secret_file,
            &mut self.oauth.authorities,
            &mut self.delivery.authorities,
            &mut self.dns.zone_file,
            &mut self.dns.trust_anchor,
            &mut self.webhook.secret_file,
            &mut self.webhook.authorities,
        ];
        for given in passwords.chain(single) {
            if *given != PathBuf::new() {
                absolute(given);
            }
        }
        for route in &mut self.route {
            if let route::NextHop::Unix(path) = &mut route.next_hop.0 {
                absolute(path);
            }
        }
        for listener in &mut self.listener {
            listener.client_ca.iter_mut().for_each(absolute);
            if let Bind::Unix(path) = &mut listener.bind {
                absolute(path);
            }
        }
    }
}

/// What no single value of a route shows.
fn check_route(given: &Route) -> Result<(), (String, String)> {
    use route::{HostName, NextHop};
    let hop = &given.next_hop.0;
    let wrong = |why: &str| Err((hop.to_string(), why.to_owned()));
    let lmtp = given.protocol == RouteProtocol::Lmtp;
    match hop {
        NextHop::Unix(_) if !lmtp => return wrong("a unix socket is for LMTP: write protocol = \"lmtp\""),
        NextHop::Unix(_) if !matches!(given.tls, RouteTls::None | RouteTls::Opportunistic) => {
            return wrong("a unix socket has no TLS: write tls = \"none\"");
        }
        NextHop::Unix(_) if given.proxy.is_some() || !given.sources.is_empty() => {
            return wrong("a unix socket is dialled without proxy or sources");
        }
        NextHop::Mx if lmtp => {
            return wrong(
                "LMTP goes to one host or socket, never by MX (RFC 2033 section 5): name it in next_hop",
            );
        }
        NextHop::Host { host: HostName::Address(_), .. } if given.tls == RouteTls::DaneOnly => {
            return wrong("DANE needs the host's name, which has the TLSA records; an address has none");
        }
        _ => {}
    }
    if given.implicit_tls && given.tls == RouteTls::None {
        return wrong("implicit_tls and tls = \"none\" contradict each other");
    }
    let password = !given.password.is_empty() || given.password_file != PathBuf::new();
    if given.username.is_empty() && password {
        return wrong("there is a password without a username");
    }
    if !given.username.is_empty() && !password {
        return wrong("the username needs a password or a password_file");
    }
    if !given.password.is_empty() && given.password_file != PathBuf::new() {
        return wrong("give the password or the password_file, not both");
    }
    if !given.username.is_empty() && given.tls == RouteTls::None && !is_loopback(hop) {
        return wrong("a password would travel in clear: write tls = \"verify\" or \"require\"");
    }
    Ok(())
}

fn is_loopback(hop: &route::NextHop) -> bool {
    match hop {
        route::NextHop::Host { host: route::HostName::Address(address), .. } => address.is_loopback(),
        route::NextHop::Host { host: route::HostName::Name(name), .. } => name.as_str() == "localhost",
        route::NextHop::Unix(_) => true,
        route::NextHop::Mx => false,
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn find_line(text: &str, needle: &str) -> usize {
    text.lines().position(|line| line.contains(needle)).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_example_is_a_configuration_and_has_the_defaults() {
        let example = Config::example();
        let read =
            Config::parse(&example).unwrap_or_else(|(line, why)| panic!("line {line}: {why}\n{example}"));
        assert!(read.listener.len() >= 6);
        let shown: String = example
            .lines()
            .map(|line| match line.strip_prefix("#") {
                Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest,
                _ => line,
            })
            .fold(String::new(), |all, line| all + line + "\n");
        let defaults = Config::parse(&shown)
            .unwrap_or_else(|(line, why)| panic!("uncommented, line {line}: {why}\n{shown}"));
        assert_eq!(defaults.limits, Limits::default());
        assert_eq!(defaults.storage, Storage::default());
        assert_eq!(defaults.auth, Auth::default());
        assert_eq!(defaults.dns, Dns::default());
        assert_eq!(defaults.mta_sts, MtaSts::default());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let cases = [
            ("[server]\nhostnam = \"x\"\n", 2, "hostnam"),
            ("[limits]\n\nmessage_bytes = \"50 apples\"\n", 3, "50 apples"),
            ("[[listener]]\nprotocol = \"gopher\"\nbind = \"127.0.0.1:1\"\n", 2, "gopher"),
            ("[[listener]]\nprotocol = \"smtp\"\nbind = \"nowhere\"\n", 3, "nowhere"),
            (
                "[[listener]]\nprotocol = \"imap\"\nbind = \"0.0.0.0:143\"\nplaintext_auth = true\n",
                3,
                "in clear",
            ),
            ("[[listener]]\nprotocol = \"imap\"\nbind = \"unix:/x\"\n", 3, "LMTP"),
            ("[network]\nown = [\"10.0.0.0/33\"]\n", 2, "10.0.0.0/33"),
            ("[server\n", 1, ""),
            ("[[route]]\nnext_hop = \"a:b\"\n", 2, "no next hop"),
            ("[[route]]\nrecipient_domain = \"a b\"\n", 2, "no domain"),
            ("[[route]]\ntls = \"dane\"\n", 2, "dane"),
            ("[[route]]\n\nnext_hop = \"unix:/x\"\n", 3, "LMTP"),
            ("[[route]]\nprotocol = \"lmtp\"\nnext_hop = \"mx\"\n", 3, "RFC 2033"),
            ("[[route]]\nnext_hop = \"h.test:25\"\nusername = \"a\"\n", 2, "password"),
            (
                "[[route]]\nnext_hop = \"h.test:25\"\ntls = \"none\"\nusername = \"a\"\npassword = \"b\"\n",
                2,
                "in clear",
            ),
        ];
        for (text, line, word) in cases {
            let (at, why) = Config::parse(text).expect_err(text);
            assert_eq!(at, line, "{text}: {why}");
            assert!(why.contains(word), "{text}: {why}");
        }
    }

    #[test]
    fn the_shape_in_the_issue_is_read() {
        let text = "[server]\nhostname = \"mail.example.test\"\ndata_dir = \"data\"\n[[listener]]\nprotocol = \"smtp\"\nbind = \"127.0.0.1:2525\"\ntls = \"starttls\"\nplaintext_auth = false\n[network]\nown = [\"127.0.0.0/8\", \"::1/128\"]\n";
        let config = Config::parse(text).unwrap();
        assert_eq!(config.server.hostname.to_string(), "mail.example.test");
        assert_eq!(config.network.own.0.len(), 2);
    }

    #[test]
    fn the_routes_in_the_issue_are_read() {
        let text = "[[route]]\nrecipient_domain = \"*\"\nnext_hop = \"127.0.0.1:10025\"\nprotocol = \"smtp\"\ntls = \"opportunistic\"\n\
                    [[route]]\nsender_domain = \"x.test\"\naccount = \"anna@x.test\"\nnext_hop = \"unix:/run/lmtp\"\nprotocol = \"lmtp\"\n\
                    [[route]]\nnext_hop = \"mx\"\ntls = \"dane-only\"\n";
        let config = Config::parse(text).unwrap();
        let hops: Vec<String> = config.route.iter().map(|route| route.next_hop.0.to_string()).collect();
        assert_eq!(hops, ["127.0.0.1:10025", "unix:/run/lmtp", "mx"]);
        assert_eq!(config.route[2].tls, RouteTls::DaneOnly);
        let shown = toml::to_string(&config).unwrap();
        assert_eq!(Config::parse(&shown).unwrap().route, config.route);
    }
}

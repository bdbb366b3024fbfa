//! The route table: the first route that fits wins; without one, a message goes where MX records say.

use crate::NextHop;
use model::{Domain, EmailAddress, ReversePath};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

/// What the next hop speaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Protocol {
    /// ESMTP.
    #[default]
    Smtp,
    /// LMTP (RFC 2033): one answer for each recipient behind the content.
    Lmtp,
}

impl Protocol {
    /// The port that a next hop without one has.
    pub fn port(self) -> u16 {
        match self {
            Protocol::Smtp => 25,
            // RFC 2033 §5: never port 25; 24 is IANA's for private mail systems, and what others use.
            Protocol::Lmtp => 24,
        }
    }
}

/// Which TLS a route asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TlsWish {
    /// Never: what a host offers is not used.
    None,
    /// If the host offers it; no certificate is too bad, for the alternative is clear text (RFC 7435). What the domain
    /// itself publishes (DANE, MTA-STS) raises this.
    #[default]
    Opportunistic,
    /// Always, whatever the certificate.
    Require,
    /// Always, and the host must have TLSA records that its certificate fits (RFC 7672).
    DaneOnly,
    /// Always, and the certificate must be the host's and of a known authority.
    Verify,
}

/// How to log in at the next hop.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Login {
    /// Name.
    pub username: String,
    /// Password, or the token of XOAUTH2.
    pub secret: String,
    /// The mechanism, such as `SCRAM-SHA-256`. None: the best that is offered.
    pub mechanism: Option<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.username)
    }
}

/// A SOCKS5 proxy (RFC 1928) that connections are made through.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    /// Where it is: a host name or address.
    pub host: crate::HostName,
    /// Its port.
    pub port: u16,
    /// Name and password (RFC 1929), if it wants any.
    pub login: Option<(String, String)>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

impl FromStr for Proxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Proxy, String> {
        let wrong = || {
            "that is no proxy: write \"socks5://proxy.example.org:1080\" or \"socks5://name:password@proxy.example.org:1080\""
                .to_owned()
        };
        let rest = text.strip_prefix("socks5://").ok_or_else(wrong)?;
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => {
                let (name, password) = login.split_once(':').ok_or_else(wrong)?;
                // RFC 1929 §2: each has a length of one octet, and at least one.
                if [name, password].iter().any(|part| part.is_empty() || part.len() > 255) {
                    return Err(wrong());
                }
                (Some((name.to_owned(), password.to_owned())), rest)
            }
            None => (None, rest),
        };
        let hop: NextHop = rest.parse().map_err(|_| wrong())?;
        let NextHop::Host { host, port } = hop else { return Err(wrong()) };
        // RFC 1928 §3: port 1080.
        Ok(Proxy { host, port: port.unwrap_or(1080), login })
    }
}

/// Without the log-in: this is shown.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "socks5://{}:{}", self.host, self.port)
    }
}

/// Which domains: all, one, or those below one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Pattern {
    /// `*`
    #[default]
    Any,
    /// `example.org`
    Domain(Domain),
    /// `*.example.org`: what stands below, not itself.
    Below(Domain),
}

impl Pattern {
    /// Whether it stands for this domain.
    pub fn fits(&self, domain: &Domain) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Domain(wanted) => wanted == domain,
            Pattern::Below(parent) => domain
                .as_str()
                .strip_suffix(parent.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        }
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Pattern, String> {
        let wrong = |_| {
            format!(
                "{text:?} is no domain: write \"example.org\", \"*.example.org\" (all below it) or \"*\" (all)"
            )
        };
        match text.strip_prefix("*.") {
            _ if text == "*" => Ok(Pattern::Any),
            Some(parent) => Domain::new(parent).map(Pattern::Below).map_err(wrong),
            None => Domain::new(text).map(Pattern::Domain).map_err(wrong),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Any => f.write_str("*"),
            Pattern::Domain(domain) => domain.fmt(f),
            Pattern::Below(domain) => write!(f, "*.{domain}"),
        }
    }
}

/// Which senders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SenderPattern {
    /// `""`: bounces and other mail from nobody.
    Null,
    /// Of these domains; `*` is also the null one.
    Of(Pattern),
}

impl Default for SenderPattern {
    fn default() -> SenderPattern {
        SenderPattern::Of(Pattern::Any)
    }
}

impl SenderPattern {
    fn fits(&self, sender: &ReversePath) -> bool {
        match (self, sender) {
            (SenderPattern::Null, ReversePath::Null) | (SenderPattern::Of(Pattern::Any), _) => true,
            (SenderPattern::Null, _) | (SenderPattern::Of(_), ReversePath::Null) => false,
            (SenderPattern::Of(pattern), ReversePath::Mailbox(address)) => pattern.fits(&address.domain),
        }
    }
}

impl FromStr for SenderPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<SenderPattern, String> {
        if text.is_empty() { Ok(SenderPattern::Null) } else { text.parse().map(SenderPattern::Of) }
    }
}

impl fmt::Display for SenderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SenderPattern::Null => Ok(()),
            SenderPattern::Of(pattern) => pattern.fmt(f),
        }
    }
}

/// Which accounts: the user who logged in to send.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum AccountPattern {
    /// `*`: also without a log-in.
    #[default]
    Any,
    /// One, by its address.
    One(EmailAddress),
}

impl FromStr for AccountPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<AccountPattern, String> {
        if text == "*" {
            return Ok(AccountPattern::Any);
        }
        EmailAddress::parse(text)
            .map(AccountPattern::One)
            .map_err(|error| format!("{text:?} is no account: {error}; write its address, or \"*\" for all"))
    }
}

impl fmt::Display for AccountPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountPattern::Any => f.write_str("*"),
            AccountPattern::One(address) => address.fmt(f),
        }
    }
}

/// How a message goes on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Way {
    /// To whom.
    pub next_hop: NextHop,
    /// What is spoken there.
    pub protocol: Protocol,
    /// Which TLS.
    pub tls: TlsWish,
    /// Whether TLS stands from the first byte (RFC 8314 §3.3) rather than by STARTTLS.
    pub implicit_tls: bool,
    /// How to log in there.
    pub login: Option<Login>,
    /// Through which proxy.
    pub proxy: Option<Proxy>,
    /// Addresses of this machine to send from, one of the right family in turn. Empty: the system chooses.
    pub sources: Vec<IpAddr>,
}

impl Default for Way {
    /// By MX, with TLS where it is offered.
    fn default() -> Way {
        Way {
            next_hop: NextHop::Mx,
            protocol: Protocol::Smtp,
            tls: TlsWish::Opportunistic,
            implicit_tls: false,
            login: None,
            proxy: None,
            sources: Vec::new(),
        }
    }
}

/// One `[[route]]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Route {
    /// Fits recipients of these domains.
    pub recipient_domain: Pattern,
    /// … and these senders
    pub sender: SenderPattern,
    /// … and these users.
    pub account: AccountPattern,
    /// Then it goes this way.
    pub way: Arc<Way>,
}

/// A message, as far as routes look at it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Where the recipient is.
    pub recipient_domain: &'a Domain,
    /// Who sends.
    pub sender: &'a ReversePath,
    /// Who logged in to send it.
    pub account: Option<&'a EmailAddress>,
}

/// All routes in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    routes: Vec<Route>,
    /// What tells apart the destinations of different ways to the same next hop; one for each route.
    marks: Vec<String>,
    otherwise: Arc<Way>,
}

impl Table {
    /// These routes; what none of them fits goes by `otherwise`.
    pub fn new(routes: Vec<Route>, otherwise: Way) -> Table {
        let mut ways = vec![&otherwise];
        let mut marks = Vec::with_capacity(routes.len());
        for route in &routes {
            let way = &*route.way;
            let same_hop = |other: &&&Way| other.next_hop == way.next_hop;
            match ways.iter().filter(same_hop).position(|other| *other == way) {
                Some(0) => marks.push(String::new()),
                Some(at) => marks.push(format!("#{}", at + 1)),
                None => {
                    let before = ways.iter().filter(same_hop).count();
                    marks.push(if before == 0 { String::new() } else { format!("#{}", before + 1) });
                    ways.push(way);
                }
            }
        }
        Table { marks, otherwise: Arc::new(otherwise), routes }
    }

    /// The way of a message to one domain.
    pub fn find(&self, message: &Message<'_>) -> &Arc<Way> {
        self.position(message).map_or(&self.otherwise, |at| &self.routes[at].way)
    }

    /// A name for where it goes: messages of one name can share connections, and limits hold for all of them together.
    /// The domain, where its own hosts are asked; else the next hop.
    pub fn destination(&self, message: &Message<'_>) -> String {
        let at = self.position(message);
        let way = at.map_or(&self.otherwise, |at| &self.routes[at].way);
        let mark = at.map_or("", |at| &self.marks[at]);
        match &way.next_hop {
            NextHop::Mx => format!("{}{mark}", message.recipient_domain),
            hop => format!("{hop}{mark}"),
        }
    }

    fn position(&self, message: &Message<'_>) -> Option<usize> {
        let fits = |route: &&Route| {
            route.recipient_domain.fits(message.recipient_domain)
                && route.sender.fits(message.sender)
                && match &route.account {
                    AccountPattern::Any => true,
                    AccountPattern::One(wanted) => message.account == Some(wanted),
                }
        };
        self.routes.iter().position(|route| fits(&route))
    }

    /// Whether everything goes by MX records, the same way.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.otherwise.next_hop == NextHop::Mx
    }

    /// Whether any route looks at the account: else nobody needs to look it up.
    pub fn asks_for_account(&self) -> bool {
        self.routes.iter().any(|route| route.account != AccountPattern::Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(recipient: &str, sender: &str, account: &str, hop: &str) -> Route {
        Route {
            recipient_domain: recipient.parse().unwrap(),
            sender: sender.parse().unwrap(),
            account: account.parse().unwrap(),
            way: Arc::new(Way { next_hop: hop.parse().unwrap(), ..Way::default() }),
        }
    }

    fn way(table: &Table, recipient: &str, sender: &str, account: &str) -> String {
        let sender = match sender {
            "" => ReversePath::Null,
            text => ReversePath::Mailbox(EmailAddress::parse(text).unwrap()),
        };
        let domain = Domain::new(recipient).unwrap();
        let account = EmailAddress::parse(account).ok();
        let message = Message { recipient_domain: &domain, sender: &sender, account: account.as_ref() };
        table.find(&message).next_hop.to_string()
    }

    #[test]
    fn the_first_route_that_fits_wins() {
        let table = Table::new(
            vec![
                route("y.test", "*", "anna@x.test", "a:1"),
                route("y.test", "", "*", "b:1"),
                route("*.y.test", "x.test", "*", "c:1"),
                route("*", "x.test", "*", "d:1"),
                route("y.test", "*", "*", "e:1"),
                route("пример.рф", "*", "*", "f:1"),
            ],
            Way::default(),
        );
        let cases = [
            ("y.test", "q@z.test", "anna@x.test", "a:1"),
            ("y.test", "", "", "b:1"),
            ("deep.y.test", "q@x.test", "", "c:1"),
            ("y.test", "q@x.test", "", "d:1"),
            ("y.test", "q@z.test", "bert@x.test", "e:1"),
            ("xn--e1afmkfd.xn--p1ai", "", "", "f:1"),
            ("other.test", "q@z.test", "", "mx"),
            ("noty.test", "", "", "mx"),
        ];
        for (recipient, sender, account, hop) in cases {
            assert_eq!(way(&table, recipient, sender, account), hop, "{recipient} {sender} {account}");
        }
        assert!(table.asks_for_account());
    }

    #[test]
    fn a_star_takes_everything() {
        let table = Table::new(vec![route("*", "*", "*", "127.0.0.1:10025")], Way::default());
        for sender in ["", "a@x.test"] {
            assert_eq!(way(&table, "y.test", sender, ""), "127.0.0.1:10025");
        }
        assert!(!table.asks_for_account());
    }

    #[test]
    fn destinations_tell_ways_apart() {
        let with_login = |mut route: Route, name: &str| {
            let login = Login { username: name.into(), secret: "x".into(), mechanism: None };
            route.way = Arc::new(Way { login: Some(login), ..(*route.way).clone() });
            route
        };
        let table = Table::new(
            vec![
                with_login(route("a.test", "*", "*", "h.test:25"), "me"),
                route("b.test", "*", "*", "h.test:25"),
                with_login(route("c.test", "*", "*", "h.test:25"), "me"),
                with_login(route("d.test", "*", "*", "mx"), "me"),
                route("e.test", "*", "*", "mx"),
            ],
            Way::default(),
        );
        let name = |domain: &str| {
            let domain = Domain::new(domain).unwrap();
            table.destination(&Message {
                recipient_domain: &domain,
                sender: &ReversePath::Null,
                account: None,
            })
        };
        let names = ["a.test", "b.test", "c.test", "d.test", "e.test", "f.test"].map(name);
        assert_eq!(names, ["h.test:25", "h.test:25#2", "h.test:25", "d.test#2", "e.test", "f.test"]);
    }

    #[test]
    fn patterns_are_read_and_shown() {
        for text in ["*", "x.test", "*.x.test"] {
            assert_eq!(text.parse::<Pattern>().unwrap().to_string(), text);
        }
        for text in ["", "*x.test", "x..test", "*.*"] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
        assert!("anna".parse::<AccountPattern>().is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let proxy: Proxy = "socks5://me:hu:sh@proxy.test".parse().unwrap();
        assert_eq!((proxy.to_string().as_str(), proxy.port), ("socks5://proxy.test:1080", 1080));
        assert_eq!(proxy.login, Some(("me".into(), "hu:sh".into())));
        assert!(!format!("{proxy:?}").contains("hu:sh"));
        for bad in ["http://x:1", "socks5://me@x:1", "socks5://:x@y:1", "socks5://mx", ""] {
            assert!(bad.parse::<Proxy>().is_err(), "{bad}");
        }
        let login = Login { username: "anna".into(), secret: "hush".into(), mechanism: None };
        assert!(!format!("{login:?}").contains("hush"));
    }
}

//! Every key of the configuration.

use super::Section;
use super::section::{comment, section};
use super::values::{Bind, ByteSize, HostName, NameServer, Networks, Parsed, SocketMode, Span};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[[listener]]`, one each.
    pub listener: Vec<Listener>,
    /// `[[certificate]]`, one each.
    pub certificate: Vec<Certificate>,
    /// `[network]`
    pub network: Network,
    /// `[[route]]`, one each; the first that fits wins.
    pub route: Vec<Route>,
    /// `[delivery]`
    pub delivery: Delivery,
    /// `[[limit]]`, one each.
    pub limit: Vec<Limit>,
    /// `[[on_demand]]`, one each.
    pub on_demand: Vec<OnDemand>,
    /// `[sending]`
    pub sending: Sending,
    /// `[webhook]`
    pub webhook: Webhook,
    /// `[addresses]`
    pub addresses: Addresses,
    /// `[[rewrite]]`, one each, in order.
    pub rewrite: Vec<Rewrite>,
    /// `[dns]`
    pub dns: Dns,
    /// `[http]`
    pub http: Http,
    /// `[mta_sts]`
    pub mta_sts: MtaSts,
    /// `[tls_reports]`
    pub tls_reports: TlsReports,
    /// `[arc]`
    pub arc: Arc,
    /// `[lists]`
    pub lists: Lists,
    /// `[collect]`
    pub collect: Collect,
    /// `[auth]`
    pub auth: Auth,
    /// `[oauth]`
    pub oauth: OAuth,
    /// `[limits]`
    pub limits: Limits,
    /// `[pop3]`
    pub pop3: Pop3,
    /// `[imap]`
    pub imap: Imap,
    /// `[storage]`
    pub storage: Storage,
    /// `[log]`
    pub log: Log,
}

section! {
    /// Who this server is.
    Server {
        /// The name this server gives itself in greetings, trace headers and message ids. Its reverse DNS should agree.
        hostname: HostName = "\"localhost\"" => "localhost".parse().unwrap_or_else(|_| unreachable!()),
        /// Where everything is kept; relative to this file.
        data_dir: PathBuf = "\"data\"" => "data".into(),
        /// Whom to become after the ports are bound, when started as root. Empty: nobody else.
        user: String = "\"\"" => String::new(),
        /// How long running sessions may take to finish when the server is stopped.
        shutdown_grace: Span = "\"20s\"" => Span::seconds(20),
    }
}

section! {
    /// From where mail may be sent on.
    Network {
        /// Networks that may send to other hosts without a log-in.
        own: Networks = "[]" => Networks::default(),
    }
}

section! {
    /// Mail to other hosts. Where to stands in [[route]], and else in DNS.
    Delivery {
        /// The name said in EHLO. Empty: the server's hostname.
        hello: String = "\"\"" => String::new(),
        /// Port of the hosts that MX records name. Anything but 25 is for test networks.
        port: u16 = "25" => 25,
        /// Address families that are used: "both", "ipv4" or "ipv6".
        addresses: AddressFamily = "\"both\"" => AddressFamily::Both,
        /// Addresses of this machine to send from, in turn; of both families, if both are used. Empty: the system chooses.
        sources: Vec<IpAddr> = "[]" => Vec::new(),
        /// TLS with hosts that no [[route]] names: "none", "opportunistic", "require", "dane-only" or "verify".
        tls: RouteTls = "\"opportunistic\"" => RouteTls::Opportunistic,
        /// PEM file: authorities that sign other servers' certificates. Empty: the system's.
        authorities: PathBuf = "\"\"" => PathBuf::new(),
        /// Port of the hosts that have MTA-STS policies. Anything but 443 is for test networks.
        policy_port: u16 = "443" => 443,
        /// For how long mail waits when a domain that always had TLS has none any more, before it goes in clear. "0s": it goes
        /// at once.
        downgrade_guard: Span = "\"1d\"" => Span::seconds(86400),
        /// How long one address may take to answer a connection.
        connect_timeout: Span = "\"30s\"" => Span::seconds(30),
        /// How long the hosts of a domain (at most 20, with 12 addresses) are tried one after the other in one attempt; two are tried in any case.
        hosts_timeout: Span = "\"30m\"" => Span::seconds(1800),
        /// How long a host may take to reply; twice that at the end of a message. RFC 5321 section 4.5.3.2 wants 5 minutes.
        reply_timeout: Span = "\"5m\"" => Span::seconds(300),
        /// How long one message may take in all, however the host drips; a second more for each 8 KiB of it.
        message_timeout: Span = "\"30m\"" => Span::seconds(1800),
        /// Pause after the first attempt at a message that has to be repeated; each further one is twice as long ...
        retry_first: Span = "\"5m\"" => Span::seconds(300),
        /// ... up to this.
        retry_longest: Span = "\"2h\"" => Span::seconds(7200),
        /// Age at which the sender of a message that still waits is told. "0s": never.
        warn_after: Span = "\"4h\"" => Span::seconds(14400),
        /// Most connections to other hosts at once.
        connections: u32 = "500" => 500,
        /// Most of them to one destination; there are fewer until it has proved to bear them.
        connections_per_destination: u32 = "20" => 20,
        /// Language of reports to senders: "en", "ru", or "auto", which is what a sender's message seems to be written in.
        report_language: ReportLanguage = "\"auto\"" => ReportLanguage::Auto,
        /// How much of a message a report returns when its sender asked for all of it (RET=FULL); else only the header.
        report_size: ByteSize = "\"256K\"" => ByteSize(256 << 10),
        /// So many times in a row the server of an address has to say that it does not exist before nothing is sent to it
        /// any more (`troika suppression list`). 0: never.
        suppress_after: u32 = "3" => 3,
        /// For how long.
        suppress_for: Span = "\"30d\"" => Span::seconds(30 * 86_400),
        /// What became of a message is known for so long after its last recipient's end (`troika queue history`). "0s": not at
        /// all.
        history_for: Span = "\"7d\"" => Span::seconds(7 * 86_400),
        /// And of so many messages at most, the newest; some 500 bytes each. Also where accepted messages went is known of so
        /// many, some 200 bytes each.
        history_messages: u64 = "200000" => 200_000,
        /// How long a connection is kept open for the next message.
        idle: Span = "\"5s\"" => Span::seconds(5),
        /// Messages after which a connection is closed all the same.
        messages_per_connection: u32 = "500" => 500,
    }
}

section! {
    /// How much users may send to other hosts. `troika sender limit` gives single accounts limits of their own.
    Sending {
        /// Most recipients in an hour. 0: no limit.
        recipients_per_hour: u32 = "0" => 0,
        /// Most recipients in a day. 0: no limit.
        recipients_per_day: u32 = "0" => 0,
        /// What comes of it when an account suddenly sends like a spammer: "tell" the postmaster (and the log, the metrics,
        /// the webhook), "block" the account besides, until `troika sender release`, or "off".
        alarm: SendingAlarm = "\"tell\"" => SendingAlarm::Tell,
        /// Fewer recipients in an hour never are an alarm.
        alarm_from: u32 = "200" => 200,
        /// So many times the largest hour of the last two weeks are one.
        alarm_factor: u32 = "5" => 5,
        /// Most messages of one user that wait for a time that he set (FUTURERELEASE). 0: no limit.
        held_messages: u64 = "500" => 500,
        /// Most octets of them. "0": no limit.
        held_size: ByteSize = "\"500M\"" => ByteSize(500 << 20),
    }
}

section! {
    /// Where programs are told what happens to mail on its way out: signed JSON by HTTP (docs/operations.md).
    Webhook {
        /// Where to: "https://…" or, within a machine or a private network, "http://…". Empty: nowhere.
        url: String = "\"\"" => String::new(),
        /// File with the secret that signs what is sent, shared with the receiver.
        secret_file: PathBuf = "\"\"" => PathBuf::new(),
        /// What is told: "queued", "delivered", "deferred", "failed", "expired", "alarm".
        events: Vec<String> = "[\"delivered\", \"deferred\", \"failed\", \"expired\", \"alarm\"]" =>
            ["delivered", "deferred", "failed", "expired", "alarm"].map(String::from).to_vec(),
        /// PEM file: authorities that sign the receiver's certificate. Empty: the system's.
        authorities: PathBuf = "\"\"" => PathBuf::new(),
        /// How long the receiver may take to answer.
        timeout: Span = "\"10s\"" => Span::seconds(10),
    }
}

section! {
    /// Addresses that change on their way.
    Addresses {
        /// The domain of the reverse-paths (SRS) of mail that aliases and redirects send on for senders elsewhere; its MX is
        /// this server, and its SPF record names it. Empty: the domain that the mail came for.
        srs_domain: String = "\"\"" => String::new(),
        /// Whether reverse-paths of our users are signed for a week in what leaves (BATV): "off", "sign", or "enforce", which
        /// refuses bounces to addresses that are not signed (also read receipts from elsewhere; the postmaster gets all).
        batv: Batv = "\"off\"" => Batv::Off,
    }
}

section! {
    /// Where the DNS is asked.
    Dns {
        /// Name servers: addresses, with a port if it is not 53 ("127.0.0.1:5353"; `[2001:db8::1]:5353`). Empty: the system's.
        servers: Vec<NameServer> = "[]" => Vec::new(),
        /// Answers come from this file (as name servers have them: RFC 1035 section 5) and from nowhere else: for tests and
        /// for networks without DNS. Empty: name servers are asked. Read again on SIGHUP.
        zone_file: PathBuf = "\"\"" => PathBuf::new(),
        /// Whether signatures are checked: "auto" if the name servers hand them on, "on", "off". Without them there is no
        /// DANE. "on" with name servers that drop them makes every signed domain unreachable.
        dnssec: DnssecMode = "\"auto\"" => DnssecMode::Auto,
        /// File with DNSKEY records that are trusted instead of the root's; then signatures are always checked. Empty: the
        /// root's keys, which are built in.
        trust_anchor: PathBuf = "\"\"" => PathBuf::new(),
        /// How long one name server may take for one question.
        timeout: Span = "\"5s\"" => Span::seconds(5),
        /// Most answers kept in memory, each for its TTL.
        cache: u32 = "10000" => 10_000,
    }
}

section! {
    /// What this server says of mail that an alias or a redirect sends on (ARC, RFC 8617).
    Arc {
        /// Whether it verifies such mail's signatures and seals what it found, with a DKIM key (RSA) of the domain that the
        /// mail came for, or else of this server's own domain.
        seal: bool = "false" => false,
    }
}

section! {
    /// Mailing lists (`troika list`).
    Lists {
        /// Where people reach this server's http listener, through a proxy that does TLS: `https://lists.example.org`. Then
        /// messages of lists can be unsubscribed from with one click (RFC 8058). Empty: by mail only.
        url: String = "\"\"" => String::new(),
    }
}

section! {
    /// The pages for the operator on http listeners: /metrics, /health in words, and the TLS reports that came in.
    Http {
        /// With it they are shown to who sends `Authorization: Bearer TOKEN`, on every http listener, and to nobody else. At
        /// least 16 letters. Empty: to programs on this machine that come to a listener on loopback without TLS, but not
        /// through a proxy.
        operator_token: String = "\"\"" => String::new(),
    }
}

section! {
    /// Mail that is collected from mailboxes elsewhere (`troika collect`).
    Collect {
        /// Whether sources are looked at. They are kept all the same.
        enabled: bool = "true" => true,
        /// Pause between two looks at a source that says nothing else.
        interval: Span = "\"15m\"" => Span::seconds(900),
        /// The shortest such pause that a source may have.
        interval_min: Span = "\"1m\"" => Span::seconds(60),
        /// Most sources looked at at once; each holds one message in memory.
        concurrency: u32 = "8" => 8,
        /// Most of them at one host.
        concurrency_per_host: u32 = "2" => 2,
        /// Networks that sources may lie in, at any port, besides the public Internet, where it is the usual ports of POP3 and
        /// IMAP only. Whoever adds sources must not be able to look into the network behind this server: name no more
        /// than the mail servers there, as "10.0.0.25/32".
        networks: Networks = "[]" => Networks::default(),
        /// PEM file: authorities that sign the servers' certificates. Empty: those of `authorities` in `[delivery]`, else the system's.
        authorities: PathBuf = "\"\"" => PathBuf::new(),
        /// How long one address may take to answer a connection, and to make the TLS handshake.
        connect_timeout: Span = "\"30s\"" => Span::seconds(30),
        /// How long a server may be silent.
        reply_timeout: Span = "\"2m\"" => Span::seconds(120),
        /// How long one look may take; then it ends behind a message and goes on soon, so that others have their turn.
        run_max: Span = "\"30m\"" => Span::seconds(1800),
    }
}

section! {
    /// The policy that tells other servers to send mail for our domains with TLS only (RFC 8461). It is at
    /// `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`: on an http listener with tls = "implicit", or behind a web server.
    MtaSts {
        /// "testing", "enforce", "none" (withdrawn) or "off". The records in the DNS make it known: `troika dns DOMAIN`.
        mode: StsMode = "\"testing\"" => StsMode::Testing,
        /// The hosts that take mail, as MX records name them; "*.example.org" is any one below. Empty: this server.
        mx: Vec<String> = "[]" => Vec::new(),
        /// How long other servers keep it.
        max_age: Span = "\"7d\"" => Span::seconds(7 * 86400),
    }
}

section! {
    /// Daily reports to domains that ask for them (RFC 8460): how often mail went to their hosts with TLS, and what failed.
    TlsReports {
        /// Their sender, an address of ours whose domain has DKIM keys. Empty: none are sent.
        from: String = "\"\"" => String::new(),
        /// Who reports. Empty: the server's name.
        organization: String = "\"\"" => String::new(),
        /// Where other servers send theirs about our domains by mail, as `troika dns` has it. Empty: postmaster@ of each domain.
        address: String = "\"\"" => String::new(),
    }
}

section! {
    /// Log-ins.
    Auth {
        /// The domain of log-in names without one. Empty: the first domain that was added.
        default_domain: String = "\"\"" => String::new(),
        /// Who reads postmaster@ of every domain that has no such address. Empty: the first account of the domain.
        postmaster: String = "\"\"" => String::new(),
        /// Whether a logged-in user may send under his own addresses only.
        sender_must_match: bool = "true" => true,
        /// Whether logged-in users may ask VRFY and EXPN. Strangers never may.
        verify_for_users: bool = "false" => false,
        /// Offer CRAM-MD5, which works with application passwords only: "on", "off", or "auto": once there is one. Some
        /// clients (curl) choose it whenever it is offered, and then a person's own password fails.
        cram_md5: DigestLogin = "\"auto\"" => DigestLogin::Auto,
        /// Offer POP3's APOP, likewise.
        apop: DigestLogin = "\"auto\"" => DigestLogin::Auto,
        /// The account that anybody may read by IMAP without a password (ANONYMOUS), and nothing but read. Empty: none.
        anonymous: String = "\"\"" => String::new(),
    }
}

section! {
    /// Log-ins with tokens that somebody else issues (OAUTHBEARER, XOAUTH2): JSON Web Tokens, checked with the issuer's
    /// public keys, for which nobody is asked over the network; and any others, about which the issuer is asked (RFC 7662).
    OAuth {
        /// File with the issuer's public keys (a JWK set, as the issuer's jwks_uri has it). Empty: no tokens are taken. Read
        /// again on SIGHUP.
        keys: PathBuf = "\"\"" => PathBuf::new(),
        /// The issuer, which has to stand in each token (iss). Empty: any.
        issuer: String = "\"\"" => String::new(),
        /// For whom the tokens have to be (aud): the name under which this server is known to the issuer. Empty: any, and
        /// then a token made for another service opens mailboxes here.
        audience: String = "\"\"" => String::new(),
        /// The claim that has the address of the account.
        claim: String = "\"email\"" => "email".into(),
        /// Where the issuer says what a token is ("https://…"; "http://…" on loopback only): asked about tokens that no key
        /// in "keys" has signed. Empty: nobody is asked.
        introspection: String = "\"\"" => String::new(),
        /// The name under which this server asks there.
        client_id: String = "\"\"" => String::new(),
        /// File with the secret that belongs to it. Read again on SIGHUP.
        client_secret_file: PathBuf = "\"\"" => PathBuf::new(),
        /// PEM file: authorities that sign the certificate of that place. Empty: the system's.
        authorities: PathBuf = "\"\"" => PathBuf::new(),
        /// How long the issuer may take to answer; the client is then told to come again.
        timeout: Span = "\"5s\"" => Span::seconds(5),
        /// How long a good answer is remembered: a token that is taken back opens mailboxes for so long yet;
        /// at most a day.
        remember: Span = "\"1m\"" => Span::seconds(60),
    }
}

section! {
    /// Bounds on what one peer can take.
    Limits {
        /// Largest message.
        message_bytes: ByteSize = "\"50M\"" => ByteSize(50 << 20),
        /// Memory for messages that are coming in, all sessions together. Beyond it senders are told to come again.
        message_memory: ByteSize = "\"1G\"" => ByteSize(1 << 30),
        /// Most recipients of one message.
        recipients: u32 = "1000" => 1000,
        /// Most messages in one SMTP session.
        messages_per_session: u32 = "1000" => 1000,
        /// Errors after which a session is ended.
        errors_per_session: u32 = "20" => 20,
        /// Most connections at once, all listeners together.
        connections: u32 = "20000" => 20000,
        /// Most connections at once from one address (one /64 of IPv6). Own networks and loopback are not counted.
        connections_per_address: u32 = "100" => 100,
    }
}

section! {
    /// POP3.
    Pop3 {
        /// Least time between two log-ins of one account (LOGIN-DELAY, RFC 2449). "0s": none.
        login_delay: Span = "\"0s\"" => Span::seconds(0),
    }
}

section! {
    /// IMAP.
    Imap {
        /// Most messages of one COPY or APPEND (SAVELIMIT, RFC 9738). 0: no limit.
        save_limit: u32 = "100000" => 100_000,
        /// Most messages of one FETCH, STORE, SEARCH, MOVE, UID EXPUNGE, COPY or APPEND (MESSAGELIMIT, RFC 9738); takes the
        /// place of save_limit. Clients that do not know it see no more than that many of the newest messages of a
        /// mailbox. 0: no limit.
        message_limit: u32 = "0" => 0,
        /// How clients reach the administrator: a URI such as "mailto:postmaster@example.org" (`/shared/admin` of RFC
        /// 5464). Empty: it is not told.
        admin: String = "\"\"" => String::new(),
        /// Accounts that may set the metadata of the server that all its users see (RFC 5464 section 3.3), such as a
        /// comment or shared filters (RFC 5466).
        administrators: Vec<String> = "[]" => Vec::new(),
        /// Full addresses of accounts that submission servers of other hosts log in with: they may read messages whose URLs
        /// say "submit+" (URLAUTH, RFC 4467). This server's own submission needs none.
        submitters: Vec<String> = "[]" => Vec::new(),
    }
}

section! {
    /// The store.
    Storage {
        /// Memory for the index's cache.
        index_cache: ByteSize = "\"64M\"" => ByteSize(64 << 20),
        /// Size of one log file.
        segment_bytes: ByteSize = "\"128M\"" => ByteSize(128 << 20),
        /// Free space that is never used up: below it mail is refused with a 4xx.
        reserve: ByteSize = "\"64M\"" => ByteSize(64 << 20),
        /// Quota of a new account that is given none. "0": no limit.
        default_quota: ByteSize = "\"0\"" => ByteSize(0),
    }
}

section! {
    /// The log, on standard error. Passwords and message contents are never in it.
    Log {
        /// "human" or "json".
        format: LogFormat = "\"human\"" => LogFormat::Human,
        /// "error", "warn", "info", "debug" or "trace".
        level: LogLevel = "\"info\"" => LogLevel::Info,
    }
}

/// Whether reverse-paths are signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Batv {
    /// They are not.
    Off,
    /// They are.
    Sign,
    /// They are, and bounces to unsigned ones are refused.
    Enforce,
}

/// `[[limit]]`: how much at a time goes to what one of the first three names.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Each of these destinations.
    pub destination: Option<String>,
    /// All destinations together with hosts of these names.
    pub mx: Option<Parsed<route::Pattern>>,
    /// All that is sent from this address.
    pub source: Option<IpAddr>,
    /// At a time; none: as `[delivery]` says for a destination, no limit for the others.
    pub connections: Option<u32>,
    /// In the time of `per`; none: no limit.
    pub messages: Option<u32>,
    /// A minute if left out.
    pub per: Option<Span>,
}

/// `[[on_demand]]`: whose mail waits until he fetches it (ATRN, RFC 2645).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OnDemand {
    /// The account that he logs in with.
    pub account: String,
    /// His domains; each is also to be added with `troika domain add --relay`.
    pub domains: Vec<String>,
    /// The shortest time between two requests for one of them; 10 seconds if left out.
    pub interval_min: Option<Span>,
}

/// `[[rewrite]]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// Which addresses.
    pub of: RewriteOf,
    /// What they look like; one `*` before the @ stands for anything.
    pub from: String,
    /// What they become; `*` is what it stood for.
    pub to: String,
}

/// Which addresses a rule is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RewriteOf {
    /// Of RCPT.
    Recipient,
    /// Of MAIL, from our users and own networks.
    Sender,
}

/// In which language reports are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportLanguage {
    /// The sender's.
    Auto,
    /// English
    En,
    /// Russian
    Ru,
}

/// What comes of an account that sends like a spammer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SendingAlarm {
    /// Nothing.
    Off,
    /// The operator is told.
    Tell,
    /// And it is stopped.
    Block,
}

/// When a log-in is offered that needs a secret this server can read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DigestLogin {
    /// Once there is an application password.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// What the MTA-STS policy of our domains says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StsMode {
    /// There is none.
    Off,
    /// Senders report failures and deliver all the same.
    Testing,
    /// Senders deliver to no host that fails.
    Enforce,
    /// The policy is withdrawn (RFC 8461 section 8.3).
    None,
}

/// Whether signatures in the DNS are checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DnssecMode {
    /// If the name servers hand them on.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// Form of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For eyes.
    Human,
    /// One JSON object a line.
    Json,
}

/// How much is logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// `[[listener]]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// What it speaks.
    pub protocol: ListenerProtocol,
    /// Where.
    pub bind: Bind,
    /// How TLS comes in.
    #[serde(default)]
    pub tls: ListenerTls,
    /// Whether passwords may come before TLS.
    #[serde(default)]
    pub plaintext_auth: bool,
    /// PEM file: authorities whose client certificates stand for a log-in (EXTERNAL). None: no certificate is asked for.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// Permissions of a unix socket, in octal. None: its owner only.
    #[serde(default)]
    pub mode: Option<SocketMode>,
    /// Group of a unix socket. None: the one this process has.
    #[serde(default)]
    pub group: Option<String>,
}

/// What a listener speaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ListenerProtocol {
    Smtp,
    Submission,
    Lmtp,
    Pop3,
    Imap,
    Http,
}

/// How TLS comes in on a listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ListenerTls {
    #[default]
    None,
    Starttls,
    Implicit,
}

/// Address families.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AddressFamily {
    Both,
    Ipv4,
    Ipv6,
}

/// TLS of a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteTls {
    None,
    #[default]
    Opportunistic,
    Require,
    DaneOnly,
    Verify,
}

/// What a next hop speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteProtocol {
    #[default]
    Smtp,
    Lmtp,
}

/// `[[route]]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    /// Recipients' domains.
    pub recipient_domain: Parsed<route::Pattern>,
    /// Senders' domains; empty: bounces.
    pub sender_domain: Parsed<route::SenderPattern>,
    /// The user who sends.
    pub account: Parsed<route::AccountPattern>,
    /// Where to.
    pub next_hop: Parsed<route::NextHop>,
    /// What is spoken there.
    pub protocol: RouteProtocol,
    /// Which TLS.
    pub tls: RouteTls,
    /// TLS from the first byte.
    pub implicit_tls: bool,
    /// Log-in there; empty: none.
    pub username: String,
    /// Its password, or …
    #[serde(skip_serializing)]
    pub password: String,
    /// … the file that has it.
    pub password_file: PathBuf,
    /// SASL mechanism; empty: the best that is offered.
    pub mechanism: String,
    /// SOCKS5 proxy.
    pub proxy: Option<Parsed<route::Proxy>>,
    /// Addresses to send from.
    pub sources: Vec<IpAddr>,
}

impl Default for Route {
    fn default() -> Route {
        Route {
            recipient_domain: Parsed::default(),
            sender_domain: Parsed::default(),
            account: Parsed::default(),
            next_hop: Parsed(route::NextHop::Mx),
            protocol: RouteProtocol::default(),
            tls: RouteTls::default(),
            implicit_tls: false,
            username: String::new(),
            password: String::new(),
            password_file: PathBuf::new(),
            mechanism: String::new(),
            proxy: None,
            sources: Vec::new(),
        }
    }
}

/// `[[certificate]]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// PEM file: the certificate, then its chain.
    pub certificate: PathBuf,
    /// PEM file: the private key.
    pub key: PathBuf,
}

impl Config {
    /// The documented example: every key with its default, and listeners on the usual ports.
    pub fn example() -> String {
        let mut out = String::from(
            "# Troika's configuration. Every key is here with its default, commented out; uncomment what you change.\n\
             # `troika config check` tells what is wrong with it, `kill -HUP` makes the running server read it again.\n",
        );
        let mut part = |name: &str, document: fn(&mut String)| {
            out.push_str(&format!("\n[{name}]\n"));
            document(&mut out);
        };
        part("server", Server::document);
        part("network", Network::document);
        part("delivery", Delivery::document);
        part("sending", Sending::document);
        part("webhook", Webhook::document);
        part("addresses", Addresses::document);
        part("dns", Dns::document);
        part("http", Http::document);
        part("mta_sts", MtaSts::document);
        part("tls_reports", TlsReports::document);
        part("arc", Arc::document);
        part("lists", Lists::document);
        part("collect", Collect::document);
        part("auth", Auth::document);
        part("oauth", OAuth::document);
        part("limits", Limits::document);
        part("pop3", Pop3::document);
        part("imap", Imap::document);
        part("storage", Storage::document);
        part("log", Log::document);
        out.push('\n');
        document_routes(&mut out);
        comment(
            &mut out,
            "TLS certificates, chosen by the name the client asks for; the first is the default. Without any,",
        );
        comment(
            &mut out,
            "a CA and a certificate of Troika's own are made in the data folder (tls/ca.pem is for your clients).",
        );
        out.push_str("#[[certificate]]\n#certificate = \"/etc/troika/mail.example.org.pem\"\n#key = \"/etc/troika/mail.example.org.key\"\n\n");
        comment(
            &mut out,
            "Addresses that become others, the first rule that fits: of = \"recipient\" (RCPT) or \"sender\" (MAIL of our users",
        );
        comment(
            &mut out,
            "and own networks); one * before the @ stands for anything, and for the same in \"to\".",
        );
        out.push_str(
            "#[[rewrite]]\n#of = \"recipient\"\n#from = \"*@old.example.org\"\n#to = \"*@example.org\"\n\n",
        );
        comment(
            &mut out,
            "Listeners. protocol: smtp submission lmtp pop3 imap http; bind: address:port, or unix:/path for lmtp;",
        );
        comment(
            &mut out,
            "tls: none starttls implicit; plaintext_auth = true lets passwords come before TLS (loopback only);",
        );
        comment(
            &mut out,
            "client_ca = \"file.pem\" asks for a client certificate of these authorities, whose address logs in (EXTERNAL);",
        );
        comment(
            &mut out,
            "mode = \"0660\" and group = \"postfix\" say who may use a unix socket (else its owner only).",
        );
        for (protocol, bind, tls) in [
            ("smtp", "0.0.0.0:25", "starttls"),
            ("submission", "0.0.0.0:587", "starttls"),
            ("submission", "0.0.0.0:465", "implicit"),
            ("pop3", "0.0.0.0:110", "starttls"),
            ("pop3", "0.0.0.0:995", "implicit"),
            ("imap", "0.0.0.0:143", "starttls"),
            ("imap", "0.0.0.0:993", "implicit"),
            ("http", "127.0.0.1:8080", "none"),
        ] {
            out.push_str(&format!(
                "\n[[listener]]\nprotocol = \"{protocol}\"\nbind = \"{bind}\"\ntls = \"{tls}\"\n"
            ));
        }
        out
    }
}

/// Appends what a `[[route]]` may say.
fn document_routes(out: &mut String) {
    for line in [
        "Routes of mail to other hosts: the first one that fits wins; what none fits goes to the hosts that DNS names (MX).",
        "A route fits by recipient_domain, sender_domain (both: a domain, \"*.example.org\" for all below it, or \"*\"; an empty",
        "sender_domain fits bounces) and account (the address of the user who logged in); what is left out fits everything.",
        "next_hop: \"mx\", \"host:port\", \"[address]:port\", or \"unix:/path\" for lmtp; protocol: smtp lmtp;",
        "tls: none opportunistic require dane-only verify; implicit_tls = true for TLS from the first byte (port 465);",
        "username with password or password_file (a file with it alone), and mechanism = \"SCRAM-SHA-256\" to insist on one;",
        "proxy = \"socks5://user:password@host:1080\"; sources = [\"192.0.2.7\"] are addresses to send from.",
    ] {
        comment(out, line);
    }
    out.push_str(
        "#[[route]]\n#recipient_domain = \"*\"\n#next_hop = \"relay.example.org:587\"\n#protocol = \"smtp\"\n#tls = \"verify\"\n\
         #username = \"me\"\n#password_file = \"/etc/troika/relay.password\"\n\n",
    );
    for line in [
        "How much mail goes to whom at a time. A limit is for each destination (destination: a recipient's domain,",
        "\"*.example.org\", \"*\", or a route's next hop; the first that fits), for all destinations together whose MX hosts are",
        "named so (mx), or for what is sent from an address of this machine (source); connections = at a time,",
        "messages = 100 with per = \"1m\" (the default).",
    ] {
        comment(out, line);
    }
    out.push_str(
        "#[[limit]]\n#mx = \"*.mail.example.com\"\n#connections = 5\n#messages = 600\n#per = \"1m\"\n\n",
    );
    for line in [
        "Customers who are not always on line, or have no fixed address: mail for their domains (added with troika domain add",
        "--relay) waits until they log in on a submission listener, such as one on port 366, and say ATRN (RFC 2645).",
    ] {
        comment(out, line);
    }
    out.push_str("#[[on_demand]]\n#account = \"shop@example.org\"\n#domains = [\"shop.example\"]\n#interval_min = \"10s\"\n\n");
}

//! One door for each listener: makes a session and its agent for each connection, counts and logs its end.

use crate::config::{Config, DigestLogin, Listener, ListenerProtocol, ListenerTls};
use agents::{By, ImapAgent, Pop3Agent, Protocol, SmtpAgent, World};
use net::{Admission, Bound, Conversation, Desk, Pass, Tls, Traffic};
use parking_lot::RwLock;
use policy::ConnectionLimiter;
use sasl::Mechanism;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;
use wire::{Connection, Session, TlsMode};

/// The configuration in force for new sessions.
pub struct Settings {
    config: RwLock<Arc<Config>>,
    /// Memory for messages that come in, of all listeners together.
    message_memory: wire::Budget,
}

impl Settings {
    /// At start.
    pub fn new(config: Config) -> Settings {
        let message_memory = wire::Budget::new(config.limits.message_memory.0);
        Settings { config: RwLock::new(Arc::new(config)), message_memory }
    }

    /// After SIGHUP.
    pub fn replace(&self, config: Config) {
        *self.config.write() = Arc::new(config);
    }

    /// The configuration in force.
    pub(super) fn now(&self) -> Arc<Config> {
        self.config.read().clone()
    }
}

/// Serves one listener until shutdown.
pub async fn open(
    listener: &Listener,
    bound: Bound,
    settings: Arc<Settings>,
    world: Arc<World>,
    tls: Tls,
    admission: Arc<dyn Admission>,
    shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    let entrance = Entrance {
        protocol: match listener.protocol {
            ListenerProtocol::Smtp => Protocol::Smtp,
            ListenerProtocol::Submission => Protocol::Submission,
            ListenerProtocol::Lmtp => Protocol::Lmtp,
            ListenerProtocol::Pop3 => Protocol::Pop3,
            ListenerProtocol::Imap => Protocol::Imap,
            ListenerProtocol::Http => return Ok(()),
        },
        tls: match listener.tls {
            ListenerTls::None => TlsMode::None,
            ListenerTls::Starttls => TlsMode::Starttls,
            ListenerTls::Implicit => TlsMode::Implicit,
        },
        plaintext_auth: listener.plaintext_auth,
        settings,
        world,
    };
    let tls = match (&listener.client_ca, entrance.tls) {
        (_, TlsMode::None) => None,
        (None, _) => Some(tls),
        (Some(ca), _) => Some(tls.asking_for_certificates(ca).map_err(io::Error::other)?),
    };
    match entrance.protocol {
        Protocol::Smtp | Protocol::Submission | Protocol::Lmtp => {
            net::serve(bound, Arc::new(SmtpDoor(entrance)), tls, admission, shutdown).await
        }
        Protocol::Pop3 => net::serve(bound, Arc::new(Pop3Door(entrance)), tls, admission, shutdown).await,
        Protocol::Imap => net::serve(bound, Arc::new(ImapDoor(entrance)), tls, admission, shutdown).await,
    }
}

/// What all doors have.
struct Entrance {
    protocol: Protocol,
    tls: TlsMode,
    plaintext_auth: bool,
    settings: Arc<Settings>,
    world: Arc<World>,
}

impl Entrance {
    fn offered(&self, login: DigestLogin) -> bool {
        match login {
            DigestLogin::On => true,
            DigestLogin::Off => false,
            DigestLogin::Auto => self.world.directory.any_app_password().unwrap_or(false),
        }
    }

    /// Log-ins that are offered here, as far as the connection allows each.
    fn mechanisms(&self, config: &Config) -> Vec<Mechanism> {
        let offered = |mechanism: &Mechanism| match mechanism {
            Mechanism::CramMd5 => self.offered(config.auth.cram_md5),
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => {
                !config.oauth.keys.as_os_str().is_empty() || !config.oauth.introspection.is_empty()
            }
            Mechanism::Anonymous => self.protocol == Protocol::Imap && !config.auth.anonymous.is_empty(),
            _ => true,
        };
        Mechanism::EVERY.into_iter().filter(offered).collect()
    }

    fn turned_away(&self) {
        self.world.metrics.connections_refused.get_or_create(&By { protocol: self.protocol }).inc();
    }

    fn connection(&self, config: &Config, peer: Option<IpAddr>) -> Connection {
        let mut entropy = [0u8; 32];
        getrandom::fill(&mut entropy)
            .unwrap_or_else(|error| panic!("the system gives no random numbers: {error}"));
        let mut id = [0u8; 5];
        getrandom::fill(&mut id).unwrap_or_default();
        let by = By { protocol: self.protocol };
        self.world.metrics.connections.get_or_create(&by).inc();
        self.world.metrics.connections_open.get_or_create(&by).inc();
        Connection {
            hostname: config.server.hostname.to_string(),
            peer,
            trace: id.iter().map(|byte| format!("{byte:02x}")).collect(),
            entropy,
            tls: self.tls,
            plaintext_auth: self.plaintext_auth,
        }
    }

    fn gone(&self) {
        self.world.metrics.connections_open.get_or_create(&By { protocol: self.protocol }).dec();
    }

    fn ended<D: Desk>(
        &self,
        peer: Option<IpAddr>,
        talk: &Conversation<D>,
        traffic: Traffic,
        outcome: io::Result<()>,
        trace: &str,
    ) {
        let facts = talk.session.facts();
        let metrics = &self.world.metrics;
        let by = By { protocol: self.protocol };
        metrics.bytes_in.get_or_create(&by).inc_by(traffic.bytes_in);
        metrics.bytes_out.get_or_create(&by).inc_by(traffic.bytes_out);
        metrics.commands.get_or_create(&by).inc_by(facts.commands);
        metrics.bad_commands.get_or_create(&by).inc_by(facts.errors);
        let broken = outcome.err().map(|error| error.to_string());
        if broken.is_some() {
            metrics.connections_broken.get_or_create(&by).inc();
        }
        tracing::info!(
            trace,
            protocol = self.protocol.name(),
            peer = peer.map(tracing::field::display),
            user = facts.user,
            commands = facts.commands,
            errors = facts.errors,
            messages = facts.messages,
            bytes_in = traffic.bytes_in,
            bytes_out = traffic.bytes_out,
            end = ?facts.end,
            broken,
            "session"
        );
    }
}

struct SmtpDoor(Entrance);
struct Pop3Door(Entrance);
/// How long senders may have messages held (RFC 4865): a year.
const HELD_SECONDS_MAX: u32 = 366 * 24 * 3600;

struct ImapDoor(Entrance);

impl net::Protocol for SmtpDoor {
    type Desk = SmtpAgent;

    fn begin(&self, peer: Option<IpAddr>) -> (smtp::Session, SmtpAgent) {
        let config = self.0.settings.now();
        let connection = self.0.connection(&config, peer);
        let agent =
            SmtpAgent::new(self.0.world.clone(), connection.hostname.clone(), connection.trace.clone());
        let kind = match self.0.protocol {
            Protocol::Submission => smtp::Kind::Submission,
            Protocol::Lmtp => smtp::Kind::Lmtp,
            _ => smtp::Kind::Mta,
        };
        let mut settings = smtp::Config::new(kind, connection);
        settings.memory = self.0.settings.message_memory.clone();
        settings.limits.message_bytes_max = config.limits.message_bytes.0;
        settings.limits.recipients_max = config.limits.recipients as usize;
        settings.limits.messages_max = config.limits.messages_per_session;
        settings.limits.errors_max = config.limits.errors_per_session;
        if kind != smtp::Kind::Lmtp {
            settings.mechanisms = self.0.mechanisms(&config);
        }
        if config.auth.verify_for_users {
            settings.verify = smtp::Verify::LoggedIn;
        }
        if kind != smtp::Kind::Lmtp {
            settings.offers = vec![
                smtp::Offer::MtPriority,
                smtp::Offer::DeliverBy,
                smtp::Offer::RequireTls,
                smtp::Offer::Etrn,
                smtp::Offer::FutureRelease { seconds_max: HELD_SECONDS_MAX },
            ];
        }
        // RFC 2645 §4: on a listener where one logs in, such as one on port 366.
        if kind == smtp::Kind::Submission && !config.on_demand.is_empty() {
            settings.offers.push(smtp::Offer::Atrn);
        }
        (smtp::Session::new(settings), agent)
    }

    fn busy(&self) -> &'static [u8] {
        self.0.turned_away();
        b"421 4.7.0 Too many connections from your address; close some or try again later\r\n"
    }

    fn ended(
        &self,
        peer: Option<IpAddr>,
        talk: &Conversation<SmtpAgent>,
        traffic: Traffic,
        outcome: io::Result<()>,
    ) {
        self.0.ended(peer, talk, traffic, outcome, talk.desk.trace());
    }

    fn gone(&self) {
        self.0.gone();
    }

    fn tls_mode(&self) -> TlsMode {
        self.0.tls
    }
}

impl net::Protocol for Pop3Door {
    type Desk = Pop3Agent;

    fn begin(&self, peer: Option<IpAddr>) -> (pop3::Pop3, Pop3Agent) {
        let config = self.0.settings.now();
        let connection = self.0.connection(&config, peer);
        let agent =
            Pop3Agent::new(self.0.world.clone(), peer, connection.trace.clone(), config.pop3.login_delay.0);
        let mut settings = pop3::Settings {
            login_delay_seconds: u32::try_from(config.pop3.login_delay.0.as_secs()).unwrap_or(u32::MAX),
            mechanisms: self.0.mechanisms(&config),
            ..pop3::Settings::default()
        };
        if self.0.offered(config.auth.apop) {
            settings.apop = pop3::Offer::Offered;
        }
        (pop3::Pop3::new(Arc::new(settings), connection), agent)
    }

    fn busy(&self) -> &'static [u8] {
        self.0.turned_away();
        b"-ERR [SYS/TEMP] Too many connections from your address; close some or try again later\r\n"
    }

    fn ended(
        &self,
        peer: Option<IpAddr>,
        talk: &Conversation<Pop3Agent>,
        traffic: Traffic,
        outcome: io::Result<()>,
    ) {
        self.0.ended(peer, talk, traffic, outcome, talk.desk.trace());
    }

    fn gone(&self) {
        self.0.gone();
    }

    fn tls_mode(&self) -> TlsMode {
        self.0.tls
    }
}

impl net::Protocol for ImapDoor {
    type Desk = ImapAgent;

    fn begin(&self, peer: Option<IpAddr>) -> (imap::Session, ImapAgent) {
        let config = self.0.settings.now();
        let connection = self.0.connection(&config, peer);
        let agent = ImapAgent::new(self.0.world.clone(), peer, connection.trace.clone());
        let mut settings = imap::Settings {
            message_bytes_max: config.limits.message_bytes.0,
            errors_max: u64::from(config.limits.errors_per_session),
            submitters: config.imap.submitters.clone(),
            message_limit: match (config.imap.message_limit, config.imap.save_limit) {
                (0, 0) => imap::MessageLimit::None,
                (0, limit) => imap::MessageLimit::Save(limit),
                (limit, _) => imap::MessageLimit::Every(limit),
            },
            admin: (!config.imap.admin.is_empty()).then(|| config.imap.admin.clone()),
            administrators: config.imap.administrators.clone(),
            ..imap::Settings::default()
        };
        settings.mechanisms = self.0.mechanisms(&config);
        (imap::Session::new(connection, Arc::new(settings)), agent)
    }

    fn busy(&self) -> &'static [u8] {
        self.0.turned_away();
        b"* BYE Too many connections from your address; close some or try again later\r\n"
    }

    fn ended(
        &self,
        peer: Option<IpAddr>,
        talk: &Conversation<ImapAgent>,
        traffic: Traffic,
        outcome: io::Result<()>,
    ) {
        self.0.ended(peer, talk, traffic, outcome, talk.desk.trace());
    }

    fn gone(&self) {
        self.0.gone();
    }

    fn tls_mode(&self) -> TlsMode {
        self.0.tls
    }
}

/// Counts connections over all listeners. Loopback and own networks are bounded by the total only.
pub fn admission(config: &Config) -> Arc<dyn Admission> {
    let total = config.limits.connections as usize;
    Arc::new(Counted {
        strangers: ConnectionLimiter::new(config.limits.connections_per_address as usize, total),
        trusted: ConnectionLimiter::new(total, total),
        trusted_networks: config.network.own.0.clone(),
    })
}

struct Counted {
    strangers: ConnectionLimiter,
    trusted: ConnectionLimiter,
    trusted_networks: Vec<ipnet::IpNet>,
}

impl Admission for Counted {
    fn admit(&self, peer: Option<IpAddr>) -> Option<Pass> {
        let Some(peer) = peer else { return Some(Pass::new(|| ())) };
        let trusted = peer.is_loopback() || self.trusted_networks.iter().any(|net| net.contains(&peer));
        let limiter = if trusted { &self.trusted } else { &self.strangers };
        let ticket = limiter.admit(peer).ok()?;
        Some(Pass::new(move || drop(ticket)))
    }
}

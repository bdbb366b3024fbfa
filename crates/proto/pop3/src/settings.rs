//! What the operator decides about POP3.

use std::time::Duration;

use sasl::Mechanism;

/// Settings of a listener, shared by its sessions.
#[derive(Clone, Debug)]
pub struct Settings {
    /// SASL mechanisms in the order in which CAPA lists them; those that send the password need TLS besides.
    pub mechanisms: Vec<Mechanism>,
    /// USER and PASS, once TLS stands.
    pub user_pass: Offer,
    /// APOP (RFC 1939 §7): works with application passwords only, and its timestamp stands in the greeting.
    pub apop: Offer,
    /// LOGIN-DELAY of CAPA in seconds; 0: there is none. The world enforces it.
    pub login_delay_seconds: u32,
    /// EXPIRE of CAPA in days; None: NEVER.
    pub expire_days: Option<u32>,
    /// IMPLEMENTATION of CAPA, one or more words of printable ASCII; None: not told.
    pub implementation: Option<String>,
    /// What a client without UTF8 mode gets for a message whose header has UTF-8 (RFC 6856 §2.1).
    pub utf8_header: Utf8Header,
    /// Refused commands and log-ins after which the connection is closed.
    pub errors_max: u64,
    /// How long a client may be silent; never less than ten minutes (RFC 1939 §3).
    pub autologout: Duration,
    /// From the greeting to the log-in at most, in seconds, however busy the client seems.
    pub login_within_s: i64,
}

/// Whether something is offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offer {
    /// It is.
    Offered,
    /// It is not, and refused.
    Withheld,
}

/// What to do with UTF-8 in a header for a client that did not say UTF8.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Utf8Header {
    /// `-ERR [UTF8]` as RFC 6856 §2.1 and §5 have it.
    Refuse,
    /// Send it as it is: old clients show what they can.
    Send,
}

/// RFC 1939 §3: the autologout timer must be of at least ten minutes.
pub const AUTOLOGOUT_MIN: Duration = Duration::from_secs(600);

impl Default for Settings {
    fn default() -> Settings {
        // CRAM-MD5 and APOP take application passwords only. Quirk (curl): where CRAM-MD5 is offered, it is
        // chosen before PLAIN without a second try, and the user's own password fails. So: only when configured.
        let mechanisms = Mechanism::USUAL.into_iter().filter(|mechanism| *mechanism != Mechanism::CramMd5);
        Settings {
            mechanisms: mechanisms.collect(),
            user_pass: Offer::Offered,
            apop: Offer::Withheld,
            login_delay_seconds: 0,
            expire_days: None,
            implementation: Some("Troika".to_owned()),
            utf8_header: Utf8Header::Refuse,
            errors_max: 20,
            autologout: AUTOLOGOUT_MIN,
            login_within_s: 600,
        }
    }
}

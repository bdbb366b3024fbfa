//! What a server says (RFC 9051 §7), as far as a client needs it; everything else is [`Response::Other`].

use super::fetch::{Fetched, Flags, fetched, flag_list};
use super::receive::Raw;
use super::scan::Scan;
use model::{SpecialUse, Uid, UidValidity};
use sasl::Mechanism;

/// One response.
#[derive(Debug)]
pub(super) enum Response {
    /// The end of a command.
    Tagged { tag: String, condition: Condition, text: StatusText },
    /// `+`: more is wanted; the text behind it.
    Continue(Vec<u8>),
    /// An untagged status.
    Status { condition: Condition, text: StatusText },
    /// CAPABILITY.
    Capability(Capabilities),
    /// ENABLED; whether UTF8=ACCEPT is among what is.
    Enabled { utf8: bool },
    /// LIST or LSUB.
    Listed(ListLine),
    /// NAMESPACE.
    Namespace(Vec<Namespace>),
    /// STATUS; of which mailbox, we know.
    StatusOf(Counts),
    /// FLAGS.
    Flags(Flags),
    /// EXISTS.
    Exists(u32),
    /// EXPUNGE.
    Expunge,
    /// FETCH.
    Fetch(Fetched),
    /// Anything else that has the form of a response.
    Other,
}

/// How a status response begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Condition {
    Ok,
    No,
    Bad,
    Bye,
    Preauth,
}

/// `[code] text`
#[derive(Debug, Default)]
pub(super) struct StatusText {
    pub code: Option<Code>,
    /// For people: printable, and short.
    pub text: String,
}

/// A response code (RFC 9051 §7.1) that this client heeds.
#[derive(Debug)]
pub(super) enum Code {
    Capability(Capabilities),
    UidValidity(u32),
    UidNext(u32),
    HighestModSeq(u64),
    PermanentFlags(Flags),
    ReadOnly,
    ReadWrite,
    /// What stands behind a refusal.
    Reason(Reason),
    Other,
}

/// Why a server refuses, in the words that have a meaning for programs (RFC 9051 §7.1, RFC 5530).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    /// ALERT: people are to see the text.
    Alert,
    /// AUTHENTICATIONFAILED: name or password are wrong.
    AuthenticationFailed,
    /// AUTHORIZATIONFAILED: one may not act as that user.
    AuthorizationFailed,
    /// EXPIRED: the password has.
    Expired,
    /// PRIVACYREQUIRED: not without TLS.
    PrivacyRequired,
    /// CONTACTADMIN: people have to settle it.
    ContactAdmin,
    /// UNAVAILABLE: something behind the server does not answer now.
    Unavailable,
    /// INUSE: somebody else has the mailbox for himself.
    InUse,
    /// SERVERBUG: the server has found a fault in itself.
    ServerBug,
    /// LIMIT: too many of something.
    Limit,
    /// NOPERM: the rights do not suffice.
    NoPerm,
    /// NONEXISTENT: there is no such mailbox.
    NonExistent,
    /// EXPUNGEISSUED: another session has removed some of the messages.
    ExpungeIssued,
    /// OVERQUOTA: there is no room.
    OverQuota,
}

impl Reason {
    const EVERY: [(&'static str, Reason); 14] = [
        ("ALERT", Reason::Alert),
        ("AUTHENTICATIONFAILED", Reason::AuthenticationFailed),
        ("AUTHORIZATIONFAILED", Reason::AuthorizationFailed),
        ("EXPIRED", Reason::Expired),
        ("PRIVACYREQUIRED", Reason::PrivacyRequired),
        ("CONTACTADMIN", Reason::ContactAdmin),
        ("UNAVAILABLE", Reason::Unavailable),
        ("INUSE", Reason::InUse),
        ("SERVERBUG", Reason::ServerBug),
        ("LIMIT", Reason::Limit),
        ("NOPERM", Reason::NoPerm),
        ("NONEXISTENT", Reason::NonExistent),
        ("EXPUNGEISSUED", Reason::ExpungeIssued),
        ("OVERQUOTA", Reason::OverQuota),
    ];
}

/// What a server can (RFC 9051 §7.2.2), as far as it matters here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Capabilities {
    /// The mechanisms of AUTHENTICATE that we know.
    pub mechanisms: Vec<Mechanism>,
    /// The rest that we know.
    known: Vec<Capability>,
}

/// A capability that this client makes use of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Capability {
    /// IMAP4rev2
    Rev2,
    /// STARTTLS
    StartTls,
    /// LOGINDISABLED
    LoginDisabled,
    /// SASL-IR (RFC 4959)
    SaslIr,
    /// ENABLE (RFC 5161)
    Enable,
    /// UTF8=ACCEPT or UTF8=ONLY (RFC 6855)
    Utf8,
    /// NAMESPACE (RFC 2342)
    Namespace,
    /// UIDPLUS (RFC 4315)
    UidPlus,
    /// LIST-EXTENDED (RFC 5258)
    ListExtended,
    /// SPECIAL-USE (RFC 6154)
    SpecialUse,
}

impl Capability {
    const EVERY: [(&'static str, Capability); 11] = [
        ("IMAP4REV2", Capability::Rev2),
        ("STARTTLS", Capability::StartTls),
        ("LOGINDISABLED", Capability::LoginDisabled),
        ("SASL-IR", Capability::SaslIr),
        ("ENABLE", Capability::Enable),
        ("UTF8=ACCEPT", Capability::Utf8),
        ("UTF8=ONLY", Capability::Utf8),
        ("NAMESPACE", Capability::Namespace),
        ("UIDPLUS", Capability::UidPlus),
        ("LIST-EXTENDED", Capability::ListExtended),
        ("SPECIAL-USE", Capability::SpecialUse),
    ];
}

impl Capabilities {
    /// Whether the server has it. IMAP4rev2 brings the others but for STARTTLS, LOGINDISABLED and UTF8 (RFC 9051,
    /// appendix E).
    pub fn has(&self, capability: Capability) -> bool {
        let within_rev2 =
            !matches!(capability, Capability::StartTls | Capability::LoginDisabled | Capability::Utf8);
        self.known.contains(&capability) || within_rev2 && self.known.contains(&Capability::Rev2)
    }

    fn parse(scan: &mut Scan<'_>) -> Capabilities {
        let mut found = Capabilities::default();
        loop {
            scan.spaces();
            let Some(word) = scan.word() else { return found };
            if let Some(name) =
                word.get(..5).filter(|head| head.eq_ignore_ascii_case(b"AUTH=")).map(|_| &word[5..])
            {
                found
                    .mechanisms
                    .extend(Mechanism::parse(name).filter(|mechanism| !found.mechanisms.contains(mechanism)));
            }
            let known = Capability::EVERY.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
            found.known.extend(known.map(|(_, known)| *known).filter(|known| !found.known.contains(known)));
        }
    }
}

/// A line of LIST or LSUB.
#[derive(Debug)]
pub(super) struct ListLine {
    pub name: Vec<u8>,
    pub delimiter: Option<char>,
    pub special_use: Option<SpecialUse>,
    pub is_selectable: bool,
    pub is_subscribed: bool,
}

/// A part of the tree of mailboxes (RFC 9051 §7.2.4… NAMESPACE, RFC 2342 §5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Namespace {
    /// Whose mailboxes are in it.
    pub owner: Owner,
    /// How their names begin, as they travel; may be empty.
    pub prefix: Vec<u8>,
    /// What separates levels.
    pub delimiter: Option<char>,
}

/// Whose mailboxes they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Owner {
    /// The user's own.
    Oneself,
    /// Other users'.
    Others,
    /// Shared ones.
    Shared,
}

/// What STATUS tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// How many messages there are.
    pub messages: Option<u32>,
    /// The UID that the next message gets, at least.
    pub uid_next: Option<Uid>,
    /// With which UIDs hold.
    pub uid_validity: Option<UidValidity>,
}

/// Most namespaces.
const NAMESPACES_MAX: usize = 256;
/// Longest text for people that is kept, in octets.
const TEXT_BYTES_MAX: usize = 400;

impl Response {
    /// None: the grammar has nothing like it.
    pub(super) fn parse(raw: &Raw) -> Option<Response> {
        let mut scan = Scan::new(raw);
        if scan.eat(b'+') {
            scan.eat(b' ');
            return Some(Response::Continue(scan.rest().to_vec()));
        }
        if !scan.eat(b'*') {
            let tag = String::from_utf8(scan.word()?.to_vec()).ok()?;
            scan.space()?;
            let condition = condition(scan.word()?)?;
            let text = status_text(scan)?;
            let is_end = matches!(condition, Condition::Ok | Condition::No | Condition::Bad);
            return is_end.then_some(Response::Tagged { tag, condition, text });
        }
        scan.space()?;
        let response = untagged(&mut scan)?;
        // Octets were handed on as a message's that are no message's.
        (!scan.has_gap()).then_some(response)
    }
}

fn untagged(scan: &mut Scan<'_>) -> Option<Response> {
    if scan.peek()?.is_ascii_digit() {
        let number = scan.number()?;
        scan.space()?;
        let word = scan.word()?.to_ascii_uppercase();
        return Some(match &word[..] {
            b"EXISTS" => Response::Exists(number),
            b"EXPUNGE" => Response::Expunge,
            b"FETCH" => {
                scan.space()?;
                Response::Fetch(fetched(scan)?)
            }
            _ => Response::Other,
        });
    }
    let word = scan.word()?.to_ascii_uppercase();
    if let Some(condition) = condition(&word) {
        return Some(Response::Status { condition, text: status_text(scan.clone())? });
    }
    Some(match &word[..] {
        b"CAPABILITY" => Response::Capability(Capabilities::parse(scan)),
        b"ENABLED" => {
            let utf8 = scan.rest().split(|byte| *byte == b' ').any(|word| {
                [&b"UTF8=ACCEPT"[..], b"UTF8=ONLY"].iter().any(|one| word.eq_ignore_ascii_case(one))
            });
            Response::Enabled { utf8 }
        }
        b"LIST" => Response::Listed(list_line(scan, false)?),
        b"LSUB" => Response::Listed(list_line(scan, true)?),
        b"NAMESPACE" => Response::Namespace(namespaces(scan)?),
        b"STATUS" => Response::StatusOf(counts(scan)?),
        b"FLAGS" => {
            scan.space()?;
            Response::Flags(flag_list(scan)?)
        }
        _ => Response::Other,
    })
}

fn condition(word: &[u8]) -> Option<Condition> {
    [
        ("OK", Condition::Ok),
        ("NO", Condition::No),
        ("BAD", Condition::Bad),
        ("BYE", Condition::Bye),
        ("PREAUTH", Condition::Preauth),
    ]
    .into_iter()
    .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))
    .map(|(_, condition)| condition)
}

/// `[code] text`; a code that is no code is text.
fn status_text(mut scan: Scan<'_>) -> Option<StatusText> {
    scan.spaces();
    let mut code = None;
    if scan.peek() == Some(b'[') {
        let mut within = scan.clone();
        within.eat(b'[');
        if let Some(found) = read_code(&mut within) {
            // What this client does not know ends at the bracket.
            let rest = within.rest();
            if let Some(end) = memchr::memchr(b']', rest) {
                scan = Scan::of(&rest[end + 1..]);
                code = Some(found);
            }
        }
    }
    scan.spaces();
    Some(StatusText { code, text: for_people(scan.rest()) })
}

fn read_code(scan: &mut Scan<'_>) -> Option<Code> {
    let name = scan.word()?.to_ascii_uppercase();
    scan.spaces();
    Some(match &name[..] {
        b"CAPABILITY" => Code::Capability(Capabilities::parse(scan)),
        b"UIDVALIDITY" => scan.nz_number().map_or(Code::Other, Code::UidValidity),
        b"UIDNEXT" => scan.nz_number().map_or(Code::Other, Code::UidNext),
        b"HIGHESTMODSEQ" => scan.number64().map_or(Code::Other, Code::HighestModSeq),
        b"PERMANENTFLAGS" => flag_list(scan).map_or(Code::Other, Code::PermanentFlags),
        b"READ-ONLY" => Code::ReadOnly,
        b"READ-WRITE" => Code::ReadWrite,
        name => Reason::EVERY
            .iter()
            .find(|(word, _)| word.as_bytes() == name)
            .map_or(Code::Other, |(_, reason)| Code::Reason(*reason)),
    })
}

/// Text of a server as it can be shown: one line, nothing that steers a terminal, short.
pub(super) fn for_people(octets: &[u8]) -> String {
    let octets = &octets[..octets.len().min(TEXT_BYTES_MAX)];
    let text = String::from_utf8_lossy(octets);
    text.trim().chars().map(|one| if one.is_control() { '\u{fffd}' } else { one }).collect()
}

/// ```text
/// mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP mbox-list-extended]
/// ```
fn list_line(scan: &mut Scan<'_>, is_subscribed: bool) -> Option<ListLine> {
    let mut line =
        ListLine { name: Vec::new(), delimiter: None, special_use: None, is_selectable: true, is_subscribed };
    scan.space()?;
    scan.expect(b'(')?;
    loop {
        scan.spaces();
        if scan.eat(b')') {
            break;
        }
        let attribute = String::from_utf8_lossy(scan.flag()?).to_ascii_lowercase();
        match attribute.as_str() {
            "\\noselect" | "\\nonexistent" => line.is_selectable = false,
            "\\subscribed" => line.is_subscribed = true,
            other => line.special_use = line.special_use.or(SpecialUse::from_attribute(other)),
        }
    }
    scan.space()?;
    line.delimiter = delimiter(scan)?;
    scan.space()?;
    line.name = scan.astring()?.into_owned();
    Some(line)
}

/// A quoted character, or NIL where there are no levels.
fn delimiter(scan: &mut Scan<'_>) -> Option<Option<char>> {
    if scan.nil() {
        return Some(None);
    }
    let octets = scan.short_string()?;
    let mut characters = std::str::from_utf8(&octets).ok()?.chars();
    // Quirk: an empty string for NIL.
    let delimiter = characters.next();
    characters.next().is_none().then_some(delimiter)
}

/// ```text
/// namespace       = nil / "(" 1*namespace-descr ")"
/// namespace-descr = "(" string SP (DQUOTE QUOTED-CHAR DQUOTE / nil) [namespace-response-extensions] ")"
/// ```
fn namespaces(scan: &mut Scan<'_>) -> Option<Vec<Namespace>> {
    let mut found = Vec::new();
    for owner in [Owner::Oneself, Owner::Others, Owner::Shared] {
        scan.space()?;
        if scan.nil() {
            continue;
        }
        scan.expect(b'(')?;
        loop {
            scan.spaces();
            if scan.eat(b')') {
                break;
            }
            scan.expect(b'(')?;
            let prefix = scan.short_string()?.into_owned();
            scan.space()?;
            let delimiter = delimiter(scan)?;
            loop {
                scan.spaces();
                if scan.eat(b')') {
                    break;
                }
                scan.skip_value()?;
            }
            if found.len() == NAMESPACES_MAX {
                return None;
            }
            found.push(Namespace { owner, prefix, delimiter });
        }
    }
    Some(found)
}

/// `"STATUS" SP mailbox SP "(" [status-att-list] ")"`
fn counts(scan: &mut Scan<'_>) -> Option<Counts> {
    let mut found = Counts::default();
    scan.space()?;
    scan.astring()?;
    scan.space()?;
    scan.expect(b'(')?;
    loop {
        scan.spaces();
        if scan.eat(b')') {
            return Some(found);
        }
        let item = scan.word()?.to_ascii_uppercase();
        scan.space()?;
        match &item[..] {
            b"MESSAGES" => found.messages = Some(scan.number()?),
            b"UIDNEXT" => found.uid_next = scan.number().filter(|next| *next > 0).map(Uid),
            b"UIDVALIDITY" => found.uid_validity = Some(UidValidity(scan.nz_number()?)),
            _ => scan.skip_value()?,
        }
    }
}

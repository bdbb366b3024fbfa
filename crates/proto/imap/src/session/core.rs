//! What a session keeps between commands, and how it writes its own lines.

use crate::ask::{Access, Place, Refused, RefusedKind};
use crate::capability::{self, Stage};
use crate::language::Language;
use crate::mailbox_name::NameEncoding;
use crate::view::{Numbers, View};
use crate::write::{self, Code, Condition, NewKeywords, Recent};
use model::{Comparator, Flag, FlagSet, Keyword, ModSeq, Right, Uid, UidSet};
use sasl::Mechanism;
use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;
use std::sync::Arc;
use wire::{Connection, End, TlsInfo, TlsMode};

/// Everything of a session but its input and the command under way.
#[derive(Debug)]
pub(crate) struct Core {
    pub out: Vec<u8>,
    pub connection: Box<Connection>,
    pub settings: Arc<Settings>,
    /// Of the command under way.
    pub tag: String,
    /// TLS stands.
    pub secure: bool,
    /// What the handshake brought.
    pub tls: Option<Box<TlsInfo>>,
    /// Of the texts (RFC 5255).
    pub language: Language,
    /// By which texts are compared (RFC 5255 §4).
    pub comparator: Comparator,
    /// COMPRESS=DEFLATE (RFC 4978).
    pub deflate: Deflate,
    /// Who is logged in.
    pub user: Option<Box<str>>,
    /// Nobody in particular is logged in (ANONYMOUS, RFC 4505): nothing may be changed.
    pub anonymous: bool,
    /// The selected mailbox.
    pub view: Option<Box<View>>,
    /// What the client asked for.
    pub enabled: Enabled,
    /// What the client wants to hear of beyond the selected mailbox, or less of it.
    pub notify: Option<Box<super::notify::Notify>>,
    /// The world said that the selected mailbox has changed.
    pub dirty: bool,
    /// A literal that was begun can't be finished: only hanging up is left.
    pub abandoned: bool,
    /// Wall clock of this step.
    pub now: i64,
    /// Since when nobody has been logged in; of no meaning while somebody is.
    pub nobody_since: i64,
    /// The client has said what program it is.
    pub introduced: bool,
    /// Log-ins tried, so that no nonce is made twice.
    pub exchanges: u32,
    pub commands: u64,
    pub errors: u32,
    /// Errors that count towards the end of the session: all before the log-in, those in a row after it.
    pub strikes: u32,
    pub messages: u64,
    pub end: End,
}

/// Whether the connection is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Deflate {
    Off,
    /// From behind the reply that is being written.
    Starting,
    On,
    /// Up to the reply that is being written.
    Stopping,
}

/// What the client has enabled with ENABLE (RFC 5161), or by using it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Enabled {
    /// RFC 7162 §3.1: the client wants MODSEQ in every FETCH.
    pub condstore: bool,
    /// RFC 7162 §3.2.3: VANISHED takes the place of EXPUNGE. Never without `condstore`.
    pub qresync: bool,
    /// UTF8=ACCEPT (RFC 9755 §3): strings and names of mailboxes are UTF-8.
    pub utf8: bool,
    /// IMAP4rev2 (RFC 9051) instead of IMAP4rev1; see `cmd::rev2` for what that takes away.
    pub rev2: bool,
    /// UIDONLY (RFC 9586): no sequence number in either direction.
    pub uid_only: bool,
}

impl Enabled {
    /// Whether VANISHED takes the place of EXPUNGE (RFC 7162 §3.2.10, RFC 9586 §3.4).
    pub fn vanished(self) -> bool {
        self.qresync || self.uid_only
    }

    /// How names of mailboxes travel.
    pub fn names(self) -> NameEncoding {
        if self.utf8 || self.rev2 { NameEncoding::Utf8 } else { NameEncoding::ModifiedUtf7 }
    }
}

/// Most octets of an annotation's value, as SELECT announces it (RFC 5257 §4.1); the store holds to the same.
pub const ANNOTATION_BYTES_MAX: usize = 16 * 1024;

/// What the operator decides about IMAP, limits above all; the defaults suit the internet.
#[derive(Clone, Debug)]
pub struct Settings {
    /// SASL mechanisms, the best first; those that send the password need TLS besides.
    pub mechanisms: Vec<Mechanism>,
    /// Largest message that APPEND takes, in octets.
    pub message_bytes_max: u64,
    /// Commands in error before the log-in, then BYE.
    pub errors_before_login_max: u64,
    /// Commands in error one after the other, then BYE.
    pub errors_max: u64,
    /// Silence before the log-in, in seconds.
    pub silence_before_login_s: u64,
    /// From the greeting to the log-in at most, in seconds, however busy the peer seems.
    pub login_within_s: u64,
    /// How the server's administrator is reached, a URI (`/shared/admin`, RFC 5464 §3.2.1.1).
    pub admin: Option<String>,
    /// Accounts that may set the shared metadata entries of the server.
    pub administrators: Vec<String>,
    /// Silence after the log-in, in seconds; at least 1800 (RFC 9051 §5.4).
    pub silence_s: u64,
    /// How many messages one command may be about.
    pub message_limit: MessageLimit,
    /// Full addresses of accounts that submission servers log in with: they may read what a URL lets them submit (RFC 4467
    /// §3, `submit+`).
    pub submitters: Vec<String>,
}

/// How many messages one command may be about (RFC 9738 §3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageLimit {
    /// Any number.
    None,
    /// COPY and APPEND: so many; other commands any number (SAVELIMIT).
    Save(u32),
    /// COPY, APPEND, MOVE, FETCH, STORE, SEARCH and UID EXPUNGE: so many (MESSAGELIMIT).
    Every(u32),
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            mechanisms: Mechanism::USUAL.to_vec(),
            message_bytes_max: 50 * 1024 * 1024,
            errors_before_login_max: 10,
            errors_max: 20,
            silence_before_login_s: 60,
            login_within_s: 300,
            admin: None,
            administrators: Vec::new(),
            silence_s: 31 * 60,
            message_limit: MessageLimit::Save(100_000),
            submitters: Vec::new(),
        }
    }
}

impl Core {
    /// What of a log-in is still possible.
    pub fn stage(&self) -> Stage {
        if self.user.is_some() {
            return if self.anonymous { Stage::Anonymous } else { Stage::After };
        }
        Stage::Before {
            starttls: self.may_start_tls(),
            plaintext: self.secure || self.connection.plaintext_auth,
        }
    }

    /// Whether the operator lets this user set what all users of the server see.
    pub fn is_administrator(&self) -> bool {
        let user = self.user.as_deref().unwrap_or_default();
        self.settings.administrators.iter().any(|name| name.eq_ignore_ascii_case(user))
    }

    /// Notes messages that this session put into a mailbox, if it is the selected one.
    pub fn brought(&mut self, place: Place, uids: &UidSet) {
        let wishes = self.notify.as_ref().and_then(|notify| notify.wishes.as_ref());
        let selected = wishes.and_then(|wishes| wishes.selected.as_ref());
        let told = selected.is_some_and(|selected| !selected.items.is_empty());
        // Where no items are told of new messages, nobody would ever take these out again.
        if let Some(view) = &mut self.view
            && (told || super::Contexts::fetch(view))
            && view.place() == place
        {
            view.brought = view.brought.or(uids);
        }
    }

    /// Whether something happened that IDLE tells.
    pub fn has_news(&self) -> bool {
        let of_account = self.notify.as_ref().is_some_and(|notify| notify.dirty);
        (self.dirty && self.view.is_some()) || of_account
    }

    /// Whether STARTTLS makes sense now.
    pub fn may_start_tls(&self) -> bool {
        // A compressed connection can't have TLS put under it.
        let is_plain = !self.secure && self.deflate == Deflate::Off;
        self.connection.tls == TlsMode::Starttls && is_plain && self.user.is_none()
    }

    /// Sends one line, with its CRLF.
    pub fn line(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a vector can't fail.
        let _ = self.out.write_fmt(text);
        self.out.extend_from_slice(b"\r\n");
    }

    /// Sends an untagged `OK`, `NO` or `BYE` with its text in the client's language; `text` may begin with a response code.
    pub fn tell(&mut self, condition: &str, text: fmt::Arguments<'_>) {
        if self.language == Language::Default {
            return self.line(format_args!("* {condition} {text}"));
        }
        let text = text.to_string();
        let language = self.language;
        self.line(format_args!("* {condition} {}", language.text(&text)));
    }

    /// `CAPABILITY …` as it stands now, for the untagged response and the response code.
    pub fn capabilities(&self) -> String {
        let mut list = b"CAPABILITY ".to_vec();
        capability::write(self.stage(), &self.settings, self.tls.as_deref(), &mut list);
        String::from_utf8(list).unwrap_or_default()
    }

    /// Sends FLAGS and PERMANENTFLAGS for the keywords known now (RFC 9051 §7.3.5, §7.1).
    pub fn flags_lines(&mut self) {
        let Some(view) = &self.view else { return };
        let keywords = Arc::clone(&view.keywords);
        let (access, rights) = (view.access, view.rights);
        let every: FlagSet = Flag::EVERY.into_iter().collect();
        write::flags(&mut self.out, every, &keywords);
        let (code, words) = match access {
            // RFC 4314 §5.1.1: exactly what this user's rights allow.
            Access::ReadWrite => (
                Code::PermanentFlags {
                    flags: rights.flags(),
                    keywords: if rights.has(Right::Write) { &keywords } else { &[] },
                    new_keywords: match rights.has(Right::Write) {
                        true => NewKeywords::Allowed,
                        false => NewKeywords::Refused,
                    },
                },
                "Flags permitted",
            ),
            // RFC 3501 §6.3.2: EXAMINE permits no change.
            Access::ReadOnly => (
                Code::PermanentFlags {
                    flags: FlagSet::NONE,
                    keywords: &[],
                    new_keywords: NewKeywords::Refused,
                },
                "Read-only mailbox",
            ),
        };
        let words = self.language.text(words);
        write::untagged(&mut self.out, Condition::Ok, Some(code), &words);
    }

    /// Sends the flag lists anew if the store's table has keywords that the client was not told of.
    pub fn learn_keywords(&mut self, keywords: &Arc<[Keyword]>) {
        let Some(view) = &mut self.view else { return };
        if keywords.len() > view.keywords.len() {
            view.keywords = Arc::clone(keywords);
            self.flags_lines();
        }
    }

    /// Tells how far the command under way is (RFC 9585 §4): `done` of `goal`, fewer than it.
    pub fn progress(&mut self, done: u32, goal: u32) {
        debug_assert!(done < goal, "that would be the end");
        // A tag with `]` can't stand in a response code.
        let tag = if self.tag.contains(']') { "NIL".to_owned() } else { format!("\"{}\"", self.tag) };
        let percent = u64::from(done) * 100 / u64::from(goal);
        self.tell(
            "OK",
            format_args!("[INPROGRESS ({tag} {done} {goal})] Processed {percent}% of the messages"),
        );
    }

    /// The same of mailboxes (RFC 7377).
    pub fn mailboxes_progress(&mut self, done: usize, goal: usize) {
        debug_assert!(done < goal, "that would be the end");
        let tag = if self.tag.contains(']') { "NIL".to_owned() } else { format!("\"{}\"", self.tag) };
        self.tell("OK", format_args!("[INPROGRESS ({tag} {done} {goal})] Searching mailboxes"));
    }

    /// Begins a response about a message: `* n FETCH (`, or `* uid UIDFETCH (` (RFC 9586 §3.3). None, and nothing is
    /// written, for a message that the client does not count.
    pub fn begin_fetch(&mut self, numbers: &mut Numbers, uid: Uid) -> Option<()> {
        let number = numbers.of(uid, self.view.as_ref()?.told())?;
        self.out.extend_from_slice(b"* ");
        if self.enabled.uid_only {
            write::number(&mut self.out, u64::from(uid.0));
            self.out.extend_from_slice(b" UIDFETCH (");
        } else {
            write::number(&mut self.out, u64::from(number.0));
            self.out.extend_from_slice(b" FETCH (");
        }
        Some(())
    }

    /// Appends a modification sequence of a FETCH response, and notes that the client has it.
    pub fn write_modseq(&mut self, modseq: ModSeq) {
        write::number(&mut self.out, modseq.0);
        if let Some(view) = &mut self.view {
            view.show(modseq);
        }
    }

    /// Tells where to resynchronise from, if that is not what FETCH responses said last ([`View::resync_from`]).
    pub fn tell_resync(&mut self) {
        let from = self.view.as_mut().and_then(|view| view.resync_from());
        if let Some(from) = from.filter(|_| self.enabled.qresync) {
            self.tell("OK", format_args!("[HIGHESTMODSEQ {from}] Everything up to here was told"));
        }
    }

    /// Appends `FLAGS (…)` of a message.
    pub fn write_message_flags(&mut self, uid: Uid, flags: FlagSet, keywords: &[u16]) {
        let Some(view) = &self.view else { return };
        self.out.extend_from_slice(b"FLAGS ");
        let names = keywords.iter().filter_map(|number| view.keywords.get(usize::from(*number)));
        // RFC 9051, appendix E (12): there is no \Recent.
        let recent = if !self.enabled.rev2 && view.recent.contains(uid) { Recent::Yes } else { Recent::No };
        write::flag_list(&mut self.out, flags, names, recent);
    }
}

/// The end of a command.
#[derive(Debug)]
pub(crate) struct Done {
    pub condition: Condition,
    /// Behind OK, NO or BAD, with its response code.
    pub text: Cow<'static, str>,
    pub news: News,
}

/// What of other sessions' doings is told before a command's tagged reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum News {
    /// Nothing.
    None,
    /// No EXPUNGE, and only if there is a hint of change: after FETCH, STORE and SEARCH (RFC 9051 §7.5.1).
    Numbered,
    /// Everything, if there is a hint of change: after their UID forms.
    Hinted,
    /// Everything.
    All,
    /// Everything, also where NOTIFY called it off: the command itself changed what the client counts.
    Own,
    /// Everything, and a selected mailbox that is gone is just closed: it was this client who deleted it.
    AfterDelete,
}

impl Done {
    pub fn ok(text: impl Into<Cow<'static, str>>) -> Done {
        Done { condition: Condition::Ok, text: text.into(), news: News::All }
    }

    pub fn no(text: impl Into<Cow<'static, str>>) -> Done {
        Done { condition: Condition::No, text: text.into(), news: News::All }
    }

    pub fn bad(text: impl Into<Cow<'static, str>>) -> Done {
        Done { condition: Condition::Bad, text: text.into(), news: News::None }
    }

    /// RFC 5530: every kind of refusal has its response code.
    pub fn refused(refused: &Refused) -> Done {
        if refused.kind == RefusedKind::BadPart {
            return Done::bad(refused.text.clone());
        }
        Done::no(format!("[{}] {}", code(refused.kind), refused.text))
    }

    /// As [`refused`](Done::refused), for commands that put messages somewhere (RFC 9051 §6.3.12, §6.4.7).
    pub fn refused_target(refused: &Refused) -> Done {
        match refused.kind {
            RefusedKind::NonExistent => Done::no(format!("[TRYCREATE] {}", refused.text)),
            _ => Done::refused(refused),
        }
    }

    pub fn telling(mut self, news: News) -> Done {
        self.news = news;
        self
    }
}

/// The one table from kinds of refusal to response codes (RFC 5530 §3, RFC 9051 §7.1, RFC 6154 §3).
fn code(kind: RefusedKind) -> &'static str {
    match kind {
        RefusedKind::NonExistent => "NONEXISTENT",
        RefusedKind::Expunged => "EXPUNGEISSUED",
        RefusedKind::AlreadyExists => "ALREADYEXISTS",
        RefusedKind::Cannot => "CANNOT",
        RefusedKind::OverQuota => "OVERQUOTA",
        RefusedKind::Metadata => "METADATA TOOMANY",
        RefusedKind::Limit => "LIMIT",
        RefusedKind::AnnotationSize => "ANNOTATE TOOBIG",
        RefusedKind::Annotations => "ANNOTATE TOOMANY",
        RefusedKind::BadPart => "CLIENTBUG",
        RefusedKind::Overflow => "NOTIFICATIONOVERFLOW",
        RefusedKind::NoPerm => "NOPERM",
        RefusedKind::InUse => "INUSE",
        RefusedKind::Unavailable => "UNAVAILABLE",
        RefusedKind::Corrupt => "CORRUPTION",
        RefusedKind::UseAttr => "USEATTR",
        RefusedKind::ServerBug => "SERVERBUG",
    }
}

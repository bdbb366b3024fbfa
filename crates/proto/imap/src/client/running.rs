//! Commands on an open session: how each is said, and what each response means to it.

use super::compose::{Composer, first_set};
use super::fault::{Fault, Refusal};
use super::fetch::{Body, Fetched};
use super::folder::Folder;
use super::login::refusal;
use super::receive::ResponseError;
use super::response::{Capability, Code, Condition, Counts, ListLine, Response, StatusText};
use super::{
    Client, Done, FOLDERS_MAX, Kind, LISTED_MAX, Listed, Mode, NAME_BYTES_MAX, NOISE_BYTES_MAX, Opened,
    Progress, State, Step,
};
use crate::mailbox_name::NameEncoding;
use model::{Uid, UidValidity};

impl Client {
    /// Tells all mailboxes ([`Step::Folder`]). Where the server has no LIST-EXTENDED, subscriptions are to be asked for
    /// with [`Client::subscriptions`]: [`Client::lists_subscriptions`].
    pub fn folders(&mut self) {
        let words = match (self.lists_subscriptions(), self.has(Capability::SpecialUse)) {
            (true, true) => "LIST \"\" \"*\" RETURN (SUBSCRIBED SPECIAL-USE)",
            (true, false) => "LIST \"\" \"*\" RETURN (SUBSCRIBED)",
            (false, _) => "LIST \"\" \"*\"",
        };
        self.command(Kind::Folders { told: 0 }, words);
    }

    /// Whether [`Client::folders`] tells subscriptions, too (RFC 5258).
    pub fn lists_subscriptions(&self) -> bool {
        self.has(Capability::ListExtended)
    }

    /// Tells the mailboxes the user has subscribed to (LSUB, RFC 3501 §6.3.9), existing or not.
    pub fn subscriptions(&mut self) {
        self.command(Kind::Folders { told: 0 }, "LSUB \"\" \"*\"");
    }

    /// Asks where the user's own mailboxes are, and others' (RFC 2342); [`Done::Namespaces`].
    pub fn namespaces(&mut self) {
        self.command(Kind::Namespaces(Vec::new()), "NAMESPACE");
    }

    /// Opens a mailbox by its name as it travels; [`Done::Opened`].
    pub fn open(&mut self, wire_name: &[u8], mode: Mode) {
        let words = match mode {
            Mode::Read => "EXAMINE ",
            Mode::Change => "SELECT ",
        };
        let opened = Opened { is_read_only: mode == Mode::Read, ..Opened::default() };
        self.with_name(Kind::Open(Box::new(opened)), words, wire_name, "");
    }

    /// Asks how many messages a mailbox holds, without opening it; [`Done::Counts`].
    pub fn counts(&mut self, wire_name: &[u8]) {
        let kind = Kind::Counts(Counts::default());
        self.with_name(kind, "STATUS ", wire_name, " (MESSAGES UIDNEXT UIDVALIDITY)");
    }

    /// Tells the messages of the open mailbox from a UID on ([`Step::Listed`]), in no order that could be relied on.
    pub fn listing(&mut self, from: Uid) {
        let from = Uid(from.0.max(1));
        let words = format!("UID FETCH {from}:* (UID FLAGS INTERNALDATE RFC822.SIZE)");
        self.command(Kind::Listing { from, told: 0 }, &words);
    }

    /// Hands messages on ([`Step::Content`], [`Step::Message`]), without setting `\Seen`, in no order that could be relied
    /// on: as many of the first of these, which ascend, as one command can name. Answers how many.
    pub fn messages(&mut self, uids: &[Uid]) -> usize {
        let (set, count) = first_set(uids);
        if count > 0 {
            let awaited = uids[..count].iter().copied().collect();
            self.command(Kind::Messages { awaited }, &format!("UID FETCH {set} (UID BODY.PEEK[])"));
        }
        count
    }

    /// Sets `\Deleted` on a set of [`super::uid_sets`].
    pub fn mark_deleted(&mut self, set: &str) {
        self.command(Kind::Plain, &format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)"));
    }

    /// Removes what is marked within a set (RFC 4315); only where [`Capability::UidPlus`] is, for EXPUNGE alone would
    /// remove what others have marked.
    pub fn expunge(&mut self, set: &str) {
        self.command(Kind::Plain, &format!("UID EXPUNGE {set}"));
    }

    /// Does nothing, but keeps the connection alive.
    pub fn noop(&mut self) {
        self.command(Kind::Plain, "NOOP");
    }

    /// Ends the session politely; while a command runs, or before the session stands: at once.
    pub fn logout(&mut self) {
        match self.state {
            State::Closed(_) => {}
            State::Idle => self.begin(Kind::Logout, "LOGOUT"),
            _ => self.state = State::Closed(Ok(())),
        }
    }

    /// # Panics
    /// While another command runs, or before the session stands: a bug of the caller.
    fn command(&mut self, kind: Kind, words: &str) {
        if self.may_begin() {
            self.begin(kind, words);
        }
    }

    fn with_name(&mut self, kind: Kind, words: &str, wire_name: &[u8], behind: &str) {
        if self.may_begin() {
            let tag = self.next_tag();
            let command = Composer::new(&tag, words).string(wire_name).text(behind);
            self.send(tag, kind, command);
        }
    }

    /// On a connection that has ended the next step says so.
    fn may_begin(&self) -> bool {
        match &self.state {
            State::Idle => true,
            State::Closed(_) => false,
            state => panic!("a command can't begin in {}", state.name()),
        }
    }

    /// A response has come, `bytes` long; answers what is to be told.
    pub(super) fn responded(&mut self, response: Response, bytes: u64) -> Option<Step> {
        match response {
            Response::Tagged { tag, condition, text } => self.tagged(&tag, condition, text),
            Response::Continue(text) => {
                self.continued(&text);
                None
            }
            Response::Status { condition, text } if matches!(self.state, State::Greeting) => {
                self.greeted(condition, text);
                None
            }
            _ if matches!(self.state, State::Greeting) => {
                self.ended(Fault::Garbled(ResponseError::Unexpected));
                None
            }
            Response::Status { condition: Condition::Bye, text } => {
                let is_logout =
                    matches!(&self.state, State::Running(running) if matches!(running.kind, Kind::Logout));
                if !is_logout {
                    self.ended(Fault::Bye(refusal(text)));
                }
                None
            }
            Response::Listed(line) => self.listed_folder(line, bytes),
            Response::Fetch(fetched) => self.fetched(fetched, bytes),
            other => {
                self.noise(bytes);
                self.noted(other);
                None
            }
        }
    }

    /// A response that brings the running command no further.
    fn noise(&mut self, bytes: u64) {
        self.noise_bytes += bytes;
        let most = match self.progress {
            Progress::Greeted => NOISE_BYTES_MAX.0,
            Progress::LoggedIn | Progress::Enabled => NOISE_BYTES_MAX.1,
        };
        if self.noise_bytes > most {
            self.ended(Fault::Garbled(ResponseError::TooLong));
        }
    }

    fn continued(&mut self, text: &[u8]) {
        let State::Running(running) = &mut self.state else {
            return self.ended(Fault::Garbled(ResponseError::Unexpected));
        };
        if let Some(fragment) = running.fragments.pop_front() {
            self.output.extend_from_slice(&fragment);
        } else if matches!(running.kind, Kind::Authenticate(_)) {
            // A server that never stops asking is stopped by the mechanism, or here.
            self.challenged(text);
            self.noise(text.len() as u64 + 1024);
        } else {
            self.ended(Fault::Garbled(ResponseError::Unexpected));
        }
    }

    /// Data that changes what is known of the server or the mailbox.
    fn noted(&mut self, response: Response) {
        match response {
            Response::Capability(capabilities) => return self.capabilities = Some(capabilities),
            Response::Enabled { utf8: true } => return self.names = NameEncoding::Utf8,
            _ => {}
        }
        let State::Running(running) = &mut self.state else { return };
        match (&mut running.kind, response) {
            (Kind::Namespaces(found), Response::Namespace(told)) => *found = told,
            (Kind::Counts(found), Response::StatusOf(told)) => *found = told,
            (Kind::Open(opened), Response::Exists(exists)) => opened.exists = exists,
            (Kind::Open(opened), Response::Flags(flags)) => opened.flags = flags,
            (Kind::Open(opened), Response::Status { text, .. }) => match text.code {
                Some(Code::UidValidity(validity)) => opened.uid_validity = Some(UidValidity(validity)),
                Some(Code::UidNext(next)) => opened.uid_next = Some(Uid(next)),
                Some(Code::HighestModSeq(mod_seq)) => opened.highest_mod_seq = Some(mod_seq),
                Some(Code::PermanentFlags(flags)) => opened.permanent_flags = Some(flags),
                _ => {}
            },
            _ => {}
        }
    }

    fn listed_folder(&mut self, line: ListLine, bytes: u64) -> Option<Step> {
        let State::Running(running) = &mut self.state else {
            self.noise(bytes);
            return None;
        };
        let Kind::Folders { told } = &mut running.kind else {
            self.noise(bytes);
            return None;
        };
        *told += 1;
        if *told > FOLDERS_MAX || line.name.len() > NAME_BYTES_MAX {
            self.ended(Fault::Garbled(ResponseError::TooLong));
            return None;
        }
        self.noise(bytes);
        Some(Step::Folder(Folder::of(line, self.names)))
    }

    fn fetched(&mut self, fetched: Fetched, bytes: u64) -> Option<Step> {
        let kind = match &mut self.state {
            State::Running(running) => Some(&mut running.kind),
            _ => None,
        };
        match (kind, fetched) {
            (
                Some(Kind::Listing { from, told }),
                Fetched { uid: Some(uid), size_bytes: Some(size_bytes), flags, internal_date, .. },
            ) => {
                *told += 1;
                if *told > LISTED_MAX {
                    self.ended(Fault::Garbled(ResponseError::TooLong));
                    return None;
                }
                // RFC 9051 §9 (seq-range): `n:*` means the last message, too, whatever its UID.
                let flags = flags.unwrap_or_default();
                (uid >= *from).then_some(Step::Listed(Listed { uid, flags, internal_date, size_bytes }))
            }
            (Some(Kind::Messages { awaited }), Fetched { uid, body: Some(body), .. }) => {
                // Another message than those asked for, or one again: what was handed on is worth nothing.
                let Some(uid) = uid.filter(|uid| awaited.remove(*uid)) else {
                    self.ended(Fault::Garbled(ResponseError::Unexpected));
                    return None;
                };
                self.message_came(uid, body)
            }
            _ => {
                // Flags that another session has changed (RFC 9051 §7.5.2).
                self.noise(bytes);
                None
            }
        }
    }

    fn message_came(&mut self, uid: Uid, body: Body) -> Option<Step> {
        let bytes = match body {
            Body::Nil => None,
            Body::HandedOn { bytes } => Some(bytes),
            Body::Here(octets) if octets.len() as u64 > self.settings.message_bytes_max => {
                self.ended(Fault::Garbled(ResponseError::MessageTooLong));
                return None;
            }
            Body::Here(octets) if octets.is_empty() => Some(0),
            Body::Here(octets) => {
                self.whole = Some((uid, octets.len() as u64));
                return Some(Step::Content(octets));
            }
        };
        Some(Step::Message { uid, bytes })
    }

    fn tagged(&mut self, tag: &str, condition: Condition, text: StatusText) -> Option<Step> {
        let State::Running(running) = std::mem::replace(&mut self.state, State::Idle) else {
            self.ended(Fault::Garbled(ResponseError::Unexpected));
            return None;
        };
        if running.tag != tag {
            self.ended(Fault::Garbled(ResponseError::Unexpected));
            return None;
        }
        let is_whole = running.fragments.is_empty();
        let done = match (running.kind, condition) {
            (Kind::Logout, _) => {
                self.state = State::Closed(Ok(()));
                return None;
            }
            (
                kind @ (Kind::Capability
                | Kind::StartTls
                | Kind::Authenticate(_)
                | Kind::Login
                | Kind::Enable),
                condition,
            ) => {
                self.opening_answered(kind, condition, text);
                return None;
            }
            (_, Condition::Ok) if !is_whole => {
                self.ended(Fault::Garbled(ResponseError::Unexpected));
                return None;
            }
            (kind, Condition::Ok) => Ok(done(kind, text)),
            (_, condition) => Err(Refusal { is_bad: condition == Condition::Bad, ..refusal(text) }),
        };
        Some(Step::Done(done))
    }
}

/// What a command that has ended well has brought.
fn done(kind: Kind, text: StatusText) -> Done {
    match kind {
        Kind::Folders { .. } => Done::Folders,
        Kind::Namespaces(found) => Done::Namespaces(found),
        Kind::Counts(found) => Done::Counts(found),
        Kind::Listing { .. } => Done::Listing,
        Kind::Messages { .. } => Done::Messages,
        Kind::Open(mut opened) => {
            match text.code {
                Some(Code::ReadOnly) => opened.is_read_only = true,
                Some(Code::ReadWrite) => opened.is_read_only = false,
                _ => {}
            }
            Done::Opened(*opened)
        }
        _ => Done::Nothing,
    }
}

//! What the keys of a search mean: turned into what the store understands, in a mailbox and a charset (RFC 9051 §6.4.4).

use super::news_after;
use crate::ask::Owner;
use crate::command::{self, Numbering, SearchKey};
use crate::mailbox_name::NameEncoding;
use crate::sequence::SequenceSet;
use crate::session::{Core, Done, News};
use crate::view::View;
use crate::write::{email_id_from, thread_id_from};
use model::{AnnotationQuery, Flag, Query, Uid, UidSet, UnixTime};

/// Whether the syntax of a command asks for a charset.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CharsetIs {
    /// SEARCH
    Optional,
    /// SORT, THREAD: there is no other way than to name one.
    Required,
}

/// The charset that the texts of a search are in.
///
/// # Errors
/// The end of the command, if it is none that may be given.
pub(super) fn charset<'s>(
    core: &Core,
    search: &'s command::Search,
    charset_is: CharsetIs,
) -> Result<&'s str, Done> {
    let charset = search.charset.as_deref();
    if let Some(charset) = charset
        && !mime::charset::is_known(charset)
    {
        return Err(bad_charset().telling(news_after(search.numbering)));
    }
    let may_be_named = |charset: &str| {
        charset_is == CharsetIs::Required
            && ["UTF-8", "US-ASCII"].iter().any(|name| charset.eq_ignore_ascii_case(name))
    };
    if core.enabled.utf8 && charset.is_some_and(|charset| !may_be_named(charset)) {
        // RFC 9755 §3: the charset is UTF-8, and naming one may contradict that.
        return Err(Done::bad("CHARSET can't be given after ENABLE UTF8=ACCEPT"));
    }
    let default = if core.enabled.names() == NameEncoding::Utf8 { "UTF-8" } else { "US-ASCII" };
    Ok(charset.unwrap_or(default))
}

/// What may be told after a search.
pub(super) fn news_after_keys(search: &command::Search) -> News {
    // RFC 7162 §3.2.10.2, RFC 9051 §7.5.1: no message may leave while numbers of the criteria are still meant.
    if search.key.holds(&|key| matches!(key, SearchKey::Sequence(_))) {
        News::Numbered
    } else {
        news_after(search.numbering)
    }
}

/// What the store understands of a key.
///
/// # Errors
/// BAD or NO, if it can't be said in this view and charset.
pub(super) fn translated(view: &View, charset: &str, now: i64, key: &SearchKey) -> Result<Query, Done> {
    queried(&Scope::of(view), charset, now, key)
}

/// The same, of any mailbox.
///
/// # Errors
/// As there.
pub(super) fn queried(scope: &Scope<'_>, charset: &str, now: i64, key: &SearchKey) -> Result<Query, Done> {
    Translation { scope, charset, now }.query(key)
}

/// A mailbox as somebody sees it.
pub(super) struct Scope<'a> {
    /// What is counted.
    pub told: &'a UidSet,
    pub recent: &'a UidSet,
    /// What `$` stands for; RFC 5182 §2.1: nothing before anything was saved.
    pub saved: Option<&'a UidSet>,
    pub owner: Owner,
}

impl<'a> Scope<'a> {
    pub(super) fn of(view: &'a View) -> Scope<'a> {
        let saved = view.saved.as_deref();
        Scope { told: view.told(), recent: &view.recent, saved, owner: view.owner }
    }

    /// What a set names. RFC 7377 §2: "as with any SEARCH or UID SEARCH command", a number beyond the last message is no
    /// mistake, but that of no message.
    pub(super) fn within(&self, numbering: Numbering, set: &SequenceSet) -> UidSet {
        set.within(numbering, self.told, self.saved.unwrap_or(&UidSet::new()))
    }
}

/// RFC 9051 §6.4.4: the response code lists what is supported; these are the names that mail uses.
fn bad_charset() -> Done {
    Done::no(
        "[BADCHARSET (US-ASCII UTF-8 ISO-8859-1 ISO-8859-2 ISO-8859-5 ISO-8859-15 KOI8-R KOI8-U WINDOWS-1251 \
         WINDOWS-1252 GB18030 BIG5 SHIFT_JIS ISO-2022-JP EUC-KR)] That charset is not known",
    )
}

/// Turns what the client wrote into what the store understands.
struct Translation<'a> {
    scope: &'a Scope<'a>,
    charset: &'a str,
    now: i64,
}

impl Translation<'_> {
    /// Recursion is as deep as the parser lets a key nest.
    fn query(&self, key: &SearchKey) -> Result<Query, Done> {
        let recent = || Query::Uids(self.scope.recent.clone());
        Ok(match key {
            // RFC 8514 §4.3: true for all messages, since every mailbox here keeps the date.
            SearchKey::All | SearchKey::SaveDateSupported => Query::All,
            SearchKey::Sequence(set) => Query::Uids(self.scope.within(Numbering::Sequence, set)),
            SearchKey::Uid(set) => Query::Uids(self.scope.within(Numbering::Uid, set)),
            SearchKey::UidAfter(uid) => Query::Uids(uid_range(uid.0.saturating_add(1), u32::MAX, *uid)),
            SearchKey::UidBefore(uid) => Query::Uids(uid_range(1, uid.0 - 1, *uid)),
            SearchKey::Flag(flag) => Query::Flag(*flag),
            SearchKey::Keyword(keyword) => Query::Keyword(keyword.clone()),
            SearchKey::Recent => recent(),
            SearchKey::Old => Query::Not(Box::new(recent())),
            SearchKey::New => Query::And(vec![recent(), Query::Not(Box::new(Query::Flag(Flag::Seen)))]),
            SearchKey::Not(key) => Query::Not(Box::new(self.query(key)?)),
            SearchKey::Fuzzy(key) => Query::Fuzzy(Box::new(self.query(key)?)),
            SearchKey::Or(keys) => Query::Or(self.queries(keys)?),
            SearchKey::And(keys) => Query::And(self.queries(keys)?),
            SearchKey::Header { name, text } => Query::Header { name: name.clone(), text: self.text(text)? },
            SearchKey::Body(text) => Query::Body(self.text(text)?),
            SearchKey::Text(text) => Query::Text(self.text(text)?),
            SearchKey::Larger(size) => Query::Larger(*size),
            SearchKey::Smaller(size) => Query::Smaller(*size),
            SearchKey::Date(date, when, day) => Query::Date(*date, *when, *day),
            // RFC 5032 §3: relative to the moment of the command.
            SearchKey::Younger(seconds) => Query::ArrivedFrom(UnixTime(self.now - i64::from(*seconds))),
            SearchKey::Older(seconds) => Query::ArrivedUpTo(UnixTime(self.now - i64::from(*seconds))),
            SearchKey::ModSeq(modseq) => Query::ModSeq(*modseq),
            // RFC 5466: put in before; none is left here.
            SearchKey::Filter(_) => none(),
            // RFC 8474 §5.3: an id that was never given names nothing.
            SearchKey::EmailId(id) => email_id_from(id, self.scope.owner).map_or_else(none, Query::EmailId),
            SearchKey::Annotation { entries, scope, text } => Query::Annotation(AnnotationQuery {
                entries: entries.clone(),
                scope: *scope,
                text: self.text(text)?,
            }),
            SearchKey::ThreadId(id) => {
                thread_id_from(id, self.scope.owner).map_or_else(none, Query::ThreadId)
            }
        })
    }

    fn queries(&self, keys: &[SearchKey]) -> Result<Vec<Query>, Done> {
        keys.iter().map(|key| self.query(key)).collect()
    }

    fn text(&self, bytes: &[u8]) -> Result<String, Done> {
        mime::charset::decode(self.charset, bytes).map(std::borrow::Cow::into_owned).ok_or_else(bad_charset)
    }
}

/// UIDs from `first` to `last`, but never `without`, which lies beside them.
fn uid_range(first: u32, last: u32, without: Uid) -> UidSet {
    let mut uids = UidSet::new();
    if first <= last {
        uids.insert_range(Uid(first), Uid(last));
    }
    uids.remove(without);
    uids
}

fn none() -> Query {
    Query::Uids(UidSet::new())
}

//! SEARCH and ESEARCH (RFC 9051 §6.4.4, RFC 7377, RFC 4731, RFC 5032, RFC 7162, RFC 8474, RFC 8514).

use super::cursor::{Cursor, EmptyList};
use super::mailbox::once_each;
use super::message::{header_name, partial_range};
use super::{FaultKind, Parsed, annotation, date, flags, limits, notify};
use crate::command::{Body, Numbering, Search, SearchKey, SearchReturn, SourceMailboxes};
use model::{DateOf, When};
use model::{Flag, ModSeq, Uid};

/// ```text
/// search         = "SEARCH" [search-return-opts] SP search-program
/// search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)
/// charset        = atom / quoted
/// ```
pub(super) fn search(cursor: &mut Cursor<'_>, numbering: Numbering) -> Parsed<Body> {
    cursor.space()?;
    Ok(Body::Search(options_and_program(cursor, numbering)?))
}

/// ```text
/// esearch             = "ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program
/// esearch-source-opts = "IN" SP "(" source-mbox [SP "(" scope-options ")"] ")"
/// source-mbox         = filter-mailboxes *(SP filter-mailboxes)
/// ```
/// (RFC 7377 §4.) There are no scope options.
pub(super) fn esearch(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    cursor.space()?;
    let mut sources = Vec::new();
    if cursor.eat_word("IN (") {
        loop {
            let start = cursor.at();
            let source = notify::mailboxes(cursor)?;
            if source == SourceMailboxes::SelectedDelayed {
                return cursor.fault(start, FaultKind::Syntax, "which mailboxes");
            }
            if sources.len() >= limits::OPTIONS_MAX {
                return cursor.fault(start, FaultKind::Limit, "fewer kinds of mailboxes");
            }
            sources.push(source);
            if cursor.eat(b')') {
                break;
            }
            cursor.expect(b' ', "a space or )")?;
        }
        cursor.space()?;
    }
    let search = options_and_program(cursor, Numbering::Uid)?;
    Ok(Body::Esearch { sources, search })
}

fn options_and_program(cursor: &mut Cursor<'_>, numbering: Numbering) -> Parsed<Search> {
    let returns = returns(cursor)?;
    let mut charset = None;
    if cursor.eat_word("CHARSET ") {
        charset = Some(cursor.utf8("the name of a charset")?);
        cursor.space()?;
    }
    let start = cursor.at();
    let key = program(cursor)?;
    relevancy_is_fuzzy(cursor, start, returns.as_deref(), &key)?;
    Ok(Search { numbering, returns, charset, key })
}

/// RFC 6203 §4: "The RELEVANCY return option MUST NOT be used unless a FUZZY search key is also given."
pub(super) fn relevancy_is_fuzzy(
    cursor: &Cursor<'_>,
    start: usize,
    returns: Option<&[SearchReturn]>,
    key: &SearchKey,
) -> Parsed<()> {
    let wanted = returns.is_some_and(|returns| returns.contains(&SearchReturn::Relevancy));
    if wanted { is_fuzzy(cursor, start, key) } else { Ok(()) }
}

/// Whether what RELEVANCY needs is there.
pub(super) fn is_fuzzy(cursor: &Cursor<'_>, start: usize, key: &SearchKey) -> Parsed<()> {
    match key.holds(&|key| matches!(key, SearchKey::Fuzzy(_))) {
        true => Ok(()),
        false => cursor.fault(start, FaultKind::Syntax, "a FUZZY search key, for RELEVANCY"),
    }
}

/// The return options with the space behind them, if there are any.
pub(super) fn returns(cursor: &mut Cursor<'_>) -> Parsed<Option<Vec<SearchReturn>>> {
    if !cursor.eat_word("RETURN (") {
        return Ok(None);
    }
    let options = return_options(cursor)?;
    cursor.space()?;
    Ok(Some(options))
}

/// ```text
/// filter-name = 1*<any ATOM-CHAR except "/">          (RFC 5466 §4)
/// ```
fn filter_name(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let start = cursor.at();
    let name = cursor.atom("the name of a filter")?;
    if name.contains('/') || name.len() > limits::METADATA_NAME_BYTES_MAX / 2 {
        return cursor.fault(start, FaultKind::Syntax, "the name of a filter");
    }
    Ok(name.to_owned())
}

/// `search-criteria` of RFC 5466 §4 that stands alone, and how many keys it has.
pub(super) fn criteria(cursor: &mut Cursor<'_>) -> Parsed<(SearchKey, usize)> {
    let mut keys = Keys { count: 0 };
    let mut all = vec![keys.key(cursor, 0)?];
    while cursor.eat(b' ') {
        all.push(keys.key(cursor, 0)?);
    }
    cursor.end()?;
    Ok((both(all), keys.count))
}

/// `search-key *(SP search-key)`
pub(super) fn program(cursor: &mut Cursor<'_>) -> Parsed<SearchKey> {
    let mut keys = Keys { count: 0 };
    let mut all = vec![keys.key(cursor, 0)?];
    while cursor.eat(b' ') {
        all.push(keys.key(cursor, 0)?);
    }
    Ok(both(all))
}

/// ```text
/// search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"
/// search-return-opt  = "MIN" / "MAX" / "ALL" / "COUNT" / "SAVE" / "CONTEXT" / "UPDATE" / "RELEVANCY" /
///                      "UPDATE" [SP] "(" fetch-att *(SP fetch-att) ")"      (RFC 5465 §8)
///                      "PARTIAL" SP partial-range                      (RFC 5267, RFC 6203, RFC 9394)
/// ```
/// The opening parenthesis has been taken.
fn return_options(cursor: &mut Cursor<'_>) -> Parsed<Vec<SearchReturn>> {
    let mut options = Vec::new();
    if cursor.eat(b')') {
        // RFC 4731 §3.1: with an empty list the server answers as if ALL was given.
        return Ok(vec![SearchReturn::All]);
    }
    loop {
        let start = cursor.at();
        options.push(match cursor.word().as_str() {
            "MIN" => SearchReturn::Min,
            "MAX" => SearchReturn::Max,
            "ALL" => SearchReturn::All,
            "COUNT" => SearchReturn::Count,
            "SAVE" => SearchReturn::Save,
            "CONTEXT" => SearchReturn::Context,
            // RFC 5465 §8 has no space before the list, its example in §7 has one.
            "UPDATE" if cursor.eat_word(" (") || cursor.eat(b'(') => {
                SearchReturn::Update(super::notify::items(cursor)?)
            }
            "UPDATE" => SearchReturn::Update(Vec::new()),
            "RELEVANCY" => SearchReturn::Relevancy,
            "PARTIAL" => {
                cursor.space()?;
                SearchReturn::Partial(partial_range(cursor)?)
            }
            _ => return cursor.fault(start, FaultKind::Syntax, "a SEARCH return option"),
        });
        if options.len() > limits::OPTIONS_MAX {
            return cursor.fault(start, FaultKind::Limit, "fewer return options");
        }
        // RFC 9394 §3.1: "a single command MUST NOT contain more than one PARTIAL or ALL search return option".
        let lists = |option: &&SearchReturn| matches!(option, SearchReturn::All | SearchReturn::Partial(_));
        let is_partial = |option: &SearchReturn| matches!(option, SearchReturn::Partial(_));
        if options.iter().any(is_partial) && options.iter().filter(lists).count() > 1 {
            return cursor.fault(start, FaultKind::Syntax, "one PARTIAL or ALL");
        }
        if cursor.eat(b')') {
            return Ok(once_each(options));
        }
        cursor.expect(b' ', "a space or )")?;
    }
}

/// All of these.
fn both(mut keys: Vec<SearchKey>) -> SearchKey {
    if keys.len() > 1 {
        return SearchKey::And(keys);
    }
    keys.pop().unwrap_or(SearchKey::All)
}

/// The opposite; never a Not in a Not.
fn not(key: SearchKey) -> SearchKey {
    match key {
        SearchKey::Not(key) => *key,
        key => SearchKey::Not(Box::new(key)),
    }
}

/// Counts the keys, so that nobody makes millions of them.
struct Keys {
    count: usize,
}

impl Keys {
    /// ```text
    /// search-key = "ALL" / "ANSWERED" / "BCC" SP astring / … / sequence-set / "(" search-key *(SP search-key) ")"
    /// ```
    fn key(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Parsed<SearchKey> {
        self.count += 1;
        if self.count > limits::SEARCH_KEYS_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "fewer search keys");
        }
        if depth > limits::SEARCH_DEPTH_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "search keys nested less deeply");
        }
        match cursor.peek() {
            Some(b'(') => self.list(cursor, depth),
            Some(b'0'..=b'9' | b'*' | b'$') => cursor.sequence_set().map(SearchKey::Sequence),
            _ => {
                let start = cursor.at();
                let name = cursor.word();
                match name.as_str() {
                    "NOT" => self.not(cursor, depth),
                    "FUZZY" => self.fuzzy(cursor, depth),
                    "OR" => self.or(cursor, depth),
                    "ANNOTATION" => annotation::search_key(cursor),
                    name => match plain(name) {
                        Some(key) => Ok(key),
                        None => with_argument(cursor, start, name),
                    },
                }
            }
        }
    }

    fn list(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Parsed<SearchKey> {
        let keys = cursor.list(usize::MAX, EmptyList::Refused, |cursor| self.key(cursor, depth + 1))?;
        Ok(both(keys))
    }

    /// ```text
    /// "NOT" SP search-key
    /// ```
    /// A row of NOTs is no nesting: two of them are none.
    fn not(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Parsed<SearchKey> {
        let mut odd = true;
        cursor.space()?;
        while cursor.eat_word("NOT ") {
            odd = !odd;
        }
        let key = self.key(cursor, depth + 1)?;
        Ok(if odd { not(key) } else { key })
    }

    /// ```text
    /// "FUZZY" SP search-key         (RFC 6203 §7)
    /// ```
    fn fuzzy(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Parsed<SearchKey> {
        cursor.space()?;
        while cursor.eat_word("FUZZY ") {}
        Ok(match self.key(cursor, depth + 1)? {
            key @ SearchKey::Fuzzy(_) => key,
            key => SearchKey::Fuzzy(Box::new(key)),
        })
    }

    /// ```text
    /// "OR" SP search-key SP search-key
    /// ```
    /// ORs directly in ORs are no nesting either: they are read as one with many alternatives.
    fn or(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Parsed<SearchKey> {
        let mut wanted = 2_usize;
        let mut keys = Vec::new();
        while wanted > 0 {
            cursor.space()?;
            if cursor.eat_word("OR") {
                wanted += 1;
                continue;
            }
            match self.key(cursor, depth + 1)? {
                SearchKey::Or(more) => keys.extend(more),
                key => keys.push(key),
            }
            wanted -= 1;
        }
        Ok(SearchKey::Or(keys))
    }
}

/// Keys without argument.
fn plain(name: &str) -> Option<SearchKey> {
    Some(match name {
        "ALL" => SearchKey::All,
        "ANSWERED" => SearchKey::Flag(Flag::Answered),
        "DELETED" => SearchKey::Flag(Flag::Deleted),
        "DRAFT" => SearchKey::Flag(Flag::Draft),
        "FLAGGED" => SearchKey::Flag(Flag::Flagged),
        "SEEN" => SearchKey::Flag(Flag::Seen),
        "UNANSWERED" => not(SearchKey::Flag(Flag::Answered)),
        "UNDELETED" => not(SearchKey::Flag(Flag::Deleted)),
        "UNDRAFT" => not(SearchKey::Flag(Flag::Draft)),
        "UNFLAGGED" => not(SearchKey::Flag(Flag::Flagged)),
        "UNSEEN" => not(SearchKey::Flag(Flag::Seen)),
        "RECENT" => SearchKey::Recent,
        "NEW" => SearchKey::New,
        "OLD" => SearchKey::Old,
        "SAVEDATESUPPORTED" => SearchKey::SaveDateSupported,
        _ => return None,
    })
}

fn with_argument(cursor: &mut Cursor<'_>, start: usize, name: &str) -> Parsed<SearchKey> {
    if let Some((of, when)) = date_key(name) {
        cursor.space()?;
        return Ok(SearchKey::Date(of, when, date::date(cursor)?));
    }
    let known = matches!(
        name,
        "BCC"
            | "CC"
            | "FROM"
            | "SUBJECT"
            | "TO"
            | "HEADER"
            | "BODY"
            | "TEXT"
            | "KEYWORD"
            | "UNKEYWORD"
            | "LARGER"
            | "SMALLER"
            | "UID"
            | "UIDAFTER"
            | "UIDBEFORE"
            | "YOUNGER"
            | "OLDER"
            | "MODSEQ"
            | "EMAILID"
            | "THREADID"
            | "FILTER"
    );
    if !known {
        return cursor.fault(start, FaultKind::Syntax, "a search key");
    }
    cursor.space()?;
    const TEXT: &str = "a text to search for";
    Ok(match name {
        "HEADER" => {
            let name = header_name(cursor)?;
            cursor.space()?;
            SearchKey::Header { name, text: cursor.astring(TEXT)?.into_owned() }
        }
        "BODY" => SearchKey::Body(cursor.astring(TEXT)?.into_owned()),
        "TEXT" => SearchKey::Text(cursor.astring(TEXT)?.into_owned()),
        "KEYWORD" => SearchKey::Keyword(flags::keyword(cursor)?),
        "UNKEYWORD" => not(SearchKey::Keyword(flags::keyword(cursor)?)),
        "LARGER" => SearchKey::Larger(cursor.number64("a number of octets")?),
        "SMALLER" => SearchKey::Smaller(cursor.number64("a number of octets")?),
        "UID" => SearchKey::Uid(cursor.sequence_set()?),
        "UIDAFTER" => SearchKey::UidAfter(Uid(cursor.nz_number("a UID")?)),
        "UIDBEFORE" => SearchKey::UidBefore(Uid(cursor.nz_number("a UID")?)),
        "YOUNGER" => SearchKey::Younger(cursor.nz_number("a number of seconds")?),
        "OLDER" => SearchKey::Older(cursor.nz_number("a number of seconds")?),
        "MODSEQ" => modseq(cursor)?,
        "FILTER" => SearchKey::Filter(filter_name(cursor)?),
        "EMAILID" => SearchKey::EmailId(object_id(cursor)?),
        "THREADID" => SearchKey::ThreadId(object_id(cursor)?),
        field => SearchKey::Header { name: field.to_owned(), text: cursor.astring(TEXT)?.into_owned() },
    })
}

fn date_key(name: &str) -> Option<(DateOf, When)> {
    let (of, when) = match name.strip_prefix("SENT") {
        Some(when) => (DateOf::Sent, when),
        None => match name.strip_prefix("SAVED") {
            Some(when) => (DateOf::Saved, when),
            None => (DateOf::Internal, name),
        },
    };
    let when = match when {
        "BEFORE" => When::Before,
        "ON" => When::On,
        "SINCE" => When::Since,
        _ => return None,
    };
    Some((of, when))
}

/// ```text
/// search-modsequence = "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer
/// entry-name         = DQUOTE "/flags/" attr-flag DQUOTE
/// entry-type-req     = "priv" / "shared" / "all"
/// ```
fn modseq(cursor: &mut Cursor<'_>) -> Parsed<SearchKey> {
    if cursor.peek() == Some(b'"') {
        cursor.string("an entry name")?;
        cursor.space()?;
        if !["PRIV", "SHARED", "ALL"].contains(&cursor.word().as_str()) {
            return cursor.expected("priv, shared or all");
        }
        cursor.space()?;
    }
    Ok(SearchKey::ModSeq(ModSeq(cursor.number64("a modification sequence")?)))
}

/// ```text
/// objectid = 1*255(ALPHA / DIGIT / "_" / "-")         (RFC 8474 §7)
/// ```
fn object_id(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let start = cursor.at();
    let id = cursor.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    match std::str::from_utf8(id) {
        Ok(id) if (1..=255).contains(&id.len()) => Ok(id.to_owned()),
        _ => cursor.fault(start, FaultKind::Syntax, "an object id"),
    }
}

//! Commands about mailboxes: SELECT to APPEND (RFC 9051 §6.3).

use super::cursor::{Cursor, EmptyList};
use super::{FaultKind, Parsed, annotation, date, flags, limits};
use crate::ask::Access;
use crate::command::{
    AppendData, AppendForm, AppendMessage, Body, CatPart, Content, List, ListForm, ListReturn, ListSelect,
    Qresync, StatusItem,
};
use crate::sequence::SequenceSet;
use model::{ModSeq, UidValidity};

pub(super) fn arguments(cursor: &mut Cursor<'_>, name: &str) -> Option<Parsed<Body>> {
    Some(match name {
        "SELECT" => select(cursor, Access::ReadWrite),
        "EXAMINE" => select(cursor, Access::ReadOnly),
        "CREATE" => create(cursor),
        "DELETE" => one_name(cursor).map(Body::Delete),
        "RENAME" => rename(cursor),
        "SUBSCRIBE" => one_name(cursor).map(Body::Subscribe),
        "UNSUBSCRIBE" => one_name(cursor).map(Body::Unsubscribe),
        "LIST" => list(cursor),
        "LSUB" => lsub(cursor),
        "STATUS" => status(cursor),
        "APPEND" => append(cursor),
        "GETQUOTAROOT" => one_name(cursor).map(Body::GetQuotaRoot),
        _ => return None,
    })
}

/// ```text
/// SP mailbox
/// ```
fn one_name(cursor: &mut Cursor<'_>) -> Parsed<String> {
    cursor.space()?;
    cursor.mailbox()
}

/// ```text
/// rename = "RENAME" SP mailbox SP mailbox
/// ```
fn rename(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    let from = one_name(cursor)?;
    let to = one_name(cursor)?;
    Ok(Body::Rename { from, to })
}

/// ```text
/// select        = "SELECT" SP mailbox [select-params]
/// select-params = SP "(" select-param *(SP select-param) ")"      (RFC 4466)
/// select-param  = "CONDSTORE" / "QRESYNC" SP "(" … ")" /          (RFC 7162)
///                 "ANNOTATE"                                      (RFC 5257)
/// ```
fn select(cursor: &mut Cursor<'_>, access: Access) -> Parsed<Body> {
    let mailbox = one_name(cursor)?;
    let mut condstore = false;
    let mut annotate = false;
    let mut qresync = None;
    if cursor.eat(b' ') {
        cursor.list(limits::OPTIONS_MAX, EmptyList::Refused, |cursor| {
            let start = cursor.at();
            match cursor.word().as_str() {
                "CONDSTORE" => condstore = true,
                "ANNOTATE" => annotate = true,
                "QRESYNC" if qresync.is_none() => {
                    cursor.space()?;
                    qresync = Some(Box::new(qresync_parameter(cursor)?));
                }
                _ => return cursor.fault(start, FaultKind::Syntax, "CONDSTORE, ANNOTATE or one QRESYNC"),
            }
            Ok(())
        })?;
    }
    // RFC 7162 §3.2.5: QRESYNC is a CONDSTORE-enabling parameter.
    condstore |= qresync.is_some();
    Ok(Body::Select { mailbox, access, condstore, qresync, annotate })
}

/// ```text
/// "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"
/// seq-match-data = "(" known-sequence-set SP known-uid-set ")"
/// ```
fn qresync_parameter(cursor: &mut Cursor<'_>) -> Parsed<Qresync> {
    cursor.expect(b'(', "(")?;
    let uid_validity = UidValidity(cursor.nz_number("a UIDVALIDITY")?);
    cursor.space()?;
    let start = cursor.at();
    let modseq = ModSeq(cursor.number64("a modification sequence")?);
    if modseq == ModSeq(0) {
        return cursor.fault(start, FaultKind::Syntax, "a modification sequence from 1 on");
    }
    let mut known = Qresync { uid_validity, modseq, known_uids: None, known_pairs: None };
    let mut more = cursor.eat(b' ');
    if more && cursor.peek() != Some(b'(') {
        known.known_uids = Some(fixed_set(cursor)?);
        more = cursor.eat(b' ');
    }
    if more {
        cursor.expect(b'(', "(")?;
        let start = cursor.at();
        let numbers = fixed_set(cursor)?;
        cursor.space()?;
        let uids = fixed_set(cursor)?;
        cursor.expect(b')', ")")?;
        if numbers.count() != uids.count() {
            return cursor.fault(start, FaultKind::Syntax, "as many sequence numbers as UIDs");
        }
        known.known_pairs = Some((numbers, uids));
    }
    cursor.expect(b')', ")")?;
    Ok(known)
}

/// A sequence set without `*` and `$` (RFC 7162 §7).
fn fixed_set(cursor: &mut Cursor<'_>) -> Parsed<SequenceSet> {
    let start = cursor.at();
    let set = cursor.sequence_set()?;
    if set.depends_on_view() {
        return cursor.fault(start, FaultKind::Syntax, "a set without * and $");
    }
    Ok(set)
}

/// ```text
/// create        = "CREATE" SP mailbox [create-params]
/// create-params = SP "(" create-param *(SP create-param) ")"      (RFC 4466)
/// create-param  = "USE" SP "(" [use-attr *(SP use-attr)] ")"      (RFC 6154)
/// ```
fn create(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    let mailbox = one_name(cursor)?;
    let mut special_use = Vec::new();
    if cursor.eat(b' ') {
        cursor.list(1, EmptyList::Refused, |cursor| {
            if !cursor.eat_word("USE ") {
                return cursor.expected("USE");
            }
            special_use = cursor.list(limits::OPTIONS_MAX, EmptyList::Allowed, |cursor| {
                cursor.expect(b'\\', "a special-use attribute")?;
                Ok(format!("\\{}", cursor.atom("a special-use attribute")?))
            })?;
            Ok(())
        })?;
    }
    Ok(Body::Create { mailbox, special_use })
}

/// ```text
/// lsub = "LSUB" SP mailbox SP list-mailbox        (RFC 3501)
/// ```
fn lsub(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    let reference = one_name(cursor)?;
    cursor.space()?;
    let pattern = cursor.list_mailbox()?;
    Ok(Body::Lsub { reference, pattern })
}

/// ```text
/// list             = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
/// mbox-or-pat      = list-mailbox / "(" list-mailbox *(SP list-mailbox) ")"
/// list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
/// ```
fn list(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    cursor.space()?;
    let mut form = ListForm::Basic;
    let mut select = Vec::new();
    if cursor.peek() == Some(b'(') {
        form = ListForm::Extended;
        select = list_select(cursor)?;
        cursor.space()?;
    }
    let reference = cursor.mailbox()?;
    cursor.space()?;
    let patterns = if cursor.peek() == Some(b'(') {
        form = ListForm::Extended;
        cursor.list(limits::PATTERNS_MAX, EmptyList::Refused, Cursor::list_mailbox)?
    } else {
        vec![cursor.list_mailbox()?]
    };
    let mut returns = Vec::new();
    if cursor.eat(b' ') {
        form = ListForm::Extended;
        if !cursor.eat_word("RETURN ") {
            return cursor.expected("RETURN");
        }
        returns = once_each(cursor.list(limits::OPTIONS_MAX, EmptyList::Allowed, list_return)?);
    }
    Ok(Body::List(List { select, reference, patterns, returns, form }))
}

/// ```text
/// list-select-opts = "(" [list-select-opt *(SP list-select-opt)] ")"
/// list-select-opt  = "SUBSCRIBED" / "REMOTE" / "RECURSIVEMATCH" / "SPECIAL-USE"
/// ```
fn list_select(cursor: &mut Cursor<'_>) -> Parsed<Vec<ListSelect>> {
    let start = cursor.at();
    let options = cursor.list(limits::OPTIONS_MAX, EmptyList::Allowed, |cursor| {
        let start = cursor.at();
        Ok(match cursor.word().as_str() {
            "SUBSCRIBED" => ListSelect::Subscribed,
            "REMOTE" => ListSelect::Remote,
            "RECURSIVEMATCH" => ListSelect::RecursiveMatch,
            "SPECIAL-USE" => ListSelect::SpecialUse,
            // RFC 5258 §3: "A server MUST respond to options it does not recognize with a BAD response."
            _ => return cursor.fault(start, FaultKind::Syntax, "a LIST selection option"),
        })
    })?;
    let options = once_each(options);
    let base = options.iter().any(|option| matches!(option, ListSelect::Subscribed | ListSelect::SpecialUse));
    // RFC 5258 §3.1: RECURSIVEMATCH alone, or with REMOTE only, is answered with BAD.
    if options.contains(&ListSelect::RecursiveMatch) && !base {
        return cursor.fault(start, FaultKind::Syntax, "an option such as SUBSCRIBED beside RECURSIVEMATCH");
    }
    Ok(options)
}

/// ```text
/// return-option = "SUBSCRIBED" / "CHILDREN" / "SPECIAL-USE" / "MYRIGHTS" / "STATUS" SP "(" status-att *(SP status-att) ")"
///                 / "METADATA" SP "(" entry *(SP entry) ")"       (RFC 9590)
/// ```
fn list_return(cursor: &mut Cursor<'_>) -> Parsed<ListReturn> {
    let start = cursor.at();
    Ok(match cursor.word().as_str() {
        "SUBSCRIBED" => ListReturn::Subscribed,
        "CHILDREN" => ListReturn::Children,
        "SPECIAL-USE" => ListReturn::SpecialUse,
        "MYRIGHTS" => ListReturn::MyRights,
        "STATUS" => {
            cursor.space()?;
            ListReturn::Status(status_items(cursor)?)
        }
        "METADATA" => {
            cursor.space()?;
            ListReturn::Metadata(super::metadata::entries(cursor)?)
        }
        _ => return cursor.fault(start, FaultKind::Syntax, "a LIST return option"),
    })
}

/// ```text
/// status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
/// ```
fn status(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    let mailbox = one_name(cursor)?;
    cursor.space()?;
    Ok(Body::Status { mailbox, items: status_items(cursor)? })
}

fn status_items(cursor: &mut Cursor<'_>) -> Parsed<Vec<StatusItem>> {
    let items = cursor.list(limits::OPTIONS_MAX, EmptyList::Refused, |cursor| {
        let start = cursor.at();
        let name = cursor.word();
        match StatusItem::EVERY.into_iter().find(|item| item.name() == name) {
            Some(item) => Ok(item),
            None => cursor.fault(start, FaultKind::Syntax, "a STATUS data item"),
        }
    })?;
    Ok(once_each(items))
}

/// RFC 5258 §3: an option given twice counts once.
pub(super) fn once_each<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    let mut once: Vec<T> = Vec::with_capacity(items.len());
    for item in items {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    once
}

/// ```text
/// append         = "APPEND" SP mailbox 1*append-message           (RFC 3502)
/// append-message = [SP flag-list] [SP date-time] [SP att-annotate] SP append-data
/// append-data    = literal / literal8 / "UTF8" SP "(" literal8 ")" / "CATENATE" SP "(" cat-part *(SP cat-part) ")"
/// ```
fn append(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    let mailbox = one_name(cursor)?;
    let mut messages = Vec::new();
    cursor.space()?;
    loop {
        if messages.len() >= limits::APPEND_MESSAGES_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "fewer messages in one APPEND");
        }
        messages.push(append_message(cursor)?);
        if !cursor.eat(b' ') {
            return Ok(Body::Append { mailbox, messages });
        }
    }
}

pub(super) fn append_message(cursor: &mut Cursor<'_>) -> Parsed<AppendMessage> {
    let mut flags = Default::default();
    if cursor.peek() == Some(b'(') {
        flags = flags::flag_list(cursor)?;
        cursor.space()?;
    }
    let mut internal_date = None;
    if cursor.peek() == Some(b'"') {
        internal_date = Some(date::date_time(cursor)?);
        cursor.space()?;
    }
    let mut annotations = Vec::new();
    if cursor.eat_word("ANNOTATION ") {
        annotations = annotation::changes(cursor)?;
        cursor.space()?;
    }
    let data = if cursor.eat_word("CATENATE ") {
        AppendData::Catenate(cursor.list(limits::CATENATE_PARTS_MAX, EmptyList::Refused, cat_part)?)
    } else {
        let (form, content) = append_literal(cursor, "flags in parentheses, a date-time or a literal")?;
        AppendData::Literal(form, content)
    };
    Ok(AppendMessage { flags, internal_date, annotations, data })
}

/// ```text
/// literal / literal8 / "UTF8" SP "(" literal8 ")"
/// ```
fn append_literal(cursor: &mut Cursor<'_>, what: &'static str) -> Parsed<(AppendForm, Content)> {
    let (form, literal) = if cursor.eat_word("UTF8 (") {
        let start = cursor.at();
        let literal = cursor.literal()?;
        if !literal.eight {
            return cursor.fault(start, FaultKind::Syntax, "a literal8");
        }
        cursor.expect(b')', ")")?;
        (AppendForm::Utf8, literal)
    } else if matches!(cursor.peek(), Some(b'{' | b'~')) {
        let literal = cursor.literal()?;
        (if literal.eight { AppendForm::Literal8 } else { AppendForm::Literal }, literal)
    } else {
        return cursor.expected(what);
    };
    Ok((form, Content(literal.bytes.into_owned())))
}

/// ```text
/// cat-part     = text-literal / url / "UTF8" SP "(" literal8 ")"          (RFC 4469 §5, RFC 6855 §4)
/// text-literal = "TEXT" SP literal
/// url          = "URL" SP astring
/// ```
/// A literal8 will do, as in APPEND itself.
fn cat_part(cursor: &mut Cursor<'_>) -> Parsed<CatPart> {
    const WHAT: &str = "TEXT and a literal, or URL and a string";
    if cursor.eat_word("URL ") {
        return Ok(CatPart::Url(cursor.utf8("a URL")?));
    }
    let in_utf8 = matches!(cursor.peek(), Some(b'U' | b'u'));
    if !in_utf8 && !cursor.eat_word("TEXT ") {
        return cursor.expected(WHAT);
    }
    if !in_utf8 && !matches!(cursor.peek(), Some(b'{' | b'~')) {
        return cursor.expected("a literal");
    }
    let (form, content) = append_literal(cursor, WHAT)?;
    Ok(CatPart::Text(form, content))
}

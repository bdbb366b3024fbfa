//! NOTIFY (RFC 5465 §8), and the mailboxes that it shares with ESEARCH (RFC 7377 §4).

use super::cursor::{Cursor, EmptyList};
use super::message::item;
use super::{FaultKind, Parsed, limits};
use crate::command::{Body, EventGroup, FetchItem, Notify, NotifyEvent, SourceMailboxes};

/// ```text
/// notify     = "NOTIFY" SP ("SET" [SP "STATUS"] SP event-group *(SP event-group) / "NONE")
/// ```
pub(super) fn notify(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    cursor.space()?;
    let start = cursor.at();
    match cursor.word().as_str() {
        "NONE" => return Ok(Body::Notify(None)),
        "SET" => {}
        _ => return cursor.fault(start, FaultKind::Syntax, "SET or NONE"),
    }
    cursor.space()?;
    let status = cursor.eat_word("STATUS ");
    let start = cursor.at();
    let mut groups = vec![group(cursor)?];
    while cursor.eat(b' ') {
        if groups.len() >= limits::OPTIONS_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "fewer groups of events");
        }
        groups.push(group(cursor)?);
    }
    let is_selected = |group: &&EventGroup| {
        matches!(group.mailboxes, SourceMailboxes::Selected | SourceMailboxes::SelectedDelayed)
    };
    if groups.iter().filter(is_selected).count() > 1 {
        return cursor.fault(start, FaultKind::Syntax, "one of SELECTED and SELECTED-DELAYED");
    }
    Ok(Body::Notify(Some(Notify { status, groups })))
}

/// ```text
/// event-group = "(" filter-mailboxes SP events ")"
/// events      = ( "(" event *(SP event) ")" ) / "NONE"
/// ```
fn group(cursor: &mut Cursor<'_>) -> Parsed<EventGroup> {
    cursor.expect(b'(', "(")?;
    let mailboxes = mailboxes(cursor)?;
    cursor.space()?;
    let start = cursor.at();
    let events = match cursor.eat_word("NONE") {
        true => Vec::new(),
        false => cursor.list(limits::OPTIONS_MAX, EmptyList::Refused, event)?,
    };
    cursor.expect(b')', ")")?;
    let has = |wanted: fn(&NotifyEvent) -> bool| events.iter().any(wanted);
    let new = has(|event| matches!(event, NotifyEvent::MessageNew(_)));
    let expunge = has(|event| *event == NotifyEvent::MessageExpunge);
    let change = has(|event| matches!(event, NotifyEvent::FlagChange | NotifyEvent::AnnotationChange));
    // RFC 5465 §5: each needs the others, or the answer is BAD.
    if new != expunge || (change && !new) {
        return cursor.fault(start, FaultKind::Syntax, "MessageNew and MessageExpunge together");
    }
    let selected = matches!(mailboxes, SourceMailboxes::Selected | SourceMailboxes::SelectedDelayed);
    // RFC 5465 §6.1; of an event that is not known, §3.1: "the server MUST refuse the command with a tagged NO response (not a
    // BAD)".
    let is_of_mailboxes =
        |event: &NotifyEvent| !event.is_of_messages() && !matches!(event, NotifyEvent::Other(_));
    if selected && has(is_of_mailboxes) {
        return cursor.fault(start, FaultKind::Syntax, "events of messages for the selected mailbox");
    }
    // RFC 5465 §8: "The fetch-att list may only be present for the SELECTED/SELECTED-DELAYED mailbox filter".
    if !selected && has(|event| matches!(event, NotifyEvent::MessageNew(items) if !items.is_empty())) {
        return cursor.fault(start, FaultKind::Syntax, "data items for the selected mailbox only");
    }
    Ok(EventGroup { mailboxes, events })
}

/// ```text
/// filter-mailboxes    = "selected" / "selected-delayed" / "inboxes" / "personal" / "subscribed" /
///                       ("subtree" / "subtree-one" / "mailboxes") SP one-or-more-mailbox
/// one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")"
/// ```
pub(super) fn mailboxes(cursor: &mut Cursor<'_>) -> Parsed<SourceMailboxes> {
    let start = cursor.at();
    Ok(match cursor.word().as_str() {
        "SELECTED" => SourceMailboxes::Selected,
        "SELECTED-DELAYED" => SourceMailboxes::SelectedDelayed,
        "INBOXES" => SourceMailboxes::Inboxes,
        "PERSONAL" => SourceMailboxes::Personal,
        "SUBSCRIBED" => SourceMailboxes::Subscribed,
        "SUBTREE" => SourceMailboxes::Subtree(names(cursor)?),
        "SUBTREE-ONE" => SourceMailboxes::SubtreeOne(names(cursor)?),
        "MAILBOXES" => SourceMailboxes::Mailboxes(names(cursor)?),
        _ => return cursor.fault(start, FaultKind::Syntax, "which mailboxes"),
    })
}

fn names(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    cursor.space()?;
    if cursor.peek() == Some(b'(') {
        return cursor.list(limits::SOURCE_MAILBOXES_MAX, EmptyList::Refused, Cursor::mailbox);
    }
    Ok(vec![cursor.mailbox()?])
}

fn event(cursor: &mut Cursor<'_>) -> Parsed<NotifyEvent> {
    let name = cursor.atom("the name of an event")?;
    let known = NotifyEvent::PLAIN.into_iter().find(|event| event.name().eq_ignore_ascii_case(name));
    if let Some(event) = known {
        return Ok(event);
    }
    if !name.eq_ignore_ascii_case("MessageNew") {
        return Ok(NotifyEvent::Other(name.to_owned()));
    }
    let items = if cursor.eat_word(" (") { items(cursor)? } else { Vec::new() };
    Ok(NotifyEvent::MessageNew(items))
}

/// `fetch-att *(SP fetch-att) ")"`; the opening parenthesis has been taken.
pub(super) fn items(cursor: &mut Cursor<'_>) -> Parsed<Vec<FetchItem>> {
    let mut items = Vec::new();
    loop {
        items.push(item(cursor)?);
        if cursor.eat(b')') {
            return Ok(super::mailbox::once_each(items));
        }
        cursor.expect(b' ', "a space or )")?;
        if items.len() >= limits::FETCH_ITEMS_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "fewer data items");
        }
    }
}

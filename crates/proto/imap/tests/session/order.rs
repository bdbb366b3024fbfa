//! SORT and THREAD as plainly as they can be. Of REFERENCES only what transcripts need: the last reference is the parent,
//! there or not; subjects gather nothing. (The store's tests hold the whole algorithm against the RFC.)

use crate::search::fold;
use crate::world::{Mailbox, Message, NOW, World};
use imap::ask::Answer;
use model::{
    Arrangement, Collation, Comparator, Direction, FlagSet, SortKey, ThreadAlgorithm, ThreadNode, Uid, UidSet,
};
use std::cmp::Reverse;
use std::collections::BTreeMap;

type Mail<'a> = (u32, &'a Message);

fn header(message: &Message, name: &str) -> Vec<u8> {
    mime::header::first(&message.content, name).unwrap_or_default().to_vec()
}

fn sent(message: &Message) -> i64 {
    mime::date::parse(&header(message, "Date")).map_or(message.date, |date| date.unix_seconds)
}

fn subject(message: &Message, by: Collation) -> String {
    fold(&mime::subject::base_subject(&header(message, "Subject")).text, by)
}

fn address(message: &Message, field: &str, display: bool, by: Collation) -> String {
    let value = header(message, field);
    let Some(mailbox) = mime::Addresses::new(&value).mailboxes().next() else { return String::new() };
    let name =
        mailbox.name.as_deref().map(mime::encoded_word::decode).filter(|name| display && !name.is_empty());
    let address = if display { mailbox.address() } else { mailbox.local.to_vec() };
    fold(&name.map_or_else(|| String::from_utf8_lossy(&address).into_owned(), String::from), by)
}

fn key(message: &Message, key: &SortKey, by: Collation) -> (i64, String) {
    match key {
        SortKey::Arrival => (message.date, String::new()),
        SortKey::Date => (sent(message), String::new()),
        SortKey::Annotation(key) => (0, crate::annotations::sorted_by(message, key, by)),
        SortKey::Relevancy => unreachable!("sorted by scores"),
        SortKey::Size => (i64::try_from(message.content.len()).expect("small"), String::new()),
        SortKey::Subject => (0, subject(message, by)),
        SortKey::From => (0, address(message, "From", false, by)),
        SortKey::To => (0, address(message, "To", false, by)),
        SortKey::Cc => (0, address(message, "Cc", false, by)),
        SortKey::DisplayFrom => (0, address(message, "From", true, by)),
        SortKey::DisplayTo => (0, address(message, "To", true, by)),
    }
}

pub fn order(
    mailbox: &Mailbox,
    uids: &UidSet,
    arrangement: &Arrangement,
    comparator: Comparator,
    scores: &BTreeMap<Uid, u8>,
) -> Answer {
    let by = comparator.collation;
    let mut mails: Vec<Mail<'_>> = mailbox
        .messages
        .iter()
        .filter(|(uid, _)| uids.contains(Uid(**uid)))
        .map(|(uid, message)| (*uid, message))
        .collect();
    match arrangement {
        Arrangement::Sorted(criteria) => {
            for criterion in criteria.iter().rev() {
                if criterion.key == SortKey::Relevancy {
                    let score = |mail: &Mail<'_>| i64::from(scores.get(&Uid(mail.0)).copied().unwrap_or(0));
                    let sign = if criterion.direction == Direction::Ascending { -1 } else { 1 };
                    mails.sort_by_key(|mail| sign * score(mail));
                    continue;
                }
                let is_number = matches!(criterion.key, SortKey::Arrival | SortKey::Date | SortKey::Size);
                let plain = if is_number { Direction::Ascending } else { comparator.direction };
                match criterion.direction == plain {
                    true => mails.sort_by_key(|mail| key(mail.1, &criterion.key, by)),
                    false => mails.sort_by_key(|mail| Reverse(key(mail.1, &criterion.key, by))),
                }
            }
            Answer::Sorted(mails.iter().map(|mail| Uid(mail.0)).collect())
        }
        Arrangement::Threaded(algorithm) => {
            mails.sort_by_key(|mail| sent(mail.1));
            let nodes = match algorithm {
                ThreadAlgorithm::OrderedSubject => by_subject(&mails, by),
                ThreadAlgorithm::References | ThreadAlgorithm::Refs => by_parent(&mails),
            };
            Answer::Threaded(nodes)
        }
    }
}

fn by_subject(mails: &[Mail<'_>], by: Collation) -> Vec<ThreadNode> {
    let mut threads: Vec<(String, Vec<u32>)> = Vec::new();
    for (uid, message) in mails {
        let subject = subject(message, by);
        match threads.iter_mut().find(|(known, _)| *known == subject) {
            Some((_, thread)) => thread.push(*uid),
            None => threads.push((subject, vec![*uid])),
        }
    }
    let node = |(at, uid): (usize, &u32)| ThreadNode { uid: Some(Uid(*uid)), depth: u32::from(at > 0) };
    threads.iter().flat_map(|(_, thread)| thread.iter().enumerate().map(node)).collect()
}

fn by_parent(mails: &[Mail<'_>]) -> Vec<ThreadNode> {
    let id = |message: &Message| {
        mime::references::message_id(&header(message, "Message-ID")).map(|id| id.to_vec())
    };
    let parent = |message: &Message| {
        let named = ["References", "In-Reply-To"].map(|field| header(message, field));
        named.iter().find_map(|value| mime::references::message_ids(value).last().map(|id| id.to_vec()))
    };
    let there: Vec<Option<Vec<u8>>> = mails.iter().map(|mail| id(mail.1)).collect();
    let mut orphans: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); mails.len()];
    let mut roots: Vec<Vec<usize>> = Vec::new();
    for (at, mail) in mails.iter().enumerate() {
        let Some(parent) = parent(mail.1) else {
            roots.push(vec![at]);
            continue;
        };
        match there.iter().position(|id| id.as_ref() == Some(&parent)) {
            // Only to older ones, so that there is no loop.
            Some(found) if found < at => children[found].push(at),
            Some(_) => roots.push(vec![at]),
            None => orphans.entry(parent).or_default().push(at),
        }
    }
    roots.extend(orphans.into_values());
    roots.sort();
    let mut nodes = Vec::new();
    for root in roots {
        let depth = u32::from(root.len() > 1);
        if depth > 0 {
            nodes.push(ThreadNode { uid: None, depth: 0 });
        }
        root.into_iter().for_each(|at| list(mails, &children, at, depth, &mut nodes));
    }
    nodes
}

fn list(mails: &[Mail<'_>], children: &[Vec<usize>], at: usize, depth: u32, nodes: &mut Vec<ThreadNode>) {
    nodes.push(ThreadNode { uid: Some(Uid(mails[at].0)), depth });
    children[at].iter().for_each(|child| list(mails, children, *child, depth + 1, nodes));
}

/// Five messages whose order differs by each criterion.
pub fn five(world: &mut World) {
    let inbox = world.find("INBOX").expect("an inbox");
    for (subject, second, from) in [
        ("b", 1, "Carol <zoe@example.test>"),
        ("Re: B", 0, "bob@example.test"),
        ("[list] A", 2, "=?utf-8?q?Carola?= <dave@example.test>"),
        ("Fwd: b", 3, "\"bob z\" <ann@example.test>"),
        ("a", 4, "Zed <Dave@example.test>"),
    ] {
        let text = format!(
            "Date: Tue, 14 Nov 2023 10:00:{second:02} +0000\r\nFrom: {from}\r\nTo: me@example.test\r\n\
             Subject: {subject}\r\n\r\nhello\r\n"
        );
        world.deliver(inbox, text.as_bytes(), FlagSet::NONE, NOW);
    }
}

/// What collations take for the same, or not.
pub fn spellings(world: &mut World) {
    let inbox = world.find("INBOX").expect("an inbox");
    for (second, subject) in
        ["b", "A", "a", "B", "=?utf-8?q?=C3=A9?=", "=?utf-8?q?=C3=89?="].into_iter().enumerate()
    {
        let text = format!(
            "Date: Tue, 14 Nov 2023 10:00:{second:02} +0000\r\nFrom: {subject} <x@example.test>\r\nSubject: {subject}\r\n\r\n\r\n"
        );
        world.deliver(inbox, text.as_bytes(), FlagSet::NONE, NOW);
    }
}

/// The example of RFC 5255 §4.6.
pub fn undecodable(world: &mut World) {
    let inbox = world.find("INBOX").expect("an inbox");
    for word in [
        "=?UTF-8?Q?=D0=C0=D0=BD=D0=B4=D1=80=D0=B5=D0=B9?=",
        "=?UTF-8?Q?=D1=81=D0=95=D0=A0=D0=93=D0=95=D0=99?=",
        "=?UTF-8?Q?=D0=92=D0=B0=D1=81=D0=B8=D0=BB=D0=B8=FF=B9?=",
        "=?KOI8-R?Q?=E1=CC=C5=CB=D3=C5=CA?=",
    ] {
        world.deliver(inbox, format!("Subject: {word}\r\n\r\n").as_bytes(), FlagSet::NONE, NOW);
    }
}

/// The tree of RFC 5256 §4, in the order in which its messages might come, and orphans of one parent.
pub fn conversation(world: &mut World) {
    let inbox = world.find("INBOX").expect("an inbox");
    for (number, references) in [
        (1, ""),
        (2, ""),
        (3, "<2@x>"),
        (4, "<2@x> <3@x>"),
        (5, "<3@x> <4@x>"),
        (6, "<3@x>"),
        (7, "<6@x>"),
        (8, "<7@x>"),
        (9, "<gone@x>"),
        (10, "<1@x> <gone@x>"),
    ] {
        let subject = if number > 4 { "Re: talk" } else { "talk" };
        let text = format!(
            "Date: Tue, 14 Nov 2023 10:00:{number:02} +0000\r\nSubject: {subject}\r\nMessage-ID: <{number}@x>\r\n\
             References: {references}\r\n\r\nhello\r\n"
        );
        world.deliver(inbox, text.as_bytes(), FlagSet::NONE, NOW);
    }
}

//! What SEARCH means, written as directly as it can be.

use crate::world::{Mailbox, Message, NOW};
use model::Uid;
use model::{Collation, DateOf, Query, When};

pub fn names_modseq(query: &Query) -> bool {
    match query {
        Query::ModSeq(_) => true,
        Query::Not(query) | Query::Fuzzy(query) | Query::Collated(_, query) => names_modseq(query),
        Query::And(queries) | Query::Or(queries) => queries.iter().any(names_modseq),
        _ => false,
    }
}

/// What of a text counts.
pub fn fold(text: &str, collation: Collation) -> String {
    match collation {
        Collation::UnicodeCasemap => text.to_uppercase(),
        Collation::AsciiCasemap => text.to_ascii_uppercase(),
        Collation::Octet => text.to_owned(),
    }
}

/// FUZZY here: the last letter of a text does not matter.
fn without_last_letters(query: &Query) -> Query {
    let cut = |text: &String| text.chars().take(text.chars().count().saturating_sub(1)).collect();
    let several = |queries: &Vec<Query>| queries.iter().map(without_last_letters).collect();
    match query {
        Query::Header { name, text } => Query::Header { name: name.clone(), text: cut(text) },
        Query::Body(text) => Query::Body(cut(text)),
        Query::Text(text) => Query::Text(cut(text)),
        Query::Not(query) => Query::Not(Box::new(without_last_letters(query))),
        Query::Fuzzy(query) => without_last_letters(query),
        Query::Collated(by, query) => without_last_letters(query).collated(*by),
        Query::And(queries) => Query::And(several(queries)),
        Query::Or(queries) => Query::Or(several(queries)),
        query => query.clone(),
    }
}

fn is_fuzzy(query: &Query) -> bool {
    match query {
        Query::Fuzzy(_) => true,
        Query::Not(query) | Query::Collated(_, query) => is_fuzzy(query),
        Query::And(queries) | Query::Or(queries) => queries.iter().any(is_fuzzy),
        _ => false,
    }
}

/// Of a FUZZY query, a score that is easy to foresee.
pub fn score(query: &Query, uid: Uid) -> Option<(Uid, u8)> {
    is_fuzzy(query).then_some((uid, (uid.0 % 100 + 1) as u8))
}

pub fn matches(query: &Query, by: Collation, uid: Uid, message: &Message, mailbox: &Mailbox) -> bool {
    let all = |query: &Query| matches(query, by, uid, message, mailbox);
    let holds = |text: &str, wanted: &str| fold(text, by).contains(&fold(wanted, by));
    let header_length = mime::header::header_length(&message.content);
    let header = || mime::text::header_text(&message.content[..header_length]);
    let body = || {
        let structure = mime::parse(&message.content);
        mime::text::body_texts(&structure, 1 << 20).collect::<Vec<_>>().concat()
    };
    // RFC 5255 §4.6: of the texts of transcripts, header fields alone can't be decoded.
    let field_holds = |field: mime::HeaderField<'_>, wanted: &str| match field.comparable() {
        mime::Comparable::Text(text) => holds(&text, wanted),
        mime::Comparable::Octets(octets) => {
            wanted.is_empty() || octets.windows(wanted.len()).any(|octets| octets == wanted.as_bytes())
        }
    };
    match query {
        Query::All => true,
        Query::Uids(uids) => uids.contains(uid),
        Query::Flag(flag) => message.flags.has(*flag),
        Query::Keyword(keyword) => {
            message.keywords.iter().any(|number| mailbox.keywords[usize::from(*number)] == *keyword)
        }
        Query::Not(query) => !all(query),
        Query::Collated(by, query) => matches(query, *by, uid, message, mailbox),
        Query::Fuzzy(query) => all(&without_last_letters(query)),
        Query::And(queries) => queries.iter().all(all),
        Query::Or(queries) => queries.iter().any(all),
        Query::Header { name, text } => {
            mime::header::fields(&message.content).any(|field| field.is(name) && field_holds(field, text))
        }
        Query::Body(text) => holds(&body(), text),
        Query::Text(text) => holds(&header(), text) || holds(&body(), text),
        Query::Larger(size) => message.content.len() as u64 > *size,
        Query::Smaller(size) => (message.content.len() as u64) < *size,
        Query::Date(of, when, day) => {
            let date = match of {
                DateOf::Internal => message.date.div_euclid(86_400),
                DateOf::Saved => NOW.div_euclid(86_400),
                DateOf::Sent => {
                    let Some(date) =
                        mime::header::first(&message.content, "Date").and_then(mime::date::parse)
                    else {
                        return false;
                    };
                    date.day().to_days()
                }
            };
            let day = i64::from(day.0);
            match when {
                When::Before => date < day,
                When::On => date == day,
                When::Since => date >= day,
            }
        }
        Query::ArrivedFrom(time) => message.date >= time.0,
        Query::ArrivedUpTo(time) => message.date <= time.0,
        Query::ModSeq(modseq) => message.modseq >= modseq.0,
        Query::EmailId(id) => message.email == id.0,
        Query::ThreadId(id) => message.email == id.0,
        Query::Annotation(query) => crate::annotations::annotated(message, query, by),
    }
}

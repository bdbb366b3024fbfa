//! The copies that members get: the author's message with the fields of the list (RFC 2369, RFC 2919), and with what is
//! each member's own (RFC 8058).
//!
//! Nothing of the body is changed, and nothing that DKIM signatures usually cover unless the owners want it (subject tag,
//! Reply-To, From), so that they hold at the members'.

use crate::list::List;
use crate::record::Posting;
use mime::build::write_field;

/// Fields of the author's message that copies do not have: other lists' fields, what an earlier delivery wrote, and
/// requests for receipts, which every member would answer.
const LEFT_OUT: [&str; 14] = [
    "Return-Path",
    "List-Id",
    "List-Post",
    "List-Help",
    "List-Owner",
    "List-Subscribe",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Archive",
    "Precedence",
    "Errors-To",
    "Return-Receipt-To",
    "Disposition-Notification-To",
    "X-Confirm-Reading-To",
];

/// What all members' copies have in common.
#[derive(Clone, Debug)]
pub struct Copy {
    common: Vec<u8>,
    unsubscribe: String,
}

/// What is one member's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Personal {
    /// His copy's reverse-path (VERP).
    pub reverse_path: String,
    /// Where he unsubscribes by mail, without being asked back. None: the same copy goes to many.
    pub unsubscribe_address: Option<String>,
    /// Where he unsubscribes with one click (RFC 8058 §3.1).
    pub unsubscribe_url: Option<String>,
}

impl List {
    /// Its identifier (RFC 2919 §2).
    pub fn id(&self) -> String {
        format!("{}.{}", self.address.local.as_str(), self.address.domain.to_ascii())
    }

    /// One of its addresses: `owner`, `unsubscribe+token`, …
    pub fn part(&self, word: &str) -> String {
        format!("{}-{word}@{}", self.address.local.as_str(), self.address.domain.to_ascii())
    }

    /// Its own address, with A-labels.
    pub fn ascii_address(&self) -> String {
        format!("{}@{}", self.address.local.as_str(), self.address.domain.to_ascii())
    }
}

impl Copy {
    /// From the author's message, with or without the Return-Path line of the store.
    pub fn new(list: &List, message: &[u8]) -> Copy {
        let mut common = Vec::with_capacity(message.len() + 1024);
        list_fields(list, &mut common);
        let header = mime::header::header_length(message);
        let mut at = 0;
        let author = list.settings.from_list.then(|| author(message)).flatten();
        for field in mime::header::fields(message) {
            // What is no field stays where it is.
            common.extend_from_slice(&message[at..field.range.start]);
            at = field.range.end;
            if LEFT_OUT.iter().any(|name| field.is(name)) {
                continue;
            }
            if field.is("Subject")
                && let Some(tag) = &list.settings.subject_tag
            {
                tagged(tag, &field, &mut common);
            } else if field.is("Reply-To") && list.settings.reply_to_list {
                // The list's own stands at the top.
            } else if field.is("From")
                && let Some(author) = &author
            {
                let name = format!("{} via {}", author.0, list.settings.name);
                write_field("From", &mime::build::mailbox(&name, &list.ascii_address()), &mut common);
                if !list.settings.reply_to_list && mime::header::first(message, "Reply-To").is_none() {
                    write_field("Reply-To", &author.1, &mut common);
                }
            } else {
                common.extend_from_slice(&message[field.range.clone()]);
            }
        }
        common.extend_from_slice(&message[at..header]);
        common.extend_from_slice(&message[header..]);
        Copy { common, unsubscribe: list.part("unsubscribe") }
    }

    /// The copy as it is stored and queued, with its Return-Path on top.
    pub fn for_member(&self, personal: &Personal) -> Vec<u8> {
        let mut copy = format!("Return-Path: <{}>\r\n", personal.reverse_path).into_bytes();
        let mailto = match &personal.unsubscribe_address {
            Some(address) => format!("<mailto:{}>", address.replace('+', "%2B")),
            None => format!("<mailto:{}>", self.unsubscribe),
        };
        match &personal.unsubscribe_url {
            Some(url) => {
                write_field("List-Unsubscribe", &format!("<{url}>, {mailto}"), &mut copy);
                // RFC 8058 §3.1, §5.
                write_field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click", &mut copy);
            }
            None => write_field("List-Unsubscribe", &mailto, &mut copy),
        }
        copy.extend_from_slice(&self.common);
        copy
    }
}

fn list_fields(list: &List, out: &mut Vec<u8>) {
    let name = &list.settings.name;
    let id = list.id();
    let phrase = mime::encoded_word::encode_phrase(name);
    // RFC 9228, for finding loops.
    write_field("Delivered-To", &list.address.to_string(), out);
    write_field("Precedence", "list", out);
    write_field("List-Id", &format!("{phrase} <{id}>"), out);
    // RFC 2369 §3.4: NO where posting is for owners alone.
    match list.settings.posting {
        Posting::Owners => write_field("List-Post", "NO (announcements)", out),
        _ => write_field("List-Post", &format!("<mailto:{}>", list.ascii_address()), out),
    }
    write_field("List-Help", &format!("<mailto:{}?subject=help>", list.part("request")), out);
    write_field("List-Subscribe", &format!("<mailto:{}>", list.part("subscribe")), out);
    write_field("List-Owner", &format!("<mailto:{}>", list.part("owner")), out);
    if list.settings.reply_to_list {
        write_field("Reply-To", &mime::build::mailbox(name, &list.ascii_address()), out);
    }
}

/// The subject with the tag before it, unless it has it.
fn tagged(tag: &str, field: &mime::header::HeaderField<'_>, out: &mut Vec<u8>) {
    let has = field.text().to_lowercase().contains(&format!("[{}]", tag.to_lowercase()));
    out.extend_from_slice(b"Subject:");
    if !has {
        out.extend_from_slice(format!(" [{tag}]").as_bytes());
        if !field.value.starts_with(b" ") && !field.value.starts_with(b"\t") {
            out.push(b' ');
        }
    }
    out.extend_from_slice(field.value);
    out.extend_from_slice(b"\r\n");
}

/// Name (or address) and mailbox of the author.
fn author(message: &[u8]) -> Option<(String, String)> {
    let value = mime::header::first(message, "From")?;
    let mailbox = mime::address::Addresses::new(value).mailboxes().next()?;
    let address = String::from_utf8(mailbox.address()).ok()?;
    let address = model::EmailAddress::parse(&address).ok()?.to_string();
    let name = mailbox.name.as_deref().map(|name| mime::encoded_word::decode(name).into_owned());
    let name = name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| address.clone());
    Some((name.clone(), mime::build::mailbox(&name, &address)))
}

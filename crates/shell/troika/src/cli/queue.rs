//! The queue for eyes: a line a message, times as they are said.

use crate::operations::now;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An entry of `troika queue list` in a few columns.
pub(super) fn brief(entry: &Value) -> Value {
    let recipients = entry["recipients"].as_array().map(Vec::as_slice).unwrap_or_default();
    let open = |one: &&Value| matches!(one["state"].as_str(), Some("queued" | "held"));
    let shown = recipients.iter().find(open).or(recipients.first()).unwrap_or(&Value::Null);
    let more = recipients.iter().filter(open).count().saturating_sub(1);
    let to = shown["address"].as_str().unwrap_or("-");
    let next = match shown["state"].as_str() {
        Some("queued") => Value::from(ahead(shown["next_attempt"].as_i64().unwrap_or(0))),
        _ => shown["state"].clone(),
    };
    let sender = entry["reverse_path"].as_str().filter(|sender| !sender.is_empty());
    json!({
        "id": entry["id"],
        "age": span(now().0 - entry["received"].as_i64().unwrap_or(0)),
        "size": entry["size"],
        "from": sender.unwrap_or("<>"),
        "to": if more > 0 { format!("{to} and {more} more") } else { to.to_owned() },
        "attempts": shown["attempts"],
        "next": next,
        "last_reply": shown["last_reply"],
    })
}

/// A row of `troika queue history` with its time as people write it.
pub(super) fn dated(row: &Value) -> Value {
    let mut row = row.clone();
    let at = row["at"].as_i64().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    if let Some(text) = at.and_then(|at| at.format(&Rfc3339).ok()) {
        row["at"] = text.into();
    }
    row
}

pub(super) fn ahead(at: i64) -> String {
    let seconds = at - now().0;
    if seconds <= 0 { "now".to_owned() } else { format!("in {}", span(seconds)) }
}

/// In the largest unit of which there are two.
fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{} s", seconds.max(0)),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_next() {
        let recipient = |address, state, next: i64| {
            json!({ "address": address, "state": state, "attempts": 2, "next_attempt": now().0 + next,
                    "last_reply": "451 later" })
        };
        let mut entry = json!({
            "id": "0000000A", "reverse_path": "", "received": now().0 - 7300, "size": 5,
            "recipients": [recipient("a@x.test", "delivered", 0), recipient("b@x.test", "queued", 605),
                           recipient("c@x.test", "held", 0)],
        });
        let brief = super::brief(&entry);
        assert_eq!((&brief["from"], &brief["age"]), (&json!("<>"), &json!("2 h")));
        assert_eq!((&brief["to"], &brief["next"]), (&json!("b@x.test and 1 more"), &json!("in 10 min")));
        entry["recipients"][1]["state"] = "held".into();
        assert_eq!(super::brief(&entry)["next"], "held");
        assert_eq!([span(-5), span(119), span(7199), span(172_800)], ["0 s", "119 s", "119 min", "2 d"]);
    }
}

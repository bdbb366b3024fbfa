//! Unsubscribing over HTTP (RFC 8058): the mail program sends a POST to the URL in List-Unsubscribe; a person who opens it
//! sees a page with a button. Nothing but a POST unsubscribes: programs that look at links must not.

use super::letters::{Done, follow_up};
use crate::world::World;
use ::lists::{Language, List};
use rewriting::Purpose;
use std::sync::Arc;

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// Status code.
    pub status: u16,
    /// HTML.
    pub html: String,
}

/// The answer to a request for `/unsubscribe/token`: to a POST with that body (RFC 8058 §3.2), or to a GET (None).
pub async fn unsubscribe_page(world: &Arc<World>, token: &str, posted: Option<&[u8]>) -> Page {
    let keys = world.policy.read().rewriting.keys.clone();
    let Some([list, member]) = keys.open(Purpose::Unsubscribe, token, |_: &[u32; 2]| Some(String::new()))
    else {
        return page(404, Language::En, "Not found", "This link is damaged or was not made here.", "");
    };
    let found = (world.lists.list(list), world.lists.member_by_number(list, member));
    let (Ok(list), Ok(member)) = found else {
        return page(503, Language::En, "Try again later", "The server can't look this up now.", "");
    };
    let Some(list) = list else {
        return page(404, Language::En, "Not found", "There is no such mailing list any more.", "");
    };
    let language = list.settings.language;
    let Some(member) = member else { return gone(&list) };
    let Some(body) = posted else {
        let form = "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
                    <button type=\"submit\">BUTTON</button></form>";
        let (title, text, button) = match language {
            Language::En => {
                let text = format!("Shall {} get no more messages of {}?", member.address, list.address);
                ("Unsubscribe", text, "Unsubscribe")
            }
            Language::Ru => {
                let text =
                    format!("Больше не присылать на {} письма рассылки {}?", member.address, list.address);
                ("Отписаться", text, "Отписаться")
            }
        };
        return page(200, language, title, &text, &form.replace("BUTTON", button));
    };
    if !is_one_click(body) {
        return page(400, language, "Bad request", "List-Unsubscribe=One-Click was expected.", "");
    }
    match world.lists.leave(list.number, member.number).await {
        Ok(left) => {
            tracing::info!(list = %list.address, member = %member.address, left, "unsubscribed over http");
            let done = Done::default();
            if left {
                done.left(list.number, &member.address);
            }
            follow_up(world, &done).await;
            gone(&list)
        }
        Err(error) => {
            tracing::warn!(%error, "nobody could be unsubscribed");
            page(503, language, "Try again later", "The server can't write this down now.", "")
        }
    }
}

/// RFC 8058 §3.2: the value of List-Unsubscribe-Post, as application/x-www-form-urlencoded or multipart/form-data.
fn is_one_click(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let encoded = text.split('&').any(|pair| pair.trim() == "List-Unsubscribe=One-Click");
    encoded || (text.contains("name=\"List-Unsubscribe\"") && text.contains("One-Click"))
}

fn gone(list: &List) -> Page {
    match list.settings.language {
        Language::En => {
            let text = format!("You get no more messages of {}.", list.address);
            page(200, Language::En, "Unsubscribed", &text, "")
        }
        Language::Ru => {
            let text = format!("Вы больше не получаете писем рассылки {}.", list.address);
            page(200, Language::Ru, "Вы отписаны", &text, "")
        }
    }
}

fn page(status: u16, language: Language, title: &str, text: &str, form: &str) -> Page {
    let code = match language {
        Language::En => "en",
        Language::Ru => "ru",
    };
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let html = format!(
        "<!doctype html><html lang=\"{code}\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\"><title>{title}</title><h1>{title}</h1>\
         <p>{text}</p>{form}</html>\n"
    );
    Page { status, html }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_rfc_8058_count_and_nothing_else() {
        assert!(is_one_click(b"List-Unsubscribe=One-Click"));
        assert!(is_one_click(b"a=b&List-Unsubscribe=One-Click\r\n"));
        // RFC 8058 §8.3
        let multipart =
            b"--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--";
        assert!(is_one_click(multipart));
        for other in [&b""[..], b"List-Unsubscribe=", b"One-Click", b"x=List-Unsubscribe", b"\xff"] {
            assert!(!is_one_click(other));
        }
    }

    #[test]
    fn pages_show_text_as_text() {
        let page = page(200, Language::Ru, "T", "<a@x.test> & \"b\"", "");
        assert!(
            page.html.contains("&lt;a@x.test&gt; &amp; &quot;b&quot;") && page.html.contains("lang=\"ru\"")
        );
    }
}

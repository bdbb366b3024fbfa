//! The part for people: what happened, why, what to do.

use super::{Action, Language, Report, Reported, Returned, one_line, text_part};
use mime::{build, encoded_word, header};
use std::fmt::Write;

/// Text of which more would not help.
const SUBJECT_CHARACTERS_MAX: usize = 200;

impl Language {
    fn choose<'a>(self, english: &'a str, russian: &'a str) -> &'a str {
        match self {
            Language::English => english,
            Language::Russian => russian,
        }
    }
}

/// In whose name a report comes.
pub(super) fn name(language: Language) -> &'static str {
    language.choose("Mail Delivery System", "Служба доставки почты")
}

/// The report's own subject.
pub(super) fn subject(language: Language, action: Action) -> &'static str {
    match action {
        Action::Failed => language.choose(
            "Undelivered mail: it could not be delivered to all recipients",
            "Письмо не доставлено: получить его смогли не все",
        ),
        Action::Delayed => language.choose(
            "Delayed mail: it is still being tried, you need not send it again",
            "Письмо задерживается: доставка продолжается, отправлять снова не нужно",
        ),
        Action::Delivered => language
            .choose("Delivered mail: the confirmation you asked for", "Письмо доставлено: подтверждение"),
        Action::Relayed => language.choose(
            "Relayed mail: the next server has it and confirms nothing more",
            "Письмо передано дальше: следующий сервер ничего больше не подтверждает",
        ),
        Action::Expanded => language
            .choose("Expanded mail: it goes on to several addresses", "Письмо разослано по списку адресов"),
    }
}

// Writing to a String can't fail, so the results of `write!` are dropped below.

/// The whole part.
pub(super) fn part(report: &Report<'_>) -> Vec<u8> {
    let language = report.language;
    let mut text = String::new();
    let _ = write!(
        text,
        "{} {}.\r\n\r\n",
        language.choose("This is the mail server", "Это сообщение почтового сервера"),
        report.hostname
    );
    about(report, &mut text);
    for action in [Action::Failed, Action::Delayed, Action::Delivered, Action::Relayed, Action::Expanded] {
        let those: Vec<&Reported> = report.recipients.iter().filter(|one| one.action == action).collect();
        if those.is_empty() {
            continue;
        }
        let _ = write!(text, "{}\r\n\r\n", opening(language, action));
        for one in those {
            recipient(language, one, &mut text);
        }
        closing(report, action, &mut text);
    }
    let returned = match report.returned {
        Returned::Header(_) => {
            language.choose("The header of your message is attached.", "Заголовок вашего письма приложен.")
        }
        Returned::Message(_) => language.choose("Your message is attached.", "Ваше письмо приложено."),
        Returned::Beginning(_) => language.choose(
            "The beginning of your message is attached; it is too large to be returned whole.",
            "Приложено начало вашего письма; целиком оно слишком велико.",
        ),
    };
    let _ = write!(text, "{returned}\r\n");
    text_part(&text)
}

/// Which message this is about.
fn about(report: &Report<'_>, text: &mut String) {
    let language = report.language;
    let header = report.returned.header();
    let subject = header::first(header, "Subject")
        .map(|value| one_line(&encoded_word::decode(&header::unfold(value))))
        .filter(|subject| !subject.is_empty());
    if let Some(subject) = subject {
        let short: String = subject.chars().take(SUBJECT_CHARACTERS_MAX).collect();
        let _ = write!(text, "{} {short}\r\n", language.choose("Your message:", "Ваше письмо:"));
    }
    let _ = write!(
        text,
        "{} {}\r\n\r\n",
        language.choose("Accepted:", "Принято:"),
        build::date_time(report.received.0, 0)
    );
}

fn opening(language: Language, action: Action) -> &'static str {
    match action {
        Action::Failed => language
            .choose("Your message was not delivered to:", "Ваше письмо не доставлено следующим получателям:"),
        Action::Delayed => language.choose(
            "Your message has not been delivered yet to:",
            "Ваше письмо пока не доставлено следующим получателям:",
        ),
        Action::Delivered => language
            .choose("Your message is in the mailbox of:", "Ваше письмо лежит в почтовом ящике получателей:"),
        Action::Relayed => language.choose(
            "Your message was handed over to the next mail server, which does not confirm deliveries, for:",
            "Ваше письмо передано следующему серверу, который не подтверждает доставку, для получателей:",
        ),
        Action::Expanded => language.choose(
            "Your message goes on to the several addresses that stand behind:",
            "Ваше письмо разослано по нескольким адресам, которые стоят за адресом:",
        ),
    }
}

fn closing(report: &Report<'_>, action: Action, text: &mut String) {
    let language = report.language;
    let sentence = match action {
        Action::Failed => language.choose(
            "Nobody tries any more for the recipients named here; nothing is said of others.",
            "Доставка этим получателям прекращена; об остальных здесь ничего не сказано.",
        ),
        Action::Delayed => language.choose(
            "You need not do anything; the server tries again by itself.",
            "Вам ничего не нужно делать: сервер повторит попытки сам.",
        ),
        Action::Delivered => language
            .choose("This says nothing of whether it was read.", "Это не значит, что письмо прочитано."),
        Action::Relayed => language.choose(
            "If it fails later, that server tells you.",
            "Если доставка не удастся, тот сервер сообщит вам об этом.",
        ),
        Action::Expanded => language.choose(
            "You are told of none of them, unless delivery fails.",
            "О каждом из них вам не сообщат, кроме случаев неудачи.",
        ),
    };
    let _ = write!(text, "{sentence}\r\n");
    if let (Action::Delayed, Some(until)) = (action, report.retry_until) {
        let _ = write!(
            text,
            "{} {}\r\n",
            language.choose("It gives up at", "Попытки прекратятся"),
            build::date_time(until.0, 0)
        );
    }
    text.push_str("\r\n");
}

fn recipient(language: Language, one: &Reported, text: &mut String) {
    let _ = write!(text, "  <{}>\r\n", one_line(&one.recipient));
    if let Some(original) = one.original.as_ref().filter(|original| original.address != one.recipient) {
        let _ = write!(
            text,
            "    {} <{}>\r\n",
            language.choose("to which you wrote as", "вы писали на адрес"),
            one_line(&original.address)
        );
    }
    if matches!(one.action, Action::Failed | Action::Delayed)
        && let Some(why) = reason(language, &one.status)
    {
        let _ = write!(text, "    {why}\r\n");
    }
    let reply = one_line(&one.reply);
    match &one.remote {
        _ if reply.is_empty() => {}
        Some(remote) => {
            let said = language.choose("said:", "ответил:");
            let _ = write!(text, "    {} {said} {reply}\r\n", one_line(remote));
        }
        None => drop(write!(text, "    {reply}\r\n")),
    }
    text.push_str("\r\n");
}

/// What the enhanced status code means and what helps (RFC 3463 and its registry; RFC 7505 §4.2, RFC 6531 §3.5,
/// RFC 8689 §4.2.1).
fn reason(language: Language, status: &str) -> Option<&'static str> {
    let (_, detail) = status.split_once('.')?;
    let (english, russian) = match detail {
        "1.1" | "1.3" | "1.6" => (
            "There is no such address; look for a mistype in it.",
            "Такого адреса нет; проверьте, нет ли в нём опечатки.",
        ),
        "1.2" => (
            "There is no such domain, or no mail server for it; look for a mistype in it.",
            "Такого домена нет или у него нет почтового сервера; проверьте, нет ли опечатки.",
        ),
        "1.10" => ("This domain takes no mail at all.", "Этот домен вообще не принимает почту."),
        "2.1" => ("This mailbox takes no mail now.", "Этот почтовый ящик сейчас не принимает почту."),
        "2.2" => (
            "The mailbox is full; its owner has to make room.",
            "Почтовый ящик переполнен; место должен освободить его владелец.",
        ),
        "2.3" | "3.4" => (
            "The message is too large; send it in parts, or as a link.",
            "Письмо слишком большое; отправьте его частями или ссылкой.",
        ),
        "4.1" | "4.2" | "4.5" => (
            "The server of this domain can't be reached or is overloaded.",
            "Сервер этого домена недоступен или перегружен.",
        ),
        "4.3" | "4.4" => {
            ("The server of this domain could not be found.", "Сервер этого домена не удалось найти.")
        }
        "4.6" => (
            "The message went round in circles; the administrators have to look at that.",
            "Письмо ходит по кругу; этим должны заняться администраторы.",
        ),
        "4.7" => (
            "It could not be delivered in all the time there was for it.",
            "Доставить письмо за отведённое время не удалось.",
        ),
        "6.7" | "6.8" | "6.9" => (
            "The next server can't take addresses or headers that are not ASCII; write to another address.",
            "Следующий сервер не принимает адреса и заголовки не на латинице; напишите на другой адрес.",
        ),
        "6.1" | "6.2" | "6.3" => (
            "The next server can't take the form that this message has.",
            "Следующий сервер не принимает письма в такой форме.",
        ),
        "7.4" | "7.10" | "7.30" => (
            "The encryption that is demanded could not be had, so the message was not handed over.",
            "Требуемое шифрование невозможно, поэтому письмо не было передано.",
        ),
        _ if detail.starts_with("7.") => (
            "The server refuses this message by its rules; ask its postmaster why.",
            "Сервер отказывает в приёме по своим правилам; спросите о причине его администратора.",
        ),
        _ => return None,
    };
    Some(language.choose(english, russian))
}

//! What a list writes to people, in English and Russian: questions whether they want to subscribe, answers, notices to
//! the owners. All with a null reverse-path and marked as automatic (RFC 3834 §5), so that no two machines talk to each
//! other.

use crate::list::List;
use crate::record::Language;
use mime::build::{date_time, mailbox, write_field};
use model::{EmailAddress, UnixTime};

/// What is to be said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Words<'a> {
    /// Do you want to subscribe? Answer to this address.
    ConfirmJoin(&'a str),
    /// Do you want to unsubscribe? Write to this address.
    ConfirmLeave(&'a str),
    /// You are a member; here you leave.
    Welcome(&'a str),
    /// You are none any more.
    Goodbye,
    /// You are none: nothing was done.
    NoMember,
    /// The owners alone make members.
    Closed,
    /// How the list is used.
    Help,
    /// To the owners: a message waits.
    Held {
        /// Its reverse-path.
        from: &'a str,
        /// Its subject.
        subject: &'a str,
        /// Why.
        reason: &'a str,
        /// Write there to let it go.
        approve: &'a str,
        /// Write there to throw it away.
        discard: &'a str,
    },
    /// To the owners: this member gets nothing more, his address bounces.
    Suspended(&'a str),
    /// To the author: your message was not let through. Its subject, and why.
    Rejected(&'a str, &'a str),
}

/// A message of the list itself.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// Which list writes.
    pub list: &'a List,
    /// To whom.
    pub to: &'a EmailAddress,
    /// What.
    pub words: Words<'a>,
    /// When.
    pub now: UnixTime,
    /// What stands before the @ in Message-ID: unlike any other.
    pub id: &'a str,
}

/// Writes a letter as a message, Return-Path on top.
pub fn write(letter: &Letter<'_>) -> Vec<u8> {
    let Letter { list, to, words, now, id } = letter;
    let (subject, text) = match list.settings.language {
        Language::En => english(list, *words),
        Language::Ru => russian(list, *words),
    };
    let mut out = b"Return-Path: <>\r\n".to_vec();
    write_field("Date", &date_time(now.0, 0), &mut out);
    write_field("From", &mailbox(&list.settings.name, &list.part("owner")), &mut out);
    write_field("To", &to.to_string(), &mut out);
    if let Words::ConfirmJoin(answer) | Words::ConfirmLeave(answer) = words {
        write_field("Reply-To", answer, &mut out);
    }
    write_field("Subject", &mime::encoded_word::encode(&subject), &mut out);
    write_field("Message-ID", &format!("<{id}@{}>", list.address.domain.to_ascii()), &mut out);
    write_field("Auto-Submitted", "auto-generated", &mut out);
    write_field("MIME-Version", "1.0", &mut out);
    write_field("Content-Type", "text/plain; charset=utf-8", &mut out);
    let encoding = if text.is_ascii() { "7bit" } else { "8bit" };
    write_field("Content-Transfer-Encoding", encoding, &mut out);
    out.extend_from_slice(b"\r\n");
    // What others wrote may hold line ends of its own.
    for line in text.lines() {
        out.extend_from_slice(line.trim_end_matches('\r').as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Somebody else's words within a line.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

fn english(list: &List, words: Words<'_>) -> (String, String) {
    let address = &list.address;
    let leave = list.part("unsubscribe");
    match words {
        Words::ConfirmJoin(answer) => (
            format!("Please confirm: subscribe to {address}"),
            format!(
                "Somebody, maybe you, asked to subscribe this address to the mailing list {address}.\n\nIf you \
                 want that, answer this message; nothing need stand in it. It goes to\n  {answer}\n\nIf not, do \
                 nothing: you will not hear of it again.\n"
            ),
        ),
        Words::ConfirmLeave(answer) => (
            format!("Please confirm: unsubscribe from {address}"),
            format!(
                "Somebody, maybe you, asked to unsubscribe this address from the mailing list {address}.\n\nIf you \
                 want that, answer this message; nothing need stand in it. It goes to\n  {answer}\n\nIf not, do \
                 nothing.\n"
            ),
        ),
        Words::Welcome(leave) => (
            format!("Welcome to {address}"),
            format!(
                "You are subscribed to the mailing list {address}.\n\nWrite to {address} to reach its members.\nTo \
                 unsubscribe, send any message to\n  {leave}\n"
            ),
        ),
        Words::Goodbye => (
            format!("Unsubscribed from {address}"),
            format!("You are no longer subscribed to the mailing list {address}.\n"),
        ),
        Words::NoMember => (
            format!("Not subscribed to {address}"),
            format!(
                "The address that you wrote from is not subscribed to {address}, so it can't be unsubscribed.\nWrite \
                 from the address under which you get its messages, or to {}.\n",
                list.part("owner")
            ),
        ),
        Words::Closed => (
            format!("Subscribing to {address}"),
            format!("The owners of {address} decide who is subscribed. Write to {}.\n", list.part("owner")),
        ),
        Words::Help => (
            format!("How to use {address}"),
            format!(
                "{} <{address}> is a mailing list.\n\nTo subscribe, write to   {}\nTo unsubscribe, to       {leave}\nTo \
                 reach its owners, to  {}\n\nThe messages may be empty; you will be asked to confirm.\n",
                list.settings.name,
                list.part("subscribe"),
                list.part("owner")
            ),
        ),
        Words::Held { from, subject, reason, approve, discard } => (
            format!("{address}: a message waits for you"),
            format!(
                "A message to {address} waits: {reason}.\n\n  From:    {}\n  Subject: {}\n\nTo let it go to the \
                 members, send any message to\n  {approve}\nTo throw it away, to\n  {discard}\n",
                shown(from),
                shown(subject)
            ),
        ),
        Words::Suspended(member) => (
            format!("{address}: {} bounces", shown(member)),
            format!(
                "Messages of {address} to {} came back on several days. That address gets no more of them until it is \
                 subscribed again.\n",
                shown(member)
            ),
        ),
        Words::Rejected(subject, reason) => (
            format!("Your message to {address} was not accepted"),
            format!(
                "The owners of {address} did not let your message through.\n\n  Subject: {}\n  Reason:  {}\n",
                shown(subject),
                shown(reason)
            ),
        ),
    }
}

fn russian(list: &List, words: Words<'_>) -> (String, String) {
    let address = &list.address;
    let leave = list.part("unsubscribe");
    match words {
        Words::ConfirmJoin(answer) => (
            format!("Подтвердите подписку на {address}"),
            format!(
                "Кто-то, возможно вы, попросил подписать этот адрес на рассылку {address}.\n\nЕсли вы этого хотите, \
                 ответьте на это письмо; писать в нём ничего не нужно. Ответ уйдёт на адрес\n  {answer}\n\nЕсли нет, \
                 ничего не делайте: больше мы вас не побеспокоим.\n"
            ),
        ),
        Words::ConfirmLeave(answer) => (
            format!("Подтвердите отписку от {address}"),
            format!(
                "Кто-то, возможно вы, попросил отписать этот адрес от рассылки {address}.\n\nЕсли вы этого хотите, \
                 ответьте на это письмо; писать в нём ничего не нужно. Ответ уйдёт на адрес\n  {answer}\n\nЕсли нет, \
                 ничего не делайте.\n"
            ),
        ),
        Words::Welcome(leave) => (
            format!("Вы подписаны на {address}"),
            format!(
                "Вы подписаны на рассылку {address}.\n\nЧтобы написать её участникам, пишите на {address}.\nЧтобы \
                 отписаться, отправьте любое письмо на адрес\n  {leave}\n"
            ),
        ),
        Words::Goodbye => {
            (format!("Вы отписаны от {address}"), format!("Вы больше не подписаны на рассылку {address}.\n"))
        }
        Words::NoMember => (
            format!("Вы не подписаны на {address}"),
            format!(
                "Адрес, с которого вы написали, не подписан на {address}, отписывать нечего.\nНапишите с того адреса, на \
                 который приходит рассылка, или на {}.\n",
                list.part("owner")
            ),
        ),
        Words::Closed => (
            format!("Подписка на {address}"),
            format!("На {address} подписывают её владельцы. Напишите на {}.\n", list.part("owner")),
        ),
        Words::Help => (
            format!("Как пользоваться рассылкой {address}"),
            format!(
                "{} <{address}>: рассылка.\n\nПодписаться: {}\nОтписаться: {leave}\nВладельцы: {}\n\nПисьма могут быть \
                 пустыми; вас попросят подтвердить.\n",
                list.settings.name,
                list.part("subscribe"),
                list.part("owner")
            ),
        ),
        Words::Held { from, subject, reason, approve, discard } => (
            format!("{address}: письмо ждёт вашего решения"),
            format!(
                "Письмо для {address} ждёт вашего решения ({}).\n\n  От:   {}\n  Тема: {}\n\nЧтобы пропустить его, отправьте \
                 любое письмо на адрес\n  {approve}\nЧтобы выбросить, на\n  {discard}\n",
                if reason.contains("moderated") {
                    "рассылка модерируется"
                } else {
                    "автор не подписан"
                },
                shown(from),
                shown(subject)
            ),
        ),
        Words::Suspended(member) => (
            format!("{address}: письма для {} возвращаются", shown(member)),
            format!(
                "Письма {address} для {} возвращались несколько дней. Этот адрес их больше не получает, пока не подпишется \
                 снова.\n",
                shown(member)
            ),
        ),
        Words::Rejected(subject, reason) => (
            format!("Ваше письмо в {address} не принято"),
            format!(
                "Владельцы {address} не пропустили ваше письмо.\n\n  Тема:    {}\n  Причина: {}\n",
                shown(subject),
                shown(reason)
            ),
        ),
    }
}

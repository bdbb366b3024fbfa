//! Response codes, and the text behind `+OK` and `-ERR` in English and Russian (RFC 6856 §3).

use std::io::Write as _;

use crate::maildrop_view::Totals;

/// A response code (RFC 2449 §8, RFC 3206, RFC 6856 §5), without its brackets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Code {
    Auth,
    SysTemp,
    SysPerm,
    InUse,
    LoginDelay,
    Utf8,
}

impl Code {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Code::Auth => "AUTH",
            Code::SysTemp => "SYS/TEMP",
            Code::SysPerm => "SYS/PERM",
            Code::InUse => "IN-USE",
            Code::LoginDelay => "LOGIN-DELAY",
            Code::Utf8 => "UTF8",
        }
    }
}

/// Language of the texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Lang {
    #[default]
    English,
    Russian,
}

impl Lang {
    pub(crate) const EVERY: [Lang; 2] = [Lang::English, Lang::Russian];

    /// Language tag (RFC 5646).
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Lang::English => "en",
            Lang::Russian => "ru",
        }
    }

    /// Its name in itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Lang::English => "English",
            Lang::Russian => "Русский",
        }
    }

    /// The language of a range, by lookup (RFC 4647 §3.4: `ru-RU` gets `ru`). `*` is the operator's, English.
    pub(crate) fn matching(range: &str) -> Option<Lang> {
        if range == "*" {
            return Some(Lang::English);
        }
        let primary = range.split('-').next().unwrap_or(range);
        Lang::EVERY.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }
}

/// What is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Text<'a> {
    Nothing,
    SendPass,
    MaildropHas { account: &'a str, totals: Totals },
    Reset(Totals),
    ListFollows(Totals),
    UidlFollows,
    Octets(u32),
    TopFollows,
    Deleted(u32),
    SigningOff { hostname: &'a str },
    SigningOffWith { hostname: &'a str, left: u32 },
    CapabilitiesFollow,
    MechanismsFollow,
    BeginTls,
    Utf8On,
    LanguagesFollow,
    LanguageChanged,
    Help,
    UnknownCommand,
    BadArguments,
    BadEncoding,
    LineTooLong,
    BareEnding,
    LogInFirst,
    OnlyBeforeLogIn,
    NotWithoutTls,
    NotOffered,
    UserFirst,
    WrongPassword,
    Forbidden,
    LogInUnavailable,
    InUse,
    LoginDelay,
    MaildropUnavailable,
    MaildropBroken,
    NoSuchMessage { count: u32 },
    AlreadyDeleted(u32),
    Gone,
    Unreadable,
    Damaged,
    NeedsUtf8,
    NotRemoved,
    Cancelled,
    BadResponse,
    UnknownMechanism,
    TlsActive,
    NoTls,
    StlsAfterUtf8,
    UnknownLanguage,
    TooManyErrors,
    GoingDown,
    NoXtnd,
}

impl Text<'_> {
    /// Appends the text.
    pub(crate) fn push(self, lang: Lang, out: &mut Vec<u8>) {
        match lang {
            Lang::English => self.push_english(out),
            Lang::Russian => self.push_russian(out),
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    fn push_english(self, out: &mut Vec<u8>) {
        let text = match self {
            Text::MaildropHas { account, totals: Totals { messages, octets } } => {
                let _ =
                    write!(out, "{account}'s maildrop has {messages} {} ({octets} octets)", noun(messages));
                return;
            }
            Text::Reset(Totals { messages, octets }) => {
                let _ = write!(out, "maildrop has {messages} {} ({octets} octets)", noun(messages));
                return;
            }
            Text::ListFollows(Totals { messages, octets }) => {
                let _ = write!(out, "{messages} {} ({octets} octets)", noun(messages));
                return;
            }
            Text::Octets(octets) => {
                let _ = write!(out, "{octets} octets");
                return;
            }
            Text::Deleted(msg) => {
                let _ = write!(out, "message {msg} deleted");
                return;
            }
            Text::SigningOff { hostname } => {
                let _ = write!(out, "{hostname} POP3 server signing off");
                return;
            }
            Text::SigningOffWith { hostname, left: 0 } => {
                let _ = write!(out, "{hostname} POP3 server signing off (maildrop empty)");
                return;
            }
            Text::SigningOffWith { hostname, left } => {
                let _ = write!(out, "{hostname} POP3 server signing off ({left} {} left)", noun(left));
                return;
            }
            Text::NoSuchMessage { count } => {
                let _ = write!(out, "no such message, only {count} {} in maildrop", noun(count));
                return;
            }
            Text::AlreadyDeleted(msg) => {
                let _ = write!(out, "message {msg} already deleted");
                return;
            }
            Text::Nothing => "",
            Text::SendPass => "now PASS",
            Text::UidlFollows => "unique-id listing follows",
            Text::TopFollows => "top of message follows",
            Text::CapabilitiesFollow => "capability list follows",
            Text::MechanismsFollow => "mechanisms follow",
            Text::BeginTls => "begin TLS negotiation",
            Text::Utf8On => "UTF-8 enabled",
            Text::LanguagesFollow => "language listing follows",
            Text::LanguageChanged => "language changed",
            Text::Help => {
                "USER PASS APOP AUTH STLS UTF8 CAPA LANG STAT LIST UIDL RETR TOP DELE LAST NOOP RSET HELP QUIT; \
                 CAPA tells more"
            }
            Text::UnknownCommand => "unknown command",
            Text::BadArguments => "wrong arguments",
            Text::BadEncoding => "not UTF-8 text",
            Text::LineTooLong => "line too long",
            Text::BareEnding => "lines end with CRLF, nothing else",
            Text::LogInFirst => "log in first",
            Text::OnlyBeforeLogIn => "only before log-in",
            Text::NotWithoutTls => "no passwords in clear: start TLS first",
            Text::NotOffered => "not offered here",
            Text::UserFirst => "USER comes first",
            Text::WrongPassword => "wrong name or password",
            Text::Forbidden => "this account or password is not for POP3",
            Text::LogInUnavailable => "no log-ins now, try again later",
            Text::InUse => "another POP3 session has the maildrop",
            Text::LoginDelay => "too short a time since the last log-in",
            Text::MaildropUnavailable => "the maildrop can't be opened now, try again later",
            Text::MaildropBroken => "the maildrop can't be opened, ask the operator",
            Text::Gone => "the message was removed by another session",
            Text::Unreadable => "the message can't be read now, try again later",
            Text::Damaged => "the message is damaged, ask the operator",
            Text::NeedsUtf8 => "the message has UTF-8 in its header: use UTF8",
            Text::NotRemoved => "some deleted messages not removed",
            Text::Cancelled => "cancelled",
            Text::BadResponse => "the response is not what the mechanism wants",
            Text::UnknownMechanism => "no such mechanism",
            Text::TlsActive => "TLS is active already",
            Text::NoTls => "no TLS here",
            Text::StlsAfterUtf8 => "STLS comes before UTF8",
            Text::UnknownLanguage => "no such language",
            Text::TooManyErrors => "too many errors, closing",
            Text::GoingDown => "the server is going down, nothing was deleted",
            Text::NoXtnd => "no XTND: send mail by SMTP submission",
        };
        out.extend_from_slice(text.as_bytes());
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    fn push_russian(self, out: &mut Vec<u8>) {
        let text = match self {
            Text::MaildropHas { account, totals: Totals { messages, octets } } => {
                let _ = write!(out, "в ящике {account} писем: {messages} (октетов: {octets})");
                return;
            }
            Text::Reset(Totals { messages, octets }) | Text::ListFollows(Totals { messages, octets }) => {
                let _ = write!(out, "писем: {messages} (октетов: {octets})");
                return;
            }
            Text::Octets(octets) => {
                let _ = write!(out, "октетов: {octets}");
                return;
            }
            Text::Deleted(msg) => {
                let _ = write!(out, "письмо {msg} удалено");
                return;
            }
            Text::SigningOff { hostname } => {
                let _ = write!(out, "{hostname} прощается");
                return;
            }
            Text::SigningOffWith { hostname, left } => {
                let _ = write!(out, "{hostname} прощается (осталось писем: {left})");
                return;
            }
            Text::NoSuchMessage { count } => {
                let _ = write!(out, "нет такого письма, всего их {count}");
                return;
            }
            Text::AlreadyDeleted(msg) => {
                let _ = write!(out, "письмо {msg} уже удалено");
                return;
            }
            Text::Nothing => "",
            Text::SendPass => "теперь PASS",
            Text::UidlFollows => "далее список идентификаторов",
            Text::TopFollows => "далее начало письма",
            Text::CapabilitiesFollow => "далее список возможностей",
            Text::MechanismsFollow => "далее список механизмов",
            Text::BeginTls => "начинайте TLS",
            Text::Utf8On => "UTF-8 включён",
            Text::LanguagesFollow => "далее список языков",
            Text::LanguageChanged => "язык изменён",
            Text::Help => {
                "USER PASS APOP AUTH STLS UTF8 CAPA LANG STAT LIST UIDL RETR TOP DELE LAST NOOP RSET HELP QUIT; \
                 подробнее: CAPA"
            }
            Text::UnknownCommand => "неизвестная команда",
            Text::BadArguments => "неверные аргументы",
            Text::BadEncoding => "это не текст в UTF-8",
            Text::LineTooLong => "слишком длинная строка",
            Text::BareEnding => "строка кончается на CRLF и ничем иным",
            Text::LogInFirst => "сначала нужно войти",
            Text::OnlyBeforeLogIn => "только до входа",
            Text::NotWithoutTls => "пароль без шифрования не принимается: сначала TLS",
            Text::NotOffered => "здесь этого нет",
            Text::UserFirst => "сначала USER",
            Text::WrongPassword => "неверное имя или пароль",
            Text::Forbidden => "эта учётная запись или пароль не для POP3",
            Text::LogInUnavailable => "вход сейчас невозможен, попробуйте позже",
            Text::InUse => "ящик занят другим сеансом POP3",
            Text::LoginDelay => "слишком рано после прошлого входа",
            Text::MaildropUnavailable => "ящик сейчас не открыть, попробуйте позже",
            Text::MaildropBroken => "ящик не открыть, обратитесь к администратору",
            Text::Gone => "письмо удалено в другом сеансе",
            Text::Unreadable => "письмо сейчас не прочесть, попробуйте позже",
            Text::Damaged => "письмо повреждено, обратитесь к администратору",
            Text::NeedsUtf8 => "в заголовке письма UTF-8: нужна команда UTF8",
            Text::NotRemoved => "не все отмеченные письма удалены",
            Text::Cancelled => "отменено",
            Text::BadResponse => "ответ не такой, какого ждёт механизм",
            Text::UnknownMechanism => "нет такого механизма",
            Text::TlsActive => "TLS уже включён",
            Text::NoTls => "здесь нет TLS",
            Text::StlsAfterUtf8 => "STLS идёт до UTF8",
            Text::UnknownLanguage => "нет такого языка",
            Text::TooManyErrors => "слишком много ошибок, конец связи",
            Text::GoingDown => "сервер останавливается, ничего не удалено",
            Text::NoXtnd => "XTND нет: письма отправляются по SMTP",
        };
        out.extend_from_slice(text.as_bytes());
    }
}

fn noun(count: u32) -> &'static str {
    if count == 1 { "message" } else { "messages" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_looked_up() {
        assert_eq!(Lang::matching("RU"), Some(Lang::Russian));
        assert_eq!(Lang::matching("ru-RU"), Some(Lang::Russian));
        assert_eq!(Lang::matching("*"), Some(Lang::English));
        assert_eq!(Lang::matching("rus"), None);
        assert_eq!(Lang::matching(""), None);
    }
}

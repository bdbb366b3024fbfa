//! The language of texts for people (RFC 5255 §3): English, and Russian for clients that ask for it.
//!
//! The commands say what they say in English; what becomes a response is looked up here on its way out, behind its
//! response code. A text that the table does not have stays English, which RFC 5255 §3.2 allows as little as a wrong
//! one would help: so every text of a command that succeeds or is refused for a reason a person can act on is here.

use std::borrow::Cow;

/// A language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Language {
    /// RFC 2277 §4.5: what everybody may be expected to understand; English here.
    #[default]
    Default,
    English,
    Russian,
}

impl Language {
    /// All of them, as LANGUAGE lists them.
    pub(crate) const EVERY: [Language; 3] = [Language::Default, Language::English, Language::Russian];

    /// Its tag (RFC 5646).
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Language::Default => "i-default",
            Language::English => "en",
            Language::Russian => "ru",
        }
    }

    /// The language for a range (RFC 4647 §3.4, lookup: `ru-RU` gets `ru`); `default` is the operator's choice (RFC 5255
    /// §3.2), who has none yet.
    pub(crate) fn matching(range: &str) -> Option<Language> {
        if range.eq_ignore_ascii_case("default") || range == "*" {
            return Some(Language::Default);
        }
        let is = |tag: &str| {
            range.len() >= tag.len()
                && range.as_bytes()[..tag.len()].eq_ignore_ascii_case(tag.as_bytes())
                && matches!(range.as_bytes().get(tag.len()), None | Some(b'-'))
        };
        Language::EVERY.into_iter().find(|language| is(language.tag()))
    }

    /// A text with its response code, in this language.
    pub(crate) fn text(self, english: &str) -> Cow<'_, str> {
        if self != Language::Russian {
            return Cow::Borrowed(english);
        }
        // RFC 9051 §9: resp-text = ["[" resp-text-code "]" SP] text
        let split = if english.starts_with('[') { english.find("] ").map_or(0, |at| at + 2) } else { 0 };
        let (code, words) = english.split_at(split);
        match russian(words) {
            Some(words) => Cow::Owned([code, &words].concat()),
            None => Cow::Borrowed(english),
        }
    }
}

fn russian(words: &str) -> Option<String> {
    RUSSIAN.iter().find_map(|(english, russian)| match english.split_once('*') {
        None => (*english == words).then(|| (*russian).to_owned()),
        Some((before, behind)) => {
            let varying = words.strip_prefix(before)?.strip_suffix(behind)?;
            Some(russian.replace('*', varying))
        }
    })
}

/// English and Russian; `*` stands for the one part that varies, a name or a number. The first that fits counts.
const RUSSIAN: &[(&str, &str)] = &[
    // Success.
    ("* completed", "Команда * выполнена"),
    ("IDLE terminated", "Ожидание IDLE закончено"),
    ("Done", "Готово"),
    ("Begin TLS negotiation now", "Начинайте согласование TLS"),
    ("DEFLATE active", "Сжатие DEFLATE включено"),
    ("Now speaking English", "Ответы теперь на английском"),
    ("Now speaking Russian", "Ответы теперь на русском"),
    ("Supported languages have been listed", "Поддерживаемые языки перечислены"),
    ("No matching messages, so nothing done", "Подходящих писем нет, ничего не сделано"),
    ("Logging out", "До свидания"),
    // The selected mailbox.
    ("The mailbox selected before is closed", "Выбранный прежде ящик закрыт"),
    ("Message * is the first unseen", "Письмо * — первое непрочитанное"),
    ("UIDs are valid", "Номера UID действительны"),
    ("Predicted next UID", "Ожидаемый следующий UID"),
    ("Highest modification sequence", "Наибольший номер изменения"),
    ("Modification sequences are told from now on", "Номера изменений сообщаются с этого времени"),
    ("Id of this mailbox", "Идентификатор этого ящика"),
    ("Mechanisms for URLAUTH", "Способы для URLAUTH"),
    ("Preparing the messages for this order", "Письма готовятся к этому порядку"),
    ("The active comparator has been told", "Действующее правило сравнения названо"),
    ("Will use * for collation", "Тексты теперь сравниваются по *"),
    ("There is no such comparator", "Такого правила сравнения нет"),
    ("Flags permitted", "Допустимые флаги"),
    ("Read-only mailbox", "Ящик только для чтения"),
    ("Moved UIDs", "Номера UID перенесённых писем"),
    ("Replacement message ready", "Письмо на замену готово"),
    ("Processed *% of the messages", "Обработано *% писем"),
    ("Searching mailboxes", "Идёт поиск в ящиках"),
    ("The selected mailbox has been deleted", "Выбранный ящик удалён"),
    ("You may not read the selected mailbox any more", "Выбранный ящик вам больше нельзя читать"),
    ("That result is not kept up to date", "Этот результат не обновляется"),
    ("Too much has happened; ask again with NOTIFY", "Произошло слишком многое, повторите команду NOTIFY"),
    // Log-in.
    ("Wrong name or password", "Неверное имя или пароль"),
    ("The token is not good for this account", "Токен не подходит к этой учётной записи"),
    ("The certificate names no account", "В сертификате нет здешней учётной записи"),
    ("This account may not use IMAP", "Этой учётной записи IMAP не разрешён"),
    (
        "Accounts can't be looked up now, try again later",
        "Учётные записи сейчас недоступны, попробуйте позже",
    ),
    ("Start TLS before sending a password", "Прежде чем посылать пароль, включите TLS"),
    ("That mechanism is not supported", "Этот механизм не поддерживается"),
    ("That mechanism is not supported on this connection", "Этот механизм недоступен в этом соединении"),
    ("AUTHENTICATE cancelled", "Вход отменён"),
    ("That is not base64", "Это не base64"),
    ("The mechanism's rules were broken", "Нарушены правила механизма"),
    ("TLS is already active", "TLS уже включён"),
    ("STARTTLS is not available here", "STARTTLS здесь недоступен"),
    // The wrong time.
    ("* is not allowed after the log-in", "Команда * недопустима после входа"),
    ("* needs a log-in first", "Для команды * сначала нужен вход"),
    ("* needs a selected mailbox", "Для команды * нужен выбранный ящик"),
    ("* is not in IMAP4rev2", "В IMAP4rev2 этого нет: *"),
    ("No mailbox is selected", "Ящик не выбран"),
    ("DONE was expected", "Ожидалось DONE"),
    ("DEFLATE is active already", "Сжатие DEFLATE уже включено"),
    ("DEFLATE is the only algorithm", "Есть только алгоритм DEFLATE"),
    ("That language is not supported", "Этот язык не поддерживается"),
    // Refusals.
    ("Nobody in particular may only read here", "Без имени здесь можно только читать"),
    ("nobody in particular may only read here", "Без имени здесь можно только читать"),
    ("The mailbox is selected read-only", "Ящик открыт только для чтения"),
    ("INBOX is always there", "INBOX есть всегда"),
    ("There is no such message", "Такого письма нет"),
    ("There is no such quota root", "Такого корня квот нет"),
    ("there is no such mailbox", "Такого ящика нет"),
    ("there is already a mailbox of that name", "Ящик с таким именем уже есть"),
    ("another mailbox has that special use", "Это особое назначение уже у другого ящика"),
    ("the account's quota would be exceeded", "Квота учётной записи была бы превышена"),
    ("limit reached: *", "Достигнут предел: *"),
    ("there is no such message", "Такого письма нет"),
    ("Some of the messages no longer exist", "Некоторых из писем уже нет"),
    ("The messages no longer exist", "Этих писем уже нет"),
    ("Some messages can't be read", "Некоторые письма не читаются"),
    ("The message with UID * can't be read", "Письмо с UID * не читается"),
    ("Limits are set by the operator", "Ограничения задаёт администратор"),
    ("The message is larger than this server takes", "Письмо больше, чем принимает этот сервер"),
    ("The message, encoded, is larger than this server takes", "В закодированном виде письмо слишком велико"),
    ("An empty message is no message", "Пустое письмо — не письмо"),
    ("The patterns are too long", "Шаблоны слишком длинны"),
    ("Too many messages", "Слишком много писем"),
    ("Only a part of the messages was worked on", "Обработана лишь часть писем"),
    ("A mailbox can have one special use", "Особое назначение у ящика может быть одно"),
    ("That special use is not known", "Такое особое назначение неизвестно"),
    ("Internal error", "Внутренняя ошибка"),
    // Farewells.
    ("Server is shutting down", "Сервер останавливается"),
    ("Autologout; silent for too long", "Слишком долгое молчание, соединение закрывается"),
    ("No log-in came in time", "Вход не был выполнен вовремя"),
    ("Too many errors", "Слишком много ошибок"),
    ("Too much of a refused command", "Отвергнутая команда слишком длинна"),
    ("What came is not DEFLATE", "Полученное не сжато алгоритмом DEFLATE"),
    // Malformed commands; the place is told behind.
    ("unknown command at *", "Неизвестная команда: *"),
    ("expected *", "Ожидалось: *"),
    ("line too long", "Слишком длинная строка"),
    ("command too long", "Слишком длинная команда"),
    ("message too big", "Слишком большое письмо"),
    ("NUL in a command", "В команде есть NUL"),
    (
        "bare CR or LF in a line, lines end with CRLF",
        "В строке одиночный CR или LF; строки оканчиваются на CRLF",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_looked_up() {
        for (range, language) in [
            ("ru", Some(Language::Russian)),
            ("RU-RU", Some(Language::Russian)),
            ("en-CA", Some(Language::English)),
            ("i-default", Some(Language::Default)),
            ("default", Some(Language::Default)),
            ("*", Some(Language::Default)),
            ("rus", None),
            ("r", None),
            ("", None),
            ("русский", None),
        ] {
            assert_eq!(Language::matching(range), language, "{range}");
        }
    }

    #[test]
    fn codes_and_what_varies_stay() {
        let russian = |text: &'static str| Language::Russian.text(text).into_owned();
        assert_eq!(
            russian("[CAPABILITY IMAP4rev1] LOGIN completed"),
            "[CAPABILITY IMAP4rev1] Команда LOGIN выполнена"
        );
        assert_eq!(russian("[NONEXISTENT] There is no such message"), "[NONEXISTENT] Такого письма нет");
        assert_eq!(russian("what nobody has translated"), "what nobody has translated");
        assert_eq!(Language::English.text("IDLE terminated"), "IDLE terminated");
    }

    #[test]
    fn each_row_varies_in_one_place_and_fits_on_a_line() {
        for (english, russian) in RUSSIAN {
            assert_eq!(english.matches('*').count(), russian.matches('*').count(), "{english}");
            assert!(english.matches('*').count() <= 1, "{english}");
            // RFC 5255 §3.5: UTF8-TEXT-CHAR has no control characters and no opening bracket.
            assert!(!russian.contains(|c: char| c.is_control() || c == '['), "{russian}");
        }
    }
}

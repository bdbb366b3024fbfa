//! What folders with a special use are called by servers and clients that don't say so (RFC 6154).

use model::SpecialUse;

/// Names in lower case, by use.
const NAMES: [(SpecialUse, &[&str]); 5] = [
    (
        SpecialUse::Sent,
        &[
            "sent",
            "sent items",
            "sent messages",
            "sent mail",
            "sent-mail",
            "sentmail",
            "gesendet",
            "gesendete objekte",
            "gesendete elemente",
            "gesendete nachrichten",
            "отправленные",
            "отправленное",
            "надіслані",
            "відправлені",
            "envoyés",
            "éléments envoyés",
            "messages envoyés",
            "enviados",
            "elementos enviados",
            "mensajes enviados",
            "itens enviados",
            "inviata",
            "posta inviata",
            "inviati",
            "verzonden",
            "verzonden items",
            "verzonden berichten",
            "wysłane",
            "elementy wysłane",
            "odeslané",
            "odeslaná pošta",
            "skickat",
            "sendt",
            "sendte elementer",
            "lähetetyt",
            "gönderilmiş öğeler",
            "gönderilenler",
            "已发送",
            "送信済み",
            "보낸 편지함",
        ],
    ),
    (
        SpecialUse::Drafts,
        &[
            "drafts",
            "draft",
            "entwürfe",
            "entwurf",
            "черновики",
            "чернетки",
            "brouillons",
            "borradores",
            "rascunhos",
            "bozze",
            "concepten",
            "szkice",
            "kopie robocze",
            "koncepty",
            "rozepsané",
            "utkast",
            "kladder",
            "luonnokset",
            "taslaklar",
            "草稿",
            "草稿箱",
            "下書き",
            "임시 보관함",
        ],
    ),
    (
        SpecialUse::Junk,
        &[
            "junk",
            "spam",
            "junk mail",
            "junk e-mail",
            "junk email",
            "bulk mail",
            "bulk",
            "spamverdacht",
            "unerwünscht",
            "junk-e-mail",
            "спам",
            "нежелательная почта",
            "небажана пошта",
            "courrier indésirable",
            "indésirables",
            "pourriel",
            "correo no deseado",
            "lixo eletrônico",
            "lixo electrónico",
            "posta indesiderata",
            "ongewenste e-mail",
            "ongewenst",
            "wiadomości-śmieci",
            "nevyžádaná pošta",
            "nevyžádaná",
            "skräppost",
            "søppelpost",
            "uønsket e-mail",
            "roskaposti",
            "gereksiz",
            "önemsiz",
            "垃圾邮件",
            "迷惑メール",
            "스팸",
        ],
    ),
    (
        SpecialUse::Trash,
        &[
            "trash",
            "deleted items",
            "deleted messages",
            "deleted",
            "bin",
            "wastebasket",
            "papierkorb",
            "mülleimer",
            "gelöscht",
            "gelöschte objekte",
            "gelöschte elemente",
            "удаленные",
            "удалённые",
            "корзина",
            "кошик",
            "видалені",
            "corbeille",
            "éléments supprimés",
            "papelera",
            "elementos eliminados",
            "lixeira",
            "lixo",
            "itens excluídos",
            "cestino",
            "posta eliminata",
            "prullenbak",
            "verwijderde items",
            "kosz",
            "elementy usunięte",
            "koš",
            "odstraněná pošta",
            "papperskorgen",
            "borttaget",
            "papirkurv",
            "slettede elementer",
            "roskakori",
            "poistetut",
            "çöp kutusu",
            "silinmiş öğeler",
            "已删除",
            "ゴミ箱",
            "휴지통",
        ],
    ),
    (
        SpecialUse::Archive,
        &[
            "archive",
            "archives",
            "archiv",
            "архив",
            "архів",
            "archivo",
            "archivados",
            "arquivo",
            "archivio",
            "archief",
            "archiwum",
            "arkiv",
            "arkisto",
            "arşiv",
            "归档",
            "アーカイブ",
            "보관함",
        ],
    ),
];

/// What Gmail calls the folder that shows all messages, where the attribute is missing.
const ALL_MAIL: [&str; 6] =
    ["all mail", "alle nachrichten", "вся почта", "tous les messages", "todos", "tutti i messaggi"];

/// The first level of Gmail's own folders.
const GMAIL: [&str; 2] = ["[gmail]", "[google mail]"];

/// The use that a folder of that name has as a rule.
pub(crate) fn use_of(name: &str) -> Option<SpecialUse> {
    let name = name.to_lowercase();
    NAMES.iter().find(|(_, names)| names.contains(&&*name)).map(|(special_use, _)| *special_use)
}

/// What a folder of that use is called here when there is none yet.
pub(crate) fn name_of(special_use: SpecialUse) -> Option<&'static str> {
    match special_use {
        SpecialUse::Sent => Some("Sent"),
        SpecialUse::Drafts => Some("Drafts"),
        SpecialUse::Junk => Some("Junk"),
        SpecialUse::Trash => Some("Trash"),
        SpecialUse::Archive => Some("Archive"),
        _ => None,
    }
}

/// Whether that level is Gmail's own.
pub(crate) fn is_gmail(level: &str) -> bool {
    GMAIL.contains(&&*level.to_lowercase())
}

/// Whether Gmail's folder of that name shows all messages.
pub(crate) fn is_all_mail(level: &str) -> bool {
    ALL_MAIL.contains(&&*level.to_lowercase())
}

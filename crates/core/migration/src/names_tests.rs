//! Where folders go.

use crate::{Choice, Share, SourceFolder, Whither, places};
use model::SpecialUse;

fn folder(name: &str, delimiter: Option<char>, special_use: Option<SpecialUse>) -> SourceFolder {
    SourceFolder { name: name.to_owned(), delimiter, special_use, selectable: true, subscribed: true }
}

fn plain(names: &[&str], delimiter: char) -> Vec<SourceFolder> {
    names.iter().map(|name| folder(name, Some(delimiter), None)).collect()
}

/// `source > here` for each, a use in brackets, a remainder with `+`; in the order of the source's list.
fn shown(folders: &[SourceFolder], choice: &Choice) -> Vec<String> {
    let mut places = places(folders, choice);
    places.sort_by_key(|place| place.folder);
    let text = |whither: &Whither| match whither {
        Whither::Inbox => "INBOX".to_owned(),
        Whither::Use(special_use, name) => format!("[{}]{name}", special_use.attribute()),
        Whither::Name(name) => name.clone(),
    };
    let sign = |share| if share == Share::Remainder { "+" } else { "" };
    places
        .iter()
        .map(|place| {
            format!("{} > {}{}", folders[place.folder].name, sign(place.share), text(&place.whither))
        })
        .collect()
}

fn all(folders: &[SourceFolder]) -> Vec<String> {
    shown(folders, &Choice::default())
}

#[test]
fn a_prefix_that_all_folders_have_is_left_out() {
    let courier = plain(&["INBOX", "INBOX.Sent", "INBOX.Work.Old", "INBOX.Spam"], '.');
    assert_eq!(
        all(&courier),
        [
            "INBOX > INBOX",
            "INBOX.Sent > [\\Sent]Sent",
            "INBOX.Work.Old > Work/Old",
            "INBOX.Spam > [\\Junk]Junk"
        ]
    );
    let mixed = plain(&["inbox", "INBOX/Bills", "Work"], '/');
    assert_eq!(all(&mixed), ["inbox > INBOX", "INBOX/Bills > INBOX/Bills", "Work > Work"]);
    assert_eq!(all(&plain(&["Inbox"], '/')), ["Inbox > INBOX"]);
}

#[test]
fn who_says_what_a_folder_is_for_comes_before_whose_name_says_so() {
    let mut folders = plain(&["Sent", "Gesendete Objekte", "Корзина", "Entwürfe", "Work/Sent"], '/');
    folders.push(folder("Postausgang", Some('/'), Some(SpecialUse::Sent)));
    folders.push(folder("Later", Some('/'), Some(SpecialUse::Snoozed)));
    assert_eq!(
        all(&folders),
        [
            "Sent > Sent (2)",
            "Gesendete Objekte > Gesendete Objekte",
            "Корзина > [\\Trash]Trash",
            "Entwürfe > [\\Drafts]Drafts",
            "Work/Sent > Work/Sent",
            "Postausgang > [\\Sent]Sent",
            "Later > [\\Snoozed]Later",
        ]
    );
}

#[test]
fn gmail_gives_labels_as_folders_and_the_rest_to_the_archive() {
    let gmail = |name: &str, special_use| folder(name, Some('/'), special_use);
    let mut folders = vec![
        gmail("INBOX", None),
        gmail("Rechnungen/2026", None),
        SourceFolder { selectable: false, ..gmail("[Gmail]", None) },
        gmail("[Gmail]/Alle Nachrichten", Some(SpecialUse::All)),
        gmail("[Gmail]/Gesendet", Some(SpecialUse::Sent)),
        gmail("[Gmail]/Markiert", Some(SpecialUse::Flagged)),
        gmail("[Gmail]/Wichtig", Some(SpecialUse::Important)),
        gmail("[Gmail]/Spam", Some(SpecialUse::Junk)),
    ];
    let expected = [
        "INBOX > INBOX",
        "Rechnungen/2026 > Rechnungen/2026",
        "[Gmail]/Alle Nachrichten > +[\\Archive]Archive",
        "[Gmail]/Gesendet > [\\Sent]Sent",
        "[Gmail]/Spam > [\\Junk]Junk",
    ];
    assert_eq!(all(&folders), expected);
    assert_eq!(places(&folders, &Choice::default()).last().map(|place| place.folder), Some(3));
    // Without attributes: by their names.
    folders[3].special_use = None;
    assert_eq!(all(&folders)[2], expected[2]);
    // Without the folder of all messages, the others may show what stands nowhere else.
    folders.remove(3);
    assert_eq!(
        all(&folders)[3..5],
        ["[Gmail]/Markiert > +[\\Archive]Archive", "[Gmail]/Wichtig > +[\\Archive]Archive"]
    );
}

#[test]
fn names_that_cannot_be_had_here_are_changed_and_stay_apart() {
    let folders = plain(&["a/b", "a_b", "x..y", "50%*", ".", "new\r\nline", "e\u{301}", "é"], '.');
    assert_eq!(
        all(&folders),
        [
            "a/b > a_b",
            "a_b > a_b (2)",
            "x..y > x/y",
            "50%* > 50__",
            ". > _",
            "new\r\nline > new__line",
            "e\u{301} > é",
            "é > é (2)"
        ]
    );
    let flat = [folder("a.b/c", None, None), folder("..", None, None)];
    assert_eq!(all(&flat), ["a.b/c > a.b_c", ".. > __"]);
    let long = format!("{}.{}", "ж".repeat(600), "x.".repeat(40));
    let long = [folder(&long, Some('.'), None), folder(&format!("{long}y"), Some('.'), None)];
    for place in places(&long, &Choice::default()) {
        let Whither::Name(name) = place.whither else { panic!("{place:?}") };
        assert_eq!(store::name_problem(&name), None, "{name}");
    }
}

#[test]
fn patterns_choose_folders() {
    let folders = plain(&["INBOX", "Work", "Work.Old", "Works", "Спам", "a*b"], '.');
    let choice = |folders: &[&str], exclude: &[&str]| Choice {
        folders: folders.iter().map(|text| text.to_string()).collect(),
        exclude: exclude.iter().map(|text| text.to_string()).collect(),
    };
    let chosen = |choice: &Choice| {
        let mut places = places(&folders, choice);
        places.sort_by_key(|place| place.folder);
        places.into_iter().map(|place| &*folders[place.folder].name).collect::<Vec<_>>()
    };
    assert_eq!(chosen(&choice(&["work*"], &[])), ["Work", "Work.Old", "Works"]);
    assert_eq!(chosen(&choice(&["Work", "work/*"], &[])), ["Work", "Work.Old"]);
    assert_eq!(chosen(&choice(&["Work.Old"], &[])), ["Work.Old"]);
    assert_eq!(chosen(&choice(&[], &["*o*", "СПАМ", "*b*x"])), ["a*b"]);
    assert_eq!(chosen(&choice(&["*"], &["*"])), [""; 0]);
}

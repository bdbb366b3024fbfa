//! Command verbs and what HELP says about them (RFC 5321 §4.1.1).

use crate::ask::Kind;

/// A command that this server knows by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verb {
    Ehlo,
    Helo,
    Lhlo,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Burl,
    Rset,
    Noop,
    Quit,
    Vrfy,
    Expn,
    Help,
    Starttls,
    Auth,
    /// Only where the listener offers it, so it is not in the table.
    Etrn,
    /// Likewise.
    Atrn,
    /// SEND, SOML, SAML and TURN: known, and not provided (RFC 5321 appendix F).
    Obsolete,
}

const TABLE: [(&str, Verb, &[&str]); 20] = [
    (
        "EHLO",
        Verb::Ehlo,
        &["EHLO name-or-[address]", "Greets and lists the extensions. Comes first; again it resets."],
    ),
    ("HELO", Verb::Helo, &["HELO name-or-[address]", "Greets without extensions. EHLO is better."]),
    (
        "LHLO",
        Verb::Lhlo,
        &["LHLO name-or-[address]", "Greets and lists the extensions. Comes first; again it resets."],
    ),
    (
        "MAIL",
        Verb::Mail,
        &[
            "MAIL FROM:<sender> [SIZE=octets] [BODY=7BIT|8BITMIME|BINARYMIME] [SMTPUTF8]",
            "     [RET=FULL|HDRS] [ENVID=xtext] [AUTH=mailbox]",
            "Begins a message. MAIL FROM:<> is for bounces.",
        ],
    ),
    (
        "RCPT",
        Verb::Rcpt,
        &[
            "RCPT TO:<recipient> [NOTIFY=NEVER|SUCCESS,FAILURE,DELAY] [ORCPT=type;xtext]",
            "Adds a recipient to the message begun by MAIL.",
        ],
    ),
    ("DATA", Verb::Data, &["DATA", "The message follows after 354, up to a line with a single dot."]),
    (
        "BDAT",
        Verb::Bdat,
        &["BDAT octets [LAST]", "That many octets of the message follow at once; LAST ends it."],
    ),
    (
        "BURL",
        Verb::Burl,
        &["BURL imap-url [LAST]", "The message, or more of it, is what the URL names; LAST ends it."],
    ),
    ("RSET", Verb::Rset, &["RSET", "Drops the message begun by MAIL."]),
    ("NOOP", Verb::Noop, &["NOOP", "Does nothing."]),
    ("QUIT", Verb::Quit, &["QUIT", "Ends the session."]),
    (
        "VRFY",
        Verb::Vrfy,
        &["VRFY user-or-mailbox [SMTPUTF8]", "Asks whether a mailbox exists; for users logged in."],
    ),
    ("EXPN", Verb::Expn, &["EXPN list [SMTPUTF8]", "Asks who is on a list; for users logged in."]),
    ("HELP", Verb::Help, &["HELP [command]", "Lists the commands, or tells about one."]),
    ("STARTTLS", Verb::Starttls, &["STARTTLS", "Begins TLS. Greet again afterwards."]),
    ("AUTH", Verb::Auth, &["AUTH mechanism [initial-response]", "Logs in. EHLO lists the mechanisms."]),
    ("SEND", Verb::Obsolete, &["SEND is obsolete and not provided; use MAIL."]),
    ("SOML", Verb::Obsolete, &["SOML is obsolete and not provided; use MAIL."]),
    ("SAML", Verb::Obsolete, &["SAML is obsolete and not provided; use MAIL."]),
    ("TURN", Verb::Obsolete, &["TURN is obsolete and not provided."]),
];

impl Verb {
    /// The verb of that name, in any case, on a listener of that kind.
    pub(crate) fn parse(name: &str, kind: Kind) -> Option<Verb> {
        let (_, verb, _) = TABLE.iter().find(|(known, _, _)| known.eq_ignore_ascii_case(name))?;
        verb.is_spoken(kind).then_some(*verb)
    }

    /// RFC 2033 §4.1: LHLO replaces HELO and EHLO, so that a wrong setup is noticed.
    fn is_spoken(self, kind: Kind) -> bool {
        match self {
            Verb::Ehlo | Verb::Helo => kind != Kind::Lmtp,
            Verb::Lhlo => kind == Kind::Lmtp,
            // RFC 4468 §3.1: never on port 25.
            Verb::Burl => kind == Kind::Submission,
            _ => true,
        }
    }
}

/// The lines of HELP; None when there is nothing to say about `topic`.
pub(crate) fn help(topic: &str, kind: Kind) -> Option<Vec<String>> {
    if !topic.is_empty() {
        let (_, verb, lines) = TABLE.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(topic))?;
        return verb.is_spoken(kind).then(|| lines.iter().map(|&line| line.to_owned()).collect());
    }
    let names: Vec<&str> = TABLE
        .iter()
        .filter(|(_, verb, _)| verb.is_spoken(kind) && *verb != Verb::Obsolete)
        .map(|(name, _, _)| *name)
        .collect();
    Some(vec![
        "Commands:".to_owned(),
        names.join(" "),
        "HELP and a command tells more. The rules are in RFC 5321.".to_owned(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_depend_on_the_listener() {
        assert_eq!(Verb::parse("mail", Kind::Mta), Some(Verb::Mail));
        assert_eq!(Verb::parse("LHLO", Kind::Mta), None);
        assert_eq!(Verb::parse("EHLO", Kind::Lmtp), None);
        assert_eq!(Verb::parse("TURN", Kind::Mta), Some(Verb::Obsolete));
        assert_eq!(Verb::parse("ETRN", Kind::Mta), None);
    }

    #[test]
    fn there_is_help_for_every_command() {
        let all = help("", Kind::Mta).unwrap();
        for name in all[1].split(' ') {
            assert!(help(name, Kind::Mta).unwrap()[0].starts_with(name));
        }
        assert!(!all[1].contains("BURL") && help("BURL", Kind::Submission).is_some());
        assert!(!all[1].contains("LHLO") && help("LHLO", Kind::Mta).is_none());
        assert_eq!(help("nonsense", Kind::Mta), None);
    }
}

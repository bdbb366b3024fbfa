//! Known answers of RFC 5322 appendix A, sick mail, bounds.

use proptest::prelude::*;

use super::*;

/// One entry a line: `name|route|local|domain`, `group{`, `}`.
fn shown(value: &str) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let option =
        |value: &Option<Cow<'_, [u8]>>| value.as_ref().map_or_else(|| "-".to_owned(), |value| text(value));
    Addresses::new(value.as_bytes())
        .map(|address| match address {
            Address::Mailbox(mailbox) => {
                let Mailbox { name, route, local, domain } = mailbox;
                format!("{}|{}|{}|{}", option(&name), option(&route), text(&local), text(&domain))
            }
            Address::GroupStart(name) => format!("{}{{", text(&name)),
            Address::GroupEnd => "}".to_owned(),
        })
        .collect()
}

fn check(rows: &[(&str, &[&str])]) {
    for (value, expected) in rows {
        assert_eq!(shown(value), *expected, "{value}");
    }
}

#[test]
fn rfc_5322_appendix_a() {
    check(&[
        ("John Doe <jdoe@machine.example>", &["John Doe|-|jdoe|machine.example"]),
        ("\"Joe Q. Public\" <john.q.public@example.com>", &["Joe Q. Public|-|john.q.public|example.com"]),
        (
            "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
            &["Mary Smith|-|mary|x.test", "-|-|jdoe|example.org", "Who?|-|one|y.test"],
        ),
        (
            "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
            &["-|-|boss|nil.test", "Giant; \"Big\" Box|-|sysservices|example.net"],
        ),
        (
            "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
            &["A Group{", "Ed Jones|-|c|a.test", "-|-|joe|where.test", "John|-|jdoe|one.test", "}"],
        ),
        ("Undisclosed recipients:;", &["Undisclosed recipients{", "}"]),
        (
            "\"Mary Smith: Personal Account\" <smith@home.example>",
            &["Mary Smith: Personal Account|-|smith|home.example"],
        ),
        // A.5
        ("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", &["Pete|-|pete|silly.test"]),
        (
            "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)",
            &[
                "A Group{",
                "Chris Jones|-|c|public.example",
                "-|-|joe|example.org",
                "John|-|jdoe|one.test",
                "}",
            ],
        ),
        ("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", &["Hidden recipients{", "}"]),
        // A.6
        ("Joe Q. Public <john.q.public@example.com>", &["Joe Q. Public|-|john.q.public|example.com"]),
        (
            "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
            &["Mary Smith|@node.test|mary|example.net", "-|-|jdoe|test.example"],
        ),
        ("John Doe <jdoe@machine(comment).  example>", &["John Doe|-|jdoe|machine.example"]),
        ("Mary Smith\r\n  \r\n          <mary@example.net>", &["Mary Smith|-|mary|example.net"]),
    ]);
}

#[test]
fn obsolete_and_utf8() {
    check(&[
        ("a@b.c (Name Here)", &["Name Here|-|a|b.c"]),
        ("<a@b.c> (Name)", &["Name|-|a|b.c"]),
        ("<@a,@b:c@d>", &["-|@a,@b|c|d"]),
        ("pete . smith @ example . org", &["-|-|pete.smith|example.org"]),
        ("\"joe q\"@x, a.\"b c\".d@x", &["-|-|joe q|x", "-|-|a.b c.d|x"]),
        ("x@[192.0.2.1], y@[IPv6:2001:db8::1]", &["-|-|x|[192.0.2.1]", "-|-|y|[IPv6:2001:db8::1]"]),
        ("Почта <почта@пример.рф>", &["Почта|-|почта|пример.рф"]),
        ("=?utf-8?q?J=C3=B8rn?= <j@x>", &["=?utf-8?q?J=C3=B8rn?=|-|j|x"]),
        ("John \"Q\" Doe <a@b>", &["John Q Doe|-|a|b"]),
    ]);
}

#[test]
fn sick_mail() {
    check(&[
        ("", &[]),
        (" , ;, ", &[]),
        ("root", &["-|-|root|"]),
        ("MAILER-DAEMON <>", &["MAILER-DAEMON|-||"]),
        ("<>", &["-|-||"]),
        ("<root>", &["-|-|root|"]),
        ("John Doe", &["John Doe|-||"]),
        ("John Doe a@b", &["John Doe|-|a|b"]),
        ("a@b John Doe", &["John Doe|-|a|b"]),
        ("a@b; c@d", &["-|-|a|b", "-|-|c|d"]),
        ("A <a@b> B <c@d>", &["A|-|a|b", "B|-|c|d"]),
        ("A <a@b> junk, c@d", &["A|-|a|b", "-|-|c|d"]),
        ("A <a@b, c@d", &["A|-|a|b", "-|-|c|d"]),
        ("<<a@b>>", &["-|-|a|b"]),
        ("<mailto:a@b>", &["-|-|a|b"]),
        ("\"John <a@b>", &["John|-|a|b"]),
        ("John (open <a@b>", &["John open|-|a|b"]),
        ("a@b@c", &["-|-|a@b|c"]),
        ("@b", &["-|-||b"]),
        ("a@", &["-|-|a|"]),
        ("g: a@b", &["g{", "-|-|a|b", "}"]),
        ("g:", &["g{", "}"]),
        ("g: a@b;, c@d", &["g{", "-|-|a|b", "}", "-|-|c|d"]),
        (":;", &[]),
        ("\"\" <a@b>", &["-|-|a|b"]),
    ]);
}

#[test]
fn long_lists_are_linear() {
    let many = "Name <a@b>, ".repeat(100_000);
    assert_eq!(Addresses::new(many.as_bytes()).count(), 100_000);
    for row in ["<", "<@", "\"", "(", "[", ".", "a@", ":", "g:", "<a>\"", "<a>(", "x <a> "] {
        let hostile = row.repeat(1_000_000 / row.len());
        assert!(Addresses::new(hostile.as_bytes()).count() <= 1_000_000, "{row}");
    }
}

proptest! {
    #[test]
    fn any_bytes(value in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Addresses::new(&value).count() <= value.len() + 2);
    }

    #[test]
    fn groups_are_balanced(value in "(a|b|@|,|;|:|<|>|\"|\\(|\\)|\\.| |\\[|\\]|\\\\){0,40}") {
        let mut depth = 0;
        for address in Addresses::new(value.as_bytes()) {
            depth += match address {
                Address::GroupStart(_) => 1,
                Address::GroupEnd => -1,
                Address::Mailbox(_) => 0,
            };
            prop_assert!(depth == 0 || depth == 1);
        }
        prop_assert_eq!(depth, 0);
    }
}

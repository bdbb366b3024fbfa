//! Scripts: what the server says (`S:`), what the client has to say (`C:`), what it tells its driver (`*`), and what the
//! driver does (`>`). Each is played with the server's octets at once and one by one.

mod driver;

use super::*;
use driver::{Driver, after_ehlo, play, play_lmtp, play_with, settings, transaction};

#[test]
fn the_typical_scenario_of_rfc_5321_d_1() {
    play(
        "S: 220 foo.com Simple Mail Transfer Service Ready
         C: EHLO client.example.test
         S: 250-foo.com greets bar.com
         S: 250-8BITMIME
         S: 250-SIZE
         S: 250-DSN
         S: 250 HELP
         * Ready
         > send Smith@bar.com Jones@foo.com,Green@foo.com,Brown@foo.com : Blah|.blah|
         C: MAIL FROM:<Smith@bar.com> SIZE=13
         S: 250 OK
         C: RCPT TO:<Jones@foo.com>
         S: 250 OK
         C: RCPT TO:<Green@foo.com>
         S: 550 No such user here
         C: RCPT TO:<Brown@foo.com>
         S: 250 OK
         C: DATA
         S: 354 Start mail input; end with <CRLF>.<CRLF>
         C: Blah
         C: ..blah
         C: .
         S: 250 OK
         * Delivered 250 OK
         * Failed 550 No such user here
         * Delivered 250 OK
         > quit
         C: QUIT
         S: 221 foo.com Service closing transmission channel
         * Closed Ok",
    );
}

#[test]
fn pipelining_sends_all_at_once() {
    play(&after_ehlo(
        "PIPELINING,ENHANCEDSTATUSCODES",
        "> send a@x.test b@y.test,c@y.test
         C: MAIL FROM:<a@x.test>
         C: RCPT TO:<b@y.test>
         C: RCPT TO:<c@y.test>
         C: DATA
         S: 250 2.1.0 ok
         S: 250 2.1.5 ok
         S: 450 4.2.1 later
         S: 354 go
         C: Hi
         C: .
         S: 250 2.0.0 queued
         * Delivered 250 2.0.0 queued
         * Deferred 450 4.2.1 later
         > send <> b@y.test
         C: MAIL FROM:<>
         C: RCPT TO:<b@y.test>
         C: DATA
         S: 250 ok
         S: 550 5.1.1 gone
         S: 503 5.5.1 no recipients
         * Failed 550 5.1.1 gone
         > send a@x.test b@y.test
         C: RSET
         C: MAIL FROM:<a@x.test>
         C: RCPT TO:<b@y.test>
         C: DATA
         S: 250 ok
         S: 550 5.7.1 not you
         S: 503 5.5.1 no MAIL
         S: 503 5.5.1 no MAIL
         * Failed 550 5.7.1 not you",
    ));
}

#[test]
fn a_server_that_takes_data_for_nobody_gets_an_empty_message() {
    play(&after_ehlo(
        "PIPELINING",
        "> send a@x.test b@y.test
         C: MAIL FROM:<a@x.test>
         C: RCPT TO:<b@y.test>
         C: DATA
         S: 250 ok
         S: 550 5.1.1 gone
         S: 354 go
         C: .
         S: 554 5.5.0 nobody
         * Failed 550 5.1.1 gone
         > send a@x.test b@y.test
         C: MAIL FROM:<a@x.test>
         C: RCPT TO:<b@y.test>
         C: DATA",
    ));
}

#[test]
fn bdat_waits_for_recipients_only() {
    play(&after_ehlo(
        "PIPELINING,CHUNKING,BINARYMIME",
        "> send a@x.test b@y.test,c@y.test binary : .a|
         C: MAIL FROM:<a@x.test> BODY=BINARYMIME
         C: RCPT TO:<b@y.test>
         C: RCPT TO:<c@y.test>
         S: 250 ok
         S: 250 ok
         S: 550 5.1.1 gone
         C: BDAT 4 LAST
         C: .a
         S: 250 2.0.0 taken
         * Delivered 250 2.0.0 taken
         * Failed 550 5.1.1 gone",
    ));
    play_with(
        &Settings { chunking: Chunking::Needed, ..settings() },
        &after_ehlo(
            "CHUNKING",
            "> send a@x.test b@y.test
             C: MAIL FROM:<a@x.test>
             S: 250 ok
             C: RCPT TO:<b@y.test>
             S: 250 ok
             C: DATA",
        ),
    );
}

#[test]
fn lmtp_has_a_reply_for_each_recipient() {
    play_lmtp(
        "S: 220 foo.edu LMTP server ready
         C: LHLO client.example.test
         S: 250-foo.edu
         S: 250-PIPELINING
         S: 250 SIZE
         * Ready
         > send chris@bar.com pat@foo.edu,jones@foo.edu,green@foo.edu
         C: MAIL FROM:<chris@bar.com> SIZE=4
         C: RCPT TO:<pat@foo.edu>
         C: RCPT TO:<jones@foo.edu>
         C: RCPT TO:<green@foo.edu>
         C: DATA
         S: 250 OK
         S: 250 OK
         S: 550 No such user here
         S: 250 OK
         S: 354 Start mail input; end with <CRLF>.<CRLF>
         C: Hi
         C: .
         S: 250 OK
         S: 452 4.2.2 <green@foo.edu> is temporarily over quota
         * Delivered 250 OK
         * Failed 550 No such user here
         * Deferred 452 4.2.2 <green@foo.edu> is temporarily over quota
         > quit
         C: QUIT
         > closed
         * Closed Ok",
    );
}

#[test]
fn a_reply_that_is_lost_leaves_lmtp_recipients_apart() {
    play_lmtp(
        "S: 220 x
         C: LHLO client.example.test
         S: 250 x
         * Ready
         > send a@x.test b@y.test,c@y.test
         C: MAIL FROM:<a@x.test>
         S: 250 ok
         C: RCPT TO:<b@y.test>
         S: 250 ok
         C: RCPT TO:<c@y.test>
         S: 250 ok
         C: DATA
         S: 354 go
         C: Hi
         C: .
         S: 250 ok
         > closed
         * Delivered 250 ok
         * Deferred the host closed the connection after the end of the message
         * Closed Deferred the host closed the connection after the end of the message",
    );
}

#[test]
fn starttls_forgets_and_greets_again() {
    play(
        "S: 220 x
         C: EHLO client.example.test
         S: 250-x
         S: 250-SIZE 10
         S: 250 STARTTLS
         C: STARTTLS
         S: 220 go
         * StartTls
         > tls
         C: EHLO client.example.test
         S: 250 x
         * Ready
         > send a@x.test b@y.test : more than ten octets|
         C: MAIL FROM:<a@x.test>",
    );
    // What stands behind the 220 came in clear and is dropped.
    let mut driver = Driver::new(settings());
    driver.pump();
    for text in ["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n"] {
        driver.client.feed(text.as_bytes());
        driver.pump();
    }
    driver.client.tls_started(TlsInfo::default());
    driver.pump();
    assert_eq!(driver.happened.pop_back().as_deref(), Some("C: EHLO client.example.test"));
    assert_eq!(driver.client.stage(), Stage::Hello);
}

#[test]
fn wishes_for_tls() {
    let with = |tls| Settings { tls, ..settings() };
    play_with(
        &with(TlsWish::Required),
        "S: 220 x
         C: EHLO client.example.test
         S: 250 x
         C: QUIT
         * Closed HostUnusable the host can't take it: it does not offer STARTTLS, which is demanded for this host",
    );
    let refused = "S: 220 x
         C: EHLO client.example.test
         S: 250-x
         S: 250 STARTTLS
         C: STARTTLS
         S: 454 4.7.0 TLS not available\n";
    play_with(
        &with(TlsWish::Required),
        &format!("{refused} C: QUIT\n * Closed HostUnusable 454 4.7.0 TLS not available"),
    );
    play_with(&with(TlsWish::IfOffered), &format!("{refused} * Ready"));
    play_with(
        &with(TlsWish::Never),
        "S: 220 x
         C: EHLO client.example.test
         S: 250-x
         S: 250 STARTTLS
         * Ready",
    );
}

#[test]
fn hosts_that_are_of_no_use() {
    play("S: 554 5.7.1 blocked\n C: QUIT\n * Closed HostUnusable 554 5.7.1 blocked");
    play("S: 421 4.3.2 busy\n * Closed HostUnusable 421 4.3.2 busy");
    play(
        "S: SSH-2.0-OpenSSH\n * Closed HostUnusable the host can't be understood before its greeting: what it sent is no SMTP reply",
    );
    play("> silence\n * Closed HostUnusable the host was silent for too long before its greeting");
    play("> closed\n * Closed HostUnusable the host closed the connection before its greeting");
    play(
        "S: 220 x
         C: EHLO client.example.test
         S: 500 5.5.1 what
         C: HELO client.example.test
         S: 250 x
         * Ready
         > send a@x.test b@y.test
         C: MAIL FROM:<a@x.test>",
    );
    play(&after_ehlo(
        "",
        "S: 421 4.4.2 idle\n * Closed HostUnusable 421 4.4.2 idle\n > send a@x.test b@y.test\n * HostUnusable 421 4.4.2 idle\n * Closed HostUnusable 421 4.4.2 idle",
    ));
    play(&after_ehlo(
        "",
        "S: 250 what\n * Closed HostUnusable the host can't be understood between two messages: its reply has no meaning at this point",
    ));
}

#[test]
fn connections_that_break_within_a_transaction() {
    let envelope = "> send a@x.test b@y.test,c@y.test
         C: MAIL FROM:<a@x.test>
         C: RCPT TO:<b@y.test>
         C: RCPT TO:<c@y.test>
         C: DATA
         S: 250 ok
         S: 550 5.1.1 gone\n";
    let end = |script: &str, why: &str| {
        let script = format!("{envelope}{script}\n* Failed 550 5.1.1 gone\n* {why}\n* Closed {why}");
        play(&after_ehlo("PIPELINING", &script));
    };
    end("> closed", "HostUnusable the host closed the connection after RCPT");
    end("S: 421 4.3.2 bye", "HostUnusable 421 4.3.2 bye");
    end("S: 250 ok\n > silence", "HostUnusable the host was silent for too long after DATA");
    end(
        "S: 250 ok\n S: 250 ok",
        "HostUnusable the host can't be understood after DATA: its reply has no meaning at this point",
    );
    end(
        "S: 250 ok\n S: 354 go\n C: Hi\n C: .\n > silence",
        "Deferred the host was silent for too long after the end of the message",
    );
    end("S: 250 ok\n S: 354 go\n C: Hi\n C: .\n S: 421 4.3.2 bye", "Deferred 421 4.3.2 bye");
    end(
        "S: 250 ok\n S: 354 go\n C: Hi\n C: .\n S: 354 more",
        "Deferred the host can't be understood after the end of the message: its reply has no meaning at this point",
    );
}

#[test]
fn messages_that_a_host_cannot_take() {
    let refused = |keywords: &str, send: &str, why: &str| {
        play(&after_ehlo(keywords, &format!("> send {send}\n* Failed the host can't take it: {why}")));
    };
    refused("SIZE 3", "a@x.test b@y.test", "the message is too large for it; it takes at most 3 octets");
    refused("", "a@x.test b@y.test 8bit", "it does not offer 8BITMIME, and the message can't be converted");
    refused(
        "8BITMIME,CHUNKING",
        "a@x.test b@y.test binary",
        "it does not offer BINARYMIME, and the message can't be converted",
    );
    let utf8 = "it does not offer SMTPUTF8, which an address or the header needs";
    refused("", "a@x.test b@y.test utf8", utf8);
    refused("", "я@x.test b@y.test", utf8);
    play(&after_ehlo(
        "REQUIRETLS",
        "> send a@x.test b@y.test requiretls
         * HostUnusable the host can't take it: the connection is not encrypted, which the sender demands",
    ));
    play(&after_ehlo(
        "",
        "> send a@x.test я@y.test,b@пример.рф
         C: MAIL FROM:<a@x.test>
         S: 250 ok
         C: RCPT TO:<b@xn--e1afmkfd.xn--p1ai>
         S: 250 ok
         C: DATA
         S: 451 4.3.0 no
         * Failed the host can't take it: it does not offer SMTPUTF8, which an address or the header needs
         * Deferred 451 4.3.0 no",
    ));
}

#[test]
fn limits_are_kept() {
    play(&after_ehlo(
        "PIPELINING,CHUNKING,LIMITS RCPTMAX=2 MAILMAX=1",
        "> send a@x.test b@y.test,c@y.test,d@y.test
         C: MAIL FROM:<a@x.test>
         C: RCPT TO:<b@y.test>
         C: RCPT TO:<c@y.test>
         S: 250 ok
         S: 250 ok
         S: 452 4.5.3 one is enough
         C: BDAT 4 LAST
         C: Hi
         S: 250 ok
         * Delivered 250 ok
         * Deferred 452 4.5.3 one is enough
         * Deferred the host takes fewer recipients at once; it goes in another turn
         > send a@x.test d@y.test
         * HostUnusable the host takes fewer recipients at once; it goes in another turn",
    ));
    play(&after_ehlo(
        "LIMITS RCPTDOMAINMAX=1",
        "> send a@x.test b@y.test,c@z.test,d@y.test
         C: MAIL FROM:<a@x.test>
         S: 250 ok
         C: RCPT TO:<b@y.test>
         S: 250 ok
         C: RCPT TO:<d@y.test>
         S: 550 no
         C: DATA
         S: 550 no
         * Failed 550 no
         * Deferred the host takes fewer recipients at once; it goes in another turn
         * Failed 550 no",
    ));
}

fn with_password(user: &str, password: &str) -> Settings {
    let secret = sasl::client::Secret::Password(password.to_owned().into());
    let credentials = sasl::client::Credentials { user: user.into(), authorize_as: String::new(), secret };
    Settings { credentials: Some(credentials), plaintext_auth: true, ..settings() }
}

#[test]
fn logging_in() {
    let ehlo = |mechanisms: &str| {
        format!("S: 220 x\nC: EHLO client.example.test\nS: 250-x\nS: 250 AUTH {mechanisms}\n")
    };
    let tim = with_password("tim", "tanstaaftanstaaf");
    play_with(
        &tim,
        &format!(
            "{}C: AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm
             S: 235 2.7.0 Authentication successful
             * Ready",
            ehlo("LOGIN PLAIN")
        ),
    );
    play_with(
        &tim,
        &format!(
            "{}C: AUTH LOGIN
             S: 334 VXNlcm5hbWU6
             C: dGlt
             S: 334 Password:
             C: dGFuc3RhYWZ0YW5zdGFhZg==
             S: 535 5.7.8 wrong
             C: QUIT
             * Closed HostUnusable 535 5.7.8 wrong",
            ehlo("LOGIN")
        ),
    );
    play_with(
        &tim,
        &format!(
            "{}C: AUTH CRAM-MD5
             S: 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
             C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw
             S: 235 ok
             * Ready",
            ehlo("CRAM-MD5 PLAIN")
        ),
    );
    // A server that grants without knowing the password gets no mail.
    let mut driver = Driver::new(tim.clone());
    for text in ["220 x\r\n", "250-x\r\n250 AUTH SCRAM-SHA-256\r\n", "235 welcome\r\n"] {
        driver.pump();
        driver.client.feed(text.as_bytes());
    }
    driver.pump();
    assert!(
        driver.happened.back().is_some_and(|last| last.contains("has not proved")),
        "{:?}",
        driver.happened
    );
    let lacks = "C: QUIT\n* Closed HostUnusable the host can't take it: it offers no way to log in with the credentials for this host";
    play_with(&tim, &format!("{}{lacks}", ehlo("GSSAPI")));
    play_with(&Settings { plaintext_auth: false, ..tim }, &format!("{}{lacks}", ehlo("PLAIN LOGIN")));
}

#[test]
fn a_long_initial_response_waits_until_it_is_asked_for() {
    let long = "x".repeat(600);
    let mut driver = Driver::new(with_password("tim", &long));
    for text in ["220 x\r\n", "250-x\r\n250 AUTH PLAIN\r\n"] {
        driver.pump();
        driver.client.feed(text.as_bytes());
    }
    driver.pump();
    assert_eq!(driver.happened.pop_back().as_deref(), Some("C: AUTH PLAIN"));
    driver.client.feed(b"334 \r\n");
    driver.pump();
    assert!(driver.happened.pop_back().is_some_and(|line| line.len() > 800));
}

#[test]
fn what_cannot_be_read_to_its_end_is_not_delivered() {
    let mut driver = Driver::new(settings());
    driver.message = b"short".to_vec();
    for text in ["220 x\r\n", "250 x\r\n"] {
        driver.pump();
        driver.client.feed(text.as_bytes());
    }
    driver.pump();
    driver.client.send(Transaction { content_bytes: 100, ..transaction("a@x.test b@y.test").0 });
    for text in ["250 ok\r\n", "250 ok\r\n", "354 ok\r\n"] {
        assert_eq!(driver.client.step(), Step::NeedInput);
        driver.client.feed(text.as_bytes());
    }
    assert_eq!(driver.client.step(), Step::WantContent);
    assert_eq!(driver.client.content_wanted_bytes(), 100);
    driver.client.content(b"short");
    driver.client.abandon();
    let Step::Transacted(outcomes) = driver.client.step() else { panic!("no outcome") };
    assert_eq!(outcomes[0].why, Why::Broke { stage: Stage::Content, how: Break::Abandoned });
    assert!(!driver.client.output().ends_with(b".\r\n"));
    assert!(matches!(driver.client.step(), Step::Closed(Err(_))));
}

#[test]
fn thousands_of_recipients_go_in_groups() {
    let mut driver = Driver::new(settings());
    for text in ["220 x\r\n", "250-x\r\n250 PIPELINING\r\n"] {
        driver.pump();
        driver.client.feed(text.as_bytes());
    }
    driver.pump();
    driver.happened.clear();
    let to: Vec<String> = (0..5000).map(|number| format!("u{number}@y.test")).collect();
    let (transaction, message) = transaction(&format!("a@x.test {}", to.join(",")));
    driver.message = message;
    driver.client.send(transaction);
    let mut said = 0;
    loop {
        driver.pump();
        let new = driver.happened.len();
        assert!(new <= 100, "{new} commands without a reply");
        said += new;
        let last = driver.happened.back().cloned().unwrap();
        if last == "C: DATA" {
            break;
        }
        driver.happened.clear();
        driver.client.feed(&b"250 ok\r\n".repeat(new));
    }
    assert_eq!(said, 5002);
    driver.client.feed(&b"250 ok\r\n".repeat(driver.happened.len() - 1));
    driver.client.feed(b"354 go\r\n");
    driver.pump();
    driver.happened.clear();
    driver.client.feed(b"250 done\r\n");
    driver.pump();
    assert_eq!(driver.happened.len(), 5000);
    assert!(driver.happened.iter().all(|line| line == "* Delivered 250 done"));
}

use crate::scripted::{Act, Scripted, hear, say};
use crate::{Credentials, Deleted, ImapConnection, Limits, Mode, Owner, Secret, Tls, Trouble};
use model::{Uid, UidValidity};
use std::time::Duration;

fn credentials() -> Credentials {
    Credentials { user: "fred".into(), secret: Secret::Password("secret".to_owned().into()) }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

const CAPABILITIES: &str = "CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN UIDPLUS NAMESPACE";

/// Up to where the session stands.
fn logged_in() -> Vec<Act> {
    vec![
        say(format!("* OK [{CAPABILITIES}] hi\r\n")),
        hear("t1 AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0"),
        say(format!("t1 OK [{CAPABILITIES}] in\r\n")),
    ]
}

async fn opened(script: Vec<Act>) -> (Scripted, ImapConnection) {
    let scripted = Scripted::start(Tls::Implicit, [logged_in(), script].concat()).await;
    let connection =
        ImapConnection::open(&scripted.server, &credentials(), &scripted.environment).await.unwrap();
    (scripted, connection)
}

#[test]
fn a_mailbox_is_listed_fetched_and_emptied() {
    now(async {
        let body = "Subject: x\r\n\r\n".to_owned() + &"0123456789".repeat(20_000);
        let length = body.len();
        let (scripted, mut connection) = opened(vec![
            hear("t2 NAMESPACE"),
            say("* NAMESPACE ((\"INBOX.\" \".\")) ((\"user.\" \".\")) NIL\r\nt2 OK\r\n"),
            hear("t3 LIST \"\" \"*\""),
            say("* LIST () \".\" INBOX\r\n* LIST (\\Sent) \".\" INBOX.Sent.&BCQ-\r\n* LIST () \".\" user.tim\r\nt3 OK\r\n"),
            hear("t4 LSUB \"\" \"*\""),
            say("* LSUB () \".\" INBOX.Sent.&BCQ-\r\n* LSUB () \".\" INBOX.gone\r\nt4 OK\r\n"),
            hear("t5 SELECT \"INBOX.Sent.&BCQ-\""),
            say("* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 12] x\r\nt5 OK [READ-WRITE] x\r\n"),
            hear("t6 UID FETCH 10:*"),
            say("* 1 FETCH (UID 10 FLAGS () RFC822.SIZE 5)\r\n* 2 FETCH (UID 11 FLAGS () RFC822.SIZE 6)\r\nt6 OK\r\n"),
            hear("t7 UID FETCH 10:12 (UID BODY.PEEK[])"),
            say(format!("* 3 FETCH (UID 12 BODY[] NIL)\r\n* 1 FETCH (UID 10 BODY[] {{{length}}}\r\n{body})\r\nt7 OK\r\n")),
            hear("t8 UID FETCH 11,13"),
            say("* 2 FETCH (UID 13 BODY[] \"13\")\r\nt8 NO [EXPUNGEISSUED] gone\r\n"),
            hear("t9 UID STORE 10:11 +FLAGS.SILENT (\\Deleted)"),
            say("t9 OK\r\n"),
            hear("t10 UID EXPUNGE 10:11"),
            say("* 1 EXPUNGE\r\n* 1 EXPUNGE\r\nt10 OK\r\n"),
            hear("t11 LOGOUT"),
            say("* BYE\r\nt11 OK\r\n"),
        ])
        .await;
        let folders = connection.folders().await.unwrap();
        let sent = &folders[1];
        assert_eq!(
            (sent.name.as_str(), sent.owner, sent.is_subscribed),
            ("INBOX.Sent.Ф", Owner::Oneself, true)
        );
        assert_eq!(sent.levels(), ["Sent", "Ф"]);
        assert_eq!(sent.special_use, Some(model::SpecialUse::Sent));
        assert_eq!((folders[0].levels(), folders[0].is_subscribed), (vec!["INBOX"], false));
        assert_eq!((folders.len(), folders[2].owner), (3, Owner::Others));
        let mailbox = connection.open_folder(&sent.name, Mode::Change).await.unwrap();
        assert_eq!((mailbox.uid_validity, mailbox.exists), (UidValidity(7), 2));
        let mut rows = Vec::new();
        connection.listing(Uid(10), &mut |row| rows.push((row.uid, row.size_bytes))).await.unwrap();
        assert_eq!(rows, [(Uid(10), 5), (Uid(11), 6)]);
        let (mut message, mut longest) = (Vec::new(), 0);
        let mut sink = |octets: &[u8]| {
            longest = longest.max(octets.len());
            message.extend_from_slice(octets);
            Ok(())
        };
        connection.ask(&[Uid(10), Uid(11), Uid(12)]);
        assert!(!connection.is_usable(), "first these have to come");
        assert_eq!(connection.next_message(&mut sink).await, Ok(Some(Uid(10))));
        assert_eq!(connection.next_message(&mut sink).await, Ok(None));
        assert!(message == body.as_bytes() && longest < length, "it comes in pieces");
        connection.ask(&[Uid(11), Uid(13)]);
        assert_eq!(connection.next_message(&mut |_| Ok(())).await, Ok(Some(Uid(13))));
        let gone = connection.next_message(&mut |_| Ok(())).await;
        assert!(matches!(gone, Err(Trouble::Gone(_))) && connection.is_usable());
        assert_eq!(connection.delete(&[Uid(11), Uid(10)]).await, Ok(Deleted::Removed));
        connection.close().await;
        scripted.run.await.unwrap().unwrap();
    });
}

#[test]
fn starttls_and_certificates() {
    now(async {
        let script = || {
            vec![
                say("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n"),
                hear("t1 STARTTLS"),
                say("t1 OK go\r\n"),
                Act::Secure,
                hear("t2 CAPABILITY"),
                say("* CAPABILITY IMAP4rev1\r\nt2 OK\r\n"),
                hear("t3 LOGIN \"fred\" \"secret\""),
                say("t3 OK [CAPABILITY IMAP4rev1] in\r\n"),
            ]
        };
        let scripted = Scripted::start(Tls::StartTls, script()).await;
        assert!(ImapConnection::open(&scripted.server, &credentials(), &scripted.environment).await.is_ok());
        let scripted = Scripted::start(Tls::StartTls, script()).await;
        let wrong = ImapConnection::open(&scripted.server, &credentials(), &scripted.distrusted()).await;
        assert!(matches!(wrong.err(), Some(Trouble::Tls(_))));
        assert!(scripted.run.await.unwrap().is_err(), "no log-in behind a certificate that is not trusted");
        let scripted = Scripted::start(Tls::Implicit, logged_in()).await;
        let by_address = crate::Server { host: "127.0.0.1".into(), ..scripted.server.clone() };
        let wrong = ImapConnection::open(&by_address, &credentials(), &scripted.environment).await;
        assert!(matches!(wrong.err(), Some(Trouble::Tls(_))), "the certificate is for a name");
    });
}

#[test]
fn troubles_are_told_apart() {
    now(async {
        let refused = |code: &str| {
            vec![
                say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n"),
                hear("t1 AUTHENTICATE"),
                say(format!("t1 NO [{code}] no\r\n")),
            ]
        };
        for (script, kind) in [
            (refused("AUTHENTICATIONFAILED"), "login"),
            (refused("UNAVAILABLE"), "busy"),
            (vec![say("* BYE [INUSE] later\r\n")], "busy"),
            (vec![say("* BYE bye\r\n")], "unreachable"),
            (vec![Act::HangUp], "unreachable"),
            (vec![say("220 smtp.example.org ESMTP\r\n")], "protocol"),
            (vec![say("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n")], "login"),
        ] {
            let scripted = Scripted::start(Tls::None, script.clone()).await;
            let trouble = ImapConnection::open(&scripted.server, &credentials(), &scripted.environment)
                .await
                .err()
                .unwrap();
            assert_eq!(trouble.kind(), kind, "{script:?}: {trouble}");
            assert!(trouble.text().contains("localhost"), "{trouble}");
        }
        let gone = Scripted::start(Tls::None, vec![]).await;
        gone.run.abort();
        let _ = gone.run.await;
        let trouble =
            ImapConnection::open(&gone.server, &credentials(), &gone.environment).await.err().unwrap();
        assert_eq!(trouble.kind(), "unreachable");
        let nowhere = crate::Server { host: "nowhere.example".into(), ..gone.server.clone() };
        let trouble = ImapConnection::open(&nowhere, &credentials(), &gone.environment).await.err().unwrap();
        assert_eq!(trouble.kind(), "unreachable");
    });
}

#[test]
fn silence_and_broken_messages_end() {
    now(async {
        let mut scripted = Scripted::start(Tls::None, vec![Act::Sulk]).await;
        scripted.environment.limits =
            Limits { silence: Duration::from_millis(50), ..scripted.environment.limits };
        let trouble = ImapConnection::open(&scripted.server, &credentials(), &scripted.environment).await;
        assert_eq!(trouble.err().unwrap().kind(), "unreachable");
        // Half a message, then the end; and a sink that is full.
        let half = || vec![hear("t2 UID FETCH 4"), say("* 1 FETCH (UID 4 BODY[] {200}\r\nhalf"), Act::HangUp];
        let (_scripted, mut connection) = opened(half()).await;
        connection.ask(&[Uid(4)]);
        let trouble = connection.next_message(&mut |_| Ok(())).await;
        assert_eq!(trouble.err().unwrap().kind(), "unreachable");
        assert!(!connection.is_usable());
        let (_scripted, mut connection) = opened(half()).await;
        let full = &mut |_: &[u8]| Err(std::io::ErrorKind::StorageFull.into());
        connection.ask(&[Uid(4)]);
        assert_eq!(connection.next_message(full).await.err().unwrap().kind(), "storing");
        assert!(!connection.is_usable());
        assert_eq!(connection.noop().await.err().unwrap().kind(), "unreachable");
        // Whoever stops waiting in the middle of a message gets no other one.
        let script = vec![hear("t2 UID FETCH 4:5"), say("* 1 FETCH (UID 4 BODY[] {200}\r\nhalf"), Act::Sulk];
        let (_scripted, mut connection) = opened(script).await;
        connection.ask(&[Uid(4), Uid(5)]);
        let (begun, mut came) = (tokio::sync::Notify::new(), Vec::new());
        let mut sink = |octets: &[u8]| {
            came.extend_from_slice(octets);
            begun.notify_one();
            Ok(())
        };
        tokio::select! {
            _ = connection.next_message(&mut sink) => panic!("there is no more"),
            () = begun.notified() => {}
        }
        assert!(!came.is_empty() && !connection.is_usable());
        assert_eq!(connection.next_message(&mut |_| Ok(())).await.err().unwrap().kind(), "unreachable");
    });
}

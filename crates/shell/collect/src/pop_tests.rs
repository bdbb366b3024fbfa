use crate::scripted::{Act, Scripted, hear, say};
use crate::{Apop, Credentials, MaildropEntry, PopConnection, Secret, Tls, Trouble};

fn credentials() -> Credentials {
    Credentials { user: "mrose".into(), secret: Secret::Password("tanstaaf".to_owned().into()) }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn opened(capabilities: &str, script: Vec<Act>) -> (Scripted, PopConnection) {
    let log_in = vec![
        say("+OK hi\r\n"),
        hear("CAPA"),
        say(format!("+OK\r\nSASL PLAIN\r\n{capabilities}.\r\n")),
        hear("AUTH PLAIN AG1yb3NlAHRhbnN0YWFm"),
        say("+OK in\r\n"),
    ];
    let scripted = Scripted::start(Tls::Implicit, [log_in, script].concat()).await;
    let connection =
        PopConnection::open(&scripted.server, &credentials(), &scripted.environment).await.unwrap();
    (scripted, connection)
}

fn entry(number: u32, unique_id: Option<&str>, size_bytes: u64) -> MaildropEntry {
    MaildropEntry { number, unique_id: unique_id.map(str::to_owned), size_bytes }
}

#[test]
fn a_maildrop_is_listed_fetched_and_emptied() {
    now(async {
        let body = "Subject: x\r\n\r\n".to_owned() + &"..dots\r\n".repeat(20_000);
        let (scripted, mut connection) = opened(
            "PIPELINING\r\n",
            vec![
                hear("LIST"),
                hear("UIDL"),
                say("+OK\r\n1 120\r\n3 200\r\n.\r\n+OK\r\n1 a\r\n2 stray\r\n3 b\r\n.\r\n"),
                hear("RETR 1"),
                hear("RETR 9"),
                hear("RETR 3"),
                say(format!("+OK\r\n{body}.\r\n-ERR no such message\r\n+OK\r\nthree\r\n.\r\n")),
                hear("DELE 1"),
                hear("DELE 9"),
                hear("DELE 3"),
                say("+OK\r\n-ERR no such message\r\n+OK\r\n"),
                hear("QUIT"),
                say("+OK bye\r\n"),
            ],
        )
        .await;
        let listing = connection.listing().await.unwrap();
        assert_eq!(listing, [entry(1, Some("a"), 120), entry(3, Some("b"), 200)]);
        let (mut message, mut longest) = (Vec::new(), 0);
        let mut sink = |octets: &[u8]| {
            longest = longest.max(octets.len());
            message.extend_from_slice(octets);
            Ok(())
        };
        connection.ask(&[1, 9, 3]);
        assert_eq!(connection.next_message(&mut sink).await, Ok(Some(1)));
        assert!(message == body.replace("..", ".").as_bytes() && longest < message.len());
        assert_eq!(connection.next_message(&mut |_| Ok(())).await, Ok(Some(3)));
        let refused = connection.next_message(&mut |_| Ok(())).await;
        assert!(matches!(refused, Err(Trouble::Refused(_))) && connection.is_usable());
        assert!(matches!(connection.delete_all(&[1, 9, 3]).await, Err(Trouble::Refused(_))));
        assert!(connection.is_usable());
        connection.quit().await.unwrap();
        scripted.run.await.unwrap().unwrap();
    });
}

#[test]
fn a_server_without_uidl_and_pipelining() {
    now(async {
        let (_scripted, mut connection) = opened(
            "",
            vec![
                hear("LIST"),
                say("+OK\r\n1 120\r\n.\r\n"),
                hear("UIDL"),
                say("-ERR unknown command\r\n"),
                hear("DELE 1"),
                say("+OK\r\n"),
                hear("QUIT"),
                say("-ERR some deleted messages not removed\r\n"),
            ],
        )
        .await;
        assert_eq!(connection.listing().await.unwrap(), [entry(1, None, 120)]);
        connection.delete(1).await.unwrap();
        assert!(matches!(connection.quit().await, Err(Trouble::Refused(_))));
    });
}

#[test]
fn stls_apop_and_troubles() {
    now(async {
        let script = vec![
            say("+OK hi\r\n"),
            hear("CAPA"),
            say("+OK\r\nSTLS\r\n.\r\n"),
            hear("STLS"),
            say("+OK\r\n"),
            Act::Secure,
            hear("CAPA"),
            say("-ERR\r\n"),
            hear("USER mrose"),
            say("+OK\r\n"),
            hear("PASS tanstaaf"),
            say("+OK\r\n"),
        ];
        let scripted = Scripted::start(Tls::StartTls, script.clone()).await;
        assert!(PopConnection::open(&scripted.server, &credentials(), &scripted.environment).await.is_ok());
        let scripted = Scripted::start(Tls::StartTls, script).await;
        let wrong = PopConnection::open(&scripted.server, &credentials(), &scripted.distrusted()).await;
        assert!(matches!(wrong.err(), Some(Trouble::Tls(_))));
        let apop = vec![
            say("+OK <1896.697170952@dbc.mtview.ca.us>\r\n"),
            hear("CAPA"),
            say("-ERR\r\n"),
            hear("APOP mrose c4c9334bac560ecc979e58001b3e22fb"),
            say("+OK\r\n"),
        ];
        let scripted = Scripted::start(Tls::None, apop).await;
        let (server, environment) = (&scripted.server, &scripted.environment);
        assert!(
            PopConnection::open_with(server, &credentials(), environment, Apop::WhenOffered).await.is_ok()
        );
        for (answer, kind) in [
            ("-ERR [IN-USE] locked", "busy"),
            ("-ERR unable to lock maildrop", "busy"),
            ("-ERR [AUTH] wrong", "login"),
            ("-ERR invalid password", "login"),
            ("* OK IMAP", "protocol"),
        ] {
            let script = vec![
                say("+OK\r\n"),
                hear("CAPA"),
                say("-ERR\r\n"),
                hear("USER"),
                say(format!("{answer}\r\n")),
            ];
            let scripted = Scripted::start(Tls::None, script).await;
            let trouble = PopConnection::open(&scripted.server, &credentials(), &scripted.environment)
                .await
                .err()
                .unwrap();
            assert_eq!(trouble.kind(), kind, "{answer}");
        }
        let (_scripted, mut connection) =
            opened("", vec![hear("RETR 1"), say("+OK\r\nhalf a mess"), Act::HangUp]).await;
        connection.ask(&[1]);
        let trouble = connection.next_message(&mut |_| Ok(())).await.err().unwrap();
        assert_eq!((trouble.kind(), connection.is_usable()), ("unreachable", false));
        assert!(connection.noop().await.is_err());
    });
}

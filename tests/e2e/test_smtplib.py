"""Python's smtplib: every command, and the extensions through raw commands."""

import smtplib

import pytest
from harness.mail import message, unique, with_attachment, without_trace
from harness.tls import trusting


@pytest.fixture
def smtp(server):
    """A greeted session on port 25."""
    with smtplib.SMTP("127.0.0.1", server.smtp, "client.test", timeout=120) as session:
        session.ehlo()
        yield session


def test_extensions(app_server):
    with smtplib.SMTP("127.0.0.1", app_server.smtp, "client.test", timeout=120) as smtp:
        smtp.ehlo()
        check_extensions(app_server, smtp)


def test_cram_md5_is_offered_once_it_can_work(own_server):
    """Clients such as curl choose it whenever it is there, and with the own password it fails."""
    server = own_server()
    alice = server.account("alice")

    def offered():
        with smtplib.SMTP_SSL("localhost", server.submissions, timeout=120, context=trusting(server.ca)) as smtp:
            smtp.ehlo()
            return smtp.esmtp_features["auth"].split()

    assert "CRAM-MD5" not in offered()
    server.app_password(alice)
    assert "CRAM-MD5" in offered()


def check_extensions(server, smtp):
    """What EHLO tells before and inside TLS."""
    for word in ("pipelining", "size", "8bitmime", "smtputf8", "chunking", "binarymime", "enhancedstatuscodes"):
        assert smtp.has_extn(word), word
    assert smtp.has_extn("dsn") and smtp.has_extn("starttls") and smtp.has_extn("limits")
    assert "PLAIN" not in smtp.esmtp_features.get("auth", ""), "nothing in clear before TLS"
    smtp.starttls(context=trusting(server.ca))
    smtp.ehlo()
    assert not smtp.has_extn("starttls")
    offered = set(smtp.esmtp_features["auth"].split())
    assert {"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"} <= offered


def test_every_command_has_its_answer(smtp, alice):
    assert smtp.docmd("HELO", "c.test")[0] == 250
    assert smtp.noop()[0] == 250
    assert smtp.verify(alice.address)[0] == 252
    assert smtp.expn(alice.address)[0] in (550, 502)
    assert smtp.docmd("HELP")[0] == 214
    assert smtp.docmd("HELP", "MAIL")[0] == 214
    for word in ("SEND", "SOML", "SAML"):
        assert smtp.docmd(word, f"FROM:<{alice.address}>")[0] == 502
    assert smtp.docmd("TURN")[0] == 502
    assert smtp.docmd("NONSENSE")[0] == 500
    assert smtp.docmd("RCPT", f"TO:<{alice.address}>")[0] == 503
    assert smtp.docmd("DATA")[0] == 503
    assert smtp.docmd("MAIL", "FROM:nonsense>")[0] == 501
    assert smtp.mail("a@b.test")[0] == 250
    assert smtp.mail("a@b.test")[0] == 503
    assert smtp.rset()[0] == 250
    assert smtp.docmd("STARTTLS", "now")[0] == 501


def test_null_reverse_path_and_source_routes(server, smtp, alice):
    assert smtp.docmd("MAIL", "FROM:<>")[0] == 250
    assert smtp.docmd("RCPT", f"TO:<@relay.test,@other.test:{alice.address}>")[0] == 250
    assert smtp.data(message("routed"))[0] == 250
    assert server.contents(alice)[0].startswith(b"Return-Path: <>\r\n")


def test_chunking_and_binarymime(server, smtp, alice):
    binary = message("binary", body=bytes(range(256)) * 8)
    assert smtp.docmd("MAIL", "FROM:<a@b.test> BODY=BINARYMIME")[0] == 250
    assert smtp.rcpt(alice.address)[0] == 250
    first, second = binary[:700], binary[700:]
    smtp.send(f"BDAT {len(first)}\r\n".encode() + first)
    assert smtp.getreply()[0] == 250
    smtp.send(f"BDAT {len(second)} LAST\r\n".encode() + second)
    assert smtp.getreply()[0] == 250
    # RFC 3501 §9: no literal holds NUL, so IMAP shows another octet in its place; POP3 shows the message as it is.
    with server.wire("pop3_clear") as wire:
        wire.send(f"USER {alice.address}\r\nPASS {alice.password}\r\nRETR 1\r\nQUIT\r\n")
        assert binary in wire.rest()
    assert without_trace(server.contents(alice)[0]) == binary.replace(b"\0", b" ")


def test_size_is_refused_before_the_message_is_sent(own_server):
    server = own_server(sections='[limits]\nmessage_bytes = "100K"\n')
    alice = server.account("alice")
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
        smtp.ehlo()
        assert smtp.esmtp_features["size"] == str(100 * 1024)
        assert smtp.docmd("MAIL", "FROM:<a@b.test> SIZE=200000")[0] == 552
        # One that does not tell its size is found out.
        smtp.mail("a@b.test")
        smtp.rcpt(alice.address)
        assert smtp.data(message(body=b"line of some length\r\n" * 10_000))[0] == 552
        smtp.sendmail("a@b.test", alice.address, message("small"))
    assert len(server.contents(alice)) == 1


def test_smtputf8(server, alice):
    server.cli("domain", "add", "пример.рф", expect=None)
    pochta = server.account("почта@пример.рф")
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
        smtp.ehlo()
        raw = f"From: <почта@пример.рф>\r\nTo: <{pochta.address}>\r\nSubject: Привет\r\n\r\nЗдравствуй\r\n".encode()
        smtp.sendmail("отправитель@пример.рф", [pochta.address], raw, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    assert without_trace(server.contents(pochta)[0]) == raw


def test_submission_adds_what_is_missing_and_port_25_does_not(server, alice, bob):
    bare = b"Subject: bare\r\nTo: <x@y.test>\r\n\r\nhi\r\n"
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(alice.address, alice.password)
        smtp.sendmail(alice.address, [bob.address], bare)
    server.deliver(alice, bare)
    [submitted], [received] = server.contents(bob), server.contents(alice)
    for field in (b"message-id:", b"date:", b"from:"):
        assert b"\r\n" + field in submitted.lower(), field
        assert b"\r\n" + field not in without_trace(received).lower(), field


def test_submission_wants_a_login(server, bob):
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.ehlo()
        assert smtp.mail("a@b.test")[0] == 530


def test_login_names(server, bob):
    """With and without the domain, with a tag, in capital letters."""
    alice = server.account()
    name = alice.address.split("@")[0]
    for login in (alice.address, name, f"{name}+tag@{server.domain}", f"{name}+tag", alice.address.upper()):
        with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
            smtp.login(login, alice.password)


def test_each_mechanism_of_smtplib(app_server):
    server, alice = app_server, app_server.account()
    app = server.app_password(alice)
    for mechanism, account in (("PLAIN", alice), ("LOGIN", alice), ("PLAIN", app), ("CRAM-MD5", app)):
        with smtplib.SMTP_SSL("localhost", server.submissions, timeout=120, context=trusting(server.ca)) as smtp:
            smtp.ehlo()
            smtp.user, smtp.password = account.address, account.password
            authenticate = getattr(smtp, "auth_" + mechanism.lower().replace("-", "_"))
            assert smtp.auth(mechanism, authenticate)[0] == 235, mechanism


def test_cram_md5_never_works_with_the_own_password(own_server):
    server = own_server()
    alice = server.account("alice")
    server.app_password(alice)
    with smtplib.SMTP_SSL("localhost", server.submissions, timeout=120, context=trusting(server.ca)) as smtp:
        smtp.ehlo()
        smtp.user, smtp.password = alice.address, alice.password
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.auth("CRAM-MD5", smtp.auth_cram_md5)


def test_message_of_25_megabytes(server, alice):
    raw, _ = with_attachment(18 << 20)
    server.deliver(alice, raw)
    assert without_trace(server.contents(alice)[0]) == raw


def test_many_recipients_share_one_message(server):
    accounts = [server.account() for _ in range(5)]
    subject = unique()
    server.deliver(accounts, message(subject))
    for account in accounts:
        assert [subject.encode() in raw for raw in server.contents(account)] == [True]

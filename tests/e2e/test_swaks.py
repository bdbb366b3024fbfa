"""swaks: every door and every way to log in."""

import pytest
from harness.mail import unique, without_trace
from harness.programs import run


def swaks(server, port, to, *words, sender="someone@elsewhere.test", subject="swaks", expect=0):
    """Send one message."""
    server_words = [] if port is None else ["--server", "127.0.0.1", "--port", port]
    return run(
        ["swaks", *server_words, "--helo", "client.test", "--from", sender, "--to", to]
        + ["--header", f"Subject: {subject}", "--body", "Hello from swaks.", *words],
        expect=expect,
    )


def arrived(server, account, subject):
    """Whether exactly one message with this subject lies in the INBOX."""
    found = [raw for raw in server.contents(account) if f"Subject: {subject}".encode() in raw]
    return len(found) == 1


def tls(server):
    """Words for STARTTLS with a checked certificate."""
    return ["--tls", "--tls-verify", "--tls-ca-path", server.ca]


def credentials(account, mechanism):
    """Words for a log-in."""
    return ["--auth", mechanism, "--auth-user", account.address, "--auth-password", account.password]


def test_port_25_takes_mail_from_strangers(server, alice):
    subject = unique()
    swaks(server, server.smtp, alice.address, subject=subject)
    assert arrived(server, alice, subject)


def test_port_25_with_starttls(server, alice):
    subject = unique()
    done = swaks(server, server.smtp, alice.address, *tls(server), subject=subject)
    assert b"TLS started" in done.stdout
    assert arrived(server, alice, subject)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_submission_with_starttls(server, alice, bob, mechanism):
    subject = unique()
    words = [*tls(server), *credentials(alice, mechanism)]
    swaks(server, server.submission, bob.address, *words, sender=alice.address, subject=subject)
    assert arrived(server, bob, subject)


def test_submission_with_cram_md5(app_server):
    server, subject = app_server, unique()
    alice, bob = server.account(), server.account()
    app = server.app_password(alice)
    words = [*tls(server), *credentials(app, "CRAM-MD5")]
    swaks(server, server.submission, bob.address, *words, sender=alice.address, subject=subject)
    assert arrived(server, bob, subject)


def test_port_465(server, alice, bob):
    subject = unique()
    words = ["--tls-on-connect", "--tls-verify", "--tls-ca-path", server.ca, *credentials(alice, "PLAIN")]
    swaks(server, server.submissions, bob.address, *words, sender=alice.address, subject=subject)
    assert arrived(server, bob, subject)


def test_pipelining(server, alice, bob):
    subject = unique()
    to = f"{alice.address},{bob.address}"
    done = swaks(server, server.smtp, to, "--pipeline", subject=subject)
    out = done.stdout.decode()
    assert out.index("RCPT TO") < out.index("250 2.1.0"), "the commands went out before the first reply"
    assert arrived(server, alice, subject) and arrived(server, bob, subject)


def test_lmtp_on_tcp_and_on_a_unix_socket(server, alice, bob):
    one, two = unique(), unique()
    to = f"{alice.address},{bob.address}"
    done = swaks(server, server.lmtp, to, "--protocol", "LMTP", subject=one)
    after_dot = done.stdout.decode().split(" -> .\n", 1)[1]
    assert after_dot.count("<-  250") == 2, "one reply for each recipient"
    swaks(server, None, to, "--protocol", "LMTP", "--socket", server.lmtp_socket, subject=two)
    for account in (alice, bob):
        assert arrived(server, account, one) and arrived(server, account, two)


def test_one_bad_recipient_does_not_affect_the_others(server, alice):
    subject = unique()
    done = swaks(server, server.smtp, f"nobody@{server.domain},{alice.address}", subject=subject, expect=None)
    assert b"550" in done.stdout
    assert arrived(server, alice, subject)


def test_a_wrong_password_is_refused(own_server):
    server = own_server()
    alice = server.account("alice")
    wrong = ["--auth", "PLAIN", "--auth-user", alice.address, "--auth-password", "wrong"]
    done = swaks(server, server.submission, alice.address, *tls(server), *wrong, sender=alice.address, expect=28)
    assert b"535" in done.stdout
    assert server.contents(alice) == []


def test_the_message_is_stored_as_it_was_sent(server, alice, tmp_path):
    subject = unique()
    raw = f"Subject: {subject}\r\nFrom: a@b.test\r\n\r\n.dot first\r\n..two dots\r\n.\u00e4\r\nend\r\n".encode()
    (tmp_path / "mail").write_bytes(raw)
    envelope = ["--from", "someone@elsewhere.test", "--to", alice.address, "--helo", "client.test"]
    run(["swaks", "--server", "127.0.0.1", "--port", server.smtp, *envelope, "--data", f"@{tmp_path}/mail"])
    stored = [content for content in server.contents(alice) if subject.encode() in content]
    assert [without_trace(content).rstrip() for content in stored] == [raw.rstrip()]
    head = stored[0].split(b"\r\n\r\n")[0]
    assert head.startswith(b"Return-Path: <someone@elsewhere.test>\r\n") and b"\r\nReceived: from client.test" in head

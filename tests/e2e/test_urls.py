"""CATENATE, URLAUTH and BURL: messages that are put together on the server (RFC 4467, 4468, 4469)."""

import smtplib

import pytest
from harness.mail import message, unique, without_trace
from harness.tls import trusting


@pytest.fixture
def imap(server):
    """A session of alice's, by raw lines, and her account."""
    account = server.account()
    with server.wire("imap_clear") as wire:
        assert wire.imap(f"LOGIN {account.address} {account.password}")[-1].startswith("a OK")
        yield wire, account


def append(wire, text, mailbox="INBOX"):
    """Add a message; its UID."""
    raw = text if isinstance(text, bytes) else text.encode()
    wire.send(b"p APPEND %s {%d+}\r\n%s\r\n" % (mailbox.encode(), len(raw), raw))
    last = wire.until_tag("p")[-1]
    assert last.startswith("p OK [APPENDUID "), last
    return int(last.split("]")[0].split()[-1])


def authorised(wire, url):
    """A URL with its token."""
    lines = wire.imap(f'GENURLAUTH "{url}" INTERNAL')
    assert lines[0].startswith("* GENURLAUTH "), lines
    return lines[0].split('"')[1]


def submission(server, account):
    session = smtplib.SMTP_SSL("localhost", server.submissions, "client.test", timeout=120, context=trusting(server.ca))
    session.ehlo()
    assert session.esmtp_features["burl"] == "", "before the log-in"
    session.login(account.address, account.password)
    session.ehlo()
    assert "imap" in session.esmtp_features["burl"].split()
    return session


def begin(session, account, to):
    assert session.mail(account.address)[0] == 250
    assert session.rcpt(to)[0] == 250


def test_catenate_takes_parts_of_stored_messages(imap):
    wire, _ = imap
    big = "x" * 70 + "\r\n"
    uid = append(wire, f"Subject: one\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{big * 30000}--b--\r\n")
    wire.send(b"c APPEND INBOX CATENATE (TEXT {16+}\r\nSubject: two\r\n\r\n URL \"/INBOX/;UID=%d/;SECTION=1\" URL \"/INBOX/;UID=%d\")\r\n" % (uid, uid))
    last = wire.until_tag("c")[-1]
    assert last.startswith("c OK [APPENDUID "), last
    wire.imap("SELECT INBOX")
    sizes = wire.imap("FETCH 1:2 (RFC822.SIZE)")
    first, second = (int(line.rstrip(")").split()[-1]) for line in sizes[:2])
    # The line end before a boundary belongs to it.
    assert second == 16 + len(big) * 30000 - 2 + first
    missing = wire.imap('APPEND INBOX CATENATE (URL "/INBOX/;UID=999")')
    assert missing[-1].startswith("a NO [BADURL /INBOX/;UID=999]")


def test_urlauth_lets_others_read(server, imap):
    wire, alice = imap
    bob = server.account()
    local = alice.address.split("@")[0]
    uid = append(wire, "Subject: secret\r\n\r\nfor bob\r\n")
    rump = f"imap://{local}@example.test/INBOX/;UID={uid}/;SECTION=TEXT;URLAUTH=user+{bob.address.replace('@', '%40')}"
    url = authorised(wire, rump)
    assert authorised(wire, rump) == url
    assert " NIL" in wire.imap(f'URLFETCH "{url}"')[0], "not for alice"
    with server.wire("imap_clear") as other:
        other.imap(f"LOGIN {bob.address} {bob.password}")
        other.send(f'f URLFETCH "{url}"\r\n'.encode())
        assert other.line().endswith("{9}")
        assert other.exactly(9) == b"for bob\r\n"
        other.until_tag("f")
        assert " NIL" in other.imap(f'URLFETCH "{url[:-1]}{"0" if url[-1] != "0" else "1"}"')[0]
        assert other.imap(f'GENURLAUTH "{rump}" INTERNAL')[-1].startswith("a BAD"), "only alice may have it made"
        assert wire.imap("RESETKEY INBOX")[-1].startswith("a OK")
        assert " NIL" in other.imap(f'URLFETCH "{url}"')[0], "revoked"


def test_keys_outlive_a_restart(own_server):
    server = own_server()
    alice = server.account("alice")
    with server.wire("imap_clear") as wire:
        wire.imap(f"LOGIN {alice.address} {alice.password}")
        uid = append(wire, "Subject: a\r\n\r\nb\r\n")
        url = authorised(wire, f"imap://alice@example.test/INBOX/;UID={uid};URLAUTH=authuser")
    server.restart()
    with server.wire("imap_clear") as wire:
        wire.imap(f"LOGIN {alice.address} {alice.password}")
        assert "{" in wire.imap(f'URLFETCH "{url}"')[0]


def test_burl_submits_what_is_stored(server, imap):
    wire, alice = imap
    bob = server.account()
    local = alice.address.split("@")[0]
    subject = unique("burl")
    raw = message(subject, sender=alice.address, to=bob.address)
    uid = append(wire, raw)
    url = authorised(wire, f"imap://{local}@example.test/INBOX/;UID={uid};URLAUTH=submit+{local}")
    with submission(server, alice) as session:
        begin(session, alice, bob.address)
        assert session.docmd("BURL", f"{url} LAST")[0] == 250
        # BDAT and BURL take turns; a regular URL of one's own message needs no token.
        head = f"From: {alice.address}\r\nSubject: forwarded\r\nMessage-ID: <{unique()}@x>\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n\r\n".encode()
        begin(session, alice, bob.address)
        session.send(b"BDAT %d\r\n%s" % (len(head), head))
        assert session.getreply()[0] == 250
        assert session.docmd("BURL", f"imap://{local}@example.test/INBOX/;UID={uid}/;SECTION=TEXT")[0] == 250
        session.send(b"BDAT 5 LAST\r\nend\r\n")
        assert session.getreply()[0] == 250
    first, second = (without_trace(content) for content in server.contents(bob))
    text = raw if isinstance(raw, bytes) else raw.encode()
    assert first == text
    assert second.endswith(text.split(b"\r\n\r\n", 1)[1] + b"end\r\n") and b"Subject: forwarded" in second


def test_burl_refuses_what_is_not_the_users(server, imap):
    wire, alice = imap
    bob = server.account()
    local, other = (account.address.split("@")[0] for account in (alice, bob))
    uid = append(wire, "Subject: a\r\n\r\nb\r\n")
    mine = authorised(wire, f"imap://{local}@example.test/INBOX/;UID={uid};URLAUTH=submit+{local}")
    expired = authorised(wire, f"imap://{local}@example.test/INBOX/;UID={uid};EXPIRE=2001-01-01T00:00:00Z;URLAUTH=submit+{local}")
    gone = authorised(wire, f"imap://{local}@example.test/INBOX/;UID=999;URLAUTH=submit+{local}")
    for_bob = authorised(wire, f"imap://{local}@example.test/INBOX/;UID={uid};URLAUTH=submit+{other}")

    def outcome(account, url):
        with submission(server, account) as session:
            begin(session, account, bob.address)
            code, text = session.docmd("BURL", f"{url} LAST")
            return code, text.split()[0]

    assert outcome(bob, mine) == (554, b"5.7.0"), "submit+ is for alice"
    assert outcome(bob, f"imap://{local}@example.test/INBOX/;UID={uid}") == (554, b"5.7.0")
    assert outcome(bob, for_bob)[0] == 250
    assert outcome(alice, expired) == (554, b"5.7.0")
    assert outcome(alice, mine[:-1] + ("0" if mine[-1] != "0" else "1")) == (554, b"5.7.0")
    assert outcome(alice, gone) == (554, b"5.6.6")
    assert outcome(alice, "imap://alice@mail.elsewhere.test/INBOX/;UID=1;URLAUTH=submit+alice:internal:" + "0" * 32) == (554, b"5.7.8")
    assert outcome(alice, "http://example.test/") == (554, b"5.6.6")
    with smtplib.SMTP("127.0.0.1", server.smtp, "client.test", timeout=120) as session:
        session.ehlo()
        assert not session.has_extn("burl"), "never on port 25"
        assert session.docmd("BURL", f"{mine} LAST")[0] == 500

"""Python's poplib: every command, APOP, SASL, UTF8, the lock, and what IMAP sees of it."""

import base64
import hashlib
import hmac
import poplib

import pytest
from harness.mail import message, unique, with_attachment, without_trace
from harness.tls import trusting


@pytest.fixture
def mail(server, bob):
    """Three messages."""
    raws = [message(unique(), body=f"Nr {number}\r\n.\r\n..\r\n") for number in range(3)]
    for raw in raws:
        server.deliver(bob, raw)
    return raws


def retr(pop, number):
    """A message without its trace fields."""
    return without_trace(b"\r\n".join(pop.retr(number)[1]) + b"\r\n")


def test_a_whole_session(server, bob, mail):
    pop = server.pop3_login(bob)
    count, size = pop.stat()
    assert count == 3
    sizes = [int(line.split()[1]) for line in pop.list()[1]]
    assert sum(sizes) == size
    assert pop.list(2).split()[:3] == [b"+OK", b"2", str(sizes[1]).encode()]
    assert [retr(pop, number) for number in (1, 2, 3)] == mail
    uidls = [line.split()[1] for line in pop.uidl()[1]]
    assert len(set(uidls)) == 3 and pop.uidl(3).split()[2] == uidls[2]
    top = pop.top(1, 1)[1]
    assert top[-2:] == [b"", b"Nr 0"]
    assert pop.noop().startswith(b"+OK")
    assert pop.dele(1).startswith(b"+OK")
    assert pop.stat()[0] == 2
    with pytest.raises(poplib.error_proto):
        pop.retr(1)
    assert pop.rset().startswith(b"+OK")
    assert pop.stat()[0] == 3
    assert pop._shortcmd("LAST").startswith(b"+OK")
    pop.quit()


def test_capabilities(app_server):
    server = app_server
    pop = poplib.POP3("127.0.0.1", server.pop3, timeout=120)
    before = pop.capa()
    for word in ("TOP", "UIDL", "STLS", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE", "IMPLEMENTATION"):
        assert word in before, word
    assert "UTF8" in before and "LANG" in before
    assert "USER" not in before and "PLAIN" not in before.get("SASL", []), "nothing in clear before TLS"
    pop.stls(context=trusting(server.ca))
    after = pop.capa()
    assert "STLS" not in after and "USER" in after
    assert {"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"} <= set(after["SASL"])
    pop.quit()


def test_user_before_tls_is_refused(server, bob):
    pop = poplib.POP3("127.0.0.1", server.pop3, timeout=120)
    with pytest.raises(poplib.error_proto):
        pop.user(bob.address)
        pop.pass_(bob.password)
    pop.quit()


def test_apop(app_server):
    server, bob = app_server, app_server.account()
    app = server.app_password(bob)
    for _ in range(3):
        server.deliver(bob, message())
    pop = poplib.POP3("127.0.0.1", server.pop3, timeout=120)
    pop.apop(app.address, app.password)
    assert pop.stat()[0] == 3
    pop.quit()


def test_cram_md5_and_plain(app_server):
    server, bob = app_server, app_server.account()
    app = server.app_password(bob)
    for _ in range(3):
        server.deliver(bob, message())
    with server.wire("pop3") as wire:
        assert wire.pop3("AUTH CRAM-MD5").startswith("+ ")
    with server.wire("pop3") as wire:
        challenge = base64.b64decode(wire.pop3("AUTH CRAM-MD5")[2:])
        proof = hmac.new(app.password.encode(), challenge, hashlib.md5).hexdigest()
        answer = base64.b64encode(f"{app.address} {proof}".encode()).decode()
        assert wire.pop3(answer).startswith("+OK")
        assert wire.pop3("STAT").startswith("+OK 3 ")
    with server.wire("pop3s") as wire:
        secret = base64.b64encode(f"\0{bob.address}\0{bob.password}".encode()).decode()
        assert wire.pop3(f"AUTH PLAIN {secret}").startswith("+OK")


def test_utf8_and_lang(server, mail, bob):
    pop = poplib.POP3_SSL("localhost", server.pop3s, timeout=120, context=trusting(server.ca))
    assert pop.utf8().startswith(b"+OK")
    pop.user(bob.address)
    pop.pass_(bob.password)
    assert pop.stat()[0] == 3
    assert pop._longcmd("LANG")[0].startswith(b"+OK")
    pop.quit()


def test_pipelining(server, bob, mail):
    with server.wire("pop3_clear") as wire:
        wire.send(f"USER {bob.address}\r\nPASS {bob.password}\r\nSTAT\r\nLIST\r\nUIDL 1\r\nQUIT\r\n")
        lines = wire.rest().decode().split("\r\n")
    assert [line[:3] for line in lines if line[:1] in "+-" and line] == ["+OK"] * 6


def test_the_maildrop_is_locked_against_pop3_only(server, bob, mail):
    first = server.pop3_login(bob)
    with pytest.raises(poplib.error_proto, match="IN-USE"):
        server.pop3_login(bob)
    imap = server.imap_login(bob)
    assert imap.select("INBOX")[1] == [b"3"]
    imap.logout()
    first.quit()
    server.pop3_login(bob).quit()


def test_a_broken_connection_deletes_nothing(server, bob, mail):
    pop = server.pop3_login(bob)
    pop.dele(1)
    pop.close()
    assert len(server.contents(bob)) == 3


def test_imap_sees_deletions_at_quit(server, bob, mail):
    imap = server.imap_login(bob)
    imap.select("INBOX")
    pop = server.pop3_login(bob)
    pop.dele(2)
    imap.noop()
    assert imap.untagged_responses.get("EXPUNGE") is None
    pop.quit()
    imap.noop()
    assert imap.untagged_responses["EXPUNGE"] == [b"2"]
    assert [without_trace(raw) for raw in server.contents(bob)] == [mail[0], mail[2]]
    imap.logout()


def test_uidls_stay_across_restarts(own_server):
    server = own_server()
    bob = server.account("bob")
    for _ in range(3):
        server.deliver(bob, message(unique()))
    uidls = lambda: server.pop3_login(bob).uidl()[1]  # noqa: E731
    before = uidls()
    server.restart()
    assert uidls() == before


def test_one_megabyte_byte_for_byte(server, bob):
    raw, octets = with_attachment(1 << 20)
    server.deliver(bob, raw)
    pop = poplib.POP3_SSL("localhost", server.pop3s, timeout=120, context=trusting(server.ca))
    pop.user(bob.address)
    pop.pass_(bob.password)
    assert retr(pop, 1) == raw
    pop.quit()


def test_login_names(server, bob, mail):
    name = bob.address.split("@")[0]
    for login in (name, f"{name}+tag", f"{name}+tag@{server.domain}", bob.address.upper()):
        with server.wire("pop3_clear") as wire:
            assert wire.pop3(f"USER {login}").startswith("+OK")
            assert wire.pop3(f"PASS {bob.password}").startswith("+OK"), login


def test_bad_commands_have_answers(server, bob, mail):
    with server.wire("pop3_clear") as wire:
        for command in ("STAT", "RETR 1", "NONSENSE", "", "PASS x", "USER", "APOP x", "XTND XMIT"):
            assert wire.pop3(command).startswith("-ERR"), command
        assert wire.pop3(f"USER {bob.address}").startswith("+OK")
        assert wire.pop3(f"PASS {bob.password}").startswith("+OK")
        for command in ("RETR 0", "RETR 99", "RETR x", "RETR", "TOP 1", "TOP 1 -1", "DELE 4294967297", "LIST 9"):
            assert wire.pop3(command).startswith("-ERR"), command
        assert wire.pop3("STAT").startswith("+OK 3 ")

"""DKIM: keys made by the command line, mail signed on its way out, and judges that know nothing of Troika."""

import re
import smtplib

import dkim
import pytest
from harness.mail import message, unique
from harness.next_hop import NextHop
from harness.programs import run

ELSEWHERE = "someone@elsewhere.test"


def send(server, account, raw, *to, options=()):
    """Submit to a local account and to somewhere else, whose copies are one content."""
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(account.address, account.password)
        assert not smtp.sendmail(account.address, [*to, ELSEWHERE], raw, mail_options=options)


def sent(server, account, recipient, raw, **options):
    """Return what is kept of the message, which is what the other host gets behind Return-Path."""
    send(server, account, raw, recipient.address, **options)
    return server.contents(recipient)[-1]


def records(server):
    """Return the records to publish, by name, as a resolver would."""
    return {row["name"].encode() + b".": row["record"].encode() for row in server.rows("dkim", "list")}


def judged(raw, known):
    """Return for each signature whether dkimpy finds it right."""
    verifier = dkim.DKIM(raw)
    count = len(re.findall(rb"(?mi)^DKIM-Signature:", raw.split(b"\r\n\r\n")[0]))

    def is_right(index):
        try:
            return verifier.verify(index, dnsfunc=lambda name, **_: known.get(name))
        except dkim.ValidationError:
            return False

    return [is_right(index) for index in range(count)]


@pytest.fixture(scope="module")
def signing(tmp_path_factory):
    """A server whose domain signs with an RSA key and an Ed25519 key."""
    from harness.server import Server

    server = Server(tmp_path_factory.mktemp("signing"))
    server.cli("domain", "add", server.domain)
    server.cli("dkim", "add", server.domain, "--activate")
    server.cli("dkim", "add", server.domain, "--kind", "ed25519", "--selector", "Short", "--activate")
    server.start()
    yield server
    server.stop()


def test_what_leaves_is_signed_twice_and_verifies(signing):
    alice, bob = signing.account(), signing.account()
    raw = sent(signing, alice, bob, message(unique(), sender=alice.address, body="Hi. \r\n\tthere\r\n\r\n\r\n"))
    assert raw.startswith(b"Return-Path:") and raw.count(b"DKIM-Signature:") == 2
    assert judged(raw, records(signing)) == [True, True], raw
    changed = raw.replace(b"there", b"where")
    assert judged(changed, records(signing)) == [False, False]
    # What is shown can't be added to.
    added = raw.replace(b"Subject:", b"Subject: other\r\nSubject:", 1)
    assert judged(added, records(signing)) == [False, False]
    assert signing.metric("troika_signed_total") >= 1


def test_opendkim_agrees(signing, tmp_path):
    alice, bob = signing.account(), signing.account()
    raw = sent(signing, alice, bob, message(unique(), sender=alice.address, body="Привет \r\n" * 2000))
    known = "".join(f"{row['name']} {row['record']}\n" for row in signing.rows("dkim", "list"))
    (tmp_path / "records").write_text(known)
    (tmp_path / "message").write_bytes(raw)
    (tmp_path / "conf").write_text(f"Mode v\nAlwaysAddARHeader yes\nTestDNSData file:{tmp_path}/records\nUserID root\n")
    said = run(["opendkim", "-x", tmp_path / "conf", "-t", tmp_path / "message", "-vv"])
    text = (said.stdout + said.stderr).decode()
    assert len(re.findall(r"dkim=pass [^;]*header\.a=(?:rsa|ed25519)-sha256", text)) == 2, text


def test_nobody_signs_for_another(signing):
    alice, bob, carol = signing.account(), signing.account(), signing.account()
    for author in (carol.address, "a@elsewhere.test", f"{alice.address}, {carol.address}"):
        raw = message(unique(), sender="x@y.test").replace(b"<x@y.test>", author.encode())
        assert b"DKIM-Signature" not in sent(signing, alice, bob, raw), author
    tagged = alice.address.replace("@", "+tag@")
    assert b"DKIM-Signature" in sent(signing, alice, bob, message(unique(), sender=tagged))


def test_what_strangers_send_and_what_stays_is_not_signed(signing):
    alice, bob = signing.account(), signing.account()
    signing.deliver(bob, message(unique(), sender=alice.address), sender=alice.address)
    assert b"DKIM-Signature" not in signing.contents(bob)[-1]
    with smtplib.SMTP("127.0.0.1", signing.submission_clear, timeout=120) as smtp:
        smtp.login(alice.address, alice.password)
        smtp.sendmail(alice.address, [bob.address], message(unique(), sender=alice.address))
    assert b"DKIM-Signature" not in signing.contents(bob)[-1]


def test_keys_wait_sign_retire_and_survive_a_restart(own_server):
    server = own_server()
    alice, bob = server.account("alice"), server.account("bob")
    (key,) = server.rows("dkim", "add", server.domain, "--kind", "ed25519", "--selector", "one")
    assert key["state"] == "waiting" and key["name"] == f"one._domainkey.{server.domain}"
    assert "DKIM-Signature" not in sent(server, alice, bob, message(unique(), sender=alice.address)).decode()
    server.cli("dkim", "activate", server.domain, "one")
    (second,) = server.rows("dkim", "rotate", server.domain)
    assert second["state"] == "waiting" and second["selector"] != "one"
    raw = sent(server, alice, bob, message(unique(), sender=alice.address))
    assert b"s=one;" in raw and judged(raw, records(server)) == [True]
    server.cli("dkim", "activate", server.domain, second["selector"])
    server.restart()
    raw = sent(server, alice, bob, message(unique(), sender=alice.address))
    assert f"s={second['selector']};".encode() in raw and judged(raw, records(server)) == [True]
    states = {row["selector"]: row["state"] for row in server.rows("dkim", "list", server.domain)}
    assert states == {"one": "retired", second["selector"]: "signing"}
    server.cli("dkim", "remove", server.domain, second["selector"], expect=1)
    server.cli("dkim", "remove", server.domain, "one")
    assert [row["selector"] for row in server.rows("dkim", "list")] == [second["selector"]]


def test_keys_of_others_are_taken_over(own_server, tmp_path):
    """A key that opendkim-genkey made, and one of openssl; what is made here is a key for openssl, too."""
    server = own_server()
    run(["opendkim-genkey", "-b", "2048", "-d", server.domain, "-s", "old", "-D", tmp_path])
    server.cli("dkim", "import", server.domain, "old", "--activate", stdin=(tmp_path / "old.private").read_bytes())
    published = "".join(re.findall(r'"([^"]*)"', (tmp_path / "old.txt").read_text()))
    (row,) = server.rows("dkim", "list")
    p = re.compile(r"p=([A-Za-z0-9+/=]+)")
    assert p.search(published)[1] == p.search(row["record"])[1]
    pem = run(["openssl", "genpkey", "-algorithm", "ed25519"]).stdout
    server.cli("dkim", "import", server.domain, "new", "--activate", stdin=pem)
    assert {row["kind"]: row["state"] for row in server.rows("dkim", "list")} == {
        "rsa": "signing",
        "ed25519": "signing",
    }
    alice, bob = server.account("alice"), server.account("bob")
    raw = sent(server, alice, bob, message(unique(), sender=alice.address))
    assert judged(raw, records(server)) == [True, True]
    for bad in (b"", b"junk", pem[:60]):
        assert "PKCS#8" in server.cli("dkim", "import", server.domain, "bad", stdin=bad, expect=1).stderr.decode()
    made = server.rows("dkim", "add", server.domain, "--selector", "ours", "--bits", "3072")[0]
    assert made["bits"] == 3072
    (tmp_path / "public.pem").write_text(
        "-----BEGIN PUBLIC KEY-----\n" + p.search(made["record"])[1] + "\n-----END PUBLIC KEY-----\n"
    )
    shown = run(["openssl", "rsa", "-pubin", "-in", tmp_path / "public.pem", "-noout", "-text"]).stdout.decode()
    assert "3072 bit" in shown and "65537" in shown, shown


def test_what_the_next_hop_gets_verifies(own_server):
    with NextHop() as hop:
        server = own_server(sections=f'[[route]]\nnext_hop = "{hop.address}"\n')
        server.cli("dkim", "add", server.domain, "--activate")
        alice = server.account("alice")
        send(server, alice, message(unique(), sender=alice.address, body=".dots\r\n..\r\n\r\n"))
        (taken,) = hop.wait(1)
        assert taken.content.startswith(b"DKIM-Signature:")
        assert judged(taken.content, records(server)) == [True]


def test_what_is_recoded_for_a_host_is_signed_anew(own_server):
    """RFC 6376 §5.3: the signature covers what goes over the wire; that of another domain stays as it is."""
    with NextHop(keywords=()) as hop:
        server = own_server(sections=f'[[route]]\nnext_hop = "{hop.address}"\n')
        server.cli("dkim", "add", server.domain, "--kind", "ed25519", "--activate")
        alice, bob = server.account("alice"), server.account("bob")
        extra = ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
        raw = message(unique(), sender=alice.address, body="Привет, мир.\r\n", extra=extra)
        here = sent(server, alice, bob, raw, options=["BODY=8BITMIME"])
        (taken,) = hop.wait(1)
        assert taken.content.isascii() and not here.isascii()
        assert judged(taken.content, records(server)) == [True] == judged(here, records(server))

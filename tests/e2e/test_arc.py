"""ARC: what is passed on is sealed, and dkimpy follows the chain; chains that dkimpy began go on."""

import smtplib
import subprocess

import dkim
import pytest
from harness.mail import message, unique
from harness.next_hop import NextHop

LIST = b"list.test"


@pytest.fixture(scope="module")
def private_key(tmp_path_factory):
    """An RSA key of another host, in PEM, and its public half for DNS."""
    path = tmp_path_factory.mktemp("key") / "private.pem"
    subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", path, "-pubout"], check=True, capture_output=True).stdout
    return path.read_bytes(), "".join(public.decode().split("\n")[1:-2])


@pytest.fixture
def passing_on(own_server, tmp_path, private_key):
    """A server whose account anna has her mail elsewhere, with the next hop that gets it; it seals."""
    zone = tmp_path / "zone"
    zone.write_text(f's1._domainkey.list.test. 60 IN TXT "v=DKIM1; k=rsa; " "p={private_key[1][:200]}" "{private_key[1][200:]}"\n')
    with NextHop() as hop:
        sections = f'[dns]\nzone_file = "{zone}"\n[arc]\nseal = true\n[[route]]\nnext_hop = "{hop.address}"\n'
        server = own_server(sections=sections)
        server.anna = server.account("anna")
        server.cli("redirect", "set", server.anna.address, "anna@elsewhere.test")
        server.cli("dkim", "add", server.domain, "--selector", "mine", "--activate")
        known = {row["name"].encode() + b".": row["record"].encode() for row in server.rows("dkim", "list")}
        known[b"s1._domainkey.list.test."] = f"v=DKIM1; k=rsa; p={private_key[1]}".encode()
        server.known = lambda name, **_: known.get(name)

        def passed_on(raw):
            before = len(hop.wait(0))
            server.deliver(server.anna, raw)
            return hop.wait(before + 1)[-1].content

        yield server, passed_on


def state(server, raw):
    """Return what dkimpy says of the chain."""
    return dkim.ARC(raw).verify(dnsfunc=server.known)[0]


def test_a_chain_begins_here(passing_on):
    server, passed_on = passing_on
    raw = passed_on(message(unique(), sender="someone@elsewhere.test"))
    assert raw.startswith(b"ARC-Seal: i=1;") and b"cv=none" in raw and b"dkim=none" in raw, raw
    assert state(server, raw) == b"pass"
    assert state(server, raw.replace(b"dkim=none", b"dkim=pass")) == b"fail"
    assert server.metric("troika_sealed_total") == 1


def test_a_chain_goes_on(passing_on, private_key):
    server, passed_on = passing_on
    raw = message(unique(), sender="list@list.test")
    raw = dkim.sign(raw, b"s1", LIST, private_key[0]) + raw
    results = b"Authentication-Results: list.test; dkim=none\r\n"
    raw = b"".join(dkim.arc_sign(results + raw, b"s1", LIST, private_key[0], LIST)) + results + raw
    assert state(server, raw) == b"pass"
    sealed = passed_on(raw)
    assert sealed.startswith(b"ARC-Seal: i=2;") and b"cv=pass" in sealed, sealed
    assert b"dkim=pass header.d=list.test" in sealed and b"header.oldest-pass=0" in sealed, sealed
    assert state(server, sealed) == b"pass"


def test_a_broken_chain_is_told_and_the_mail_goes_on(passing_on, private_key):
    server, passed_on = passing_on
    raw = message("before", sender="list@list.test")
    results = b"Authentication-Results: list.test; dkim=none\r\n"
    raw = b"".join(dkim.arc_sign(results + raw, b"s1", LIST, private_key[0], LIST)) + results + raw
    sealed = passed_on(raw.replace(b"Subject: before", b"Subject: behind"))
    assert sealed.startswith(b"ARC-Seal: i=2;") and b"cv=fail" in sealed, sealed
    assert b'arc=fail reason="message signature 1: signature did not verify"' in sealed, sealed
    # dkimpy takes the mark as the end of the chain; what the mark covers (RFC 8617 §5.1.2) it reads otherwise.
    verdict, sets, why = dkim.ARC(sealed).verify(dnsfunc=server.known)
    assert verdict is None and sets[0]["ams-valid"] and "terminated" in why, (sets, why)
    # Once marked, it is left alone.
    again = passed_on(sealed)
    assert not again.startswith(b"ARC-Seal") and again.count(b"ARC-Seal:") == 2


def test_keys_that_nobody_can_look_up(passing_on, private_key):
    server, passed_on = passing_on
    server_raw = message(unique(), sender="a@unknown.test")
    raw = passed_on(dkim.sign(server_raw, b"s1", b"unknown.test", private_key[0]) + server_raw)
    assert b'dkim=permerror reason="no key for signature" header.d=unknown.test' in raw, raw
    assert state(server, raw) == b"pass"


def test_nothing_is_sealed_unless_asked_for(own_server):
    with NextHop() as hop:
        server = own_server(sections=f'[[route]]\nnext_hop = "{hop.address}"\n')
        anna = server.account("anna")
        server.cli("redirect", "set", anna.address, "anna@elsewhere.test")
        server.cli("dkim", "add", server.domain, "--activate")
        with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
            smtp.sendmail("a@elsewhere.test", [anna.address], message(unique()))
        (taken,) = hop.wait(1)
        assert b"ARC-" not in taken.content and b"DKIM-Signature" not in taken.content


def test_copies_of_a_list_are_sealed(own_server, tmp_path, private_key):
    zone = tmp_path / "zone"
    zone.write_text(f's1._domainkey.list.test. 60 IN TXT "v=DKIM1; k=rsa; " "p={private_key[1][:200]}" "{private_key[1][200:]}"\n')
    with NextHop() as hop:
        sections = f'[dns]\nzone_file = "{zone}"\n[arc]\nseal = true\n[[route]]\nnext_hop = "{hop.address}"\n'
        server = own_server(sections=sections)
        server.cli("dkim", "add", server.domain, "--selector", "mine", "--activate")
        known = {row["name"].encode() + b".": row["record"].encode() for row in server.rows("dkim", "list")}
        server.known = lambda name, **_: known.get(name)
        server.cli("list", "add", "talk@example.test", "--name", "Talk", "--posting", "anyone", "--subject-tag", "talk")
        server.cli("list", "subscribe", "talk@example.test", "one@away.test", "two@away.test")
        raw = message("hello", sender="author@list.test", to="talk@example.test")
        raw = dkim.sign(raw, b"s1", LIST, private_key[0]) + raw
        server.deliver("talk@example.test", raw, sender="author@list.test")
        first, second = (taken.content for taken in hop.wait(2))
        for copy in (first, second):
            # What the author signed was changed; the set says that it was right when it came.
            assert copy.startswith(b"ARC-Seal: i=1;") and b"[talk] hello" in copy, copy
            assert b"dkim=pass header.d=list.test" in copy, copy
            assert state(server, copy) == b"pass"
        assert first != second and server.metric("troika_sealed_total") == 2

"""What a sender asks of the way his message takes: priority, a time, a hold; and ETRN (RFC 6710, 2852, 4865, 1985)."""

import email
import smtplib
import ssl
import time

import pytest
from harness.mail import message, unique
from harness.next_hop import KEYWORDS, NextHop
from harness.waiting import until

OWN = '[network]\nown = ["127.0.0.0/8", "::1/128"]\n'


def to(hop):
    """Return settings that send everything to this next hop, and try again rarely."""
    return OWN + f'[delivery]\nretry_first = "1h"\n[[route]]\nnext_hop = "{hop.address}"\n'


def submit(server, account, recipients, options=(), rcpt_options=()):
    """Send a message as a user does."""
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(account.address, account.password)
        smtp.sendmail(account.address, recipients, message(unique()), options, rcpt_options)


def report(server, account):
    """Wait for the one report in a mailbox; return its blocks."""
    (raw,) = until(lambda: server.contents(account), "a report")
    found = email.message_from_bytes(raw)
    status = next(part for part in found.walk() if "delivery-status" in part.get_content_type())
    return [dict(block.items()) for block in status.get_payload()]


def test_wishes_go_on_to_a_host_that_knows_them(own_server):
    with NextHop(keywords=(*KEYWORDS, "MT-PRIORITY", "DELIVERBY")) as hop:
        server = own_server(sections=to(hop))
        alice = server.account("alice")
        submit(server, alice, ["b@y.test"], ["MT-PRIORITY=4", "BY=300;R"])
        (taken,) = hop.wait(1)
        assert " MT-PRIORITY=4" in taken.mail, taken.mail
        left = int(taken.mail.split(" BY=")[1].split(";")[0])
        assert 200 < left <= 300 and ";R" in taken.mail
        assert b"priority 4" in taken.content.split(b"\r\n\r\n")[0]


def test_a_host_that_keeps_no_time_makes_a_report_of_relaying(own_server):
    with NextHop() as hop:
        server = own_server(sections=to(hop))
        alice = server.account("alice")
        submit(server, alice, ["b@y.test"], ["BY=300;N"])
        (taken,) = hop.wait(1)
        assert " BY=" not in taken.mail and " NOTIFY=FAILURE,DELAY" in taken.rcpts[0], taken
        about, recipient = report(server, alice)
        assert recipient["Action"] == "relayed" and "Deliver-By-Date" in about


def test_what_must_be_returned_in_time_does_not_go_to_a_host_that_keeps_none(own_server):
    with NextHop() as hop:
        server = own_server(sections=to(hop))
        alice = server.account("alice")
        submit(server, alice, ["b@y.test"], ["BY=300;R"])
        _, recipient = report(server, alice)
        assert (recipient["Action"], recipient["Status"]) == ("failed", "5.4.7"), recipient
        assert not hop.messages


@pytest.mark.parametrize(("mode", "action", "status"), [("R", "failed", "5.4.7"), ("N", "delayed", "4.4.7")])
def test_the_time_to_deliver_by_ends(own_server, mode, action, status):
    with NextHop(keywords=(*KEYWORDS, "DELIVERBY"), replies={"MAIL": "451 4.3.0 later"}) as hop:
        server = own_server(sections=to(hop))
        alice = server.account("alice")
        submit(server, alice, ["b@y.test"], [f"BY=3;{mode}"])
        about, recipient = report(server, alice)
        assert (recipient["Action"], recipient["Status"]) == (action, status), recipient
        assert "Deliver-By-Date" in about and "Arrival-Date" in about
        waiting = 1 if mode == "N" else 0
        until(lambda: len(server.rows("queue", "list")) == waiting, "the queue as it should be")


def held_until(server):
    """When each queued message is released."""
    return [row["not_before"] for row in server.rows("queue", "list")]


def test_what_is_held_comes_at_its_time(own_server):
    with NextHop() as hop:
        server = own_server(sections=to(hop))
        alice, bob = server.account("alice"), server.account("bob")
        submit(server, alice, [bob.address, "b@y.test"], ["HOLDFOR=10"], ["NOTIFY=SUCCESS"])
        released = held_until(server)
        assert released and all(released)
        early = server.contents(bob) or hop.messages
        assert not early or time.time() >= released[0]
        until(lambda: server.contents(bob), "the message in a mailbox here")
        assert time.time() >= released[0]
        (taken,) = hop.wait(1)
        assert taken.recipients() == ["b@y.test"] and time.time() >= released[0]
        about, recipient = report(server, alice)
        assert recipient["Action"] == "delivered" and about["Future-Release-Request"].startswith("until;20")
        until(lambda: not server.rows("queue", "list"), "an empty queue")
        (raw,) = server.contents(bob)
        assert raw.startswith(b"Return-Path: <" + alice.address.encode()) and raw.count(b"Return-Path") == 1


def test_held_mail_that_a_mailbox_refuses_is_not_lost(own_server):
    server = own_server()
    alice, bob = server.account("alice"), server.account("bob", "--quota", "6000")
    subjects = {unique() for _ in range(6)}
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(alice.address, alice.password)
        for subject in subjects:
            smtp.sendmail(alice.address, [bob.address], message(subject, body="x" * 70 + "\r\n" * 600), ["HOLDFOR=8"])
    released = max(held_until(server))
    arrived = lambda: {email.message_from_bytes(raw)["Subject"] for raw in server.contents(bob)}
    refused = lambda: [r for r in server.rows("queue", "list") if "full" in (r["recipients"][0]["last_reply"] or "")]
    until(lambda: arrived() and len(arrived()) + len(refused()) == 6, "all tried")
    assert time.time() >= released and refused() and not server.contents(alice)
    server.cli("account", "set", bob.address, "--quota", "1M")
    for row in refused():
        server.cli("queue", "retry", row["id"])
    until(lambda: not server.rows("queue", "list"), "an empty queue")
    assert arrived() == subjects and len(server.contents(bob)) == 6


def test_what_a_user_may_have_held_is_limited(own_server):
    server = own_server(sections='[sending]\nheld_messages = 2\nheld_size = "20K"\n')
    alice, bob = server.account("alice"), server.account("bob")
    hold = ["HOLDFOR=5000"]
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(alice.address, alice.password)
        smtp.sendmail(alice.address, [bob.address], message(), hold)
        # RFC 4865 section 6 (3) to (5): at MAIL, with a code of its own.
        code, text = smtp.mail(alice.address, ["HOLDFOR=5000", "SIZE=30000"])
        assert (code, text[:6]) == (552, b"5.7.16"), text
        with pytest.raises(smtplib.SMTPDataError) as refused:
            # A client that says no size: at the end.
            smtp.mail(alice.address, hold)
            smtp.rcpt(bob.address)
            code, text = smtp.data(message(body="x" * 70 + "\r\n" * 12000))
            raise smtplib.SMTPDataError(code, text)
        assert refused.value.smtp_code == 552 and refused.value.smtp_error.startswith(b"5.7.16")
        smtp.sendmail(alice.address, [bob.address], message(), hold)
        assert smtp.mail(alice.address, hold)[0] == 552
        smtp.rset()
        smtp.sendmail(alice.address, [bob.address], message())
        for row in server.rows("queue", "list"):
            server.cli("queue", "remove", row["id"])
        assert smtp.mail(alice.address, hold)[0] == 250


def test_what_is_held_survives_a_kill_and_follows_its_address(own_server):
    server = own_server()
    alice, bob = server.account("alice"), server.account("bob")
    server.cli("alias", "add", "team@example.test", bob.address)
    until_then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 10))
    submit(server, alice, ["team@example.test"], [f"HOLDUNTIL={until_then}"])
    server.kill()
    # Before it starts: however long that takes, the time may be over then.
    server.cli("alias", "remove", "team@example.test")
    server.cli("alias", "add", "team@example.test", alice.address)
    server.start()
    until(lambda: server.contents(alice), "the message where the address leads now")
    assert not server.contents(bob) and not server.rows("queue", "list")


def test_requiretls_is_offered_within_tls_and_kept(own_server):
    with NextHop() as hop:
        server = own_server(sections=to(hop))
        alice = server.account("alice")
        with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
            smtp.ehlo()
            assert not smtp.has_extn("requiretls")
            assert smtp.docmd("MAIL", f"FROM:<{alice.address}> REQUIRETLS")[0] == 530
            smtp.starttls(context=ssl._create_unverified_context())
            smtp.ehlo()
            assert smtp.has_extn("requiretls")
            smtp.sendmail(alice.address, ["b@y.test"], message(), ["REQUIRETLS", "RET=FULL"])
        # RFC 8689 section 4.2.1: the next host has no TLS.
        _, recipient = report(server, alice)
        assert (recipient["Action"], recipient["Status"]) == ("failed", "5.7.10"), recipient
        assert not hop.messages
        # RFC 8689 section 5: as if RET=HDRS had been asked for.
        assert b"text/rfc822-headers" in server.contents(alice)[0]


def test_etrn_has_what_waits_tried_at_once(own_server):
    with NextHop(replies={"MAIL": ["451 4.3.0 not yet", "250 2.1.0 ok"]}) as hop:
        server = own_server(sections=to(hop))
        server.cli("domain", "add", "y.test", "--relay")
        with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
            smtp.sendmail("a@elsewhere.test", ["b@y.test"], message())
            waits = lambda: [row for row in server.rows("queue", "list") if row["recipients"][0]["attempts"] == 1]
            until(waits, "a message that waits for an hour")
            assert smtp.docmd("ETRN", "z.test")[0] == 459
            code, text = smtp.docmd("ETRN", "y.test")
            assert code == 253 and text.startswith(b"2.0.0 1 messages"), text
            assert hop.wait(1)[0].recipients() == ["b@y.test"]
            until(lambda: not server.rows("queue", "list"), "an empty queue")
            assert smtp.docmd("ETRN", "@y.test")[0] == 251


def test_strangers_may_not_use_etrn(own_server):
    server = own_server()
    server.cli("domain", "add", "y.test", "--relay")
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
        smtp.ehlo()
        assert smtp.has_extn("etrn") and smtp.has_extn("deliverby") and smtp.has_extn("mt-priority")
        assert smtp.docmd("ETRN", "y.test")[0] == 459

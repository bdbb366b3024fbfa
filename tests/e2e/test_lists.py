"""Addresses that lead elsewhere: aliases and redirects to other hosts, what comes back to them, rules."""

import smtplib

import pytest
from harness.mail import message, unique
from harness.next_hop import NextHop

# Nobody listens there: what is queued stays queued.
NOWHERE = '[[route]]\nrecipient_domain = "*"\nnext_hop = "127.0.0.1:1"\n'


def queue(server):
    """The queue's entries: reverse-path and recipients of each."""
    rows = server.rows("queue", "list")
    return sorted((row["reverse_path"], sorted(one["address"] for one in row["recipients"])) for row in rows)


def empty(server):
    """Throw away what is queued."""
    for row in server.rows("queue", "list"):
        server.cli("queue", "remove", row["id"])


def refused(server, sender, recipient):
    """The code and text with which a recipient is refused."""
    with pytest.raises(smtplib.SMTPRecipientsRefused) as failure:
        server.deliver(recipient, message(), sender=sender)
    (answer,) = failure.value.recipients.values()
    return answer


def submit(server, account, recipients, sender=None):
    """Send a message as a user does."""
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(account.address, account.password)
        smtp.sendmail(sender or account.address, recipients, message(unique()))


def test_an_alias_to_another_host_is_forwarded_with_srs(own_server):
    server = own_server(sections='[network]\nown = ["127.0.0.3/32"]\n' + NOWHERE)
    alice = server.account("alice")
    server.cli("alias", "add", "info@example.test", alice.address, "far@away.test")
    server.deliver("info@example.test", message(unique()), sender="author@sender.test")
    ((reverse_path, recipients),) = queue(server)
    assert reverse_path.startswith("SRS0=") and reverse_path.endswith("=sender.test=author@example.test")
    assert recipients == ["far@away.test"] and len(server.contents(alice)) == 1
    assert b"Return-Path: <author@sender.test>" in server.contents(alice)[0]
    empty(server)
    # A bounce finds its author, also when a host on the way folded the case; nobody makes such addresses himself.
    for back in (reverse_path, reverse_path.lower()):
        server.deliver(back, message(unique()), sender="")
        assert queue(server) == [("", ["author@sender.test"])]
        empty(server)
    assert refused(server, "", reverse_path.replace("author", "victim"))[0] == 550
    assert queue(server) == []
    # A user's own address needs no rewriting; a bounce stays one.
    submit(server, alice, ["info@example.test", "direct@away.test"])
    assert queue(server) == [(alice.address, ["direct@away.test", "far@away.test"])]
    empty(server)
    server.deliver("info@example.test", message(unique()), sender="")
    assert queue(server) == [("", ["far@away.test"])]
    empty(server)
    # What is relayed as it came and what is forwarded leave under reverse-paths of their own.
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120, source_address=("127.0.0.3", 0)) as smtp:
        smtp.sendmail("printer@elsewhere.test", ["z@relayed.test", "info@example.test"], message(unique()))
    (forwarded, direct) = queue(server)
    assert direct == ("printer@elsewhere.test", ["z@relayed.test"])
    assert forwarded[0].startswith("SRS0=") and forwarded[1] == ["far@away.test"]


def test_a_catch_all_may_lead_elsewhere(own_server):
    server = own_server(sections=NOWHERE)
    alice = server.account("alice")
    server.cli("domain", "set", "example.test", "--catch-all", "all@away.test")
    server.deliver(["alice@example.test", "whoever@example.test"], message(unique()), sender="author@sender.test")
    ((reverse_path, recipients),) = queue(server)
    assert reverse_path.startswith("SRS0=") and recipients == ["all@away.test"]
    assert len(server.contents(alice)) == 1
    empty(server)
    server.deliver(reverse_path, message(unique()), sender="")
    assert queue(server) == [("", ["author@sender.test"])], "a bounce is no mail for the catch-all"


def test_a_long_sender_comes_back_too(own_server):
    server = own_server(sections=NOWHERE)
    server.cli("alias", "add", "info@example.test", "far@away.test")
    author = "bounces+1234567-abcd-anna=example.org@em1234.mail.sender.test"
    server.deliver("info@example.test", message(unique()), sender=author)
    ((reverse_path, _),) = queue(server)
    assert len(reverse_path.split("@")[0]) <= 64
    empty(server)
    server.restart()
    server.deliver(reverse_path.lower(), message(unique()), sender="")
    assert queue(server) == [("", [author])]


def test_people_redirect_their_mail(own_server):
    server = own_server(sections=NOWHERE)
    alice, bob = server.account("alice"), server.account("bob")
    server.cli("redirect", "set", alice.address, "alice@away.test", bob.address, "--keep")
    server.deliver(alice, message(unique()), sender="author@sender.test")
    ((reverse_path, recipients),) = queue(server)
    assert reverse_path.startswith("SRS0=") and recipients == ["alice@away.test"]
    assert len(server.contents(alice)) == len(server.contents(bob)) == 1
    empty(server)
    server.cli("redirect", "set", alice.address, "alice@away.test")
    assert server.rows("redirect", "list") == [
        {"address": alice.address, "targets": ["alice@away.test"], "keep": False}
    ]
    server.deliver(alice, message(unique()), sender="author@sender.test")
    assert len(queue(server)) == 1 and len(server.contents(alice)) == 1
    empty(server)
    # A circle keeps the mail.
    server.cli("redirect", "set", alice.address, bob.address)
    server.cli("redirect", "set", bob.address, alice.address)
    server.deliver(alice, message(unique()))
    assert len(server.contents(alice)) == 2 and len(server.contents(bob)) == 2
    server.cli("redirect", "remove", alice.address)
    server.deliver(alice, message(unique()))
    assert len(server.contents(alice)) == 3
    assert server.rows("redirect", "show", bob.address)[0]["targets"] == [alice.address]
    server.cli("redirect", "show", alice.address, expect=1)


def test_a_backup_takes_what_another_server_has(own_server):
    server = own_server(sections=NOWHERE)
    bob = server.account("bob")
    server.cli("domain", "add", "primary.test", "--relay")
    (row,) = [row for row in server.rows("domain", "list") if row["name"] == "primary.test"]
    assert row["relay"] == "all"
    server.cli("alias", "add", "list@example.test", "anna@primary.test")
    server.deliver(["anna+tag@primary.test", "bob@example.test"], message(unique()), sender="author@sender.test")
    assert queue(server) == [("author@sender.test", ["anna+tag@primary.test"])] and len(server.contents(bob)) == 1
    empty(server)
    server.deliver("list@example.test", message(unique()), sender="author@sender.test")
    ((reverse_path, recipients),) = queue(server)
    assert reverse_path.startswith("SRS0=") and recipients == ["anna@primary.test"]
    empty(server)
    server.cli("domain", "set", "primary.test", "--relay", "known")
    server.cli("alias", "add", "anna@primary.test", "anna@primary.test")
    assert refused(server, "author@sender.test", "nobody@primary.test")[0] == 550
    server.deliver("Anna+tag@primary.test", message(unique()), sender="author@sender.test")
    assert queue(server) == [("author@sender.test", ["Anna+tag@primary.test"])]
    # It is no relay for others.
    assert refused(server, "author@sender.test", "anna@sub.primary.test")[0] == 550


def test_rules_and_signed_senders(own_server):
    rules = """[addresses]
srs_domain = "srs.example.test"
batv = "enforce"
[[rewrite]]
of = "recipient"
from = "*@old.test"
to = "*@example.test"
[[rewrite]]
of = "sender"
from = "*.intern@example.test"
to = "*@example.test"
[[rewrite]]
of = "recipient"
from = "gone@example.test"
to = "gone@away.test"
"""
    server = own_server(sections=rules + NOWHERE)
    alice, intern = server.account("alice"), server.account("kim.intern")
    server.deliver("alice+tag@old.test", message(unique()))
    assert len(server.contents(alice)) == 1
    server.deliver("gone@example.test", message(unique()), sender="author@sender.test")
    ((reverse_path, recipients),) = queue(server)
    assert recipients == ["gone@away.test"] and reverse_path.endswith("=sender.test=author@srs.example.test")
    empty(server)
    server.deliver(reverse_path, message(unique()), sender="")
    assert queue(server) == [("", ["author@sender.test"])]
    empty(server)
    submit(server, intern, ["far@away.test", alice.address])
    ((signed, _),) = queue(server)
    assert signed.startswith("prvs=0") and signed.endswith("=kim@example.test")
    assert b"Return-Path: <kim.intern@example.test>" in server.contents(alice)[1]
    empty(server)
    submit(server, alice, ["far@away.test"])
    ((signed, _),) = queue(server)
    server.deliver(signed, message(unique()), sender="")
    assert len(server.contents(alice)) == 3
    assert refused(server, "", alice.address)[0] == 550
    assert refused(server, "", signed.replace("alice", "kim.intern"))[0] == 550
    server.deliver(alice, message(unique()), sender="author@sender.test")
    server.deliver("postmaster@example.test", message(unique()), sender="")


def test_a_forwarded_message_that_is_refused_elsewhere_bounces_to_its_author(own_server):
    with NextHop(replies={"RCPT TO:<far@away.test>": "550 5.1.1 nobody"}) as hop:
        server = own_server(sections=f'[[route]]\nrecipient_domain = "*"\nnext_hop = "{hop.address}"\n')
        server.cli("alias", "add", "info@example.test", "far@away.test")
        server.deliver("info@example.test", message(unique()), sender="author@sender.test")
        (bounce,) = hop.wait(1)
        assert bounce.sender() == "" and bounce.recipients() == ["author@sender.test"]
        assert b"far@away.test" in bounce.content

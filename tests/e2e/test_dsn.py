"""Reports to the sender: of what did not arrive, and of what did where that was asked for (RFC 3461, RFC 3464)."""

import email
import smtplib

from harness.mail import message, unique


def send(server, account, recipients, raw, options=()):
    """Submit a message without SIZE=, so that only the commit can tell that it does not fit."""
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(account.address, account.password)
        assert smtp.mail(account.address, ["RET=HDRS", "ENVID=e-1"])[0] == 250
        for recipient in recipients:
            assert smtp.rcpt(recipient.address, options)[0] == 250
        return smtp.data(raw)


def report_in(server, account):
    """Return the status part of the one report in a mailbox, as a list of blocks."""
    (raw,) = server.contents(account)
    found = email.message_from_bytes(raw)
    assert found.get_content_type() == "multipart/report" and found["Return-Path"] == "<>", raw
    status = next(part for part in found.walk() if part.get_content_type() == "message/delivery-status")
    return [dict(block.items()) for block in status.get_payload()]


def test_a_delivery_is_confirmed_when_asked_for(own_server):
    server = own_server()
    alice, bob, carol = (server.account(name) for name in ("alice", "bob", "carol"))
    subject = unique()
    options = ["NOTIFY=SUCCESS,FAILURE", f"ORCPT=rfc822;{bob.address}"]
    assert send(server, alice, [bob], message(subject), options)[0] == 250
    about, recipient = report_in(server, alice)
    assert about["Original-Envelope-Id"] == "e-1"
    assert recipient["Action"] == "delivered" and recipient["Status"].startswith("2."), recipient
    assert bob.address in recipient["Final-Recipient"] and bob.address in recipient["Original-Recipient"]
    assert send(server, alice, [carol], message(subject), ["NOTIFY=FAILURE"])[0] == 250
    assert len(server.contents(alice)) == 1, "no confirmation that nobody asked for"


def test_one_full_mailbox_does_not_hinder_the_others_and_is_reported(own_server):
    server = own_server()
    alice, bob = server.account("alice"), server.account("bob")
    full = server.account("full", "--quota", "5000")
    answer = send(server, alice, [full, bob], message(unique(), body="x" * 70 + "\r\n" + "y\r\n" * 5000))
    assert answer[0] == 250, answer
    assert len(server.contents(bob)) == 1 and not server.contents(full)
    _, recipient = report_in(server, alice)
    assert recipient["Action"] == "failed" and full.address in recipient["Final-Recipient"], recipient
    alone = send(server, alice, [full], message(unique(), body="y\r\n" * 5000))
    assert alone[0] == 452, alone


def test_an_address_of_several_is_reported_as_expanded(own_server):
    server = own_server()
    alice, bob, carol = (server.account(name) for name in ("alice", "bob", "carol"))
    server.cli("group", "add", "team@example.test", bob.address, carol.address)
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(alice.address, alice.password)
        smtp.sendmail(alice.address, ["team@example.test"], message(unique()), (), ["NOTIFY=SUCCESS"])
    _, recipient = report_in(server, alice)
    assert recipient["Action"] == "expanded" and "team@example.test" in recipient["Final-Recipient"], recipient
    assert len(server.contents(bob)) == len(server.contents(carol)) == 1

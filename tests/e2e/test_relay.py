"""Mail goes out: routes, MX from a zone file, replies, retries, bounces (RFC 5321 §5, RFC 7505)."""

import email
import smtplib

import pytest
from harness.mail import message, unique
from harness.next_hop import NextHop
from harness.waiting import until

OWN = '[network]\nown = ["127.0.0.0/8", "::1/128"]\n'
QUICK = 'retry_first = "1s"\nretry_longest = "2s"\n'


def route(hop, **keys):
    """Return a [[route]] to this next hop."""
    lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in keys.items()]
    return "[[route]]\n" + f'next_hop = "{hop}"\n' + "\n".join(lines) + "\n"


def zone(folder, text):
    """Return [dns] that answers from this zone."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "test.zone"
    path.write_text(text)
    return f'[dns]\nzone_file = "{path}"\n'


def send(server, sender, recipients, raw, options=(), rcpt_options=()):
    """Send as a host of an own network."""
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=30) as smtp:
        return smtp.sendmail(sender, recipients, raw, options, rcpt_options)


def is_empty(server):
    """Whether nothing is queued any more."""
    return server.metric("troika_queue_messages") == 0


@pytest.fixture
def hop():
    """A next hop that takes everything."""
    with NextHop() as made:
        yield made


def test_a_route_takes_the_message_to_its_next_hop(own_server, hop):
    server = own_server(sections=OWN + route(hop.address, recipient_domain="*"))
    subject = unique()
    send(server, "a@elsewhere.test", ["b@y.test", "c@y.test"], message(subject, body=".dot\r\n..dots\r\n"))
    (taken,) = hop.wait(1)
    assert taken.sender() == "a@elsewhere.test" and sorted(taken.recipients()) == ["b@y.test", "c@y.test"]
    head, _, body = taken.content.partition(b"\r\n\r\n")
    assert body == b".dot\r\n..dots\r\n"
    assert head.startswith(b"Received: ") and b"Return-Path" not in head and subject.encode() in head
    until(lambda: is_empty(server), "an empty queue")
    assert server.metric("troika_sent_total", outcome="Delivered") == 2


def test_hosts_are_found_by_mx(own_server, tmp_path, hop):
    # Nobody listens at the better one.
    text = "y.test. IN MX 10 dead.y.test.\ny.test. IN MX 20 live.y.test.\n"
    text += "dead.y.test. IN A 127.0.0.9\nlive.y.test. IN A 127.0.0.1\nz.test. IN A 127.0.0.1\n"
    server = own_server(sections=OWN + zone(tmp_path, text) + f"[delivery]\nport = {hop.port}\n")
    send(server, "a@elsewhere.test", ["b@y.test"], message())
    assert hop.wait(1)[0].recipients() == ["b@y.test"]
    # RFC 5321 §5.1: no MX, but an address.
    send(server, "a@elsewhere.test", ["b@z.test"], message())
    assert hop.wait(2)[1].recipients() == ["b@z.test"]


def bounce(server, account):
    """Wait for the one report in a mailbox; return its recipients' blocks."""
    (raw,) = until(lambda: server.contents(account), "a report")
    found = email.message_from_bytes(raw)
    assert found.get_content_type() == "multipart/report" and found["Return-Path"] == "<>", raw
    status = next(part for part in found.walk() if "delivery-status" in part.get_content_type())
    return [dict(block.items()) for block in status.get_payload()][1:]


@pytest.mark.parametrize(
    ("domain", "status", "records"),
    [
        ("null.test", "5.1.10", "null.test. IN MX 0 .\n"),
        ("none.test", "5.1.2", ""),
        ("bare.test", "5.4.4", "bare.test. IN TXT x\n"),
        ("self.test", "5.4.6", "self.test. IN MX 10 mail.example.test.\n"),
    ],
)
def test_a_domain_without_a_way_bounces_at_once(own_server, tmp_path, domain, status, records):
    server = own_server(sections=OWN + zone(tmp_path, "other.test. IN A 127.0.0.1\n" + records))
    alice = server.account("alice")
    send(server, alice.address, [f"b@{domain}"], message())
    (about,) = bounce(server, alice)
    assert (about["Action"], about["Status"]) == ("failed", status), about
    until(lambda: is_empty(server), "an empty queue")


def test_each_recipient_has_an_outcome_of_its_own(own_server):
    replies = {
        "RCPT TO:<no@y.test>": "550 5.1.1 nobody",
        "RCPT TO:<later@y.test>": ["450 4.2.0 greylisted", "250 2.1.5 ok"],
    }
    with NextHop(replies=replies) as hop:
        server = own_server(sections=OWN + "[delivery]\n" + QUICK + route(hop.address))
        alice = server.account("alice")
        send(server, alice.address, ["yes@y.test", "no@y.test", "later@y.test"], message())
        (about,) = bounce(server, alice)
        assert about["Status"] == "5.1.1" and "no@y.test" in about["Final-Recipient"]
        assert "550 5.1.1 nobody" in about["Diagnostic-Code"]
        first, second = hop.wait(2)
        assert first.recipients() == ["yes@y.test"] and second.recipients() == ["later@y.test"]
        until(lambda: is_empty(server), "an empty queue")


def test_nothing_bounces_a_bounce(own_server):
    with NextHop(replies={"RCPT": "550 5.1.1 nobody"}) as hop:
        server = own_server(sections=OWN + route(hop.address))
        send(server, "", ["b@y.test"], message())
        until(lambda: is_empty(server), "an empty queue")
        assert not hop.messages and len([line for line in hop.commands if line.startswith("MAIL")]) == 1


def test_what_is_queued_survives_a_kill(own_server, tmp_path):
    server = own_server(sections=OWN + "[delivery]\n" + QUICK + route("127.0.0.1:1"))
    subject = unique()
    send(server, "a@elsewhere.test", ["b@y.test"], message(subject))
    server.kill()
    with NextHop() as hop:
        server.write_config(OWN + "[delivery]\n" + QUICK + route(hop.address))
        server.start()
        (taken,) = hop.wait(1)
        assert subject.encode() in taken.content
        until(lambda: is_empty(server), "an empty queue")

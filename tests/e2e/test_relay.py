"""Mail goes out: routes, MX from a zone file, replies, retries, bounces (RFC 5321 §5, RFC 7505)."""

import email
import smtplib

import pytest
from harness.mail import message, unique
from harness.next_hop import NextHop
from harness.socks import SocksProxy
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
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
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
    # Counted behind the commit that empties the queue.
    until(lambda: server.metric("troika_sent_total", outcome="Delivered") == 2, "two deliveries")
    assert is_empty(server)


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


def test_a_connection_serves_many_messages(own_server, hop):
    server = own_server(sections=OWN + "[delivery]\nconnections_per_destination = 1\n" + route(hop.address))
    for _ in range(12):
        send(server, "a@elsewhere.test", ["b@y.test"], message())
    hop.wait(12)
    assert hop.connections <= 3, hop.connections


def test_a_host_that_closes_waiting_connections_loses_nothing(own_server, hop):
    server = own_server(sections=OWN + '[delivery]\nidle = "60s"\n' + route(hop.address))
    send(server, "a@elsewhere.test", ["b@y.test"], message())
    hop.wait(1)
    until(lambda: is_empty(server), "an empty queue")
    hop.hang_up()
    send(server, "a@elsewhere.test", ["b@y.test"], message())
    hop.wait(2)
    until(lambda: is_empty(server), "an empty queue")
    assert server.metric("troika_sent_total", outcome="Deferred") == 0


def test_routes_by_sender_and_by_account(own_server):
    with NextHop() as one, NextHop() as two, NextHop() as rest:
        sections = OWN + route(one.address, account="anna@example.test") + route(two.address, sender_domain="x.test")
        server = own_server(sections=sections + route(rest.address))
        anna = server.account("anna")
        with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
            smtp.login(anna.address, anna.password)
            smtp.sendmail(anna.address, ["b@y.test"], message())
        send(server, "q@x.test", ["b@y.test"], message())
        send(server, "", ["b@y.test"], message())
        assert one.wait(1)[0].sender() == anna.address
        assert two.wait(1)[0].sender() == "q@x.test"
        assert rest.wait(1)[0].sender() == ""


@pytest.mark.parametrize("place", ["unix", "tcp"])
def test_lmtp_answers_for_each_recipient(own_server, tmp_path, place):
    replies = {". <full@y.test>": "452 4.2.2 full", ". <no@y.test>": "550 5.2.1 closed"}
    path = tmp_path / "hop.sock"
    with NextHop(lmtp=True, path=path if place == "unix" else None, replies=replies) as hop:
        where = f"unix:{path}" if place == "unix" else hop.address
        server = own_server(sections=OWN + route(where, protocol="lmtp"))
        alice = server.account("alice")
        send(server, alice.address, ["yes@y.test", "full@y.test", "no@y.test"], message())
        assert hop.wait(1)[0].recipients() == ["yes@y.test"]
        (about,) = bounce(server, alice)
        assert about["Status"] == "5.2.1" and "no@y.test" in about["Final-Recipient"]
        assert hop.messages[0].hello.startswith("LHLO mail.example.test")
        until(lambda: server.metric("troika_sent_total", outcome="Deferred") == 1, "the deferral")
        (row,) = server.rows("queue", "list")
        assert "452 4.2.2 full" in str(row), row


def test_logging_in_at_a_smarthost(own_server):
    """Another Troika is the next hop: STARTTLS, SCRAM, its users only."""
    far = own_server("far", domain="far.test")
    me, reader = far.account("me"), far.account("reader")
    sections = OWN + f'[delivery]\nauthorities = "{far.ca}"\n'
    keys = {"tls": "verify", "username": me.address, "password": me.password}
    server = own_server(sections=sections + route(f"localhost:{far.submission}", **keys) + zone_of_localhost(far))
    subject = unique()
    send(server, me.address, [reader.address], message(subject, sender=me.address))
    (raw,) = until(lambda: far.contents(reader), "the message")
    assert subject.encode() in raw and b"ESMTPSA" in raw, raw
    until(lambda: is_empty(server), "an empty queue")


def zone_of_localhost(server):
    """Return [dns] that knows localhost and nothing else."""
    return zone(server.folder, "localhost. IN A 127.0.0.1\n")


def test_a_wrong_password_at_the_smarthost_keeps_the_mail(own_server):
    far = own_server("far", domain="far.test")
    me = far.account("me")
    keys = {"tls": "require", "username": me.address, "password": "wrong"}
    server = own_server(sections=OWN + "[delivery]\n" + QUICK + route(f"127.0.0.1:{far.submission}", **keys))
    send(server, me.address, [me.address], message())
    until(lambda: server.metric("troika_sent_total", outcome="Deferred") >= 1, "a deferral")
    (row,) = server.rows("queue", "list")
    assert "535" in str(row) or "log-in" in str(row), row


@pytest.mark.parametrize(
    ("wish", "goes"), [("none", "clear"), ("opportunistic", "tls"), ("require", "tls"), ("verify", "not")]
)
def test_tls_with_a_certificate_of_nobody(own_server, wish, goes):
    """The next hop has a certificate that no known authority signed."""
    maker = own_server("maker", start=False)
    maker.start()
    pair = (maker.data / "tls/server.pem", maker.data / "tls/server.key")
    with NextHop(tls=pair) as hop:
        server = own_server(sections=OWN + route(hop.address, tls=wish))
        send(server, "a@elsewhere.test", ["b@y.test"], message())
        if goes == "not":
            until(lambda: server.metric("troika_sent_total", outcome="Deferred") >= 1, "a deferral")
            assert not hop.messages
            (row,) = server.rows("queue", "list")
            assert "certificate" in str(row).lower(), row
        else:
            assert hop.wait(1)[0].tls == (goes == "tls")


def test_opportunistic_tls_falls_back_to_clear(own_server):
    """STARTTLS is offered, but what follows is no TLS (RFC 7435)."""

    def garbage(talk, _):
        talk.say("220 2.0.0 go")
        talk.say(b"this is not TLS at all\r\n" * 4)
        return "close"

    with NextHop(keywords=("STARTTLS",), replies={"STARTTLS": garbage}) as hop:
        server = own_server(sections=OWN + route(hop.address))
        send(server, "a@elsewhere.test", ["b@y.test"], message())
        assert not hop.wait(1)[0].tls
        assert hop.connections == 2


def test_require_never_goes_in_clear(own_server, hop):
    server = own_server(sections=OWN + route(hop.address, tls="require"))
    send(server, "a@elsewhere.test", ["b@y.test"], message())
    until(lambda: server.metric("troika_sent_total", outcome="Deferred") >= 1, "a deferral")
    assert not hop.messages and not [line for line in hop.commands if line.startswith("MAIL")]


def test_a_host_without_8bitmime_gets_seven_bits(own_server):
    """RFC 6152 §3."""
    with NextHop(keywords=()) as hop:
        server = own_server(sections=OWN + route(hop.address))
        extra = ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
        raw = message(body="Привет, мир.\r\n".encode(), extra=extra)
        send(server, "a@elsewhere.test", ["b@y.test"], raw, ["BODY=8BITMIME"])
        (taken,) = hop.wait(1)
        assert taken.content.isascii() and taken.mail == "MAIL FROM:<a@elsewhere.test>"
        text = email.message_from_bytes(taken.content).get_payload(decode=True).decode()
        assert text.strip() == "Привет, мир."


def test_a_host_without_smtputf8_can_not_get_such_an_address(own_server):
    """RFC 6531 §3.5; a domain alone is spelled in ASCII."""
    with NextHop(keywords=("8BITMIME",)) as hop:
        server = own_server(sections=OWN + route(hop.address))
        alice = server.account("alice")
        send(server, alice.address, ["почта@y.test", "b@пример.рф"], message(), ["SMTPUTF8"])
        (raw,) = until(lambda: server.contents(alice), "a report")
        assert b"\r\nStatus: 5.6.7\r\n" in raw, raw
        assert hop.wait(1)[0].recipients() == ["b@xn--e1afmkfd.xn--p1ai"]


def test_mail_leaves_through_a_socks_proxy(own_server, hop):
    """RFC 1928, RFC 1929."""
    with SocksProxy(login=("me", "hush")) as proxy:
        keys = {"proxy": f"socks5://me:hush@127.0.0.1:{proxy.port}"}
        server = own_server(sections=OWN + route(hop.address, **keys))
        send(server, "a@elsewhere.test", ["b@y.test"], message())
        hop.wait(1)
        assert proxy.targets == [("127.0.0.1", hop.port)]


def test_mail_leaves_from_the_addresses_given(own_server, hop):
    sources = 'sources = ["127.0.0.21", "127.0.0.22", "::1"]\nidle = "0s"\n'
    server = own_server(sections=OWN + "[delivery]\n" + sources + route(hop.address))
    for count in range(1, 5):
        send(server, "a@elsewhere.test", ["b@y.test"], message())
        hop.wait(count)
        until(lambda: is_empty(server), "an empty queue")
    assert set(hop.peers) == {"127.0.0.21", "127.0.0.22"}


def drip(talk, _):
    """Send a reply without end, one octet at a time, until the other side has enough."""
    talk.say(b"250-")
    while True:
        talk.say(b"x")
        talk.hop.stopped.wait(0.05)
        if talk.hop.stopped.is_set():
            return "close"


HOSTILE = {
    "closes at once": {"greeting": "close"},
    "says nothing": {"greeting": lambda talk, _: talk.read(10**9)},
    "is full": {"greeting": "421 4.3.2 too busy"},
    "is blocked": {"greeting": "554 5.7.1 go away"},
    "closes after EHLO": {"EHLO": "close", "HELO": "close"},
    "drips after EHLO": {"EHLO": drip},
    "closes after MAIL": {"MAIL": "close"},
    "closes after RCPT": {"RCPT": "close"},
    "closes after DATA": {"DATA": "close"},
    "closes after the message": {".": "close"},
    "speaks no SMTP": {"greeting": "HTTP/1.1 400 Bad Request"},
    "contradicts itself": {"EHLO": "250-x\r\n550 y"},
    "floods": {"EHLO": lambda talk, _: flood(talk)},
}


def flood(talk):
    """Send lines of a reply that does not end."""
    while True:
        talk.say((b"250-" + b"x" * 60 + b"\r\n") * 1000)


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_host_harms_nobody_else(own_server, tmp_path, hop, what):
    """Its mail waits; mail for others goes at once; memory stays where it is."""
    with NextHop(host="127.0.0.3", port=hop.port, keywords=("SIZE",), replies=HOSTILE[what]) as bad:
        text = "bad.test. IN MX 10 bad.test.\nbad.test. IN A 127.0.0.3\ngood.test. IN A 127.0.0.1\n"
        delivery = f'[delivery]\nport = {hop.port}\nreply_timeout = "5s"\n' + QUICK
        server = own_server(sections=OWN + zone(tmp_path, text) + delivery)
        before = server.memory()
        for _ in range(5):
            send(server, "a@elsewhere.test", ["b@bad.test", "c@good.test"], message())
        hop.wait(5)
        until(lambda: server.metric("troika_sent_total", outcome="Deferred") >= 1, "a deferral")
        assert server.metric("troika_queue_messages") == 5 and not bad.messages
        assert server.memory() - before < 64 << 20
        bad.stop()


def test_ten_thousand_recipients(own_server, hop):
    limits = "[limits]\nrecipients = 10000\n"
    server = own_server(sections=OWN + limits + route(hop.address))
    wanted = {f"user{number}@y{number % 50}.test" for number in range(10_000)}
    send(server, "a@elsewhere.test", sorted(wanted), message())
    until(lambda: is_empty(server), "an empty queue")
    got = [address for taken in hop.messages for address in taken.recipients()]
    assert len(got) == 10_000 and set(got) == wanted


def test_stopping_lets_the_running_message_finish(own_server):
    """What is under way is finished and noted; nothing goes out twice."""

    def slowly(talk, _):
        talk.hop.begun.set()
        talk.hop.stopped.wait(1.0)
        return "250 2.0.0 taken"

    with NextHop(replies={".": slowly}) as hop:
        server = own_server(sections=OWN + route(hop.address))
        send(server, "a@elsewhere.test", ["b@y.test"], message())
        assert hop.begun.wait(90)
        server.restart()
        hop.wait(1)
        assert is_empty(server)
        assert len([line for line in hop.commands if line.startswith("MAIL")]) == 1

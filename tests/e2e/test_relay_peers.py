"""Mail to and from other people's servers: Postfix, Exim, aiosmtpd and smtp-sink as next hop; Postfix, Exim,
smtp-source, msmtp and swaks as senders."""

import smtplib

import pytest
from harness.mail import message, unique, with_attachment
from harness.peers import Aiosmtpd, Exim, Postfix, SmtpSink
from harness.programs import run
from harness.waiting import until

OWN = '[network]\nown = ["127.0.0.0/8", "::1/128"]\n'


def through(port, delivery=""):
    """Return sections: everything goes to that port."""
    return OWN + f'[delivery]\n{delivery}[[route]]\nnext_hop = "127.0.0.1:{port}"\n'


def send(server, recipients, raw, *, sender="a@elsewhere.test", options=()):
    """Send as a host of an own network."""
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
        return smtp.sendmail(sender, recipients, raw, options)


def body_of(raw):
    """Return what stands behind the header, with line ends as on the wire."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").partition(b"\r\n\r\n")[2]


@pytest.fixture(params=["postfix", "exim", "aiosmtpd"])
def peer(request):
    """A server that takes mail for its own domain, and that domain."""
    made = {"postfix": Postfix, "exim": Exim, "aiosmtpd": Aiosmtpd}[request.param]()
    with made:
        made.domain = f"{request.param}.test"
        yield made


def test_messages_reach_the_mailboxes_of_another_server(own_server, peer):
    server = own_server(sections=through(peer.port))
    plain = message(unique(), body=".\r\n..\r\n.x\r\nend\r\n")
    large, _ = with_attachment(300_000)
    send(server, [f"b@{peer.domain}"], plain)
    send(server, [f"b@{peer.domain}"], large, options=["BODY=8BITMIME"])
    # What leaves in the same session must not be mixed up.
    for number in range(10):
        send(server, [f"b@{peer.domain}"], message(unique(), body=f"number {number}\r\n"))
    taken = until(lambda: len(peer.taken()) == 12 and peer.taken(), "12 messages")
    bodies = [body_of(raw) for raw in taken]
    assert sorted(bodies, key=len)[-2] == body_of(plain) or body_of(plain) in bodies
    assert {f"number {number}\r\n".encode() for number in range(10)} <= set(bodies)
    assert all(b"Return-Path: <a@elsewhere.test>" not in raw.partition(b"Received:")[2] for raw in taken)
    # Counted behind the commit that empties the queue.
    until(lambda: server.metric("troika_sent_total", outcome="Delivered") == 12, "12 deliveries")
    assert server.metric("troika_queue_messages") == 0


def test_postfix_sends_through_us_to_exim(own_server):
    """The way of a message over three servers, with TLS between the first two."""
    with Exim() as exim:
        server = own_server(sections=through(exim.port))
        settings = f"relayhost = [127.0.0.1]:{server.smtp}\nsmtp_tls_security_level = encrypt\n"
        with Postfix(settings) as postfix:
            subject = unique()
            with smtplib.SMTP("127.0.0.1", postfix.port, timeout=120) as smtp:
                smtp.sendmail("a@postfix.test", ["b@exim.test"], message(subject))
            (raw,) = until(exim.taken, "the message")
            assert subject.encode() in raw and raw.count(b"Received: ") >= 3, postfix.log()


def test_exim_sends_through_us_to_postfix(own_server):
    with Postfix() as postfix:
        server = own_server(sections=through(postfix.port))
        with Exim(route=("127.0.0.1", server.smtp)) as exim:
            subject = unique()
            with smtplib.SMTP("127.0.0.1", exim.port, timeout=120) as smtp:
                smtp.sendmail("a@exim.test", ["b@postfix.test"], message(subject))
            (raw,) = until(postfix.taken, "the message")
            assert subject.encode() in raw, exim.log()


def test_what_postfix_refuses_bounces_here(own_server):
    with Postfix("virtual_mailbox_maps = inline:{known@postfix.test=all/}") as postfix:
        server = own_server(sections=through(postfix.port))
        alice = server.account("alice")
        send(server, ["known@postfix.test", "nobody@postfix.test"], message(), sender=alice.address)
        until(postfix.taken, "the other recipient's message")
        (raw,) = until(lambda: server.contents(alice), "a report")
        assert b"Final-Recipient: rfc822; nobody@postfix.test" in raw and b"Status: 5.1.1" in raw, raw


def test_smtp_source_floods_smtp_sink(own_server):
    """Postfix's load generator on one side, its sink on the other."""
    with SmtpSink() as sink:
        server = own_server(sections=through(sink.port) + "[limits]\nmessages_per_session = 100000\n")
        words = ["smtp-source", "-s", "8", "-m", "400", "-l", "4000", "-f", "a@elsewhere.test", "-t", "b@y.test"]
        run([*words, f"127.0.0.1:{server.smtp}"])
        until(lambda: server.metric("troika_sent_total", outcome="Delivered") == 400, "400 deliveries")
        assert server.metric("troika_queue_messages") == 0


@pytest.mark.parametrize("fault", [("-q", "data"), ("-r", "rcpt"), ("-Q", "."), ("-f", "mail")])
def test_smtp_sink_that_refuses(own_server, fault):
    """-q closes, -Q closes with 421, -r refuses with 4xx, -f with 5xx."""
    with SmtpSink(*fault) as sink:
        server = own_server(sections=through(sink.port, 'retry_first = "1s"\n'))
        send(server, ["b@y.test"], message())
        outcome = "Failed" if fault[0] == "-f" else "Deferred"
        until(lambda: server.metric("troika_sent_total", outcome=outcome) >= 1, f"it is {outcome}")
        assert server.metric("troika_sent_total", outcome="Delivered") == 0


def test_msmtp_and_swaks_submit_what_goes_on(own_server):
    with Aiosmtpd() as peer:
        server = own_server(sections=through(peer.port))
        me = server.account("me")
        login = ["--auth=plain", f"--user={me.address}", f"--passwordeval=echo {me.password}", "--tls=off"]
        words = ["msmtp", "--file=/dev/null", "--host=127.0.0.1", f"--port={server.submission_clear}", *login]
        run([*words, f"--from={me.address}", "b@y.test"], stdin=message("by msmtp"))
        words = ["swaks", "--server", f"127.0.0.1:{server.submission}", "-tls", "--auth", "PLAIN"]
        words += ["--auth-user", me.address, "--auth-password", me.password]
        run([*words, "--from", me.address, "--to", "c@y.test", "--h-Subject", "by swaks"])
        taken = until(lambda: len(peer.taken()) == 2 and b"".join(peer.taken()), "two messages")
        assert b"by msmtp" in taken and b"by swaks" in taken

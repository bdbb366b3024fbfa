"""ATRN (RFC 2645): mail waits for a customer, who logs in and turns the connection round; with a scripted customer and with
fetchmail."""

import os
import smtplib
import ssl

from harness.mail import message
from harness.next_hop import KEYWORDS, NextHop, Talk
from harness.programs import run
from harness.waiting import until

SECTIONS = """[network]
own = ["127.0.0.0/8"]
[delivery]
retry_first = "1h"
[[on_demand]]
account = "shop@example.test"
domains = ["y.test", "z.test"]
interval_min = "0s"
[[on_demand]]
account = "other@example.test"
domains = ["w.test"]
"""


def provider(own_server):
    """A server with a customer, whose domains it relays."""
    server = own_server(sections=SECTIONS)
    for domain in ("y.test", "z.test", "w.test"):
        server.cli("domain", "add", domain, "--relay")
    return server, server.account("shop"), server.account("other")


def send(server, *recipients):
    """Bring a message for each as a stranger does."""
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
        for recipient in recipients:
            smtp.sendmail("a@elsewhere.test", [recipient], message())
    assert queued(server) >= set(recipients)


def queued(server):
    """Return who waits."""
    return {one["address"] for row in server.rows("queue", "list") for one in row["recipients"]}


def fetch(server, account, words, hop, *, tls=False):
    """Log in, say ATRN, and be a server on the same connection to its end; return the reply to ATRN."""
    smtp = smtplib.SMTP("127.0.0.1", server.submission if tls else server.submission_clear, timeout=120)
    if tls:
        smtp.starttls(context=ssl._create_unverified_context())
    smtp.login(account.address, account.password)
    assert smtp.has_extn("atrn")
    code, text = smtp.docmd("ATRN", words) if words else smtp.docmd("ATRN")
    if code == 250:
        try:
            hop.converse(Talk(hop, 1, smtp.sock))
        except OSError:
            pass
    smtp.close()
    return code, text


def test_a_customer_fetches_what_waits(own_server):
    server, shop, other = provider(own_server)
    with NextHop(replies={"RCPT TO:<later@z.test>": "450 4.2.1 not now"}) as hop:
        assert fetch(server, shop, "", hop)[0] == 453
        send(server, "b@y.test", "c@z.test", "later@z.test", "d@w.test")
        # RFC 2645 section 5.2.1: not all of them are his, so nothing.
        assert fetch(server, shop, "y.test,w.test", hop)[0] == 450
        assert fetch(server, other, "y.test", hop)[0] == 450
        assert not hop.messages
        code, text = fetch(server, shop, "y.test,z.test", hop)
        assert code == 250, text
        assert sorted(one.recipients()[0] for one in hop.messages) == ["b@y.test", "c@z.test"]
        assert all(one.sender() == "a@elsewhere.test" and one.content.endswith(b"\r\n") for one in hop.messages)
        # His greeting was heard, and the connection ended politely.
        assert hop.commands[0].startswith("EHLO ") and hop.commands[-1] == "QUIT"
        assert queued(server) == {"later@z.test", "d@w.test"}
        hop.replies.clear()
        assert fetch(server, shop, "", hop)[0] == 250
        assert hop.messages[-1].recipients() == ["later@z.test"]
        assert fetch(server, shop, "", hop)[0] == 453


def test_a_customer_who_hangs_up_gets_it_next_time(own_server):
    server, shop, _ = provider(own_server)
    with NextHop(replies={"DATA": "close", "BDAT": "close", ".": "close"}, keywords=()) as hop:
        send(server, "b@y.test")
        assert fetch(server, shop, "y.test", hop)[0] == 250
        assert not hop.messages
        hop.replies.clear()

        def fetched():
            return fetch(server, shop, "y.test", hop)[0] == 250 and hop.messages

        until(fetched, "the message, once its connection is known to be gone")
        until(lambda: not queued(server), "an empty queue")
        assert len(hop.messages) == 1


def test_what_needs_tls_waits_for_a_customer_with_tls(own_server):
    """RFC 8689 section 4.2.1, and it holds up nothing else."""
    server, shop, _ = provider(own_server)
    alice = server.account("alice")
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
        smtp.starttls(context=ssl._create_unverified_context())
        smtp.sendmail(alice.address, ["secret@y.test"], message("first"), ["REQUIRETLS"])
        # Of the same sender: they go in one job, and the first one must not end it.
        smtp.sendmail(alice.address, ["b@y.test"], message("behind it"))
    assert queued(server) == {"secret@y.test", "b@y.test"}
    with NextHop(keywords=(*KEYWORDS, "REQUIRETLS")) as hop:
        assert fetch(server, shop, "y.test", hop)[0] == 250
        (taken,) = hop.messages
        assert taken.recipients() == ["b@y.test"] and " REQUIRETLS" not in taken.mail
        (row,) = server.rows("queue", "list")
        assert "TLS" in row["recipients"][0]["last_reply"], row
        assert fetch(server, shop, "y.test", hop, tls=True)[0] == 250
        assert hop.messages[-1].recipients() == ["secret@y.test"] and " REQUIRETLS" in hop.messages[-1].mail
        assert not queued(server) and not server.contents(alice)
    # One whose own server does not promise it: it goes nowhere (RFC 8689 section 4.2.1), and the sender is told.
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
        smtp.starttls(context=ssl._create_unverified_context())
        smtp.sendmail(alice.address, ["secret@y.test"], message("second"), ["REQUIRETLS"])
    with NextHop() as hop:
        assert fetch(server, shop, "y.test", hop, tls=True)[0] == 250
        assert not hop.messages
        (raw,) = until(lambda: server.contents(alice), "a report")
        assert b"\r\nStatus: 5.7.30\r\n" in raw, raw


def test_asking_again_at_once_is_refused(own_server):
    """RFC 2645 section 5.2.1; a domain at a time."""
    server = own_server(sections=SECTIONS.replace('interval_min = "0s"', 'interval_min = "1h"'))
    for domain in ("y.test", "z.test", "w.test"):
        server.cli("domain", "add", domain, "--relay")
    shop = server.account("shop")
    with NextHop() as hop:
        assert fetch(server, shop, "y.test", hop)[0] == 453
        send(server, "b@y.test", "c@z.test")
        code, text = fetch(server, shop, "y.test", hop)
        assert code == 450 and b"moment ago" in text, text
        assert fetch(server, shop, "", hop)[0] == 450 and not hop.messages
        assert fetch(server, shop, "z.test", hop)[0] == 250
        assert [one.recipients() for one in hop.messages] == [["c@z.test"]]
        # Set anew, and heard at once.
        server.write_config(SECTIONS)
        server.restart()
        assert fetch(server, shop, "y.test", hop)[0] == 250


def test_strangers_and_others_may_not_turn(own_server):
    server, _, _ = provider(own_server)
    nobody = server.account("nobody")
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.ehlo()
        assert smtp.docmd("ATRN", "y.test")[0] == 530
        smtp.login(nobody.address, nobody.password)
        assert smtp.docmd("ATRN")[0] == 450
        assert smtp.docmd("ATRN", "y.test,")[0] == 501
        assert smtp.docmd("NOOP")[0] == 250
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("atrn")


def test_fetchmail_as_customer(own_server, tmp_path):
    """fetchmail logs in with CRAM-MD5, says ATRN, and hands what it hears to a mail server of the customer's."""
    server, shop, _ = provider(own_server)
    app = server.app_password(shop)
    send(server, "b@y.test", "c@y.test")
    with NextHop(keywords=("SIZE 50000000",)) as hop:
        rc = tmp_path / "fetchmailrc"
        rc.write_text(
            f'poll localhost protocol ODMR port {server.submission_clear}\n  user "{app.address}" '
            f'password "{app.password}" sslproto \'\' fetchdomains y.test smtphost localhost/{hop.port}\n'
        )
        rc.chmod(0o600)
        environment = os.environ | {"FETCHMAILHOME": str(tmp_path), "HOME": str(tmp_path)}
        run(["fetchmail", "-f", rc, "--nodetach", "--nosyslog", "-v"], env=environment)
        taken = hop.wait(2)
        assert sorted(one.recipients()[0] for one in taken) == ["b@y.test", "c@y.test"]
    until(lambda: not queued(server), "an empty queue")

"""What comes of mail that does not arrive: reports in the sender's language, warnings, the suppression list, limits of
users, the alarm, events for a webhook (RFC 3461, RFC 3464, RFC 6533)."""

import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import smtplib
import threading

import pytest
from harness.mail import message, unique
from harness.next_hop import NextHop
from harness.waiting import until

OWN = '[network]\nown = ["127.0.0.0/8"]\n'
QUICK = 'retry_first = "1s"\nretry_longest = "2s"\n'
SECRET = "a secret of some length"


def route(hop):
    """Return a [[route]] to this next hop."""
    return f'[[route]]\nnext_hop = "{hop.address}"\n'


def submit(server, account, recipients, raw, options=(), rcpt_options=()):
    """Send as a user does; return the SMTP object's answers to refused recipients."""
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(account.address, account.password)
        return smtp.sendmail(account.address, recipients, raw, options, rcpt_options)


def reports(server, account, count=1):
    """Wait for so many reports in a mailbox; return them parsed."""
    found = until(lambda: len(made := server.contents(account)) >= count and made, f"{count} reports")
    parsed = [email.message_from_bytes(raw, policy=email.policy.default) for raw in found]
    for one in parsed:
        assert one.get_content_type() == "multipart/report" and one["Return-Path"] == "<>", one
        assert one["Auto-Submitted"] == "auto-replied"
    return parsed


def status(report):
    """Return the blocks of the part for programs."""
    part = next(part for part in report.walk() if part.get_content_type() == "message/delivery-status")
    return [dict(block.items()) for block in part.get_payload()]


def is_empty(server):
    """Whether nothing is queued any more."""
    return server.metric("troika_queue_messages") == 0


def test_a_russian_is_told_in_russian_and_gets_what_he_asked_for(own_server):
    with NextHop(replies={"RCPT TO:<no@y.test>": "550-5.1.1 nobody\r\n550 5.1.1 of that name"}) as hop:
        server = own_server(sections=OWN + route(hop))
        anna = server.account("anna")
        raw = message("=?utf-8?b?0J/RgNC40LLQtdGC?=", body="the body\r\n")
        submit(server, anna, ["no@y.test"], raw, ["RET=FULL", "ENVID=e-7"], ["ORCPT=rfc822;first@x.test"])
        (report,) = reports(server, anna)
        assert "Письмо не доставлено" in report["Subject"] and report["Content-Language"] == "ru"
        words, _, returned = report.iter_parts()
        assert "Такого адреса нет" in words.get_content() and "Ваше письмо: Привет" in words.get_content()
        about, recipient = status(report)
        assert about["Original-Envelope-Id"] == "e-7" and about["Reporting-MTA"] == "dns; mail.example.test"
        assert recipient["Original-Recipient"] == "rfc822; first@x.test"
        assert recipient["Final-Recipient"] == "rfc822; no@y.test" and recipient["Status"] == "5.1.1"
        assert "nobody" in recipient["Diagnostic-Code"] and "Remote-MTA" in recipient, recipient
        assert returned.get_content_type() == "message/rfc822"
        original = returned.get_payload()[0]
        assert original.get_content().strip() == "the body" and original["Return-Path"] is None
        until(lambda: is_empty(server), "an empty queue")


def test_success_is_relayed_or_left_to_the_next_server(own_server):
    with NextHop() as knows, NextHop(keywords=("PIPELINING",)) as silent:
        sections = OWN + f'[[route]]\nrecipient_domain = "y.test"\nnext_hop = "{knows.address}"\n' + route(silent)
        server = own_server(sections=sections)
        anna = server.account("anna")
        submit(server, anna, ["b@y.test", "c@z.test"], message("hello"), (), ["NOTIFY=SUCCESS"])
        (report,) = reports(server, anna)
        _, recipient = status(report)
        assert recipient["Action"] == "relayed" and "c@z.test" in recipient["Final-Recipient"], recipient
        (taken,) = knows.wait(1)
        assert "NOTIFY=SUCCESS" in taken.rcpts[0]
        until(lambda: is_empty(server), "an empty queue")
        assert len(server.contents(anna)) == 1


def test_a_delay_is_told_once_and_notify_is_heard(own_server):
    with NextHop(replies={"RCPT": "450 4.2.0 greylisted"}) as hop:
        server = own_server(sections=OWN + '[delivery]\nwarn_after = "1s"\n' + QUICK + route(hop))
        anna = server.account("anna")
        submit(server, anna, ["b@y.test"], message("hello"))
        submit(server, anna, ["quiet@y.test"], message("hello"), (), ["NOTIFY=FAILURE"])
        (report,) = reports(server, anna)
        _, recipient = status(report)
        assert recipient["Action"] == "delayed" and recipient["Status"] == "4.2.0", recipient
        assert "Will-Retry-Until" in recipient and "b@y.test" in recipient["Final-Recipient"]
        seen = len(hop.commands)
        until(lambda: len(hop.commands) > seen + 12, "more attempts")
        assert len(server.contents(anna)) == 1, "once"
        # The operator ends it: now the sender hears of both.
        for row in server.rows("queue", "list"):
            server.cli("queue", "bounce", row["id"], "--reason", "we have given up on y.test")
        _, *ended = reports(server, anna, 3)
        for report in ended:
            _, recipient = status(report)
            assert recipient["Action"] == "failed" and "given up on y.test" in recipient["Diagnostic-Code"]
        until(lambda: is_empty(server), "an empty queue")


def test_utf_8_addresses_come_back_as_such(own_server):
    with NextHop(replies={"RCPT": "550 5.1.1 никого"}) as hop:
        server = own_server(sections=OWN + route(hop))
        anna = server.account("anna")
        with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
            smtp.login(anna.address, anna.password)
            smtp.ehlo()
            smtp.docmd(f"MAIL FROM:<{anna.address}> SMTPUTF8 BODY=8BITMIME")
            smtp.send("RCPT TO:<почта@пример.рф>\r\n".encode())
            assert smtp.getreply()[0] == 250
            raw = "Subject: Привет\r\nFrom: <anna@example.test>\r\n\r\nтело\r\n".encode()
            assert smtp.data(raw)[0] == 250
        (raw,) = until(lambda: server.contents(anna), "a report")
        assert b"Content-Type: message/global-delivery-status" in raw
        assert "Final-Recipient: utf-8; почта@пример.рф".encode() in raw
        assert b"Content-Type: message/global-headers" in raw


def test_addresses_that_do_not_exist_are_not_sent_to_any_more(own_server):
    with NextHop(replies={"RCPT TO:<no@y.test>": "550 5.1.1 nobody"}) as hop:
        server = own_server(sections=OWN + "[delivery]\nsuppress_after = 2\n" + route(hop))
        anna = server.account("anna")
        for count in (1, 2):
            submit(server, anna, ["no@y.test"], message())
            reports(server, anna, count)
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            submit(server, anna, ["No@y.test"], message())
        code, text = refused.value.recipients["No@y.test"]
        assert code == 550 and b"nobody" in text, text
        (row,) = server.rows("suppression", "list")
        assert row["address"] == "no@y.test" and row["suppressed"] and row["bounces"] == 2
        server.cli("suppression", "remove", "no@y.test")
        submit(server, anna, ["no@y.test"], message())
        reports(server, anna, 3)
        server.cli("suppression", "add", "ceo@y.test", "--reason", "he asked for it")
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            submit(server, anna, ["ceo@y.test"], message())
        assert b"he asked for it" in refused.value.recipients["ceo@y.test"][1]


def settled(server, seconds=90):
    """Wait until nothing is queued."""
    until(lambda: is_empty(server), "an empty queue", seconds)


def test_nothing_leads_to_a_suppressed_address(own_server):
    with NextHop(replies={"RCPT TO:<late@y.test>": "451 4.2.0 later"}) as hop:
        server = own_server(sections=OWN + '[delivery]\nretry_first = "1h"\n' + route(hop))
        anna = server.account("anna")
        server.cli("suppression", "add", "ceo@y.test", "--reason", "he asked for it")
        server.cli("alias", "add", "boss@example.test", "ceo@y.test")
        # Where it leads to nobody else, it is refused at once, and nobody is told where it leads.
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            submit(server, anna, ["boss@example.test"], message())
        code, text = refused.value.recipients["boss@example.test"]
        assert code == 550 and text.startswith(b"5.7.1") and b"ceo" not in text, text
        assert server.rows("queue", "list") == [] and not server.contents(anna)
        # A stranger's, through a redirect.
        bert = server.account("bert")
        server.cli("redirect", "set", bert.address, "CEO@y.test")
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            server.deliver(bert.address, message(), sender="")
        server.cli("redirect", "set", bert.address, "CEO@y.test", "--keep")
        server.deliver(bert.address, message(), sender="")
        settled(server)
        assert len(server.contents(bert)) == 1
        server.cli("alias", "set", "boss@example.test", "ceo@y.test", "fine@y.test")
        submit(server, anna, ["boss@example.test"], message())
        (first,) = reports(server, anna)
        _, recipient = status(first)
        assert (recipient["Action"], recipient["Status"]) == ("failed", "5.7.1"), recipient
        assert "he asked for it" in recipient["Diagnostic-Code"] and "<ceo@y.test>" in recipient["Diagnostic-Code"]
        # Who wants to hear nothing hears nothing.
        submit(server, anna, ["boss@example.test"], message(), rcpt_options=["NOTIFY=NEVER"])
        settled(server)
        assert len(server.contents(anna)) == 1
        assert [one.recipients() for one in hop.messages] == [["fine@y.test"]] * 2
        server.cli("alias", "add", "both@example.test", "ceo@y.test", "talk@example.test")
        # What waited before the address was suppressed.
        submit(server, anna, ["late@y.test"], message())
        waits = lambda: [row for row in server.rows("queue", "list") if row["recipients"][0]["attempts"] == 1]
        (row,) = until(waits, "a message that waits")
        server.cli("suppression", "add", "late@y.test", "--reason", "the box is closed")
        server.cli("queue", "retry", row["id"])
        assert "the box is closed" in status(reports(server, anna, 2)[1])[1]["Diagnostic-Code"]
        # A list's member is one no more.
        server.cli("list", "add", "talk@example.test", "--posting", "anyone", "--bounces", "1")
        server.cli("list", "subscribe", "talk@example.test", "ceo@y.test")
        submit(server, anna, ["talk@example.test"], message(to="talk@example.test"))
        state = lambda: server.rows("list", "members", "talk@example.test")[0]["state"]
        until(lambda: state() == "bouncing", "the member counted")
        settled(server)
        # An alias for it and a list is taken: the list decides.
        submit(server, anna, ["both@example.test"], message(to="talk@example.test"))
        settled(server)
        assert len(hop.messages) == 2
        # That it was not sent is no news of the address.
        assert all(row["bounces"] == 0 for row in server.rows("suppression", "list"))


def test_a_report_for_a_full_mailbox_waits_until_there_is_room(own_server):
    with NextHop(replies={"RCPT TO:<no@y.test>": "550 5.1.1 nobody"}) as hop:
        server = own_server(sections=OWN + route(hop))
        anna = server.account("anna", "--quota", "10")
        submit(server, anna, ["no@y.test"], message())
        (row,) = until(lambda: [r for r in server.rows("queue", "list") if not r["reverse_path"]], "the report")
        assert [one["address"] for one in row["recipients"]] == [anna.address]
        assert server.metric("troika_reports_kept_total") == 1 and server.metric("troika_reports_lost_total") == 0
        server.cli("queue", "retry", row["id"])
        tried = lambda: server.rows("queue", "list")[0]["recipients"][0]["attempts"] == 1
        until(tried, "an attempt at the mailbox that is still full")
        server.restart()
        server.cli("account", "set", anna.address, "--quota", "1M")
        server.cli("queue", "retry", row["id"])
        (report,) = reports(server, anna)
        assert status(report)[1]["Final-Recipient"].endswith("no@y.test")
        settled(server)


def test_what_became_of_a_message_is_known_when_it_is_over(own_server):
    with NextHop(replies={"RCPT TO:<no@y.test>": "550 5.1.1 nobody"}) as hop:
        server = own_server(sections=OWN + route(hop))
        anna = server.account("anna")
        submit(server, anna, ["no@y.test", "yes@y.test"], message())
        reports(server, anna)
        settled(server)
        server.restart()
        rows = server.rows("queue", "history", "YES@y.test")
        assert [row["what"] for row in rows if row["what"] != "failed"] == ["accepted", "delivered"], rows
        (failed,) = [row for row in rows if row["what"] == "failed"]
        assert failed["to"] == "no@y.test" and "nobody" in failed["text"] and failed["from"] == anna.address
        assert server.rows("queue", "history", rows[0]["id"]) == rows
        assert rows[0] in server.rows("queue", "history", anna.address)
        shown = server.cli("queue", "history", "yes@y.test").stdout.decode()
        assert "delivered" in shown and "T" in shown.split("\n")[1]
        assert b"nothing is known" in server.cli("queue", "history", "other@y.test", expect=1).stderr


def test_where_mail_between_people_here_went_is_known(own_server):
    """Mailboxes, aliases, lists, a full one, and on to another host; by id, Message-ID and address; over a restart."""
    with NextHop(replies={"RCPT TO:<no@y.test>": "550 5.1.1 nobody"}) as hop:
        server = own_server(sections=OWN + route(hop))
        anna, bert, carl = (server.account(name) for name in ("anna", "bert", "carl"))
        full = server.account("full", "--quota", "10")
        server.cli("group", "add", "team@example.test", bert.address, carl.address)
        server.cli("alias", "add", "info@example.test", bert.address, "far@y.test")
        server.cli("list", "add", "talk@example.test", "--posting", "anyone")
        server.cli("list", "subscribe", "talk@example.test", carl.address)
        to = ["bert+x@example.test", "team@example.test", "info@example.test", "talk@example.test", full.address, "no@y.test"]
        with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
            smtp.login(anna.address, anna.password)
            # Without SIZE: that it does not fit is found out at the end.
            assert smtp.mail(anna.address)[0] == 250 and all(smtp.rcpt(one)[0] == 250 for one in to)
            raw = message("hello")
            message_id = email.message_from_bytes(raw)["Message-ID"]
            code, reply = smtp.data(raw)
        assert code == 250, reply
        settled(server)
        until(lambda: len(server.contents(carl)) == 2, "the list's copy")

        def known(of):
            rows = server.rows("queue", "history", of)
            return {(row["what"], row["to"], row["text"].partition(" taken")[0]) for row in rows}, rows

        found, rows = known(message_id)
        here = {
            ("accepted", " ".join(to), message_id),
            ("delivered", to[0], f"into INBOX of {bert.address}"),
            ("delivered", to[1], f"into INBOX of {bert.address}"),
            ("delivered", to[1], f"into INBOX of {carl.address}"),
            ("delivered", to[2], f"into INBOX of {bert.address}"),
            ("posted", to[3], "to the mailing list"),
        }
        assert here < found, found ^ here
        (refused,) = [row for row in rows if row["what"] == "refused"]
        assert refused["to"] == full.address and refused["text"].startswith("452 4.2.2"), refused
        (queued,) = {row["text"].removeprefix("as ") for row in rows if row["what"] == "queued"}
        assert ("queued", "far@y.test", f"as {queued}") in found and ("queued", "no@y.test", f"as {queued}") in found
        outcomes = {(row["id"], row["to"]): row["what"] for row in rows if row["what"] in ("delivered", "failed")}
        assert outcomes[queued, "far@y.test"] == "delivered" and outcomes[queued, "no@y.test"] == "failed"
        # The id that the client was told, and that stands in the log and in Received.
        name = next(row["id"] for row in rows if row["what"] == "accepted")
        assert name.encode() in reply and name in server.log()
        server.restart()
        for of in (name, message_id.strip("<>")):
            assert known(of)[1] == rows
        for address in (anna.address, bert.address, "TEAM@example.test", "far@y.test", full.address):
            assert {tuple(row.items()) for row in rows} <= {tuple(row.items()) for row in known(address)[1]}, address
        copies = [row for row in known(carl.address)[1] if row["from"] == "talk@example.test" and row["what"] == "delivered"]
        assert [row["to"] for row in copies] == [carl.address]
        # The same without a server.
        server.stop()
        assert known(name)[1] == rows
        server.start()


def test_users_have_limits(own_server):
    with NextHop() as hop:
        server = own_server(sections=OWN + "[sending]\nrecipients_per_hour = 3\n" + route(hop))
        anna, bert = server.account("anna"), server.account("bert")
        submit(server, anna, ["a@y.test", "b@y.test"], message())
        refused = submit(server, anna, ["c@y.test", "d@y.test", bert.address], message())
        assert list(refused) == ["d@y.test"] and refused["d@y.test"][0] == 450, refused
        assert len(server.contents(bert)) == 1, "mail to people here is not counted"
        (row,) = server.rows("sender", "list")
        assert (row["address"], row["last_hour"]) == (anna.address, 3), row
        server.cli("sender", "limit", anna.address, "--per-hour", "4")
        submit(server, anna, ["d@y.test"], message())
        server.cli("sender", "block", bert.address)
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            submit(server, bert, ["a@y.test"], message())
        assert refused.value.recipients["a@y.test"][0] == 550
        hop.wait(3)


class Receiver(http.server.ThreadingHTTPServer):
    """Takes events when it is told to; keeps those whose signature is right."""

    def __init__(self):
        self.events, self.refused, self.takes = [], 0, False
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                """Look at one request."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
                wanted = base64.b64encode(hmac.digest(SECRET.encode(), signed, hashlib.sha256)).decode()
                assert self.headers["webhook-signature"] == f"v1,{wanted}"
                # Asked once: the test changes its mind meanwhile.
                takes = receiver.takes
                if takes:
                    receiver.events += json.loads(body)["events"]
                else:
                    receiver.refused += 1
                self.send_response(204 if takes else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


@pytest.fixture
def receiver():
    """A webhook's receiver."""
    made = Receiver()
    yield made
    made.shutdown()
    made.server_close()


def test_a_burst_is_an_alarm_and_the_webhook_hears_of_all(own_server, receiver, tmp_path):
    (tmp_path / "secret").write_text(SECRET + "\n")
    webhook = f'[webhook]\nurl = "http://127.0.0.1:{receiver.server_address[1]}/in"\nsecret_file = "{tmp_path}/secret"\n'
    sending = '[sending]\nalarm = "block"\nalarm_from = 5\n'
    with NextHop(replies={"RCPT TO:<no@y.test>": "550 5.1.1 nobody"}) as hop:
        server = own_server(sections=OWN + webhook + sending + route(hop))
        chief, anna = server.account("chief"), server.account("anna")
        subject = unique()
        submit(server, anna, [f"{name}@y.test" for name in ("a", "b", "c", "d", "no")], message(subject))
        hop.wait(1)
        # The one who reads postmaster@ is told, and the account sends nothing more.
        (raw,) = until(lambda: server.contents(chief), "an alarm")
        told = email.message_from_bytes(raw, policy=email.policy.default)
        assert "anna@example.test" in told["Subject"] and "troika sender release anna@example.test" in told.get_content()
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            submit(server, anna, ["e@y.test"], message())
        server.cli("sender", "release", anna.address)
        submit(server, anna, ["e@y.test"], message())
        hop.wait(2)
        # Events wait for a receiver that takes nothing, also through a restart.
        until(lambda: receiver.refused > 0, "a first request")
        server.restart()
        receiver.takes = True
        until(lambda: len(receiver.events) >= 7, "all events")
        names = sorted(event["event"] for event in receiver.events)
        assert names == ["alarm", *["delivered"] * 5, "failed"], names
        numbers = [event["number"] for event in receiver.events]
        assert numbers == sorted(set(numbers)), "each once, in order"
        (failed,) = [event for event in receiver.events if event["event"] == "failed"]
        assert failed["recipient"] == "no@y.test" and failed["status"] == "5.1.1" and failed["sender"] == anna.address
        until(lambda: server.metric("troika_webhook_events_total") >= 7, "the metric")

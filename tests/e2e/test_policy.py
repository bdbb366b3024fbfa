"""Who may send what where; who may log in."""

import json
import smtplib
import statistics
import time
from base64 import b64encode

import pytest
from harness.mail import message, unique
from harness.wire import Wire


def codes(server, listener, sender, recipients, account=None):
    """Reply codes of MAIL and each RCPT."""
    with smtplib.SMTP("127.0.0.1", server.ports[listener], timeout=120) as smtp:
        if account:
            smtp.login(account.address, account.password)
        else:
            smtp.ehlo()
        first = smtp.mail(sender)[0]
        return [first, *(smtp.rcpt(recipient)[0] for recipient in recipients)]


def test_no_open_relay(server, alice):
    strangers = ["x@far.test", "x%far.test@example.test", '"x@far.test"@example.test', "@example.test:x@far.test"]
    answers = codes(server, "smtp", "a@elsewhere.test", strangers)
    assert answers[0] == 250 and all(500 <= code < 600 for code in answers[1:]), answers
    assert all(code >= 500 for code in codes(server, "smtp", alice.address, ["x@far.test"])[1:])
    assert codes(server, "smtp", "<>", ["x@far.test"])[-1] >= 500
    assert not [row for row in server.rows("queue", "list") if "far.test" in json.dumps(row)]


def test_users_and_own_networks_may_send_on(own_server):
    # Nobody listens at the next hop: it stays in the queue.
    route = '[[route]]\nrecipient_domain = "*"\nnext_hop = "127.0.0.1:1"\n'
    server = own_server(sections='[network]\nown = ["127.0.0.3/32"]\n' + route)
    alice = server.account("alice")
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(alice.address, alice.password)
        smtp.sendmail(alice.address, ["x@far.test", "y@far.test", alice.address], message(unique()))
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120, source_address=("127.0.0.3", 0)) as smtp:
        smtp.sendmail("printer@elsewhere.test", ["z@far.test"], message())
    queued = json.dumps(server.rows("queue", "list"))
    assert all(address in queued for address in ("x@far.test", "y@far.test", "z@far.test"))
    assert len(server.contents(alice)) == 1


def test_senders_are_not_spoofed(server, alice, bob):
    refused = codes(server, "submission_clear", bob.address, [bob.address], alice)
    assert any(code >= 500 for code in refused)
    refused = codes(server, "submission_clear", "ceo@elsewhere.test", [bob.address], alice)
    assert any(code >= 500 for code in refused)
    name, domain = alice.address.split("@")
    assert codes(server, "submission_clear", f"{name}+tag@{domain}", [bob.address], alice) == [250, 250]
    alias = f"{unique('alias')}@{domain}"
    server.cli("alias", "add", alias, alice.address)
    assert codes(server, "submission_clear", alias, [bob.address], alice) == [250, 250]


def test_sender_rule_can_be_off(own_server):
    server = own_server(sections="[auth]\nsender_must_match = false\n")
    alice = server.account("alice")
    assert codes(server, "submission_clear", "ceo@elsewhere.test", [alice.address], alice) == [250, 250]


def login(server, address, password, source):
    """Log in by IMAP from an address; whether it was granted, and after how long."""
    with Wire(server.imap_clear, source=source, timeout=120) as wire:
        wire.line()
        started = time.monotonic()
        lines = wire.imap(f"LOGIN {address} {password}")
        return lines[-1].startswith("a OK"), time.monotonic() - started


def test_guessing_is_slowed_but_the_rightful_user_elsewhere_is_not(own_server):
    server = own_server()
    alice = server.account("alice")
    assert login(server, alice.address, alice.password, "127.0.0.2")[0]
    spent = [login(server, alice.address, "wrong", "127.0.0.9") for _ in range(5)]
    assert not any(granted for granted, _ in spent)
    assert spent[-1][1] > spent[0][1] + 1.0, spent
    # All protocols together: SMTP from there is slow at once.
    secret = b64encode(f"\0{alice.address}\0wrong".encode()).decode()
    with Wire(server.submission_clear, source="127.0.0.9", timeout=120) as wire:
        wire.reply()
        wire.smtp("EHLO x.test")
        started = time.monotonic()
        assert wire.smtp(f"AUTH PLAIN {secret}") in (535, 454)
        assert time.monotonic() - started > 1.0
    for source in ("127.0.0.2", "127.0.0.4"):
        granted, seconds = login(server, alice.address, alice.password, source)
        # Far less than the guesser waits, whatever a log-in costs on this machine.
        assert granted and seconds < spent[-1][1] / 2, (source, seconds, spent)


def test_unknown_names_get_the_same_answer_in_the_same_time(own_server):
    server = own_server()
    alice = server.account("alice")

    accounts = [server.account(f"known{number}") for number in range(12)]
    names = {
        10: lambda number: accounts[number].address,
        11: lambda number: f"nobody{number}@example.test",
        12: lambda number: f"nobody{number}@nowhere.test",
    }
    answers, times = set(), {start: [] for start in names}
    # In turn, so that what else the machine does is spread over them; first wrong log-ins, each from an address of its
    # own, so that nothing is slowed on purpose.
    for number in range(len(accounts)):
        for start, name in names.items():
            with Wire(server.imap_clear, source=f"127.0.{start}.{number + 1}") as wire:
                wire.line()
                begun = time.monotonic()
                answers.add(wire.imap(f"LOGIN {name(number)} wrong")[-1])
                times[start].append(time.monotonic() - begun)
    assert len(answers) == 1
    known, *others = (statistics.median(one) for one in times.values())
    for other in others:
        assert 0.4 < other / known < 2.5, (known, others)
    assert login(server, alice.address, alice.password, "127.0.0.2")[0]


def test_rcpt_of_disabled_and_unknown_accounts(server):
    account = server.account()
    server.cli("account", "set", account.address, "--disabled", "true")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        server.deliver(account, message())
    with server.wire("imap_clear", source="127.0.0.21") as wire:
        assert wire.imap(f"LOGIN {account.address} {account.password}")[-1].startswith("a NO")
    server.cli("account", "set", account.address, "--disabled", "false")
    server.deliver(account, message())
    assert len(server.contents(account)) == 1


def test_application_passwords(app_server):
    server, alice = app_server, app_server.account()
    app = server.app_password(alice, "phone", "--scope", "imap")
    names = [row["name"] for row in server.rows("app-password", "list", alice.address)]
    assert names == ["phone"]
    source = "127.0.0.22"
    assert login(server, app.address, app.password, source)[0]
    with Wire(server.pop3_clear, source=source) as wire:
        wire.line()
        wire.pop3(f"USER {app.address}")
        assert wire.pop3(f"PASS {app.password}").startswith("-ERR"), "not in its scope"
    server.cli("app-password", "revoke", alice.address, "phone")
    assert not login(server, app.address, app.password, source)[0]
    assert server.rows("app-password", "list", alice.address) == []
    assert login(server, alice.address, alice.password, "127.0.0.23")[0]

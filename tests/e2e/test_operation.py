"""Running it: drain, reload, certificates by name, metrics, health, logs, limits, privileges."""

import json
import signal
import ssl
import urllib.error
import urllib.request

import pytest
from harness.mail import message, unique
from harness.tls import careless, make_certificate, trusting
from harness.waiting import until
from harness.wire import Closed, Wire


def test_sigterm_tells_the_clients(own_server):
    server = own_server()
    alice = server.account("alice")
    with server.wire("smtp") as smtp, server.wire("imap_clear") as imap, server.wire("pop3_clear") as pop3, server.wire(
        "imap_clear"
    ) as idle:
        smtp.smtp("EHLO c.test")
        imap.imap(f"LOGIN {alice.address} {alice.password}")
        idle.imap(f"LOGIN {alice.address} {alice.password}")
        idle.imap("SELECT INBOX")
        idle.send("i IDLE\r\n")
        assert idle.line().startswith("+")
        server.process.send_signal(signal.SIGTERM)
        assert smtp.rest().startswith(b"421 ")
        assert imap.rest().startswith(b"* BYE")
        assert b"* BYE" in idle.rest()
        assert pop3.rest().startswith(b"-ERR [SYS/TEMP]")
    assert server.process.wait(120) == 0
    with pytest.raises(OSError):
        Wire(server.smtp)
    server.cli("store", "check")


def test_sigterm_in_the_middle_of_a_message(own_server):
    """Either the message gets its 250 and is there afterwards, or 421 and it is not."""
    server = own_server()
    alice = server.account("alice")
    with server.wire("smtp") as wire:
        wire.smtp("EHLO c.test")
        wire.smtp("MAIL FROM:<a@elsewhere.test>")
        wire.smtp(f"RCPT TO:<{alice.address}>")
        assert wire.smtp("DATA") == 354
        wire.send(b"Subject: half\r\n\r\nbegun\r\n")
        server.process.send_signal(signal.SIGTERM)
        until(lambda: "stopping" in server.log(), "the server to stop")
        code = 0
        if wire.send_as_far_as_taken(b"ended\r\n.\r\n"):
            try:
                code = wire.reply()[0]
            except (Closed, OSError):
                pass
    assert server.process.wait(120) == 0
    server.start()
    assert len(server.contents(alice)) == (1 if code == 250 else 0), code


def test_health_and_metrics(own_server):
    server = own_server()
    alice = server.account("alice")
    assert server.get("/health")[0] == 200
    assert server.get("/nothing")[0] == 404
    before = server.metric("troika_messages_accepted_total", protocol="Smtp")
    server.deliver(alice, message())
    assert server.metric("troika_messages_accepted_total", protocol="Smtp") == before + 1
    bad = server.metric("troika_bad_commands_total")
    with server.wire("smtp") as wire:
        assert wire.smtp("NONSENSE") == 500
        wire.smtp("QUIT")
    with server.wire("imap") as wire:
        wire.imap("NONSENSE")
        wire.imap("LOGOUT")
    with server.wire("pop3") as wire:
        wire.pop3("NONSENSE")
        wire.pop3("QUIT")
    until(lambda: server.metric("troika_bad_commands_total") >= bad + 3, "malformed commands to be counted")
    text = server.get("/metrics")[1]
    assert text.rstrip().endswith("# EOF") and "troika_store_commits" in text


def asked(server, path, **headers):
    """Status and text of a page that is asked for with these header fields."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{server.http}{path}", headers=named)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_operators_pages_are_for_the_operator(own_server):
    server = own_server()
    for header in ({"X_Forwarded_For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}, {"Via": "1.1 proxy"}):
        for path in ("/metrics", "/tls-reports"):
            assert asked(server, path, **header)[0] == 403, (path, header)
        assert asked(server, "/health", **header) == (200, "Troika takes mail.\n")
        assert asked(server, "/unsubscribe/nothing", **header)[0] == 404
    assert asked(server, "/metrics")[0] == 200 and asked(server, "/tls-reports")[0] == 200
    token = "0123456789abcdef-secret"
    server.stop()
    server.write_config('[http]\noperator_token = "short"\n')
    assert b"operator_token" in server.cli("config", "check", expect=1).stderr
    server.write_config(f'[http]\noperator_token = "{token}"\n')
    server.start()
    assert asked(server, "/metrics")[0] == 403 and asked(server, "/health")[0] == 200
    for wrong in ("", "Bearer ", f"Basic {token}", f"Bearer {token}x", f"Bearer {token[:-1]}"):
        assert asked(server, "/metrics", Authorization=wrong)[0] == 403, wrong
    for path in ("/metrics", "/tls-reports"):
        assert asked(server, path, Authorization=f"bearer {token}", Via="1.1 proxy")[0] == 200


def test_certificates_by_name_and_reload(own_server, tmp_path):
    one = make_certificate(tmp_path, "one", ["one.test"])
    two = make_certificate(tmp_path, "two", ["two.test", "*.two.test"])
    server = own_server(start=False)
    certificates = "".join(f'\n[[certificate]]\ncertificate = "{c}"\nkey = "{k}"\n' for c, k in (one, two))
    server.config.write_text(server.config.read_text() + certificates)
    server.start()
    alice = server.account("alice")

    def shown(name, starttls=False):
        """The certificate that a client which asks for this name is shown."""
        with Wire(server.imap if starttls else server.imaps) as wire:
            if starttls:
                wire.line()
                wire.imap("STARTTLS")
            wire.start_tls(name, careless())
            return ssl.DER_cert_to_PEM_cert(wire.socket.getpeercert(binary_form=True))

    first, second = one[0].read_text(), two[0].read_text()
    same = lambda a, b: "".join(a.split()) == "".join(b.split())  # noqa: E731
    for name, expected in (("one.test", first), ("two.test", second), ("a.two.test", second), ("x.test", first)):
        assert same(shown(name), expected), name
        assert same(shown(name, starttls=True), expected), name

    with server.wire("imaps") as session:
        session.imap(f"LOGIN {alice.address} {alice.password}")
        make_certificate(tmp_path, "one", ["one.test", "new.test"])
        server.process.send_signal(signal.SIGHUP)
        until(lambda: same(shown("one.test"), one[0].read_text()), "the new certificate to be shown")
        assert not same(first, one[0].read_text())
        assert session.imap("NOOP")[-1].startswith("a OK"), "the session lives on"
    # A certificate that is none: the old one stays.
    good = one[0].read_text()
    one[0].write_text("nonsense")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "not used" in server.log(), "the reload to be refused")
    assert same(shown("one.test"), good)
    one[0].write_text(good)


def test_reload_takes_limits_and_refuses_nonsense(own_server):
    server = own_server()
    alice = server.account("alice")
    good = server.config.read_text()
    server.config.write_text(good + "\n[limits]\nrecipients = 1\n")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "read again" in server.log(), "the reload")
    with server.wire("smtp") as wire:
        wire.smtp("EHLO c.test")
        wire.smtp("MAIL FROM:<a@elsewhere.test>")
        assert wire.smtp(f"RCPT TO:<{alice.address}>") == 250
        assert wire.smtp("RCPT TO:<alice+x@example.test>") == 452
    server.config.write_text(good + "\n[limits]\nrecipents = 1\n")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "recipents" in server.log(), "the reason in the log")
    assert server.ready()
    server.config.write_text(good)


def test_a_certificate_authority_is_made_and_kept(own_server):
    server = own_server()
    with Wire(server.imaps) as wire:
        wire.start_tls("localhost", trusting(server.ca))
    first = server.ca.read_bytes()
    server.restart()
    assert server.ca.read_bytes() == first
    assert (server.data / "tls/server.key").stat().st_mode & 0o077 == 0


def test_old_tls_is_refused(server):
    context = careless()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        Wire(server.imaps).start_tls("localhost", context)
    context = careless()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    wire = Wire(server.imaps)
    wire.start_tls("localhost", context)
    assert wire.socket.version() == "TLSv1.2"
    wire.close()


def test_logs_hold_neither_passwords_nor_mail(own_server):
    """At the loudest level, after right and wrong log-ins of every kind."""
    server = own_server(start=False)
    server.config.write_text(server.config.read_text().replace('format = "json"', 'format = "json"\nlevel = "trace"'))
    server.start()
    alice = server.account("alice", password="Sesame-Open-7731")
    app = server.app_password(alice)
    text = unique("verysecretcontent")
    server.deliver(alice, message("Subject-" + text, body=text + "\r\n"))
    server.contents(alice)
    server.contents(app)
    server.pop3_login(alice).quit()
    wrong = "Guess-Wrong-9917"
    with server.wire("imap_clear", source="127.0.0.5") as wire:
        wire.imap(f'LOGIN {alice.address} "{wrong}"')
        wire.imap(f"LOGIN {alice.address} {wrong} extra")
        wire.imap(f"NONSENSE {alice.password}")
    with server.wire("pop3_clear", source="127.0.0.6") as wire:
        wire.pop3(f"USER {alice.address}")
        wire.pop3(f"PASS {wrong}")
    import smtplib

    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(alice.address, alice.password)
        smtp.sendmail(alice.address, ["x@far.test"], message(text, body=text))
    server.cli("account", "set", alice.address, "--password-stdin", stdin="Another-One-5512\n")
    server.stop()
    log = server.log()
    assert log.count("\n") > 10
    from base64 import b64encode

    for secret in (alice.password, app.password, wrong, text, "Another-One-5512"):
        assert secret not in log, secret
        assert b64encode(secret.encode()).decode().rstrip("=")[:-1] not in log, secret
    for line in log.splitlines():
        assert json.loads(line)["level"], line


def test_one_log_line_for_each_session_and_message(own_server):
    server = own_server()
    alice = server.account("alice")
    server.deliver(alice, message())
    lines = lambda: [json.loads(line) for line in server.log().splitlines()]  # noqa: E731
    session = lambda: [line for line in lines() if line.get("message") == "session" and line.get("protocol") == "smtp"]  # noqa: E731
    [row] = until(session, "the session's line")
    assert row["messages"] == 1 and row["trace"]
    about = [line for line in lines() if line.get("trace") == row["trace"] and line.get("message") == "message"]
    assert len(about) == 1, about
    assert about[0]["recipients"] == 1


def test_connections_per_address_are_bounded(own_server):
    """Loopback is not counted by address, but by the total."""
    server = own_server(sections="[limits]\nconnections = 20\n")
    held = [Wire(server.smtp) for _ in range(20)]
    until(lambda: server.metric("troika_connections_open", protocol="Smtp") >= 20, "twenty sessions")
    with Wire(server.smtp) as late:
        assert late.rest().startswith(b"421 ")
    for wire in held:
        wire.close()

    def served():
        with Wire(server.smtp) as wire:
            return wire.line().startswith("220")

    until(served, "a place to be free again")


def test_root_is_given_up(own_server):
    server = own_server(sections='user = "nobody"\n', start=False)
    for folder in server.folder.parents:
        # pytest's folders are root's alone.
        folder.chmod(folder.stat().st_mode | 0o011)
    server.start()
    status = open(f"/proc/{server.process.pid}/status").read()
    assert "Uid:\t65534\t65534\t65534\t65534" in status
    alice = server.account("alice")
    server.deliver(alice, message())
    assert len(server.contents(alice)) == 1
    # What root does beside the stopped server must not lock it out.
    server.stop()
    server.account("carol")
    server.start()
    assert len(server.contents(alice)) == 1

"""What bad input gets on SMTP and LMTP: smuggling, injection, endless things, odd octets."""

import time

import pytest
from harness.mail import message, unique, without_trace
from harness.wire import Closed, Wire


@pytest.fixture
def wire(server):
    """A greeted session on port 25."""
    with server.wire("smtp") as wire:
        assert wire.smtp("EHLO client.test") == 250
        yield wire


def envelope(wire, to):
    """MAIL, RCPT, DATA."""
    assert wire.smtp("MAIL FROM:<a@elsewhere.test>") == 250
    assert wire.smtp(f"RCPT TO:<{to.address}>") == 250
    assert wire.smtp("DATA") == 354


SMUGGLED = "MAIL FROM:<evil@elsewhere.test>\r\nRCPT TO:<{to}>\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n.\r\n"


@pytest.mark.parametrize(
    "ending",
    [
        b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n",
        b"\n\n.\r\n", b"\r\n\0.\r\n\0", b"\r\n.\0\r\n", b"\0\n.\n",
    ],
)  # fmt: skip
def test_smuggling(server, alice, wire, ending):
    """Nothing but CRLF.CRLF ends a message; what follows such an ending is never taken for commands."""
    envelope(wire, alice)
    wire.send(b"Subject: outer\r\n\r\nouter" + ending + SMUGGLED.format(to=alice.address).encode())
    code, _ = wire.reply()
    stored = server.contents(alice)
    if b"\0" in ending and code == 250:
        assert len(stored) == 1 and b"evil" in stored[0], "NULs may be kept, the message is one"
        return
    assert 500 <= code < 600
    assert stored == []
    # The one true end was the last; the session goes on.
    assert wire.smtp("NOOP") == 250


@pytest.mark.parametrize("octets", [b"NOOP\n", b"NOOP\rNOOP\r\n", b"MAIL FROM:<a@b.test>\nRCPT TO:<c@d.test>\r\n"])
def test_bare_endings_in_commands(wire, octets):
    wire.send(octets)
    if not octets.endswith(b"\r\n"):
        wire.send(b"NOOP\r\n")
    assert 500 <= wire.reply()[0] < 600
    assert wire.smtp("NOOP") == 250
    assert wire.smtp("RCPT TO:<c@d.test>") == 503, "the first command was not taken"


def test_an_empty_message_has_an_answer(server, alice, wire):
    envelope(wire, alice)
    assert wire.smtp(".") == 250
    assert [without_trace(raw).strip() for raw in server.contents(alice)] == [b""]


@pytest.mark.parametrize("listener", ["smtp", "submission"])
def test_injection_before_starttls(server, listener, alice):
    with server.wire(listener) as wire:
        wire.smtp("EHLO client.test")
        # A whole command and half of one, in clear, in the same packet as STARTTLS.
        wire.send(b"STARTTLS\r\nNOOP\r\nEHLO inj")
        assert wire.reply()[0] == 220
        wire.start_tls()
        wire.send(b"ected.test\r\nNOOP\r\n")
        first = wire.reply()
        assert first[0] == 500, f"the half command was completed: {first}"
        assert wire.reply()[0] == 250
        # The greeting of before is forgotten: neither the one in clear nor the injected one counts.
        assert wire.smtp("MAIL FROM:<a@elsewhere.test>") in (503, 530)


def test_starttls_with_argument_twice_and_in_a_transaction(server, alice):
    with server.wire("submission") as wire:
        wire.smtp("EHLO client.test")
        assert wire.smtp("STARTTLS now") == 501
        assert wire.smtp("STARTTLS") == 220
        wire.start_tls()
        assert wire.smtp("EHLO client.test") == 250
        assert wire.smtp("STARTTLS") == 503


def test_starttls_after_login(server, alice):
    with server.wire("submission_clear") as wire:
        wire.smtp("EHLO client.test")
        from base64 import b64encode

        secret = b64encode(f"\0{alice.address}\0{alice.password}".encode()).decode()
        assert wire.smtp(f"AUTH PLAIN {secret}") == 235
        assert wire.smtp("STARTTLS") in (502, 503)
        assert wire.smtp(f"AUTH PLAIN {secret}") == 503


def test_endless_command_line(wire):
    wire.send_as_far_as_taken(b"NOOP " + b"x" * (64 << 20))
    try:
        assert wire.reply()[0] in (500, 421)
    except (Closed, OSError):
        pass


def test_long_command_line_gets_500_and_the_session_goes_on(wire):
    wire.send(b"NOOP " + b"x" * 100_000 + b"\r\n")
    assert wire.reply()[0] == 500
    assert wire.smtp("NOOP") == 250


def test_nul_and_invalid_utf8_in_commands(wire):
    for command in (b"MAIL FROM:<a\0@b.test>", b"MAIL FROM:<\xff\xfe@b.test>", b"RCPT TO:<\xc3\x28@b.test>", b"\0\0", b"\xff"):
        assert 500 <= wire.smtp(command) < 600, command
    assert wire.smtp("NOOP") == 250


def test_nul_and_eight_bit_octets_in_a_message(server, alice, wire):
    """Either kept as they are or refused; never cut."""
    raw = b"Subject: nul\r\n\r\na\0b\xff\xfec\r\n"
    envelope(wire, alice)
    wire.send(raw + b".\r\n")
    code = wire.reply()[0]
    stored = [without_trace(content) for content in server.contents(alice)]
    # IMAP can't show NUL in a literal (RFC 3501 §9).
    assert (code, stored) in ((250, [raw.replace(b"\0", b" ")]), (554, []), (550, [])), code


def test_lines_without_end_in_a_message(server, alice, wire):
    """A line of 1 MB: taken whole or refused with 5xx."""
    envelope(wire, alice)
    raw = b"Subject: long\r\n\r\n" + b"x" * 1_000_000 + b"\r\n"
    wire.send(raw + b".\r\n")
    code = wire.reply()[0]
    stored = [without_trace(content) for content in server.contents(alice)]
    assert (code == 250 and stored == [raw]) or (500 <= code < 600 and stored == [])


def test_too_many_errors_end_the_session(wire):
    codes = []
    for _ in range(100):
        wire.send_as_far_as_taken("NONSENSE\r\n")
        try:
            codes.append(wire.reply()[0])
        except (Closed, OSError):
            break
        if codes[-1] == 421:
            break
    assert len(codes) < 100 and set(codes) <= {500, 421}


def test_no_32_megabytes_before_login(server, alice):
    """A stranger on the submission port: an answer comes, and memory does not grow."""
    before = server.memory()
    with server.wire("submission_clear") as wire:
        wire.smtp("EHLO client.test")
        wire.send("BDAT 33554432 LAST\r\n")
        wire.send_as_far_as_taken(b"x" * (32 << 20))
        assert wire.reply()[0] in (530, 503, 421)
    with server.wire("submission_clear") as wire:
        wire.smtp("EHLO client.test")
        wire.send_as_far_as_taken(b"AUTH PLAIN " + b"A" * (32 << 20) + b"\r\n")
        try:
            assert 400 <= wire.reply()[0] < 600
        except (Closed, OSError):
            pass
    assert server.memory() - before < 8 << 20


def test_a_message_over_the_limit_is_refused_and_not_kept_in_memory(own_server):
    server = own_server(sections='[limits]\nmessage_bytes = "1M"\n')
    alice = server.account("alice")
    before = server.memory()
    with server.wire("smtp") as wire:
        wire.smtp("EHLO client.test")
        envelope(wire, alice)
        wire.send_as_far_as_taken((b"x" * 998 + b"\r\n") * 30_000 + b".\r\n")
        assert wire.reply()[0] == 552
    assert server.memory() - before < 16 << 20
    assert server.contents(alice) == []


def test_too_many_recipients(own_server):
    server = own_server(sections="[limits]\nrecipients = 10\n")
    server.account("alice")
    with server.wire("smtp") as wire:
        wire.smtp("EHLO client.test")
        wire.smtp("MAIL FROM:<a@elsewhere.test>")
        codes = [wire.smtp(f"RCPT TO:<alice+{number}@example.test>") for number in range(12)]
    assert codes == [250] * 10 + [452] * 2


def test_hostile_headers_are_taken_and_quickly(server, alice):
    """100,000 fields; References of 100,000 ids; parts nested 1,000 deep."""
    many = message(extra=[f"X-{number}: value" for number in range(100_000)])
    ids = "\r\n ".join(f"<{number}@thread.test>" for number in range(100_000))
    references = message(extra=[f"References: {ids}"])
    deep = b"".join(
        f'Content-Type: multipart/mixed; boundary="{number}"\r\n\r\n--{number}\r\n'.encode() for number in range(1000)
    )
    nested = b"Subject: deep\r\nMIME-Version: 1.0\r\n" + deep + b"\r\nbottom\r\n"
    started = time.monotonic()
    for raw in (many, references, nested):
        server.deliver(alice, raw)
    client = server.imap_login(alice)
    client.select("INBOX")
    assert client.fetch("1:*", "(ENVELOPE BODYSTRUCTURE RFC822.SIZE)")[0] == "OK"
    assert client.search(None, "SUBJECT", "deep")[1] == [b"3"]
    assert client.search(None, 'HEADER X-99999 "value"')[1] == [b"1"]
    client.logout()
    assert time.monotonic() - started < 40
    assert [without_trace(raw) for raw in server.contents(alice)] == [many, references, nested]


def test_two_hundred_silent_connections_keep_nobody_waiting(server, alice):
    silent = []
    try:
        for name in ("smtp", "submissions", "imap", "pop3"):
            silent += [Wire(server.ports[name]) for _ in range(50)]
        started = time.monotonic()
        subject = unique()
        server.deliver(alice, message(subject))
        assert len(server.contents(alice)) == 1
        assert time.monotonic() - started < 10
    finally:
        for wire in silent:
            wire.close()


def test_lmtp_answers_each_recipient(server, alice):
    with Wire(server.lmtp_socket) as wire:
        wire.line()
        assert wire.smtp("EHLO client.test") == 500
        assert wire.smtp("LHLO client.test") == 250
        assert wire.smtp("DATA") == 503
        wire.smtp("MAIL FROM:<a@elsewhere.test>")
        assert wire.smtp("RCPT TO:<nobody@example.test>") == 550
        assert wire.smtp("DATA") == 503, "RFC 2033 §4.2: no DATA without a recipient"
        bob = server.account()
        assert wire.smtp(f"RCPT TO:<{alice.address}>") == 250
        assert wire.smtp(f"RCPT TO:<{bob.address}>") == 250
        assert wire.smtp("DATA") == 354
        wire.send(message() + b".\r\n")
        assert [wire.reply()[0], wire.reply()[0]] == [250, 250]
        assert wire.smtp("QUIT") == 221

"""What bad input gets on POP3."""

import pytest
from harness.mail import message
from harness.wire import Closed


def test_injection_before_stls(server):
    with server.wire("pop3") as wire:
        wire.send(b"STLS\r\nNOOP\r\nCAP")
        assert wire.line().startswith("+OK")
        wire.start_tls()
        wire.send(b"A\r\nQUIT\r\n")
        lines = wire.rest().decode().split("\r\n")
        assert lines[0].startswith("-ERR"), f"the half command was completed: {lines}"
        assert lines[1].startswith("+OK") and lines[2] == ""


def test_stls_with_argument_twice_and_after_login(server, alice):
    with server.wire("pop3") as wire:
        assert wire.pop3("STLS now").startswith("-ERR")
        assert wire.pop3("STLS").startswith("+OK")
        wire.start_tls()
        assert wire.pop3("STLS").startswith("-ERR")
        wire.pop3(f"USER {alice.address}")
        assert wire.pop3(f"PASS {alice.password}").startswith("+OK")
        assert wire.pop3("STLS").startswith("-ERR")
        assert wire.pop3(f"USER {alice.address}").startswith("-ERR")


@pytest.mark.parametrize("octets", [b"USER a\0b\r\n", b"USER \xff\xfe\r\n", b"\0\r\n", b"\xff\r\n", b"NOOP\n\r\n", b"NO\rOP\r\n"])
def test_odd_octets(server, octets):
    with server.wire("pop3_clear") as wire:
        wire.send(octets)
        assert wire.line().startswith(("-ERR", "+OK"))
        wire.send(b"QUIT\r\n")
        assert b"+OK" in wire.rest()


def test_endless_line(server):
    before = server.memory()
    for start in (b"USER ", b"", b"AUTH PLAIN "):
        with server.wire("pop3_clear") as wire:
            wire.send_as_far_as_taken(start + b"x" * (32 << 20))
            try:
                assert wire.line().startswith("-ERR")
            except (Closed, OSError):
                pass
    assert server.memory() - before < 8 << 20


def test_a_client_that_does_not_read_costs_little(server, alice):
    """Many RETR of a large message, nothing read: back-pressure, not buffers."""
    server.deliver(alice, message(body=b"x" * 70 + b"\r\n" + b"line\r\n" * 300_000))
    before = server.memory()
    with server.wire("pop3_clear") as wire:
        wire.pop3(f"USER {alice.address}")
        wire.pop3(f"PASS {alice.password}")
        wire.send("RETR 1\r\n" * 200)
        assert wire.line().startswith("+OK")
        assert server.memory() - before < 64 << 20

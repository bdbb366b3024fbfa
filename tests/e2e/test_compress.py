"""COMPRESS=DEFLATE (RFC 4978): real zlib against it, its memory, its bombs."""

import imaplib
import os
import zlib

from harness.mail import message
from harness.tls import careless
from harness.waiting import until


class Deflated:
    """A socket whose octets are compressed."""

    def __init__(self, sock, level=9):
        self.sock = sock
        self.out = zlib.compressobj(level, zlib.DEFLATED, -15)
        self.back = zlib.decompressobj(-15)
        self.sent = self.received = 0

    def sendall(self, octets):
        wire = self.out.compress(octets) + self.out.flush(zlib.Z_SYNC_FLUSH)
        self.sent += len(wire)
        self.sock.sendall(wire)

    def recv(self, _):
        while True:
            wire = self.sock.recv(1 << 16)
            self.received += len(wire)
            plain = self.back.decompress(wire)
            if plain or not wire:
                return plain

    def close(self):
        self.sock.close()


def compress(wire):
    """Turn compression on."""
    assert wire.imap("COMPRESS DEFLATE", tag="z")[-1] == "z OK DEFLATE active"
    assert not wire.kept
    wire.socket = Deflated(wire.socket)
    return wire


def log_in(server, account, listener="imap_clear"):
    """A session in INBOX."""
    wire = server.wire(listener)
    assert wire.imap(f"LOGIN {account.address} {account.password}")[-1].startswith("a OK")
    assert "COMPRESS=DEFLATE" in wire.imap("CAPABILITY")[0]
    assert wire.imap("SELECT INBOX")[-1].startswith("a OK")
    return wire


def test_everything_travels_compressed_in_clear_and_inside_tls(server, alice):
    text = "".join(f"line {n} of a letter that says much the same again\r\n" for n in range(20_000))
    noise = os.urandom(200_000).hex()
    lines = "\r\n".join(noise[at : at + 70] for at in range(0, len(noise), 70))
    for listener in ("imap_clear", "imaps"):
        with log_in(server, alice, listener) as wire:
            compress(wire)
            for number in range(3):
                raw = message(f"n {number}", body=[text, lines, "short\r\n"][number])
                assert wire.imap(b"APPEND INBOX {%d+}\r\n%s" % (len(raw), raw))[-1].startswith("a OK")
            before = wire.socket.received
            assert len(wire.imap("FETCH 1:* (FLAGS UID ENVELOPE BODYSTRUCTURE)")) == 4
            for number in range(1, 4):
                assert [text, lines, "short\r\n"][number - 1] in wire.imap(f"FETCH {number} BODY[]")[0]
            plain = len(text) + len(noise)
            assert wire.socket.received - before < plain * 0.6
            assert wire.imap("STORE 1:* +FLAGS (\\Deleted)")[-1].startswith("a OK")
            assert wire.imap("EXPUNGE")[-1].startswith("a OK")
            assert wire.imap("LOGOUT")[-1].startswith("a OK")


def test_imaplib_over_zlib(server, alice):
    client = imaplib.IMAP4("127.0.0.1", server.imap, timeout=120)
    client.starttls(careless())
    client.login(alice.address, alice.password)
    imaplib.Commands["COMPRESS"] = ("AUTH",)
    assert client._simple_command("COMPRESS", "DEFLATE")[0] == "OK"
    client.sock = Deflated(client.sock)
    client._file = client.file = _File(client.sock)
    for number in range(50):
        assert client.append("INBOX", None, None, message(f"number {number}"))[0] == "OK"
    assert client.select("INBOX") == ("OK", [b"50"])
    kind, found = client.search(None, "SUBJECT", "number", "NOT", "SUBJECT", "1")
    assert kind == "OK" and len(found[0].split()) == 50 - 14
    assert client.fetch("1:*", "(BODY.PEEK[])")[0] == "OK"
    client.sock.sendall(b"x LOGOUT\r\n")


class _File:
    """What imaplib reads from."""

    def __init__(self, sock):
        self.sock, self.kept = sock, b""

    def readline(self, _=None):
        while b"\n" not in self.kept:
            self.kept += self.sock.recv(1)
        line, self.kept = self.kept.split(b"\n", 1)
        return line + b"\n"

    def read(self, count):
        while len(self.kept) < count:
            self.kept += self.sock.recv(1)
        octets, self.kept = self.kept[:count], self.kept[count:]
        return octets

    def close(self):
        pass


def test_idle_is_told_at_once(server, alice):
    with log_in(server, alice) as wire:
        compress(wire)
        wire.send("i IDLE\r\n")
        assert wire.line().startswith("+")
        server.deliver(alice, message())
        assert "1 EXISTS" in wire.line()


def test_unauthenticate_ends_it(server, alice):
    with log_in(server, alice) as wire:
        compress(wire)
        assert wire.imap("UNAUTHENTICATE")[-1].startswith("a OK")
        assert wire.socket.back.eof and wire.socket.back.unused_data == b""
        wire.socket = wire.socket.sock
        assert wire.imap(f"LOGIN {alice.address} {alice.password}")[-1].startswith("a OK")
        compress(wire)
        assert wire.imap("NOOP")[-1].startswith("a OK")


def test_what_is_no_deflate_ends_the_session_with_a_word(server, alice):
    with log_in(server, alice) as wire:
        compress(wire)
        wire.socket.sock.sendall(b"\xff" * 10)  # no type of block is like that
        assert b"* BYE What came is not DEFLATE" in wire.rest()


def test_a_bomb_is_refused_in_bounded_memory(own_server):
    server = own_server()
    alice = server.account()
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = b"".join([bomb.compress(b"x" * (1 << 20)) for _ in range(512)]) + bomb.flush(zlib.Z_SYNC_FLUSH)
    assert len(zeros) < 600_000
    before = server.memory()
    wires = []
    for _ in range(8):
        wire = log_in(server, alice)
        compress(wire)
        wire.socket.sock.sendall(zeros)
        wires.append(wire)
    for wire in wires:
        heard = wire.rest()
        assert b"* BYE" in heard, heard
        wire.close()
    assert server.memory("VmHWM") - before < 64 << 20


def test_an_idle_compressed_session_keeps_little(own_server):
    server = own_server()
    alice = server.account()
    for number in range(20):
        server.deliver(alice, message(f"number {number}", body="some text\r\n" * 200))

    def hundred(compressed):
        before = server.memory()
        wires = []
        for _ in range(100):
            wire = log_in(server, alice)
            if compressed:
                compress(wire)
            assert wire.imap("FETCH 1:* (FLAGS ENVELOPE BODY.PEEK[])")[-1].startswith("a OK")
            wires.append(wire)
        until(lambda: wires[-1].imap("NOOP"), "an answer")
        grown = server.memory() - before
        for wire in wires:
            wire.close()
        return grown / 100

    hundred(False)
    hundred(True)
    plain, compressed = hundred(False), hundred(True)
    print(f"bytes a session: {plain:.0f} plain, {compressed:.0f} compressed")
    assert compressed - plain < 48 * 1024

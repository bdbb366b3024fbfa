"""Hostile IMAP clients: each gets BAD, NO or BYE in bounded time, and the server's memory stays where it was."""

import time

import pytest
from harness.mail import message
from harness.waiting import until
from harness.wire import Closed

MIB = 1 << 20
# Of a debug build on a busy machine; a release build answers each of these within a tenth of a second.
SECONDS = 30


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A server of its own, whose memory is looked at."""
    from harness.server import Server

    server = Server(tmp_path_factory.mktemp("hostile"))
    server.cli("domain", "add", server.domain)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def victim(hostile):
    """An account with one message."""
    account = hostile.account()
    hostile.deliver(account, message("only"))
    return account


@pytest.fixture
def wire(hostile, victim):
    """A logged-in session with its inbox selected."""
    with hostile.wire("imap_clear", timeout=120) as wire:
        assert " OK " in wire.imap(f"LOGIN {victim.address} {victim.password}")[-1]
        assert " OK " in wire.imap("SELECT INBOX")[-1]
        yield wire


class Bounded:
    """Memory that may grow by so much, and time."""

    def __init__(self, server, mib=32, seconds=SECONDS):
        self.server, self.mib, self.seconds = server, mib, seconds

    def __enter__(self):
        (self.begun, self.before) = (time.monotonic(), self.server.memory())
        with open(f"/proc/{self.server.process.pid}/clear_refs", "w") as file:
            file.write("5")  # the high-water mark begins anew

    def __exit__(self, kind, *_):
        if kind is None:
            took, grown = time.monotonic() - self.begun, self.server.memory("VmHWM") - self.before
            assert took < self.seconds, f"{took:.1f} s"
            assert grown < self.mib * MIB, f"{grown / MIB:.1f} MiB"


SAME = "0123456789" * 100

COMMANDS = {
    "many stars": 'LIST "" ' + "*" * 60_000,
    "many stars and letters": 'LIST "" ' + "*a%b" * 10_000,
    "many patterns": 'LIST "" (' + " ".join(["*%*%*%*"] * 5000) + ")",
    "many parentheses": "SEARCH " + "(" * 30_000 + "ALL" + ")" * 30_000,
    "many NOTs": "SEARCH " + "NOT " * 15_000 + "ALL",
    "many ORs": "SEARCH " + "OR ALL " * 9_000 + "ALL",
    "many keys": "SEARCH " + "SEEN " * 12_000 + "ALL",
    "half a tree": "SEARCH " + "OR (" * 15_000,
    "many ranges": "FETCH " + ",".join(f"{n}:{n + 1}" for n in range(1, 14_000, 2)) + " FLAGS",
    "many backward ranges": "UID FETCH " + ",".join("4294967295:1" for _ in range(4_000)) + " FLAGS",
    "many stars in a set": "UID STORE " + ",".join(["*:1"] * 15_000) + " FLAGS ()",
    "deep section": "FETCH 1 BODY[" + ".".join(["1"] * 30_000) + "]",
    "large section": "FETCH 1 BODY[4294967295.4294967295.TEXT]",
    "many header fields": "FETCH 1 BODY[HEADER.FIELDS (" + " ".join(f"x{n}" for n in range(9_000)) + ")]",
    "many items": "FETCH 1 (" + " ".join(["BODY[]"] * 9_000) + ")",
    "far partial": "FETCH 1 BODY[]<4294967295.4294967295>",
    "many flags": "STORE 1 FLAGS (" + " ".join(f"k{n}" for n in range(9_000)) + ")",
    "long flag": "STORE 1 FLAGS (" + "k" * 60_000 + ")",
    "long name": "CREATE " + "n" * 60_000,
    "deep name": "CREATE " + "/".join("n" * 30_000),
    "many status items": "STATUS INBOX (" + " ".join(["MESSAGES"] * 6_000) + ")",
    "many ID fields": "ID (" + " ".join(f'"k{n}" "{SAME[:20]}"' for n in range(2_000)) + ")",
    "many capabilities": "ENABLE " + " ".join(["X"] * 30_000),
    "many languages": "LANGUAGE " + " ".join(["xx"] * 20_000),
    "large literal": "SELECT {4294967295+}",
    "absurd literal": "SELECT {99999999999999999999999+}",
    "long line": "NOOP " + "x" * 200_000,
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_bomb_in_one_command(hostile, wire, name):
    with Bounded(hostile):
        wire.send_as_far_as_taken("h " + COMMANDS[name] + "\r\n")
        try:
            line = wire.until_tag("h")[-1]
        except Closed as closed:
            assert "BYE" in str(closed) or "BAD" in str(closed), closed
            return
        assert line.split()[1] in ("BAD", "NO", "OK"), line
        if "literal" in name:
            return
        assert wire.imap("NOOP", tag="n")[-1].startswith("n OK")


def test_many_wide_patterns_against_many_names(hostile, wire):
    for number in range(100):
        wire.imap(f"CREATE {'a' * 40}{number}{'/b' * 20}")
    with Bounded(hostile):
        wire.send('h LIST "" ' + "%a*" * 20_000 + "b\r\n")
        assert wire.until_tag("h")[-1].split()[1] in ("NO", "BAD", "OK")


def test_literals_before_the_log_in(hostile):
    wires = []
    with Bounded(hostile):
        for _ in range(50):
            wire = hostile.wire("imap_clear")
            wire.send_as_far_as_taken(b"a LOGIN {16000+}\r\n" + b"x" * 16_000 + b" {16000+}\r\n" + b"y" * 16_000)
            wires.append(wire)
        for wire in wires:
            assert wire.line().split()[1] in ("BAD", "NO", "BYE")
    for wire in wires:
        wire.close()


def test_mime_a_thousand_deep(hostile, victim, wire):
    nested = b"Content-Type: text/plain\r\n\r\nthe core\r\n"
    for depth in range(1000):
        edge = b"b%d" % depth
        nested = b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n%s\r\n--%s--\r\n" % (
            edge, edge, nested, edge,
        )  # fmt: skip
    boxed = b"Subject: the core\r\n\r\ntext\r\n"
    for _ in range(1000):
        boxed = b"Content-Type: message/rfc822\r\n\r\n" + boxed
    wide = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 100_000 + b"--b--\r\n"
    for raw in (nested, boxed, wide):
        with Bounded(hostile, mib=64, seconds=60):
            assert wire.imap(b"APPEND INBOX {%d+}\r\n%s" % (len(raw), raw))[-1].split()[1] in ("OK", "NO")
            count = next(line.split()[1] for line in wire.imap("STATUS INBOX (MESSAGES)") if "STATUS" in line) and "*"
            for items in ("BODYSTRUCTURE", "ENVELOPE BODY", "BODY[1.1.1.1.1.1.MIME]", "BODY[" + "1." * 99 + "1]", "PREVIEW"):
                assert wire.imap(f"FETCH {count} ({items})")[-1].split()[1] in ("OK", "NO"), items
            assert wire.imap("SEARCH BODY nowhere")[-1].split()[1] in ("OK", "NO")


def test_idle_without_done(hostile, victim, wire):
    with Bounded(hostile):
        wire.send("i IDLE\r\n")
        assert wire.line().startswith("+")
        wire.send("b NOOP\r\n" * 1000)
        lines = wire.until_tag("i")
        assert lines[-1].startswith("i BAD")
        wire.send("c NOOP\r\n")
        try:
            assert wire.until_tag("c")
        except Closed as closed:
            assert "BYE" in str(closed)


def test_a_flood_of_commands_whose_answers_nobody_reads(hostile, victim):
    """Back-pressure: what is not read is not made."""
    for command in (b"a NOOP\r\n", b"a FETCH 1 (BODY[] ENVELOPE BODYSTRUCTURE)\r\n", b'a LIST "" *\r\n', b"nonsense\r\n"):
        with hostile.wire("imap_clear") as wire, Bounded(hostile, seconds=90):
            wire.imap(f"LOGIN {victim.address} {victim.password}")
            wire.imap("SELECT INBOX")
            # From here on nothing is read, and so nothing goes out any more some time.
            wire.socket.settimeout(5)
            sent, block = 0, command * (64 * 1024 // len(command))
            while sent < 64 * MIB and wire.send_as_far_as_taken(block):
                sent += len(block)


def test_a_client_that_never_reads_what_it_fetches(hostile):
    """A mailbox of many messages is streamed, not gathered; the other sessions go on meanwhile."""
    account = hostile.account()
    folder = hostile.folder / "many.mbox"
    with folder.open("w") as mbox:
        for number in range(20_000):
            mbox.write(f"From a@b.test Mon Jan  1 00:00:00 2024\nSubject: number {number}\nFrom: a@b.test\n\n{'x' * 200}\n\n")
    hostile.cli("import", "mbox", folder, "--account", account.address, "--mailbox", "INBOX", timeout=300)
    with Bounded(hostile, mib=48, seconds=120):
        wires = []
        for _ in range(4):
            wire = hostile.wire("imap_clear", timeout=120)
            wire.imap(f"LOGIN {account.address} {account.password}")
            assert "* 20000 EXISTS" in wire.imap("SELECT INBOX")
            wire.send("h FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[])\r\n" * 3)
            wires.append(wire)
        with hostile.wire("imap_clear", timeout=120) as other:
            other.imap(f"LOGIN {account.address} {account.password}")
            assert " OK " in other.imap("SELECT INBOX")[-1]
            until(lambda: len(other.imap("FETCH 20000 (FLAGS)")) == 2, "an answer beside them")
    for wire in wires:
        wire.close()

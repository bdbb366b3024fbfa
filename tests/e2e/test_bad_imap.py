"""What bad input gets on IMAP: injection, literals, names, bombs."""

import time

import pytest
from harness.mail import message, to_utf7
from harness.wire import Closed


@pytest.fixture
def wire(server, alice):
    """A logged-in session with one message selected."""
    server.deliver(alice, message("only"))
    with server.wire("imap_clear") as wire:
        assert wire.imap(f"LOGIN {alice.address} {alice.password}")[-1].startswith("a OK")
        assert wire.imap("SELECT INBOX")[-1].startswith("a OK")
        yield wire


def verdict(lines):
    """OK, NO or BAD."""
    return lines[-1].split()[1]


def test_injection_before_starttls(server):
    with server.wire("imap") as wire:
        wire.send(b"a STARTTLS\r\nb NOOP\r\nc CAPAB")
        assert wire.line().startswith("a OK")
        wire.start_tls()
        wire.send(b"ILITY\r\nd NOOP\r\n")
        lines = wire.until_tag("d")
        assert not any(line.startswith(("b ", "c ", "* CAPABILITY")) for line in lines), lines
        assert lines[-1].startswith("d OK")


def test_starttls_with_argument_twice_and_after_login(server, alice):
    with server.wire("imap") as wire:
        assert verdict(wire.imap("STARTTLS now")) == "BAD"
        assert verdict(wire.imap("STARTTLS")) == "OK"
        wire.start_tls()
        assert verdict(wire.imap("STARTTLS")) == "BAD"
        assert verdict(wire.imap(f"LOGIN {alice.address} {alice.password}")) == "OK"
        assert verdict(wire.imap("STARTTLS")) == "BAD"
        assert verdict(wire.imap(f"LOGIN {alice.address} {alice.password}")) == "BAD"


@pytest.mark.parametrize(
    "command",
    ["", "NONSENSE", "LOGIN", "SELECT", "FETCH", "FETCH x FLAGS", "FETCH 1 NOTHING", "FETCH 0 FLAGS", "FETCH 1 (FLAGS",
     "STORE 1 FLAGS", "SEARCH", "SEARCH NONSENSE", "SEARCH BEFORE 31-Foo-2020", "UID",
     "UID NONSENSE 1", "LIST", "STATUS INBOX", "STATUS INBOX (NONSENSE)", "APPEND INBOX", "COPY 1", "CREATE",
     'SELECT "INBOX', "FETCH 1 BODY[NONSENSE]", "FETCH 1 BODY[HEADER.FIELDS ()]", "FETCH 4294967296 FLAGS",
     "FETCH 1 BODY[]<1.0>", "ENABLE", "IDLE now", "NOOP now", "AUTHENTICATE PLAIN", "FETCH 1 FLAGS FLAGS"],
)  # fmt: skip
def test_malformed_commands(wire, command):
    assert verdict(wire.imap(command)) == "BAD", command
    assert verdict(wire.imap("NOOP")) == "OK"


def test_lines_without_a_tag(wire):
    for octets in (b"\r\n", b" NOOP\r\n", b"*\r\n", b"\0\r\n", b"\xff\xff\r\n"):
        wire.send(octets)
        assert " BAD" in wire.line()
    wire.send(b"z NOOP\r\n")
    assert wire.until_tag("z")[-1].startswith("z OK")


@pytest.mark.parametrize("name", [b"a\0b", b"a\rb", b"a\nb", b"a\r\nb", b"../../etc/x", b"a/../b", b"..", b"/a", b"a//b", b"", b"x" * 2000, b"\xff\xfe", b"a\x7fb", b"a\x01b"])
def test_names_of_mailboxes(server, alice, wire, name):
    """Refused with NO or BAD by every command that takes one, as literal and (where it can stand there) quoted."""
    before = set(server.mailboxes(alice))
    literal = b"{%d+}\r\n%s" % (len(name), name)
    for command in (b"CREATE %s", b"RENAME INBOX %s", b"SUBSCRIBE %s", b"SELECT %s", b"COPY 1 %s"):
        assert verdict(wire.imap(command % literal)) in ("NO", "BAD"), (command, name)
    if not set(name) & set(b'\0\r\n"\\'):
        assert verdict(wire.imap(b'CREATE "%s"' % name)) in ("NO", "BAD"), name
    assert set(server.mailboxes(alice)) == before
    assert verdict(wire.imap("NOOP")) == "OK"


def test_nul_in_a_literal_of_append(wire):
    wire.send(b"a APPEND INBOX {14+}\r\nSubject: \0\r\n\r\n\r\n")
    assert verdict(wire.until_tag("a")) in ("NO", "BAD", "OK")
    assert verdict(wire.imap("NOOP")) == "OK"


@pytest.mark.parametrize("listener", ["imap_clear", "imaps"])
def test_literals_before_login_are_refused_before_they_are_read(server, listener):
    before = server.memory()
    for command in (b"LOGIN {33554432}\r\n", b"LOGIN {33554432+}\r\n", b"NONSENSE {33554432}\r\n", b"ID (\"a\" {33554432}\r\n"):
        with server.wire(listener) as wire:
            wire.send(b"a " + command)
            line = wire.line()
            assert line.startswith(("a BAD", "a NO", "* BYE", "* BAD")), line
    with server.wire(listener) as wire:
        wire.send_as_far_as_taken(b"a LOGIN {33554432+}\r\n" + b"x" * (32 << 20))
        try:
            assert wire.line().startswith(("a BAD", "a NO", "* BYE", "* BAD"))
        except (Closed, OSError):
            pass
    assert server.memory() - before < 8 << 20


def test_huge_literals_after_login(wire):
    for command in ("APPEND INBOX {99999999999999999999}", "APPEND INBOX {4294967295}", "CREATE {10000000}", "SEARCH TEXT {100000000}"):
        wire.send(f"a {command}\r\n")
        line = wire.line()
        assert line.startswith(("a BAD", "a NO")), (command, line)
    assert verdict(wire.imap("NOOP")) == "OK"


@pytest.mark.parametrize("logged_in", [False, True])
def test_endless_line(server, alice, logged_in):
    before = server.memory()
    with server.wire("imap_clear") as wire:
        if logged_in:
            wire.imap(f"LOGIN {alice.address} {alice.password}")
        wire.send_as_far_as_taken(b"a NOOP " + b"x" * (32 << 20))
        try:
            assert wire.line().startswith(("a BAD", "* BYE", "* BAD"))
        except (Closed, OSError):
            pass
    assert server.memory() - before < 8 << 20


def test_a_hundred_thousand_parts(server, alice):
    """A message of 1 MB that cost others gigabytes at BODYSTRUCTURE."""
    raw = b'Subject: bomb\r\nContent-Type: multipart/mixed; boundary="a"\r\n\r\n' + b"--a\r\n\r\n\r\n" * 100_000 + b"--a--\r\n"
    server.deliver(alice, raw)
    before = server.memory()
    client = server.imap_login(alice)
    client.select("INBOX")
    started = time.monotonic()
    kind, data = client.fetch("1", "(BODYSTRUCTURE ENVELOPE)")
    assert kind == "OK"
    assert client.fetch("1", "(BODY[99999])")[0] in ("OK", "NO")
    assert client.search(None, "BODY", "none")[1] == [b""]
    assert time.monotonic() - started < 100
    assert server.memory("VmHWM") - before < 200 << 20
    assert len(b"".join(part if isinstance(part, bytes) else part[1] for part in data)) < 16 << 20
    client.logout()


@pytest.mark.parametrize(
    "keys",
    [b"(" * 5000 + b"ALL" + b")" * 5000, b"NOT " * 5000 + b"ALL", b"OR " * 5000 + b"ALL " * 5001, b"ALL " * 50_000],
    # Short names: pytest puts them into the environment, which has a limit.
    ids=["parentheses", "not", "or", "and"],
)
def test_search_bombs(wire, keys):
    started = time.monotonic()
    assert verdict(wire.imap(b"SEARCH " + keys)) in ("OK", "NO", "BAD")
    assert time.monotonic() - started < 10
    assert verdict(wire.imap("NOOP")) == "OK"


def test_sets_of_everything(wire):
    started = time.monotonic()
    many = b",".join(b"1:4294967295" for _ in range(500))
    for command in (b"FETCH 1:4294967295 FLAGS", b"UID FETCH 1:4294967295 FLAGS", b"UID FETCH " + many + b" FLAGS"):
        assert verdict(wire.imap(command)) in ("OK", "BAD", "NO")
    assert time.monotonic() - started < 10


def test_list_bombs(server, alice, wire):
    for number in range(20):
        wire.imap(f"CREATE {'a' * 60}{number}")
    started = time.monotonic()
    assert verdict(wire.imap('LIST "" "' + "*a" * 200 + '"')) in ("OK", "BAD", "NO")
    assert time.monotonic() - started < 10


def test_deep_mailboxes_are_bounded(wire):
    assert verdict(wire.imap("CREATE " + "/".join("d" for _ in range(500)))) in ("NO", "BAD")


def test_idle_takes_nothing_but_done(wire):
    wire.send("a IDLE\r\n")
    assert wire.line().startswith("+")
    wire.send("NOOP\r\n")
    assert wire.line().startswith(("a BAD", "* BAD"))


def test_commands_in_the_wrong_state(server):
    with server.wire("imap_clear") as wire:
        for command in ("SELECT INBOX", "FETCH 1 FLAGS", 'LIST "" *', "IDLE", "APPEND INBOX {1}", "UNSELECT", "CLOSE"):
            assert verdict(wire.imap(command)) in ("BAD", "NO"), command
            assert verdict(wire.imap("NOOP")) == "OK"


def test_reading_beyond_and_partial(server, alice, wire):
    lines = wire.imap("FETCH 1 (BODY.PEEK[]<100000.10>)")
    assert verdict(lines) == "OK"
    assert verdict(wire.imap("FETCH 1 BODY.PEEK[]<4294967295.4294967295>")) in ("OK", "BAD")
    assert verdict(wire.imap("FETCH 1 BODY.PEEK[1.2.3.4.5]")) in ("OK", "NO", "BAD")
    assert verdict(wire.imap("FETCH 99 FLAGS")) in ("OK", "NO", "BAD")
    name = to_utf7("Ж" * 300)
    assert verdict(wire.imap(f'CREATE "{name}"')) in ("OK", "NO", "BAD")
    assert verdict(wire.imap("NOOP")) == "OK"

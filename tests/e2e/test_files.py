"""Import and export of Maildir and mbox: complete, resumable, never doubled."""

import os
import re
import signal
import subprocess

import pytest
from harness.mail import digest, message, to_utf7
from harness.server import BINARY
from harness.waiting import until


def local(raw):
    """As files hold it: LF."""
    return raw.replace(b"\r\n", b"\n")


@pytest.fixture
def maildir(tmp_path):
    """A Maildir++ with 300 messages in three folders, and what they are."""
    top, raws = tmp_path / "Maildir", {}
    for folder, name, count in (("", "INBOX", 200), (".Work.Old", "Work/Old", 60), ("." + to_utf7("Счета"), "Счета", 40)):
        for part in ("cur", "new", "tmp"):
            (top / folder / part).mkdir(parents=True)
        for number in range(count):
            raw = message(f"{name} {number}", body=f"Письмо {number}\r\n\r\nFrom here\r\n>From there\r\n" * (number % 7 + 1))
            flags = ["", "S", "FS", "RS", "T", "D"][number % 6]
            part, suffix = ("new", "") if number % 5 == 0 else ("cur", f":2,{flags}")
            (top / folder / part / f"{1600000000 + number}.M{number}.host{suffix}").write_bytes(local(raw))
            raws.setdefault(name, []).append(digest(raw))
    return top, {name: sorted(digests) for name, digests in raws.items()}


def stored(server, account, names):
    """Fingerprints of what the server has."""
    return {name: sorted(digest(raw) for raw in server.contents(account, to_utf7(name))) for name in names}


@pytest.mark.parametrize("running", [True, False])
def test_maildir_in_and_out(own_server, maildir, tmp_path, running):
    top, raws = maildir
    server = own_server(start=running)
    alice, bob = server.account("alice"), server.account("bob")
    done = server.cli("import", "maildir", top, "--account", alice.address)
    assert b"300 messages are new" in done.stderr
    again = server.cli("import", "maildir", top, "--account", alice.address)
    assert b"0 messages are new, 300" in again.stderr
    out = tmp_path / "out"
    server.cli("export", "maildir", out, "--account", alice.address)
    server.cli("export", "maildir", out, "--account", alice.address)
    server.cli("import", "maildir", out, "--account", bob.address)
    if not running:
        server.start()
    assert stored(server, alice, raws) == raws
    assert stored(server, bob, raws) == raws
    flags = []
    for account in (alice, bob):
        client = server.imap_login(account)
        client.select("INBOX", readonly=True)
        flags.append([len(client.search(None, key)[1][0].split()) for key in ("SEEN", "FLAGGED", "ANSWERED", "DELETED", "DRAFT")])
        client.logout()
    assert flags[0] == flags[1] and all(flags[0]), flags


def test_mbox_in_and_out(own_server, tmp_path):
    server = own_server()
    alice, bob = server.account("alice"), server.account("bob")
    raws = [message(f"number {number}", body=f"Nr {number}\r\n\r\nFrom the sea\r\n>From quoted\r\n") for number in range(250)]
    text = b"".join(
        b"From a@b.test Sat Nov 21 12:00:00 2026\n" + re.sub(rb"(?m)^(>*From )", rb">\1", local(raw)) + b"\n" for raw in raws
    )
    (tmp_path / "box").write_bytes(text)
    words = ["import", "mbox", tmp_path / "box", "--account", alice.address, "--mailbox", "Old/Mail"]
    assert b"250 messages are new" in server.cli(*words).stderr
    assert b"0 messages are new, 250" in server.cli(*words).stderr
    expected = sorted(digest(raw) for raw in raws)
    assert stored(server, alice, ["Old/Mail"]) == {"Old/Mail": expected}
    out = tmp_path / "out"
    server.cli("export", "mbox", out, "--account", alice.address, "--mailbox", "Old/Mail")
    [file] = out.iterdir()
    server.cli("import", "mbox", file, "--account", bob.address)
    assert stored(server, bob, ["INBOX"]) == {"INBOX": expected}


@pytest.mark.parametrize("victim", ["command", "server", "command alone"])
def test_an_interrupted_import_never_doubles(own_server, maildir, victim):
    top, raws = maildir
    server = own_server(start=victim != "command alone")
    alice = server.account("alice")
    words = [BINARY, "--config", server.config, "import", "maildir", top, "--account", alice.address]
    for attempt in range(5):
        importing = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if victim == "command alone":
            # A few milliseconds more each time: wherever it is, that is where it is killed.
            try:
                importing.wait(0.02 + 0.02 * attempt)
            except subprocess.TimeoutExpired:
                pass
        else:
            goal = 50 * attempt + 1
            count = lambda: sum(row["messages"] for row in server.mailboxes(alice).values())  # noqa: E731
            until(lambda: importing.poll() is not None or count() >= goal, "some of it")
        if importing.poll() is not None:
            break
        if victim == "server":
            server.kill()
            importing.wait(300)
            server.start()
        else:
            os.kill(importing.pid, signal.SIGKILL)
            importing.wait()
    server.cli("import", "maildir", top, "--account", alice.address)
    if victim == "command alone":
        server.start()
    assert stored(server, alice, raws) == raws


def test_what_cannot_be_imported_is_told(own_server, tmp_path):
    server = own_server()
    alice = server.account("alice")
    for words in (["maildir", tmp_path / "none"], ["mbox", tmp_path / "none"]):
        assert b"none" in server.cli("import", *words, "--account", alice.address, expect=1).stderr
    (tmp_path / "box").write_bytes(b"From a@b.test Sat Nov 21 12:00:00 2026\n" + local(message()))
    assert server.cli("import", "mbox", tmp_path / "box", "--account", "nobody@example.test", expect=1).stderr
    few = server.account("few", "--quota-messages", "1")
    (tmp_path / "two").write_bytes((b"From a@b.test Sat Nov 21 12:00:00 2026\n" + local(message()) + b"\n") * 1 + b"From a@b.test Sat Nov 21 12:00:00 2026\n" + local(message("b")))
    assert b"quota" in server.cli("import", "mbox", tmp_path / "two", "--account", few.address, expect=1).stderr
    assert len(server.contents(few)) == 1

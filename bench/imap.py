"""IMAP at the size where lists hurt: a mailbox of a million messages, ten thousand changes at once, ten thousand idle
connections that hear of a new message."""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import time

from servers import PASSWORD, RELEASE, Troika, load, resident_kib

HUGE = int(os.environ.get("HUGE", "1000000"))
CHANGED = int(os.environ.get("CHANGED", "10000"))
IDLE = int(os.environ.get("IDLE", "10000"))


class Client:
    """A connection that sends one command at a time and keeps the time."""

    def __init__(self, port, user):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.file = self.socket.makefile("rb")
        self.file.readline()
        self.do(f'LOGIN "{user}" "{PASSWORD}"')

    def do(self, command):
        """Milliseconds to the tagged OK, and everything before it."""
        begun = time.perf_counter()
        self.socket.sendall(f"t {command}\r\n".encode())
        lines = []
        while True:
            line = self.file.readline()
            if line.startswith(b"t "):
                assert line.startswith(b"t OK"), (command[:80], line)
                return (time.perf_counter() - begun) * 1000, b"".join(lines) + line
            assert line, "the server hung up"
            lines.append(line)

    def close(self):
        self.do("LOGOUT")
        self.socket.close()


def number(pattern, text):
    return int(re.search(pattern, text).group(1))


def resync(side):
    """A client comes back after 900 messages got a flag and 100 went: SELECT with QRESYNC, best of five."""
    user = side.login(0)
    other = Client(side.imap, user)
    _, told = other.do("SELECT INBOX (CONDSTORE)")
    validity, modseq = number(rb"UIDVALIDITY (\d+)", told), number(rb"HIGHESTMODSEQ (\d+)", told)
    count = number(rb"\* (\d+) EXISTS", told)
    step = count // 1000
    flagged = ",".join(str(1 + step * n) for n in range(1000) if n % 10)
    gone = ",".join(str(1 + step * n) for n in range(1000) if not n % 10)
    other.do(f"UID STORE {flagged} +FLAGS.SILENT (\\Flagged)")
    other.do(f"UID STORE {gone} +FLAGS.SILENT (\\Deleted)")
    other.do(f"UID EXPUNGE {gone}")
    took = []
    for _ in range(5):
        client = Client(side.imap, user)
        client.do("ENABLE QRESYNC")
        ms, told = client.do(f"SELECT INBOX (QRESYNC ({validity} {modseq}))")
        assert told.count(b"FETCH") == 900 and b"VANISHED (EARLIER)" in told, told[-300:]
        took.append(ms)
        client.close()
    other.close()
    return min(took)


def changes(side):
    """One command over CHANGED messages each: STORE, COPY, MOVE."""
    client = Client(side.imap, side.login(0))
    with_archive = Client(side.imap, side.login(0))
    try:
        with_archive.do("CREATE Elsewhere")
    finally:
        with_archive.close()
    client.do("SELECT INBOX")
    rows = {"STORE": client.do(f"STORE 1:{CHANGED} +FLAGS.SILENT (\\Answered)")[0],
            "COPY": client.do(f"COPY 1:{CHANGED} Elsewhere")[0],
            "MOVE": client.do(f"MOVE 1:{CHANGED} Elsewhere")[0]}
    client.close()
    return rows


def huge(folder, maildir, servers, report, quiet):
    """SELECT, QRESYNC and mass changes in a mailbox of HUGE messages."""
    source = maildir(folder, HUGE, 600)
    sides = servers(folder, 1)
    rows = {}
    for name, side in sides.items():
        begun = time.monotonic()
        side.import_maildir(source, 0)
        rows[f"{name} import s"] = time.monotonic() - begun
    shutil.rmtree(source)
    quiet(folder)
    figures = {}
    for name, side in sides.items():
        side.stop()
        side.start()
        words = ("--address", f"127.0.0.1:{side.imap}", "--user", side.login(0), "--password", PASSWORD)
        figures[name] = {"first": load("imap", *words)["select_ms"][0]}
        figures[name]["warm"] = statistics.median(load("imap", *words, "--times", 9)["select_ms"])
        figures[name]["resync"] = resync(side)
        figures[name] |= changes(side)
        side.stop()
        side.start()
        # After changes, from what was saved of the view.
        figures[name]["first after changes"] = load("imap", *words)["select_ms"][0]
        rows |= {f"{name} {what} ms": value for what, value in figures[name].items()}
        rows[f"{name} resident KiB"] = float(resident_kib(side.pids()))
        side.stop()
    ours, theirs = figures["troika"], figures["postfix+dovecot"]
    rows["first SELECT ratio (goal >= 10)"] = theirs["first"] / ours["first"]
    report(f"a mailbox of {HUGE:,} messages, changes of {CHANGED:,}", rows)


def news(folder, report):
    """IDLE connections of 500 accounts; messages to these in turn, and then to one account that all are logged in to."""
    accounts = min(500, IDLE)
    side = Troika(folder / "troika", accounts)
    rows = {}
    for what, users, tls in (("500 accounts, plain", accounts, False), ("500 accounts, TLS", accounts, True),
                             ("one account, plain", 1, False)):
        before = resident_kib(side.pids())
        words = [RELEASE / "load", "idle", "--address", f"127.0.0.1:{side.imaps if tls else side.imap}", "--user",
                 "user{}@example.test", "--users", str(users), "--password", PASSWORD, "--connections", str(IDLE),
                 "--deliver", f"127.0.0.1:{side.smtp}", "--messages", "200" if users > 1 else "10"] + (["--tls"] if tls else [])
        holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = json.loads(holder.stdout.readline())
        rows[f"{what}: KiB a connection"] = (resident_kib(side.pids()) - before) / IDLE
        rows[f"{what}: seconds to log in all"] = ready["seconds"]
        heard = json.loads(holder.stdout.readline())
        for key in ("ack_ms_p50", "news_ms_p50", "news_ms_p99", "news_ms_max"):
            rows[f"{what}: {key}"] = heard[key]
        holder.communicate("\n")
        side.stop()
        side.start()
    side.stop()
    report(f"{IDLE:,} idle IMAP connections hear of a message (goal: p99 < 20 ms)", rows)

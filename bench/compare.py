"""Runs the same work against Troika and its peers, alternately, and prints ratios.

Absolute times drift on shared machines; ratios within one run do not. Each work is repeated ROUNDS times, sides in
turn, and the median counts.
"""

import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import imap
import relays
from servers import (DOMAIN, PASSWORD, PostfixDovecot, Troika, disk_bytes, load, processor_seconds, resident_kib, settle, until, RELEASE)

ROUNDS = int(os.environ.get("ROUNDS", "3"))
MESSAGES = int(os.environ.get("MESSAGES", "10000"))
BIG = int(os.environ.get("BIG", "200000"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "5000"))
# Xapian takes hours for 200,000 messages: XAPIAN=0 leaves it out.
XAPIAN = os.environ.get("XAPIAN", "1") == "1"
SIDES = (Troika, PostfixDovecot)


def report(title, rows):
    """Prints figures for people, and as JSON for scripts."""
    print(f"\n== {title}")
    for key, value in rows.items():
        print(f"  {key:44} {value:,.3f}" if isinstance(value, float) else f"  {key:44} {value}")
    print(json.dumps({"work": title, **rows}), file=sys.stderr)


def servers(folder, users):
    return {side.name: side(folder / side.name.replace("+", "-"), users) for side in SIDES}


def ingest(folder):
    """Durable delivery into mailboxes: mixed sizes, 32 connections, 16 users."""
    rates, processor, floors = {"troika": [], "postfix+dovecot": []}, {"troika": [], "postfix+dovecot": []}, []
    sides = servers(folder, 16)
    per_side = {"troika": MESSAGES, "postfix+dovecot": max(MESSAGES // 10, 500)}
    delivered, raw = dict.fromkeys(sides, 0), 0
    for turn in range(ROUNDS):
        floors.append(load("floor", "--dir", folder, "--messages", MESSAGES, "--writers", 32)["messages_per_second"])
        for name, side in sides.items():
            before = processor_seconds(side.pids())
            start = time.monotonic()
            count = per_side[name]
            sent = load("smtp", "--address", f"127.0.0.1:{side.smtp}", "--messages", count, "--users", 16, "--seed", turn + 1)
            # Making the messages is not the server's time.
            start = max(start, time.monotonic() - sent["seconds"])
            raw += sent["bytes"] if name == "troika" else 0
            delivered[name] += count
            until(lambda: sum(side.delivered(user) for user in range(16)) >= delivered[name], 300)
            rates[name].append(count / (time.monotonic() - start))
            processor[name].append((processor_seconds(side.pids()) - before) / count * 1000)
    running = sides["troika"].mail_bytes()
    sides["troika"].stop()
    sides["troika"].start()
    report("ingest, 32 connections, mixed sizes", {
        "troika messages/s": statistics.median(rates["troika"]),
        "postfix+dovecot messages/s (in mailboxes)": statistics.median(rates["postfix+dovecot"]),
        "ratio (goal >= 10)": statistics.median(rates["troika"]) / statistics.median(rates["postfix+dovecot"]),
        "raw floor messages/s": statistics.median(floors),
        "share of the floor (goal >= 0.5)": statistics.median(rates["troika"]) / statistics.median(floors),
        "troika processor ms a message": statistics.median(processor["troika"]),
        "peer processor ms a message": statistics.median(processor["postfix+dovecot"]),
        "processor ratio (goal <= 0.1)": statistics.median(processor["troika"]) / statistics.median(processor["postfix+dovecot"]),
        "raw bytes a message": raw / delivered["troika"],
        "troika bytes on disk a message, running": running / delivered["troika"],
        "troika bytes on disk a message, after a restart": sides["troika"].mail_bytes() / delivered["troika"],
        "troika index bytes a message": sides["troika"].index_bytes() / delivered["troika"],
        "peer bytes on disk a message": sides["postfix+dovecot"].mail_bytes() / delivered["postfix+dovecot"],
    })
    for side in sides.values():
        side.stop()


def maildir(folder, messages, size):
    target = folder / "maildir"
    load("files", "--maildir", target, "--messages", messages, "--size", size)
    return target


def download(folder):
    """POP3 and IMAP download of 20,000 messages."""
    source = maildir(folder, 20000, 0)
    sides = servers(folder, 1)
    for side in sides.values():
        side.import_maildir(source, 0)
        settle(side)
    shutil.rmtree(source)
    seconds = {(name, what): [] for name in sides for what in ("pop3", "imap")}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            user = ("--user", side.login(0), "--password", PASSWORD)
            pop3 = load("pop3", "--address", f"127.0.0.1:{side.pop3}", *user, "--ahead", 50)
            assert pop3["messages"] == 20000, pop3
            seconds[name, "pop3"].append(pop3["seconds"] + pop3["open_seconds"])
            imap = load("imap", "--address", f"127.0.0.1:{side.imap}", *user, "--command", "FETCH 1:* (UID FLAGS BODY.PEEK[])")
            assert imap["untagged"] == 20000, imap
            seconds[name, "imap"].append(imap["command_ms"][0] / 1000)
    median = {key: statistics.median(values) for key, values in seconds.items()}
    report("download of 20,000 messages", {
        "troika POP3 s": median["troika", "pop3"], "dovecot POP3 s": median["postfix+dovecot", "pop3"],
        "POP3 ratio (goal >= 2)": median["postfix+dovecot", "pop3"] / median["troika", "pop3"],
        "troika IMAP s": median["troika", "imap"], "dovecot IMAP s": median["postfix+dovecot", "imap"],
        "IMAP ratio (goal >= 2)": median["postfix+dovecot", "imap"] / median["troika", "imap"],
    })
    for side in sides.values():
        side.stop()


def select(folder):
    """SELECT of a large mailbox: first open and warm; FETCH FLAGS and ENVELOPE."""
    source = maildir(folder, BIG, 1500)
    sides = servers(folder, 1)
    figures = {}
    for name, side in sides.items():
        side.import_maildir(source, 0)
        settle(side)
        side.stop()
        side.start()
        user = ("--user", side.login(0), "--password", PASSWORD)
        address = ("--address", f"127.0.0.1:{side.imap}")
        first = load("imap", *address, *user)["select_ms"][0]
        warm = statistics.median(load("imap", *address, *user, "--times", 9)["select_ms"])
        flags = load("imap", *address, *user, "--command", "FETCH 1:* (FLAGS)", "--times", 3)["command_ms"]
        envelope = load("imap", *address, *user, "--command", "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
                        "--times", 2)["command_ms"]
        figures[name] = {"first": first, "warm": warm, "flags": min(flags), "envelope": min(envelope)}
    ours, theirs = figures["troika"], figures["postfix+dovecot"]
    report(f"SELECT of {BIG:,} messages", {
        "troika first SELECT ms": ours["first"], "dovecot first SELECT ms": theirs["first"],
        "first SELECT ratio (goal >= 5)": theirs["first"] / ours["first"],
        "troika warm SELECT ms (goal < 5)": ours["warm"], "dovecot warm SELECT ms": theirs["warm"],
        "troika FETCH FLAGS ms": ours["flags"], "dovecot FETCH FLAGS ms": theirs["flags"],
        "troika FETCH ENVELOPE ms": ours["envelope"], "dovecot FETCH ENVELOPE ms": theirs["envelope"],
    })
    for side in sides.values():
        side.stop()


def idle(folder):
    """Memory of idle IMAP connections."""
    side = Troika(folder / "troika", 1)
    rows = {"troika idle server KiB (goal <= 40960)": float(resident_kib(side.pids()))}
    for tls in (False, True):
        before = resident_kib(side.pids())
        words = [RELEASE / "load", "idle", "--address", f"127.0.0.1:{side.imaps if tls else side.imap}", "--user",
                 side.login(0), "--password", PASSWORD, "--connections", str(CONNECTIONS)] + (["--tls"] if tls else [])
        holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = holder.stdout.readline()
        assert "ready" in ready, ready
        each = (resident_kib(side.pids()) - before) / CONNECTIONS
        rows[f"KiB a connection, {'TLS (goal <= 32)' if tls else 'plain (goal <= 12)'}"] = each
        holder.communicate("\n")
        time.sleep(2)
        rows[f"server KiB after they left, {'TLS' if tls else 'plain'}"] = float(resident_kib(side.pids()))
        side.stop()
        side.start()
    side.stop()
    report(f"{CONNECTIONS} idle IMAP connections", rows)


def quiet(folder):
    """Preparing may go on beside other work, measuring not: waits till the file QUIET_FILE (if that is set) is there."""
    wanted = os.environ.get("QUIET_FILE")
    if wanted:
        print(f"{folder.name}: prepared; measuring begins when {wanted} is there", file=sys.stderr, flush=True)
        until(lambda: os.path.exists(wanted), 6 * 3600, 1)


RARE = "zanzibarium"
FREQUENT = "invoice"


def search(folder):
    """SEARCH BODY of a word that three messages have, and of one that most have; without and with a text index."""
    source = maildir(folder, BIG, 1500)
    for number in range(3):
        (source / "cur" / f"{1_795_262_400 + number}.rare{number}.load:2,S").write_text(
            f"From: a@load.test\nSubject: rare\n\nthe {RARE} is here\n")
    sides = servers(folder, 1)
    rows, best = {}, {}

    def ask(what, side, times):
        for word, query in ((w, f"UID SEARCH {key} {w}") for w, key in ((RARE, "BODY"), (FREQUENT, "BODY"), (RARE, "TEXT"))):
            found = load("imap", "--address", f"127.0.0.1:{side.imap}", "--user", side.login(0), "--password", PASSWORD,
                         "--command", query, "--times", times)
            name = f"{query.split()[2]} {'rare' if word == RARE else 'frequent'}"
            best[what, name] = min(found["command_ms"])
            rows[f"{what} {name} ms"] = best[what, name]
            rows[f"{what} {name} bytes answered"] = found["bytes"]

    if XAPIAN:
        sides["xapian"] = PostfixDovecot(folder / "xapian", 1)
    for name, side in sides.items():
        side.import_maildir(source, 0)
    shutil.rmtree(source)
    ours, theirs = sides["troika"], sides["postfix+dovecot"]
    before = disk_bytes(theirs.mail)
    rows["mail bytes (files)"] = before
    start = time.monotonic()
    status = ours.index_text(0)
    rows["troika indexing s"] = time.monotonic() - start
    rows["troika index bytes a message"] = status["bytes"] / (BIG + 3)
    rows["troika compressed mail bytes a message"] = json.loads(ours.command("--json", "store", "show"))["live_content_bytes"] / (BIG + 3)
    ours.stop()
    ours.start()
    # The first one reads every message into Dovecot's cache of headers.
    load("imap", "--address", f"127.0.0.1:{theirs.imap}", "--user", theirs.login(0), "--password", PASSWORD)
    if XAPIAN:
        start = time.monotonic()
        rows["xapian index bytes a message"] = sides["xapian"].index_text(0) / (BIG + 3)
        rows["xapian indexing s"] = time.monotonic() - start
    quiet(folder)
    ask("troika", ours, 7)
    ask("dovecot scan", theirs, 1)
    if XAPIAN:
        ask("xapian", sides["xapian"], 7)
    for word in ("BODY rare", "BODY frequent"):
        rows[f"{word}: ratio to a scan (goal >= 50)"] = best["dovecot scan", word] / best["troika", word]
        if XAPIAN:
            rows[f"{word}: ratio to xapian (goal >= 2)"] = best["xapian", word] / best["troika", word]
    report(f"SEARCH in {BIG:,} messages", rows)
    for side in sides.values():
        side.stop()


def huge(folder):
    """A mailbox of a million messages."""
    imap.huge(folder, maildir, servers, report, quiet)


def news(folder):
    """Ten thousand idle connections."""
    imap.news(folder, report)


def relay(folder):
    """Relaying to a sink: Troika, Postfix, Exim."""
    relays.relay(folder, report, ROUNDS, MESSAGES)


def dead(folder):
    """A large queue for hosts that do not answer."""
    relays.dead(folder, report, BIG)


WORKS = {"relay": relay, "dead": dead, "huge": huge, "news": news, "search": search, "ingest": ingest, "download": download, "select": select, "idle": idle}


def main():
    # Ended by a time-out, it still stops its servers and removes its folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in sys.argv[1:] or WORKS:
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"troika-bench-{name}-", dir=os.environ.get("BENCH_DIR", "/var/tmp")))
        os.chmod(folder, 0o755)
        try:
            WORKS[name](folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

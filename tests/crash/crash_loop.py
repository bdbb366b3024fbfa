#!/usr/bin/env python3
"""kill -9 under load, again and again, on one data folder.

After each restart every acknowledged message is there once and whole, nothing expunged is back, UIDs are the same, each
IMAP command that changes folders (APPEND, CATENATE, STORE, COPY, MOVE, EXPUNGE, REPLACE; also between two accounts) or what is
said of them (SETMETADATA, SETACL) happened as a whole or not at all, and `troika store check` finds nothing. Rounds: CRASH_ROUNDS (100); seed: CRASH_SEED (the clock's, printed).
"""

import os
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "e2e")]

from folders import FOLDERS, GIVEN, Folders, Message  # noqa: E402
from harness.server import Server  # noqa: E402
from ledger import Ledger, digest, id_of  # noqa: E402
from load import Expunger, ImapReader, Pop3Reader, Sender  # noqa: E402
from writer import Connection, ImapWriter  # noqa: E402

ACCOUNTS = 4
SENDERS = 6
# Small segments and little checkpointing work, so that rounds cross segment ends, checkpoints and compactions.
SEGMENT_BYTES = 4 << 20
SECTIONS = f'[storage]\nsegment_bytes = "{SEGMENT_BYTES}"\nindex_cache = "16M"\n'
LISTENERS = {
    "smtp": ("smtp", "none", False),
    "submission": ("submission", "none", True),
    "imap_clear": ("imap", "none", True),
    "pop3_clear": ("pop3", "none", True),
    "http": ("http", "none", False),
}


class CrashLoop:
    """The rounds."""

    def __init__(self, folder, seed):
        self.rng = random.Random(seed)
        self.seed = seed
        self.ledger = Ledger()
        self.server = Server(folder, sections=SECTIONS, listeners=LISTENERS)
        self.server.cli("domain", "add", self.server.domain)
        self.accounts = [self.server.account(f"user{number}") for number in range(ACCOUNTS)]
        self.server.start()
        neighbours = self.accounts[-1:] + self.accounts[:-1]
        pairs = zip(self.accounts, neighbours, strict=True)
        self.folders = {account: Folders(account.address, local(neighbour)) for account, neighbour in pairs}
        for account in self.accounts:
            client = self.server.imap_login(account)
            for folder in FOLDERS:
                client.create(folder)
            client.logout()
        for account, neighbour in zip(self.accounts, neighbours, strict=True):
            words = ["--with", account.address, "--rights", "lrswite"]
            self.server.cli("mailbox", "share", neighbour.address, GIVEN, *words)

    def workers(self, number):
        """The load of one round."""
        kinds = [Sender] * SENDERS + [ImapReader, ImapReader, Pop3Reader, Expunger]
        make = lambda kind, index: kind(self.server, self.ledger, self.accounts, f"{self.seed}.{number}.{index}")  # noqa: E731
        workers = [make(kind, index) for index, kind in enumerate(kinds)]
        for index, (account, folders) in enumerate(self.folders.items()):
            seed = f"{self.seed}.{number}.w{index}"
            workers.append(ImapWriter(self.server, self.ledger, folders, account, seed))
        return workers

    def round(self, number):
        """Load, kill, restart, judge; return what is wrong."""
        moment = self.rng.uniform(0.02, 1.2)
        compacting = self.rng.random() < 0.3
        workers = self.workers(number)
        for worker in workers:
            worker.start()
        if compacting:
            threading.Thread(target=self.compact, daemon=True).start()
        threading.Event().wait(moment)
        self.server.kill()
        for worker in workers:
            worker.stopping.set()
        for worker in workers:
            worker.join(60)
        wrong = [f"{type(worker).__name__}: {worker.failure!r}" for worker in workers if worker.failure]
        wrong += [f"{type(worker).__name__} hangs" for worker in workers if worker.is_alive()]
        if self.rng.random() < 0.3:
            self.kill_while_opening()
        begun = time.monotonic()
        alone = number % 2 == 0
        if alone:
            wrong += self.check()
        self.server.start()
        opened = time.monotonic() - begun
        wrong += self.judge()
        if not alone:
            wrong += self.check()
        if number % 10 == 9:
            wrong += self.reclaim()
        rows = self.server.rows("store", "show")[0]
        print(
            f"round {number}: killed after {moment:.3f} s{', compacting' if compacting else ''}; open again in {opened:.2f} s; "
            f"{self.ledger.totals()}; log {rows['log_bytes'] >> 20} MiB, live {rows['live_content_bytes'] >> 20} MiB",
            flush=True,
        )
        return wrong

    def reclaim(self):
        """Space is given back, and nothing changes by it."""
        self.server.cli("store", "compact")
        rows = self.server.rows("store", "show")[0]
        wrong = self.judge()
        live, words = rows["live_content_bytes"], rows["text_index_bytes"]
        # Words of what is there, and of nothing else; these texts are random, so that nearly each word is a new one.
        if words > 1.5 * live + SEGMENT_BYTES:
            wrong.append(f"after a compaction {words} bytes of text index for {live} live ones of contents")
        # What stays above what is alive: records, one segment that is being written, some that are mostly live.
        if rows["log_bytes"] > 2 * live + words + 6 * SEGMENT_BYTES:
            wrong.append(f"after a compaction {rows['log_bytes']} bytes of log for {live} of contents and {words} of words")
        return wrong

    def compact(self):
        """Compaction under load; the kill may cut it short."""
        self.server.cli("store", "compact", expect=None)

    def kill_while_opening(self):
        """A second crash, in the middle of recovery."""
        import subprocess

        from harness.server import BINARY

        opening = subprocess.Popen(
            [BINARY, "--config", self.server.config, "serve"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        threading.Event().wait(self.rng.uniform(0.0, 0.15))
        opening.kill()
        opening.wait()

    def check(self):
        """`troika store check`."""
        done = self.server.cli("store", "check", expect=None)
        return [] if done.returncode == 0 else ["store check: " + done.stderr.decode()[-2000:]]

    def judge(self):
        """Every mailbox against the ledger."""
        wrong = []
        for account in self.accounts:
            client = self.server.imap_login(account)
            count = int(client.select("INBOX", readonly=True)[1][0])
            validity = client.response("UIDVALIDITY")[1][0]
            messages = [(uid, octets) for uid, _, octets in fetched(client, count)]
            if len(messages) != count:
                wrong.append(f"{account.address}: {count} messages, {len(messages)} fetched")
            wrong += self.ledger.judge(account.address, validity, messages)
            wrong += self.judge_folders(client, account)
            client.logout()
        return wrong + self.ledger.judge_whole()

    def judge_folders(self, client, account):
        """What the IMAP writer of an account has done, against what it was told."""
        found, wrong = {}, []
        for folder in FOLDERS:
            count = int(client.select(f'"{self.folders[account].name(folder)}"', readonly=True)[1][0])
            validity = client.response("UIDVALIDITY")[1][0]
            messages = {}
            for uid, flags, octets in fetched(client, count):
                try:
                    messages[uid] = Message(id_of(octets), digest(octets), flags)
                except ValueError:
                    wrong.append(f"{account.address}: {folder} UID {uid} is torn: {octets[:60]!r}")
            found[folder] = (validity, messages)
        in_inbox = lambda name: self.ledger.is_kept(name, account.address)  # noqa: E731
        return wrong + self.folders[account].judge(found, in_inbox, self.notes(account))

    def notes(self, account):
        """What METADATA and ACL say of the folders."""
        folders, notes = self.folders[account], {}
        connection = Connection(self.server.imap_clear, account)
        for folder in FOLDERS:
            _, lines = connection.command(f'GETMETADATA "{folders.name(folder)}" /private/comment')
            if told := re.search(r'/private/comment "([^"]*)"', lines[0]):
                notes[folder, "comment"] = told[1]
            if folder == GIVEN:
                continue
            _, lines = connection.command(f"GETACL {folder}")
            if told := re.search(rf" {folders.neighbour}@\S+ (\w+)", lines[0]):
                notes[folder, "rights"] = told[1]
        connection.close()
        return notes


def local(account):
    """The part of an address that names its mailboxes to others."""
    return account.address.split("@")[0]


def fetched(client, count):
    """UID, flags but \\Recent, and octets of everything in the selected mailbox."""
    if not count:
        return
    _, rows = client.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")
    for head, octets in (row for row in rows if isinstance(row, tuple)):
        uid = re.search(rb"UID (\d+)", head)[1]
        flags = re.search(rb"FLAGS \(([^)]*)\)", head)[1].decode().lower().split()
        yield int(uid), frozenset(flags) - {"\\recent"}, octets


def main():
    """Run the rounds; exit code 1 at the first that is wrong."""
    rounds = int(os.environ.get("CRASH_ROUNDS", "100"))
    seed = os.environ.get("CRASH_SEED") or str(time.time_ns() % 10**9)
    print(f"crash loop: {rounds} rounds, CRASH_SEED={seed}", flush=True)
    folder = tempfile.mkdtemp(prefix="troika-crash-")
    loop = CrashLoop(folder, seed)
    begun = time.monotonic()
    try:
        for number in range(rounds):
            wrong = loop.round(number)
            if wrong:
                print("\n".join(wrong[:50]))
                print(f"FAILED in round {number}, CRASH_SEED={seed}; the data folder is {folder}")
                return 1
        loop.server.stop()
    finally:
        loop.server.kill()
    totals = loop.ledger.totals()
    commands = sum((folders.commands for folders in loop.folders.values()), Counter())
    print(f"IMAP writers: {', '.join(f'{count} {word}' for word, count in sorted(commands.items()))} acknowledged")
    print(
        f"crash loop: {rounds} rounds passed in {time.monotonic() - begun:.0f} s; {len(loop.ledger.entries)} messages sent, "
        f"{totals['kept']} copies kept, {totals['gone']} gone as they should; none lost, none doubled, none torn"
    )
    import shutil

    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

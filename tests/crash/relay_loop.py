#!/usr/bin/env python3
"""kill -9 of a relay under load, again and again, on one data folder.

Every message that was acknowledged reaches the next hop exactly once, or comes back to its sender as exactly one report.
Twice only where SMTP itself can't tell: the next hop had taken it, and the kill came before that was noted (RFC 5321
§6.1); these are counted, and the log has a line for each. Rounds: CRASH_ROUNDS (20); seed: CRASH_SEED (the clock's, printed).
"""

import os
import random
import re
import shutil
import smtplib
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "e2e")]

from harness.next_hop import NextHop  # noqa: E402
from harness.server import Server  # noqa: E402
from harness.waiting import until  # noqa: E402

SENDERS = 6
LISTENERS = {"smtp": ("smtp", "none", False), "imap_clear": ("imap", "none", True), "http": ("http", "none", False)}
# A message that was taken so long before a kill is surely noted: group commits take some milliseconds.
NOTED_SECONDS = 3.0


class Sender(threading.Thread):
    """Sends until it is cut off; `acknowledged` are the names of what was taken, `unsure` what may have been."""

    def __init__(self, loop, seed):
        super().__init__(daemon=True)
        self.loop, self.rng, self.seed = loop, random.Random(seed), seed
        self.acknowledged, self.unsure = [], []
        self.stopping = threading.Event()

    def run(self):
        """Connections, one after the other."""
        while not self.stopping.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self.loop.server.smtp, timeout=20) as smtp:
                    for _ in range(self.rng.randint(1, 8)):
                        self.one(smtp)
            except (OSError, smtplib.SMTPException):
                self.stopping.wait(0.02)

    def one(self, smtp):
        """One message: most are taken, some are refused for good, some at first."""
        name = f"{self.seed}-{self.rng.getrandbits(40):010x}"
        kind = self.rng.choices(["yes", "no", "later"], [8, 1, 1])[0]
        size = self.rng.choice([100, 2000, 40_000])
        line = b"x" * 70 + b"\r\n"
        head = f"Subject: {name}\r\nMessage-ID: <{name}@crash.test>\r\n\r\n".encode()
        self.unsure.append(name)
        smtp.sendmail(self.loop.alice.address, [f"{kind}-{name}@y.test"], head + line * (size // 72))
        self.unsure.pop()
        self.acknowledged.append(name)


class RelayLoop:
    """The rounds."""

    def __init__(self, folder, seed):
        self.rng, self.seed = random.Random(seed), seed
        self.seen, self.kills = {}, []
        self.lock = threading.Lock()
        self.refused_once = set()
        self.hop = NextHop(replies={"RCPT TO:<no-": "550 5.1.1 nobody", "RCPT TO:<later-": self.later})
        self.hop.take = self.take
        sections = '[network]\nown = ["127.0.0.0/8"]\n[delivery]\nretry_first = "1s"\nretry_longest = "1s"\n'
        sections += f'[storage]\nsegment_bytes = "4M"\n[[route]]\nnext_hop = "{self.hop.address}"\n'
        self.server = Server(folder, sections=sections, listeners=LISTENERS)
        self.server.cli("domain", "add", self.server.domain)
        self.alice = self.server.account("alice")
        self.acknowledged, self.unsure = set(), set()

    def later(self, _, command):
        """Refuse a recipient for now, the first time."""
        with self.lock:
            if command in self.refused_once:
                return "250 2.1.5 ok"
            self.refused_once.add(command)
            return "450 4.2.0 greylisted"

    def take(self, message):
        """Note a message and when it came."""
        name = re.search(rb"Message-ID: <(.*)@crash.test>", message.content)[1].decode()
        with self.lock:
            self.seen.setdefault(name, []).append(time.monotonic())

    def round(self, number):
        """Load, kill, restart."""
        self.server.start()
        senders = [Sender(self, f"{self.seed}.{number}.{index}") for index in range(SENDERS)]
        for sender in senders:
            sender.start()
        threading.Event().wait(self.rng.uniform(0.05, 1.5))
        self.server.kill()
        self.kills.append(time.monotonic())
        for sender in senders:
            sender.stopping.set()
        for sender in senders:
            sender.join(60)
            self.acknowledged |= set(sender.acknowledged)
            self.unsure |= set(sender.unsure)
        print(f"round {number}: {len(self.acknowledged)} acknowledged, {len(self.seen)} at the next hop", flush=True)

    def judge(self):
        """After the queue is empty: one delivery or one report of each; return what is wrong and how many came twice."""
        reports = {}
        for raw in self.server.contents(self.alice):
            assert b"Action: failed" in raw, raw[:2000]
            name = re.search(rb"Final-Recipient: rfc822; no-(.*)@y.test", raw)[1].decode()
            reports[name] = reports.get(name, 0) + 1
        wrong, twice = [], 0
        uncertain = [line for line in self.server.log().splitlines() if "may have taken it already" in line]
        told_of = {name for line in uncertain for name in re.findall(r'"to":"[a-z]+-(.*?)@y.test"', line)}
        for name in self.acknowledged | (self.unsure & (set(self.seen) | set(reports))):
            times, told = self.seen.get(name, []), reports.get(name, 0)
            if len(times) + told == 0:
                wrong.append(f"{name} was acknowledged and is lost")
            elif told > 1 or (told and times):
                wrong.append(f"{name} has {told} reports and {len(times)} deliveries")
            for time_taken in times[:-1]:
                if any(0 <= kill - time_taken < NOTED_SECONDS for kill in self.kills):
                    twice += 1
                    if name not in told_of:
                        wrong.append(f"{name} came {len(times)} times, and the log says nothing of it")
                else:
                    wrong.append(f"{name} came {len(times)} times without a kill behind the first")
        unknown = (set(self.seen) | set(reports)) - self.acknowledged - self.unsure
        wrong += [f"{name} was refused and came all the same" for name in unknown]
        return wrong, twice, len(reports)


def main():
    """Run the rounds; exit code 1 when something is wrong."""
    rounds = int(os.environ.get("CRASH_ROUNDS", "20"))
    seed = os.environ.get("CRASH_SEED") or str(time.time_ns() % 10**9)
    print(f"relay crash loop: {rounds} rounds, CRASH_SEED={seed}", flush=True)
    folder = tempfile.mkdtemp(prefix="troika-relay-crash-")
    loop = RelayLoop(folder, seed)
    begun = time.monotonic()
    try:
        for number in range(rounds):
            loop.round(number)
            if number % 5 == 4:
                loop.server.cli("store", "check")
        loop.server.start()
        until(lambda: loop.server.metric("troika_queue_messages") == 0, "an empty queue", 300)
        wrong, twice, reports = loop.judge()
        if wrong:
            print("\n".join(wrong[:50]))
            print(f"FAILED, CRASH_SEED={seed}; the data folder is {folder}")
            return 1
        loop.server.stop()
    finally:
        loop.server.kill()
    print(
        f"relay crash loop: {rounds} rounds passed in {time.monotonic() - begun:.0f} s; {len(loop.acknowledged)} messages "
        f"acknowledged, {reports} came back as reports, all others were delivered; {twice} of them twice, because the kill "
        f"came between the next hop's answer and its note; none lost"
    )
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The first command a newcomer types."""

import os
import re
import signal
import smtplib
import socket
import subprocess

import pytest
from harness.mail import message
from harness.ports import free_base
from harness.server import BINARY, troika
from harness.tls import trusting
from harness.waiting import until
from harness.wire import Wire

PORTS = {"smtp": 25, "submission": 587, "submissions": 465, "pop3": 110, "pop3s": 995, "imap": 143, "imaps": 993, "http": 80}


class Quickstart:
    """A running `troika quickstart`."""

    def __init__(self, folder, base, *words, cwd=None):
        self.out = folder / "out"
        self.base = base
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen([BINARY, *map(str, words)], stdout=out, stderr=subprocess.STDOUT, cwd=cwd)

    def shown(self):
        """What it has printed."""
        return self.out.read_text()

    def ready(self):
        """Wait until it says so and a session is served."""
        until(lambda: "Stop with" in self.shown() or self.process.poll() is not None, "the announcement")
        assert self.process.poll() is None, self.shown()
        with Wire(self.base + 25) as wire:
            assert wire.line().startswith("220 ")
        return self

    def passwords(self):
        """Addresses with the passwords that were printed."""
        return dict(re.findall(r"(\S+@\S+)\s+password\s+(\S+)", self.shown()))

    def stop(self):
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(120) == 0, self.shown()


@pytest.fixture
def start(tmp_path):
    """Start quickstarts that end with the test."""
    running = []

    def make(*words, base, cwd=None):
        one = Quickstart(tmp_path, base, *words, cwd=cwd)
        running.append(one)
        return one.ready()

    yield make
    for one in running:
        if one.process.poll() is None:
            one.stop()


def test_from_an_empty_folder_to_a_delivered_message(start, tmp_path):
    base, folder = free_base(PORTS.values()), tmp_path / "mail"
    words = ["quickstart", "--dir", folder, "--domain", "firma.test", "--port-base", base]
    quick = start(*words, base=base)
    passwords = quick.passwords()
    assert len(passwords) == 2 and all(address.endswith("@firma.test") for address in passwords)
    (alice, secret), (bob, bobs) = passwords.items()
    for port in PORTS.values():
        assert f"127.0.0.1:{base + port}" in quick.shown()
    ca = re.search(r"CA file.*?(/\S+)", quick.shown()).group(1)
    with smtplib.SMTP("localhost", base + 587, timeout=120) as smtp:
        smtp.starttls(context=trusting(ca))
        smtp.login(alice, secret)
        smtp.sendmail(alice, [bob], message("first mail"))
    import imaplib
    import poplib

    imap = imaplib.IMAP4_SSL("localhost", base + 993, ssl_context=trusting(ca), timeout=120)
    imap.login(bob, bobs)
    imap.select()
    assert b"first mail" in imap.fetch("1", "(RFC822)")[1][0][1]
    imap.logout()
    pop = poplib.POP3_SSL("localhost", base + 995, context=trusting(ca), timeout=120)
    pop.user(bob.split("@")[0])
    pop.pass_(bobs)
    assert pop.stat()[0] == 1
    pop.quit()
    assert (folder / "troika.toml").exists() and (folder / "data").is_dir()
    assert b"@firma.test" in troika("--config", folder / "troika.toml", "account", "list").stdout
    quick.stop()
    # Again: the same accounts, nothing made anew, no password printed.
    again = start(*words, base=base)
    assert again.passwords() == {} and alice in again.shown()
    again.stop()
    troika("--config", folder / "troika.toml", "store", "check")


def test_the_commands_that_it_prints_work(start, tmp_path):
    base = free_base(PORTS.values())
    quick = start("quickstart", "--dir", tmp_path / "d", "--port-base", base, base=base)
    command = re.search(r"First mail:\s+(curl.*?)\n\n", quick.shown(), re.S).group(1)
    # As the README makes it: lines that end with LF.
    (tmp_path / "message.txt").write_bytes(b"Subject: Hello\n\nFirst mail.\n")
    subprocess.run(["bash", "-c", command + " --silent --show-error"], cwd=tmp_path, check=True, timeout=120)
    bob = [row for row in quick.passwords() if row.startswith("bob")][0]
    listed = troika("--config", tmp_path / "d/troika.toml", "mailbox", "list", bob, "--json").stdout.decode()
    assert '"messages":1' in listed.split("\n")[0] or '"messages":1' in listed


def test_a_taken_port_is_told(tmp_path):
    base = free_base(PORTS.values())
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", base + 143))
        holder.listen()
        done = troika("quickstart", "--dir", tmp_path / "d", "--port-base", base, expect=1, timeout=120)
    assert f"127.0.0.1:{base + 143}" in done.stderr.decode()


def test_no_argument_at_all_is_quickstart(tmp_path):
    """On its own ports 2025 and on; where they are taken, it must say so."""
    process = Quickstart(tmp_path, 2000, cwd=tmp_path)
    try:
        until(lambda: "Stop with" in process.shown() or process.process.poll() is not None, "an announcement")
        if process.process.poll() is None:
            assert (tmp_path / "troika-data/troika.toml").exists()
            assert len(process.passwords()) == 2
            process.stop()
        else:
            assert "can't listen on 127.0.0.1:2" in process.shown()
    finally:
        if process.process.poll() is None:
            os.kill(process.process.pid, signal.SIGKILL)

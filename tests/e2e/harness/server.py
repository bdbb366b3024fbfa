"""A real server: its own folder, its own ports, its own accounts."""

import imaplib
import json
import os
import poplib
import signal
import smtplib
import socket
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from .mail import unique
from .ports import free_ports
from .waiting import until
from .wire import Wire

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("TROIKA", ROOT / "target/release/troika"))

# name: protocol, tls, plaintext_auth
LISTENERS = {
    "smtp": ("smtp", "starttls", False),
    "submission": ("submission", "starttls", False),
    "submissions": ("submission", "implicit", False),
    "submission_clear": ("submission", "none", True),
    "lmtp": ("lmtp", "none", False),
    "pop3": ("pop3", "starttls", False),
    "pop3s": ("pop3", "implicit", False),
    "pop3_clear": ("pop3", "none", True),
    "imap": ("imap", "starttls", False),
    "imaps": ("imap", "implicit", False),
    "imap_clear": ("imap", "none", True),
    "http": ("http", "none", False),
}


@dataclass(frozen=True)
class Account:
    """An account with its password."""

    address: str
    password: str


def troika(*words, stdin=b"", expect=0, timeout=240, cwd=None):
    """Run the command line."""
    assert BINARY.exists(), f"{BINARY} is missing: cargo build --release -p troika"
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run(
        [BINARY, *map(str, words)], input=stdin, capture_output=True, timeout=timeout, cwd=cwd, check=False
    )
    shown = f"troika {' '.join(map(str, words))}\n{done.stdout.decode()[-2000:]}\n{done.stderr.decode()[-4000:]}"
    assert expect is None or done.returncode == expect, f"ended with {done.returncode}, not {expect}: {shown}"
    return done


class Server:
    """One server and its folder. Every listener's port is an attribute: `server.imaps`."""

    def __init__(self, folder, *, sections="", data_dir="data", domain="example.test", listeners=LISTENERS):
        """`sections` is TOML put behind `[server]`'s own keys."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.domain = domain
        self.config = self.folder / "troika.toml"
        self.data = self.folder / data_dir if not Path(data_dir).is_absolute() else Path(data_dir)
        self.ca = self.data / "tls/ca.pem"
        self.log_path = self.folder / "log"
        self.lmtp_socket = self.folder / "lmtp.sock"
        self.process = None
        self.listeners = listeners
        self.ports = dict(zip(listeners, free_ports(len(listeners)), strict=True))
        self.write_config(sections, data_dir)

    def __getattr__(self, name):
        try:
            return self.__dict__["ports"][name]
        except KeyError:
            raise AttributeError(name) from None

    def write_config(self, sections="", data_dir="data"):
        """Write troika.toml."""
        text = f'[server]\nhostname = "mail.{self.domain}"\ndata_dir = "{data_dir}"\nshutdown_grace = "10s"\n'
        text += f'{sections}\n[log]\nformat = "json"\n'
        if "[dns]" not in sections:
            text += f'\n[dns]\nzone_file = "{self.no_names()}"\n'
        for name, (protocol, tls, clear) in self.listeners.items():
            text += f'\n[[listener]]\nprotocol = "{protocol}"\nbind = "127.0.0.1:{self.ports[name]}"\ntls = "{tls}"\n'
            text += "plaintext_auth = true\n" if clear else ""
        if "lmtp" in self.listeners:
            text += f'\n[[listener]]\nprotocol = "lmtp"\nbind = "unix:{self.lmtp_socket}"\n'
        self.config.write_text(text)

    def no_names(self):
        """A zone without names: what is asked for is not there, at once, whatever resolver this machine has."""
        path = self.folder / "empty.zone"
        path.write_text("")
        return path

    # Life

    def start(self, wrapper=()):
        """Start it and wait until it takes mail."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, BINARY, "--config", self.config, "serve"], stdout=log, stderr=log
            )
        until(self.ready, f"a server that starts: {self.config}", seconds=180)
        return self

    def ready(self):
        """Whether it takes mail; fails when it has ended."""
        assert self.process.poll() is None, f"the server ended: {self.log()[-3000:]}"
        try:
            return self.get("/health")[0] == 200
        except OSError:
            return False

    def stop(self, *, check=True):
        """SIGTERM; the exit must be clean and the store sound."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(120)
        assert code == 0, f"the server ended with {code}: {self.log()[-3000:]}"
        assert "panicked" not in self.log(), self.log()[-5000:]
        if check:
            self.cli("store", "check")

    def kill(self):
        """SIGKILL."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def restart(self):
        """Stop and start."""
        self.stop(check=False)
        return self.start()

    def log(self):
        """Everything it has logged."""
        return self.log_path.read_text(errors="replace")

    def memory(self, field="VmRSS"):
        """Its memory in bytes; VmHWM is the highest so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(field + ":"))
        return int(line.split()[1]) * 1024

    def get(self, path):
        """GET from its http listener: status and text."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=120) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name, **labels):
        """The sum of a metric over all label sets that match."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            head, _, value = line.rpartition(" ")
            if head.split("{")[0] == name and all(f'{key}="{text}"' in head for key, text in labels.items()):
                total += float(value)
        return total

    # Command line

    def cli(self, *words, **options):
        """Run a command on this server's configuration."""
        return troika("--config", self.config, *words, **options)

    def rows(self, *words):
        """Run a listing with --json, return its rows."""
        return [json.loads(line) for line in self.cli(*words, "--json").stdout.splitlines()]

    def account(self, name=None, *options, password=None):
        """Make an account."""
        name = name or unique("user")
        address = name if "@" in name else f"{name}@{self.domain}"
        account = Account(address, password or unique("Pass"))
        self.cli("account", "add", address, "--password-stdin", *options, stdin=account.password + "\n")
        return account

    def app_password(self, account, name="test", *options):
        """Make an application password, return it as an account to log in with."""
        row = self.rows("app-password", "add", account.address, name, *options)[0]
        return Account(account.address, row["password"])

    def mailboxes(self, account):
        """Rows of `mailbox list` by name."""
        return {row["name"]: row for row in self.rows("mailbox", "list", account.address)}

    # Protocols

    def wire(self, name, *, greeting=True, **options):
        """Connect to a listener; implicit TLS where it has that. The greeting is read."""
        tls = name in ("submissions", "imaps", "pop3s")
        wire = Wire(self.ports[name], tls=tls, **options)
        if greeting:
            wire.line()
        return wire

    def deliver(self, to, raw, *, sender="someone@elsewhere.test", options=()):
        """Deliver by SMTP as a stranger would."""
        to = [to] if isinstance(to, (str, Account)) else to
        addresses = [one.address if isinstance(one, Account) else one for one in to]
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=120) as smtp:
            refused = smtp.sendmail(sender, addresses, raw, mail_options=options)
        assert not refused, refused

    def imap_login(self, account):
        """Log in by IMAP in clear."""
        client = imaplib.IMAP4("127.0.0.1", self.imap_clear, timeout=120)
        # imaplib sends an APPEND's last CRLF by itself; it would wait 40 ms for the acknowledgement of what is before.
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if account.address.isascii():
            client.login(account.address, account.password)
        else:
            client.authenticate("PLAIN", lambda _: f"\0{account.address}\0{account.password}".encode())
        return client

    def pop3_login(self, account):
        """Log in by POP3 in clear."""
        client = poplib.POP3("127.0.0.1", self.pop3_clear, timeout=120)
        client.user(account.address)
        client.pass_(account.password)
        return client

    def contents(self, account, mailbox="INBOX"):
        """Everything in a mailbox, as it is stored, in order of UID."""
        client = self.imap_login(account)
        try:
            name = mailbox if mailbox == "INBOX" else f'"{mailbox}"'
            assert client.select(name, readonly=True)[0] == "OK"
            if client.untagged_responses["EXISTS"] == [b"0"]:
                return []
            _, data = client.fetch("1:*", "(UID BODY.PEEK[])")
            return [item[1] for item in data if isinstance(item, tuple)]
        finally:
            client.logout()

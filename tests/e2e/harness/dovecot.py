"""Debian's Dovecot (Maildir) on loopback as the server that mail comes from: IMAP and POP3, in clear, with STARTTLS and with
TLS from the first octet."""

import contextlib
import getpass
import grp
import imaplib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from .peers import open_folder
from .ports import free_ports
from .tls import make_authority
from .waiting import until

PASSWORD = "old-password-1"
MASTER_PASSWORD = "master-password-1"


class Dovecot:
    """Any user name logs in with `PASSWORD`, and `master` for all with `MASTER_PASSWORD`."""

    def __init__(self, *, separator="/", layout="maildir++", uses=(), made=()):
        """`uses`: names and attributes (RFC 6154); `made`: those of them that everybody has from the first."""
        self.folder = open_folder()
        self.imap, self.imaps, self.pop3, self.pop3s = free_ports(4)
        self.ca, self.certificate, self.key = make_authority(self.folder, ["localhost"], ["127.0.0.1"])
        self.mail = self.folder / "mail"
        self.mail.mkdir()
        self.is_root = os.geteuid() == 0
        self.user = "mail" if self.is_root else getpass.getuser()
        self.group = "mail" if self.is_root else grp.getgrgid(os.getegid()).gr_name
        self.own(self.mail)
        (self.folder / "run").mkdir()
        (self.folder / "masters").write_text(f"master:{{PLAIN}}{MASTER_PASSWORD}\n")
        boxes = "".join(
            f'  mailbox "{name}" {{\n    special_use = {use}\n    auto = {"create" if name in made else "no"}\n  }}\n'
            for name, use in uses
        )
        self.conf = self.folder / "dovecot.conf"
        self.conf.write_text(self.text(separator, layout, boxes))
        self.process = None

    def text(self, separator, layout, boxes):
        """The configuration."""
        unprivileged = ""
        if not self.is_root:
            unprivileged = f"default_internal_user = {self.user}\ndefault_login_user = {self.user}\n"
            unprivileged += f"default_internal_group = {self.group}\n"
            unprivileged += "".join(
                f"service {name} {{\n  chroot =\n}}\n" for name in ("imap-login", "pop3-login", "anvil", "aggregator")
            )
        return f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/run
log_path = {self.folder}/log
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{self.certificate}
ssl_key = <{self.key}
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{self.mail}/%n:LAYOUT={layout}
mail_fsync = never
first_valid_uid = 1
mail_max_userip_connections = 100
mail_max_keyword_length = 100
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {self.folder}/masters
  master = yes
}}
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={self.user} gid={self.group} home={self.mail}/%n allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
{boxes}}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {self.imap}
  }}
  inet_listener imaps {{
    port = {self.imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {self.pop3}
  }}
  inet_listener pop3s {{
    port = {self.pop3s}
    ssl = yes
  }}
}}
{unprivileged}"""

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        """Start it and wait until one can log in."""
        with open(self.folder / "noise", "ab") as noise:
            self.process = subprocess.Popen(
                ["dovecot", "-F", "-c", self.conf], stdout=noise, stderr=noise, start_new_session=True
            )
        until(self.answers, "Dovecot to start")
        return self

    def answers(self):
        """Whether one can log in."""
        logs = [path.read_text(errors="replace")[-3000:] for path in (self.folder / "noise", self.folder / "log") if path.exists()]
        assert self.process.poll() is None, f"Dovecot ended: {logs}"
        try:
            self.login("probe").logout()
            return True
        except (OSError, imaplib.IMAP4.error):
            return False

    def kill(self):
        """SIGKILL for it and all its processes."""
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(60)
            # Those that it started hold its ports and write their indexes until they are gone, too.
            until(lambda: not self.is_any_left(), "Dovecot's processes to end")

    def is_any_left(self):
        """Whether a process of its session lives."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # proc(5): the name may hold anything; behind it stand state, parent, group and session.
                state, _, _, session = stat.read_text(errors="replace").rpartition(")")[2].split()[:4]
                if int(session) == self.process.pid and state not in "ZX":
                    return True
        return False

    def own(self, path):
        """Make a file or folder that of whoever reads the mail."""
        if self.is_root:
            shutil.chown(path, self.user, self.group)

    def login(self, user="anna"):
        """Log in by IMAP in clear."""
        client = imaplib.IMAP4("127.0.0.1", self.imap, timeout=120)
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.login(user, PASSWORD)
        return client

    def url(self, user="anna@", scheme="imaps"):
        """Where accounts are copied from."""
        port = self.imaps if scheme == "imaps" else self.imap
        return f"{scheme}://{user}localhost:{port}"

    def append(self, user, messages, folder="INBOX", flags=None, date=None):
        """Put messages into a folder, which is made if need be."""
        client = self.login(user)
        if folder != "INBOX":
            client.create(folder)
        for raw in messages:
            answer = client.append(folder, flags, date, raw)
            assert answer[0] == "OK", answer
        client.logout()

    def count(self, user, folder="INBOX"):
        """How many messages a folder holds."""
        client = self.login(user)
        answer = client.select(folder, readonly=True)
        client.logout()
        assert answer[0] == "OK", answer
        return int(answer[1][0])

    def uid_validity(self, user="anna", folder="INBOX"):
        """UIDVALIDITY of a folder."""
        client = self.login(user)
        answer = client.status(folder, "(UIDVALIDITY)")
        client.logout()
        assert answer[0] == "OK", answer
        return answer[1][0]

    def new_uid_validity(self, user="anna", folder=""):
        """Lose what says which message has which UID, as restored backups do: another UIDVALIDITY, other UIDs."""
        former = self.uid_validity(user, folder.removeprefix(".") or "INBOX")
        self.kill()
        # What names keywords stays.
        home = self.mail / user / folder
        uids = home / "dovecot-uidlist"
        version, validity, following, *_ = uids.read_text().splitlines()[0].split()
        for path in [*home.glob("dovecot-uid*"), *home.glob("dovecot.index*")]:
            if path.is_file():
                path.unlink()
        # Left alone, Dovecot takes the second of the day for it, which may well be the old one.
        uids.write_text(f"{version} V{int(validity.removeprefix('V')) + 1000} {following}\n")
        self.own(uids)
        self.start()
        assert self.uid_validity(user, folder.removeprefix(".") or "INBOX") != former

"""Debian's Dovecot (Maildir) in a folder of its own on loopback."""

import contextlib
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from .peers import open_folder
from .ports import free_ports
from .tls import make_certificate
from .waiting import until
from .wire import listening

PASSWORD = "old-password-1"
MASTER_PASSWORD = "master-password-1"


class Dovecot:
    """Any user name logs in with `PASSWORD`, and `master` for all with `MASTER_PASSWORD`."""

    def __init__(self, *, separator="/", layout="maildir++", uses=()):
        """`uses`: names and attributes (RFC 6154)."""
        self.folder = open_folder()
        self.imap, self.imaps = free_ports(2)
        self.separator = separator
        self.mail = self.folder / "mail"
        self.mail.mkdir()
        owner = pwd.getpwnam("mail")
        shutil.chown(self.mail, "mail", "mail")
        self.certificate, key = make_certificate(self.folder, "tls", ["localhost"])
        (self.folder / "run").mkdir()
        (self.folder / "masters").write_text(f"master:{{PLAIN}}{MASTER_PASSWORD}\n")
        boxes = "\n".join(f'mailbox "{name}" {{\n special_use = {use}\n}}' for name, use in uses)
        self.conf = self.folder / "dovecot.conf"
        self.conf.write_text(f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/run
log_path = {self.folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{self.certificate}
ssl_key = <{key}
disable_plaintext_auth = no
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
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={self.mail}/%n allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  {boxes}
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
""")
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        """Start it and wait until it answers."""
        with open(self.folder / "noise", "ab") as noise:
            self.process = subprocess.Popen(
                ["dovecot", "-F", "-c", self.conf], stdout=noise, stderr=noise, start_new_session=True
            )
        until(lambda: listening(self.imap) or self.process.poll() is not None, "Dovecot")
        assert self.process.poll() is None, (self.folder / "noise").read_text()
        return self

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

    def uid_validity(self, user="anna", folder="INBOX"):
        """UIDVALIDITY of a folder."""
        client = self.login(user)
        answer = client.status(folder, "(UIDVALIDITY)")
        client.logout()
        assert answer[0] == "OK", answer
        return answer[1][0]

    def new_uid_validity(self, user="anna", folder=""):
        """Lose what says which message has which UID, as restored backups do."""
        self.kill()
        # What names keywords stays.
        home = self.mail / user / folder
        uids = home / "dovecot-uidlist"
        version, validity, *_ = uids.read_text().splitlines()[0].split()
        for path in [*home.glob("dovecot-uid*"), *home.glob("dovecot.index*")]:
            if path.is_file():
                path.unlink()
        # Left alone, Dovecot takes the second of the day for it, which may well be the old one.
        uids.write_text(f"{version} V{int(validity.removeprefix('V')) + 1000} N1\n")
        shutil.chown(uids, "mail", "mail")
        self.start()

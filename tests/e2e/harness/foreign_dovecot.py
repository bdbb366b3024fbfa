"""Debian's Dovecot as a foreign server: IMAP and POP3, in clear, with STARTTLS and with TLS from the first octet."""

import getpass
import grp
import imaplib
import os
import shutil
import signal
import subprocess

from .peers import open_folder
from .ports import free_ports
from .programs import run
from .waiting import until

PASSWORD = "foreign-pass-word-1"


def make_authority(folder):
    """Make a CA and a certificate of it for localhost and 127.0.0.1; return the paths of CA, certificate and key."""
    ca, ca_key = folder / "authority.pem", folder / "authority.key"
    certificate, key, request = folder / "foreign.pem", folder / "foreign.key", folder / "foreign.csr"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run(["openssl", "req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", "30", "-subj", "/CN=Test CA",
         "-addext", "basicConstraints=critical,CA:TRUE"])
    run(["openssl", "req", *curve, "-keyout", key, "-out", request, "-subj", "/CN=localhost"])
    names = folder / "names"
    names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n")
    run(["openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "30",
         "-out", certificate, "-extfile", names])
    return ca, certificate, key


class Dovecot:
    """One instance. Any user name logs in with PASSWORD. Stop it with `stop`."""

    def __init__(self):
        self.folder = open_folder()
        self.imap, self.imaps, self.pop3, self.pop3s = free_ports(4)
        self.ca, self.certificate, self.key = make_authority(self.folder)
        self.mail = self.folder / "mail"
        self.mail.mkdir()
        self.user = "mail" if os.geteuid() == 0 else getpass.getuser()
        self.group = "mail" if os.geteuid() == 0 else grp.getgrgid(os.getegid()).gr_name
        if os.geteuid() == 0:
            shutil.chown(self.mail, self.user, self.group)
        self.config = self.folder / "dovecot.conf"
        self.config.write_text(self.text())
        self.process = None
        self.start()

    def text(self):
        """The configuration."""
        unprivileged = ""
        if os.geteuid() != 0:
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
first_valid_uid = 1
mail_location = maildir:{self.mail}/%n
mail_fsync = never
mail_max_userip_connections = 100
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
  separator = .
  mailbox Junk {{
    special_use = \\Junk
    auto = create
  }}
}}
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

    def start(self):
        """Start it and wait until it answers."""
        with open(self.folder / "noise", "ab") as noise:
            words = ["dovecot", "-F", "-c", self.config]
            self.process = subprocess.Popen(words, stdout=noise, stderr=noise, start_new_session=True)
        until(self.answers, "Dovecot to start", seconds=90)

    def answers(self):
        """Whether one can log in."""
        log = self.folder / "log"
        shown = log.read_text(errors="replace")[-3000:] if log.exists() else ""
        assert self.process.poll() is None, f"Dovecot ended: {shown}"
        try:
            self.login("probe").logout()
            return True
        except (OSError, imaplib.IMAP4.error):
            return False

    def login(self, user):
        """Log in by IMAP."""
        client = imaplib.IMAP4("127.0.0.1", self.imap, timeout=120)
        client.login(user, PASSWORD)
        return client

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

    def name_anew(self, user):
        """Make INBOX anew with the same messages: another UIDVALIDITY, other UIDs, as a restored backup has them."""
        before = self.uid_validity(user)
        folder = self.mail / user
        for name in folder.glob("dovecot*"):
            name.unlink()
        # The UIDVALIDITY of a new list is the time in seconds.
        until(lambda: self.renumbered(user, folder, before), "another UIDVALIDITY", seconds=90, every=0.3)

    def renumbered(self, user, folder, before):
        """Whether the UIDVALIDITY is another one by now."""
        for name in folder.glob("dovecot*"):
            name.unlink()
        return self.uid_validity(user) != before

    def uid_validity(self, user):
        """UIDVALIDITY of INBOX."""
        client = self.login(user)
        answer = client.status("INBOX", "(UIDVALIDITY)")
        client.logout()
        return answer[1][0]

    def stop(self):
        """End it and remove its folder."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

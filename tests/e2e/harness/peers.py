"""Other people's mail servers as peers, each in a folder of its own on loopback: Postfix, Exim, aiosmtpd, smtp-sink.

Nothing of the system's own configuration is touched, and only processes started here are stopped. Debian's exim4 can't be
installed beside Debian's postfix, so its package is unpacked into target/exim.
"""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .ports import free_ports
from .programs import run
from .server import ROOT
from .waiting import until
from .wire import listening

EXIM = Path(os.environ.get("TROIKA_EXIM", ROOT / "target/exim/usr/sbin/exim4"))


def open_folder():
    """Return a new folder that other users may pass through: pytest's own are closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="troika-peer-"))
    folder.chmod(0o755)
    return folder


def unpack_exim():
    """Return Debian's exim4, unpacked on first use."""
    if not EXIM.exists():
        folder = ROOT / "target/exim"
        folder.mkdir(parents=True, exist_ok=True)
        run(["apt-get", "download", "exim4-daemon-light"], cwd=folder)
        for package in folder.glob("exim4-daemon-light_*.deb"):
            run(["dpkg-deb", "-x", package, folder])
    if not any(entry.pw_name == "Debian-exim" for entry in pwd.getpwall()):
        # It does not start without the user that it was built for.
        run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "Debian-exim"])
    return EXIM


class Postfix:
    """Debian's Postfix. `settings` go into main.cf; `taken()` are the messages in its mailboxes."""

    def __init__(self, settings=""):
        self.folder = open_folder()
        (self.port,) = free_ports(1)
        conf, queue, data = (self.folder / part for part in ("conf", "spool", "data"))
        self.mail = self.folder / "mail"
        for part in (conf, queue, data, self.mail):
            part.mkdir()
        owner = pwd.getpwnam("postfix")
        shutil.chown(data, "postfix")
        shutil.chown(self.mail, "postfix", "postfix")
        shutil.copy("/etc/postfix/postfix-files", conf)
        shutil.copytree("/etc/postfix/postfix-files.d", conf / "postfix-files.d", dirs_exist_ok=True)
        master = Path("/usr/share/postfix/master.cf.dist").read_text()
        master = re.sub(r"^smtp +inet .*$", f"127.0.0.1:{self.port} inet n - n - - smtpd", master, flags=re.M)
        master = re.sub(r"^(\S+ +(?:unix|inet|fifo) +\S+ +\S+ +)[-y] ", r"\1n ", master, flags=re.M)
        (conf / "master.cf").write_text(master)
        (conf / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = postfix.test
virtual_mailbox_base = {self.mail}
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{owner.pw_uid}
virtual_gid_maps = static:{owner.pw_gid}
virtual_minimum_uid = 1
maillog_file = {self.folder}/log
maillog_file_prefixes = {self.folder}
alias_maps =
alias_database =
smtpd_peername_lookup = no
smtp_host_lookup = native
disable_dns_lookups = yes
{settings}
""")
        self.conf = conf

    def __enter__(self):
        run(["postfix", "-c", self.conf, "start"])
        until(lambda: listening(self.port), "Postfix")
        return self

    def __exit__(self, *_):
        subprocess.run(["postfix", "-c", self.conf, "abort"], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def taken(self):
        """Messages in its mailboxes."""
        return [path.read_bytes() for path in self.mail.glob("all/new/*")]

    def log(self):
        """What it has logged."""
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""


class Exim:
    """Debian's Exim, which takes mail for exim.test."""

    def __init__(self, *, route=None):
        """`route`: host and port that everything else goes to."""
        self.folder = open_folder()
        (self.port,) = free_ports(1)
        self.mail, spool = self.folder / "mail", self.folder / "spool"
        for part in (self.mail, spool):
            part.mkdir()
            shutil.chown(part, "mail", "mail")
        shutil.chown(self.folder, "mail", "mail")
        onward = ""
        if route:
            onward = f"""
onward:
  driver = manualroute
  transport = onward
  self = send
  route_list = * {route[0]}
"""
        port = route[1] if route else 25
        self.conf = self.folder / "exim.conf"
        self.conf.write_text(f"""
exim_path = {EXIM}
exim_user = mail
exim_group = mail
primary_hostname = exim.test
spool_directory = {spool}
log_file_path = {self.folder}/%slog
pid_file_path = {self.folder}/exim.pid
domainlist local = exim.test
hostlist relay = 127.0.0.0/8
daemon_smtp_ports = {self.port}
local_interfaces = 127.0.0.1
disable_ipv6 = true
keep_environment =
acl_smtp_rcpt = accept
acl_smtp_data = accept
never_users =
rfc1413_query_timeout = 0s
host_lookup =
dns_dnssec_ok = 0
chunking_advertise_hosts = *
begin routers
local:
  driver = accept
  domains = +local
  transport = local
{onward}
begin transports
local:
  driver = appendfile
  directory = {self.mail}
  maildir_format
  user = mail
  group = mail
  create_directory
onward:
  driver = smtp
  port = {port}
  hosts_try_fastopen =
  allow_localhost
begin retry
* * F,1h,1s
""")
        self.conf.chmod(0o644)
        self.process = None

    def __enter__(self):
        with open(self.folder / "noise", "ab") as noise:
            self.process = subprocess.Popen(
                [unpack_exim(), "-bdf", "-q10s", "-C", self.conf], stdout=noise, stderr=noise
            )
        until(lambda: listening(self.port) or self.process.poll() is not None, "Exim")
        assert self.process.poll() is None, (self.folder / "noise").read_text()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def taken(self):
        """Messages in its mailbox."""
        return [path.read_bytes() for path in self.mail.glob("new/*")]

    def log(self):
        """What it has logged."""
        return "".join(path.read_text() for path in self.folder.glob("*log"))


class Aiosmtpd:
    """Debian's aiosmtpd with its Maildir handler."""

    def __init__(self):
        self.folder = open_folder()
        self.mail = self.folder / "mail"
        (self.port,) = free_ports(1)
        self.process = None

    def __enter__(self):
        words = ["/usr/bin/python3", "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{self.port}"]
        words += ["-c", "aiosmtpd.handlers.Mailbox", self.mail]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: listening(self.port), "aiosmtpd")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def taken(self):
        """Messages that it took."""
        return [path.read_bytes() for path in self.mail.glob("new/*")]


class SmtpSink:
    """Postfix's smtp-sink: counts, and keeps nothing."""

    def __init__(self, *options):
        (self.port,) = free_ports(1)
        self.options, self.process = options, None

    def __enter__(self):
        words = ["smtp-sink", *(["-u", "nobody"] if os.geteuid() == 0 else []), *self.options, f"127.0.0.1:{self.port}", "1000"]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: listening(self.port), "smtp-sink")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)

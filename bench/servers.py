"""The servers under comparison, each in a folder of its own on loopback with free ports.

Troika and its peers (Debian's Postfix and Dovecot) are configured for the same promise: a message is on disk before it
is acknowledged. Nothing of the system's own configuration is touched, and only processes started here are stopped.
"""

import atexit
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = pathlib.Path(os.environ.get("BENCH_BIN", ROOT / "target" / "release"))
DOMAIN = "example.test"
PASSWORD = "bench-password-1"


def free_port():
    """A port nobody listens on."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, seconds=60, step=0.02):
    """Waits for a condition, at most so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(step)
    raise TimeoutError(f"waited {seconds} s in vain")


def listening(port):
    """Whether somebody listens there."""
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def descendants(pid):
    """A process and everything it started."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                found += descendants(int(child))
    return found


def processor_seconds(pids):
    """User and system time of processes and of their ended children."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(field) for field in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def settle(side):
    """Waits until a side has done nothing for half a minute: what much imported mail leaves for the background (Troika's text
    index and the compaction behind it, pauses in between) is not what a later reading costs."""
    spent = [processor_seconds(side.pids())]

    def idle():
        spent.append(processor_seconds(side.pids()))
        return len(spent) > 10 and spent[-1] - spent[-11] < 0.1

    until(idle, 1800, 3)


def resident_kib(pids):
    """Resident memory without counting shared pages twice (PSS)."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1))
    return total


def left_running(process):
    """Ends a server that an error in between left running."""
    atexit.register(lambda: process.poll() is None and process.kill())
    return process


def load(*arguments, **options):
    """Runs the load generator; answers its figures."""
    import json

    done = subprocess.run([RELEASE / "load", *map(str, arguments)], capture_output=True, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"load {' '.join(map(str, arguments))}: {done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def disk_bytes(folder):
    """Blocks that a folder takes on disk, reserved ones included (du)."""
    return int(subprocess.run(["du", "-s", "-B1", folder], capture_output=True, text=True, check=True).stdout.split()[0])


class Troika:
    """This project, release build."""

    name = "troika"

    def __init__(self, folder, users, sections=""):
        """`sections`: more of the configuration."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.smtp, self.imap, self.imaps, self.pop3 = (free_port() for _ in range(4))
        listeners = [("smtp", self.smtp, "none"), ("imap", self.imap, "none"), ("imap", self.imaps, "implicit"),
                     ("pop3", self.pop3, "none")]
        text = f'[server]\nhostname = "mail.{DOMAIN}"\ndata_dir = "data"\n[auth]\ndefault_domain = "{DOMAIN}"\n'
        text += "[limits]\nmessages_per_session = 4000000000\nconnections = 30000\n[log]\nlevel = \"warn\"\n"
        text += sections
        for protocol, port, tls in listeners:
            text += f'[[listener]]\nprotocol = "{protocol}"\nbind = "127.0.0.1:{port}"\ntls = "{tls}"\nplaintext_auth = true\n'
        self.config = self.folder / "troika.toml"
        self.config.write_text(text)
        self.command("domain", "add", DOMAIN)
        for user in range(users):
            self.command("account", "add", f"user{user}@{DOMAIN}", "--password-stdin", input=PASSWORD + "\n")
        self.start()

    def command(self, *words, **options):
        """Runs a command of the command line."""
        done = subprocess.run([RELEASE / "troika", "--config", self.config, *words], capture_output=True, text=True,
                              **options)
        if done.returncode:
            raise RuntimeError(f"troika {' '.join(words)}: {done.stderr}")
        return done.stdout

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = left_running(
            subprocess.Popen([RELEASE / "troika", "--config", self.config, "serve"], stderr=self.log, stdout=self.log))
        until(lambda: listening(self.imap))

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def pids(self):
        return [self.process.pid]

    def delivered(self, user):
        """Messages in a user's INBOX."""
        import json

        rows = self.command("--json", "mailbox", "list", f"user{user}@{DOMAIN}").splitlines()
        return next(row["messages"] for row in map(json.loads, rows) if row["name"] == "INBOX")

    def login(self, user):
        return f"user{user}@{DOMAIN}"

    def import_maildir(self, maildir, user):
        self.command("import", "maildir", str(maildir), "--account", f"user{user}@{DOMAIN}")

    def index_text(self, user):
        """Takes all mail into the text index; answers what it is like."""
        import json

        self.command("index", "rebuild", f"user{user}@{DOMAIN}")
        return json.loads(self.command("--json", "index", "status", f"user{user}@{DOMAIN}"))

    def mail_bytes(self):
        return disk_bytes(self.folder / "data" / "store")

    def index_bytes(self):
        return disk_bytes(self.folder / "data" / "store" / "index.redb")


class PostfixDovecot:
    """Debian's Postfix (queue, virtual domain) handing to Debian's Dovecot over LMTP, Maildir, their defaults."""

    name = "postfix+dovecot"

    def __init__(self, folder, users):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        os.chmod(self.folder, 0o755)
        self.smtp, self.imap, self.imaps, self.pop3 = (free_port() for _ in range(4))
        self.users = users
        if not any(entry.pw_name == "benchmail" for entry in pwd.getpwall()):
            subprocess.run(["useradd", "--system", "--shell", "/usr/sbin/nologin", "benchmail"], check=True)
        self.mail = self.folder / "mail"
        self.mail.mkdir()
        shutil.chown(self.mail, "benchmail", "benchmail")
        self.configure_dovecot()
        self.configure_postfix()
        self.start()

    def configure_dovecot(self):
        base = self.folder / "dovecot"
        (base / "run").mkdir(parents=True)
        self.lmtp = base / "run" / "lmtp"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", base / "key.pem", "-out", base / "cert.pem", "-days", "30", "-subj",
                        "/CN=localhost"], check=True, capture_output=True)
        (base / "dovecot.conf").write_text(f"""
base_dir = {base}/run
state_dir = {base}/run
log_path = {base}/log
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{base}/cert.pem
ssl_key = <{base}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{self.mail}/%n
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid=benchmail gid=benchmail home={self.mail}/%n allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
}}
mail_max_userip_connections = 30000
default_client_limit = 30000
default_process_limit = 30000
default_vsz_limit = 2G
service imap-login {{
  inet_listener imap {{
    port = {self.imap}
  }}
  inet_listener imaps {{
    port = {self.imaps}
    ssl = yes
  }}
  service_count = 0
  process_limit = 4
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {self.pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0666
  }}
}}
service imap {{
  process_limit = 30000
}}
""")

    def configure_postfix(self):
        conf, queue, data = (self.folder / part for part in ("postfix", "spool", "postfix-data"))
        for part in (conf, queue, data):
            part.mkdir()
        shutil.chown(data, "postfix")
        shutil.copy("/etc/postfix/postfix-files", conf)
        shutil.copytree("/etc/postfix/postfix-files.d", conf / "postfix-files.d", dirs_exist_ok=True)
        shutil.copy("/usr/share/postfix/master.cf.dist", conf / "master.cf")
        master = (conf / "master.cf").read_text()
        master = re.sub(r"^smtp +inet .*$", f"127.0.0.1:{self.smtp} inet n - n - - smtpd", master, flags=re.M)
        # No chroot: the LMTP socket lies outside the spool.
        master = re.sub(r"^(\S+ +(?:unix|inet|fifo) +\S+ +\S+ +)y ", r"\1n ", master, flags=re.M)
        master = re.sub(r"^(lmtp +unix +- +- +)[-y] ", r"\1n ", master, flags=re.M)
        master = re.sub(r"^(cleanup +unix +n +- +)[-y] ", r"\1n ", master, flags=re.M)
        (conf / "master.cf").write_text(master)
        (conf / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.{DOMAIN}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = {DOMAIN}
virtual_transport = lmtp:unix:{self.lmtp}
smtpd_recipient_restrictions = permit
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
mynetworks = 127.0.0.0/8
message_size_limit = 52428800
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
maillog_file = {self.folder}/postfix.log
maillog_file_prefixes = {self.folder}
alias_maps =
alias_database =
""")

    def start(self):
        base = self.folder / "dovecot"
        noise = open(self.folder / "noise", "ab")
        self.dovecot = left_running(
            subprocess.Popen(["dovecot", "-F", "-c", base / "dovecot.conf"], stderr=noise, stdout=noise))
        until(lambda: listening(self.imap) or self.dovecot.poll() is not None)
        if self.dovecot.poll() is not None:
            raise RuntimeError(f"dovecot ended: {(self.folder / 'noise').read_text()}")
        self.postfix("start")
        atexit.register(lambda: subprocess.run(["postfix", "-c", self.folder / "postfix", "abort"], capture_output=True))
        until(lambda: listening(self.smtp))
        self.master = int((self.folder / "spool" / "pid" / "master.pid").read_text())

    def postfix(self, word):
        """Runs `postfix start` or the like on this instance."""
        done = subprocess.run(["postfix", "-c", self.folder / "postfix", word], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"postfix {word}: {done.stdout}{done.stderr}")

    def stop(self):
        self.postfix("stop")
        self.dovecot.terminate()
        self.dovecot.wait(60)

    def pids(self):
        return descendants(self.dovecot.pid) + descendants(self.master)

    def delivered(self, user):
        """Messages in a user's INBOX, counted in its Maildir."""
        count = 0
        for part in ("cur", "new"):
            with contextlib.suppress(FileNotFoundError):
                count += sum(1 for _ in os.scandir(self.mail / f"user{user}" / part))
        return count

    def login(self, user):
        return f"user{user}"

    def index_text(self, user):
        """From now on with Debian's fts-xapian; answers the bytes of its index."""
        base = self.folder / "dovecot"
        with open(base / "dovecot.conf", "a") as conf:
            conf.write("""
mail_plugins = fts fts_xapian
plugin {
  fts = xapian
  fts_xapian = partial=3 full=20
  fts_enforced = yes
}
""")
        self.stop()
        self.start()
        subprocess.run(["doveadm", "-c", base / "dovecot.conf", "index", "-u", f"user{user}", "INBOX"], check=True)
        return disk_bytes(self.mail / f"user{user}" / "xapian-indexes")

    def import_maildir(self, maildir, user):
        target = self.mail / f"user{user}"
        shutil.copytree(maildir, target, dirs_exist_ok=True)
        subprocess.run(["chown", "-R", "benchmail:benchmail", target], check=True)

    def mail_bytes(self):
        return disk_bytes(self.mail)

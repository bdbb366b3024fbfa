"""Relays under comparison: Troika, Debian's Postfix and Debian's Exim, each handing everything to one sink: as to one
next hop, or by the MX records of a thousand domains (`domains.py`).

All are configured for the same promise, a message is on disk before it is acknowledged, and otherwise have their
defaults, but for limits that 32 clients would run into. Debian's exim4 can't be installed beside postfix: its package is
unpacked into target/exim.
"""

import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import smtplib
import socket
import statistics
import subprocess
import threading
import time
import urllib.request

from domains import ADDRESS, PARENT, Domains
from servers import (DOMAIN, RELEASE, ROOT, Troika, descendants, free_port, left_running, listening, load, processor_seconds,
                     resident_kib, until)

EXIM = ROOT / "target" / "exim" / "usr" / "sbin" / "exim4"


class Sink:
    """`load sink`: takes and counts."""

    def __init__(self):
        self.port = free_port()
        self.process = left_running(subprocess.Popen(
            [RELEASE / "load", "sink", "--address", f"127.0.0.1:{self.port}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        until(lambda: listening(self.port))

    def counts(self):
        """Messages, recipients, connections so far."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class TroikaRelay(Troika):
    """This project as a relay."""

    def __init__(self, folder, sink, domains=None):
        self.sink, self.domains = sink, domains
        super().__init__(folder, 0)

    def start(self):
        text = self.config.read_text()
        if "[network]" not in text:
            self.http = free_port()
            text += '[network]\nown = ["127.0.0.0/8"]\n'
            if self.domains:
                text += f'[dns]\nservers = ["{ADDRESS}"]\ndnssec = "off"\n[delivery]\nport = {self.sink}\n'
            else:
                text += f'[[route]]\nnext_hop = "127.0.0.1:{self.sink}"\n'
            text += f'[[listener]]\nprotocol = "http"\nbind = "127.0.0.1:{self.http}"\n'
            self.config.write_text(text)
        super().start()

    def metric(self, name):
        """The sum of a metric."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=30) as page:
            lines = page.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.split("{")[0].split(" ")[0] == name)


class PostfixRelay:
    """Debian's Postfix as a relay."""

    name = "postfix"

    def __init__(self, folder, sink, domains=None):
        self.domains = domains
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        os.chmod(self.folder, 0o755)
        self.smtp = free_port()
        conf, queue, data = (self.folder / part for part in ("postfix", "spool", "postfix-data"))
        for part in (conf, queue, data):
            part.mkdir()
        shutil.chown(data, "postfix")
        shutil.copy("/etc/postfix/postfix-files", conf)
        shutil.copytree("/etc/postfix/postfix-files.d", conf / "postfix-files.d", dirs_exist_ok=True)
        master = pathlib.Path("/usr/share/postfix/master.cf.dist").read_text()
        master = re.sub(r"^smtp +inet .*$", f"127.0.0.1:{self.smtp} inet n - n - - smtpd", master, flags=re.M)
        master = re.sub(r"^(\S+ +(?:unix|inet|fifo) +\S+ +\S+ +)[-y] ", r"\1n ", master, flags=re.M)
        (conf / "master.cf").write_text(master)
        if domains:
            # A port of one's own, and the domain's MX all the same.
            table = "".join(f"d{number}.{PARENT} smtp:d{number}.{PARENT}:{sink}\n" for number in range(DOMAINS))
            (conf / "transport").write_text(table)
            way = f"relayhost =\ntransport_maps = texthash:{conf}/transport"
        else:
            way = f"relayhost = [127.0.0.1]:{sink}\ndisable_dns_lookups = yes"
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
mynetworks = 127.0.0.0/8
{way}
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
maillog_file = {self.folder}/postfix.log
maillog_file_prefixes = {self.folder}
alias_maps =
alias_database =
""")
        self.conf = conf
        self.run("start")
        until(lambda: listening(self.smtp))
        self.master = int((queue / "pid" / "master.pid").read_text())

    def run(self, word):
        words = ["postfix", "-c", self.conf, word]
        subprocess.run(self.domains.seen_by(words) if self.domains else words, capture_output=True, check=True)

    def stop(self):
        self.run("stop")

    def pids(self):
        return descendants(self.master)


class EximRelay:
    """Debian's Exim as a relay."""

    name = "exim"

    def __init__(self, folder, sink, domains=None):
        if not EXIM.exists():
            target = ROOT / "target" / "exim"
            target.mkdir(parents=True, exist_ok=True)
            subprocess.run(["apt-get", "download", "exim4-daemon-light"], cwd=target, check=True, capture_output=True)
            for package in target.glob("exim4-daemon-light_*.deb"):
                subprocess.run(["dpkg-deb", "-x", package, target], check=True)
        if not any(entry.pw_name == "Debian-exim" for entry in pwd.getpwall()):
            subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "Debian-exim"], check=True)
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        os.chmod(self.folder, 0o755)
        self.smtp = free_port()
        (self.folder / "spool").mkdir()
        for part in (self.folder, self.folder / "spool"):
            shutil.chown(part, "Debian-exim", "Debian-exim")
        conf = self.folder / "exim.conf"
        way = "driver = dnslookup" if domains else "driver = manualroute\n  route_list = * 127.0.0.1"
        conf.write_text(f"""
exim_path = {EXIM}
primary_hostname = mail.{DOMAIN}
spool_directory = {self.folder}/spool
log_file_path = {self.folder}/%slog
pid_file_path = {self.folder}/exim.pid
daemon_smtp_ports = {self.smtp}
local_interfaces = 127.0.0.1
disable_ipv6 = true
keep_environment =
acl_smtp_rcpt = accept
never_users =
rfc1413_query_timeout = 0s
host_lookup =
tls_advertise_hosts =
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
split_spool_directory = true
begin routers
onward:
  {way}
  transport = onward
  self = send
begin transports
onward:
  driver = smtp
  port = {sink}
  hosts_try_fastopen =
  allow_localhost
begin retry
* * F,1h,1s
""")
        noise = open(self.folder / "noise", "ab")
        words = [EXIM, "-bdf", "-q1m", "-C", conf]
        words = domains.seen_by(words) if domains else words
        self.process = left_running(subprocess.Popen(words, stdout=noise, stderr=noise))
        until(lambda: listening(self.smtp))

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def pids(self):
        return descendants(self.process.pid)


SIDES = (TroikaRelay, PostfixRelay, EximRelay)
DOMAINS = 1000


def relayed(side, sink, count, domains, seed):
    """Messages a second, from the first one sent to the last one at the sink."""
    before = sink.counts()["messages"]
    start = time.monotonic()
    sent = load("smtp", "--address", f"127.0.0.1:{side.smtp}", "--messages", count, "--size", 10240, "--connections", 32,
                "--domain", PARENT, "--domains", domains, "--seed", seed)
    # Making the messages is not the server's time.
    start = max(start, time.monotonic() - sent["seconds"])
    until(lambda: sink.counts()["messages"] - before >= count, 900, 0.005)
    return count / (time.monotonic() - start)


def latency(side_class, folder):
    """Milliseconds from the 250 of a relay that has nothing else to do to the final dot at the next hop."""
    arrived = {}
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=take, args=(listener, arrived), daemon=True).start()
    side = side_class(folder, listener.getsockname()[1])
    waits = []
    with smtplib.SMTP("127.0.0.1", side.smtp) as smtp:
        for number in range(60):
            smtp.sendmail("a@load.test", [f"m{number}@relay.test"], f"Subject: {number}\r\n\r\nhello\r\n")
            acknowledged = time.monotonic()
            at = until(lambda: arrived.get(f"m{number}"), 60, 0.0005)
            waits.append((at - acknowledged) * 1000)
            # Idle again.
            time.sleep(0.05)
    side.stop()
    return sorted(waits)


def take(listener, arrived):
    """A next hop for few messages, which notes when each has come."""

    def one(connection):
        stream = connection.makefile("rb")
        connection.sendall(b"220 sink.test ESMTP\r\n")
        recipient = ""
        for line in stream:
            verb = line[:4].upper()
            if verb == b"RCPT":
                recipient = line.split(b"<")[1].split(b"@")[0].decode()
            if verb == b"DATA":
                connection.sendall(b"354 go on\r\n")
                while stream.readline() != b".\r\n":
                    pass
                arrived[recipient] = time.monotonic()
            connection.sendall(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=quietly, args=(one, connection), daemon=True).start()


def quietly(work, connection):
    """A relay that is stopped breaks off."""
    with contextlib.suppress(OSError):
        work(connection)


def relay(folder, report, rounds, messages):
    """Throughput with 1 and 1,000 destination domains, and latency when idle."""
    rows = {}
    for domains in (1, DOMAINS):
        names = Domains(folder / f"names-{domains}", DOMAINS) if domains > 1 else None
        rates = {side.name: [] for side in SIDES}
        cost = {side.name: [] for side in SIDES}
        for turn in range(rounds):
            for side_class in SIDES:
                sink = Sink()
                side = side_class(folder / f"{side_class.name}-{domains}-{turn}", sink.port, names)
                count = messages if side_class is TroikaRelay else max(messages // 5, 300)
                before = processor_seconds(side.pids())
                rates[side.name].append(relayed(side, sink, count, domains, turn + 1))
                cost[side.name].append((processor_seconds(side.pids()) - before) / count * 1000)
                side.stop()
                sink.stop()
        if names:
            names.stop()
        median = {name: statistics.median(values) for name, values in rates.items()}
        for name, rate in median.items():
            rows[f"{domains} domains: {name} messages/s"] = rate
            rows[f"{domains} domains: {name} processor ms a message"] = statistics.median(cost[name])
        for peer in ("postfix", "exim"):
            rows[f"{domains} domains: ratio to {peer} (goal >= 3)"] = median["troika"] / median[peer]
    for side_class in SIDES:
        waits = latency(side_class, folder / f"{side_class.name}-latency")
        rows[f"{side_class.name} 250 to sink, idle, p50 ms" + (" (goal < 5)" if side_class is TroikaRelay else "")] = waits[len(waits) // 2]
    report("relay, 32 clients, 10 KiB", rows)


def dead(folder, report, messages):
    """A queue of many messages for hosts that do not answer: memory, and the time from the start to the first job."""
    names = Domains(folder / "names", DOMAINS)
    # Nobody listens there.
    side = TroikaRelay(folder / "troika", free_port(), names)
    load("smtp", "--address", f"127.0.0.1:{side.smtp}", "--messages", messages, "--size", 2048, "--connections", 32,
         "--domain", PARENT, "--domains", DOMAINS, "--seed", 1)
    until(lambda: side.metric("troika_queue_messages") >= messages, 600)
    full = resident_kib(side.pids()) / 1024
    seconds = {"clean": [], "killed": []}
    for how in ("clean", "killed", "clean", "killed", "clean", "killed"):
        if how == "clean":
            side.stop()
        else:
            side.process.kill()
            side.process.wait(60)
        begun = time.monotonic()
        side.start()
        until(lambda: listening(side.smtp) and side.metric("troika_sent_connections_failed_total") > 0, 120, 0.01)
        seconds[how].append(time.monotonic() - begun)
        assert side.metric("troika_queue_messages") == messages
    after = resident_kib(side.pids()) / 1024
    side.stop()
    names.stop()
    report(f"a queue of {messages} messages for {DOMAINS} dead hosts", {
        "MiB resident when they have come (goal < 200)": full,
        "MiB resident after a start (goal < 200)": after,
        "s from start to listening and the first job (goal < 2)": statistics.median(seconds["clean"]),
        "the same after kill -9": statistics.median(seconds["killed"]),
    })

"""Moving an account: `troika migrate` and `troika collect` from Debian's Dovecot, and `doveadm backup` (imapc) from the same
into a Maildir.

    BENCH_BIN=target/release python3 bench/migrate.py        MESSAGES: how many (10,000); ROUND_TRIP: ms to the far one (20)

All read one source over loopback by IMAP with TLS off, and write to the same disk.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "e2e"))

from harness.dovecot import PASSWORD as SOURCE_PASSWORD  # noqa: E402
from harness.dovecot import Dovecot  # noqa: E402
from harness.tap import Distance  # noqa: E402
from servers import Troika  # noqa: E402

MESSAGES = int(os.environ.get("MESSAGES", "10000"))


def fill(dovecot):
    """Text and attachments, 1 to 60 kB, mean some 9 kB, in two folders, straight into the Maildir."""
    dice = random.Random(1)
    octets = 0
    for number in range(MESSAGES):
        folder = dovecot.mail / "anna" / ("" if number % 3 else ".Work")
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        size = dice.choice([1000, 2000, 4000, 8000, 30000])
        lines = (" ".join(f"word{dice.randrange(20000)}" for _ in range(9)) for _ in range(size // 80))
        text = f"From: a@b.test\nSubject: number {number}\nMessage-ID: <{number}@b.test>\n\n" + "\n".join(lines) + "\n"
        octets += len(text)
        (folder / "cur" / f"{1600000000 + number}.M{number}.host:2,{'S' if number % 4 else ''}").write_text(text)
    subprocess.run(["chown", "-R", "mail:mail", dovecot.mail], check=True)
    return octets


def backup(dovecot, folder):
    """Seconds that doveadm takes."""
    conf = folder / "backup.conf"
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    (folder / "run").mkdir()
    conf.write_text(f"""
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols =
first_valid_uid = 1
first_valid_gid = 1
mail_uid = mail
mail_gid = mail
mail_location = maildir:{folder}/mail
mail_home = {folder}
ssl = no
imapc_host = 127.0.0.1
imapc_port = {dovecot.imap}
imapc_user = anna
imapc_password = {SOURCE_PASSWORD}
imapc_features = rfc822.size fetch-headers
namespace inbox {{
  inbox = yes
  separator = /
}}
""")
    subprocess.run(["chown", "-R", "mail:mail", folder], check=True)
    begun = time.monotonic()
    subprocess.run(["doveadm", "-c", conf, "backup", "-R", "imapc:"], check=True, env={**os.environ, "USER": "anna", "HOME": str(folder)})
    return time.monotonic() - begun


def moved(troika, number, port):
    """Seconds of two runs of `troika migrate`."""
    seconds = []
    for _ in range(2):
        begun = time.monotonic()
        troika.command("migrate", "--from", f"imap+plain://anna@127.0.0.1:{port}", "--account",
                       f"user{number}@example.test", "--password-stdin", input=SOURCE_PASSWORD + "\n")
        seconds.append(time.monotonic() - begun)
    return seconds


def collected(troika, number, protocol, port):
    """Seconds that the first run of `troika collect` takes for INBOX, and how many messages came."""
    done = troika.command("collect", "add", f"user{number}@example.test", "--protocol", protocol, "--host", "127.0.0.1",
                          "--port", str(port), "--tls", "none", "--user", "anna", "--json", input=SOURCE_PASSWORD + "\n")
    source = str(json.loads(done)["id"])
    begun = time.monotonic()
    while True:
        row = json.loads(troika.command("collect", "show", source, "--json"))
        if row["last_run"] and row["state"] != "running":
            return time.monotonic() - begun, row["collected_total"]
        time.sleep(0.05)


def main():
    """Prints the speeds, over loopback and as if the source were ROUND_TRIP milliseconds away."""
    base = pathlib.Path(tempfile.mkdtemp(prefix="troika-bench-migrate-", dir=os.environ.get("BENCH_DIR", "/var/tmp")))
    away = float(os.environ.get("ROUND_TRIP", "20")) / 1000
    with Dovecot() as dovecot, Distance(dovecot.imap, away) as imap, Distance(dovecot.pop3, away) as pop3:
        octets = fill(dovecot)
        client = dovecot.login()
        client.select("INBOX")
        client.logout()
        troika = Troika(base / "troika", 6, '[collect]\nnetworks = ["127.0.0.0/8"]\n')
        print(f"{MESSAGES} messages, {octets / 1e6:.0f} MB", flush=True)
        for number, (name, port) in enumerate((("loopback", dovecot.imap), (f"{away * 1000:.0f} ms", imap.port))):
            for run, seconds in zip(("first", "second"), moved(troika, number, port), strict=True):
                print(f"troika migrate, {name}, {run} run: {seconds:.2f} s, {MESSAGES / seconds:.0f}/s", flush=True)
        ways = [("imap", "loopback", dovecot.imap), ("imap", "far", imap.port),
                ("pop3", "loopback", dovecot.pop3), ("pop3", "far", pop3.port)]
        for number, (protocol, name, port) in enumerate(ways, 2):
            seconds, count = collected(troika, number, protocol, port)
            print(f"troika collect, {protocol}, {name}: {count} in {seconds:.2f} s, {count / seconds:.0f}/s", flush=True)
        troika.stop()
        (base / "backup").mkdir()
        seconds = backup(dovecot, base / "backup")
        print(f"doveadm backup: {seconds:.2f} s, {MESSAGES / seconds:.0f}/s")


main()

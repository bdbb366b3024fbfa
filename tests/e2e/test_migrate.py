"""`troika migrate`: accounts from Debian's Dovecot, octet by octet."""

import hashlib
import imaplib
import json
import random
import re
import subprocess
import time

import pytest
from harness.dovecot import MASTER_PASSWORD, PASSWORD, Dovecot
from harness.mail import message, to_utf7, with_attachment
from harness.server import BINARY
from harness.tap import Tap
from harness.waiting import until

BASE = 1_500_000_000


def quoted(name):
    return '"' + to_utf7(name).replace("\\", "\\\\").replace('"', '\\"') + '"'


def put(client, folder, raw, *, flags="", at=0):
    """Append a message; `at`: seconds behind `BASE`."""
    date = imaplib.Time2Internaldate(BASE + at)
    done = client.append(quoted(folder), f"({flags})", date, raw)
    assert done[0] == "OK", done


def kept(client, folder):
    """What a server has in a folder, in order of UID: fingerprint, length, INTERNALDATE, flags."""
    assert client.select(quoted(folder), readonly=True)[0] == "OK", folder
    found = []
    if client.untagged_responses["EXISTS"] == [b"0"]:
        return found
    _, data = client.fetch("1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
    for at, item in enumerate(data):
        if not isinstance(item, tuple):
            continue
        rest = data[at + 1] if at + 1 < len(data) and isinstance(data[at + 1], bytes) else b""
        facts = item[0] + b" " + rest
        flags = {flag.decode().lower() for flag in imaplib.ParseFlags(facts)} - {"\\recent"}
        date = time.mktime(imaplib.Internaldate2tuple(facts))
        uid = int(re.search(rb"UID (\d+)", facts).group(1))
        found.append((uid, (hashlib.sha256(item[1]).hexdigest(), len(item[1]), int(date), tuple(sorted(flags)))))
    return [facts for _, facts in sorted(found)]


def theirs(dovecot, folders, user="anna"):
    client = dovecot.login(user)
    found = {folder: kept(client, folder) for folder in folders}
    client.logout()
    return found


def ours(server, account, folders):
    client = server.imap_login(account)
    found = {folder: kept(client, folder) for folder in folders}
    client.logout()
    return found


def migrate(server, dovecot, account, *words, expect=0, url=None, password=PASSWORD):
    """Run the command; answer it."""
    command = ["migrate", "--from", url or dovecot.url(), "--account", account.address, "--password-stdin"]
    command += ["--authorities", dovecot.ca, *words]
    return server.cli(*command, stdin=password + "\n", expect=expect, timeout=300)


def rows(server, dovecot, account, *words, **options):
    """Run the command with --json; answer its rows by folder."""
    done = migrate(server, dovecot, account, *words, "--json", **options)
    return {row["folder"]: row for row in map(json.loads, done.stdout.splitlines())}


def total(rows, field):
    return sum(row[field] for row in rows.values())


def strange(number):
    """Messages of all sorts, without NUL (which Dovecot does not keep)."""
    dice = random.Random(number)
    kind = number % 8
    if kind == 0:
        return "Subject: =?utf-8?q?8bit?=\r\n\r\nПисьмо с восемью битами ".encode() + str(number).encode() + b"\r\n"
    if kind == 1:
        octets = bytes(dice.randrange(1, 256) for _ in range(700)).replace(b"\n", b"\n\r\n")
        return b"Subject: binary\r\n\r\n" + octets
    if kind == 2:
        return b"\r\n" if number % 16 == 2 else b"X"
    if kind == 3:
        head = "".join(f"X-Header-{line}: {'v' * dice.randrange(10, 900)}\r\n" for line in range(60))
        return head.encode() + b"Subject: huge header\r\n\r\nbody\r\n"
    if kind == 4 and number % 80 == 4:
        return with_attachment(300_000, seed=number)[0]
    if kind == 5:
        return b"Subject: no body at all %d\r\n" % number
    if kind == 6:
        return b"Subject: " + b"x" * 5000 + b"\r\n\r\n" + b"a line without end" * 500
    return message(f"plain {number}", body=f"number {number}\r\n" * dice.randrange(1, 30))


FLAGS = ["", "\\Seen", "\\Answered \\Seen", "\\Flagged", "\\Draft", "\\Deleted", "$Forwarded NonJunk", "\\Seen $Label1"]


def fill(dovecot, folders, count, user="anna"):
    """Spread messages over folders, which are made and subscribed."""
    client = dovecot.login(user)
    for folder in folders:
        if folder != "INBOX":
            assert client.create(quoted(folder))[0] == "OK", folder
            client.subscribe(quoted(folder))
    for number in range(count):
        put(client, folders[number % len(folders)], strange(number), flags=FLAGS[number % len(FLAGS)], at=number * 977)
    client.logout()


LAYOUTS = {
    ".": ("maildir++", {"INBOX": "INBOX", "Счета.Alt": "Счета/Alt", "A & B": "A & B", "Gesendet": "Sent", "Spam": "Junk", "x_y.z": "x_y/z"}),
    "/": ("fs", {"INBOX": "INBOX", "Счета/Alt": "Счета/Alt", "v1.0": "v1.0", "Mülleimer": "Trash", "Deep/a/b/c": "Deep/a/b/c"}),
}


@pytest.mark.parametrize("separator", [".", "/"])
def test_everything_comes_over_and_a_second_run_changes_nothing(own_server, separator):
    layout, names = LAYOUTS[separator]
    uses = [("Gesendet", "\\Sent")] if separator == "." else [("Mülleimer", "\\Trash")]
    with Dovecot(separator=separator, layout=layout, uses=uses) as dovecot:
        fill(dovecot, list(names), 1000)
        server = own_server()
        alice = server.account()
        dry = rows(server, dovecot, alice, "--dry-run")
        assert total(dry, "new") == 1000 and {name: dry[name]["into"] for name in names} == names
        assert total(server.mailboxes(alice), "messages") == 0
        first = rows(server, dovecot, alice)
        assert total(first, "new") == 1000 and not any(row["missing"] for row in first.values()), first
        expected = {names[folder]: found for folder, found in theirs(dovecot, names).items()}
        assert ours(server, alice, names.values()) == expected
        second = rows(server, dovecot, alice)
        assert [total(second, field) for field in ("new", "recognised", "flags_changed", "removed", "known")] == [0, 0, 0, 0, 1000]
        assert ours(server, alice, names.values()) == expected
        client = server.imap_login(alice)
        subscribed = b" ".join(client.lsub()[1]).decode()
        client.logout()
        for name in names.values():
            assert to_utf7(name) in subscribed


def test_news_flags_and_removals_between_runs(own_server):
    with Dovecot() as dovecot:
        fill(dovecot, ["INBOX", "Work"], 60)
        server = own_server(start=False)
        alice = server.account()
        # Without a running server, too.
        assert migrate(server, dovecot, alice).stdout.count(b" 30 ") >= 4
        server.start()
        client = dovecot.login()
        client.select("INBOX")
        client.store("1:10", "FLAGS", "(\\Flagged $Important)")
        client.store("11:15", "+FLAGS", "\\Deleted")
        client.store("20", "-FLAGS", "(\\Deleted)")
        put(client, "INBOX", message("news"), flags="\\Seen", at=-9999)
        client.logout()
        second = rows(server, dovecot, alice, "--keep-local-flags")
        assert (total(second, "new"), total(second, "flags_changed")) == (1, 0)
        third = rows(server, dovecot, alice)
        assert total(third, "new") == 0 and total(third, "flags_changed") >= 10
        assert ours(server, alice, ["INBOX", "Work"]) == theirs(dovecot, ["INBOX", "Work"])
        client = dovecot.login()
        client.select("INBOX")
        client.expunge()
        client.select("Work")
        client.store("1:5", "+FLAGS", "\\Deleted")
        client.expunge()
        client.logout()
        kept_all = rows(server, dovecot, alice)
        assert total(kept_all, "removed") == 0 and len(ours(server, alice, ["Work"])["Work"]) == 30
        gone = rows(server, dovecot, alice, "--delete")
        assert total(gone, "removed") >= 6
        assert ours(server, alice, ["INBOX", "Work"]) == theirs(dovecot, ["INBOX", "Work"])


def test_a_new_uid_validity_doubles_nothing(own_server):
    with Dovecot() as dovecot:
        fill(dovecot, ["INBOX", "Work"], 80)
        server = own_server()
        alice = server.account()
        migrate(server, dovecot, alice)
        before = ours(server, alice, ["INBOX", "Work"])
        dovecot.new_uid_validity()
        second = rows(server, dovecot, alice)
        assert (second["INBOX"]["recognised"], second["INBOX"]["new"], second["Work"]["known"]) == (40, 0, 40)
        assert ours(server, alice, ["INBOX", "Work"]) == before
        third = rows(server, dovecot, alice, "--delete")
        assert (total(third, "known"), total(third, "removed")) == (80, 0)


@pytest.mark.parametrize("victim", ["server", "source", "command"])
def test_interrupted_it_goes_on_where_it_was(own_server, victim):
    folders = ["INBOX", "Work", "Счета"]
    with Dovecot() as dovecot:
        # Many, where the end of a run must not come before its interruption.
        count = 6000 if victim == "server" else 900
        fill(dovecot, folders, count)
        server = own_server()
        alice = server.account()
        words = ["--config", server.config, "migrate", "--from", dovecot.url(), "--account", alice.address]
        words += ["--password-stdin", "--authorities", dovecot.ca]
        for attempt in range(1, 3):
            running = subprocess.Popen([BINARY, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            running.stdin.write(PASSWORD.encode() + b"\n")
            running.stdin.close()

            def came():
                return total(server.mailboxes(alice), "messages")

            goal = came() + 100
            until(lambda: running.poll() is not None or came() >= goal, "some of it", seconds=120)
            if victim == "server":
                server.kill()
                assert running.wait(300) != 0 or attempt > 1
                server.start()
            elif victim == "source":
                dovecot.kill()
                dovecot.start()
                assert running.wait(300) == 0, running.stderr.read()
            else:
                running.kill()
                running.wait()
        done = rows_when_free(server, dovecot, alice)
        assert total(done, "messages") == count
        assert ours(server, alice, folders) == theirs(dovecot, folders)


def rows_when_free(server, dovecot, account):
    """Run it; the one whose command was killed may still be at its last message."""

    def attempt():
        done = migrate(server, dovecot, account, "--json", expect=None)
        if b"being copied to" in done.stderr:
            return None
        assert done.returncode == 0, done.stderr
        return {row["folder"]: row for row in map(json.loads, done.stdout.splitlines())}

    return until(attempt, "the account to be free", seconds=300)


def test_a_message_that_vanishes_and_others_that_cannot_be_had(own_server):
    with Dovecot() as dovecot:
        fill(dovecot, ["INBOX"], 40)
        server = own_server()
        alice = server.account()

        def vanish():
            client = dovecot.login()
            client.select("INBOX")
            client.store("30:35", "+FLAGS", "\\Deleted")
            client.expunge()
            client.logout()

        with Tap(dovecot.imap, b"BODY.PEEK", vanish) as tap:
            url = f"imap+plain://anna@localhost:{tap.port}"
            first = rows(server, dovecot, alice, url=url)
            assert total(first, "messages") == 40 and not first["INBOX"]["missing"]
        left = theirs(dovecot, ["INBOX"])["INBOX"]
        assert ours(server, alice, ["INBOX"])["INBOX"] == left
        # Beyond the quota: smaller ones behind it come.
        client = dovecot.login()
        put(client, "INBOX", with_attachment(400_000)[0])
        put(client, "INBOX", message("small"))
        client.logout()
        few = server.account(None, "--quota", "900K")
        done = migrate(server, dovecot, few, expect=1)
        assert b"quota" in done.stderr and b"run it again" in done.stderr, done.stderr
        assert len(ours(server, few, ["INBOX"])["INBOX"]) == len(left) + 1
        server.cli("account", "set", few.address, "--quota", "0")
        assert total(rows(server, dovecot, few), "new") == 1


def test_a_long_way_is_not_gone_for_each_message(own_server):
    with Dovecot() as dovecot:
        client = dovecot.login()
        for number in range(400):
            put(client, "INBOX", message(f"far {number}"), at=number)
        # What is missing between them makes sets long.
        client.select("INBOX")
        client.store("3:9,40,42,44,46", "+FLAGS", "\\Deleted")
        client.expunge()
        client.logout()
        server = own_server()
        alice = server.account()
        with Tap(dovecot.imap, b"BODY.PEEK") as tap:
            first = rows(server, dovecot, alice, url=f"imap+plain://anna@localhost:{tap.port}")
            assert total(first, "new") == 389
            assert tap.seen == 1
        assert ours(server, alice, ["INBOX"]) == theirs(dovecot, ["INBOX"])


def test_what_is_wrong_is_told(own_server):
    with Dovecot() as dovecot:
        fill(dovecot, ["INBOX"], 1)
        server = own_server()
        alice = server.account()
        said = migrate(server, dovecot, alice, expect=1, password="wrong").stderr
        assert b"log-in" in said, said
        assert b"certificate" in server.cli(
            "migrate", "--from", dovecot.url(), "--account", alice.address, "--password-stdin", stdin="x\n", expect=1
        ).stderr.lower()
        assert b"no account" in server.cli(
            "migrate", "--from", dovecot.url(), "--account", "none@example.test", "--password-stdin", stdin="x\n", expect=1
        ).stderr
        assert b"imaps://" in migrate(server, dovecot, alice, expect=1, url="pop3://x").stderr
        assert b"no folder" in migrate(server, dovecot, alice, "--folders", "Nothing", expect=1).stderr
        dovecot.kill()
        assert b"can't be reached" in migrate(server, dovecot, alice, expect=1).stderr
        assert total(server.mailboxes(alice), "messages") == 0


def test_many_accounts_from_a_list(own_server, tmp_path):
    with Dovecot() as dovecot:
        users = ["one", "two", "three"]
        for number, user in enumerate(users):
            fill(dovecot, ["INBOX", "Work"], 20 + number, user)
        server = own_server()
        accounts = [server.account() for _ in users]
        lines = [f'{user},"{PASSWORD}",{account.address}' for user, account in zip(users, accounts, strict=True)]
        extra = server.account()
        (tmp_path / "list.csv").write_text("# comment\n" + "\n".join([*lines, f"four,wrong,{extra.address}"]) + "\n")
        words = ["migrate", "--from", dovecot.url(""), "--accounts", tmp_path / "list.csv", "--authorities", dovecot.ca]
        done = server.cli(*words, "--json", expect=1)
        assert b"of 4 accounts 1 " in done.stderr
        result = {row["account"]: row for row in map(json.loads, done.stdout.splitlines())}
        assert [result[account.address]["new"] for account in accounts] == [20, 21, 22]
        assert {result[account.address]["result"] for account in accounts} == {"complete"}
        assert "log-in" in result[extra.address]["result"]
        for user, account in zip(users, accounts, strict=True):
            assert ours(server, account, ["INBOX", "Work"]) == theirs(dovecot, ["INBOX", "Work"], user)
        # With a master's password that of the lines is not needed.
        (tmp_path / "master.csv").write_text("".join(f"{user},,{account.address}\n" for user, account in zip(users, accounts, strict=True)))
        words[4] = tmp_path / "master.csv"
        words += ["--master", "master", "--password-stdin"]
        table = server.cli(*words, stdin=MASTER_PASSWORD + "\n").stdout.decode()
        assert table.count("complete") == 3 and "ACCOUNT" in table

"""IMAP writers: APPEND, MULTIAPPEND, CATENATE, STORE, COPY, MOVE, EXPUNGE, UID EXPUNGE and REPLACE, in folders of one's own
and in one of another account; SETMETADATA and SETACL; and submission of what is stored (BURL), while the server is killed.
"""

import re
import smtplib
import socket
from urllib.parse import quote

from folders import ANY, FOLDERS, GIVEN, Change, Message
from ledger import ID_FIELD, Fate, digest
from load import Worker, message

FLAGS = [r"\seen", r"\answered", r"\flagged", r"\draft", r"\deleted", "word", "$forwarded"]
# Messages of a folder above which more go than come.
FULL = 25
# Messages whose octets a writer remembers.
KNOWN = 20


class Connection:
    """IMAP on a bare socket: commands whose literals are sent with or without waiting."""

    def __init__(self, port, account):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")
        self.number = 0
        self.line()
        status, _ = self.command(f'LOGIN {account.address} "{account.password}"')
        assert status == "OK", status

    def line(self):
        """One line of an answer; none of ours holds a literal."""
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError
        return line.decode()

    def command(self, *parts, waiting=False):
        """Send text and literals (bytes), return the tagged status and all lines."""
        self.number += 1
        tag = f"w{self.number}"
        out = f"{tag} ".encode()
        for part in parts:
            if isinstance(part, str):
                out += part.encode()
                continue
            out += b"{%d%s}\r\n" % (len(part), b"" if waiting else b"+")
            if waiting:
                self.sock.sendall(out)
                out = b""
                answer = self.line()
                while answer.startswith("* "):
                    answer = self.line()
                if not answer.startswith("+"):
                    return answer.split()[1], [answer]
            out += part
        self.sock.sendall(out + b"\r\n")
        lines = [self.line()]
        while not lines[-1].startswith(tag + " "):
            lines.append(self.line())
        return lines[-1].split()[1], lines

    def close(self):
        """Without ceremony."""
        self.file.close()
        self.sock.close()


def numbers(uid_set):
    """Members of a set like 3:5,9."""
    runs = ([int(end) for end in run.split(":")] for run in uid_set.split(","))
    return [uid for run in runs for uid in range(min(run), max(run) + 1)]


def new_uids(lines):
    """UIDs that APPENDUID or COPYUID tell (RFC 4315), in order."""
    for line in lines:
        if told := re.search(r"\[(?:APPENDUID \d+|COPYUID \d+ \S+) ([\d:,]+)\]", line):
            return numbers(told[1])
    return []


class ImapWriter(Worker):
    """Has the folders of one account for itself."""

    def __init__(self, server, ledger, folders, account, seed):
        super().__init__(server, ledger, [account], seed)
        self.folders = folders
        self.account = account
        # Octets of what was appended last, by name.
        self.known = {}

    def work(self):
        """One session."""
        connection = Connection(self.server.imap_clear, self.account)
        try:
            for _ in range(30):
                if self.stopping.is_set():
                    return
                self.one(connection)
        finally:
            connection.close()

    def one(self, connection):
        """One command on one folder."""
        folder = self.rng.choice(FOLDERS)
        here = self.folders.state[folder]
        adding = [self.append, self.append, self.copy, self.take_in, self.catenate]
        removing = [self.expunge, self.uid_expunge]
        other = [self.move, self.store, self.store, self.replace, self.annotate, self.share, self.submit]
        usual = adding + removing + other
        command = self.rng.choice(adding if len(here) < 2 else removing if len(here) > FULL else usual)
        assert connection.command(f"SELECT {self.quoted(folder)}")[0] == "OK"
        command(connection, folder)

    # What the commands say and promise

    def run_command(self, connection, change, *parts, waiting=False):
        """Run it under the eyes of the model."""
        self.folders.begin(change)
        status, lines = connection.command(*parts, waiting=waiting)
        if status != "OK":
            self.folders.refused()
            raise AssertionError(f"{change.words}: {lines[-1]}")
        if wrong := self.folders.done(new_uids(lines) if change.new else []):
            raise AssertionError(wrong)

    def some_flags(self):
        """Any flags but \\Deleted, which comes by STORE."""
        return frozenset(self.rng.sample([flag for flag in FLAGS if flag != r"\deleted"], self.rng.randint(0, 3)))

    def fresh(self):
        """A new message: what is promised of it, and its octets."""
        name = f"{self.seed}-{self.rng.getrandbits(40):010x}"
        octets = message(self.rng, name, [200, 1000, 4000, 4000, 20_000, 100_000])
        self.known[name] = octets
        while len(self.known) > KNOWN:
            del self.known[next(iter(self.known))]
        return Message(name, digest(octets), self.some_flags()), octets

    def quoted(self, folder):
        """A folder as it stands in a command."""
        return f'"{self.folders.name(folder)}"'

    def stored(self, folders):
        """Places of messages whose octets are known."""
        state = self.folders.state
        return [(folder, uid, one.name) for folder in folders for uid, one in state[folder].items() if one.name in self.known]

    def some_uids(self, folder):
        """A few messages of a folder."""
        here = sorted(self.folders.state[folder])
        return sorted(self.rng.sample(here, self.rng.randint(1, min(len(here), 12))))

    def append(self, connection, folder):
        """APPEND, often of several messages (RFC 3502)."""
        parts, new = [f"APPEND {self.quoted(folder)}"], []
        for _ in range(self.rng.choice([1, 1, 2, 5])):
            promised, octets = self.fresh()
            parts += [f" ({' '.join(sorted(promised.flags))}) ", octets]
            new.append((folder, promised))
        change = Change(f"APPEND of {len(new)}", new=new)
        self.run_command(connection, change, *parts, waiting=self.rng.random() < 0.3)

    def catenate(self, connection, folder):
        """APPEND CATENATE (RFC 4469): a head, a message that is stored, and an end."""
        places = self.stored(FOLDERS)
        if not places:
            self.append(connection, folder)
            return
        source, uid, taken = self.rng.choice(places)
        name, flags = f"{self.seed}-{self.rng.getrandbits(40):010x}", self.some_flags()
        head, end = b"%s%s\r\nSubject: catenated\r\n\r\n" % (ID_FIELD, name.encode()), b"the end\r\n"
        promised = Message(name, digest(head + self.known[taken] + end), flags)
        url = f"/{quote(self.folders.name(source))}/;UID={uid}"
        parts = [f"APPEND {self.quoted(folder)} ({' '.join(sorted(flags))}) CATENATE (TEXT ", head, f' URL "{url}" TEXT ', end, ")"]
        change = Change(f"CATENATE {folder} with {source} {uid}", new=[(folder, promised)])
        self.run_command(connection, change, *parts, waiting=self.rng.random() < 0.3)

    def annotate(self, connection, folder):
        """SETMETADATA (RFC 5464)."""
        value = f"note {self.rng.getrandbits(30)}"
        change = Change(f"SETMETADATA {folder}", notes={(folder, "comment"): value})
        self.run_command(connection, change, f'SETMETADATA {self.quoted(folder)} (/private/comment "{value}")')

    def share(self, connection, folder):
        """SETACL (RFC 4314) of a folder of one's own."""
        folder = FOLDERS[0] if folder == GIVEN else folder
        rights = self.rng.choice(["lr", "lrs", "lrsw", "lrswi"])
        change = Change(f"SETACL {folder}", notes={(folder, "rights"): rights})
        self.run_command(connection, change, f"SETACL {self.quoted(folder)} {self.folders.neighbour} {rights}")

    def submit(self, connection, folder):
        """BURL (RFC 4468): a head, and the text of a message that is stored, to the INBOX of this account."""
        places = self.stored(one for one in FOLDERS if one != GIVEN)
        if not places:
            self.append(connection, folder)
            return
        source, uid, taken = self.rng.choice(places)
        address, name = self.account.address, f"{self.seed}-{self.rng.getrandbits(40):010x}"
        head = f"From: {address}\r\nMessage-ID: <{name}@crash.test>\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n".encode()
        head += b"%s%s\r\nSubject: burl\r\n\r\n" % (ID_FIELD, name.encode())
        local, domain = address.split("@")
        url = f"imap://{local}@{domain}/{source}/;UID={uid}/;SECTION=TEXT"
        text = self.known[taken].split(b"\r\n\r\n", 1)[1]
        with smtplib.SMTP("127.0.0.1", self.server.submission, timeout=30) as session:
            session.login(address, self.account.password)
            assert session.mail(address)[0] == 250
            assert session.rcpt(address)[0] == 250
            self.ledger.sent(name, head + text, [address])
            session.send(b"BDAT %d\r\n%s" % (len(head), head))
            answers = [session.getreply(), session.docmd("BURL", f"{url} LAST")]
            if [code for code, _ in answers] != [250, 250]:
                self.ledger.refused(name)
                raise AssertionError(f"BURL {url}: {answers}")
            self.ledger.acknowledged(name)
            self.folders.commands["BURL"] += 1

    def replace(self, connection, folder):
        """UID REPLACE (RFC 8508), into the same folder or another."""
        uid = self.rng.choice(sorted(self.folders.state[folder]))
        into = self.rng.choice(FOLDERS)
        promised, octets = self.fresh()
        change = Change(f"REPLACE {folder} {uid}", new=[(into, promised)], gone=[(folder, uid)])
        words = f"UID REPLACE {uid} {self.quoted(into)} ({' '.join(sorted(promised.flags))}) "
        self.run_command(connection, change, words, octets, waiting=self.rng.random() < 0.3)

    def store(self, connection, folder):
        """UID STORE of one kind or another on several messages."""
        uids = self.some_uids(folder)
        words = frozenset(self.rng.sample(FLAGS, self.rng.randint(1, 3)))
        how = self.rng.choice(["", "+", "-"])
        flags = {}
        for uid in uids:
            old = self.folders.state[folder][uid].flags
            flags[folder, uid] = words if not how else ANY if old is ANY else old | words if how == "+" else old - words
        text = f"{how}FLAGS{self.rng.choice(['', '.SILENT'])} ({' '.join(sorted(words))})"
        change = Change(f"STORE {folder} {uids} {text}", flags=flags)
        self.run_command(connection, change, f"UID STORE {','.join(map(str, uids))} {text}")

    def copy(self, connection, folder):
        """UID COPY."""
        self.transfer(connection, folder, "COPY")

    def move(self, connection, folder):
        """UID MOVE (RFC 6851) to another folder."""
        self.transfer(connection, folder, "MOVE")

    def transfer(self, connection, folder, word):
        """Both."""
        if not self.folders.state[folder]:
            return
        uids = self.some_uids(folder)
        into = self.rng.choice([other for other in FOLDERS if other != folder])
        new = [(into, self.folders.state[folder][uid]) for uid in uids]
        gone = [(folder, uid) for uid in uids] if word == "MOVE" else []
        change = Change(f"{word} {folder} {uids} to {into}", new=new, gone=gone)
        self.run_command(connection, change, f"UID {word} {','.join(map(str, uids))} {self.quoted(into)}")

    def take_in(self, connection, folder):
        """UID MOVE of delivered mail out of the INBOX."""
        address = self.account.address
        chosen = self.ledger.claim(address, self.rng, 6, keep=20)
        if not chosen:
            return
        # In the order in which they get their new UIDs.
        chosen.sort(key=lambda pair: pair[1])
        names = [name for name, _ in chosen]
        new = [(folder, Message(name, self.ledger.entries[name].digest, ANY)) for name in names]
        change = Change(f"INBOX-MOVE {names} to {folder}", new=new, from_inbox=names)
        assert connection.command("SELECT INBOX")[0] == "OK"
        self.run_command(connection, change, f"UID MOVE {','.join(str(uid) for _, uid in chosen)} {self.quoted(folder)}")
        self.ledger.mark(names, address, Fate.GONE)

    def expunge(self, connection, folder):
        """STORE \\Deleted, then EXPUNGE of all that have it."""
        if any(message.flags is ANY for message in self.folders.state[folder].values()):
            # Somebody may have deleted these in the INBOX.
            self.uid_expunge(connection, folder)
            return
        self.delete(connection, folder, self.some_uids(folder))
        marked = [uid for uid, message in self.folders.state[folder].items() if r"\deleted" in message.flags]
        self.run_command(connection, Change(f"EXPUNGE {folder}", gone=[(folder, uid) for uid in marked]), "EXPUNGE")

    def uid_expunge(self, connection, folder):
        """STORE \\Deleted, then UID EXPUNGE of some (RFC 4315)."""
        uids = self.some_uids(folder)
        self.delete(connection, folder, uids)
        change = Change(f"UID-EXPUNGE {folder} {uids}", gone=[(folder, uid) for uid in uids])
        self.run_command(connection, change, f"UID EXPUNGE {','.join(map(str, uids))}")

    def delete(self, connection, folder, uids):
        """The STORE before it."""
        old = {uid: self.folders.state[folder][uid].flags for uid in uids}
        flags = {(folder, uid): ANY if was is ANY else was | {r"\deleted"} for uid, was in old.items()}
        text = f"UID STORE {','.join(map(str, uids))} +FLAGS.SILENT (\\Deleted)"
        self.run_command(connection, Change(f"STORE {folder} {uids} deleted", flags=flags), text)

"""POP3 and IMAP servers that misbehave at one of their messages, in a way that a test names."""

import re
import socketserver
import threading


class FaultyMailbox:
    """`with FaultyPop3(messages, fault="drip", at=2) as server:` the second message is the one."""

    def __init__(self, messages, *, fault=None, at=1):
        self.messages = list(messages)
        self.fault = fault
        self.bad = self.messages[at - 1] if self.messages else None
        self.sessions = 0
        self.stopping = threading.Event()
        foreign = self

        class Handler(socketserver.StreamRequestHandler):
            """One session."""

            def handle(self):
                foreign.sessions += 1
                try:
                    foreign.converse(self)
                except (OSError, ValueError):
                    pass

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def left(self):
        """Subjects of what is still there."""
        return [re.search(rb"^Subject: (.*?)\r?$", raw, re.M).group(1).decode() for raw in self.messages]

    def harm(self, talk, raw, whole, endless):
        """Do to a message what is to be done; None: nothing is. False: the connection is to be closed. `whole`: all that is
        said of it; `endless`: how one begins that never ends."""
        out = talk.wfile
        fault = self.fault if raw == self.bad else None
        if fault == "close before it":
            return False
        if fault == "close in message":
            out.write(whole[: len(whole) // 2])
            return False
        if fault == "drip":
            for octet in whole:
                out.write(bytes([octet]))
                out.flush()
            return True
        if fault == "endless line":
            return self.endless(out, whole[:4] + b"x" * 60000)
        if fault == "garbage":
            out.write(b"\x00\xff\x17 what?\r\n" * 50)
            return False
        if fault == "silent":
            self.stopping.wait(120)
            return False
        if fault == "endless message":
            out.write(endless)
            return self.endless(out, b"and so on\r\n" * 6000)
        return None

    def endless(self, out, octets):
        """Write until the other side has had enough."""
        while not self.stopping.is_set():
            out.write(octets)
        return False


class FaultyPop3(FaultyMailbox):
    """By POP3, without PIPELINING."""

    def converse(self, talk):
        """Answer commands until QUIT; only then what was marked is deleted."""
        held, gone = list(self.messages), set()

        def say(line):
            talk.wfile.write(line.encode() + b"\r\n")

        say("+OK faulty")
        while line := talk.rfile.readline():
            word, *rest = line.decode("latin-1").split()
            word = word.upper()
            listed = [(number, raw) for number, raw in enumerate(held, 1) if number not in gone]
            if word == "CAPA":
                say("+OK\r\nUSER\r\nUIDL\r\nTOP\r\n.")
            elif word == "STAT":
                say(f"+OK {len(listed)} {sum(len(raw) for _, raw in listed)}")
            elif word == "LIST":
                say("+OK\r\n" + "".join(f"{number} {len(raw)}\r\n" for number, raw in listed) + ".")
            elif word == "UIDL":
                say("+OK\r\n" + "".join(f"{number} id{hash(raw) & 0xFFFFFFFF}\r\n" for number, raw in listed) + ".")
            elif word == "RETR":
                if not self.hand_over(talk, held[int(rest[0]) - 1]):
                    return
            elif word == "DELE":
                gone.add(int(rest[0]))
                say("+OK")
            elif word == "QUIT":
                self.messages = [raw for raw in self.messages if raw not in [held[number - 1] for number in gone]]
                say("+OK")
                return
            else:
                say("+OK")

    def hand_over(self, talk, raw):
        """Answer RETR; False when the connection is to be closed."""
        whole = b"+OK\r\n" + re.sub(rb"^\.", b"..", raw, flags=re.M)
        whole += b".\r\n" if whole.endswith(b"\r\n") else b"\r\n.\r\n"
        goes_on = self.harm(talk, raw, whole, b"+OK\r\n")
        if goes_on is None:
            talk.wfile.write(whole)
            return True
        return goes_on


class FaultyImap(FaultyMailbox):
    """By IMAP, with nothing but INBOX."""

    def __init__(self, messages, **options):
        super().__init__(messages, **options)
        # They hold, whatever is deleted.
        self.uids = {raw: 10 * number for number, raw in enumerate(self.messages, 1)}

    def converse(self, talk):
        """Answer commands until LOGOUT."""
        marked = set()

        def say(line):
            talk.wfile.write(line.encode() + b"\r\n")

        say("* OK [CAPABILITY IMAP4rev1 UIDPLUS] faulty")
        while line := talk.rfile.readline():
            tag, word, *rest = line.decode("latin-1").split()
            command = " ".join([word, *rest[:1]]).upper()
            listed = sorted(self.messages, key=self.uids.get)
            answer = "OK done"
            if word.upper() == "CAPABILITY":
                say("* CAPABILITY IMAP4rev1 UIDPLUS")
            elif word.upper() in ("SELECT", "EXAMINE"):
                say(f"* {len(listed)} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 1000] x\r\n* FLAGS (\\Seen \\Deleted)")
            elif command == "UID FETCH" and "BODY.PEEK[]" not in line.decode("latin-1"):
                for number, raw in enumerate(listed, 1):
                    say(f"* {number} FETCH (UID {self.uids[raw]} FLAGS () RFC822.SIZE {len(raw)})")
            elif command == "UID FETCH":
                wanted = named(rest[1])
                for number, raw in enumerate(listed, 1):
                    if self.uids[raw] not in wanted:
                        continue
                    if self.fault == "refused" and raw == self.bad:
                        answer = "NO it is broken" if len(wanted) == 1 else "NO not all of them"
                    elif not self.hand_over(talk, number, raw):
                        return
            elif command == "UID STORE":
                marked |= named(rest[1])
            elif command == "UID EXPUNGE":
                gone = marked & named(rest[1])
                self.messages = [raw for raw in self.messages if self.uids[raw] not in gone]
            elif word.upper() == "LOGOUT":
                say("* BYE")
            say(f"{tag} {answer}")

    def hand_over(self, talk, number, raw):
        """Answer FETCH; False when the connection is to be closed."""
        uid = self.uids[raw]
        whole = f"* {number} FETCH (UID {uid} BODY[] {{{len(raw)}}}\r\n".encode() + raw + b")\r\n"
        if raw == self.bad and self.fault == "another message":
            whole = whole.replace(f"UID {uid} ".encode(), b"UID 999 ")
        if raw == self.bad and self.fault == "none":
            whole = f"* {number} FETCH (UID {uid} BODY[] NIL)\r\n".encode()
        goes_on = self.harm(talk, raw, whole, f"* {number} FETCH (UID {uid} BODY[] {{900000}}\r\n".encode())
        if goes_on is None:
            talk.wfile.write(whole)
            return True
        return goes_on


def named(uids):
    """The numbers of a set."""
    found = set()
    for part in uids.split(","):
        first, _, last = part.partition(":")
        found |= set(range(int(first), int(last or first) + 1))
    return found

"""A POP3 server that misbehaves at one of its messages, in a way that a test names."""

import re
import socketserver
import threading


class FaultyPop3:
    """`with FaultyPop3(messages, fault="drip", at=2) as server:` the second message is the one. `fault_is_permanent` off:
    the fault comes in the first session only."""

    def __init__(self, messages, *, fault=None, at=1):
        self.messages = list(messages)
        self.fault, self.at = fault, at
        self.bad = self.messages[at - 1] if self.messages else None
        self.fault_is_permanent = True
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
        stuffed = b"+OK\r\n" + re.sub(rb"^\.", b"..", raw, flags=re.M)
        stuffed += b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
        out = talk.wfile
        fault = self.fault if raw == self.bad else None
        if fault == "close at RETR":
            return False
        if fault == "close in message":
            out.write(stuffed[: len(stuffed) // 2])
            return False
        if fault == "drip":
            for octet in stuffed:
                out.write(bytes([octet]))
                out.flush()
        elif fault == "endless line":
            self.endless(out, b"+OK " + b"x" * 60000)
        elif fault == "garbage":
            out.write(b"\x00\xff\x17 what?\r\n" * 50)
            return False
        elif fault == "silent":
            self.stopping.wait(120)
            return False
        elif fault == "endless message":
            out.write(b"+OK\r\n")
            self.endless(out, b"and so on\r\n" * 6000)
        else:
            out.write(stuffed)
        return True

    def endless(self, out, octets):
        """Write until the other side has had enough."""
        while not self.stopping.is_set():
            out.write(octets)

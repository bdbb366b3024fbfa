"""A next hop that does what a test says: answers, refuses, is slow, closes, lies. SMTP and LMTP, also with TLS.

    with NextHop(replies={"RCPT TO:<full@y.test>": "452 4.2.2 full"}) as hop: …

`replies` maps the beginning of a command (`MAIL`, `RCPT TO:<a@y.test>`, `DATA`; `.` is the message's end, `greeting` the
greeting) to a reply, to a list of replies given in turn (the last one stays), or to a function that gets the
connection's `Talk` and the command line. The word `close` as a reply closes the connection without one.
"""

import socket
import socketserver
import ssl
import threading
from dataclasses import dataclass, field

from .ports import free_ports
from .waiting import until

KEYWORDS = ("PIPELINING", "SIZE 50000000", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN", "SMTPUTF8", "CHUNKING")


@dataclass
class Message:
    """One message that was taken, with its envelope as it came."""

    mail: str
    rcpts: list
    content: bytes
    connection: int
    tls: bool
    hello: str

    def recipients(self):
        """Return the bare addresses."""
        return [line.split("<", 1)[1].split(">", 1)[0] for line in self.rcpts]

    def sender(self):
        """Return the bare reverse-path."""
        return self.mail.split("<", 1)[1].split(">", 1)[0]


@dataclass
class Talk:
    """One connection."""

    hop: "NextHop"
    number: int
    sock: socket.socket
    buffer: bytes = b""
    tls: bool = False
    hello: str = ""
    mail: str = ""
    rcpts: list = field(default_factory=list)
    chunks: bytes = b""

    def read(self, size):
        """Read exactly so many octets."""
        while len(self.buffer) < size:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError
            self.buffer += more
        out, self.buffer = self.buffer[:size], self.buffer[size:]
        return out

    def line(self):
        """Read one line, without its end."""
        while b"\n" not in self.buffer:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def say(self, reply):
        """Send a reply; `close` closes instead."""
        if reply == "close":
            raise ConnectionError
        if not isinstance(reply, bytes):
            reply = (reply if reply.endswith("\r\n") else reply + "\r\n").encode()
        self.sock.sendall(reply)

    def reply(self, command, usual):
        """Answer a command as the script says; return the reply."""
        reply = self.hop.scripted(command, usual)
        if callable(reply):
            reply = reply(self, command)
        if reply is not None:
            self.say(reply)
        return reply or ""

    def content(self):
        """Read a message up to its final dot, unstuffed."""
        lines = []
        while (line := self.line()) != b".":
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(line + b"\r\n" for line in lines)

    def taken(self, content):
        """Keep a message."""
        self.hop.take(Message(self.mail, self.rcpts, content, self.number, self.tls, self.hello))


class NextHop:
    """See the module."""

    def __init__(self, *, host="127.0.0.1", port=0, replies=None, keywords=KEYWORDS, lmtp=False, tls=None, path=None):
        """`tls`: (certificate file, key file), offered by STARTTLS; `path`: a unix socket instead of TCP."""
        self.replies, self.keywords, self.lmtp, self.tls = dict(replies or {}), keywords, lmtp, tls
        self.messages, self.commands, self.connections, self.peers = [], [], 0, []
        self.talks = []
        self.stopped, self.begun = threading.Event(), threading.Event()
        self.lock = threading.Lock()
        self.turns = {}
        hop = self

        class Handler(socketserver.BaseRequestHandler):
            """Runs one connection."""

            def handle(self):
                """Talk to its end."""
                with hop.lock:
                    hop.connections += 1
                    number = hop.connections
                    talk = Talk(hop, number, self.request)
                    hop.talks.append(talk)
                    hop.peers.append(self.client_address[0] if self.client_address else "")
                try:
                    hop.converse(talk)
                except (OSError, ssl.SSLError):
                    pass
                finally:
                    talk.sock.close()

        if path:
            self.server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        else:
            socketserver.ThreadingTCPServer.allow_reuse_address = True
            kind = socketserver.ThreadingTCPServer
            if ":" in host:
                kind = type("V6", (socketserver.ThreadingTCPServer,), {"address_family": socket.AF_INET6})
            # Not one of those that the system gives to outgoing connections: tests that bind it again find it free.
            self.server = kind((host, port or free_ports(1)[0]), Handler)
            self.port = self.server.server_address[1]
        self.server.daemon_threads = True
        self.server.request_queue_size = 256
        self.host = host
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Listen no more."""
        if self.stopped.is_set():
            return
        self.stopped.set()
        self.hang_up()
        self.server.shutdown()
        self.server.server_close()

    def hang_up(self):
        """Close all connections."""
        with self.lock:
            talks, self.talks = self.talks, []
        for talk in talks:
            try:
                talk.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @property
    def address(self):
        """Where it listens, as `next_hop` has it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def scripted(self, command, usual):
        """Return what the script has for a command."""
        with self.lock:
            fitting = [key for key in self.replies if command.upper().startswith(key.upper())]
            if not fitting:
                return usual
            key = max(fitting, key=len)
            reply = self.replies[key]
            if isinstance(reply, list):
                turn = self.turns.get(key, 0)
                self.turns[key] = turn + 1
                reply = reply[min(turn, len(reply) - 1)]
            return usual if reply == "" else reply

    def take(self, message):
        """Keep a message."""
        with self.lock:
            self.messages.append(message)

    def wait(self, count, seconds=90):
        """Wait until so many messages have come; return them."""
        until(lambda: len(self.messages) >= count, f"{count} messages, not {len(self.messages)}", seconds)
        with self.lock:
            return list(self.messages)

    def converse(self, talk):
        """Speak SMTP or LMTP."""
        if talk.reply("greeting", "220 hop.test ESMTP scripted")[:1] != "2":
            return
        while True:
            line = talk.line().decode(errors="surrogateescape")
            with self.lock:
                self.commands.append(line)
            verb = line.split(" ")[0].upper()
            if verb == "QUIT":
                talk.reply(line, "221 2.0.0 bye")
                return
            self.command(talk, verb, line)

    def command(self, talk, verb, line):
        """Do one command."""
        if verb in ("EHLO", "LHLO", "HELO"):
            talk.hello = line
            words = [*self.keywords, *(["STARTTLS"] if self.tls and not talk.tls else [])]
            text = ["hop.test", *(words if verb != "HELO" else [])]
            lines = [f"250{'-' if at < len(text) - 1 else ' '}{word}" for at, word in enumerate(text)]
            talk.reply(line, "\r\n".join(lines))
        elif verb == "STARTTLS":
            if talk.reply(line, "220 2.0.0 go")[:1] == "2":
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*self.tls)
                talk.sock = context.wrap_socket(talk.sock, server_side=True)
                talk.tls, talk.buffer = True, b""
        elif verb == "MAIL":
            if talk.reply(line, "250 2.1.0 ok")[:1] == "2":
                talk.mail, talk.rcpts, talk.chunks = line, [], b""
        elif verb == "RCPT":
            key = "RCPT TO:" + line.split(":", 1)[1].split(">")[0].strip() + ">"
            if talk.reply(key, "250 2.1.5 ok")[:1] == "2":
                talk.rcpts = [*talk.rcpts, line]
        elif verb == "DATA":
            usual = "354 go on" if talk.rcpts else "503 5.5.1 no recipients"
            if talk.reply(line, usual)[:1] == "3":
                self.end(talk, talk.content())
        elif verb == "BDAT":
            words = line.split(" ")
            talk.chunks += talk.read(int(words[1]))
            if words[-1].upper() == "LAST":
                self.end(talk, talk.chunks)
            else:
                talk.say("250 2.0.0 chunk")
        elif verb == "RSET":
            talk.mail, talk.rcpts, talk.chunks = "", [], b""
            talk.reply(line, "250 2.0.0 ok")
        else:
            talk.reply(line, "250 2.0.0 ok" if verb == "NOOP" else "502 5.5.1 what?")

    def end(self, talk, content):
        """Answer a whole message; in LMTP for each recipient."""
        if not self.lmtp:
            # Kept before it is acknowledged, as a real server does it.
            reply = self.scripted(".", "250 2.0.0 taken")
            if callable(reply):
                reply = reply(talk, ".")
            if isinstance(reply, str) and reply[:1] == "2":
                talk.taken(content)
            if reply is not None:
                talk.say(reply)
            return
        kept = []
        for rcpt in talk.rcpts:
            key = ". <" + rcpt.split("<", 1)[1].split(">")[0] + ">"
            reply = self.scripted(key, "250 2.0.0 taken")
            if reply[:1] == "2":
                kept.append(rcpt)
            talk.say(reply)
        if kept:
            talk.rcpts = kept
            talk.taken(content)

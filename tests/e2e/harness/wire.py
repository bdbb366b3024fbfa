"""A connection on which a test says exactly which octets go out and when."""

import socket

from .tls import careless


class Closed(Exception):
    """The server closed the connection."""


class Wire:
    """A TCP (or unix) connection read by lines."""

    def __init__(self, where, *, source=None, tls=False, timeout=90.0):
        """`where` is a port on 127.0.0.1 or a path; `source` the address to come from."""
        if isinstance(where, int):
            origin = (source, 0) if source else None
            self.socket = socket.create_connection(("127.0.0.1", where), timeout, source_address=origin)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(str(where))
        self.kept = b""
        if tls:
            self.start_tls()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Hang up."""
        self.socket.close()

    def start_tls(self, name="localhost", context=None):
        """Make the handshake."""
        assert not self.kept, f"octets behind the reply to STARTTLS: {self.kept!r}"
        self.socket = (context or careless()).wrap_socket(self.socket, server_hostname=name)

    def send(self, octets):
        """Send octets as they are."""
        self.socket.sendall(octets.encode() if isinstance(octets, str) else octets)

    def send_as_far_as_taken(self, octets):
        """Send; a server that has hung up meanwhile is no failure. Return whether all went out."""
        try:
            self.send(octets)
        except OSError:
            return False
        return True

    def line(self):
        """Return the next line without its CRLF."""
        while b"\n" not in self.kept:
            self._more()
        line, self.kept = self.kept.split(b"\n", 1)
        assert line.endswith(b"\r"), f"a line that ends with LF alone: {line!r}"
        return line[:-1].decode("utf-8", "surrogateescape")

    def exactly(self, count):
        """Return the next `count` octets."""
        while len(self.kept) < count:
            self._more()
        octets, self.kept = self.kept[:count], self.kept[count:]
        return octets

    def rest(self):
        """Return everything until the server hangs up."""
        try:
            while True:
                self._more()
        except (Closed, OSError):
            octets, self.kept = self.kept, b""
            return octets

    def _more(self):
        some = self.socket.recv(1 << 16)
        if not some:
            raise Closed(f"closed after {self.kept!r}")
        self.kept += some

    # SMTP

    def reply(self):
        """Return an SMTP reply: its code and all its lines."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return int(lines[-1][:3]), lines

    def smtp(self, command):
        """Send an SMTP command, return its reply's code."""
        self.send(command + "\r\n" if isinstance(command, str) else command + b"\r\n")
        return self.reply()[0]

    # IMAP

    def until_tag(self, tag):
        """Return the lines up to the one tagged so; literals stand where they stood."""
        lines = []
        while True:
            line = self.line()
            while line.endswith("}") and "{" in line and line[line.rfind("{") + 1 : -1].isdigit():
                count = int(line[line.rfind("{") + 1 : -1])
                line += "\r\n" + self.exactly(count).decode("utf-8", "surrogateescape") + self.line()
            lines.append(line)
            if line.startswith(tag + " "):
                return lines

    def imap(self, command, tag="a"):
        """Send an IMAP command, return its lines."""
        octets = command.encode() if isinstance(command, str) else command
        self.send(tag.encode() + b" " + octets + b"\r\n")
        return self.until_tag(tag)

    # POP3

    def pop3(self, command):
        """Send a POP3 command, return the first line of its reply."""
        self.send(command + "\r\n")
        return self.line()

    def listing(self):
        """Return the lines of a POP3 listing, dots removed."""
        lines = []
        while (line := self.line()) != ".":
            lines.append(line.removeprefix(".") if line.startswith(".") else line)
        return lines


def listening(port, host="127.0.0.1"):
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0

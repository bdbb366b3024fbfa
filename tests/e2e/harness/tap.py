"""TCP proxies: one that does something when certain octets pass, and one that makes the way long."""

import queue
import socket
import threading
import time

from .ports import free_ports


class Proxy:
    """Passes connections on to `port`, each by `join`."""

    def __init__(self, port):
        self.to = port
        (self.port,) = free_ports(1)
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        """Take connections until closed."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.join(client, socket.create_connection(("127.0.0.1", self.to)))

    @staticmethod
    def meanwhile(work, *things):
        """Beside everything else."""
        threading.Thread(target=work, args=things, daemon=True).start()


class Tap(Proxy):
    """Calls `act()` before the first octets go on that hold `sign`. `seen`: how often it came, `pieces`: in how many
    pieces."""

    def __init__(self, port, sign, act=None):
        self.sign, self.act = sign, act
        self.seen = self.pieces = 0
        super().__init__(port)

    def join(self, client, server):
        """Both directions; what the client says is watched."""
        self.meanwhile(self.pass_on, client, server, True)
        self.meanwhile(self.pass_on, server, client, False)

    def pass_on(self, source, target, watched):
        """Copy one direction."""
        try:
            while octets := source.recv(65536):
                if watched and self.sign in octets:
                    self.seen += octets.count(self.sign)
                    self.pieces += 1
                    act, self.act = self.act, None
                    if act:
                        act()
                target.sendall(octets)
        except OSError:
            pass
        finally:
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


class Distance(Proxy):
    """As if `port` were far away: each octet takes half of `round_trip` seconds, however many come at once."""

    def __init__(self, port, round_trip):
        self.delay = round_trip / 2
        super().__init__(port)

    def join(self, client, server):
        """Both directions."""
        for source, target in ((client, server), (server, client)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # What is under way on a line of that length at most.
            under_way = queue.Queue(64)
            self.meanwhile(self.take, source, under_way)
            self.meanwhile(self.give, under_way, target)

    def take(self, source, under_way):
        """Note when what comes is to arrive."""
        octets = True
        while octets:
            try:
                octets = source.recv(65536)
            except OSError:
                octets = b""
            under_way.put((time.monotonic() + self.delay, octets))

    def give(self, under_way, target):
        """Hand it on when it is time; nothing at all: that was the end."""
        octets = True
        while octets:
            due, octets = under_way.get()
            time.sleep(max(0, due - time.monotonic()))
            try:
                target.sendall(octets)
            except OSError:
                octets = b""
        try:
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

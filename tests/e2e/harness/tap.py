"""A TCP proxy that does something when certain octets pass."""

import socket
import threading

from .ports import free_ports


class Tap:
    """Passes connections on to `port`; calls `act()` before the first octets go on that hold `sign`."""

    def __init__(self, port, sign, act):
        self.to, self.sign, self.act = port, sign, act
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
            server = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self.pass_on, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(server, client, False), daemon=True).start()

    def pass_on(self, source, target, watched):
        """Copy one direction."""
        try:
            while octets := source.recv(65536):
                if watched and self.act and self.sign in octets:
                    act, self.act = self.act, None
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

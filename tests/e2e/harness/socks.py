"""A SOCKS5 proxy (RFC 1928) with a log-in (RFC 1929), for one kind of request: CONNECT to an IPv4 address."""

import contextlib
import selectors
import socket
import socketserver
import threading


class SocksProxy:
    """Listens on `port`; `targets` are the places that it was asked for."""

    def __init__(self, *, login=None):
        """`login`: name and password that it wants."""
        self.login, self.targets = login, []
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            """Runs one connection."""

            def handle(self):
                """Connect and pass octets on."""
                with contextlib.suppress(OSError):
                    proxy.serve(self.request)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, client):
        """Do the handshake, then pass octets on until either side closes."""
        stream = client.makefile("rb")
        _, count = stream.read(2)
        methods = stream.read(count)
        method = 2 if self.login else 0
        assert method in methods, methods
        client.sendall(bytes([5, method]))
        if self.login:
            stream.read(1)
            name = stream.read(stream.read(1)[0]).decode()
            password = stream.read(stream.read(1)[0]).decode()
            client.sendall(bytes([1, 0 if (name, password) == self.login else 1]))
        version, command, _, kind = stream.read(4)
        assert (version, command, kind) == (5, 1, 1)
        host = socket.inet_ntoa(stream.read(4))
        port = int.from_bytes(stream.read(2), "big")
        self.targets.append((host, port))
        with socket.create_connection((host, port)) as target:
            client.sendall(b"\x05\x00\x00\x01" + bytes(6))
            pass_on(client, target)


def pass_on(one, other):
    """Pass octets on in both directions."""
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                octets = key.fileobj.recv(65536)
                if not octets:
                    return
                key.data.sendall(octets)

"""Free TCP ports, outside the range from which the system takes those of outgoing connections."""

import os
import random
import socket

_SLOT = 2000


def _slot_start():
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return 10_000 + (int(worker) % 10) * _SLOT


_next = random.SystemRandom().randrange(_SLOT)


def free_ports(count):
    """Return `count` ports on which nobody listens now."""
    global _next
    found = []
    while len(found) < count:
        port = _slot_start() + _next % _SLOT
        _next += 1
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found

"""Free TCP ports, outside the range from which the system takes those of outgoing connections."""

import fcntl
import random
import socket
import tempfile
from pathlib import Path

_FIRST, _SLOT, _SLOTS = 10_000, 2000, 10
_locks = []


def _take_slot():
    """A range of ports that is this process's alone: between looking for a free port and binding it nobody else takes it,
    neither another worker nor another run of the tests on this machine."""
    for number in range(_SLOTS):
        lock = open(Path(tempfile.gettempdir()) / f"troika-ports-{number}.lock", "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        _locks.append(lock)
        return _FIRST + number * _SLOT
    raise AssertionError("ten runs of the tests have all the ports")


_start = _take_slot()
_next = random.SystemRandom().randrange(_SLOT)


def free_ports(count):
    """Return `count` ports on which nobody listens now."""
    global _next
    found = []
    while len(found) < count:
        port = _start + _next % _SLOT
        _next += 1
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found


def free_base(offsets):
    """Return a port such that this port and each of `offsets` above it is free and this process's."""
    # All of them once: only those at the beginning of the range have that many above them.
    for _ in range(_SLOT):
        (base,) = free_ports(1)
        if base + max(offsets) >= _start + _SLOT:
            continue
        try:
            for offset in offsets:
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", base + offset))
            return base
        except OSError:
            continue
    raise AssertionError("no free ports")

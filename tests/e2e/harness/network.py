"""Hosts with addresses of their own: each in a network namespace of its own, on a link to this machine.

    with Network() as network:
        host = network.host()
        hop = host.run(lambda: NextHop(host=host.ipv4, port=2525))

Only root can do this; the links and namespaces have names of their own, and go with the network.
"""

import ctypes
import json
import os
import random
import threading

from .programs import run

CLONE_NEWNET = 0x40000000


class Host:
    """One host; `here` are this machine's addresses on the link to it."""

    def __init__(self, name, block, number):
        self.name, self.link = name, name + "l"
        self.ipv4, self.ipv6 = f"10.{block}.{number}.2", f"fd4e:{block:x}:{number:x}::2"
        self.here = (f"10.{block}.{number}.1", f"fd4e:{block:x}:{number:x}::1")
        run(["ip", "netns", "add", name])
        run(["ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", name])
        for ipv4, ipv6, link, inside in [(*self.here, self.link, ()), (self.ipv4, self.ipv6, "eth0", ("-n", name))]:
            run(["ip", *inside, "address", "add", f"{ipv4}/24", "dev", link])
            # Without looking for others that have it: it is of use at once.
            run(["ip", *inside, "address", "add", f"{ipv6}/64", "dev", link, "nodad"])
            run(["ip", *inside, "link", "set", link, "up"])
        run(["ip", "-n", name, "link", "set", "lo", "up"])
        # Known for ever: else what is dropped would be told of as unreachable.
        (link,) = json.loads(run(["ip", "-n", name, "-json", "link", "show", "eth0"]).stdout)
        for address in (self.ipv4, self.ipv6):
            run(["ip", "neigh", "replace", address, "lladdr", link["address"], "dev", self.link, "nud", "permanent"])

    def also_here(self, *addresses):
        """Give this machine's end of the link more addresses."""
        for address in addresses:
            kind = ["/64", "nodad"] if ":" in address else ["/24"]
            run(["ip", "address", "add", address + kind[0], "dev", self.link, *kind[1:]])

    def drop(self, *families):
        """Drop all that comes from this machine over IPv`4` or IPv`6`, and answer nothing."""
        for family in families or (4, 6):
            address = self.here[0] if family == 4 else self.here[1]
            run(["ip", "-n", self.name, f"-{family}", "route", "add", "blackhole", address])

    def take(self):
        """Answer again."""
        for family, address in zip((4, 6), self.here, strict=True):
            run(["ip", "-n", self.name, f"-{family}", "route", "flush", "exact", address])

    def run(self, work):
        """Do something there: sockets made in it stay there."""
        result = []

        def there():
            space = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(space, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            os.close(space)
            result.append(work())

        thread = threading.Thread(target=there)
        thread.start()
        thread.join()
        assert result, "it failed there"
        return result[0]


class Network:
    """See the module."""

    def __init__(self):
        used = run(["ip", "-o", "address"]).stdout.decode()
        free = [block for block in range(100, 250) if f" 10.{block}." not in used]
        self.block, self.hosts = random.choice(free), []
        self.tag = f"tk{os.getpid() % 10**5}"

    def host(self):
        """Add a host."""
        number = len(self.hosts) + 1
        self.hosts.append(Host(f"{self.tag}x{self.block}x{number}", self.block, number))
        return self.hosts[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for host in self.hosts:
            run(["ip", "netns", "delete", host.name])

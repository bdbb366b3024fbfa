"""A thousand domains that are a thousand destinations: a real name server with an MX record for each.

All relays ask the same server: Troika by `[dns] servers`, the others because they see a resolv.conf of their own, in a
mount namespace. The name server takes part in the load of all of them alike.
"""

import pathlib
import subprocess

from servers import left_running, until

# Port 53, for resolv.conf can't name another one.
ADDRESS = "127.77.53.53"
PARENT = "relay.test"


class Domains:
    """Debian's bind9 with d0 … dN below `relay.test`, all with one host at 127.0.0.1."""

    def __init__(self, folder, count):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        zone = self.folder / "zone"
        lines = ["$TTL 3600", f"@ IN SOA ns.{PARENT}. hostmaster.{PARENT}. 1 3600 600 86400 3600", f"@ IN NS ns.{PARENT}.",
                 f"ns IN A {ADDRESS}", "mx IN A 127.0.0.1", f"@ IN MX 10 mx.{PARENT}."]
        lines += [f"d{number} IN MX 10 mx.{PARENT}." for number in range(count)]
        zone.write_text("\n".join(lines) + "\n")
        (self.folder / "named.conf").write_text(f"""
options {{ directory "{self.folder}"; listen-on {{ {ADDRESS}; }}; listen-on-v6 {{ none; }}; recursion no; pid-file none;
  session-keyfile "{self.folder}/session.key"; dnssec-validation no; allow-query {{ any; }}; }};
controls {{ }};
zone "{PARENT}" {{ type primary; file "{zone}"; }};
""")
        self.resolv = self.folder / "resolv.conf"
        self.resolv.write_text(f"nameserver {ADDRESS}\noptions timeout:2\n")
        # It listens only at addresses that an interface has.
        subprocess.run(["ip", "address", "replace", f"{ADDRESS}/32", "dev", "lo"], check=True)
        noise = open(self.folder / "noise", "ab")
        self.process = left_running(subprocess.Popen(
            ["/usr/sbin/named", "-g", "-c", self.folder / "named.conf"], stdout=noise, stderr=noise))
        until(lambda: b"running" in (self.folder / "noise").read_bytes())

    def seen_by(self, words):
        """The command, for which the machine's resolv.conf is this one."""
        bind = f'mount --bind "{self.resolv}" /etc/resolv.conf && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", bind, "sh", *map(str, words)]

    def stop(self):
        """Ends it."""
        self.process.terminate()
        self.process.wait(10)
        subprocess.run(["ip", "address", "delete", f"{ADDRESS}/32", "dev", "lo"], check=True)

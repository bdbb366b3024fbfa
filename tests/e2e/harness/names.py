"""A real name server (bind9) with signed zones, and certificates of an authority of the test's own.

The server is authoritative for a signed root, for zones below it that are signed, unsigned, or signed wrongly, so that a
resolver that trusts this root can validate everything off-line.
"""

import hashlib
import re
import socket
import subprocess

from .ports import free_ports
from .programs import run
from .waiting import until

ALGORITHM = "ECDSAP256SHA256"


class Names:
    """bind9 on a port of its own. `zones`: {"signed.test": ("signed", "records")}; kinds: signed, plain, bogus."""

    def __init__(self, folder, zones):
        self.folder = folder
        folder.mkdir(parents=True)
        (self.port,) = free_ports(1)
        root = ""
        config = f'options {{ directory "{folder}"; listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};'
        config += f' recursion no; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";'
        config += ' allow-query { any; }; dnssec-validation no; minimal-responses no; };\ncontrols { };\n'
        for zone, (kind, records) in zones.items():
            signed = kind != "plain"
            name = self.write(zone, records, signed)
            root += f"{zone}. NS ns.\n"
            if signed:
                root += self.delegation(zone, kind)
            config += f'zone "{zone}" {{ type primary; file "{name}"; }};\n'
        name = self.write("", root, True)
        config += f'zone "." {{ type primary; file "{name}"; }};\n'
        (folder / "named.conf").write_text(config)
        keys = [path.read_text() for path in folder.glob("K.+*.key")]
        self.anchor = folder / "anchor.key"
        self.anchor.write_text("".join(line + "\n" for text in keys for line in text.splitlines() if "DNSKEY" in line))
        self.log = open(folder / "log", "wb")
        command = ["named", "-g", "-c", folder / "named.conf", "-u", subprocess.getoutput("id -un")]
        self.process = subprocess.Popen(list(map(str, command)), stdout=self.log, stderr=self.log)
        until(self.answers, "a name server that answers")

    def write(self, zone, records, signed):
        """Write a zone's file; sign it."""
        file = self.folder / f"zone{zone.replace('.', '-')}"
        soa = "ns. admin. 1 3600 600 86400 60"
        text = f"$TTL 300\n$ORIGIN {zone}.\n@ SOA {soa}\n@ NS ns.\n" if zone else f"$TTL 300\n. SOA {soa}\n. NS ns.\n"
        text += "ns. A 127.0.0.1\n" if not zone else ""
        file.write_text(text + records)
        if not signed:
            return file.name
        for flags in ([], ["-f", "KSK"]):
            run(["dnssec-keygen", "-q", "-a", ALGORITHM, *flags, "-K", self.folder, zone or "."])
        command = ["dnssec-signzone", "-q", "-S", "-K", self.folder, "-o", zone or ".", "-d", self.folder]
        run([*command, "-f", f"{file}.signed", file])
        return f"{file.name}.signed"

    def delegation(self, zone, kind):
        """Return the DS record; of a bogus zone one that fits no key."""
        (ksk,) = [path for path in self.folder.glob(f"K{zone}.+*.key") if " 257 " in path.read_text()]
        ds = run(["dnssec-dsfromkey", "-2", ksk]).stdout.decode()
        if kind == "bogus":
            ds = re.sub(r"[0-9A-F]{64}", "AB" * 32, ds)
        return ds

    def answers(self):
        """Whether it answers."""
        assert self.process.poll() is None, (self.folder / "log").read_text()
        query = b"\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(0.5)
            udp.sendto(query, ("127.0.0.1", self.port))
            try:
                return udp.recv(4096)[:2] == b"\x12\x34"
            except OSError:
                return False

    def stop(self):
        """End it."""
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


class Authority:
    """Signs certificates."""

    def __init__(self, folder, name="Authority of the test"):
        folder.mkdir(parents=True)
        self.folder, self.count = folder, 0
        self.certificate, self.key = folder / "ca.pem", folder / "ca.key"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-keyout", self.key, "-out", self.certificate, "-subj", f"/CN={name}", "-days", "30"]
        run([*command, "-addext", "basicConstraints=critical,CA:TRUE"])

    def sign(self, *names):
        """Return (certificate with its chain, key) for these hosts."""
        self.count += 1
        certificate, key = self.folder / f"{self.count}.pem", self.folder / f"{self.count}.key"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-keyout", key, "-out", certificate, "-subj", f"/CN={names[0]}", "-days", "10"]
        command += ["-CA", self.certificate, "-CAkey", self.key]
        command += ["-addext", "basicConstraints=critical,CA:FALSE"]
        run([*command, "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)])
        certificate.write_text(certificate.read_text() + self.certificate.read_text())
        return certificate, key


def key_digest(certificate):
    """Return the SHA-256 of a certificate's public key, as a TLSA record 3 1 1 has it."""
    public = run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"]).stdout
    der = run(["openssl", "pkey", "-pubin", "-outform", "DER"], stdin=public).stdout
    return hashlib.sha256(der).hexdigest()


def certificate_digest(certificate):
    """Return the SHA-256 of a certificate, as a TLSA record 2 0 1 or 3 0 1 has it."""
    der = run(["openssl", "x509", "-in", certificate, "-outform", "DER"]).stdout
    return hashlib.sha256(der).hexdigest()

"""Certificates for tests and contexts that trust them."""

import ssl

from .programs import run


def make_certificate(folder, stem, names):
    """Make a self-signed certificate for `names`; return the paths of certificate and key."""
    certificate, key = folder / f"{stem}.pem", folder / f"{stem}.key"
    alternative = ",".join(f"DNS:{name}" for name in names)
    run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        + ["-keyout", key, "-out", certificate, "-days", "30", "-subj", f"/CN={names[0]}"]
        + ["-addext", f"subjectAltName={alternative}", "-addext", "basicConstraints=critical,CA:FALSE"]
    )
    return certificate, key


def make_authority(folder, names, addresses):
    """Make a CA and a certificate of it; return the paths of the CA's, of the other and of its key."""
    ca, ca_key = folder / "authority.pem", folder / "authority.key"
    certificate, key, request = folder / "server.pem", folder / "server.key", folder / "server.csr"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run(
        ["openssl", "req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", "30", "-subj", "/CN=Test CA"]
        + ["-addext", "basicConstraints=critical,CA:TRUE"]
    )
    run(["openssl", "req", *curve, "-keyout", key, "-out", request, "-subj", f"/CN={names[0]}"])
    alternative = ",".join([f"DNS:{name}" for name in names] + [f"IP:{address}" for address in addresses])
    extensions = folder / "extensions"
    extensions.write_text(f"subjectAltName={alternative}\nbasicConstraints=critical,CA:FALSE\n")
    run(
        ["openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "30"]
        + ["-out", certificate, "-extfile", extensions]
    )
    return ca, certificate, key


def trusting(ca_file):
    """Return a client context that checks names and trusts only this CA."""
    return ssl.create_default_context(cafile=str(ca_file))


def careless():
    """Return a client context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

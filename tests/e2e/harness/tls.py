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


def trusting(ca_file):
    """Return a client context that checks names and trusts only this CA."""
    return ssl.create_default_context(cafile=str(ca_file))


def careless():
    """Return a client context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

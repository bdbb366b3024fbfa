"""Messages to send, and the encodings of mailbox names."""

import base64
import hashlib
import random
import uuid


def unique(word="m"):
    """Return a word that was never used before."""
    return f"{word}-{uuid.uuid4().hex[:12]}"


def message(subject="hello", *, sender="alice@example.test", to="bob@example.test", body="Hi.\r\n", extra=()):
    """Return a small message as bytes, with CRLF line endings."""
    if isinstance(body, str):
        body = body.encode()
    head = [
        f"From: <{sender}>",
        f"To: <{to}>",
        f"Subject: {subject}",
        "Date: Sat, 21 Nov 2026 12:00:00 +0000",
        f"Message-ID: <{uuid.uuid4().hex}@example.test>",
        *extra,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def with_attachment(size, *, seed=1, **fields):
    """Return a message with one binary attachment of `size` octets, and these octets."""
    octets = random.Random(seed).randbytes(size)
    text = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    body = (
        b"--edge\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + "Вложение.\r\n".encode()
        + b"--edge\r\nContent-Type: application/octet-stream; name=a.bin\r\n"
        b"Content-Disposition: attachment; filename=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + text
        + b"--edge--\r\n"
    )
    extra = ["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="edge"']
    return message(body=body, extra=extra, **fields), octets


def without_trace(raw):
    """Return a stored message without the trace fields that the server put before it."""
    lines = raw.split(b"\r\n")
    at = 0
    while lines[at].lower().startswith((b"return-path:", b"received:", b"delivered-to:")):
        at += 1
        while lines[at][:1] in (b" ", b"\t"):
            at += 1
    return b"\r\n".join(lines[at:])


def digest(raw):
    """Return a short fingerprint of a message without its trace fields."""
    return hashlib.sha256(without_trace(raw)).hexdigest()[:16]


def to_utf7(name):
    """Encode a mailbox name as RFC 3501 §5.1.3 has it."""
    out, run = "", ""

    def flush():
        if not run:
            return ""
        text = base64.b64encode(run.encode("utf-16-be")).decode().rstrip("=")
        return "&" + text.replace("/", ",") + "-"

    for sign in name:
        if 0x20 <= ord(sign) <= 0x7E:
            out, run = out + flush() + ("&-" if sign == "&" else sign), ""
        else:
            run += sign
    return out + flush()


def from_utf7(text):
    """Decode a mailbox name (RFC 3501 §5.1.3)."""
    out, rest = "", text
    while "&" in rest:
        before, _, rest = rest.partition("&")
        coded, _, rest = rest.partition("-")
        padded = coded.replace(",", "/") + "=" * (-len(coded) % 4)
        out += before + (base64.b64decode(padded).decode("utf-16-be") if coded else "&")
    return out + rest

#!/usr/bin/env python3
"""Makes fuzz/corpus-seed/<session>/ from the client's lines of golden/<protocol>/*.t (run it when those change)."""
import pathlib
import re
import zlib

HERE = pathlib.Path(__file__).resolve().parent
ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
SEED_BYTES_MAX = 8192


def unescape(text):
    text = re.sub(r"\\\{(\d+):(\\x..|.)\}", lambda m: m[2] * min(int(m[1]), 3000), text)
    out = bytearray()
    at = 0
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode()
            at += 1
        elif text[at + 1] == "x":
            out.append(int(text[at + 2 : at + 4], 16))
            at += 4
        else:
            out += ESCAPES[text[at + 1]].encode()
            at += 2
    return bytes(out)


def client_octets(lines):
    out = b""
    for line in lines:
        if re.match(r"C1?: ", line):
            out += re.sub(r" {2,}# .*", "", line).split(" ", 1)[1].encode() + b"\r\n"
        elif re.match(r"C1?< ", line):
            out += unescape(line.split(" ", 1)[1])
        elif line.startswith("T:"):
            out += b"\x16\x03"
    return out


def setup(protocol, head):
    bits = 0x30 if protocol == "smtp" else 0x40 if protocol == "pop3" else 0x80
    if head.get("tls", "none") != "starttls":
        bits |= 1
    if head.get("plaintext_auth", head.get("plaintext", "yes")) == "no":
        bits |= 2
    if protocol == "smtp":
        bits |= {"mta": 0, "submission": 4, "lmtp": 8}[head.get("kind", "mta")]
    return bytes([bits])


# What test_hostile_imap.py sends, small enough for a seed.
HOSTILE = {
    "stars": 'a LIST "" ' + "*%" * 1500,
    "parentheses": "a SEARCH " + "(" * 1500 + "ALL" + ")" * 1500,
    "ors": "a SEARCH " + "OR NOT ALL " * 300 + "ALL",
    "ranges": "a FETCH " + ",".join(f"{n}:{n + 1}" for n in range(1, 900, 2)) + " FLAGS",
    "backward": "a UID FETCH " + ",".join(["4294967295:1", "*:1"] * 200) + " FLAGS",
    "section": "a FETCH 1 BODY[" + ".".join(["1"] * 1500) + "]",
    "items": "a FETCH 1 (" + " ".join(["BODY[]"] * 300) + ")",
    "flags": "a STORE 1 FLAGS (" + " ".join(f"k{n}" for n in range(400)) + ")",
    "literal": "a SELECT {4294967295+}",
    "name": "a CREATE " + "/".join("n" * 1500),
    "idle": "a IDLE\r\n" + "b NOOP\r\n" * 50,
    "compress": "a COMPRESS DEFLATE\r\nb UNAUTHENTICATE\r\nc COMPRESS DEFLATE",
    "language": "a LANGUAGE ru\r\nb SELECT INBOX\r\nc LANGUAGE " + "xx " * 100,
}


def hostile():
    """Seeds of hostile clients that are logged in (setup bit 2), and of compression."""
    folder = HERE / "corpus-seed" / "imap_session"
    for name, command in HOSTILE.items():
        (folder / f"hostile-{name}").write_bytes(b"\x84" + b"0000003" + command.encode() + b"\r\n")
    folder = HERE / "corpus-seed" / "deflate"
    folder.mkdir(parents=True, exist_ok=True)
    plain = b"".join(b"* %d FETCH (FLAGS (\\Seen) UID %d)\r\n" % (n, n * 7) for n in range(100))
    (folder / "plain").write_bytes(b"0" + b"0000003" + plain)
    for name, text in {"text": plain, "bomb": bytes(3 << 20), "nothing": b""}.items():
        out = zlib.compressobj(9, zlib.DEFLATED, -15)
        flushed = out.compress(text) + out.flush(zlib.Z_SYNC_FLUSH)
        (folder / f"flushed-{name}").write_bytes(b"1" + b"0000003" + flushed)
        (folder / f"ended-{name}").write_bytes(b"1" + b"0000003" + flushed + out.flush() + b"behind")


def main():
    hostile()
    for protocol in ("smtp", "pop3", "imap"):
        folder = HERE / "corpus-seed" / f"{protocol}_session"
        folder.mkdir(parents=True, exist_ok=True)
        for source in sorted((HERE.parent / "golden" / protocol).glob("*.t")):
            head, lines, in_head = {}, [], True
            for line in source.read_text().split("\n"):
                if line.startswith("#"):
                    continue
                if in_head and not line:
                    in_head = False
                elif in_head:
                    key, _, value = line.partition(": ")
                    head[key] = re.sub(r" {2,}# .*", "", value)
                else:
                    lines.append(line)
            octets = client_octets(lines)[:SEED_BYTES_MAX]
            (folder / source.stem).write_bytes(setup(protocol, head) + b"0000003" + octets)


main()

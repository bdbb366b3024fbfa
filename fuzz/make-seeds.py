#!/usr/bin/env python3
"""Makes fuzz/corpus-seed/<session>/ from the client's lines of golden/<protocol>/*.t (run it when those change)."""
import pathlib
import re

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


def main():
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

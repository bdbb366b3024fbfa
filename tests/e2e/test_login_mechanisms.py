"""Log-ins bound to the TLS connection (SCRAM -PLUS), with tokens, with client certificates, and of nobody in particular."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest
from harness.mail import message
from harness.programs import run
from harness.tls import careless
from harness.wire import Wire


def b64(octets):
    """Base64 as text."""
    return base64.b64encode(octets).decode()


class Scram:
    """A client of SCRAM that binds itself to whatever it is given."""

    def __init__(self, account, flag, data=b"", digest="sha256"):
        self.account, self.data, self.digest = account, data, digest
        self.header = f"{flag},,"
        self.bare = f"n={account.address},r={b64(os.urandom(18))}"

    def first(self):
        """client-first-message."""
        return b64((self.header + self.bare).encode())

    def final(self, server_first):
        """client-final-message."""
        challenge = base64.b64decode(server_first).decode()
        said = dict(part.split("=", 1) for part in challenge.split(","))
        mac = lambda key, text: hmac.new(key, text, self.digest).digest()  # noqa: E731
        salted = hashlib.pbkdf2_hmac(
            self.digest, self.account.password.encode(), base64.b64decode(said["s"]), int(said["i"])
        )
        key = mac(salted, b"Client Key")
        last = f"c={b64(self.header.encode() + self.data)},r={said['r']}"
        signed = f"{self.bare},{challenge},{last}".encode()
        proof = bytes(a ^ b for a, b in zip(key, mac(hashlib.new(self.digest, key).digest(), signed), strict=True))
        self.server_signature = mac(mac(salted, b"Server Key"), signed)
        return b64(f"{last},p={b64(proof)}".encode())

    def is_signed(self, server_final):
        """Whether the server has proved itself."""
        return base64.b64decode(server_final) == b"v=" + b64(self.server_signature).encode()


def end_point(wire):
    """Data of tls-server-end-point: our certificates are signed with SHA-256."""
    return hashlib.sha256(wire.socket.getpeercert(True)).digest()


def imap_scram(wire, mechanism, scram):
    """Log in by IMAP; OK, NO or BAD."""
    wire.send(f"a AUTHENTICATE {mechanism} {scram.first()}\r\n")
    line = wire.line()
    if not line.startswith("+ "):
        return line.split()[1]
    wire.send(scram.final(line[2:]) + "\r\n")
    line = wire.line()
    if not line.startswith("+ "):
        return line.split()[1]
    assert scram.is_signed(line[2:])
    wire.send("\r\n")
    return wire.line().split()[1]


@pytest.mark.parametrize("mechanism, digest", [("SCRAM-SHA-256-PLUS", "sha256"), ("SCRAM-SHA-1-PLUS", "sha1")])
def test_bound_to_the_server_certificate_in_imap(server, alice, mechanism, digest):
    with server.wire("imaps") as wire:
        assert f"AUTH={mechanism}" in wire.imap("CAPABILITY")[0]
        elsewhere = Scram(alice, "p=tls-server-end-point", bytes(32), digest)
        assert imap_scram(wire, mechanism, elsewhere) == "NO"
        scram = Scram(alice, "p=tls-server-end-point", end_point(wire), digest)
        assert imap_scram(wire, mechanism, scram) == "OK"
    with server.wire("imap_clear") as wire:
        assert "PLUS" not in wire.imap("CAPABILITY")[0]
        assert imap_scram(wire, mechanism, Scram(alice, "p=tls-server-end-point", bytes(32), digest)) == "NO"
        assert imap_scram(wire, mechanism.removesuffix("-PLUS"), Scram(alice, "y", b"", digest)) == "OK"


def test_a_downgrade_is_noticed(server, alice):
    with server.wire("imaps") as wire:
        assert imap_scram(wire, "SCRAM-SHA-256", Scram(alice, "y")) == "NO"
        assert imap_scram(wire, "SCRAM-SHA-256", Scram(alice, "n")) == "OK"


def test_bound_to_the_server_certificate_in_pop3_and_smtp(server, alice):
    with server.wire("pop3s") as wire:
        wire.pop3("CAPA")
        assert any("SCRAM-SHA-256-PLUS" in line for line in wire.listing())
        scram = Scram(alice, "p=tls-server-end-point", end_point(wire))
        wire.send(f"AUTH SCRAM-SHA-256-PLUS {scram.first()}\r\n")
        wire.send(scram.final(wire.line()[2:]) + "\r\n")
        assert scram.is_signed(wire.line()[2:])
        assert wire.pop3("").startswith("+OK")
    with server.wire("submissions") as wire:
        wire.send("EHLO client.test\r\n")
        assert any("SCRAM-SHA-256-PLUS" in line for line in wire.reply()[1])
        scram = Scram(alice, "p=tls-server-end-point", end_point(wire))
        wire.send(f"AUTH SCRAM-SHA-256-PLUS {scram.first()}\r\n")
        wire.send(scram.final(wire.reply()[1][0][4:]) + "\r\n")
        assert scram.is_signed(wire.reply()[1][0][4:])
        assert wire.smtp("") == 235


class OpenSsl:
    """openssl s_client, which tells the exporter's octets."""

    def __init__(self, port, *options):
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-nocommands", "-crlf", "-keymatexportlen", "32"]
            + ["-keymatexport", "EXPORTER-Channel-Binding", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
        )  # fmt: skip
        text = self.until("Keying material: ")
        self.exporter = bytes.fromhex(text.split(": ")[1])
        self.until("* OK ")

    def until(self, wanted):
        """The next line that has this in it."""
        while wanted not in (line := self.process.stdout.readline()):
            assert line, "openssl has ended"
        return line.strip()

    def send(self, text):
        self.process.stdin.write(text.replace("\r\n", "\n"))
        self.process.stdin.flush()

    def line(self):
        """The next line of IMAP."""
        while not re.match(r"\+ |a |\* ", line := self.process.stdout.readline()):
            assert line, "openssl has ended"
        return line.rstrip("\r\n")

    def end(self):
        """Hang up."""
        self.process.kill()
        self.process.communicate()


def test_bound_to_the_tls_exporter(server, alice):
    client, other = OpenSsl(server.imaps, "-tls1_3"), OpenSsl(server.imaps, "-tls1_3")
    try:
        assert client.exporter != other.exporter
        # What somebody in the middle would pass on.
        assert imap_scram(client, "SCRAM-SHA-256-PLUS", Scram(alice, "p=tls-exporter", other.exporter)) == "NO"
        assert imap_scram(client, "SCRAM-SHA-256-PLUS", Scram(alice, "p=tls-exporter", client.exporter)) == "OK"
    finally:
        client.end()
        other.end()


# Tokens


def url64(octets):
    """Base64 as JWTs have it."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Issuer:
    """Issues tokens with an RSA key made by openssl."""

    def __init__(self, folder):
        self.key = folder / "issuer.key"
        run(["openssl", "genrsa", "-out", self.key, "2048"])
        modulus = run(["openssl", "rsa", "-in", self.key, "-noout", "-modulus"]).stdout.decode().split("=")[1]
        self.keys = folder / "jwks.json"
        key = {"kty": "RSA", "use": "sig", "kid": "k1", "n": url64(bytes.fromhex(modulus)), "e": "AQAB"}
        self.keys.write_text(json.dumps({"keys": [key]}))

    def token(self, email, **other):
        """A token for this address."""
        claims = {"iss": "https://id.test", "aud": "troika", "exp": time.time() + 600, "email": email, **other}
        parts = [{"alg": "RS256", "kid": "k1"}, claims]
        signed = ".".join(url64(json.dumps(part).encode()) for part in parts)
        signature = run(["openssl", "dgst", "-sha256", "-sign", self.key], stdin=signed).stdout
        return f"{signed}.{url64(signature)}"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    """One issuer for all."""
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture
def token_server(own_server, issuer):
    """A server that takes its tokens."""
    sections = f'[oauth]\nkeys = "{issuer.keys}"\nissuer = "https://id.test"\naudience = "troika"\n'
    return own_server(sections=sections)


def bearer(user, token):
    """OAUTHBEARER's message."""
    return b64(f"n,a={user},\x01host=localhost\x01port=993\x01auth=Bearer {token}\x01\x01".encode())


def xoauth2(user, token):
    """XOAUTH2's message."""
    return b64(f"user={user}\x01auth=Bearer {token}\x01\x01".encode())


def test_tokens_open_their_account_in_all_protocols(token_server, issuer):
    server = token_server
    alice, bob = server.account(), server.account()
    token = issuer.token(alice.address)
    for mechanism, say in [("OAUTHBEARER", bearer), ("XOAUTH2", xoauth2)]:
        with server.wire("imap") as wire:
            assert mechanism not in wire.imap("CAPABILITY")[0], "not without TLS"
        with server.wire("imaps") as wire:
            assert f"AUTH={mechanism}" in wire.imap("CAPABILITY")[0]
            assert " OK " in wire.imap(f"AUTHENTICATE {mechanism} {say(alice.address, token)}")[-1]
        with server.wire("pop3s") as wire:
            assert wire.pop3(f"AUTH {mechanism} {say(alice.address, token)}").startswith("+OK")
        with server.wire("submissions") as wire:
            wire.smtp("EHLO client.test")
            assert wire.smtp(f"AUTH {mechanism} {say(alice.address, token)}") == 235
    evil = [
        (bob.address, token),
        (alice.address, issuer.token(alice.address, aud="other")),
        (alice.address, issuer.token(alice.address, exp=time.time() - 3600)),
        (alice.address, issuer.token("nobody@elsewhere.test")),
        (alice.address, token[:-4] + "AAAA"),
    ]
    for user, wrong in evil:
        with server.wire("imaps", timeout=120) as wire:
            wire.send(f"a AUTHENTICATE OAUTHBEARER {bearer(user, wrong)}\r\n")
            line = wire.line()
            assert line.startswith("+ "), line
            assert json.loads(base64.b64decode(line[2:]))["status"] == "invalid_token"
            wire.send("AQ==\r\n")
            assert wire.line().startswith("a NO ")
    assert token not in server.log()


def test_curl_and_tokens(token_server, issuer):
    server = token_server
    alice = server.account()
    server.deliver(alice, message("for curl"))
    words = ["curl", "--silent", "--show-error", "--cacert", server.ca, "--oauth2-bearer", issuer.token(alice.address)]
    words += ["--user", alice.address + ":", f"imaps://localhost:{server.imaps}/INBOX;MAILINDEX=1"]
    assert b"for curl" in run(words).stdout


# Tokens that only the issuer knows (RFC 7662)


class Introspection(http.server.BaseHTTPRequestHandler):
    """Says what tokens are, to who knows the secret."""

    def do_POST(self):  # noqa: N802
        issuer = self.server
        fields = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        expected = "Basic " + b64(f"mail:{issuer.secret}".encode())
        right = self.headers["Authorization"] == expected and self.path == "/introspect"
        issuer.asked.append(fields["token"][0])
        answer = issuer.tokens.get(fields["token"][0], {"active": False})
        body = json.dumps(answer).encode()
        if issuer.broken:
            body = b"<html>"
        self.send_response(200 if right else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing: tokens must not be seen."""


@pytest.fixture
def introspection(tmp_path):
    """An issuer that is asked by HTTPS, on loopback."""
    ca = client_certificate(tmp_path, "issuer-ca", "/CN=Issuer's CA", "keyUsage=keyCertSign")
    certificate, key = client_certificate(tmp_path, "issuer", "/CN=localhost", "subjectAltName=DNS:localhost", ca=ca)
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Introspection)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    made.socket = context.wrap_socket(made.socket, server_side=True)
    made.secret, made.tokens, made.asked, made.broken = "s3cret", {}, [], False
    made.authorities = ca[0]
    (tmp_path / "client-secret").write_text(made.secret + "\n")
    made.secret_file = tmp_path / "client-secret"
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def log_in_with(server, user, token):
    """The final reply of OAUTHBEARER, and the JSON of the refusal before it, if there is one."""
    with server.wire("imaps", timeout=120) as wire:
        wire.send(f"a AUTHENTICATE OAUTHBEARER {bearer(user, token)}\r\n")
        line = wire.line()
        if not line.startswith("+ "):
            return line, None
        wire.send("AQ==\r\n")
        return wire.line(), json.loads(base64.b64decode(line[2:]))


def test_the_issuer_is_asked_about_tokens(own_server, issuer, introspection):
    port = introspection.server_address[1]
    sections = (
        f'[oauth]\nkeys = "{issuer.keys}"\nissuer = "https://id.test"\naudience = "troika"\n'
        f'introspection = "https://localhost:{port}/introspect"\nclient_id = "mail"\n'
        f'client_secret_file = "{introspection.secret_file}"\nauthorities = "{introspection.authorities}"\nremember = "1h"\n'
    )
    server = own_server(sections=sections)
    alice, bob = server.account(), server.account()
    good = {"active": True, "aud": "troika", "email": alice.address}
    introspection.tokens = {
        "opaque/+~1==": good,
        "other": {**good, "aud": "elsewhere"},
        "ended": {**good, "exp": time.time() - 3600},
    }
    # What a key has signed is not asked about.
    assert log_in_with(server, alice.address, issuer.token(alice.address))[0].startswith("a OK")
    assert introspection.asked == []
    assert log_in_with(server, alice.address, "opaque/+~1==")[0].startswith("a OK")
    assert introspection.asked == ["opaque/+~1=="]
    # Remembered: also when the issuer has gone, and in each protocol.
    introspection.broken = True
    assert log_in_with(server, alice.address, "opaque/+~1==")[0].startswith("a OK")
    with server.wire("pop3s") as wire:
        assert wire.pop3(f"AUTH XOAUTH2 {xoauth2(alice.address, 'opaque/+~1==')}").startswith("+OK")
    assert len(introspection.asked) == 1
    # An answer of no use is nobody's fault but the issuer's: come again.
    reply, _ = log_in_with(server, alice.address, "unheard")
    assert reply.startswith("a NO [UNAVAILABLE]"), reply
    introspection.broken = False
    for user, token in [(bob.address, "opaque/+~1=="), (alice.address, "other"), (alice.address, "ended"), (alice.address, "none")]:
        reply, refusal = log_in_with(server, user, token)
        assert refusal["status"] == "invalid_token" and reply.startswith("a NO "), (token, reply)
    # The issuer does not know this server any more.
    introspection.secret = "another"
    assert log_in_with(server, bob.address, "fresh")[0].startswith("a NO [UNAVAILABLE]")
    assert "client_secret_file" in server.log() and "opaque" not in server.log()


# Certificates


def client_certificate(folder, stem, subject, *extensions, ca=None):
    """Make a certificate, by a CA of its own if none is given; return certificate and key."""
    key, request, certificate = folder / f"{stem}.key", folder / f"{stem}.csr", folder / f"{stem}.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
    added = [word for extension in extensions for word in ("-addext", extension)]
    if ca is None:
        run(["openssl", "req", "-x509", *curve, "-out", certificate, "-subj", subject, *added])
        return certificate, key
    # An extension makes it a certificate of version 3; others are refused.
    added = added or ["-addext", "keyUsage=digitalSignature"]
    run(["openssl", "req", *curve, "-out", request, "-subj", subject, *added])
    signed = ["-CA", ca[0], "-CAkey", ca[1], "-CAcreateserial", "-copy_extensions", "copy", "-days", "30"]
    run(["openssl", "x509", "-req", "-in", request, "-out", certificate, *signed])
    return certificate, key


def test_a_client_certificate_logs_in(own_server, tmp_path):
    ca = client_certificate(tmp_path, "ca", "/CN=Client CA", "keyUsage=keyCertSign")
    server = own_server(start=False)
    text = server.config.read_text()
    for listener in ("imaps", "pop3s", "submissions"):
        bind = f'bind = "127.0.0.1:{server.ports[listener]}"\n'
        text = text.replace(bind, f'{bind}client_ca = "{ca[0]}"\n')
    server.config.write_text(text)
    server.start()
    alice, bob = server.account(), server.account()

    def context(certificate):
        made = careless()
        made.load_cert_chain(*certificate)
        return made

    def connect(listener, certificate):
        wire = Wire(server.ports[listener])
        wire.start_tls(context=context(certificate))
        wire.line()
        return wire

    alternative = client_certificate(tmp_path, "a", "/CN=Alice", f"subjectAltName=email:{alice.address}", ca=ca)
    named = client_certificate(tmp_path, "b", f"/CN={alice.address}", ca=ca)
    for certificate in (alternative, named):
        with connect("imaps", certificate) as wire:
            assert "AUTH=EXTERNAL" in wire.imap("CAPABILITY")[0]
            assert " NO " in wire.imap(f"AUTHENTICATE EXTERNAL {b64(bob.address.encode())}")[-1]
            assert " OK " in wire.imap(f"AUTHENTICATE EXTERNAL {b64(alice.address.encode())}")[-1]
        with connect("imaps", certificate) as wire:
            assert " OK " in wire.imap("AUTHENTICATE EXTERNAL =")[-1]
        with connect("pop3s", certificate) as wire:
            assert wire.pop3("AUTH EXTERNAL =").startswith("+OK")
        with connect("submissions", certificate) as wire:
            wire.smtp("EHLO client.test")
            assert wire.smtp("AUTH EXTERNAL =") == 235
    unknown = client_certificate(tmp_path, "c", "/CN=nobody@elsewhere.test", ca=ca)
    with connect("imaps", unknown) as wire:
        assert " NO " in wire.imap("AUTHENTICATE EXTERNAL =")[-1]
    with server.wire("imaps") as wire:
        assert "EXTERNAL" not in wire.imap("CAPABILITY")[0]
        assert " OK " in wire.imap(f"LOGIN {alice.address} {alice.password}")[-1]
    other = client_certificate(tmp_path, "other", "/CN=Other CA", "keyUsage=keyCertSign")
    forged = client_certificate(tmp_path, "f", f"/CN={alice.address}", ca=other)
    with pytest.raises((ssl.SSLError, OSError)):
        connect("imaps", forged).close()


# Nobody in particular


def test_anonymous_reads_and_changes_nothing(own_server):
    server = own_server(sections='[auth]\nanonymous = "public@example.test"\n')
    public = server.account("public")
    server.deliver(public, message("for everybody"))
    with server.wire("imap_clear") as wire:
        assert "AUTH=ANONYMOUS" in wire.imap("CAPABILITY")[0]
        assert " OK " in wire.imap(f"AUTHENTICATE ANONYMOUS {b64(b'guest')}")[-1]
        assert "[READ-ONLY]" in wire.imap("SELECT INBOX")[-1]
        assert "for everybody" in wire.imap("FETCH 1 BODY[]")[0]
        for command in ("STORE 1 FLAGS (\\Deleted)", "EXPUNGE", "CREATE x", "DELETE Trash", "COPY 1 Trash", "MOVE 1 Trash"):
            assert " NO " in wire.imap(command)[-1] or " OK " not in wire.imap(command)[-1], command
        assert " NO " in wire.imap("APPEND INBOX {5+}\r\na:b\r\n")[-1]
        assert "\\Seen" not in wire.imap("FETCH 1 FLAGS")[0]
    with server.wire("pop3_clear") as wire:
        wire.pop3("CAPA")
        assert not any("ANONYMOUS" in line for line in wire.listing())
        assert wire.pop3(f"AUTH ANONYMOUS {b64(b'guest')}").startswith("-ERR")
    with server.wire("submission_clear") as wire:
        wire.smtp("EHLO client.test")
        assert wire.smtp(f"AUTH ANONYMOUS {b64(b'guest')}") == 504
    assert len(server.contents(public)) == 1


def test_anonymous_is_not_there_unless_configured(server):
    with server.wire("imap_clear") as wire:
        assert "ANONYMOUS" not in wire.imap("CAPABILITY")[0]
        assert " NO " in wire.imap(f"AUTHENTICATE ANONYMOUS {b64(b'guest')}")[-1]

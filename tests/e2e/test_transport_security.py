"""What TLS other hosts have to show: DANE (RFC 7672) with bind9's signed zones, MTA-STS (RFC 8461) with an HTTPS host."""

import base64
import email
import gzip
import http.client
import http.server
import json
import smtplib
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

import dkim
import pytest
from harness.mail import message
from harness.names import Authority, Names, certificate_digest, key_digest
from harness.next_hop import NextHop
from harness.ports import free_ports
from harness.waiting import until

OWN = '[network]\nown = ["127.0.0.0/8", "::1/128"]\n'
DELIVERY = 'retry_first = "1s"\nretry_longest = "2s"\n'


def send(server, recipient, raw=None):
    """Send as a host of an own network."""
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
        smtp.sendmail("a@elsewhere.test", [recipient], raw or message())


def waits(server, words):
    """Wait until the log says that a message is put off for this reason, then clear the queue."""

    def found():
        lines = [line for line in server.log().splitlines() if '"deferred"' in line]
        return next((line for line in lines if words in line), None)

    return until(found, f"a delivery put off: {words}")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """An authority."""
    return Authority(tmp_path_factory.mktemp("authority") / "a")


def zone_file(folder, text):
    """Return [dns] that answers from this zone; all of it counts as signed but for `;; insecure` lines."""
    path = folder / "test.zone"
    path.write_text(text)
    return f'[dns]\nzone_file = "{path}"\n'


class PolicyHost:
    """An HTTPS server with a policy; counts how often it is asked."""

    def __init__(self, certificate, text, *, status=200, kind="text/plain"):
        self.text, self.status, self.kind, self.asked, self.posts = text, status, kind, [], []
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers with the policy."""

            def do_GET(self):
                """Answer."""
                host.asked.append((self.headers["Host"], self.path))
                self.send_response(host.status)
                self.send_header("Content-Type", host.kind)
                self.send_header("Content-Length", str(len(host.text.encode())))
                self.end_headers()
                self.wfile.write(host.text.encode())

            def do_POST(self):
                """Take a report."""
                host.posts.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(201)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Be silent."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", free_ports(1)[0]), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


# DANE


@pytest.fixture(scope="module")
def dane(tmp_path_factory, authority):
    """Signed zones with TLSA records for one host's port, and that host."""
    good = authority.sign("mx.signed.test")
    with NextHop(tls=good) as hop:
        at = f"_{hop.port}._tcp"
        tlsa = f"{at}.mx TLSA 3 1 1 {key_digest(good[0])}\n"
        host = "@ MX 10 mx\nmx A 127.0.0.1\n"
        wrong = f"{at}.mx TLSA 3 1 1 {'00' * 32}\n"
        zones = {
            "signed.test": ("signed", host + tlsa),
            "issued.test": (
                "signed",
                f"@ MX 10 mx.signed.test.\n@ MX 20 own\nown A 127.0.0.1\n{at}.own TLSA 2 0 1 "
                + certificate_digest(authority.certificate)
                + "\n",
            ),
            "wrong.test": ("signed", host + wrong),
            "unusable.test": ("signed", f"{host}{at}.mx TLSA 0 0 1 {'00' * 32}\n"),
            "none.test": ("signed", host),
            "plain.test": ("plain", host + wrong),
            "bogus.test": ("bogus", host + tlsa),
        }
        names = Names(tmp_path_factory.mktemp("names") / "bind", zones)
        config = f'[dns]\nservers = ["127.0.0.1:{names.port}"]\ntrust_anchor = "{names.anchor}"\n'
        yield hop, config + f'[delivery]\nport = {hop.port}\naddresses = "ipv4"\n' + DELIVERY
        names.stop()


@pytest.mark.parametrize("domain", ["signed.test", "issued.test", "unusable.test", "none.test", "plain.test"])
def test_dane_hosts_that_match_or_do_not_count_get_mail(own_server, dane, domain):
    hop, config = dane
    server = own_server(sections=OWN + config)
    before = len(hop.messages)
    send(server, f"b@{domain}")
    taken = hop.wait(before + 1)[-1]
    # RFC 7672 §2.2: with TLSA records never without TLS; without, TLS because it is there.
    assert taken.tls and taken.recipients() == [f"b@{domain}"]


def test_a_host_that_its_tlsa_records_do_not_mean_gets_nothing(own_server, dane):
    hop, config = dane
    server = own_server(sections=OWN + config)
    before = len(hop.messages)
    send(server, "b@wrong.test")
    waits(server, "none that its TLSA records mean")
    # RFC 7672 §2.1.1: bogus answers are no answers.
    send(server, "b@bogus.test")
    waits(server, "DNSSEC")
    assert len(hop.messages) == before


def test_a_dane_host_without_starttls_gets_nothing(own_server, tmp_path, authority):
    good = authority.sign("mx.y.test")
    with NextHop() as hop:
        text = f"y.test MX 10 mx.y.test.\nmx.y.test A 127.0.0.1\n_{hop.port}._tcp.mx.y.test TLSA 3 1 1 {key_digest(good[0])}\n"
        server = own_server(sections=OWN + zone_file(tmp_path, text) + f"[delivery]\nport = {hop.port}\n" + DELIVERY)
        send(server, "b@y.test")
        waits(server, "STARTTLS")
        assert not hop.messages
        # The sender may waive it (RFC 8689 §4.2.2); nothing else goes.


def test_a_lookup_of_tlsa_records_that_fails_makes_the_host_unusable(own_server, tmp_path, authority):
    with NextHop(tls=authority.sign("mx.y.test")) as hop:
        text = f"y.test MX 10 mx.y.test.\nmx.y.test A 127.0.0.1\n;; servfail _{hop.port}._tcp.mx.y.test\n"
        server = own_server(sections=OWN + zone_file(tmp_path, text) + f"[delivery]\nport = {hop.port}\n" + DELIVERY)
        send(server, "b@y.test")
        waits(server, "TLSA records can't be found out")
        assert not hop.messages


def test_a_route_may_demand_dane(own_server, tmp_path, authority):
    good = authority.sign("other.test")
    with NextHop(tls=good) as hop:
        text = f"y.test MX 10 mx.y.test.\nz.test MX 10 mx.z.test.\nmx.y.test A 127.0.0.1\nmx.z.test A 127.0.0.1\n_{hop.port}._tcp.mx.y.test TLSA 3 0 1 {certificate_digest(good[0])}\n"
        delivery = f'[delivery]\nport = {hop.port}\ntls = "dane-only"\n' + DELIVERY
        server = own_server(sections=OWN + zone_file(tmp_path, text) + delivery)
        send(server, "b@y.test")
        assert hop.wait(1)[0].tls
        send(server, "b@z.test")
        waits(server, "demands DANE")


# MTA-STS

STS = ";; insecure y.test\ny.test MX 10 mx.y.test.\nmx.y.test A 127.0.0.1\nmta-sts.y.test A 127.0.0.1\n"
POLICY = "version: STSv1\r\nmode: MODE\r\nmx: MX\r\nmax_age: 86400\r\n"


def sts(folder, authority, hop, policies, zone=STS + '_mta-sts.y.test TXT "v=STSv1; id=1;"\n'):
    """Return the configuration of a server for which y.test has a policy at `policies`."""
    delivery = f'[delivery]\nport = {hop.port}\npolicy_port = {policies.port}\nauthorities = "{authority.certificate}"\n'
    return OWN + zone_file(folder, zone) + delivery + DELIVERY


def test_a_policy_is_fetched_once_and_its_hosts_get_mail(own_server, tmp_path, authority):
    policy = POLICY.replace("MODE", "enforce").replace("MX", "*.y.test")
    with NextHop(tls=authority.sign("mx.y.test")) as hop:
        with PolicyHost(authority.sign("mta-sts.y.test"), policy) as policies:
            server = own_server(sections=sts(tmp_path, authority, hop, policies))
            for count in (1, 2):
                send(server, "b@y.test")
                assert hop.wait(count)[-1].tls
            assert policies.asked == [(f"mta-sts.y.test:{policies.port}", "/.well-known/mta-sts.txt")]
            server.restart()
            send(server, "b@y.test")
            hop.wait(3)
            assert len(policies.asked) == 1, "it is kept over a restart"


@pytest.mark.parametrize(
    ("mode", "mx", "named", "words"),
    [
        ("enforce", "other.y.test", "mx.y.test", "MTA-STS policy does not allow"),
        ("enforce", "mx.y.test", "other.test", "for other names"),
        ("testing", "other.y.test", "mx.y.test", None),
        ("testing", "mx.y.test", "other.test", None),
        ("none", "mx.y.test", "other.test", None),
    ],
)
def test_a_policy_is_enforced_or_tested(own_server, tmp_path, authority, mode, mx, named, words):
    policy = POLICY.replace("MODE", mode).replace("MX", mx)
    with NextHop(tls=authority.sign(named)) as hop:
        with PolicyHost(authority.sign("mta-sts.y.test"), policy) as policies:
            server = own_server(sections=sts(tmp_path, authority, hop, policies))
            send(server, "b@y.test")
            if words:
                waits(server, words)
                assert not hop.messages
            else:
                assert hop.wait(1)[0].tls
            assert len(policies.asked) == 1


def test_an_enforced_policy_suffers_no_clear_text(own_server, tmp_path, authority):
    policy = POLICY.replace("MODE", "enforce").replace("MX", "mx.y.test")
    with NextHop() as hop, PolicyHost(authority.sign("mta-sts.y.test"), policy) as policies:
        server = own_server(sections=sts(tmp_path, authority, hop, policies))
        send(server, "b@y.test")
        waits(server, "STARTTLS")
        assert not hop.messages


@pytest.mark.parametrize(
    ("host", "how"),
    [
        ("other.test", {}),
        ("mta-sts.y.test", {"status": 404}),
        ("mta-sts.y.test", {"status": 302}),
        ("mta-sts.y.test", {"kind": "text/html"}),
    ],
)
def test_a_policy_that_can_not_be_had_is_none(own_server, tmp_path, authority, host, how):
    # RFC 8461 §3.3: the certificate has to be for the policy's host, redirects are not followed.
    policy = POLICY.replace("MODE", "enforce").replace("MX", "other.y.test")
    with NextHop() as hop, PolicyHost(authority.sign(host), policy, **how) as policies:
        server = own_server(sections=sts(tmp_path, authority, hop, policies))
        send(server, "b@y.test")
        hop.wait(1)
        until(lambda: "MTA-STS policy can't be had" in server.log(), "a word in the log")


def test_a_kept_policy_holds_when_its_record_is_gone(own_server, tmp_path, authority):
    policy = POLICY.replace("MODE", "enforce").replace("MX", "mx.y.test")
    with NextHop(tls=authority.sign("mx.y.test")) as hop:
        with PolicyHost(authority.sign("mta-sts.y.test"), policy) as policies:
            config = sts(tmp_path, authority, hop, policies)
            server = own_server(sections=config)
            send(server, "b@y.test")
            hop.wait(1)
    # Somebody suppresses the record and takes away STARTTLS.
    with NextHop(port=hop.port) as clear:
        server.stop(check=False)
        (tmp_path / "test.zone").write_text(STS)
        server.start()
        send(server, "b@y.test")
        waits(server, "STARTTLS")
        assert not clear.messages


# Memory


def test_a_domain_that_always_had_tls_is_not_sent_to_in_clear_at_once(own_server, tmp_path, authority):
    text = ";; insecure y.test\ny.test MX 10 mx.y.test.\nmx.y.test A 127.0.0.1\n"
    with NextHop(tls=authority.sign("mx.y.test")) as hop:
        delivery = f'[delivery]\nport = {hop.port}\nidle = "0s"\nmessages_per_connection = 1\n' + DELIVERY
        server = own_server(sections=OWN + zone_file(tmp_path, text) + delivery)
        for count in (1, 2, 3):
            send(server, "b@y.test")
            assert hop.wait(count)[-1].tls
    with NextHop(port=hop.port) as clear:
        send(server, "b@y.test")
        waits(server, "STARTTLS")
        assert not clear.messages and "somebody may be in between" in server.log()
        # With the guard off it goes.
        server.write_config(OWN + zone_file(tmp_path, text) + delivery + 'downgrade_guard = "0s"\n')
        server.restart()
        clear.wait(1)


# Our own policy, and reports


def test_our_policy_is_shown_to_everybody_and_the_inside_is_not(own_server):
    (port,) = free_ports(1)
    listener = f'[[listener]]\nprotocol = "http"\nbind = "127.0.0.1:{port}"\ntls = "implicit"\n'
    server = own_server(sections='[mta_sts]\nmode = "enforce"\n' + listener)

    def get(path, host="mta-sts.example.test"):
        context = ssl.create_default_context(cafile=str(server.ca))
        context.check_hostname = False
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=120)
        connection.request("GET", path, headers={"Host": host})
        reply = connection.getresponse()
        return reply.status, reply.getheader("Content-Type"), reply.read().decode()

    status, kind, text = get("/.well-known/mta-sts.txt")
    assert status == 200 and kind.startswith("text/plain")
    lines = ["version: STSv1", "mode: enforce", "mx: mail.example.test", "max_age: 604800"]
    assert text.split("\r\n") == [*lines, ""]
    for path, host in (("/.well-known/mta-sts.txt", "mta-sts.other.test"), ("/metrics", "x"), ("/health", "x")):
        assert get(path, host)[0] == 404
    # Behind a web server it is there, too.
    request = urllib.request.Request(f"http://127.0.0.1:{server.http}/.well-known/mta-sts.txt")
    request.add_header("Host", "mta-sts.example.test")
    assert urllib.request.urlopen(request, timeout=120).read().decode() == text
    # What `troika dns` prints has an id of this very policy.
    shown = server.cli("dns", "example.test").stdout.decode()
    assert "_mta-sts.example.test" in shown
    server.stop()
    server.write_config('[mta_sts]\nmode = "off"\n')
    server.start()
    assert "_mta-sts" not in server.cli("dns", "example.test").stdout.decode()


def test_reports_go_to_whom_asks_for_them(own_server, tmp_path, authority):
    policy = POLICY.replace("MODE", "testing").replace("MX", "mx.y.test")
    posts = []
    with NextHop(tls=authority.sign("other.test")) as hop:
        with PolicyHost(authority.sign("mta-sts.y.test", "reports.y.test"), policy) as policies:
            policies.posts = posts
            rua = f"mailto:tls@y.test,https://reports.y.test:{policies.port}/v1/tls"
            zone = STS + "reports.y.test A 127.0.0.1\n" + '_mta-sts.y.test TXT "v=STSv1; id=1;"\n'
            zone += f'_smtp._tls.y.test TXT "v=TLSRPTv1; rua={rua}"\n'
            config = sts(tmp_path, authority, hop, policies, zone) + '[tls_reports]\nfrom = "tls@example.test"\n'
            server = own_server(sections=config)
            send(server, "b@y.test")
            hop.wait(1)
            server.stop(check=False)
            # The day is over.
            (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
            server.start(wrapper=("env", f"LD_PRELOAD={library}", "FAKETIME=+3d"))
            report = email.message_from_bytes(hop.wait(2)[1].content)
            until(lambda: posts, "a report by HTTPS")
    assert report.get_content_type() == "multipart/report" and report.get_param("report-type") == "tlsrpt"
    assert report["TLS-Report-Domain"] == "y.test" and report["TLS-Report-Submitter"] == "mail.example.test"
    (part,) = [part for part in report.walk() if part.get_content_type() == "application/tlsrpt+gzip"]
    for packed in (part.get_payload(decode=True), posts[0]):
        found = json.loads(gzip.decompress(packed))
        (one,) = found["policies"]
        assert one["policy"]["policy-type"] == "sts" and "mode: testing" in one["policy"]["policy-string"]
        assert one["summary"] == {"total-successful-session-count": 0, "total-failure-session-count": 1}
        (detail,) = one["failure-details"]
        assert detail["result-type"] == "certificate-host-mismatch" and detail["receiving-mx-hostname"] == "mx.y.test"
        assert detail["receiving-ip"] == "127.0.0.1"


def test_a_bad_place_for_reports_neither_delays_nor_doubles_the_good_ones(own_server, tmp_path, authority):
    policy = POLICY.replace("MODE", "testing").replace("MX", "mx.y.test")
    posts = []
    with NextHop(tls=authority.sign("other.test")) as hop, socket.create_server(("127.0.0.1", 0)) as silent:
        with PolicyHost(authority.sign("mta-sts.y.test", "reports.y.test"), policy) as policies:
            policies.posts = posts
            closed, silent_port = free_ports(1)[0], silent.getsockname()[1]
            urls = [f"https://reports.y.test:{port}/v1/tls" for port in (silent_port, closed, policies.port)]
            zone = STS + "reports.y.test A 127.0.0.1\n" + '_mta-sts.y.test TXT "v=STSv1; id=1;"\n'
            zone += f'_smtp._tls.y.test TXT "v=TLSRPTv1; rua={",".join(urls)},mailto:tls@y.test"\n'
            config = sts(tmp_path, authority, hop, policies, zone) + '[tls_reports]\nfrom = "tls@example.test"\n'
            server = own_server(sections=config)
            send(server, "b@y.test")
            hop.wait(1)
            (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
            for turn in (1, 2):
                server.stop(check=False)
                server.start(wrapper=("env", f"LD_PRELOAD={library}", "FAKETIME=+3d"))
                # The silent one has a minute; nobody waits for it, a server that stops neither.
                hop.wait(2)
                until(lambda: posts, "a report by HTTPS")
                until(lambda: server.log().count("a TLS report can't be sent") >= turn, "the closed place's failure")
    assert len(hop.messages) == 2 and len(posts) == 1


def test_reports_of_others_are_taken_and_shown(own_server):
    server = own_server()
    base = f"http://127.0.0.1:{server.http}/tls-reports"

    def post(body):
        request = urllib.request.Request(base, body, {"Content-Type": "application/tlsrpt+gzip"})
        try:
            return urllib.request.urlopen(request, timeout=120).status
        except urllib.error.HTTPError as error:
            return error.code

    detail = {"result-type": "certificate-expired", "receiving-mx-hostname": "mail.example.test", "failed-session-count": 3}
    policy = {
        "policy": {"policy-type": "sts", "policy-domain": "example.test"},
        "summary": {"total-successful-session-count": 5, "total-failure-session-count": 3},
        "failure-details": [detail],
    }
    report = {"organization-name": "Other", "report-id": "r1", "policies": [policy]}
    assert post(gzip.compress(json.dumps(report).encode())) == 201
    assert post(json.dumps({**report, "report-id": "r2"}).encode()) == 201
    for wrong in (b"", b"{}", b"\x1f\x8b\x08 nonsense", json.dumps({**report, "policies": []}).encode()):
        assert post(wrong) == 400
    foreign = {**policy, "policy": {"policy-type": "sts", "policy-domain": "other.test"}}
    assert post(json.dumps({**report, "policies": [foreign]}).encode()) == 400
    assert post(b"x" * (2 << 20)) == 413

    def kept():
        found = json.loads(urllib.request.urlopen(base, timeout=120).read())
        return found if len(found) == 2 else None

    rows = until(kept, "two reports")
    assert {row["report"]["id"] for row in rows} == {"r1", "r2"}
    assert rows[0]["report"]["policies"][0]["details"] == [["certificate-expired", "mail.example.test", "", 3]]
    until(lambda: "TLS with our hosts failed" in server.log(), "a word in the log")


def tls_report_mail(name, domain="example.test"):
    """A report as RFC 8460 section 5.3 has it."""
    policy = {
        "policy": {"policy-type": "sts", "policy-domain": domain},
        "summary": {"total-successful-session-count": 7, "total-failure-session-count": 1},
        "failure-details": [{"result-type": "certificate-expired", "failed-session-count": 1}],
    }
    packed = gzip.compress(json.dumps({"organization-name": "Other", "report-id": name, "policies": [policy]}).encode())
    text = base64.encodebytes(packed).replace(b"\n", b"\r\n")
    head = (
        "From: tls@reporter.test\r\nTo: postmaster@example.test\r\nSubject: Report Domain: example.test\r\n"
        "TLS-Report-Domain: example.test\r\nTLS-Report-Submitter: mail.reporter.test\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type="tlsrpt";\r\n boundary="b"\r\n\r\n--b\r\n'
        "Content-Type: text/plain\r\n\r\nA report.\r\n--b\r\nContent-Type: application/tlsrpt+gzip\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + text + b"--b--\r\n"


def test_reports_that_come_by_mail_count_when_they_are_signed(own_server, tmp_path):
    private = tmp_path / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", private, "-pubout"], check=True, capture_output=True).stdout
    public = "".join(public.decode().split("\n")[1:-2])
    zone = "".join(
        f's._domainkey.{domain}.test. 60 IN TXT "v=DKIM1; k=rsa; s=tlsrpt; " "p={public[:200]}" "{public[200:]}"\n'
        for domain in ("reporter", "other")
    )
    server = own_server(sections=zone_file(tmp_path, zone))
    anna = server.account("anna")

    def signed(name, by=b"reporter.test", **options):
        raw = tls_report_mail(name)
        return dkim.sign(raw, b"s", by, private.read_bytes(), **options) + raw

    server.deliver("postmaster@example.test", signed("good"), sender="tls@reporter.test")
    # One at a time: of many at once some are only delivered.
    until(lambda: server.rows("tls-reports", "list"), "one that counts")
    wrong = [tls_report_mail("unsigned"), signed("foreign", by=b"other.test"), signed("short", length=True)]
    wrong.append(signed("changed").replace(b"Submitter: mail", b"Submitter: m") .replace(b"A report.", b"A rep0rt."))
    for count, raw in enumerate(wrong, 1):
        server.deliver("postmaster@example.test", raw, sender="tls@reporter.test")
        until(lambda seen=count: server.log().count("that came by mail does not count") == seen, "one that does not count")
    (row,) = server.rows("tls-reports", "list")
    assert (row["id"], row["successes"], row["failures"]) == ("good", 7, 1) and row["domains"] == ["example.test"]
    (shown,) = server.rows("tls-reports", "show", "good")
    assert shown["policies"][0]["details"][0]["result"] == "certificate-expired"
    assert b"no TLS report" in server.cli("tls-reports", "show", "unsigned", expect=1).stderr
    # People get them all the same.
    assert len(server.contents(anna)) == 5
    until(lambda: "TLS with our hosts failed" in server.log(), "a word in the log")

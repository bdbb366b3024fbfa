"""`troika dns`: what it prints is a zone file that others read, and what it checks is what stands in the DNS."""

import json

import dns.zone
import pytest
from harness.names import Authority, key_digest
from harness.next_hop import NextHop
from test_transport_security import PolicyHost


@pytest.fixture
def server(own_server, tmp_path):
    """A server that asks a zone file, with a key that signs."""
    zone = tmp_path / "zone"
    zone.write_text("other.test. 60 IN A 192.0.2.1\n")
    server = own_server(sections=f'[dns]\nzone_file = "{zone}"\n', start=False)
    server.zone = zone
    server.cli("dkim", "add", server.domain, "--selector", "s1", "--activate")
    return server.start()


def printed(server):
    """Return what `troika dns` prints."""
    return server.cli("dns", server.domain).stdout.decode()


def checked(server, expect=0):
    """Return the status of each record by type and name."""
    done = server.cli("dns", "check", server.domain, "--records-only", "--json", expect=expect)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {(row["type"], row["name"], row["note"][:6]): row["status"] for row in rows}


def test_what_is_printed_is_a_zone_and_satisfies_the_check(server):
    text = printed(server)
    zone = dns.zone.from_text(text, origin=f"{server.domain}.", check_origin=False, relativize=False)
    found = {(str(name), data.rdtype.name) for name, node in zone.items() for data in node}
    for name, kind in [
        ("", "MX"),
        ("", "TXT"),
        ("_dmarc.", "TXT"),
        ("s1._domainkey.", "TXT"),
        ("_mta-sts.", "TXT"),
        ("_smtp._tls.", "TXT"),
        ("_25._tcp.mail.", "TLSA"),
        ("_imaps._tcp.", "SRV"),
        ("_submissions._tcp.", "SRV"),
    ]:
        assert (f"{name}{server.domain}.", kind) in found, (name, kind, text)
    host = f"mail.{server.domain}."
    server.zone.write_text(
        text + f"{host} 60 IN A 192.0.2.7\n7.2.0.192.in-addr.arpa. 60 IN PTR {host}\n"
    )
    statuses = checked(server)
    assert set(statuses.values()) == {"ok"}, statuses
    assert b"ok " in server.cli("dns", "check", server.domain, "--records-only").stdout


def test_what_is_missing_is_told_and_is_a_failure(server):
    assert set(checked(server, expect=1).values()) == {"missing"}
    told = server.cli("dns", "check", server.domain, "--records-only", expect=1)
    assert b"MISSING" in told.stdout and b"should be" in told.stdout and b"missing or wrong" in told.stderr
    server.zone.write_text(printed(server).replace("p=MII", "p=MIJ"))
    statuses = checked(server, expect=1)
    assert statuses["TXT", f"s1._domainkey.{server.domain}", "DKIM k"] == "different"
    assert statuses["MX", server.domain, "mail f"] == "ok"
    assert statuses["A", f"mail.{server.domain}", "this s"] == "missing"


def test_only_our_domains_have_records(server):
    assert b"not a domain" in server.cli("dns", "elsewhere.test", expect=1).stderr
    assert server.cli("dns", expect=1).stderr
    rows = server.rows("dns", server.domain)
    assert {"name", "type", "value", "need", "note"} <= rows[0].keys()


LIVE = """
example.test. 60 IN MX 10 mx.example.test.
mx.example.test. 60 IN A 127.0.0.1
hop.test. 60 IN A 127.0.0.1
mta-sts.example.test. 60 IN A 127.0.0.1
1.0.0.127.in-addr.arpa. 60 IN PTR mx.example.test.
"""


def test_the_hosts_are_asked_too(own_server, tmp_path):
    authority = Authority(tmp_path / "a")
    good, foreign = authority.sign("mx.example.test"), authority.sign("other.test")
    policy = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.test\r\nmax_age: 604800\r\n"
    zone = tmp_path / "zone"

    def asked(hop, policy_port, extra="", name="server"):
        zone.write_text(LIVE + extra)
        config = f'[dns]\nzone_file = "{zone}"\n[mta_sts]\nmode = "enforce"\nmx = ["mx.example.test"]\n'
        config += f'[delivery]\nport = {hop.port}\npolicy_port = {policy_port}\nauthorities = "{authority.certificate}"\n'
        server = own_server(name, sections=config, start=False)
        done = server.cli("dns", "check", server.domain, "--json", expect=1)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        live = ("HTTPS", "SMTP", "TLS", "TLSA", "PTR")
        return {row["type"]: row for row in rows if row["type"] in live and row["value"] is None}

    with PolicyHost(authority.sign("mta-sts.example.test"), policy) as host:
        with NextHop(tls=good) as hop:
            digest = key_digest(good[0])
            tlsa = f"_{hop.port}._tcp.mx.example.test. 60 IN TLSA 3 1 1 "
            rows = asked(hop, host.port, tlsa + digest + "\n", "one")
            assert {kind: row["status"] for kind, row in rows.items()} == dict.fromkeys(
                ("HTTPS", "PTR", "SMTP", "TLS", "TLSA"), "ok"
            ), rows
            assert "mx.example.test [127.0.0.1]" in rows["SMTP"]["name"]
            rows = asked(hop, host.port, tlsa + "00" * 32 + "\n", "two")
            assert rows["TLSA"]["status"] == "different" and "TLSA" in rows["TLSA"]["found"][0]
            host.text = policy.replace("enforce", "testing")
            rows = asked(hop, host.port, name="three")
            assert rows["HTTPS"]["status"] == "different" and "testing" in rows["HTTPS"]["found"][0]
            assert "TLSA" not in rows
        with NextHop(tls=foreign) as hop:
            rows = asked(hop, 1, name="four")
            assert rows["HTTPS"]["status"] == "missing"
            assert rows["TLS"]["status"] == "different" and "for other names" in rows["TLS"]["found"][0]
            assert rows["TLS"]["need"] == "needed"
        with NextHop() as hop:
            rows = asked(hop, 1, name="five")
            assert rows["TLS"]["status"] == "missing" and "STARTTLS" in rows["TLS"]["found"][0]
    assert asked(hop, 1, name="six")["SMTP"]["status"] == "missing"

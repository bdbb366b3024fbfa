"""`troika dns`: what it prints is a zone file that others read, and what it checks is what stands in the DNS."""

import json

import dns.zone
import pytest


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
    done = server.cli("dns", "check", server.domain, "--json", expect=expect)
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
    assert b"ok " in server.cli("dns", "check", server.domain).stdout


def test_what_is_missing_is_told_and_is_a_failure(server):
    assert set(checked(server, expect=1).values()) == {"missing"}
    told = server.cli("dns", "check", server.domain, expect=1)
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

"""Hosts in network namespaces: addresses that swallow packets, both address families, several source addresses."""

import threading
import time

import pytest
from harness.mail import message
from harness.network import Network
from harness.next_hop import NextHop
from harness.waiting import until
from test_relay import OWN, QUICK, is_empty, send, zone

PORT = 2525


@pytest.fixture
def network():
    """Hosts of one's own."""
    with Network() as made:
        yield made


def listening(host, *, address=None, **options):
    """A next hop on a host, at all its addresses or at one."""
    made = [NextHopOn(host, one, options) for one in ([address] if address else [host.ipv4, host.ipv6])]
    return made[0] if address else made


def NextHopOn(host, address, options):  # noqa: N802
    """A next hop at one address of a host."""
    return host.run(lambda: NextHop(host=address, port=PORT, **options))


def records(name, *hosts, preference=10):
    """MX and address records for hosts of a domain."""
    text = ""
    for number, host in enumerate(hosts):
        text += f"{name}. IN MX {preference * (number + 1)} mx{number}.{name}.\n"
        text += f"mx{number}.{name}. IN A {host.ipv4}\nmx{number}.{name}. IN AAAA {host.ipv6}\n"
    return text


def sections(tmp_path, text, **keys):
    """A server that finds these hosts."""
    keys = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return OWN + zone(tmp_path, text) + f"[delivery]\nport = {PORT}\n" + QUICK + keys


def test_a_host_that_swallows_packets_is_passed_over(own_server, tmp_path, network):
    """The better one drops everything, the next one is slow, and mail for others does not wait for either."""
    dead, slow, good = network.host(), network.host(), network.host()
    dead.drop()
    may_answer = threading.Event()

    def slowly(*_):
        may_answer.wait(300)
        return "250 2.1.0 ok"

    hops = listening(dead) + listening(slow, replies={"MAIL": slowly}) + listening(good)
    text = records("y.test", dead, slow) + records("good.test", good)
    server = own_server(sections=sections(tmp_path, text, connect_timeout='"4s"'))
    send(server, "a@elsewhere.test", ["b@y.test", "c@good.test"], message())
    until(lambda: hops[4].messages or hops[5].messages, "mail for others")
    assert not hops[2].messages and not hops[3].messages
    may_answer.set()
    until(lambda: hops[2].messages or hops[3].messages, "mail at the second host")
    until(lambda: is_empty(server), "an empty queue")
    assert server.metric("troika_sent_total", outcome="Deferred") == 0
    assert hops[0].connections == hops[1].connections == 0
    assert server.metric("troika_sent_connections_failed_total") == 2, "both addresses of the first one"


@pytest.mark.parametrize(("dropped", "used"), [(6, 4), (4, 6)])
def test_an_address_family_that_leads_nowhere_costs_a_second(own_server, tmp_path, network, dropped, used):
    """RFC 8305 §5: the other one is tried beside it, not after its whole time."""
    host = network.host()
    host.drop(dropped)
    hops = dict(zip((4, 6), listening(host), strict=True))
    server = own_server(sections=sections(tmp_path, records("y.test", host), connect_timeout='"60s"'))
    begun = time.monotonic()
    send(server, "a@elsewhere.test", ["b@y.test"], message())
    hops[used].wait(1)
    assert time.monotonic() - begun < 50 and not hops[dropped].connections
    until(lambda: is_empty(server), "an empty queue")


def test_both_families_work_and_the_first_one_is_ipv6(own_server, tmp_path, network):
    host = network.host()
    ipv4, ipv6 = listening(host)
    server = own_server(sections=sections(tmp_path, records("y.test", host), idle='"0s"'))
    for count in range(1, 4):
        send(server, "a@elsewhere.test", ["b@y.test"], message())
        ipv6.wait(count)
    assert not ipv4.connections, "it is not dialled in vain"


def test_a_host_comes_back(own_server, tmp_path, network):
    """Out of reach at first, for all its hosts; then it answers."""
    host = network.host()
    host.drop()
    hops = listening(host)
    server = own_server(sections=sections(tmp_path, records("y.test", host), connect_timeout='"2s"'))
    send(server, "a@elsewhere.test", ["b@y.test"], message())
    until(lambda: server.metric("troika_sent_total", outcome="Deferred") >= 1, "a deferral")
    host.take()
    until(lambda: sum(len(hop.messages) for hop in hops) == 1, "the message")
    until(lambda: is_empty(server), "an empty queue")


def test_the_peer_sees_the_addresses_given_in_turn(own_server, tmp_path, network):
    """Of both families, each towards its own."""
    host = network.host()
    four, six = [host.here[0], host.here[0] + "1"], [host.here[1], host.here[1] + "1"]
    host.also_here(four[1], six[1])
    ipv4, ipv6 = listening(host)
    text = f"four.test. IN A {host.ipv4}\nsix.test. IN AAAA {host.ipv6}\n"
    pool = f"{[*four, *six]}".replace("'", '"')
    server = own_server(sections=sections(tmp_path, text, sources=pool, idle='"0s"'))
    for count in range(1, 5):
        send(server, "a@elsewhere.test", ["b@four.test", "b@six.test"], message())
        ipv4.wait(count)
        ipv6.wait(count)
        until(lambda: is_empty(server), "an empty queue")
    assert (set(ipv4.peers), set(ipv6.peers)) == (set(four), set(six))

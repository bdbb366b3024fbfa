"""Limits of what goes out at a time, and the commands that show it."""

import signal
import smtplib

from harness.mail import message
from harness.next_hop import NextHop
from harness.waiting import until

OWN = '[network]\nown = ["127.0.0.0/8"]\n'


def route(hop, sources=""):
    return f'[[route]]\nrecipient_domain = "*"\nnext_hop = "{hop}"\ntls = "none"\n{sources}'


def send(server, many):
    for number in range(many):
        with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
            smtp.sendmail(f"s{number}@elsewhere.test", [f"r{number}@y{number}.test"], message())


def ready(server):
    return sum(row["ready"] for row in server.rows("queue", "destinations"))


def test_a_destination_gets_so_many_messages_in_a_time(own_server):
    with NextHop() as hop:
        limit = f'[[limit]]\ndestination = "{hop.address}"\nmessages = 2\nper = "10d"\n'
        server = own_server(sections=OWN + limit + route(hop.address))
        send(server, 5)
        hop.wait(2)
        until(lambda: ready(server) == 3, "three messages that wait for their turn")
        assert len(hop.messages) == 2
        [sums] = server.rows("queue", "stats")
        assert (sums["messages"], sums["ready"], sums["destinations_in_trouble"]) == (3, 3, 0)
        # Without the limit they go at once.
        server.write_config(OWN + route(hop.address))
        server.process.send_signal(signal.SIGHUP)
        assert len(hop.wait(5)) == 5
        until(lambda: server.rows("queue", "list") == [], "an empty queue")


def test_an_address_of_ours_sends_so_many_messages_in_a_time(own_server):
    with NextHop() as hop:
        limit = '[[limit]]\nsource = "127.0.0.1"\nmessages = 3\nper = "10d"\n'
        server = own_server(sections=OWN + limit + route(hop.address, 'sources = ["127.0.0.1"]\n'))
        send(server, 1)
        hop.wait(1)
        until(lambda: server.rows("queue", "list") == [], "an empty queue")
        send(server, 5)
        hop.wait(3)
        until(lambda: ready(server) == 3, "three messages that wait for their turn")
        assert len(hop.messages) == 3


def test_a_limit_names_one_thing(own_server):
    server = own_server()
    server.stop()
    server.write_config("[[limit]]\nconnections = 3\n")
    failed = server.cli("serve", expect=1).stderr.decode()
    assert "[[limit]] needs one of destination, mx and source" in failed

"""Mailing lists: posts, members, moderation, bounces, unsubscribing by mail and over HTTP, EXPN, crashes."""

import email
import re
import smtplib
import urllib.error
import urllib.request

import dkim
import pytest
from harness.mail import message, unique
from harness.next_hop import NextHop
from harness.waiting import until

LIST = "talk@example.test"
# Nobody listens there: what is queued stays queued.
NOWHERE = '[[route]]\nrecipient_domain = "*"\nnext_hop = "127.0.0.1:1"\n'


def submit(server, account, recipients, raw):
    """Send a message as a user does."""
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(account.address, account.password)
        smtp.sendmail(account.address, recipients, raw)


def refused(server, sender, recipient, raw=None):
    """The code with which a message is refused, at RCPT or at its end."""
    with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)) as failure:
        server.deliver(recipient, raw or message(), sender=sender)
    if isinstance(failure.value, smtplib.SMTPDataError):
        return failure.value.smtp_code
    ((code, _),) = failure.value.recipients.values()
    return code


def queue(server):
    """The queue's entries by recipient."""
    rows = server.rows("queue", "list")
    return {one["address"]: row["reverse_path"] for row in rows for one in row["recipients"]}


def empty(server):
    """Throw away what is queued."""
    for row in server.rows("queue", "list"):
        server.cli("queue", "remove", row["id"])


def inbox(server, account, count):
    """What is in a mailbox once there are so many messages."""
    return until(
        lambda: len(found := server.contents(account)) >= count and [email.message_from_bytes(raw) for raw in found],
        f"{count} messages for {account.address}",
    )


def queued(server, count):
    """The queue once it has so many recipients."""
    return until(lambda: len(found := queue(server)) >= count and found, f"{count} recipients in the queue")


def members(server):
    """Members with their states."""
    return {row["address"]: row["state"] for row in server.rows("list", "members", LIST)}


def post(subject, **fields):
    """A message to the list."""
    return message(subject, **fields)


def token_of(text, word):
    """The first address of the list for `word` with a token that stands in a text."""
    text = text.replace("=\n", "").replace("%2B", "+")
    return re.search(rf"talk-{word}\+[a-z2-7]+@example\.test", text).group(0)


@pytest.fixture
def talk(own_server):
    """A server with alice and bob, who are members with two others elsewhere, and carol, who owns the list."""
    server = own_server(sections='[lists]\nurl = "https://lists.example.test/"\n' + NOWHERE)
    server.alice, server.bob, server.carol = (server.account(name) for name in ("alice", "bob", "carol"))
    server.cli("list", "add", LIST, "--name", "Small talk", "--owner", server.carol.address, "--bounces", "1")
    four = [server.alice.address, server.bob.address, "dora@away.test", "emil@far.test"]
    server.cli("list", "subscribe", LIST, *four)
    return server


def test_a_post_goes_to_all_members(talk):
    subject = unique()
    submit(talk, talk.alice, [LIST], post(subject))
    (copy,) = inbox(talk, talk.bob, 1)
    (own,) = inbox(talk, talk.alice, 1)
    assert copy["Subject"] == subject and copy["List-Id"] == "Small talk <talk.example.test>"
    assert copy["List-Post"] == f"<mailto:{LIST}>" and copy["Precedence"] == "list"
    assert copy["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "<https://lists.example.test/unsubscribe/" in copy["List-Unsubscribe"]
    assert copy["List-Unsubscribe"] != own["List-Unsubscribe"], "each has a way out of his own"
    assert re.fullmatch(r"<talk-bounces\+[a-z2-7]+@example.test>", copy["Return-Path"])
    found = queued(talk, 2)
    assert set(found) == {"dora@away.test", "emil@far.test"}
    assert len(set(found.values())) == 2 and all(path.startswith("talk-bounces+") for path in found.values())
    # Others wait for an owner; forged ones of our own domain do, too.
    for sender in ("stranger@else.test", talk.alice.address):
        talk.deliver(LIST, post(unique()), sender=sender)
    assert len(talk.rows("list", "held")) == 2 and len(inbox(talk, talk.carol, 2)) == 2
    assert len(talk.contents(talk.bob)) == 1
    # A user who is no member does not become one by saying so in From.
    guest = talk.account("guest")
    submit(talk, guest, [LIST], message(unique(), sender=talk.carol.address))
    assert len(talk.rows("list", "held")) == 3
    talk.deliver(LIST, post(unique()), sender="dora@away.test")
    inbox(talk, talk.bob, 2)
    talk.cli("store", "check")


def test_nothing_goes_in_circles(talk):
    assert refused(talk, "", LIST) == 550
    looped = post(unique(), extra=[f"Delivered-To: {LIST}"])
    assert refused(talk, "dora@away.test", LIST, looped) == 554
    answer = post(unique(), extra=["Auto-Submitted: auto-replied"])
    assert refused(talk, "dora@away.test", LIST, answer) == 550
    # A list in a list, and that one in the first again.
    talk.cli("list", "add", "inner@example.test", "--posting", "anyone")
    talk.cli("list", "subscribe", "inner@example.test", talk.carol.address, LIST)
    talk.cli("list", "subscribe", LIST, "inner@example.test")
    talk.cli("list", "set", LIST, "--posting", "anyone")
    submit(talk, talk.alice, [LIST], post(unique()))
    (copy,) = inbox(talk, talk.carol, 1)
    assert copy["List-Id"] == "inner <inner.example.test>"
    assert copy.get_all("Delivered-To") == ["inner@example.test", LIST]
    assert len(inbox(talk, talk.bob, 1)) == 1
    until(lambda: "inner@example.test" in talk.log() and "did not take a post" in talk.log(), "the loop that was seen")
    assert len(talk.contents(talk.bob)) == 1 and len(talk.contents(talk.carol)) == 1


def test_a_list_in_a_list_believes_no_author(talk):
    inner = "inner@example.test"
    talk.cli("list", "add", inner, "--owner", talk.carol.address)
    talk.cli("list", "subscribe", inner, talk.bob.address)
    talk.cli("list", "unsubscribe", LIST, talk.bob.address)
    talk.cli("list", "subscribe", LIST, inner)
    talk.cli("list", "set", LIST, "--posting", "anyone")
    # bob is a member of the inner one; who says he is bob to the outer one, which believes anybody, is not.
    talk.deliver(LIST, message(unique(), sender=talk.bob.address), sender="stranger@else.test")
    (held,) = until(lambda: talk.rows("list", "held", inner), "a post that waits for the owner")
    assert talk.contents(talk.bob) == []
    talk.cli("list", "reject", held["id"])
    # Where the outer list itself is a member, its posts are taken.
    talk.cli("list", "subscribe", inner, LIST)
    subject = unique()
    submit(talk, talk.alice, [LIST], post(subject))
    (copy,) = inbox(talk, talk.bob, 1)
    assert copy["Subject"] == subject and copy["List-Id"] == "inner <inner.example.test>"


def test_bounces_are_told_by_their_address(talk):
    talk.deliver(LIST, post(unique()), sender="dora@away.test")
    path = queued(talk, 2)["emil@far.test"]
    delayed = (
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n--b\r\n"
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; y\r\n\r\nFinal-Recipient: rfc822; e@far.test\r\n"
        b"Action: delayed\r\nStatus: 4.2.2\r\n--b--\r\n"
    )
    talk.deliver(path, delayed, sender="")
    assert members(talk)["emil@far.test"] == "active"
    assert refused(talk, "", path.replace("bounces+", "bounces+a")) == 550
    talk.deliver(path.upper(), delayed.replace(b"delayed", b"failed"), sender="")
    assert members(talk)["emil@far.test"] == "bouncing"
    (notice,) = inbox(talk, talk.carol, 1)
    assert "emil@far.test bounces" in notice["Subject"] and notice["Return-Path"] == "<>"
    empty(talk)
    talk.deliver(LIST, post(unique()), sender="dora@away.test")
    inbox(talk, talk.bob, 2)
    assert set(queued(talk, 1)) == {"dora@away.test"}
    talk.cli("list", "subscribe", LIST, "emil@far.test")
    assert members(talk)["emil@far.test"] == "active"
    # A full mailbox here counts as a bounce elsewhere does.
    full = talk.account("full", "--quota", "10")
    talk.cli("list", "subscribe", LIST, full.address)
    talk.deliver(LIST, post(unique()), sender="dora@away.test")
    until(lambda: members(talk)[full.address] == "bouncing", "the full one counted")


def test_unsubscribing_over_http_and_by_mail(talk):
    talk.deliver(LIST, post(unique()), sender="dora@away.test")
    (copy,) = inbox(talk, talk.bob, 1)
    path = re.search(r"lists\.example\.test(/unsubscribe/[a-z2-7]+)", copy["List-Unsubscribe"]).group(1)
    status, page = talk.get(path)
    assert status == 200 and talk.bob.address in page and 'method="post"' in page
    assert talk.get(path + "a")[0] == 404 and talk.get("/unsubscribe/")[0] == 404
    assert talk.bob.address in members(talk), "looking unsubscribes nobody"

    def press(body):
        request = urllib.request.Request(f"http://127.0.0.1:{talk.http}{path}", data=body, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert press(b"nothing") == 400 and talk.bob.address in members(talk)
    assert press(b"x" * 100_000) == 413
    assert press(b"List-Unsubscribe=One-Click") == 200 and talk.bob.address not in members(talk)
    assert press(b"List-Unsubscribe=One-Click") == 200, "again does no harm"
    goodbye = inbox(talk, talk.bob, 2)[1]
    assert goodbye["Subject"] == f"Unsubscribed from {LIST}"
    # By mail, with the token of the copy; and with a question.
    (copy,) = inbox(talk, talk.alice, 1)
    talk.deliver(token_of(copy["List-Unsubscribe"], "unsubscribe"), message(unique()), sender="any@else.test")
    assert talk.alice.address not in members(talk)
    talk.cli("list", "subscribe", LIST, talk.alice.address)
    submit(talk, talk.alice, ["talk-unsubscribe@example.test"], message(unique(), sender=talk.alice.address))
    question = inbox(talk, talk.alice, 3)[2]
    assert "confirm" in question["Subject"] and talk.alice.address in members(talk)
    submit(talk, talk.alice, [question["Reply-To"]], message(unique(), sender=talk.alice.address))
    assert talk.alice.address not in members(talk)


def test_subscribing_by_mail(talk):
    talk.cli("list", "set", LIST, "--language", "ru")
    frank = "frank@away.test"
    for to in ("talk-subscribe@example.test", "talk-subscribe@example.test"):
        talk.deliver(to, message("subscribe", sender=frank), sender=frank)
    assert list(queue(talk)) == [frank], "asked once a day"
    assert frank not in members(talk)
    empty(talk)
    # One who can read the question: a user here.
    guest = talk.account("guest")
    submit(talk, guest, ["talk-request@example.test"], message("Subscribe please", sender=guest.address))
    (question,) = inbox(talk, guest, 1)
    answer = question["Reply-To"]
    text = question.get_payload(decode=True).decode()
    assert answer in text and "подписать" in text
    assert refused(talk, frank, answer, message("yes", sender=frank)) == 550, "an answer of another address"
    submit(talk, guest, [answer], message("Re: yes", sender=guest.address))
    assert members(talk)[guest.address] == "active"
    welcome = inbox(talk, guest, 2)[1]
    assert welcome["Auto-Submitted"] == "auto-generated"
    # Machines are not answered, and a closed list asks nobody.
    robot = message("subscribe", sender="robot@away.test", extra=["Auto-Submitted: auto-generated"])
    talk.deliver("talk-subscribe@example.test", robot, sender="robot@away.test")
    assert queue(talk) == {}
    talk.cli("list", "set", LIST, "--joining", "closed")
    other = talk.account("other")
    submit(talk, other, ["talk-subscribe@example.test"], message("hi", sender=other.address))
    (told,) = inbox(talk, other, 1)
    assert "Reply-To" not in told and other.address not in members(talk)
    # What is for the owners goes to them.
    subject = unique()
    talk.deliver("talk-owner@example.test", message(subject), sender="")
    talk.deliver("talk-request@example.test", message(subject), sender="someone@else.test")
    assert [copy["Subject"] for copy in inbox(talk, talk.carol, 2)] == [subject, subject]


def test_owners_decide(talk):
    talk.cli("list", "set", LIST, "--posting", "owners")
    assert talk.rows("list", "show", LIST)[0]["posting"] == "owners"
    first, second, third = unique(), unique(), unique()
    author = "dora@away.test"
    for subject in (first, second, third):
        talk.deliver(LIST, post(subject), sender=author)
    assert [row["subject"] for row in talk.rows("list", "held", LIST)] == [first, second, third]
    notices = [notice.get_payload() for notice in inbox(talk, talk.carol, 3)]
    approve, discard = (re.findall(r"talk-moderate\+[a-z2-7]+@example\.test", text) for text in notices[:2])
    submit(talk, talk.carol, [approve[0]], message("ok", sender=talk.carol.address))
    (copy,) = inbox(talk, talk.bob, 1)
    assert copy["Subject"] == first and copy["List-Post"] == "NO (announcements)"
    submit(talk, talk.carol, [discard[1]], message("no", sender=talk.carol.address))
    until(lambda: len(talk.rows("list", "held")) == 1, "the second is gone")
    submit(talk, talk.carol, [approve[0]], message("ok again", sender=talk.carol.address))
    assert refused(talk, author, approve[0].replace("moderate+", "moderate+a")) == 550
    empty(talk)
    (row,) = talk.rows("list", "held")
    talk.cli("list", "reject", row["id"], "--reason", "too long")
    assert queue(talk) == {author: ""} and talk.rows("list", "held") == []
    talk.cli("list", "approve", row["id"], expect=1)
    assert len(talk.contents(talk.bob)) == 1
    talk.cli("list", "set", LIST, "--others", "refuse")
    assert refused(talk, author, LIST) == 550
    submit(talk, talk.carol, [LIST], post(unique()))
    inbox(talk, talk.bob, 2)


def test_who_may_see_the_members(own_server):
    server = own_server(sections="[auth]\nverify_for_users = true\n" + NOWHERE)
    alice, bob = server.account("alice"), server.account("bob")
    server.cli("list", "add", LIST, "--owner", bob.address)
    server.cli("list", "subscribe", LIST, alice.address, "dora@away.test")

    def expand(account):
        with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
            smtp.login(account.address, account.password)
            code, text = smtp.expn(LIST)
            return code, text.decode()

    assert expand(alice)[0] == 550
    assert expand(bob)[0] == 250 and "dora@away.test" in expand(bob)[1]
    server.cli("list", "set", LIST, "--visible", "members")
    assert expand(alice)[0] == 250
    carol = server.account("carol")
    assert expand(carol)[0] == 550
    server.cli("list", "set", LIST, "--visible", "users")
    assert expand(carol)[0] == 250
    server.cli("list", "unsubscribe", LIST, alice.address)
    server.cli("list", "remove", LIST)
    assert server.rows("list", "list") == []


def test_a_crash_doubles_and_loses_no_copy(own_server):
    server = own_server(sections=NOWHERE)
    alice = server.account("alice")
    server.cli("list", "add", LIST, "--posting", "anyone")
    people = [f"member{number}@away.test" for number in range(700)]
    server.cli("list", "subscribe", LIST, *people[:350])
    server.cli("list", "subscribe", LIST, *people[350:], alice.address)
    for round_ in range(4):
        server.deliver(LIST, post(unique()), sender="someone@else.test")
        # Not a wait for something: the crash comes at another place of the way in each round.
        if round_:
            until(lambda: len(server.rows("queue", "list")) > round_ * 700 + round_ * 50, "some copies")
        server.kill()
        server.start()
    until(lambda: len(server.rows("queue", "list")) >= 2800 and len(server.contents(alice)) >= 4, "all copies", 300)
    recipients = [one["address"] for row in server.rows("queue", "list") for one in row["recipients"]]
    assert sorted(recipients) == sorted(people * 4) and len(server.contents(alice)) == 4
    server.cli("store", "check")


def test_copies_leave_and_what_comes_back_counts(own_server):
    with NextHop(replies={"RCPT TO:<dead@away.test>": "550 5.1.1 nobody", "RCPT TO:<slow@away.test>": "451 4.2.0 later"}) as hop:
        server = own_server(sections=f'[[route]]\nrecipient_domain = "*"\nnext_hop = "{hop.address}"\n')
        boss = server.account("boss")
        server.cli("list", "add", LIST, "--owner", boss.address, "--posting", "anyone", "--bounces", "1")
        server.cli("dkim", "add", "example.test", "--activate")
        known = {row["name"].encode() + b".": row["record"].encode() for row in server.rows("dkim", "list")}
        author = server.account("author")
        server.cli("list", "subscribe", LIST, "one@away.test", "two@away.test", "dead@away.test", "slow@away.test")
        submit(server, author, [LIST], message(unique(), sender=author.address))
        first, second = hop.wait(2)
        assert first.sender() != second.sender() and first.recipients() != second.recipients()
        for taken in (first, second):
            assert taken.sender().startswith("talk-bounces+")
            copy = email.message_from_bytes(taken.content)
            assert "talk-unsubscribe%2B" in copy["List-Unsubscribe"] and "Return-Path" not in copy
            # The author's signature outlives the list, and the list's covers the way out (RFC 8058 section 4).
            judge = dkim.DKIM(taken.content)
            assert all(judge.verify(index, dnsfunc=lambda name, **_: known.get(name)) for index in (0, 1))
            assert "list-unsubscribe" in "".join(copy.get_all("DKIM-Signature")[0].split()).lower()
        # The refusal came in the session: the report of it goes to the member's own reverse-path, which is counted.
        until(lambda: members(server)["dead@away.test"] == "bouncing", "the dead one counted")
        (notice,) = inbox(server, boss, 1)
        assert "dead@away.test bounces" in notice["Subject"]
        assert members(server)["slow@away.test"] == "active"
        until(lambda: len(server.rows("queue", "list")) == 1, "only the slow one waits")

"""imapfilter: searches on the server, flags, copies, moves, deletes, and makes mailboxes."""

import os

from harness.mail import message, unique
from harness.programs import run


def test_sorts_the_inbox(server, alice, tmp_path):
    words = {name: unique(name) for name in ("bill", "list", "junk", "rest")}
    for name, subject in words.items():
        extra = ["List-Id: <talk.example.test>"] if name == "list" else []
        server.deliver(alice, message(subject, body=f"about {name}: Счёт\r\n", extra=extra))
    config = tmp_path / "config.lua"
    config.write_text(f"""
        options.timeout = 60
        options.subscribe = true
        options.create = true
        account = IMAP {{
            server = 'localhost', port = {server.imaps}, username = '{alice.address}', password = '{alice.password}',
            ssl = 'tls1.2',
        }}
        inbox = account.INBOX
        all, unread = inbox:check_status()
        assert(all == 4 and unread == 4, 'STATUS')
        account:create_mailbox('Bills/2026')
        bills = inbox:contain_subject('{words["bill"]}') + inbox:contain_body('no such text')
        assert(#bills == 1, 'SEARCH')
        bills:mark_flagged()
        bills:move_messages(account['Bills/2026'])
        lists = inbox:contain_field('List-Id', 'talk.example.test') * inbox:is_unseen()
        lists:copy_messages(account.Lists)
        lists:add_flags({{ 'listed', '\\\\Seen' }})
        inbox:contain_subject('{words["junk"]}'):delete_messages()
        account:rename_mailbox('Lists', 'Talk')
        mailboxes, folders = account:list_all()
        found = {{}}
        for _, name in ipairs(mailboxes) do found[name] = true end
        assert(found['Talk'] and found['INBOX'], 'LIST')
        for _, m in ipairs(inbox:contain_subject('{words["rest"]}')) do
            mailbox, uid = table.unpack(m)
            text = mailbox[uid]:fetch_message()
            assert(string.find(text, 'about rest: Счёт', 1, true), 'FETCH')
        end
    """)
    environment = os.environ | {"HOME": str(tmp_path), "IMAPFILTER_HOME": str(tmp_path)}
    run(["imapfilter", "-v", "-t", server.ca, "-c", config], env=environment)
    kept = b"".join(server.contents(alice))
    assert words["list"].encode() in kept and words["rest"].encode() in kept
    assert words["bill"].encode() not in kept and words["junk"].encode() not in kept
    client = server.imap_login(alice)
    for mailbox, keys in (("Bills/2026", "FLAGGED"), ("Talk", "UNSEEN"), ("INBOX", "KEYWORD listed SEEN")):
        assert client.select(f'"{mailbox}"', readonly=True)[0] == "OK"
        assert len(client.search(None, keys)[1][0].split()) == 1, mailbox
    client.logout()

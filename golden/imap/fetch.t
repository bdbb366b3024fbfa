# FETCH (RFC 3501 §6.4.5).
messages: 3

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S: * 3 EXISTS
S: * 3 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 4] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 14] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: c FETCH 1:2 (FLAGS UID RFC822.SIZE INTERNALDATE)
S: * 1 FETCH (FLAGS (\Recent) UID 1 RFC822.SIZE 148 INTERNALDATE "14-Nov-2023 22:13:21 +0000")
S: * 2 FETCH (FLAGS (\Recent) UID 2 RFC822.SIZE 148 INTERNALDATE "14-Nov-2023 22:13:22 +0000")
S: c OK FETCH completed
C: d FETCH 1 FAST
S: * 1 FETCH (FLAGS (\Recent) INTERNALDATE "14-Nov-2023 22:13:21 +0000" RFC822.SIZE 148)
S: d OK FETCH completed
C: e FETCH 2 BODY.PEEK[HEADER.FIELDS (Subject X-None)]
S: * 2 FETCH (BODY[HEADER.FIELDS (Subject X-None)] {22}
S: Subject: message 2
S:
S: )
S: e OK FETCH completed
C: f FETCH 2 BODY[HEADER.FIELDS.NOT (Date To Message-ID Subject)]  # sets \Seen and says so (RFC 3501 §6.4.5)
S: * 2 FETCH (BODY[HEADER.FIELDS.NOT (Date To Message-ID Subject)] {30}
S: From: A2 <a2@example.test>
S:
S:  FLAGS (\Seen \Recent))
S: f OK FETCH completed
C: g FETCH 2 (RFC822.TEXT FLAGS)
S: * 2 FETCH (RFC822.TEXT {8}
S: body 2
S:  FLAGS (\Seen \Recent))
S: g OK FETCH completed
C: h FETCH 3 RFC822.HEADER  # does not set \Seen
S: * 3 FETCH (RFC822.HEADER {140}
S: Date: Tue, 14 Nov 2023 10:00:03 +0000
S: From: A3 <a3@example.test>
S: To: me@example.test
S: Subject: message 3
S: Message-ID: <3@example.test>
S:
S: )
S: h OK FETCH completed
C: i FETCH 3 BODY[]<8.5>
S: * 3 FETCH (BODY[]<8> {5}
S: e, 14 FLAGS (\Seen \Recent))
S: i OK FETCH completed
C: j FETCH 3 BODY[]<100000.5>  # beyond the end: empty
S: * 3 FETCH (BODY[]<100000> "")
S: j OK FETCH completed
C: k FETCH 1 (EMAILID THREADID SAVEDATE)
S: * 1 FETCH (EMAILID (M1) THREADID (T1) SAVEDATE "14-Nov-2023 22:13:20 +0000")
S: k OK FETCH completed
C: l FETCH 4 FLAGS  # RFC 9051 §9, seq-number
S: l BAD there is no message number 4
C: m FETCH 0 FLAGS
S: m BAD expected a sequence set at column 9: "0 FLAGS"
C: n UID FETCH 3:99 FLAGS  # UIDs that do not exist are ignored (RFC 3501 §6.4.8)
S: * 3 FETCH (UID 3 FLAGS (\Seen \Recent))
S: n OK FETCH completed
C: o UID FETCH 50 FLAGS
S: o OK FETCH completed
C: p FETCH * UID
S: * 3 FETCH (UID 3)
S: p OK FETCH completed
C: q FETCH 2:1 UID
S: * 1 FETCH (UID 1)
S: * 2 FETCH (UID 2)
S: q OK FETCH completed
C: r FETCH 1 BODY[7]  # no such part
S: * 1 FETCH (BODY[7] NIL FLAGS (\Seen \Recent))
S: r OK FETCH completed
C: t FETCH 1 (BODY[] BODY[HEADER.FIELDS ("a b" DATE)])
S: t BAD expected the name of a header field at column 39: ""a b" DATE)])"
C: u FETCH 1 BODY[MIME]
S: u BAD expected a section such as 1.2, HEADER or TEXT at column 16: "MIME]"
C: v NOOP
S: v OK NOOP completed  # what this client's own FETCH has set is no news to it

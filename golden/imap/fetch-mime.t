# FETCH of parts (RFC 3501 §6.4.5): part numbers, MIME, a message within the message.
world: mime

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S: * 1 EXISTS
S: * 1 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 2] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 12] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: c FETCH 1 BODYSTRUCTURE
S: * 1 FETCH (BODYSTRUCTURE (("text" "plain" ("charset" "utf-8") NIL NIL "7BIT" 5 0 NIL NIL NIL NIL)("message" "rfc822" NIL NIL NIL "7BIT" 51 (NIL "inner" ((NIL NIL "in" "example.test")) ((NIL NIL "in" "example.test")) ((NIL NIL "in" "example.test")) NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 10 0 NIL NIL NIL NIL) 3 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL))
S: c OK FETCH completed
C: d FETCH 1 (BODY.PEEK[1] BODY.PEEK[1.MIME] BODY.PEEK[2.HEADER] BODY.PEEK[2.TEXT] BODY.PEEK[2.1])
S: * 1 FETCH (BODY[1] {5}
S: first BODY[1.MIME] {43}
S: Content-Type: text/plain; charset=utf-8
S:
S:  BODY[2.HEADER] {41}
S: From: in@example.test
S: Subject: inner
S:
S:  BODY[2.TEXT] {10}
S: inner body BODY[2.1] {10}
S: inner body)
S: d OK FETCH completed
C: e FETCH 1 BODY[TEXT]<0.8>
S: * 1 FETCH (BODY[TEXT]<0> {8}
S: preamble FLAGS (\Seen \Recent))
S: e OK FETCH completed
C: f FETCH 1 BODY.PEEK[2.HEADER.FIELDS (SUBJECT)]
S: * 1 FETCH (BODY[2.HEADER.FIELDS (SUBJECT)] {18}
S: Subject: inner
S:
S: )
S: f OK FETCH completed

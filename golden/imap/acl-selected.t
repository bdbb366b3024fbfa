# What rights mean in a selected mailbox (RFC 4314 §4, §5.1.1, §5.2), and what is told when they change.
messages: 3
mailboxes: other

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
W: rights INBOX lrwis
C: A142 SELECT INBOX  # §5.1.1's example: no \Deleted among PERMANENTFLAGS
S: * 3 EXISTS
S: * 3 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 4] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 15] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: A142 OK [READ-WRITE] SELECT completed
C: A143 MYRIGHTS INBOX
S: * MYRIGHTS INBOX lrswi
S: A143 OK MYRIGHTS completed
C: b STORE 1 +FLAGS (\Deleted \Flagged)  # §4: what may be changed is changed
S: * 1 FETCH (FLAGS (\Flagged \Recent))
S: b OK STORE completed
C: c STORE 1 +FLAGS (\Deleted)
S: c NO [NOPERM] You may not change these flags
C: d EXPUNGE
S: d NO [NOPERM] You may not do that
C: e MOVE 1 other
S: e NO [NOPERM] You may not do that
W: rights INBOX lr
C: f NOOP  # §5.1.1: FLAGS and PERMANENTFLAGS again
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS ()] Flags permitted
S: f OK NOOP completed
C: g FETCH 2 BODY[TEXT]  # §4: \Seen is not set without `s`
S: * 2 FETCH (BODY[TEXT] {8}
S: body 2
S: )
S: g OK FETCH completed
C: h FETCH 2 FLAGS
S: * 2 FETCH (FLAGS (\Recent))
S: h OK FETCH completed
C: i APPEND INBOX {4+}
C: a: b
S: i NO [NOPERM] You may not do that
C: j COPY 1 INBOX
S: j NO [NOPERM] You may not do that
C: k CLOSE  # §4: without `e`, just closed
S: k OK CLOSE completed
C: l SELECT INBOX  # §5.2: none of `i`, `e`, and the rights of shared flags
S~ * 3 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 4] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS ()] Flags permitted
S: * OK [HIGHESTMODSEQ 16] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: l OK [READ-ONLY] SELECT completed
C: m IDLE
S: + idling
W: rights INBOX l
S: * BYE You may not read the selected mailbox any more
E:

# SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 §6.3.1, §6.3.2, §6.4.2; RFC 3691).
messages: 3

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT nowhere  # RFC 5530 §3
S: b NO [NONEXISTENT] There is no such mailbox
C: c EXAMINE inbox
S: * 3 EXISTS
S: * 3 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 4] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS ()] Read-only mailbox
S: * OK [HIGHESTMODSEQ 14] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: c OK [READ-ONLY] EXAMINE completed
C: d STORE 1 +FLAGS (\Seen)  # EXAMINE: nothing may change (RFC 3501 §6.3.2)
S: d NO [NOPERM] The mailbox is selected read-only
C: e FETCH 1 BODY[TEXT]  # nor \Seen
S: * 1 FETCH (BODY[TEXT] {8}
S: body 1
S: )
S: e OK FETCH completed
C: f EXPUNGE
S: f NO [NOPERM] The mailbox is selected read-only
C: g CLOSE  # no error, nothing removed (RFC 3501 §6.4.2)
S: g OK CLOSE completed
C: h FETCH 1 FLAGS
S: h BAD FETCH needs a selected mailbox
C: i SELECT INBOX
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
S: i OK [READ-WRITE] SELECT completed
C: j STORE 1,3 +FLAGS (\Deleted)
S: * 1 FETCH (FLAGS (\Deleted \Recent))
S: * 3 FETCH (FLAGS (\Deleted \Recent))
S: j OK STORE completed
C: k UNSELECT  # RFC 3691: nothing is expunged
S: k OK UNSELECT completed
C: l SELECT INBOX
S: * 3 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 4] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 15] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: l OK [READ-WRITE] SELECT completed
C: m CLOSE  # expunges without a word
S: m OK CLOSE completed
C: n STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY RECENT)
S: * STATUS INBOX (MESSAGES 1 UNSEEN 1 UIDNEXT 4 UIDVALIDITY 1001 RECENT 0)
S: n OK STATUS completed
C: o SELECT INBOX
S: * 1 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 4] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 16] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: o OK [READ-WRITE] SELECT completed
C: p SELECT nowhere  # a failed SELECT leaves nothing selected (RFC 3501 §6.3.1)
S: * OK [CLOSED] The mailbox selected before is closed
S: p NO [NONEXISTENT] There is no such mailbox
C: q CHECK
S: q BAD CHECK needs a selected mailbox

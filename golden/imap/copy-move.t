# COPY, MOVE, UIDPLUS (RFC 3501 §6.4.7; RFC 4315 §3; RFC 6851).
messages: 5
mailboxes: meeting

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S: * 5 EXISTS
S: * 5 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 6] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 17] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: c STORE 2 FLAGS ($work \Flagged)
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $work)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $work \*)] Flags permitted
S: * 2 FETCH (FLAGS (\Flagged \Recent $work))
S: c OK STORE completed
C: A003 COPY 2:4 meeting  # RFC 4315 §3
S: A003 OK [COPYUID 1002 2:4 1:3] COPY completed
C: d COPY 1 nowhere  # RFC 3501 §6.4.7
S: d NO [TRYCREATE] There is no such mailbox
C: e UID COPY 99 meeting
S: e OK No matching messages, so nothing done
C: f COPY 9 meeting
S: f BAD there is no message number 9
C: g COPY 1 INBOX  # to itself: EXISTS
S: * 6 EXISTS
S: * 6 RECENT
S: g OK [COPYUID 1001 1 6] COPY completed
C: h UID MOVE 1:2,4 meeting  # RFC 6851 §4.3: COPYUID before the EXPUNGEs
S: * OK [COPYUID 1002 1:2,4 4:6] Moved UIDs
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: * 2 EXPUNGE
S: h OK MOVE completed
C: i MOVE 1:2 meeting
S: * OK [COPYUID 1002 3,5 7:8] Moved UIDs
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: i OK MOVE completed
C: j EXAMINE meeting
S: * OK [CLOSED] The mailbox selected before is closed
S: * 8 EXISTS
S: * 8 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1002] UIDs are valid
S: * OK [UIDNEXT 9] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $work)
S: * OK [PERMANENTFLAGS ()] Read-only mailbox
S: * OK [HIGHESTMODSEQ 28] Highest modification sequence
S: * OK [MAILBOXID (F2)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: j OK [READ-ONLY] EXAMINE completed
C: k FETCH 1:* (UID FLAGS)
S: * 1 FETCH (UID 1 FLAGS (\Flagged \Recent $work))
S: * 2 FETCH (UID 2 FLAGS (\Recent))
S: * 3 FETCH (UID 3 FLAGS (\Recent))
S: * 4 FETCH (UID 4 FLAGS (\Recent))
S: * 5 FETCH (UID 5 FLAGS (\Flagged \Recent $work))
S: * 6 FETCH (UID 6 FLAGS (\Recent))
S: * 7 FETCH (UID 7 FLAGS (\Recent))
S: * 8 FETCH (UID 8 FLAGS (\Recent))
S: k OK FETCH completed
C: l MOVE 1 INBOX
S: l NO [NOPERM] The mailbox is selected read-only
C: m COPY 1 INBOX
S: m OK [COPYUID 1001 1 7] COPY completed
W: full
C: n COPY 2 INBOX  # RFC 5530 §3
S: n NO [OVERQUOTA] The quota is used up

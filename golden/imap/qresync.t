# QRESYNC (RFC 7162 §3.2).
messages: 10
mailboxes: other

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX (QRESYNC (1001 12))  # §3.2.5: only once it is enabled
S: b BAD QRESYNC is not enabled
C: c ENABLE QRESYNC  # §3.2.3
S: * ENABLED QRESYNC
S: c OK ENABLE completed
C: d SELECT INBOX
S: * 10 EXISTS
S: * 10 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 11] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 22] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: d OK [READ-WRITE] SELECT completed
C: e STORE 2,5,8,9 +FLAGS.SILENT (\Deleted)  # §3.2.4: UID in every FETCH
S: * 2 FETCH (UID 2 MODSEQ (23))
S: * 5 FETCH (UID 5 MODSEQ (23))
S: * 8 FETCH (UID 8 MODSEQ (23))
S: * 9 FETCH (UID 9 MODSEQ (23))
S: e OK STORE completed
C: f EXPUNGE  # §3.2.7
S: * VANISHED 2,5,8:9
S: f OK [HIGHESTMODSEQ 24] EXPUNGE completed
C: g STORE 1,3 FLAGS (\Deleted)
S: * 1 FETCH (UID 1 FLAGS (\Deleted \Recent) MODSEQ (25))
S: * 3 FETCH (UID 4 FLAGS (\Deleted \Recent) MODSEQ (25))
S: g OK STORE completed
C: h UID EXPUNGE 1:2  # §3.2.9
S: * VANISHED 1
S: h OK [HIGHESTMODSEQ 26] EXPUNGE completed
C: i UID MOVE 3 other  # RFC 6851 §4.4
S: * OK [COPYUID 1002 3 1] Moved UIDs
S: * VANISHED 3
S: i OK [HIGHESTMODSEQ 28] MOVE completed
W: expunge INBOX 6
W: deliver INBOX
C: j FETCH 1 (UID)  # §3.2.10.2: not during FETCH
S: * 1 FETCH (UID 4)
S: * 5 EXISTS
S: * 5 RECENT
S: j OK FETCH completed
C: k UID SEARCH 1:2  # nor while numbers of the criteria are meant
S: * SEARCH 4
S: k OK SEARCH completed
C: l UID FETCH 1:* (FLAGS) (CHANGEDSINCE 22 VANISHED)  # §3.2.6; what is still counted leaves with its own VANISHED
S: * VANISHED (EARLIER) 1:3,5,8:9
S: * 1 FETCH (UID 4 FLAGS (\Deleted \Recent) MODSEQ (25))
S: * 5 FETCH (UID 11 FLAGS (\Recent) MODSEQ (30))
S: * VANISHED 6
S: l OK FETCH completed
C: m UID FETCH 300:500,5:8 (FLAGS) (VANISHED CHANGEDSINCE 23)
S: * VANISHED (EARLIER) 5:6,8
S: m OK FETCH completed
C: n UID FETCH 1:* (FLAGS) (VANISHED)
S~ n BAD expected VANISHED with CHANGEDSINCE, in UID FETCH only *
C: o FETCH 1:* (FLAGS) (CHANGEDSINCE 23 VANISHED)
S~ o BAD expected VANISHED with CHANGEDSINCE, in UID FETCH only *
C: p IDLE
S: + idling
W: expunge INBOX 7
S: * VANISHED 7
C: DONE
S: p OK IDLE terminated
C: q SELECT other  # §3.2.11
S: * OK [CLOSED] The mailbox selected before is closed
S: * 1 EXISTS
S: * 1 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1002] UIDs are valid
S: * OK [UIDNEXT 2] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 27] Highest modification sequence
S: * OK [MAILBOXID (F2)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: q OK [READ-WRITE] SELECT completed
C: r SELECT INBOX (QRESYNC (1001 24 1:11))  # §3.2.5.1
S: * OK [CLOSED] The mailbox selected before is closed
S: * 3 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 12] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 31] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: * VANISHED (EARLIER) 1,3,6:7
S: * 1 FETCH (UID 4 FLAGS (\Deleted) MODSEQ (25))
S: * 3 FETCH (UID 11 FLAGS () MODSEQ (30))
S: r OK [READ-WRITE] SELECT completed
C: s UNSELECT
S: s OK UNSELECT completed
C: t EXAMINE INBOX (QRESYNC (1001 24 2:7))  # only of what the client knows
S: * 3 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 12] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS ()] Read-only mailbox
S: * OK [HIGHESTMODSEQ 31] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: * VANISHED (EARLIER) 3,6:7
S: * 1 FETCH (UID 4 FLAGS (\Deleted) MODSEQ (25))
S: t OK [READ-ONLY] EXAMINE completed
C: u UNSELECT
S: u OK UNSELECT completed
C: v EXAMINE INBOX (QRESYNC (1001 11 1:11 (1,2 4,9)))  # §3.2.5.2: number 1 is UID 4
S: * 3 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 12] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS ()] Read-only mailbox
S: * OK [HIGHESTMODSEQ 31] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: * VANISHED (EARLIER) 5:9
S: * 1 FETCH (UID 4 FLAGS (\Deleted) MODSEQ (25))
S: * 2 FETCH (UID 10 FLAGS () MODSEQ (22))
S: * 3 FETCH (UID 11 FLAGS () MODSEQ (30))
S: v OK [READ-ONLY] EXAMINE completed
C: w CLOSE  # §3.2.8: no HIGHESTMODSEQ
S: w OK CLOSE completed
C: x EXAMINE INBOX (QRESYNC (999 24))  # §3.2.5.1: another UIDVALIDITY
S: * 3 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 12] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS ()] Read-only mailbox
S: * OK [HIGHESTMODSEQ 31] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: x OK [READ-ONLY] EXAMINE completed

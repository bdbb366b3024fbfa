# IDLE (RFC 2177; RFC 9051 §6.3.13): news at once, with the UID; DONE ends it.
messages: 3

S~ * OK [CAPABILITY *] *
C: A001 LOGIN joe secret
S~ A001 OK [CAPABILITY *] *
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
C: A002 IDLE
S: + idling
W: deliver INBOX
S: * 4 EXISTS
S: * 4 RECENT
C: DONE
S: A002 OK IDLE terminated
C: c FETCH 4 FLAGS
S: * 4 FETCH (FLAGS (\Recent))
S: c OK FETCH completed
W: expunge INBOX 2  # while no command is in progress: nothing is said (RFC 3501 §7.4.1)
C: A004 IDLE
S: + idling
S: * 2 EXPUNGE
S2~ * OK [CAPABILITY *] *
C2: a LOGIN joe secret
S2~ a OK [CAPABILITY *] *
C2: b SELECT INBOX
S2: * 3 EXISTS
S2: * 0 RECENT
S2: * OK [UNSEEN 1] Message 1 is the first unseen
S2: * OK [UIDVALIDITY 1001] UIDs are valid
S2: * OK [UIDNEXT 5] Predicted next UID
S2: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S2: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S2: * OK [HIGHESTMODSEQ 16] Highest modification sequence
S2: * OK [MAILBOXID (F1)] Id of this mailbox
S2~ * OK [ANNOTATIONS *] Largest annotation
S2: b OK [READ-WRITE] SELECT completed
C2: c STORE 1 +FLAGS (\Seen $new)
S2: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $new)
S2: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $new \*)] Flags permitted
S2: * 1 FETCH (FLAGS (\Seen $new))
S2: c OK STORE completed
W:
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $new)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $new \*)] Flags permitted
S: * 1 FETCH (UID 1 FLAGS (\Seen \Recent $new))
C2: d MOVE 3 INBOX
S2: * OK [COPYUID 1001 4 5] Moved UIDs
S2: * 3 EXPUNGE
S2: * 3 EXISTS
S2: * 1 RECENT
S2: d OK MOVE completed
W:
S: * 3 EXPUNGE
S: * 3 EXISTS
S: * 2 RECENT
C: DONE
S: A004 OK IDLE terminated
C: d IDLE
S: + idling
C: e NOOP  # is no DONE
S: d BAD DONE was expected
C: f IDLE now
S: f BAD expected the end of the command at column 7: " now"
C: g IDLE
S: + idling
L:
S: * BYE Autologout; silent for too long
E:

# Pipelined commands are run one after the other, in order (RFC 3501 §5.5).
messages: 2

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
C: b SELECT INBOX
C: c STORE 1 +FLAGS (\Deleted)
C: d FETCH 1 FLAGS
C: e EXPUNGE
C: f FETCH 1 UID
C: g IDLE
C: DONE
S~ a OK [CAPABILITY *] *
S: * 2 EXISTS
S: * 2 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 3] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 13] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
S: * 1 FETCH (FLAGS (\Deleted \Recent))
S: c OK STORE completed
S: * 1 FETCH (FLAGS (\Deleted \Recent))
S: d OK FETCH completed
S: * 1 EXPUNGE
S: e OK EXPUNGE completed
S: * 1 FETCH (UID 2)
S: f OK FETCH completed
S: + idling
S: g OK IDLE terminated
C: h UNSELECT
S: h OK UNSELECT completed

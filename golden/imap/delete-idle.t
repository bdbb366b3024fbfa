# The selected mailbox is deleted during IDLE: there is nothing more to tell (RFC 2180 §3.3).
mailboxes: foo

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT foo
S: * 0 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 1002] UIDs are valid
S: * OK [UIDNEXT 1] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 12] Highest modification sequence
S: * OK [MAILBOXID (F2)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: c IDLE
S: + idling
S2~ * OK [CAPABILITY *] *
C2: a LOGIN joe secret
S2~ a OK [CAPABILITY *] *
C2: b DELETE foo
S2: b OK DELETE completed
W:
S: * BYE The selected mailbox has been deleted
E:

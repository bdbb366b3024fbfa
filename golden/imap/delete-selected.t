# A selected mailbox goes away: by this client it is closed, by another the session ends (RFC 2180 §3.3).
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
S2~ * OK [CAPABILITY *] *
C2: a LOGIN joe secret
S2~ a OK [CAPABILITY *] *
C2: b SELECT foo
S2: * 0 EXISTS
S2: * 0 RECENT
S2: * OK [UIDVALIDITY 1002] UIDs are valid
S2: * OK [UIDNEXT 1] Predicted next UID
S2: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S2: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S2: * OK [HIGHESTMODSEQ 12] Highest modification sequence
S2: * OK [MAILBOXID (F2)] Id of this mailbox
S2~ * OK [ANNOTATIONS *] Largest annotation
S2: b OK [READ-WRITE] SELECT completed
C: c DELETE foo
S: * OK [CLOSED] The selected mailbox has been deleted
S: c OK DELETE completed
C: d FETCH 1:* FLAGS
S: d BAD FETCH needs a selected mailbox
C2: c NOOP
S2: * BYE The selected mailbox has been deleted
E2:

# \Recent (RFC 3501 §2.3.2): the first session that is told has it; EXAMINE takes it from nobody.

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S: * 0 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 1] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 11] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
S2~ * OK [CAPABILITY *] *
C2: a LOGIN joe secret
S2~ a OK [CAPABILITY *] *
C2: b EXAMINE INBOX
S2: * 0 EXISTS
S2: * 0 RECENT
S2: * OK [UIDVALIDITY 1001] UIDs are valid
S2: * OK [UIDNEXT 1] Predicted next UID
S2: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S2: * OK [PERMANENTFLAGS ()] Read-only mailbox
S2: * OK [HIGHESTMODSEQ 11] Highest modification sequence
S2: * OK [MAILBOXID (F1)] Id of this mailbox
S2~ * OK [ANNOTATIONS *] Largest annotation
S2: b OK [READ-ONLY] EXAMINE completed
W2: deliver INBOX
C2: c NOOP
S2: * 1 EXISTS
S2: * 1 RECENT
S2: c OK NOOP completed
C: c NOOP
S: * 1 EXISTS
S: * 1 RECENT
S: c OK NOOP completed
C: d FETCH 1 FLAGS
S: * 1 FETCH (FLAGS (\Recent))
S: d OK FETCH completed
C2: d SELECT INBOX
S2: * OK [CLOSED] The mailbox selected before is closed
S2: * 1 EXISTS
S2: * 0 RECENT
S2: * OK [UNSEEN 1] Message 1 is the first unseen
S2: * OK [UIDVALIDITY 1001] UIDs are valid
S2: * OK [UIDNEXT 2] Predicted next UID
S2: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S2: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S2: * OK [HIGHESTMODSEQ 12] Highest modification sequence
S2: * OK [MAILBOXID (F1)] Id of this mailbox
S2~ * OK [ANNOTATIONS *] Largest annotation
S2: d OK [READ-WRITE] SELECT completed
C2: e FETCH 1 FLAGS
S2: * 1 FETCH (FLAGS ())
S2: e OK FETCH completed
C: e STATUS INBOX (RECENT)
S: * STATUS INBOX (RECENT 0)
S: e OK STATUS completed

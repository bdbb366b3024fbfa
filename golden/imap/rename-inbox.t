# RENAME INBOX while it is selected (RFC 3501 §6.3.5): the messages move, and this client is told that they are gone.
messages: 2

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
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
C: c RENAME INBOX old
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: c OK RENAME completed
C: d FETCH 1 FLAGS
S: d BAD there is no message number 1
C: e SELECT old
S: * OK [CLOSED] The mailbox selected before is closed
S: * 2 EXISTS
S: * 2 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1002] UIDs are valid
S: * OK [UIDNEXT 3] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 16] Highest modification sequence
S: * OK [MAILBOXID (F2)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: e OK [READ-WRITE] SELECT completed

# EXPUNGE and UID EXPUNGE (RFC 3501 §6.4.3; RFC 4315 §2.1).
messages: 11

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S: * 11 EXISTS
S: * 11 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 12] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 22] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: c STORE 3,4,7,11 +FLAGS.SILENT (\Deleted)
S: c OK STORE completed
C: A202 EXPUNGE  # RFC 3501 §6.4.3's example
S: * 3 EXPUNGE
S: * 3 EXPUNGE
S: * 5 EXPUNGE
S: * 8 EXPUNGE
S: A202 OK EXPUNGE completed
C: d STORE 1:3 +FLAGS.SILENT (\Deleted)
S: d OK STORE completed
C: A003 UID EXPUNGE 2:5,99  # RFC 4315 §2.1: only those
S: * 2 EXPUNGE
S: * 2 EXPUNGE
S: A003 OK EXPUNGE completed
C: e UID EXPUNGE 50
S: e OK EXPUNGE completed
C: f EXPUNGE
S: * 1 EXPUNGE
S: f OK EXPUNGE completed
C: g EXPUNGE
S: g OK EXPUNGE completed

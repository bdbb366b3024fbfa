# A damaged record is reported by its UID, the rest is served (RFC 5530 §3, CORRUPTION).
messages: 3

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
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
W: corrupt INBOX 2
C: c FETCH 1:3 (UID FLAGS)
S: * 1 FETCH (UID 1 FLAGS (\Recent))
S: * 2 FETCH (UID 2 FLAGS (\Recent))
S: * 3 FETCH (UID 3 FLAGS (\Recent))
S: c OK FETCH completed
C: d FETCH 1:3 (UID RFC822.TEXT)
S: * 1 FETCH (UID 1 RFC822.TEXT {8}
S: body 1
S:  FLAGS (\Seen \Recent))
S: * NO [CORRUPTION] The message with UID 2 can't be read
S: * 3 FETCH (UID 3 RFC822.TEXT {8}
S: body 3
S:  FLAGS (\Seen \Recent))
S: d NO [CORRUPTION] Some messages can't be read
C: e UID FETCH 2 BODY.PEEK[1]
S: * NO [CORRUPTION] The message with UID 2 can't be read
S: e NO [CORRUPTION] Some messages can't be read

# RFC 9586 §3: the examples 01, 07, 10, 11, 12 and 13. Departures: the UIDs are this world's; \Recent is shown, for IMAP4rev1.
messages: 6

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * UIDONLY *] *
C: 01 ENABLE UIDONLY
S: * ENABLED UIDONLY
S: 01 OK ENABLE completed
C: b SELECT INBOX
S~ * 6 EXISTS
S~ * 6 RECENT
S~ * OK [UIDVALIDITY *
S~ * OK [UIDNEXT *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *
S~ * OK [HIGHESTMODSEQ *
S~ * OK [MAILBOXID *
S~ * OK [ANNOTATIONS *
S~ b OK *
C: 07 FETCH 10000:14589 (UID FLAGS)
S: 07 BAD [UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled
C: c UID STORE 2 +FLAGS.SILENT (\Seen)
S: c OK STORE completed
C: c UID STORE 3 +FLAGS.SILENT (\Flagged \Answered)
S: c OK STORE completed
C: 10 UID FETCH 2:4 (FLAGS)
S: * 2 UIDFETCH (FLAGS (\Seen \Recent))
S: * 3 UIDFETCH (FLAGS (\Answered \Flagged \Recent))
S: * 4 UIDFETCH (FLAGS (\Recent))
S: 10 OK FETCH completed
C: 11 UID FETCH 2:4 (UID FLAGS)
S: * 2 UIDFETCH (UID 2 FLAGS (\Seen \Recent))
S: * 3 UIDFETCH (UID 3 FLAGS (\Answered \Flagged \Recent))
S: * 4 UIDFETCH (UID 4 FLAGS (\Recent))
S: 11 OK FETCH completed
C: c UID STORE 1,3,5:6 +FLAGS.SILENT (\Deleted)
S: c OK STORE completed
C: 12 EXPUNGE
S: * VANISHED 1,3,5:6
S: 12 OK EXPUNGE completed

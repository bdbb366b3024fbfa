# SAVELIMIT (RFC 9738): COPY and APPEND only.
messages: 4
mailboxes: other
save_limit: 2

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * SAVELIMIT=2] *
C: b EXAMINE INBOX
S: * 4 EXISTS
S: * 4 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 5] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS ()] Read-only mailbox
S: * OK [HIGHESTMODSEQ 16] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-ONLY] EXAMINE completed
C: c COPY 1:3 other
S: c NO [MESSAGELIMIT 2 2] Too many messages to copy, try a smaller subset
C: d COPY 1:2 other
S: d OK [COPYUID 1002 1:2 1:2] COPY completed
C: e SEARCH ALL
S: * SEARCH 1 2 3 4
S: e OK SEARCH completed
C: f APPEND other {1+}
C: a {1+}
C: b {1+}
C: c
S: f NO [MESSAGELIMIT 2] Too many messages to append
C: g CREATE Zettel (USE (\Memos))  # RFC 9979 §8.3
S~ g OK * CREATE completed
C: h CREATE Later (USE (\Snoozed))
S~ h OK * CREATE completed
C: i LIST (SPECIAL-USE) "" *
S: * LIST (\HasNoChildren \Snoozed) "/" "Later"
S: * LIST (\HasNoChildren \Memos) "/" "Zettel"
S: i OK LIST completed

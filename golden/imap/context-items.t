# Data items of new messages that join a result that is kept up to date (RFC 5465 §7, §5.2).
messages: 2

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S~ * 2 EXISTS
S~ * 2 RECENT
S~ * OK [UNSEEN 1] *
S~ * OK [UIDVALIDITY 1001] *
S~ * OK [UIDNEXT 3] *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *] *
S~ * OK [HIGHESTMODSEQ *] *
S~ * OK [MAILBOXID *] *
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: a00 SEARCH RETURN (COUNT UPDATE (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])) FROM "a"
S: * ESEARCH (TAG "a00") COUNT 2
S: a00 OK SEARCH completed
C: a01 UID SORT RETURN (UPDATE(RFC822.SIZE) COUNT) (REVERSE DATE) UTF-8 UNFLAGGED  # the grammar has no space
S: * ESEARCH (TAG "a01") UID COUNT 2
S: a01 OK SORT completed
C: a02 SEARCH RETURN (UPDATE (FLAGS)) FLAGGED
S: * ESEARCH (TAG "a02")
S: a02 OK SEARCH completed
W: deliver INBOX
C: c NOOP  # EXISTS, ADDTO, and one FETCH for all that is wanted
S: * 3 EXISTS
S: * 3 RECENT
S: * ESEARCH (TAG "a00") ADDTO (0 3)
S: * ESEARCH (TAG "a01") UID ADDTO (1 3)
S: * 3 FETCH (UID 3 BODY[HEADER.FIELDS (SUBJECT)] {22}
S: Subject: message 3
S: 
S:  RFC822.SIZE 148)
S: c OK NOOP completed
C: d STORE 1 +FLAGS.SILENT (\Flagged)  # §7: not for what joins by its flags
S: * ESEARCH (TAG "a01") UID REMOVEFROM (3 1)
S: * ESEARCH (TAG "a02") ADDTO (0 1)
S: d OK STORE completed
C: e APPEND INBOX (\Flagged) {11+}  # §5.2: nor for what this client brings
C: From: a
C: 
C: 
S: * 4 EXISTS
S: * 4 RECENT
S: * ESEARCH (TAG "a00") ADDTO (0 4)
S: * ESEARCH (TAG "a02") ADDTO (0 4)
S: e OK [APPENDUID 1001 4] APPEND completed
C: f CANCELUPDATE "a00"
S: f OK CANCELUPDATE completed
C: g NOTIFY SET (selected (MessageNew (uid flags rfc822.size) MessageExpunge))
S: g OK NOTIFY completed
W: deliver INBOX
S: * 5 EXISTS
S: * 5 RECENT
S: * ESEARCH (TAG "a01") UID ADDTO (1 5)
S: * 5 FETCH (RFC822.SIZE 148 UID 5 FLAGS (\Recent))
C: h UID SEARCH RETURN (UPDATE (MODSEQ)) UID 6  # RFC 7162 §3.1: enables CONDSTORE
S: * ESEARCH (TAG "h") UID
S~ * OK [HIGHESTMODSEQ *] *
S: h OK SEARCH completed
W: deliver INBOX 2
S: * 7 EXISTS
S: * 7 RECENT
S: * ESEARCH (TAG "a01") UID ADDTO (4 6:7)
S: * ESEARCH (TAG "h") UID ADDTO (0 6)
S~ * 6 FETCH (RFC822.SIZE 148 MODSEQ (*) UID 6 FLAGS (\Recent))
S~ * 7 FETCH (RFC822.SIZE 148 UID 7 FLAGS (\Recent)*)
C: h SEARCH RETURN (UPDATE ()) ALL
S~ h BAD *

# ENABLE UIDONLY while results are kept up to date (RFC 9586 §3, RFC 5267 §4.3.1): those told in numbers end.
messages: 2

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S: * 2 EXISTS
S: * 2 RECENT
S~ * OK [UNSEEN 1] *
S~ * OK [UIDVALIDITY *] *
S~ * OK [UIDNEXT 3] *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *] *
S~ * OK [HIGHESTMODSEQ *] *
S~ * OK [MAILBOXID *] *
S~ * OK [ANNOTATIONS *] *
S: b OK [READ-WRITE] SELECT completed
C: c SEARCH RETURN (UPDATE COUNT) ALL
S: * ESEARCH (TAG "c") COUNT 2
S: c OK SEARCH completed
C: d UID SEARCH RETURN (UPDATE COUNT) ALL
S: * ESEARCH (TAG "d") UID COUNT 2
S: d OK SEARCH completed
C: e ENABLE UIDONLY
S: * ENABLED UIDONLY
S~ * NO [NOUPDATE "c"] *
S: e OK ENABLE completed
W: deliver INBOX
C: f NOOP
S: * 3 EXISTS
S: * 3 RECENT
S: * ESEARCH (TAG "d") UID ADDTO (0 3)
S: f OK NOOP completed

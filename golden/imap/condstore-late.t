# RFC 7162 §3.2: HIGHESTMODSEQ told to a client that enables CONDSTORE is not beyond an EXPUNGE that is withheld.
messages: 4

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S~ * 4 EXISTS
S~ * 4 RECENT
S~ * OK [UNSEEN 1] *
S~ * OK [UIDVALIDITY 1001] *
S~ * OK [UIDNEXT 5] *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *] *
S: * OK [HIGHESTMODSEQ 15] Highest modification sequence
S~ * OK [MAILBOXID *] *
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
W: expunge INBOX 4
C: c STORE 1 +FLAGS (\Flagged)  # modification sequence 17; the EXPUNGE has 16
S: * 1 FETCH (FLAGS (\Flagged \Recent))
S: c OK STORE completed
C: d ENABLE QRESYNC
S: * ENABLED QRESYNC
S: * OK [HIGHESTMODSEQ 15] Modification sequences are told from now on
S: d OK ENABLE completed
C: e NOOP
S: * VANISHED 4
S: e OK NOOP completed

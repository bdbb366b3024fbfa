# Where to resynchronise from while a VANISHED is delayed (RFC 7162 §3.2, §6).
messages: 4

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b ENABLE QRESYNC
S: * ENABLED QRESYNC
S: b OK ENABLE completed
C: c SELECT INBOX
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
S: c OK [READ-WRITE] SELECT completed
C: d STORE 1 +FLAGS.SILENT (\Seen)  # nothing is delayed
S: * 1 FETCH (UID 1 MODSEQ (16))
S: d OK STORE completed
W: expunge INBOX 4
C: A150 STORE 1:2 +FLAGS.SILENT (\Flagged)  # §6: the one of modification sequence 17 is
S: * 1 FETCH (UID 1 MODSEQ (18))
S: * 2 FETCH (UID 2 MODSEQ (18))
S: * OK [HIGHESTMODSEQ 16] Everything up to here was told
S: A150 OK STORE completed
C: A151 STORE 3 +FLAGS.SILENT (\Seen)  # still
S: * 3 FETCH (UID 3 MODSEQ (19))
S: * OK [HIGHESTMODSEQ 16] Everything up to here was told
S: A151 OK STORE completed
C: e FETCH 1 (UID)  # what has no MODSEQ leads nobody astray
S: * 1 FETCH (UID 1)
S: e OK FETCH completed
C: f FETCH 3 (MODSEQ)
S: * 3 FETCH (MODSEQ (19))
S: * OK [HIGHESTMODSEQ 16] Everything up to here was told
S: f OK FETCH completed
C: A152 NOOP
S: * VANISHED 4
S: * OK [HIGHESTMODSEQ 19] Everything up to here was told
S: A152 OK NOOP completed
C: g STORE 3 -FLAGS.SILENT (\Seen)
S: * 3 FETCH (UID 3 MODSEQ (20))
S: g OK STORE completed

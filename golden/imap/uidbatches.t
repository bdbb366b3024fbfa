# UIDBATCHES (RFC 10022).
messages: 1500
mailboxes: empty

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * UIDBATCHES *] *
C: b UIDBATCHES 500  # §4: command-select
S: b BAD UIDBATCHES needs a selected mailbox
C: c SELECT empty
S: * 0 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 1002] UIDs are valid
S: * OK [UIDNEXT 1] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S~ * OK [HIGHESTMODSEQ *] Highest modification sequence
S: * OK [MAILBOXID (F2)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: c OK [READ-WRITE] SELECT completed
C: A302 UIDBATCHES 2000  # §3.1.6
S: * UIDBATCHES (TAG "A302")
S: A302 OK UIDBATCHES completed
W: expunge INBOX 1
W: expunge INBOX 700
W: expunge INBOX 1001
C: d EXAMINE INBOX
S: * OK [CLOSED] The mailbox selected before is closed
S: * 1497 EXISTS
S: * 1497 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 1501] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS ()] Read-only mailbox
S~ * OK [HIGHESTMODSEQ *] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: d OK [READ-ONLY] EXAMINE completed
C: A143 UIDBATCHES 500  # §3.1.4: the ranges touch, the last goes down to 1
S: * UIDBATCHES (TAG "A143") 1500:1000,999:499,498:1
S: A143 OK UIDBATCHES completed
C: e UIDBATCHES 2000  # §3.1.3.3.1: a single range
S: * UIDBATCHES (TAG "e") 1500:1
S: e OK UIDBATCHES completed
C: f UIDBATCHES 1497
S: * UIDBATCHES (TAG "f") 1500:1
S: f OK UIDBATCHES completed
C: g UIDBATCHES 500 2:2  # §3.1.5
S: * UIDBATCHES (TAG "g") 999:499
S: g OK UIDBATCHES completed
C: h UIDBATCHES 500 3:50  # those that there are
S: * UIDBATCHES (TAG "h") 498:1
S: h OK UIDBATCHES completed
C: i UIDBATCHES 500 6:8  # §3.1.6
S: * UIDBATCHES (TAG "i")
S: i OK UIDBATCHES completed
C: j UIDBATCHES 500 6:8  # §3.1.1, §6: nothing has changed
S: j NO [LIMIT] The mailbox has hardly changed since the same command
C: A302 UIDBATCHES 499
S: A302 NO [TOOFEW] Minimum batch size is 500
C: A302 UIDBATCHES 2000 4:1
S: A302 BAD [CLIENTBUG] Invalid batch range
C: A302 UIDBATCHES 2000 1:100
S: A302 NO [TOOMANY] Too many messages
C: k UIDBATCHES 4294967295 2:2
S: k NO [TOOMANY] Too many messages
C: k UIDBATCHES 4294967295
S: * UIDBATCHES (TAG "k") 1500:1
S: k OK UIDBATCHES completed
C: l UIDBATCHES 0
S~ l BAD *
C: l UIDBATCHES 500 1
S~ l BAD *
C: m UID UIDBATCHES 500
S~ m BAD *
C: n ENABLE UIDONLY  # §3.3
S: * ENABLED UIDONLY
S: n OK ENABLE completed
C: o UIDBATCHES 1000
S: * UIDBATCHES (TAG "o") 1500:499,498:1
S: o OK UIDBATCHES completed

# CONDSTORE (RFC 7162 §3.1).
messages: 4
page: 1

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S: * 4 EXISTS
S: * 4 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 5] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 15] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: c FETCH 1:2 (MODSEQ)  # §3.1: a CONDSTORE enabling command
S: * OK [HIGHESTMODSEQ 15] Modification sequences are told from now on
S: * 1 FETCH (MODSEQ (12))
S: * 2 FETCH (MODSEQ (13))
S: c OK FETCH completed
C: d STORE 1 +FLAGS (\Flagged)
S: * 1 FETCH (UID 1 FLAGS (\Flagged \Recent) MODSEQ (16))
S: d OK STORE completed
C: e STORE 2 +FLAGS.SILENT (\Flagged)  # §3.1.3: MODSEQ even if silent
S: * 2 FETCH (UID 2 MODSEQ (17))
S: e OK STORE completed
C: f STORE 1,3:4 (UNCHANGEDSINCE 15) +FLAGS.SILENT (\Deleted)  # §3.1.3, example 6
S: * 1 FETCH (UID 1 FLAGS (\Flagged \Recent) MODSEQ (16))
S: * 3 FETCH (UID 3 MODSEQ (18))
S: * 4 FETCH (UID 4 MODSEQ (18))
S: f OK [MODIFIED 1] Some messages had been modified
C: g UID STORE 1,4 (UNCHANGEDSINCE 1) FLAGS (\Seen)
S: * 1 FETCH (UID 1 FLAGS (\Flagged \Recent) MODSEQ (16))
S: * 4 FETCH (UID 4 FLAGS (\Deleted \Recent) MODSEQ (18))
S: g OK [MODIFIED 1,4] Some messages had been modified
C: h UID FETCH 1:* (FLAGS) (CHANGEDSINCE 16)
S: * 2 FETCH (UID 2 FLAGS (\Flagged \Recent) MODSEQ (17))
S: * 3 FETCH (UID 3 FLAGS (\Deleted \Recent) MODSEQ (18))
S: * 4 FETCH (UID 4 FLAGS (\Deleted \Recent) MODSEQ (18))
S: h OK FETCH completed
C: i FETCH 1:* (UID) (CHANGEDSINCE 999)
S: i OK FETCH completed
C: j SEARCH MODSEQ 17  # §3.1.6
S: * SEARCH 2 3 4 (MODSEQ 18)
S: j OK SEARCH completed
C: k SEARCH MODSEQ "/flags/\\draft" all 999
S: * SEARCH
S: k OK SEARCH completed
C: l UID SEARCH RETURN (MIN) MODSEQ 16  # RFC 4731 §3.2: of the messages returned
S: * ESEARCH (TAG "l") UID MIN 1 MODSEQ 16
S: l OK SEARCH completed
C: m SEARCH RETURN (MIN MAX) MODSEQ 16
S: * ESEARCH (TAG "m") MIN 1 MAX 4 MODSEQ 18
S: m OK SEARCH completed
C: n SEARCH RETURN (ALL) MODSEQ 16
S: * ESEARCH (TAG "n") ALL 1:4 MODSEQ 18
S: n OK SEARCH completed
C: o STATUS INBOX (HIGHESTMODSEQ UIDNEXT)
S: * STATUS INBOX (HIGHESTMODSEQ 18 UIDNEXT 5)
S: o OK STATUS completed
S2~ * OK [CAPABILITY *] *
C2: a LOGIN joe secret
S2~ a OK [CAPABILITY *] *
C2: b SELECT INBOX (CONDSTORE)
S2: * 4 EXISTS
S2: * 0 RECENT
S2: * OK [UNSEEN 1] Message 1 is the first unseen
S2: * OK [UIDVALIDITY 1001] UIDs are valid
S2: * OK [UIDNEXT 5] Predicted next UID
S2: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S2: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S2: * OK [HIGHESTMODSEQ 18] Highest modification sequence
S2: * OK [MAILBOXID (F1)] Id of this mailbox
S2~ * OK [ANNOTATIONS *] Largest annotation
S2: b OK [READ-WRITE] SELECT completed
C2: c FETCH 2 BODY[TEXT]  # implicit \Seen
S2: * 2 FETCH (BODY[TEXT] {8}
S2: body 2
S2:  UID 2 FLAGS (\Flagged \Seen) MODSEQ (19))
S2: c OK FETCH completed
C: p NOOP
S: * 2 FETCH (UID 2 FLAGS (\Flagged \Seen \Recent) MODSEQ (19))
S: p OK NOOP completed
C: q SELECT INBOX (QRESYNC (1001 10))  # not offered
S: q BAD QRESYNC is not enabled
C: r UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)
S: r BAD VANISHED needs QRESYNC, which is not enabled
C: s EXPUNGE
S: * 3 EXPUNGE
S: * 3 EXPUNGE
S: s OK [HIGHESTMODSEQ 20] EXPUNGE completed
C: t EXPUNGE  # RFC 7162 §3.2.7: only if "at least one message got expunged"
S: t OK EXPUNGE completed
C: u UID FETCH 1 (BODY[TEXT])  # RFC 7162 §3.2.4: UID and MODSEQ, once
S: * 1 FETCH (UID 1 BODY[TEXT] {8}
S: body 1
S:  FLAGS (\Flagged \Seen \Recent) MODSEQ (21))
S: u OK FETCH completed

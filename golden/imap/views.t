# Two sessions on one mailbox (RFC 3501 §5.2, §5.5, §7.4.1; RFC 2180 §4): numbers never shift under FETCH, STORE, SEARCH.
messages: 5

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S: * 5 EXISTS
S: * 5 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 6] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 16] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
S2~ * OK [CAPABILITY *] *
C2: a LOGIN joe secret
S2~ a OK [CAPABILITY *] *
C2: b SELECT INBOX
S2: * 5 EXISTS
S2: * 0 RECENT
S2: * OK [UNSEEN 1] Message 1 is the first unseen
S2: * OK [UIDVALIDITY 1001] UIDs are valid
S2: * OK [UIDNEXT 6] Predicted next UID
S2: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S2: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S2: * OK [HIGHESTMODSEQ 16] Highest modification sequence
S2: * OK [MAILBOXID (F1)] Id of this mailbox
S2~ * OK [ANNOTATIONS *] Largest annotation
S2: b OK [READ-WRITE] SELECT completed
C2: c STORE 2,4 +FLAGS (\Deleted)
S2: * 2 FETCH (FLAGS (\Deleted))
S2: * 4 FETCH (FLAGS (\Deleted))
S2: c OK STORE completed
C2: d EXPUNGE
S2: * 2 EXPUNGE
S2: * 3 EXPUNGE
S2: d OK EXPUNGE completed
W:
C: c FETCH 3 (UID FLAGS)
S: * 3 FETCH (UID 3 FLAGS (\Recent))
S: c OK FETCH completed
C: d FETCH 1:3 (UID)  # RFC 2180 §4.1.2: the rest, then NO
S: * 1 FETCH (UID 1)
S: * 3 FETCH (UID 3)
S: d NO [EXPUNGEISSUED] Some of the messages no longer exist
C: e STORE 2 +FLAGS (\Seen)  # RFC 2180 §4.2.2
S: e NO [EXPUNGEISSUED] Some of the messages no longer exist
C: f STORE 2 +FLAGS.SILENT (\Seen)  # RFC 2180 §4.2.1
S: f OK STORE completed
C: g SEARCH ALL  # RFC 2180 §4.3
S: * SEARCH 1 3 5
S: g OK SEARCH completed
C: h FETCH 2 BODY[]
S: h NO [EXPUNGEISSUED] Some of the messages no longer exist
W: deliver INBOX
C: i FETCH 6 (UID)  # not yet told of
S: i BAD there is no message number 6
C: j UID FETCH 3 (FLAGS)  # UID commands may bring EXPUNGE (RFC 3501 §7.4.1)
S: * 3 FETCH (UID 3 FLAGS (\Recent))
S: * 2 EXPUNGE
S: * 3 EXPUNGE
S: * 4 EXISTS
S: * 4 RECENT
S: j OK FETCH completed
C: k NOOP
S: k OK NOOP completed
C2: e NOOP
S2: * 4 EXISTS
S2: * 0 RECENT
S2: e OK NOOP completed
C2: f FETCH 4 (FLAGS)
S2: * 4 FETCH (FLAGS ())
S2: f OK FETCH completed
C: l STORE 1 +FLAGS ($late)
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $late)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $late \*)] Flags permitted
S: * 1 FETCH (FLAGS (\Recent $late))
S: l OK STORE completed
C2: g STORE 1 +FLAGS.SILENT (\Flagged)  # told all the same: another had a hand in it
S2: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $late)
S2: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $late \*)] Flags permitted
S2: * 1 FETCH (FLAGS (\Flagged $late))
S2: g OK STORE completed
C2: h NOOP
S2: h OK NOOP completed
C: m NOOP
S: * 1 FETCH (FLAGS (\Flagged \Recent $late))
S: m OK NOOP completed

# UIDONLY (RFC 9586).
messages: 6
mailboxes: other

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b ENABLE UIDONLY  # §3.1
S: * ENABLED UIDONLY
S: b OK ENABLE completed
C: c SELECT INBOX  # no UNSEEN: it is a message number
S: * 6 EXISTS
S: * 6 RECENT
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 7] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 18] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: c OK [READ-WRITE] SELECT completed
C: d FETCH 1:3 (UID FLAGS)  # §3.2
S: d BAD [UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled
C: e STORE 1 +FLAGS (\Seen)
S: e BAD [UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled
C: f SEARCH ALL
S: f BAD [UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled
C: g COPY * other
S: g BAD [UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled
C: h UID SEARCH OR SEEN NOT 1:2  # §3.5
S: h BAD [UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled
C: i REPLACE 1 other {9+}  # §3.8
C< a: b\r\n\r\nc\r\n
S: i BAD [UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled
C: j UID FETCH 2:3 (FLAGS)  # §3.3
S: * 2 UIDFETCH (FLAGS (\Recent))
S: * 3 UIDFETCH (FLAGS (\Recent))
S: j OK FETCH completed
C: k UID FETCH 2:3 (UID FLAGS)
S: * 2 UIDFETCH (UID 2 FLAGS (\Recent))
S: * 3 UIDFETCH (UID 3 FLAGS (\Recent))
S: k OK FETCH completed
C: l UID STORE 2,4,5 +FLAGS (\Deleted)
S: * 2 UIDFETCH (FLAGS (\Deleted \Recent))
S: * 4 UIDFETCH (FLAGS (\Deleted \Recent))
S: * 5 UIDFETCH (FLAGS (\Deleted \Recent))
S: l OK STORE completed
C: m EXPUNGE  # §3.4
S: * VANISHED 2,4:5
S: m OK EXPUNGE completed
C: n UID SEARCH UID 1:* UNSEEN
S: * SEARCH 1 3 6
S: n OK SEARCH completed
C: o UID MOVE 3 other  # §3.6
S: * OK [COPYUID 1002 3 1] Moved UIDs
S: * VANISHED 3
S: o OK MOVE completed
S2~ * OK [CAPABILITY *] *
C2: a LOGIN joe secret
S2~ a OK [CAPABILITY *] *
C2: b EXAMINE INBOX
S2: * 2 EXISTS
S2: * 0 RECENT
S2: * OK [UNSEEN 1] Message 1 is the first unseen
S2: * OK [UIDVALIDITY 1001] UIDs are valid
S2: * OK [UIDNEXT 7] Predicted next UID
S2: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S2: * OK [PERMANENTFLAGS ()] Read-only mailbox
S2: * OK [HIGHESTMODSEQ 22] Highest modification sequence
S2: * OK [MAILBOXID (F1)] Id of this mailbox
S2~ * OK [ANNOTATIONS *] Largest annotation
S2: b OK [READ-ONLY] EXAMINE completed
C2: c SELECT INBOX
S2: * OK [CLOSED] The mailbox selected before is closed
S2: * 2 EXISTS
S2: * 0 RECENT
S2: * OK [UNSEEN 1] Message 1 is the first unseen
S2: * OK [UIDVALIDITY 1001] UIDs are valid
S2: * OK [UIDNEXT 7] Predicted next UID
S2: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S2: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S2: * OK [HIGHESTMODSEQ 22] Highest modification sequence
S2: * OK [MAILBOXID (F1)] Id of this mailbox
S2~ * OK [ANNOTATIONS *] Largest annotation
S2: c OK [READ-WRITE] SELECT completed
C2: d STORE 2 +FLAGS.SILENT (\Flagged)
S2: d OK STORE completed
W: deliver INBOX
C: p NOOP  # §3.6: EXISTS and RECENT stay
S: * 3 EXISTS
S: * 3 RECENT
S: * 6 UIDFETCH (FLAGS (\Flagged \Recent))
S: p OK NOOP completed
C: q ENABLE QRESYNC  # §3.7: MODSEQ in UIDFETCH
S: * ENABLED QRESYNC
S: * OK [HIGHESTMODSEQ 24] Modification sequences are told from now on
S: q OK ENABLE completed
C: r UID STORE 6 +FLAGS.SILENT (\Seen)
S: * 6 UIDFETCH (MODSEQ (25))
S: r OK STORE completed
C: s SELECT INBOX (QRESYNC (1001 22 1:6 (1,2 1,6)))  # §3.7
S: s BAD [UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled
C: t SELECT INBOX (QRESYNC (1001 22 1:6))
S: * OK [CLOSED] The mailbox selected before is closed
S: * 3 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 8] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 25] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: * 6 UIDFETCH (FLAGS (\Flagged \Seen) MODSEQ (25))
S: t OK [READ-WRITE] SELECT completed
C: v UID FETCH 1 (BODY[TEXT])  # the UID stands there already
S: * 1 UIDFETCH (BODY[TEXT] {8}
S: body 1
S:  FLAGS (\Seen) MODSEQ (26))
S: v OK FETCH completed

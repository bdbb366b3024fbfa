# REPLACE (RFC 8508).
messages: 4
mailboxes: Drafts

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b REPLACE 4 Drafts {9+}  # §3.5: only in the selected state
C< a: b\r\n\r\nc\r\n
S: b BAD REPLACE needs a selected mailbox
C: c SELECT INBOX
S: * 4 EXISTS
S: * 4 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 5] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 16] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: c OK [READ-WRITE] SELECT completed
C: d REPLACE 4 Drafts (\Seen \Draft) {9}  # §3.2
S: + Ready for literal data
C< a: b\r\n\r\nc\r\n
S: * OK [APPENDUID 1002 1] Replacement message ready
S: * 4 EXPUNGE
S: d OK REPLACE completed
C: e UID REPLACE 2 INBOX (\Seen \Draft) "17-Jul-1996 02:44:25 -0700" {9+}  # §3.3
C< a: b\r\n\r\nd\r\n
S: * OK [APPENDUID 1001 5] Replacement message ready
S: * 2 EXPUNGE
S: * 3 EXISTS
S: * 3 RECENT
S: e OK REPLACE completed
C: f FETCH 3 (UID FLAGS INTERNALDATE BODY.PEEK[TEXT])
S: * 3 FETCH (UID 5 FLAGS (\Seen \Draft \Recent) INTERNALDATE "17-Jul-1996 09:44:25 +0000" BODY[TEXT] {1}
S: d)
S: f OK FETCH completed
C: g REPLACE 9 INBOX {9+}
C< a: b\r\n\r\nd\r\n
S: g BAD there is no message number 9
C: h UID REPLACE 9 INBOX {9+}
C< a: b\r\n\r\nd\r\n
S: h NO [NONEXISTENT] There is no such message
C: i UID REPLACE 1 nowhere {9+}
C< a: b\r\n\r\nd\r\n
S: i NO [TRYCREATE] There is no such mailbox
C: j REPLACE 1:2 INBOX {9+}
C< a: b\r\n\r\nd\r\n
S~ j BAD expected * at column *
C: k REPLACE 1 {5+}
C: INBOX {9+}
C< a: b\r\n\r\ne\r\n
S: * OK [APPENDUID 1001 6] Replacement message ready
S: * 1 EXPUNGE
S: * 3 EXISTS
S: * 3 RECENT
S: k OK REPLACE completed
C: l FETCH 1 (MODSEQ)
S: * OK [HIGHESTMODSEQ 22] Modification sequences are told from now on
S: * 1 FETCH (MODSEQ (15))
S: l OK FETCH completed
W: expunge INBOX 3
C: m REPLACE 1 INBOX {9+}  # gone, and the client did not know
C< a: b\r\n\r\nd\r\n
S: * 1 EXPUNGE
S: m NO [EXPUNGEISSUED] The message is gone
C: n UID REPLACE * INBOX {9+}  # §4.5
C< a: b\r\n\r\nf\r\n
S: * OK [APPENDUID 1001 7] Replacement message ready
S: * 2 EXPUNGE
S: * 2 EXISTS
S: * 2 RECENT
S: n OK [HIGHESTMODSEQ 25] REPLACE completed
W: full
C: o REPLACE 1 INBOX {9+}
C< a: b\r\n\r\nd\r\n
S: o NO [OVERQUOTA] The quota is used up

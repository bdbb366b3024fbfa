# THREAD (RFC 5256).
world: threads

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS *] *
C: b SELECT INBOX
S: * 10 EXISTS
S: * 10 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 11] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 21] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: c THREAD REFS UTF-8 ALL                        # the shapes of RFC 5256 §4
S: * THREAD (1)(2 3 (4 5)(6 7 8))((9)(10))
S: c OK THREAD completed
C: d THREAD REFERENCES UTF-8 1,3:5
S: * THREAD (1)(3 4 5)
S: d OK THREAD completed
C: e UID THREAD ORDEREDSUBJECT UTF-8 1,3:5        # no grandchildren
S: * THREAD (1 (3)(4)(5))
S: e OK THREAD completed
C: f THREAD ORDEREDSUBJECT US-ASCII TEXT "gewp"   # RFC 5256
S: * THREAD
S: f OK THREAD completed
C: g THREAD BOGUS UTF-8 ALL
S~ g BAD expected ORDEREDSUBJECT, REFERENCES or REFS at column 10: *
C: h THREAD RETURN (COUNT) REFS UTF-8 ALL         # RFC 5267 extends SORT alone
S~ h BAD *
W: expunge INBOX 2
C: i THREAD REFS UTF-8 2:5                        # RFC 5256 §3: no EXPUNGE during THREAD
S: * THREAD (3 4 5)
S: i OK THREAD completed
C: j UID THREAD REFS UTF-8 UID 2:5                # but during UID THREAD
S: * THREAD (3 4 5)
S: * 2 EXPUNGE
S: j OK THREAD completed
C: k THREAD REFS UTF-8 2:4
S: * THREAD (2 3 4)
S: k OK THREAD completed

# RFC 10022 §3.1.1: the example A142, A143. Departure: no message was ever expunged here, so the UIDs have no gaps.
messages: 6823

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * UIDBATCHES *] *
C: A142 SELECT INBOX
S: * 6823 EXISTS
S: * 6823 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 6824] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S~ * OK [HIGHESTMODSEQ *] *
S~ * OK [MAILBOXID *] *
S~ * OK [ANNOTATIONS *] *
S: A142 OK [READ-WRITE] SELECT completed
C: A143 UIDBATCHES 2000
S: * UIDBATCHES (TAG "A143") 6823:4824,4823:2824,2823:824,823:1
S: A143 OK UIDBATCHES completed

# STORE (RFC 3501 §6.4.6): flags and keywords; new keywords are told before they are used.
messages: 3

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S: * 3 EXISTS
S: * 3 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 4] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 14] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: b OK [READ-WRITE] SELECT completed
C: c STORE 1:2 FLAGS (\Seen $Forwarded)  # the new keyword is told first (RFC 9051 §7.3.5)
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded \*)] Flags permitted
S: * 1 FETCH (FLAGS (\Seen \Recent $Forwarded))
S: * 2 FETCH (FLAGS (\Seen \Recent $Forwarded))
S: c OK STORE completed
C: d STORE 1 +FLAGS.SILENT (\Flagged)
S: d OK STORE completed
C: e STORE 1 -FLAGS \Seen
S: * 1 FETCH (FLAGS (\Flagged \Recent $Forwarded))
S: e OK STORE completed
C: f UID STORE 3 +FLAGS (\Answered)  # UID in the response (RFC 3501 §6.4.8)
S: * 3 FETCH (UID 3 FLAGS (\Answered \Recent))
S: f OK STORE completed
C: g UID STORE 99 +FLAGS (\Answered)
S: g OK No matching messages, so nothing done
C: h STORE 9 +FLAGS (\Answered)
S: h BAD there is no message number 9
C: i STORE 2 FLAGS ()
S: * 2 FETCH (FLAGS (\Recent))
S: i OK STORE completed
C: j STORE 1 +FLAGS ($forwarded)  # keywords have no case
S: * 1 FETCH (FLAGS (\Flagged \Recent $Forwarded))
S: j OK STORE completed
C: k STORE 1 +FLAGS (\Recent)  # can not be changed (RFC 3501 §2.3.2)
S: * 1 FETCH (FLAGS (\Flagged \Recent $Forwarded))
S: k OK STORE completed

# URLMECH (RFC 4467 §8, §10): inside TLS only.
tls: starttls

S~ * OK [CAPABILITY *] *
C: a STARTTLS
S: a OK Begin TLS negotiation now
T:
C: b LOGIN joe secret
S~ b OK [CAPABILITY *] *
C: a32 RESETKEY INBOX
S: a32 OK [URLMECH INTERNAL] RESETKEY completed
C: c SELECT INBOX
S: * 0 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 1] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S~ * OK [HIGHESTMODSEQ *] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: * OK [URLMECH INTERNAL] Mechanisms for URLAUTH
S: c OK [READ-WRITE] SELECT completed

# RESETKEY and those who have the mailbox selected (RFC 4467 §7), with its examples a31 and a32.
tls: implicit
mailboxes: Other

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b SELECT INBOX
S: * 0 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 1] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S~ * OK [PERMANENTFLAGS *] *
S~ * OK [HIGHESTMODSEQ *] *
S~ * OK [MAILBOXID *] *
S~ * OK [ANNOTATIONS *] *
S: * OK [URLMECH INTERNAL] Mechanisms for URLAUTH
S: b OK [READ-WRITE] SELECT completed
S2~ * OK [CAPABILITY *] *
C2: a LOGIN joe secret
S2~ a OK [CAPABILITY *] *
C2: a32 RESETKEY INBOX
S2: a32 OK [URLMECH INTERNAL] RESETKEY completed
C: c NOOP
S: * OK [URLMECH INTERNAL] The access key of this mailbox was reset
S: c OK NOOP completed
C: c NOOP  # once
S: c OK NOOP completed
C2: a32 RESETKEY Other  # it is not selected
S2: a32 OK [URLMECH INTERNAL] RESETKEY completed
C: c NOOP
S: c OK NOOP completed
C: d IDLE
S: + idling
C2: a31 RESETKEY  # all that there are
S2: a31 OK All keys removed
W:
S: * OK [URLMECH INTERNAL] The access key of this mailbox was reset
C: DONE
S: d OK IDLE terminated
C: e RESETKEY INBOX  # its own doing
S: e OK [URLMECH INTERNAL] RESETKEY completed
C: f NOOP
S: f OK NOOP completed
C2: a31 RESETKEY
S2: a31 OK All keys removed
C2: a31 RESETKEY  # there was none any more
S2: a31 OK All keys removed
C: g NOOP
S: * OK [URLMECH INTERNAL] The access key of this mailbox was reset
S: g OK NOOP completed
C: h NOOP
S: h OK NOOP completed
